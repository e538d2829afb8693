//! Control packets of MQTT 3.1.1 (OASIS, 29 October 2014), as far as a client with quality of service 0 and 1 needs them.
//!
//! Ours in place of a library: `rumqttc` brings a second `rustls-webpki` and the abandoned `rustls-pemfile`, owns socket and
//! clock, and the packets are three hundred lines.

/// Longest topic, in bytes, that is read or written.
pub const TOPIC_BYTES_MAX: usize = 1_024;

/// Why a connection to a broker ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The packet breaks the standard.
    #[error("the broker breaks MQTT 3.1.1: {0}")]
    Protocol(&'static str),
    /// A packet larger than allowed.
    #[error("the broker sends a packet of more than {bytes_max} bytes")]
    TooBig {
        /// The limit.
        bytes_max: usize,
    },
}

/// What a broker sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Section 3.2.
    ConnAck {
        /// 0 accepted, 1 to 5 refused (table 3.1).
        code: u8,
    },
    /// Section 3.3.
    Publish {
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Vec<u8>,
        /// To be acknowledged with this identifier; none at quality of service 0.
        id: Option<u16>,
        /// The broker kept it from before.
        retained: bool,
    },
    /// Section 3.4.
    PubAck {
        /// Of what we published.
        id: u16,
    },
    /// Section 3.9.
    SubAck {
        /// Of what we asked for.
        id: u16,
        /// Each filter's quality of service, or 0x80: refused.
        codes: Vec<u8>,
    },
    /// Section 3.13.
    PingResp,
}

/// Cuts a broker's bytes into packets. After each [`PacketReader::push`] call [`PacketReader::next`] until it says `Ok(None)`.
#[derive(Debug)]
pub struct PacketReader {
    bytes_max: usize,
    buffer: Vec<u8>,
    used: usize,
}

impl PacketReader {
    /// For packets of at most so many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            buffer: Vec::new(),
            used: 0,
        }
    }

    /// Takes bytes of the connection.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.used);
        self.used = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next packet.
    ///
    /// # Errors
    /// [`Fault`], after which the connection is to be closed.
    #[expect(
        clippy::should_implement_trait,
        reason = "it is no iterator: an error ends it"
    )]
    pub fn next(&mut self) -> Result<Option<Received>, Fault> {
        let rest = &self.buffer[self.used..];
        let Some((&first, tail)) = rest.split_first() else {
            return Ok(None);
        };
        // Section 2.2.3: seven bits a byte, four bytes at most.
        let mut length = 0_usize;
        let mut head = 1;
        loop {
            let Some(&byte) = tail.get(head - 1) else {
                return Ok(None);
            };
            length |= usize::from(byte & 0x7F) << (7 * (head - 1));
            head += 1;
            if byte & 0x80 == 0 {
                break;
            }
            if head == 5 {
                return Err(Fault::Protocol("a length of more than four bytes"));
            }
        }
        if length > self.bytes_max {
            return Err(Fault::TooBig {
                bytes_max: self.bytes_max,
            });
        }
        let Some(body) = rest.get(head..head + length) else {
            return Ok(None);
        };
        let received = packet(first, body)?;
        self.used += head + length;
        Ok(Some(received))
    }
}

fn packet(first: u8, body: &[u8]) -> Result<Received, Fault> {
    let flags = first & 0x0F;
    let two = |body: &[u8], what| match body {
        &[high, low] => Ok(u16::from_be_bytes([high, low])),
        _ => Err(Fault::Protocol(what)),
    };
    match (first >> 4, flags) {
        (2, 0) => match body {
            &[_, code] => Ok(Received::ConnAck { code }),
            _ => Err(Fault::Protocol("a CONNACK that is not two bytes")),
        },
        (3, _) => publish(flags, body),
        (4, 0) => Ok(Received::PubAck {
            id: two(body, "a PUBACK that is not two bytes")?,
        }),
        (9, 0) => match body {
            [high, low, codes @ ..] if !codes.is_empty() => Ok(Received::SubAck {
                id: u16::from_be_bytes([*high, *low]),
                codes: codes.to_vec(),
            }),
            _ => Err(Fault::Protocol("a SUBACK without codes")),
        },
        (13, 0) if body.is_empty() => Ok(Received::PingResp),
        _ => Err(Fault::Protocol("a packet that no broker sends to us")),
    }
}

fn publish(flags: u8, body: &[u8]) -> Result<Received, Fault> {
    let quality = (flags >> 1) & 3;
    if quality > 1 {
        return Err(Fault::Protocol(
            "a quality of service that we did not ask for",
        ));
    }
    let short = Fault::Protocol("a PUBLISH that ends too early");
    let (length, rest) = body.split_at_checked(2).ok_or(short)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    let (topic, rest) = rest.split_at_checked(length).ok_or(short)?;
    let topic =
        std::str::from_utf8(topic).map_err(|_| Fault::Protocol("a topic that is not UTF-8"))?;
    if topic.is_empty() || topic.len() > TOPIC_BYTES_MAX || topic.contains(['+', '#', '\0']) {
        return Err(Fault::Protocol(
            "a topic that is empty, too long or has wildcards",
        ));
    }
    let (id, payload) = if quality == 1 {
        let (id, payload) = rest.split_at_checked(2).ok_or(short)?;
        let id = u16::from_be_bytes([id[0], id[1]]);
        if id == 0 {
            return Err(Fault::Protocol("the packet identifier 0"));
        }
        (Some(id), payload)
    } else {
        (None, rest)
    };
    Ok(Received::Publish {
        topic: topic.to_owned(),
        payload: payload.to_vec(),
        id,
        retained: flags & 1 != 0,
    })
}

/// What is published when we vanish (section 3.1.2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// Its topic.
    pub topic: String,
    /// Its payload, kept by the broker.
    pub payload: Vec<u8>,
}

/// How a connection introduces itself.
#[derive(Debug, Clone, Copy)]
pub struct Connect<'a> {
    /// The client's name; one connection for each.
    pub client: &'a str,
    /// In seconds.
    pub keep_alive_s: u16,
    /// Name and password.
    pub login: Option<(&'a str, &'a [u8])>,
    /// Last will.
    pub will: Option<&'a Will>,
}

/// CONNECT (section 3.1), with a clean session.
#[must_use]
pub fn connect(connect: &Connect<'_>) -> Vec<u8> {
    let mut flags = 0x02;
    let mut body = Vec::new();
    text(&mut body, b"MQTT");
    if connect.will.is_some() {
        flags |= 0x04 | 0x08 | 0x20; // a will, at least once, retained
    }
    if connect.login.is_some() {
        flags |= 0xC0;
    }
    body.extend([4, flags]);
    body.extend(connect.keep_alive_s.to_be_bytes());
    text(&mut body, connect.client.as_bytes());
    if let Some(will) = connect.will {
        text(&mut body, will.topic.as_bytes());
        text(&mut body, &will.payload);
    }
    if let Some((name, password)) = connect.login {
        text(&mut body, name.as_bytes());
        text(&mut body, password);
    }
    framed(0x10, &body)
}

/// PUBLISH (section 3.3); at quality of service 1 with an identifier.
#[must_use]
pub fn publishing(topic: &str, payload: &[u8], id: Option<u16>, retain: bool) -> Vec<u8> {
    let mut body = Vec::with_capacity(topic.len() + payload.len() + 4);
    text(&mut body, topic.as_bytes());
    if let Some(id) = id {
        body.extend(id.to_be_bytes());
    }
    body.extend_from_slice(payload);
    let quality = if id.is_some() { 0x02 } else { 0 };
    framed(0x30 | quality | u8::from(retain), &body)
}

/// PUBACK (section 3.4).
#[must_use]
pub fn acknowledgement(id: u16) -> Vec<u8> {
    framed(0x40, &id.to_be_bytes())
}

/// SUBSCRIBE (section 3.8) at quality of service 1.
#[must_use]
pub fn subscription(id: u16, filters: &[&str]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    for filter in filters {
        text(&mut body, filter.as_bytes());
        body.push(1);
    }
    framed(0x82, &body)
}

/// PINGREQ (section 3.12).
#[must_use]
pub fn ping() -> Vec<u8> {
    framed(0xC0, &[])
}

/// DISCONNECT (section 3.14): the will is not published.
#[must_use]
pub fn goodbye() -> Vec<u8> {
    framed(0xE0, &[])
}

/// Text with its length before it; what is beyond 65,535 bytes is cut.
fn text(body: &mut Vec<u8>, text: &[u8]) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    body.extend(length.to_be_bytes());
    body.extend_from_slice(&text[..usize::from(length)]);
}

fn framed(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 5);
    bytes.push(first);
    let mut length = body.len();
    loop {
        let byte = (length & 0x7F) as u8;
        length >>= 7;
        if length == 0 {
            bytes.push(byte);
            break;
        }
        bytes.push(byte | 0x80);
    }
    bytes.extend_from_slice(body);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8], cut: usize) -> Result<Vec<Received>, Fault> {
        let mut reader = PacketReader::new(1_000);
        let mut all = Vec::new();
        for part in bytes.chunks(cut.max(1)) {
            reader.push(part);
            while let Some(received) = reader.next()? {
                all.push(received);
            }
        }
        Ok(all)
    }

    #[test]
    fn packets_are_as_the_standard_has_them() {
        let will = Will {
            topic: "w".into(),
            payload: b"gone".to_vec(),
        };
        let hello = connect(&Connect {
            client: "c",
            keep_alive_s: 30,
            login: Some(("me", b"pw")),
            will: Some(&will),
        });
        assert_eq!(
            hello,
            b"\x10\x1e\x00\x04MQTT\x04\xee\x00\x1e\x00\x01c\x00\x01w\x00\x04gone\x00\x02me\x00\x02pw"
        );
        assert_eq!(
            publishing("a/b", b"hi", Some(10), true),
            b"\x33\x09\x00\x03a/b\x00\x0ahi"
        );
        assert_eq!(publishing("a", b"", None, false), b"\x30\x03\x00\x01a");
        assert_eq!(
            subscription(10, &["a", "b/#"]),
            b"\x82\x0c\x00\x0a\x00\x01a\x01\x00\x03b/#\x01"
        );
        assert_eq!((ping(), goodbye()), (vec![0xC0, 0], vec![0xE0, 0]));
        assert_eq!(
            publishing("t", &[0; 200], None, false)[..3],
            [0x30, 0xCB, 0x01]
        );
    }

    #[test]
    fn what_breaks_the_standard_ends_the_connection() {
        let wrong = |bytes: &[u8]| matches!(read(bytes, 1_000), Err(Fault::Protocol(_)));
        assert!(wrong(b"\x00\x00"), "a packet of type 0");
        assert!(wrong(b"\x21\x02\x00\x00"), "flags");
        assert!(wrong(b"\x20\x01\x00"));
        assert!(wrong(b"\x30\x01\x00"), "no topic");
        assert!(wrong(b"\x30\x04\x00\x09ab"), "a topic beyond the end");
        assert!(wrong(b"\x30\x05\x00\x03a/#"), "wildcards");
        assert!(wrong(b"\x34\x05\x00\x01a\x00\x01"), "exactly once");
        assert!(wrong(b"\x32\x05\x00\x01a\x00\x00"), "identifier 0");
        assert!(wrong(b"\x90\x02\x00\x01"));
        assert!(wrong(b"\x30\xff\xff\xff\xff\x01"));
        assert_eq!(
            read(b"\x30\xff\x7f", 1_000),
            Err(Fault::TooBig { bytes_max: 1_000 })
        );
    }

    proptest! {
        #[test]
        fn what_is_published_is_read_however_it_is_cut(
            topic in "[a-z/]{1,30}", payload in proptest::collection::vec(any::<u8>(), 0..300),
            id in proptest::option::of(1_u16..), retained: bool, cut in 1_usize..50,
        ) {
            let mut bytes = publishing(&topic, &payload, id, retained);
            bytes.extend(acknowledgement(7));
            let expected = vec![Received::Publish { topic, payload, id, retained }, Received::PubAck { id: 7 }];
            prop_assert_eq!(read(&bytes, cut).unwrap(), expected);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 1_usize..50) {
            let _ = read(&bytes, cut);
        }
    }
}
