//! Messages ("Message Format").

use super::names::{is_bus_name, is_interface, is_member};
use super::read::{Reader, WireError};
use super::signature::{self, alignment};
use super::value::Value;
use super::write::Writer;

/// Longest message that is taken, in bytes: a modem's objects are some kilobytes.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// The bus daemon's own name.
pub const BUS: &str = "org.freedesktop.DBus";
/// The bus daemon's object.
pub const BUS_PATH: &str = "/org/freedesktop/DBus";

/// Bytes from which a message's length can be told.
pub(super) const HEAD_BYTES: usize = 16;
const NO_REPLY_EXPECTED: u8 = 1;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A method call.
    Call,
    /// Its answer.
    Return,
    /// Its refusal.
    Error,
    /// A signal.
    Signal,
}

/// A message. Which fields are there depends on its kind; a message that was read has those that its kind requires.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What it is.
    pub kind: Kind,
    /// Its sender's number for it, never 0.
    pub serial: u32,
    /// Whether nobody waits for an answer.
    pub no_reply: bool,
    /// The object.
    pub path: Option<String>,
    /// The interface.
    pub interface: Option<String>,
    /// The method's or signal's name.
    pub member: Option<String>,
    /// The error's name.
    pub error: Option<String>,
    /// What it answers.
    pub reply_serial: Option<u32>,
    /// To whom.
    pub destination: Option<String>,
    /// From whom; the bus daemon writes it, so it is true.
    pub sender: Option<String>,
    /// The arguments.
    pub body: Vec<Value>,
}

impl Message {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            serial: 0,
            no_reply: false,
            path: None,
            interface: None,
            member: None,
            error: None,
            reply_serial: None,
            destination: None,
            sender: None,
            body: Vec::new(),
        }
    }

    /// A method call.
    #[must_use]
    pub fn call(destination: &str, path: &str, interface: &str, member: &str) -> Self {
        Self {
            destination: Some(destination.to_owned()),
            path: Some(path.to_owned()),
            interface: Some(interface.to_owned()),
            member: Some(member.to_owned()),
            ..Self::new(Kind::Call)
        }
    }

    /// A signal.
    #[must_use]
    pub fn signal(path: &str, interface: &str, member: &str) -> Self {
        Self {
            path: Some(path.to_owned()),
            interface: Some(interface.to_owned()),
            member: Some(member.to_owned()),
            ..Self::new(Kind::Signal)
        }
    }

    /// The answer to `call`.
    #[must_use]
    pub fn answer(call: &Message) -> Self {
        Self {
            reply_serial: Some(call.serial),
            destination: call.sender.clone(),
            ..Self::new(Kind::Return)
        }
    }

    /// The refusal of `call`.
    #[must_use]
    pub fn refusal(call: &Message, error: &str, why: &str) -> Self {
        Self {
            kind: Kind::Error,
            error: Some(error.to_owned()),
            body: vec![Value::str(why)],
            ..Self::answer(call)
        }
    }

    /// With arguments.
    #[must_use]
    pub fn with(mut self, body: Vec<Value>) -> Self {
        self.body = body;
        self
    }

    /// Whether it is this signal or method of this interface.
    #[must_use]
    pub fn is(&self, interface: &str, member: &str) -> bool {
        self.interface.as_deref() == Some(interface) && self.member.as_deref() == Some(member)
    }

    /// How long the message that begins with `bytes` is; `None`: more bytes are needed to tell.
    pub(super) fn length(bytes: &[u8]) -> Result<Option<usize>, WireError> {
        let Some(head) = bytes.get(..HEAD_BYTES) else {
            return Ok(None);
        };
        let mut reader = Reader::new(head, 4, big_endian(head[0])?);
        let body = reader.u32()?;
        reader.u32()?;
        let fields = reader.u32()?;
        let fields = (fields as usize)
            .saturating_add(HEAD_BYTES)
            .next_multiple_of(8);
        let length = fields.saturating_add(body as usize);
        if length > MESSAGE_BYTES_MAX {
            return Err(WireError {
                at_byte: 4,
                what: "longer than a message may be here",
            });
        }
        Ok(Some(length))
    }

    /// Reads one whole message.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let fault = |at_byte, what| Err(WireError { at_byte, what });
        if Self::length(bytes)? != Some(bytes.len()) {
            return fault(0, "not one whole message");
        }
        let big_endian = big_endian(bytes[0])?;
        let kind = match bytes[1] {
            1 => Kind::Call,
            2 => Kind::Return,
            3 => Kind::Error,
            4 => Kind::Signal,
            _ => return fault(1, "unknown kind of message"),
        };
        if bytes[3] != 1 {
            return fault(3, "unknown version of the protocol");
        }
        let mut message = Self::new(kind);
        message.no_reply = bytes[2] & NO_REPLY_EXPECTED != 0;
        let mut reader = Reader::new(bytes, 4, big_endian);
        let body_bytes = reader.u32()? as usize;
        message.serial = reader.u32()?;
        if message.serial == 0 {
            return fault(8, "a message has the number 0");
        }
        let fields = reader.value("a(yv)", 0)?;
        reader.align(8)?;
        let mut types = String::new();
        for field in fields.items() {
            message.take_field(field, &mut types, reader.at())?;
        }
        message.check(reader.at())?;
        if bytes.len() - reader.at() != body_bytes {
            return fault(4, "the body is not as long as it says");
        }
        // The body's own positions are those of the message: the header ends at a multiple of 8.
        for kind in signature::split(&types).unwrap_or_default() {
            let value = reader.value(kind, 0)?;
            message.body.push(value);
        }
        if reader.at() != bytes.len() {
            return fault(reader.at(), "the body is longer than its types");
        }
        Ok(message)
    }

    fn take_field(
        &mut self,
        field: &Value,
        types: &mut String,
        at_byte: usize,
    ) -> Result<(), WireError> {
        let wrong = |what| Err(WireError { at_byte, what });
        let [Value::Byte(code), value] = field.items() else {
            return wrong("a header field is no pair of code and value");
        };
        let text = |check: fn(&str) -> bool| {
            let text = value.as_str().filter(|text| check(text));
            text.map(|text| Some(text.to_owned())).ok_or(WireError {
                at_byte,
                what: "a header field holds no such name",
            })
        };
        match (code, value.inner()) {
            (1, Value::Path(path)) => self.path = Some(path.clone()),
            (2, _) => self.interface = text(is_interface)?,
            (3, _) => self.member = text(is_member)?,
            (4, _) => self.error = text(is_interface)?,
            (5, Value::U32(serial)) => self.reply_serial = Some(*serial),
            (6, _) => self.destination = text(is_bus_name)?,
            (7, _) => self.sender = text(is_bus_name)?,
            (8, Value::Signature(own)) => types.clone_from(own),
            // Descriptors came with it; they were not asked for and stay unread.
            (9, Value::U32(_)) => {}
            (0 | 1 | 5 | 8 | 9, _) => return wrong("a header field has the wrong type"),
            _ => {} // unknown fields are passed over, as the specification wants
        }
        Ok(())
    }

    /// Whether the fields are there that its kind requires.
    fn check(&self, at_byte: usize) -> Result<(), WireError> {
        let there = match self.kind {
            Kind::Call => self.path.is_some() && self.member.is_some(),
            Kind::Signal => {
                self.path.is_some() && self.member.is_some() && self.interface.is_some()
            }
            Kind::Return => self.reply_serial.is_some(),
            Kind::Error => self.reply_serial.is_some() && self.error.is_some(),
        };
        if there {
            Ok(())
        } else {
            Err(WireError {
                at_byte,
                what: "a required header field is missing",
            })
        }
    }

    /// The bytes of it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = Writer::default();
        let mut types = String::new();
        for value in &self.body {
            types.push_str(&value.signature());
            body.value(value);
        }
        let mut fields = Vec::new();
        let mut field = |code: u8, value: Option<Value>| {
            if let Some(value) = value {
                fields.push(Value::Struct(vec![
                    Value::Byte(code),
                    Value::variant(value),
                ]));
            }
        };
        field(1, self.path.clone().map(Value::Path));
        field(2, self.interface.clone().map(Value::Str));
        field(3, self.member.clone().map(Value::Str));
        field(4, self.error.clone().map(Value::Str));
        field(5, self.reply_serial.map(Value::U32));
        field(6, self.destination.clone().map(Value::Str));
        field(7, self.sender.clone().map(Value::Str));
        field(8, (!types.is_empty()).then_some(Value::Signature(types)));
        let kind = match self.kind {
            Kind::Call => 1,
            Kind::Return => 2,
            Kind::Error => 3,
            Kind::Signal => 4,
        };
        let flags = if self.no_reply { NO_REPLY_EXPECTED } else { 0 };
        let mut writer = Writer {
            bytes: vec![b'l', kind, flags, 1],
        };
        writer.u32(u32::try_from(body.bytes.len()).unwrap_or(u32::MAX));
        writer.u32(self.serial);
        writer.value(&Value::Array("(yv)".to_owned(), fields));
        writer.align(alignment(b'('));
        writer.bytes.extend_from_slice(&body.bytes);
        writer.bytes
    }
}

fn big_endian(mark: u8) -> Result<bool, WireError> {
    match mark {
        b'l' => Ok(false),
        b'B' => Ok(true),
        _ => Err(WireError {
            at_byte: 0,
            what: "neither little- nor big-endian",
        }),
    }
}
