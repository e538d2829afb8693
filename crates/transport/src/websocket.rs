//! WebSocket (RFC 6455; for SIP RFC 7118), both sides: handshake, frames in within limits, frames out. No sockets here.
//!
//! ```text
//! push(bytes) ─► buffer ─► next() ─► Text | Binary | Ping | Pong | Close, or a Fault that ends the connection
//! ```
//! The server's handshake is [`accept_key`] and its frames are the plain functions here; the client's are in [`client`].
//! Ours instead of a library's because a library brings a second `rand`, `sha1` and six more doubles, and because the
//! limits stand here: a message is counted while it grows, in bytes and in parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

pub mod client;

/// Largest payload of a control frame (section 5.5).
const CONTROL_BYTES_MAX: usize = 125;
/// Parts of one message.
const PARTS_MAX: u32 = 64;
/// What the server appends to the client's key (section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The answer to `Sec-WebSocket-Key`; `None`: it is not 16 bytes in base64 (section 4.2.1).
#[must_use]
pub fn accept_key(key: &str) -> Option<String> {
    let nonce = STANDARD.decode(key).ok()?;
    if nonce.len() != 16 {
        return None;
    }
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes());
    Some(STANDARD.encode(hash))
}

/// What the other side sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A whole message of text.
    Text(String),
    /// A whole message of bytes.
    Binary(Vec<u8>),
    /// Answer it with a Pong of the same payload.
    Ping(Vec<u8>),
    /// An answer to our Ping, or a sign of life.
    Pong,
    /// The other side closes.
    Close,
}

/// Why the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The frame breaks RFC 6455.
    #[error("the frame breaks RFC 6455: {0}")]
    Protocol(&'static str),
    /// Text that is not UTF-8.
    #[error("a message of text is not UTF-8")]
    NotUtf8,
    /// The message is larger than allowed.
    #[error("a message is larger than {bytes_max} bytes or has too many parts")]
    TooBig {
        /// The limit.
        bytes_max: usize,
    },
    /// Too much at once, a right that has ended.
    #[error("{0}")]
    Policy(&'static str),
    /// The server stops.
    #[error("the server stops")]
    GoingAway,
    /// What was begun was not finished in time.
    #[error("a frame or an answer did not come in time")]
    Slow,
}

impl Fault {
    /// The status of the Close frame (section 7.4.1).
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::Protocol(_) => 1002,
            Self::NotUtf8 => 1007,
            Self::Policy(_) | Self::Slow => 1008,
            Self::TooBig { .. } => 1009,
        }
    }
}

/// The kinds of frames (section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn read(nibble: u8) -> Option<Self> {
        Some(match nibble {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// Whose frames are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// A client's: all masked (section 5.1).
    Client,
    /// A server's: none masked.
    Server,
}

/// The head of a frame.
#[derive(Debug, Clone, Copy)]
struct Head {
    last: bool,
    opcode: Opcode,
    /// Zeros where there is none.
    mask: [u8; 4],
    length: usize,
    /// Bytes of the head itself.
    bytes: usize,
}

/// A message that is not whole yet.
#[derive(Debug)]
struct Unfinished {
    is_text: bool,
    bytes: Vec<u8>,
    parts: u32,
}

/// Cuts the other side's bytes into messages. After each [`FrameReader::push`] call [`FrameReader::next`] until it says
/// `Ok(None)`; after an error nothing more is to be read.
#[derive(Debug)]
pub struct FrameReader {
    from: Sender,
    message_bytes_max: usize,
    buffer: Vec<u8>,
    used: usize,
    unfinished: Option<Unfinished>,
}

impl FrameReader {
    /// A server's, for a client's messages of at most so many bytes.
    #[must_use]
    pub fn new(message_bytes_max: usize) -> Self {
        Self::of(Sender::Client, message_bytes_max)
    }

    /// A client's, for a server's messages of at most so many bytes.
    #[must_use]
    pub fn of_server(message_bytes_max: usize) -> Self {
        Self::of(Sender::Server, message_bytes_max)
    }

    fn of(from: Sender, message_bytes_max: usize) -> Self {
        Self {
            from,
            message_bytes_max,
            buffer: Vec::new(),
            used: 0,
            unfinished: None,
        }
    }

    /// Takes bytes of the connection.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.used);
        self.used = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a frame or a message has begun and is not whole.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.unfinished.is_some() || self.used < self.buffer.len()
    }

    /// The next message or control frame.
    ///
    /// # Errors
    /// [`Fault`], after which the connection is to be closed with its status.
    #[expect(
        clippy::should_implement_trait,
        reason = "it is no iterator: an error ends it"
    )]
    pub fn next(&mut self) -> Result<Option<Received>, Fault> {
        loop {
            let Some(head) = self.head()? else {
                return Ok(None);
            };
            let begin = self.used + head.bytes;
            let Some(masked) = self.buffer.get(begin..begin + head.length) else {
                return Ok(None);
            };
            let mask = head.mask.iter().cycle();
            let payload: Vec<u8> = masked
                .iter()
                .zip(mask)
                .map(|(byte, mask)| byte ^ mask)
                .collect();
            self.used = begin + head.length;
            if let Some(received) = self.frame(head, payload)? {
                return Ok(Some(received));
            }
        }
    }

    /// The head of the frame at the front, once it is whole. Limits are judged by it, before its payload has come.
    fn head(&self) -> Result<Option<Head>, Fault> {
        let rest = &self.buffer[self.used..];
        let &[first, second, ..] = rest else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err(Fault::Protocol(
                "a reserved bit is set and no extension was agreed on",
            ));
        }
        let opcode = Opcode::read(first & 0x0F).ok_or(Fault::Protocol("an unknown opcode"))?;
        let last = first & 0x80 != 0;
        let is_masked = second & 0x80 != 0;
        match self.from {
            Sender::Client if !is_masked => {
                return Err(Fault::Protocol("a client's frame is not masked"));
            }
            Sender::Server if is_masked => {
                return Err(Fault::Protocol("a server's frame is masked"));
            }
            _ => {}
        }
        let (length, bytes) = match second & 0x7F {
            126 => match rest.get(2..4) {
                Some(&[high, low]) => (u64::from(u16::from_be_bytes([high, low])), 4),
                _ => return Ok(None),
            },
            127 => match rest.get(2..10).and_then(|eight| eight.try_into().ok()) {
                Some(eight) => (u64::from_be_bytes(eight), 10),
                None => return Ok(None),
            },
            short => (u64::from(short), 2),
        };
        let shortest = match bytes {
            4 => length > 125,
            10 => length > 0xFFFF,
            _ => true,
        };
        if !shortest {
            return Err(Fault::Protocol(
                "a length is not written in its shortest form",
            ));
        }
        if opcode.is_control() && (!last || length > CONTROL_BYTES_MAX as u64) {
            return Err(Fault::Protocol(
                "a control frame is cut or has more than 125 bytes",
            ));
        }
        let known = self.unfinished.as_ref();
        let before = known.map_or(0, |message| message.bytes.len());
        let room = self.message_bytes_max.saturating_sub(before);
        let too_big = Fault::TooBig {
            bytes_max: self.message_bytes_max,
        };
        let length = usize::try_from(length).map_err(|_| too_big)?;
        if !opcode.is_control() && length > room {
            return Err(too_big);
        }
        let head = |mask, bytes| Head {
            last,
            opcode,
            mask,
            length,
            bytes,
        };
        if !is_masked {
            return Ok(Some(head([0; 4], bytes)));
        }
        let mask = rest.get(bytes..bytes + 4);
        let mask = mask.and_then(|four| four.try_into().ok());
        Ok(mask.map(|mask| head(mask, bytes + 4)))
    }

    fn frame(&mut self, head: Head, payload: Vec<u8>) -> Result<Option<Received>, Fault> {
        match head.opcode {
            Opcode::Ping => return Ok(Some(Received::Ping(payload))),
            Opcode::Pong => return Ok(Some(Received::Pong)),
            Opcode::Close => return close(&payload).map(Some),
            Opcode::Text | Opcode::Binary if self.unfinished.is_some() => {
                return Err(Fault::Protocol("a message begins inside another one"));
            }
            Opcode::Text | Opcode::Binary => {
                self.unfinished = Some(Unfinished {
                    is_text: head.opcode == Opcode::Text,
                    bytes: payload,
                    parts: 1,
                });
            }
            Opcode::Continuation => {
                let Some(message) = &mut self.unfinished else {
                    return Err(Fault::Protocol("a part of no message"));
                };
                message.parts += 1;
                if message.parts > PARTS_MAX {
                    return Err(Fault::TooBig {
                        bytes_max: self.message_bytes_max,
                    });
                }
                message.bytes.extend_from_slice(&payload);
            }
        }
        if !head.last {
            return Ok(None);
        }
        let Some(whole) = self.unfinished.take() else {
            return Ok(None);
        };
        if !whole.is_text {
            return Ok(Some(Received::Binary(whole.bytes)));
        }
        let text = String::from_utf8(whole.bytes).map_err(|_| Fault::NotUtf8)?;
        Ok(Some(Received::Text(text)))
    }
}

/// A Close frame: empty, or a status and a reason (section 5.5.1).
fn close(payload: &[u8]) -> Result<Received, Fault> {
    match payload {
        [] => Ok(Received::Close),
        [_] => Err(Fault::Protocol("a Close frame of one byte")),
        [high, low, reason @ ..] => {
            let status = u16::from_be_bytes([*high, *low]);
            let known = matches!(status, 1000..=1003 | 1007..=1014 | 3000..=4999);
            if !known {
                return Err(Fault::Protocol(
                    "a Close frame with a status that may not be sent",
                ));
            }
            std::str::from_utf8(reason).map_err(|_| Fault::NotUtf8)?;
            Ok(Received::Close)
        }
    }
}

/// A message as one frame: text where it is UTF-8.
#[must_use]
pub fn message(payload: &[u8]) -> Vec<u8> {
    let opcode = if std::str::from_utf8(payload).is_ok() {
        1
    } else {
        2
    };
    frame(opcode, payload)
}

/// A Ping without payload.
#[must_use]
pub fn ping() -> Vec<u8> {
    frame(9, &[])
}

/// The Pong to a Ping.
#[must_use]
pub fn pong(payload: &[u8]) -> Vec<u8> {
    frame(10, payload)
}

/// A Close frame with a status.
#[must_use]
pub fn closing(status: u16) -> Vec<u8> {
    frame(8, &status.to_be_bytes())
}

/// A server's frames are whole and not masked.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 10);
    bytes.push(0x80 | opcode);
    match payload.len() {
        short @ 0..=125 => bytes.push(u8::try_from(short).unwrap_or(0)),
        medium @ 126..=0xFFFF => {
            bytes.push(126);
            bytes.extend(u16::try_from(medium).unwrap_or(u16::MAX).to_be_bytes());
        }
        long => {
            bytes.push(127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A client's frame.
    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = client::frame(first & 0x0F, payload, [1, 2, 3, 4]);
        bytes[0] = first;
        bytes
    }

    fn read(max: usize, bytes: &[u8]) -> Result<Vec<Received>, Fault> {
        let mut reader = FrameReader::new(max);
        reader.push(bytes);
        let mut all = Vec::new();
        while let Some(received) = reader.next()? {
            all.push(received);
        }
        Ok(all)
    }

    #[test]
    fn the_handshake_of_the_rfc_is_answered() {
        // Section 1.3.
        let answer = accept_key("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(answer.as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        for wrong in ["", "dGhl", "not base64!", "dGhlIHNhbXBsZSBub25jZQ==x"] {
            assert_eq!(accept_key(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_message_in_parts_with_a_ping_between_is_one_message() {
        // Section 5.7: "Hel" and "lo", a Ping between.
        let mut bytes = masked(0x01, b"Hel");
        bytes.extend(masked(0x89, b"?"));
        bytes.extend(masked(0x80, b"lo"));
        let expected = [
            Received::Ping(b"?".to_vec()),
            Received::Text("Hello".to_owned()),
        ];
        assert_eq!(read(5, &bytes).unwrap(), expected);
        assert_eq!(read(4, &bytes), Err(Fault::TooBig { bytes_max: 4 }));
    }

    #[test]
    fn what_breaks_the_rules_ends_the_connection() {
        let protocol = |bytes: &[u8]| matches!(read(1_000, bytes), Err(Fault::Protocol(_)));
        assert!(protocol(&frame(1, b"not masked")));
        assert!(protocol(&masked(0xC1, b"reserved bit")));
        assert!(protocol(&masked(0x83, b"opcode 3")));
        assert!(protocol(&masked(0x09, b"cut ping")));
        assert!(protocol(&masked(0x89, &[0; 126])));
        assert!(protocol(&masked(0x80, b"part of nothing")));
        assert!(protocol(&[masked(0x01, b"a"), masked(0x81, b"b")].concat()));
        assert!(
            protocol(&[0x81, 0x80 | 126, 0, 5, 0, 0, 0, 0]),
            "long form of 5"
        );
        assert!(protocol(&masked(0x88, &[3])));
        assert!(protocol(&masked(0x88, &1005_u16.to_be_bytes())));
        assert_eq!(read(9, &masked(0x81, b"\xff")), Err(Fault::NotUtf8));
        // Refused by its head: nothing of 2^63 bytes is waited for.
        let huge = [0x82, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255];
        assert_eq!(read(9, &huge), Err(Fault::TooBig { bytes_max: 9 }));
        let mut many = masked(0x01, b"");
        for _ in 0..PARTS_MAX {
            many.extend(masked(0x00, b""));
        }
        assert_eq!(read(9, &many), Err(Fault::TooBig { bytes_max: 9 }));
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_same_is_read(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..70_000), 1..4),
            cut in 1_usize..5_000,
        ) {
            let mut bytes = Vec::new();
            for payload in &payloads {
                bytes.extend(masked(0x82, payload));
            }
            let mut reader = FrameReader::new(70_000);
            let mut all = Vec::new();
            for part in bytes.chunks(cut) {
                reader.push(part);
                while let Some(received) = reader.next().unwrap() {
                    all.push(received);
                }
            }
            prop_assert!(!reader.is_within());
            let expected: Vec<_> = payloads.into_iter().map(Received::Binary).collect();
            prop_assert_eq!(all, expected);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(100, &bytes);
        }
    }
}
