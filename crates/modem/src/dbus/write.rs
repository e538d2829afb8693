//! Values into bytes, little-endian ("Marshaling").

use super::signature::alignment;
use super::value::Value;

/// Writes one message or a part of it.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn align(&mut self, to: usize) {
        while !self.bytes.len().is_multiple_of(to) {
            self.bytes.push(0);
        }
    }

    fn fixed(&mut self, bytes: &[u8]) {
        self.align(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn u32(&mut self, number: u32) {
        self.fixed(&number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
    }

    pub(super) fn signature(&mut self, text: &str) {
        self.bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
    }

    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Byte(byte) => self.bytes.push(*byte),
            Value::Bool(truth) => self.u32(u32::from(*truth)),
            Value::I16(number) => self.fixed(&number.to_le_bytes()),
            Value::U16(number) => self.fixed(&number.to_le_bytes()),
            Value::I32(number) => self.fixed(&number.to_le_bytes()),
            Value::U32(number) | Value::Handle(number) => self.u32(*number),
            Value::I64(number) => self.fixed(&number.to_le_bytes()),
            Value::U64(number) => self.fixed(&number.to_le_bytes()),
            Value::Double(number) => self.fixed(&number.to_le_bytes()),
            Value::Str(text) | Value::Path(text) => self.text(text),
            Value::Signature(text) => self.signature(text),
            Value::Variant(inner) => {
                self.signature(&inner.signature());
                self.value(inner);
            }
            Value::Struct(fields) => {
                self.align(8);
                for field in fields {
                    self.value(field);
                }
            }
            Value::Entry(pair) => {
                self.align(8);
                self.value(&pair.0);
                self.value(&pair.1);
            }
            Value::Array(element, items) => {
                self.u32(0);
                let length_at = self.bytes.len() - 4;
                self.align(alignment(element.bytes().next().unwrap_or(b'y')));
                let begin = self.bytes.len();
                for item in items {
                    self.value(item);
                }
                let length = u32::try_from(self.bytes.len() - begin).unwrap_or(u32::MAX);
                self.bytes[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
            }
        }
    }
}
