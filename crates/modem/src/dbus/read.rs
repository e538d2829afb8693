//! Values out of bytes ("Marshaling").

use super::names::is_path;
use super::signature::{self, alignment, is_signature};
use super::value::{DEPTH_MAX, VALUES_MAX, Value};

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at_byte} of the D-Bus message")]
pub struct WireError {
    /// Where.
    pub at_byte: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// Reads one message or a part of it.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    big_endian: bool,
    values: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize, big_endian: bool) -> Self {
        Self {
            bytes,
            at,
            big_endian,
            values: 0,
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn error<T>(&self, what: &'static str) -> Result<T, WireError> {
        Err(WireError {
            at_byte: self.at,
            what,
        })
    }

    /// Skips padding, which is all zeros.
    pub(super) fn align(&mut self, to: usize) -> Result<(), WireError> {
        while !self.at.is_multiple_of(to) {
            if self.take(1)? != [0] {
                return self.error("padding is not zero");
            }
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let end = self
            .at
            .checked_add(count)
            .filter(|end| *end <= self.bytes.len());
        let Some(end) = end else {
            return self.error("the message ends within a value");
        };
        let bytes = &self.bytes[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        self.align(N)?;
        let mut own = [0; N];
        own.copy_from_slice(self.take(N)?);
        if self.big_endian {
            own.reverse();
        }
        Ok(own)
    }

    pub(super) fn u32(&mut self) -> Result<u32, WireError> {
        Ok(u32::from_le_bytes(self.fixed()?))
    }

    fn text(&mut self, length: usize) -> Result<&'a str, WireError> {
        let bytes = self.take(length)?;
        if bytes.contains(&0) {
            return self.error("text holds a zero byte");
        }
        if self.take(1)? != [0] {
            return self.error("text does not end with a zero byte");
        }
        let Ok(text) = core::str::from_utf8(bytes) else {
            return self.error("text is not UTF-8");
        };
        Ok(text)
    }

    fn length(&mut self) -> Result<usize, WireError> {
        let length = self.u32()?;
        usize::try_from(length).or_else(|_| self.error("length beyond memory"))
    }

    fn signature(&mut self) -> Result<&'a str, WireError> {
        let length = self.take(1)?[0];
        let text = self.text(usize::from(length))?;
        if is_signature(text) {
            Ok(text)
        } else {
            self.error("not a type signature")
        }
    }

    /// One value of one complete type.
    pub(super) fn value(&mut self, kind: &str, depth: usize) -> Result<Value, WireError> {
        self.values += 1;
        if depth > DEPTH_MAX || self.values > VALUES_MAX {
            return self.error("too many values, or values too deep in one another");
        }
        let Some(first) = kind.bytes().next() else {
            return self.error("a value without a type");
        };
        Ok(match first {
            b'y' => Value::Byte(self.take(1)?[0]),
            b'b' => match self.u32()? {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                _ => return self.error("a truth value is neither 0 nor 1"),
            },
            b'n' => Value::I16(i16::from_le_bytes(self.fixed()?)),
            b'q' => Value::U16(u16::from_le_bytes(self.fixed()?)),
            b'i' => Value::I32(i32::from_le_bytes(self.fixed()?)),
            b'u' => Value::U32(self.u32()?),
            b'x' => Value::I64(i64::from_le_bytes(self.fixed()?)),
            b't' => Value::U64(u64::from_le_bytes(self.fixed()?)),
            b'd' => Value::Double(f64::from_le_bytes(self.fixed()?)),
            b'h' => Value::Handle(self.u32()?),
            b's' => {
                let length = self.length()?;
                Value::str(self.text(length)?)
            }
            b'o' => {
                let length = self.length()?;
                let text = self.text(length)?;
                if !is_path(text) {
                    return self.error("not an object path");
                }
                Value::path(text)
            }
            b'g' => Value::Signature(self.signature()?.to_owned()),
            b'v' => {
                let own = self.signature()?;
                match signature::first(own) {
                    Some((one, "")) => Value::variant(self.value(one, depth + 1)?),
                    _ => return self.error("a variant has not one type"),
                }
            }
            b'a' => self.array(&kind[1..], depth)?,
            b'(' => {
                self.align(8)?;
                let fields = signature::split(&kind[1..kind.len() - 1]).unwrap_or_default();
                let fields = fields
                    .into_iter()
                    .map(|field| self.value(field, depth + 1))
                    .collect::<Result<_, _>>()?;
                Value::Struct(fields)
            }
            b'{' => {
                self.align(8)?;
                let types = signature::split(&kind[1..kind.len() - 1]).unwrap_or_default();
                let &[key, value] = types.as_slice() else {
                    return self.error("a dictionary's entry is no pair");
                };
                let key = self.value(key, depth + 1)?;
                let value = self.value(value, depth + 1)?;
                Value::Entry(Box::new((key, value)))
            }
            _ => return self.error("unknown type"),
        })
    }

    fn array(&mut self, element: &str, depth: usize) -> Result<Value, WireError> {
        let length = self.length()?;
        self.align(alignment(element.bytes().next().unwrap_or(b'y')))?;
        let Some(end) = self
            .at
            .checked_add(length)
            .filter(|end| *end <= self.bytes.len())
        else {
            return self.error("an array is longer than its message");
        };
        let mut items = Vec::new();
        while self.at < end {
            items.push(self.value(element, depth + 1)?);
        }
        if self.at != end {
            return self.error("an array's last value goes beyond its end");
        }
        Ok(Value::Array(element.to_owned(), items))
    }
}
