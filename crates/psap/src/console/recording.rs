//! A recording for the browser's player, whole or the range it asks for (RFC 9110 §14).

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::{Console, refusal};

/// Most bytes of one answer; the player asks for the rest.
const ANSWER_BYTES_MAX: u64 = 8 * 1024 * 1024;

pub(super) async fn recording(
    State(console): State<Console>,
    Path(call): Path<u32>,
    headers: HeaderMap,
) -> Response {
    let report = console.psap.report(call).await;
    let path = report.filter(|report| report.recorded);
    let Some(path) = path.and_then(|report| report.recording) else {
        return refusal(
            StatusCode::NOT_FOUND,
            "there is no recording of this call yet",
        );
    };
    let asked = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let read = tokio::task::spawn_blocking(move || read(path.into(), asked.as_deref())).await;
    match read {
        Ok(Ok(Some(piece))) => piece.into_response(call),
        Ok(Ok(None)) => StatusCode::RANGE_NOT_SATISFIABLE.into_response(),
        _ => refusal(
            StatusCode::NOT_FOUND,
            "the recording cannot be read any more",
        ),
    }
}

struct Piece {
    first: u64,
    whole: u64,
    bytes: Vec<u8>,
}

impl Piece {
    fn into_response(self, call: u32) -> Response {
        let last = self.first + (self.bytes.len() as u64).saturating_sub(1);
        let partial = self.bytes.len() as u64 != self.whole;
        let headers = [
            (header::CONTENT_TYPE, "audio/wav".to_owned()),
            (header::ACCEPT_RANGES, "bytes".to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("inline; filename=\"drill-call-{call}.wav\""),
            ),
        ];
        let mut response = (headers, self.bytes).into_response();
        if partial {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = format!("bytes {}-{last}/{}", self.first, self.whole);
            if let Ok(range) = range.parse() {
                response.headers_mut().insert(header::CONTENT_RANGE, range);
            }
        }
        response
    }
}

fn read(path: PathBuf, asked: Option<&str>) -> std::io::Result<Option<Piece>> {
    let mut file = std::fs::File::open(path)?;
    let whole = file.metadata()?.len();
    let Some((first, length)) = range(asked, whole) else {
        return Ok(None);
    };
    file.seek(SeekFrom::Start(first))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(Some(Piece {
        first,
        whole,
        bytes,
    }))
}

/// First byte and length; none when nothing of it is there. What is not understood asks for the whole (§14.2).
fn range(asked: Option<&str>, whole: u64) -> Option<(u64, u64)> {
    let parsed = asked
        .and_then(|text| text.strip_prefix("bytes="))
        .and_then(|text| text.split_once('-'))
        .and_then(|(first, last)| match (first.parse::<u64>(), last) {
            (Ok(first), "") => Some((first, whole.saturating_sub(1))),
            (Ok(first), last) => Some((first, last.parse().ok()?)),
            (Err(_), last) if first.is_empty() => Some((
                whole.saturating_sub(last.parse().ok()?),
                whole.saturating_sub(1),
            )),
            _ => None,
        })
        .filter(|(first, last)| first <= last || *first >= whole);
    let (first, last) = parsed.unwrap_or((0, whole.saturating_sub(1)));
    if first >= whole {
        return None;
    }
    let length = last.min(whole - 1) - first + 1;
    Some((first, length.min(ANSWER_BYTES_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_rfc() {
        for (asked, answer) in [
            (None, Some((0, 100))),
            (Some("bytes=0-"), Some((0, 100))),
            (Some("bytes=10-19"), Some((10, 10))),
            (Some("bytes=90-1000"), Some((90, 10))),
            (Some("bytes=-5"), Some((95, 5))),
            (Some("bytes=100-"), None),
            (Some("bytes=7-3"), Some((0, 100))),
            (Some("bytes=0-1,5-6"), Some((0, 100))),
            (Some("lines=1-2"), Some((0, 100))),
        ] {
            assert_eq!(range(asked, 100), answer, "{asked:?}");
        }
        assert_eq!(range(None, 0), None);
        assert_eq!(range(None, u64::MAX), Some((0, ANSWER_BYTES_MAX)));
    }
}
