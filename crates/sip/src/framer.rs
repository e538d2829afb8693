//! Messages out of a byte stream (TCP, TLS), cut by Content-Length (RFC 3261 section 18.3).
//!
//! ```text
//! push(bytes) ─► buffer ─► next_frame() ─► Message | Ping | Pong | Rejected | Broken
//! ```

use crate::limits::Limits;
use crate::message::Message;
use crate::parse::{Head, ParseError, ParseErrorKind, Part, check, reject};

/// What a stream brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A message.
    Message(Message),
    /// CR LF CR LF between messages: the peer wants a Pong (RFC 5626 section 3.5.1).
    Ping,
    /// CR LF alone: the answer to our Ping.
    Pong,
    /// A message that cannot be read, but whose end is known: send the reply, go on.
    Rejected(ParseError),
    /// The end of the message cannot be told: send the reply, close the connection. Nothing more
    /// comes out of this framer.
    Broken(ParseError),
}

/// Cuts one direction of one connection into messages. After each [`StreamFramer::push`] drain
/// [`StreamFramer::next_frame`] until it is `None`; then the buffer holds at most one unfinished
/// message, whose size the limits bound.
#[derive(Debug)]
pub struct StreamFramer {
    limits: Limits,
    buffer: Vec<u8>,
    /// Bytes at the front of the buffer that were given out already.
    used: usize,
    /// How far the end of the header section was looked for.
    searched: usize,
    /// The message at the front, once its header section is complete, and its body's size.
    head: Option<(Head, usize)>,
    after_pong: bool,
    broken: bool,
}

impl StreamFramer {
    /// An empty framer.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        StreamFramer {
            limits,
            buffer: Vec::new(),
            used: 0,
            searched: 0,
            head: None,
            after_pong: false,
            broken: false,
        }
    }

    /// Takes bytes from the connection. Ignored once the stream is broken.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken {
            return;
        }
        if self.used > 0 {
            self.buffer.drain(..self.used);
            self.used = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes of the unfinished message; zero means the peer may close without losing anything.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len() - self.used
    }

    /// The next complete frame.
    pub fn next_frame(&mut self) -> Option<Frame> {
        if self.broken {
            return None;
        }
        if self.head.is_none() {
            if let Some(frame) = self.keep_alive() {
                return Some(frame);
            }
            let head_end = match self.find_head_end() {
                Ok(end) => end?,
                Err(error) => return Some(self.give_up(error)),
            };
            match self.measure(head_end) {
                Ok(head) => self.head = Some(head),
                Err(error) => return Some(self.give_up(error)),
            }
        }
        let pending = self.pending_bytes();
        let (head, length) = self
            .head
            .take_if(|(head, length)| pending >= head.body_at + *length)?;
        let (body_at, total) = (head.body_at, head.body_at + length);
        let bytes = &self.buffer[self.used..self.used + total];
        let frame = match head.into_message(&bytes[body_at..]) {
            Ok(message) => Frame::Message(message),
            Err((kind, at)) => Frame::Rejected(reject(bytes, kind, at, &self.limits)),
        };
        self.used += total;
        self.searched = 0;
        self.after_pong = false;
        Some(frame)
    }

    /// Line ends between messages.
    fn keep_alive(&mut self) -> Option<Frame> {
        let rest = &self.buffer[self.used..];
        if !rest.starts_with(b"\r\n") {
            return None;
        }
        self.searched = 0;
        if rest.starts_with(b"\r\n\r\n") {
            self.used += 4;
            self.after_pong = false;
            return Some(Frame::Ping);
        }
        self.used += 2;
        // The second half of a ping that the network cut in two.
        let completes_ping = std::mem::replace(&mut self.after_pong, true);
        if completes_ping {
            self.after_pong = false;
            return Some(Frame::Ping);
        }
        Some(Frame::Pong)
    }

    /// Offset behind the empty line that ends the header section.
    fn find_head_end(&mut self) -> Result<Option<usize>, ParseError> {
        let rest = &self.buffer[self.used..];
        let from = self.searched.saturating_sub(3);
        if let Some(at) = rest[from..].windows(4).position(|w| w == b"\r\n\r\n") {
            return Ok(Some(from + at + 4));
        }
        self.searched = rest.len();
        let max = self.limits.start_line_bytes_max + self.limits.header_bytes_max;
        check(Part::Headers, rest.len(), max, max)
            .map_err(|(kind, at)| reject(rest, kind, at, &self.limits))?;
        Ok(None)
    }

    /// The header section and the size of the body. Without a Content-Length the end of a message
    /// in a stream cannot be told; the header is mandatory there (section 20.14).
    fn measure(&self, head_end: usize) -> Result<(Head, usize), ParseError> {
        let bytes = &self.buffer[self.used..self.used + head_end];
        let wrong = |(kind, at)| reject(bytes, kind, at, &self.limits);
        // If a row is malformed, what the section says about its length is not believed.
        let head = Head::parse(bytes, &self.limits).map_err(wrong)?;
        let missing = ParseErrorKind::ContentLength("missing in a message over a stream");
        let length = head
            .content_length
            .ok_or_else(|| wrong((missing, head.body_at)))?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        check(Part::Body, length, self.limits.body_bytes_max, head.body_at).map_err(wrong)?;
        Ok((head, length))
    }

    fn give_up(&mut self, error: ParseError) -> Frame {
        self.broken = true;
        self.buffer = Vec::new();
        self.used = 0;
        Frame::Broken(error)
    }
}
