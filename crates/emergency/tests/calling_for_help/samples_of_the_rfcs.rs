//! Every figure of the RFCs: read, or refused with this reason.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // a test may read files and run programs

use crate::support::conformance;
use hearthline_emergency::additional::Block;
use hearthline_emergency::geodetic::Shape;
use hearthline_emergency::lost::{LostRequest, LostResponse};
use hearthline_emergency::pidf::PidfLo;

/// One line a file: what it was read as, or why it was refused.
fn verdict(bytes: &[u8]) -> String {
    let mut reasons: Vec<String> = Vec::new();
    match PidfLo::parse(bytes) {
        Ok(document) => {
            let mut out = "location:".to_owned();
            for object in &document.locations {
                out.push_str(&format!(
                    " [{:?} civic={} shape={} method={} unread={}]",
                    object.holder,
                    object
                        .civic
                        .as_ref()
                        .map_or("-".to_owned(), |civic| civic.elements().count().to_string()),
                    object.shape.as_ref().map_or("-".to_owned(), |shape| {
                        let text = format!("{shape:?}");
                        text.split(['(', ' ']).next().unwrap().to_owned()
                    }),
                    object.method.as_deref().unwrap_or("-"),
                    object
                        .unread
                        .iter()
                        .map(|unread| unread.why.as_str())
                        .collect::<Vec<_>>()
                        .join("; "),
                ));
            }
            return out;
        }
        Err(error) => reasons.push(error.to_string()),
    }
    match LostRequest::parse(bytes) {
        Ok(request) => {
            let text = format!("{request:?}");
            return format!("LoST request: {}", text.split(['(', ' ']).next().unwrap());
        }
        Err(error) => reasons.push(error.to_string()),
    }
    match LostResponse::parse(bytes) {
        Ok(response) => {
            let text = format!("{response:?}");
            return format!("LoST answer: {}", text.split(['(', ' ']).next().unwrap());
        }
        Err(error) => reasons.push(error.to_string()),
    }
    match Block::parse(bytes) {
        Ok(block) => format!("additional data: {}", block.kind().name()),
        Err(error) => {
            reasons.push(error.to_string());
            reasons.dedup();
            format!("refused: {}", reasons[0])
        }
    }
}

#[test]
fn each_is_read_or_refused_with_a_reason() {
    let Some(root) = conformance() else { return };
    let mut files: Vec<_> = std::fs::read_dir(root.join("samples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut table = String::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let line = verdict(&std::fs::read(&file).unwrap());
        let must_be_read = name.starts_with("rfc5491")
            || name.starts_with("rfc5222")
            || name.starts_with("rfc7852")
            || name.starts_with("rfc4119")
            || name.starts_with("rfc6442");
        assert!(
            !must_be_read || !line.starts_with("refused"),
            "{name}: {line}"
        );
        table.push_str(&format!("{name}: {line}\n"));
    }
    insta::assert_snapshot!("samples", table);
}

#[test]
fn what_was_read_of_lost_is_the_same_after_writing() {
    let Some(root) = conformance() else { return };
    for entry in std::fs::read_dir(root.join("samples")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if let Ok(request) = LostRequest::parse(&bytes) {
            // Kept bytes gain the declarations they need, so the second round is the one to compare.
            let once = LostRequest::parse(&request.to_bytes()).unwrap();
            assert_eq!(
                once.to_bytes(),
                LostRequest::parse(&once.to_bytes()).unwrap().to_bytes(),
                "{path:?}"
            );
        }
        if let Ok(response) = LostResponse::parse(&bytes) {
            assert_eq!(
                LostResponse::parse(&response.to_bytes()),
                Ok(response),
                "{path:?}"
            );
        }
    }
}

#[test]
fn what_was_read_of_a_location_is_the_same_after_writing() {
    let Some(root) = conformance() else { return };
    for entry in std::fs::read_dir(root.join("samples")).unwrap() {
        let path = entry.unwrap().path();
        if let Ok(document) = PidfLo::parse(&std::fs::read(&path).unwrap()) {
            let again = PidfLo::parse(&document.to_bytes()).unwrap();
            let facts = |own: &PidfLo| -> Vec<_> {
                let mut facts: Vec<_> = own
                    .locations
                    .iter()
                    .map(|object| {
                        (
                            object.civic.clone(),
                            object.shape.as_ref().map(Shape::anchor),
                            object.method.clone(),
                            object.usage.clone(),
                            object.timestamp,
                        )
                    })
                    .map(|facts| format!("{facts:?}"))
                    .collect();
                facts.sort();
                facts
            };
            assert_eq!(facts(&document), facts(&again), "{path:?}");
        }
    }
}
