//! Answers of address book servers: whatever comes is read or refused, within its limits, and what was read says the
//! same when it is written as an answer and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../crates/hub/src/carddav/multistatus.rs"]
mod multistatus;

use multistatus::{HREF_BYTES_MAX, Member, read};

fn escaped(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '&' => "&amp;".to_owned(),
            // Line ends and spaces would be read as others.
            other if other.is_control() || other.is_whitespace() => format!("&#{};", other as u32),
            other => other.to_string(),
        })
        .collect()
}

fn element(name: &str, text: Option<&String>) -> String {
    text.map_or_else(String::new, |text| {
        format!("<{name}>{}</{name}>", escaped(text))
    })
}

fn written(member: &Member) -> String {
    format!(
        "<D:response><D:href>{}</D:href><D:propstat><D:prop>{}{}{}</D:prop></D:propstat></D:response>",
        escaped(&member.href),
        element("D:getetag", member.etag.as_ref()),
        element("D:sync-token", member.sync_token.as_ref()),
        element("C:address-data", member.card.as_ref()),
    )
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(all) = read(text) else {
        return;
    };
    for member in &all.members {
        assert!(member.href.len() <= HREF_BYTES_MAX);
    }
    let members: String = all.members.iter().map(written).collect();
    let again = format!(
        "<D:multistatus xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\">{members}</D:multistatus>"
    );
    let again = read(&again).expect("what was read can be written");
    for (one, other) in all.members.iter().zip(&again.members) {
        assert_eq!(one.href, other.href);
        assert_eq!(one.etag, other.etag);
        assert_eq!(one.card, other.card);
    }
    assert_eq!(all.members.len(), again.members.len());
});
