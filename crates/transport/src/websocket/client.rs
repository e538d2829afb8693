//! The client's side: the request that upgrades, the server's answer to it, and masked frames.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::accept_key;

/// Largest answer to a handshake, in bytes.
pub const ANSWER_BYTES_MAX: usize = 16 * 1_024;

/// Why there is no WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// An answer other than 101.
    #[error("the server answers {status} in place of 101 Switching Protocols")]
    Refused {
        /// Its status; 0 where there is none to read.
        status: u16,
    },
    /// It speaks, but not of our key.
    #[error("the server's answer is no WebSocket handshake: {0}")]
    NotOurs(&'static str),
    /// No end of its head.
    #[error("the server's answer has more than {ANSWER_BYTES_MAX} bytes")]
    TooBig,
}

/// A handshake under way (section 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    key: String,
    protocol: Option<String>,
}

impl Handshake {
    /// With a nonce that nobody can foresee. `protocol`: the one that must be agreed on, such as `sip` (RFC 7118 section 4.1).
    #[must_use]
    pub fn new(nonce: [u8; 16], protocol: Option<&str>) -> Self {
        Self {
            key: STANDARD.encode(nonce),
            protocol: protocol.map(str::to_owned),
        }
    }

    /// The request. `host` as in a URL, `path` with its slash; both without spaces and line ends, which are dropped.
    #[must_use]
    pub fn request(&self, host: &str, path: &str) -> Vec<u8> {
        let plain = |text: &str| -> String {
            text.chars()
                .filter(|letter| !letter.is_whitespace() && !letter.is_control())
                .collect()
        };
        let protocol = self.protocol.as_ref().map_or_else(String::new, |protocol| {
            format!("Sec-WebSocket-Protocol: {protocol}\r\n")
        });
        format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\n{protocol}\r\n",
            plain(path),
            plain(host),
            self.key
        )
        .into_bytes()
    }

    /// Reads the answer out of what has come so far. `Some`: so many bytes were the answer, the rest are frames.
    ///
    /// # Errors
    /// [`HandshakeError`]: the connection is to be closed.
    pub fn answer(&self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end.filter(|end| *end <= ANSWER_BYTES_MAX) else {
            return if bytes.len() > ANSWER_BYTES_MAX {
                Err(HandshakeError::TooBig)
            } else {
                Ok(None)
            };
        };
        let head = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ');
        let version = first.next().unwrap_or_default();
        let status = first.next().and_then(|status| status.parse().ok());
        if !version.starts_with("HTTP/1.") || status != Some(101) {
            return Err(HandshakeError::Refused {
                status: status.unwrap_or(0),
            });
        }
        let fields: Vec<(String, &str)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
            .collect();
        let field = |name: &str| {
            let found = fields.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| *value)
        };
        let says = |name: &str, word: &str| {
            field(name).is_some_and(|value| {
                value
                    .split(',')
                    .any(|part| part.trim().eq_ignore_ascii_case(word))
            })
        };
        if !says("upgrade", "websocket") || !says("connection", "upgrade") {
            return Err(HandshakeError::NotOurs("it does not upgrade"));
        }
        if field("sec-websocket-accept") != accept_key(&self.key).as_deref() {
            return Err(HandshakeError::NotOurs("it did not read our key"));
        }
        if field("sec-websocket-protocol") != self.protocol.as_deref() {
            return Err(HandshakeError::NotOurs("another protocol within"));
        }
        if field("sec-websocket-extensions").is_some_and(|names| !names.is_empty()) {
            return Err(HandshakeError::NotOurs("an extension nobody asked for"));
        }
        Ok(Some(end + 4))
    }
}

/// A message of text as one frame. `mask`: fresh for each frame, and not to be foreseen (section 5.3).
#[must_use]
pub fn text(text: &str, mask: [u8; 4]) -> Vec<u8> {
    frame(1, text.as_bytes(), mask)
}

/// A message of bytes as one frame.
#[must_use]
pub fn binary(bytes: &[u8], mask: [u8; 4]) -> Vec<u8> {
    frame(2, bytes, mask)
}

/// A Ping without payload.
#[must_use]
pub fn ping(mask: [u8; 4]) -> Vec<u8> {
    frame(9, &[], mask)
}

/// The Pong to a Ping.
#[must_use]
pub fn pong(payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    frame(10, payload, mask)
}

/// A Close frame with a status.
#[must_use]
pub fn closing(status: u16, mask: [u8; 4]) -> Vec<u8> {
    frame(8, &status.to_be_bytes(), mask)
}

/// A client's frames are whole and masked.
pub(super) fn frame(opcode: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut bytes = super::frame(opcode, payload);
    let head = bytes.len() - payload.len();
    bytes[1] |= 0x80;
    for (byte, mask) in bytes[head..].iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    bytes.splice(head..head, mask);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::websocket::{Fault, FrameReader, Received, message};

    const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    /// That of section 1.3.
    fn handshake() -> Handshake {
        Handshake::new(*b"the sample nonce", None)
    }

    #[test]
    fn the_request_and_answer_of_the_rfc() {
        let request =
            String::from_utf8(handshake().request("server.example.com", "/chat")).unwrap();
        assert_eq!(
            request,
            "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        let mut bytes = ANSWER.as_bytes().to_vec();
        for cut in 0..bytes.len() {
            assert_eq!(handshake().answer(&bytes[..cut]), Ok(None), "{cut}");
        }
        bytes.extend(message(b"hello"));
        assert_eq!(handshake().answer(&bytes), Ok(Some(ANSWER.len())));
    }

    #[test]
    fn an_answer_that_is_none_is_refused() {
        let refused = |text: &str| handshake().answer(text.as_bytes()).unwrap_err();
        let changed = |from: &str, to: &str| refused(&ANSWER.replace(from, to));
        assert_eq!(
            refused("HTTP/1.1 404 Not Found\r\n\r\n"),
            HandshakeError::Refused { status: 404 }
        );
        assert_eq!(
            refused("SSH-2.0-x\r\n\r\n"),
            HandshakeError::Refused { status: 0 }
        );
        for (from, to) in [
            ("s3pP", "S3PP"),
            ("Upgrade: websocket\r\n", ""),
            ("keep-alive, Upgrade", "close"),
            ("\r\n\r\n", "\r\nSec-WebSocket-Protocol: sip\r\n\r\n"),
            (
                "\r\n\r\n",
                "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
            ),
        ] {
            assert!(
                matches!(changed(from, to), HandshakeError::NotOurs(_)),
                "{from}"
            );
        }
        assert_eq!(
            refused(&"x".repeat(ANSWER_BYTES_MAX + 1)),
            HandshakeError::TooBig
        );
    }

    #[test]
    fn the_masked_frame_of_the_rfc() {
        // Section 5.7: "Hello".
        let frame = text("Hello", [0x37, 0xfa, 0x21, 0x3d]);
        let expected = [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ];
        assert_eq!(frame, expected);
        let mut reader = FrameReader::of_server(10);
        reader.push(&frame);
        assert!(matches!(reader.next(), Err(Fault::Protocol(_))));
        let mut reader = FrameReader::of_server(10);
        reader.push(&message(b"Hello"));
        assert_eq!(reader.next(), Ok(Some(Received::Text("Hello".into()))));
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(text in "(HTTP/1.1 101 X\r\n)?[ -~\r\n]{0,200}(\r\n\r\n)?") {
            prop_assert!(!matches!(handshake().answer(text.as_bytes()), Ok(Some(_))));
        }

        #[test]
        fn a_server_reads_what_a_client_wrote(payload in proptest::collection::vec(any::<u8>(), 0..70_000), mask in any::<[u8; 4]>()) {
            let mut reader = FrameReader::new(70_000);
            reader.push(&binary(&payload, mask));
            prop_assert_eq!(reader.next(), Ok(Some(Received::Binary(payload))));
        }
    }
}
