//! DNS messages (RFC 1035 section 4) as multicast DNS uses them (RFC 6762 section 18): read with limits, written without
//! compression.
use core::fmt;
use std::net::Ipv4Addr;

/// Largest message that is read, in bytes (RFC 6762 section 17).
pub const MESSAGE_BYTES_MAX: usize = 9_000;
/// Most questions and most records of one message.
const COUNT_MAX: u16 = 256;
/// Longest name, in bytes on the wire (RFC 1035 section 3.1).
const NAME_BYTES_MAX: usize = 255;
const LABEL_BYTES_MAX: usize = 63;
/// The class of the internet.
const IN: u16 = 1;
/// Of a record: others of its name and kind go (RFC 6762 section 10.2). Of a question: answer the asker alone (5.4).
const TOP_BIT: u16 = 0x8000;

/// Kinds of records.
pub const A: u16 = 1;
/// Points to a name.
pub const PTR: u16 = 12;
/// Words about a service.
pub const TXT: u16 = 16;
/// Where a service is.
pub const SRV: u16 = 33;
/// Every kind, in a question.
pub const ANY: u16 = 255;

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// They end too early.
    #[error("the message ends within a field")]
    Short,
    /// Longer than [`MESSAGE_BYTES_MAX`], or with more questions or records than are read.
    #[error("the message is larger than is read")]
    Large,
    /// A name that is too long, or points forward.
    #[error("a name is longer than 255 bytes, or points forward")]
    Name,
}

/// A name: its labels. Compared without regard to case (RFC 6762 section 16).
#[derive(Clone)]
pub struct Name(Vec<Vec<u8>>);

impl Name {
    /// Of these labels; a label that is too long is cut.
    pub fn of<'a>(labels: impl IntoIterator<Item = &'a str>) -> Self {
        let cut = |label: &str| {
            let mut end = label.len().min(LABEL_BYTES_MAX);
            while !label.is_char_boundary(end) {
                end -= 1;
            }
            label.as_bytes()[..end].to_vec()
        };
        Self(labels.into_iter().map(cut).collect())
    }

    fn write(&self, out: &mut Vec<u8>) {
        for label in &self.0 {
            out.push(u8::try_from(label.len()).unwrap_or(0));
            out.extend(label);
        }
        out.push(0);
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .zip(&other.0)
                .all(|(one, other)| one.eq_ignore_ascii_case(other))
    }
}

impl Eq for Name {}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<_> = self
            .0
            .iter()
            .map(|one| String::from_utf8_lossy(one))
            .collect();
        write!(f, "{}.", labels.join("."))
    }
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// About which name.
    pub name: Name,
    /// For records of which kind.
    pub kind: u16,
    /// The asker alone wants the answer.
    pub unicast: bool,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// An address.
    A(Ipv4Addr),
    /// A name.
    Ptr(Name),
    /// Where a service is; priority and weight are 0 with us.
    Srv {
        /// The port.
        port: u16,
        /// The host.
        host: Name,
    },
    /// Words, as they stand on the wire.
    Txt(Vec<u8>),
    /// Another kind.
    Other(u16),
}

impl Data {
    /// The kind of record.
    #[must_use]
    pub fn kind(&self) -> u16 {
        match self {
            Self::A(_) => A,
            Self::Ptr(_) => PTR,
            Self::Srv { .. } => SRV,
            Self::Txt(_) => TXT,
            Self::Other(kind) => *kind,
        }
    }
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Of which name.
    pub name: Name,
    /// Others of its name and kind are to be forgotten.
    pub flush: bool,
    /// How long it holds, in seconds; 0: it is gone.
    pub ttl_s: u32,
    /// What it says.
    pub data: Data,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Given back in an answer to a plain DNS client.
    pub id: u16,
    /// An answer, not a question.
    pub response: bool,
    /// More known answers follow.
    pub truncated: bool,
    /// Questions.
    pub questions: Vec<Question>,
    /// Answers; in a question what is known already.
    pub answers: Vec<Record>,
    /// Of a probe, what its sender wants to have.
    pub authorities: Vec<Record>,
    /// What else is useful.
    pub additionals: Vec<Record>,
}

impl Message {
    /// Reads one. What is behind it is left alone.
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn read(bytes: &[u8]) -> Result<Self, MessageError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(MessageError::Large);
        }
        let mut at = Reader { bytes, at: 0 };
        let (id, flags) = (at.u16()?, at.u16()?);
        let counts = [at.u16()?, at.u16()?, at.u16()?, at.u16()?];
        if counts.iter().any(|count| *count > COUNT_MAX) {
            return Err(MessageError::Large);
        }
        let mut message = Self {
            id,
            response: flags & 0x8000 != 0,
            truncated: flags & 0x0200 != 0,
            ..Self::default()
        };
        for _ in 0..counts[0] {
            let (name, kind, class) = (at.name()?, at.u16()?, at.u16()?);
            message.questions.push(Question {
                name,
                kind,
                unicast: class & TOP_BIT != 0,
            });
        }
        let sections = [
            &mut message.answers,
            &mut message.authorities,
            &mut message.additionals,
        ];
        for (section, count) in sections.into_iter().zip(&counts[1..]) {
            for _ in 0..*count {
                section.push(at.record()?);
            }
        }
        Ok(message)
    }

    /// Writes it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let flags: u16 = match (self.response, self.truncated) {
            // An answer of multicast DNS has authority.
            (true, _) => 0x8400,
            (false, true) => 0x0200,
            (false, false) => 0,
        };
        let count = |length: usize| u16::try_from(length).unwrap_or(COUNT_MAX);
        for field in [
            self.id,
            flags,
            count(self.questions.len()),
            count(self.answers.len()),
            count(self.authorities.len()),
            count(self.additionals.len()),
        ] {
            out.extend(field.to_be_bytes());
        }
        for question in &self.questions {
            question.name.write(&mut out);
            out.extend(question.kind.to_be_bytes());
            let class = IN | if question.unicast { TOP_BIT } else { 0 };
            out.extend(class.to_be_bytes());
        }
        let records = self.answers.iter();
        let records = records.chain(&self.authorities).chain(&self.additionals);
        for record in records {
            write_record(record, &mut out);
        }
        out
    }
}

fn write_record(record: &Record, out: &mut Vec<u8>) {
    record.name.write(out);
    out.extend(record.data.kind().to_be_bytes());
    let class = IN | if record.flush { TOP_BIT } else { 0 };
    out.extend(class.to_be_bytes());
    out.extend(record.ttl_s.to_be_bytes());
    let mut data = Vec::new();
    match &record.data {
        Data::A(address) => data.extend(address.octets()),
        Data::Ptr(name) => name.write(&mut data),
        Data::Srv { port, host } => {
            data.extend([0; 4]);
            data.extend(port.to_be_bytes());
            host.write(&mut data);
        }
        Data::Txt(words) => data.extend(words),
        Data::Other(_) => {}
    }
    out.extend(u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
    out.extend(data);
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], MessageError> {
        let end = self.at.checked_add(count).ok_or(MessageError::Short)?;
        let taken = self.bytes.get(self.at..end).ok_or(MessageError::Short)?;
        self.at = end;
        Ok(taken)
    }

    fn u16(&mut self) -> Result<u16, MessageError> {
        let taken = self.take(2)?;
        Ok(u16::from_be_bytes([taken[0], taken[1]]))
    }

    fn name(&mut self) -> Result<Name, MessageError> {
        let (mut labels, mut total) = (Vec::new(), 0);
        // Where reading goes on behind the first pointer, and the place before which the next must point.
        let (mut behind, mut before) = (None, self.at);
        loop {
            let length = self.take(1)?[0];
            match length {
                0 => break,
                1..=63 => {
                    total += usize::from(length) + 1;
                    if total >= NAME_BYTES_MAX {
                        return Err(MessageError::Name);
                    }
                    labels.push(self.take(length.into())?.to_vec());
                }
                192.. => {
                    let low = self.take(1)?[0];
                    let target = usize::from(length & 0x3f) << 8 | usize::from(low);
                    behind.get_or_insert(self.at);
                    // Only backwards: no two pointers lead around in a circle.
                    if target >= before {
                        return Err(MessageError::Name);
                    }
                    (before, self.at) = (target, target);
                }
                _ => return Err(MessageError::Name),
            }
        }
        if let Some(behind) = behind {
            self.at = behind;
        }
        Ok(Name(labels))
    }

    fn record(&mut self) -> Result<Record, MessageError> {
        let name = self.name()?;
        let (kind, class) = (self.u16()?, self.u16()?);
        let ttl_s = u32::from(self.u16()?) << 16 | u32::from(self.u16()?);
        let length = usize::from(self.u16()?);
        let end = self.at + length;
        if end > self.bytes.len() {
            return Err(MessageError::Short);
        }
        let data = match kind {
            A if length == 4 => {
                let octets = self.take(4)?;
                Data::A(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]))
            }
            PTR => Data::Ptr(self.name()?),
            SRV if length > 6 => {
                self.take(4)?;
                let port = self.u16()?;
                let host = self.name()?;
                Data::Srv { port, host }
            }
            TXT => Data::Txt(self.take(length)?.to_vec()),
            other => Data::Other(other),
        };
        self.at = end;
        Ok(Record {
            name,
            flush: class & TOP_BIT != 0,
            ttl_s,
            data,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let name = Name::of(["Kitchen", "_wyoming", "_tcp", "local"]);
        Message {
            response: true,
            questions: vec![Question {
                name: name.clone(),
                kind: ANY,
                unicast: true,
            }],
            answers: vec![Record {
                name: Name::of(["_wyoming", "_tcp", "local"]),
                flush: false,
                ttl_s: 4_500,
                data: Data::Ptr(name.clone()),
            }],
            additionals: vec![
                Record {
                    name: name.clone(),
                    flush: true,
                    ttl_s: 120,
                    data: Data::Srv {
                        port: 10_700,
                        host: Name::of(["hearth", "local"]),
                    },
                },
                Record {
                    name,
                    flush: true,
                    ttl_s: 4_500,
                    data: Data::Txt(vec![0]),
                },
            ],
            ..Message::default()
        }
    }

    #[test]
    fn a_message_comes_back_as_it_was_written() {
        assert_eq!(Message::read(&message().write()), Ok(message()));
    }

    #[test]
    fn compressed_names_are_read_and_circles_are_not() {
        // "_tcp.local" at 12, then "a" and a pointer to it.
        let mut bytes = vec![0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0];
        bytes.extend(b"\x04_tcp\x05local\0");
        bytes.extend([0, 12, 0, 1]);
        bytes.extend(b"\x01a\xc0\x0c\0\x0c\0\x01");
        let read = Message::read(&bytes).unwrap();
        assert_eq!(read.questions[1].name, Name::of(["A", "_TCP", "local"]));
        let last = bytes.len() - 5;
        bytes[last] = 29;
        assert_eq!(Message::read(&bytes), Err(MessageError::Name));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, cut in 0_usize..200, flip in 0_usize..200, with: u8) {
            let _ = Message::read(&bytes);
            let mut bytes = message().write();
            bytes.truncate(cut.max(12));
            let at = flip % bytes.len();
            bytes[at] = with;
            if let Ok(read) = Message::read(&bytes) {
                let _ = Message::read(&read.write());
            }
        }
    }
}
