//! Values of messages and properties.

use std::fmt::Write as _;

/// Values within values, at most, variants counted.
pub const DEPTH_MAX: usize = 64;
/// Values in one message, at most.
pub const VALUES_MAX: usize = 65_536;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `y`.
    Byte(u8),
    /// `b`.
    Bool(bool),
    /// `n`.
    I16(i16),
    /// `q`.
    U16(u16),
    /// `i`.
    I32(i32),
    /// `u`.
    U32(u32),
    /// `x`.
    I64(i64),
    /// `t`.
    U64(u64),
    /// `d`.
    Double(f64),
    /// `s`.
    Str(String),
    /// `o`.
    Path(String),
    /// `g`.
    Signature(String),
    /// `h`: an index only; descriptors are not taken.
    Handle(u32),
    /// `a…`: the elements' type, and the elements.
    Array(String, Vec<Value>),
    /// `(…)`.
    Struct(Vec<Value>),
    /// `{…}`, within an array.
    Entry(Box<(Value, Value)>),
    /// `v`.
    Variant(Box<Value>),
}

impl Value {
    /// A string.
    #[must_use]
    pub fn str(text: impl Into<String>) -> Self {
        Self::Str(text.into())
    }

    /// An object path, as it is: the writer refuses one that is none.
    #[must_use]
    pub fn path(text: impl Into<String>) -> Self {
        Self::Path(text.into())
    }

    /// A value within a variant.
    #[must_use]
    pub fn variant(value: Value) -> Self {
        Self::Variant(Box::new(value))
    }

    /// `as`.
    #[must_use]
    pub fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Array("s".to_owned(), texts.into_iter().map(Self::str).collect())
    }

    /// `ao`.
    #[must_use]
    pub fn paths<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Array("o".to_owned(), texts.into_iter().map(Self::path).collect())
    }

    /// `a{sv}`.
    #[must_use]
    pub fn properties(rows: impl IntoIterator<Item = (String, Value)>) -> Self {
        let entry = |(name, value)| Self::Entry(Box::new((Self::Str(name), Self::variant(value))));
        Self::Array("{sv}".to_owned(), rows.into_iter().map(entry).collect())
    }

    /// The type.
    #[must_use]
    pub fn signature(&self) -> String {
        let mut text = String::new();
        self.write_signature(&mut text);
        text
    }

    fn write_signature(&self, text: &mut String) {
        match self {
            Self::Byte(_) => text.push('y'),
            Self::Bool(_) => text.push('b'),
            Self::I16(_) => text.push('n'),
            Self::U16(_) => text.push('q'),
            Self::I32(_) => text.push('i'),
            Self::U32(_) => text.push('u'),
            Self::I64(_) => text.push('x'),
            Self::U64(_) => text.push('t'),
            Self::Double(_) => text.push('d'),
            Self::Str(_) => text.push('s'),
            Self::Path(_) => text.push('o'),
            Self::Signature(_) => text.push('g'),
            Self::Handle(_) => text.push('h'),
            // Writing to a String does not fail.
            Self::Array(element, _) => drop(write!(text, "a{element}")),
            Self::Struct(fields) => {
                text.push('(');
                for field in fields {
                    field.write_signature(text);
                }
                text.push(')');
            }
            Self::Entry(pair) => {
                text.push('{');
                pair.0.write_signature(text);
                pair.1.write_signature(text);
                text.push('}');
            }
            Self::Variant(_) => text.push('v'),
        }
    }

    /// The value inside, however many variants are around it.
    #[must_use]
    pub fn inner(&self) -> &Value {
        let mut value = self;
        while let Self::Variant(inner) = value {
            value = inner;
        }
        value
    }

    /// As a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self.inner() {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// As an object path.
    #[must_use]
    pub fn as_path(&self) -> Option<&str> {
        match self.inner() {
            Self::Path(text) => Some(text),
            _ => None,
        }
    }

    /// As a truth value.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.inner() {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// As a number, whatever its width: enumerations come as `i` here and as `u` there.
    #[must_use]
    pub fn as_number(&self) -> Option<i64> {
        match self.inner() {
            Self::Byte(number) => Some(i64::from(*number)),
            Self::I16(number) => Some(i64::from(*number)),
            Self::U16(number) => Some(i64::from(*number)),
            Self::I32(number) => Some(i64::from(*number)),
            Self::U32(number) => Some(i64::from(*number)),
            Self::I64(number) => Some(*number),
            Self::U64(number) => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The elements of an array or the fields of a struct; nothing of anything else.
    #[must_use]
    pub fn items(&self) -> &[Value] {
        match self.inner() {
            Self::Array(_, items) | Self::Struct(items) => items,
            _ => &[],
        }
    }

    /// The pairs of a dictionary; nothing of anything else.
    pub fn entries(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.items().iter().filter_map(|item| match item {
            Self::Entry(pair) => Some((&pair.0, &pair.1)),
            _ => None,
        })
    }

    /// The value of a key of a dictionary from strings.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries()
            .find(|(name, _)| name.as_str() == Some(key))
            .map(|(_, value)| value.inner())
    }
}
