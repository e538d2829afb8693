//! Text of a stream of events (server-sent events, WHATWG HTML section 9.2), read as far as the hub's is used: the place
//! and the kind of each. What they are about is asked for, not read here.

/// Largest event, in bytes.
pub const EVENT_BYTES_MAX: usize = 64 * 1_024;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// Its place, for resuming.
    pub id: Option<i64>,
    /// What happened; empty for a sign of life.
    pub kind: String,
}

/// An event without an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of more than {EVENT_BYTES_MAX} bytes")]
pub struct TooLong;

/// Bytes that become events, however they are cut.
#[derive(Debug, Default)]
pub struct EventText {
    bytes: Vec<u8>,
}

impl EventText {
    /// Takes bytes. Take out what is whole ([`Self::next_event`]) before more comes.
    ///
    /// # Errors
    /// [`TooLong`]: an event has no end. The stream is worth nothing any more.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        self.bytes.extend_from_slice(bytes);
        let first = self.end().map_or(self.bytes.len(), |(end, _)| end);
        if first > EVENT_BYTES_MAX {
            return Err(TooLong);
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

    /// The next whole event.
    pub fn next_event(&mut self) -> Option<Event> {
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
            let mut lines = EventText::default();
            let mut seen = Vec::new();
            for part in stream.chunks(size) {
                lines.push(part).unwrap();
                while let Some(event) = lines.next_event() {
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
        let mut lines = EventText::default();
        assert!(lines.push(&vec![b'x'; EVENT_BYTES_MAX]).is_ok());
        assert!(lines.push(b"x").is_err());
    }
}
