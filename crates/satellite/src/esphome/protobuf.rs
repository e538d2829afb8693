//! Fields of protobuf's wire format: as much of it as these messages need.

/// Most fields of one message.
const FIELDS_MAX: usize = 4_096;

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A whole number, a truth or a choice.
    Varint(u64),
    /// Eight bytes.
    Fixed64(u64),
    /// Text, bytes or a message within.
    Bytes(&'a [u8]),
    /// Four bytes.
    Fixed32(u32),
}

impl<'a> Value<'a> {
    /// As a truth.
    #[must_use]
    pub fn truth(self) -> bool {
        matches!(self, Self::Varint(number) if number != 0)
    }

    /// As a whole number; 0 when it is none, the greatest when it is greater.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Varint(number) => u32::try_from(number).unwrap_or(u32::MAX),
            Self::Fixed32(number) => number,
            Self::Fixed64(_) | Self::Bytes(_) => 0,
        }
    }

    /// As bytes; empty when it is none.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            _ => &[],
        }
    }

    /// As text; what is no UTF-8 is replaced.
    #[must_use]
    pub fn text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}

/// A message that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message breaks off or is damaged at byte {at}")]
pub struct Damaged {
    /// Where.
    pub at: usize,
}

/// The fields of a message, in their order.
///
/// # Errors
/// [`Damaged`] when it breaks off, has a kind of field that there is not, or too many.
pub fn fields(bytes: &[u8]) -> Result<Vec<(u32, Value<'_>)>, Damaged> {
    let mut fields = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let damaged = Damaged { at };
        if fields.len() >= FIELDS_MAX {
            return Err(damaged);
        }
        let tag = varint(bytes, &mut at).ok_or(damaged)?;
        let number = u32::try_from(tag >> 3)
            .ok()
            .filter(|number| *number > 0)
            .ok_or(damaged)?;
        let value = match tag & 7 {
            0 => Value::Varint(varint(bytes, &mut at).ok_or(damaged)?),
            1 => Value::Fixed64(u64::from_le_bytes(fixed(bytes, &mut at).ok_or(damaged)?)),
            2 => {
                let length = varint(bytes, &mut at).ok_or(damaged)?;
                let length = usize::try_from(length).map_err(|_| damaged)?;
                let end = at.checked_add(length).ok_or(damaged)?;
                let value = bytes.get(at..end).ok_or(damaged)?;
                at = end;
                Value::Bytes(value)
            }
            5 => Value::Fixed32(u32::from_le_bytes(fixed(bytes, &mut at).ok_or(damaged)?)),
            _ => return Err(damaged),
        };
        fields.push((number, value));
    }
    Ok(fields)
}

fn fixed<const N: usize>(bytes: &[u8], at: &mut usize) -> Option<[u8; N]> {
    let value = bytes.get(*at..*at + N)?.try_into().ok()?;
    *at += N;
    Some(value)
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0_u64;
    for place in 0..10 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        let bits = u64::from(byte & 0x7f);
        if place == 9 && bits > 1 {
            return None;
        }
        number |= bits << (7 * place);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// A message being written. Values that are the kind's default are left out, as the format has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A whole number, a truth or a choice.
    #[must_use]
    pub fn number(mut self, field: u32, number: impl Into<u64>) -> Self {
        let number = number.into();
        if number != 0 {
            self.varint(u64::from(field) << 3);
            self.varint(number);
        }
        self
    }

    /// Four bytes.
    #[must_use]
    pub fn fixed32(mut self, field: u32, number: u32) -> Self {
        if number != 0 {
            self.varint(u64::from(field) << 3 | 5);
            self.bytes.extend(number.to_le_bytes());
        }
        self
    }

    /// Bytes or text.
    #[must_use]
    pub fn bytes(self, field: u32, bytes: impl AsRef<[u8]>) -> Self {
        if bytes.as_ref().is_empty() {
            self
        } else {
            self.member(field, bytes)
        }
    }

    /// One of several, or a message within: written even when it is empty.
    #[must_use]
    pub fn member(mut self, field: u32, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// The bytes.
    #[must_use]
    pub fn done(self) -> Vec<u8> {
        self.bytes
    }

    fn varint(&mut self, mut number: u64) {
        loop {
            let bits = (number & 0x7f) as u8;
            number >>= 7;
            if number == 0 {
                return self.bytes.push(bits);
            }
            self.bytes.push(bits | 0x80);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let bytes = Writer::new()
            .number(1, u64::MAX)
            .number(2, 0_u32)
            .fixed32(3, 7)
            .bytes(400, "text")
            .bytes(5, "")
            .member(6, "")
            .done();
        let read = fields(&bytes).unwrap();
        assert_eq!(
            read,
            [
                (1, Value::Varint(u64::MAX)),
                (3, Value::Fixed32(7)),
                (400, Value::Bytes(b"text")),
                (6, Value::Bytes(b"")),
            ]
        );
        for cut in 1..bytes.len() {
            // Either it is damaged, or it ends with a whole field.
            if let Ok(part) = fields(&bytes[..cut]) {
                assert_eq!(part, read[..part.len()]);
            }
        }
    }

    #[test]
    fn damage_is_found() {
        for damaged in [
            &[0x80][..],
            &[
                0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02,
            ],
            &[0x00, 0x00],
            &[0x0b],
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
            &[0x0d, 1, 2, 3],
        ] {
            assert!(fields(damaged).is_err(), "{damaged:?}");
        }
        let many = [0x08, 0x01].repeat(FIELDS_MAX + 1);
        assert_eq!(fields(&many), Err(Damaged { at: 2 * FIELDS_MAX }));
    }
}
