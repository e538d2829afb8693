//! Texts that people give: names and logins, checked once, never shown in logs.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 120;
/// Longest login, in bytes.
pub const LOGIN_BYTES_MAX: usize = 64;

/// Why a text is no name or login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Empty, or only space.
    #[error("it is empty")]
    Empty,
    /// Too long.
    #[error("it is longer than {max} bytes")]
    TooLong {
        /// The limit.
        max: usize,
    },
    /// A control character or a mark that turns the direction of writing.
    #[error("it has a control character; use letters, digits, spaces and punctuation")]
    Control,
    /// A login has other characters than it may.
    #[error("a login has only lower-case letters, digits, '.', '_', '-' and '@'")]
    Login,
}

/// A name as people write it: trimmed, one line, no control characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 120)]
pub struct Name(String);

impl Name {
    /// Checks and trims.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(TextError::TooLong {
                max: NAME_BYTES_MAX,
            });
        }
        if text.chars().any(deceives) {
            return Err(TextError::Control);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name as it is compared: small letters, and one space for whatever stands between words.
pub(crate) fn plain(name: &str) -> String {
    let words = name
        .split(|c: char| c.is_whitespace() || matches!(c, '-' | '_' | '.' | '+'))
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

/// What could hide text from the reader: controls, line ends, overrides of direction, invisible marks.
fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// What a person logs in with.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 64)]
pub struct Login(String);

impl Login {
    /// Checks, and writes small.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        let text = text.trim().to_ascii_lowercase();
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        if text.len() > LOGIN_BYTES_MAX {
            return Err(TextError::TooLong {
                max: LOGIN_BYTES_MAX,
            });
        }
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-@".contains(&byte)
        };
        if !text.bytes().all(allowed) {
            return Err(TextError::Login);
        }
        Ok(Self(text))
    }

    /// The login.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! personal {
    ($($name:ident),+) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
        impl TryFrom<String> for $name {
            type Error = TextError;
            fn try_from(text: String) -> Result<Self, TextError> {
                Self::new(&text)
            }
        }
        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }
    )+ };
}
personal!(Name, Login);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_visible_line_and_debug_hides_them() {
        assert_eq!(Name::new("  Anna  ").unwrap().as_str(), "Anna");
        assert_eq!(Name::new(" "), Err(TextError::Empty));
        assert_eq!(Name::new("a\nb"), Err(TextError::Control));
        assert_eq!(Name::new("a\u{202E}b"), Err(TextError::Control));
        assert!(Name::new(&"x".repeat(121)).is_err());
        assert_eq!(format!("{:?}", Name::new("Anna").unwrap()), "Name(…)");
        assert_eq!(
            Login::new("Anna@Example.test").unwrap().as_str(),
            "anna@example.test"
        );
        assert_eq!(Login::new("an na"), Err(TextError::Login));
    }

    #[test]
    fn a_name_is_the_same_however_it_is_written() {
        for written in ["Living Room", "living-room", " LIVING_room ", "living.room"] {
            assert_eq!(plain(written), "living room");
        }
    }
}
