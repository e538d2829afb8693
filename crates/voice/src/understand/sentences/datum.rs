//! A value out of a grammar file: what a list gives, what a context holds, what a slot contains.
use serde::{Deserialize, Serialize};

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 32;

/// A plain value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Datum {
    /// Nothing.
    Null,
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// Words.
    Text(String),
    /// Several values.
    List(Vec<Datum>),
    /// Values with names, in the order of the file.
    Map(Vec<(String, Datum)>),
}

impl Datum {
    /// The value under `key`, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(items) => items
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, if this is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The flag, if this is one.
    #[must_use]
    pub fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The items, if this is a list; nothing else has any.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The named values, if this is a map; nothing else has any.
    #[must_use]
    pub fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Map(items) => items,
            _ => &[],
        }
    }

    /// As it is said aloud or compared with words.
    #[must_use]
    pub fn spoken(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => if *flag { "True" } else { "False" }.into(),
            Self::Null => String::new(),
            other => other.to_json().to_string(),
        }
    }

    /// As JSON; whole numbers are written without a fraction.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Flag(flag) => Value::Bool(*flag),
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Value::from(*number as i64)
            }
            Self::Number(number) => Value::from(*number),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(items) => Value::Object(
                items
                    .iter()
                    .map(|(key, value)| (key.clone(), value.to_json()))
                    .collect(),
            ),
        }
    }

    /// From JSON. What is nested deeper than 32 is [`Datum::Null`].
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Self {
        Self::from_json_at(value, 0)
    }

    fn from_json_at(value: &serde_json::Value, depth: usize) -> Self {
        use serde_json::Value;
        if depth > DEPTH_MAX {
            return Self::Null;
        }
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Flag(*flag),
            Value::Number(number) => number.as_f64().map_or(Self::Null, Self::Number),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(items) => Self::List(
                items
                    .iter()
                    .map(|item| Self::from_json_at(item, depth + 1))
                    .collect(),
            ),
            Value::Object(items) => Self::Map(
                items
                    .iter()
                    .map(|(key, item)| (key.clone(), Self::from_json_at(item, depth + 1)))
                    .collect(),
            ),
        }
    }

    /// Lays `other` over this one: maps are joined, lists grow, anything else is replaced.
    pub fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Map(mine), Self::Map(theirs)) => {
                for (key, value) in theirs {
                    match mine.iter_mut().find(|(name, _)| *name == key) {
                        Some((_, old)) => old.merge(value),
                        None => mine.push((key, value)),
                    }
                }
            }
            (Self::List(mine), Self::List(theirs)) => mine.extend(theirs),
            (mine, theirs) => *mine = theirs,
        }
    }
}
