//! The hub's stream of events (server-sent events, WHATWG HTML section 9.2).
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::super::api::Client;

/// A stream that says nothing for so long is dead: the hub's beat is 15 s.
const SILENT_MAX: Duration = Duration::from_secs(45);
/// Largest event, in bytes.
const EVENT_BYTES_MAX: usize = 64 * 1_024;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Event {
    /// Its place, for resuming.
    pub(super) id: Option<i64>,
    /// What happened; empty for a sign of life.
    pub(super) kind: String,
}

/// An open stream.
pub(super) struct Events {
    body: Incoming,
    text: Lines,
}

impl Events {
    /// Opens it, behind `last`.
    pub(super) async fn open(client: &mut Client, last: Option<i64>) -> Result<Self, String> {
        let resumed = last.map(|last| ("Last-Event-ID", last.to_string()));
        let body = client.stream("/api/v1/events", resumed.as_slice()).await?;
        let text = Lines::default();
        Ok(Self { body, text })
    }

    /// The next event. Dropped in the middle it has lost nothing.
    pub(super) async fn next(&mut self) -> Result<Event, String> {
        loop {
            if let Some(event) = self.text.next() {
                return Ok(event);
            }
            let frame = tokio::time::timeout(SILENT_MAX, self.body.frame())
                .await
                .map_err(|_| "the hub's events stopped".to_owned())?
                .ok_or("the hub ended its events")?
                .map_err(|error| format!("events: {error}"))?;
            if let Ok(bytes) = frame.into_data() {
                self.text.push(&bytes)?;
            }
        }
    }
}

/// Bytes that become events.
#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.bytes.extend_from_slice(bytes);
        let first = self.end().map_or(self.bytes.len(), |(end, _)| end);
        if first > EVENT_BYTES_MAX {
            return Err(format!("an event of more than {EVENT_BYTES_MAX} bytes"));
        }
        Ok(())
    }

    /// Where the first event ends, and where the next begins.
    fn end(&self) -> Option<(usize, usize)> {
        let two = |end: &[u8]| {
            let at = self.bytes.windows(end.len()).position(|found| found == end);
            at.map(|at| (at, at + end.len()))
        };
        [two(b"\n\n"), two(b"\r\n\r\n")].into_iter().flatten().min()
    }

    fn next(&mut self) -> Option<Event> {
        let (end, next) = self.end()?;
        let text = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
        self.bytes.drain(..next);
        let mut event = Event::default();
        for line in text.lines() {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "id" => event.id = value.parse().ok(),
                "event" => event.kind = value.to_owned(),
                _ => {}
            }
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_however_they_are_cut() {
        let stream = b"retry: 2000\n\nid: 7\nevent: message_queued\ndata: {}\n\nid: 8\n: still here\n\r\n\r\n\n\n";
        for size in 1..stream.len() {
            let mut lines = Lines::default();
            let mut seen = Vec::new();
            for part in stream.chunks(size) {
                lines.push(part).unwrap();
                while let Some(event) = lines.next() {
                    seen.push(event);
                }
            }
            assert_eq!(seen[0], Event::default());
            assert_eq!(
                (seen[1].id, seen[1].kind.as_str()),
                (Some(7), "message_queued")
            );
            assert_eq!((seen[2].id, seen[2].kind.as_str()), (Some(8), ""));
        }
        let mut lines = Lines::default();
        assert!(lines.push(&vec![b'x'; EVENT_BYTES_MAX]).is_ok());
        assert!(lines.push(b"x").is_err());
    }
}
