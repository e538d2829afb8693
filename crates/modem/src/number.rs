//! Numbers as a modem dials and shows them.

use core::fmt;

/// Most digits of a number (E.164 has 15; short codes and prefixes add some).
pub const DIGITS_MAX: usize = 20;

/// Digits, perhaps after a `+`. Never shown by `Debug` (DESIGN invariant 8).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PhoneNumber(String);

/// Why a text is no number that may be dialled. Does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Nothing, or too much.
    #[error("a number has 1 to {DIGITS_MAX} digits")]
    Length,
    /// `*` or `#`: a network takes such a string for an order, for example to forward every call.
    #[error("service codes with * and # are not dialled: the network takes them for orders")]
    ServiceCode,
    /// Anything else.
    #[error("a number has digits, and perhaps a + before them")]
    Character,
}

impl PhoneNumber {
    /// Reads a number, with or without spaces, dots, hyphens and brackets.
    ///
    /// # Errors
    /// [`NumberError`].
    pub fn new(text: &str) -> Result<Self, NumberError> {
        let mut digits = String::new();
        for character in text.trim().chars() {
            match character {
                '0'..='9' => digits.push(character),
                '+' if digits.is_empty() => digits.push(character),
                '-' | '.' | '(' | ')' | ' ' => {}
                '*' | '#' => return Err(NumberError::ServiceCode),
                _ => return Err(NumberError::Character),
            }
            if digits.len() > DIGITS_MAX + 1 {
                return Err(NumberError::Length);
            }
        }
        let count = digits.trim_start_matches('+').len();
        if count == 0 || count > DIGITS_MAX {
            return Err(NumberError::Length);
        }
        Ok(Self(digits))
    }

    /// The digits, for a modem or a URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_to_the_network_are_no_numbers() {
        assert_eq!(
            PhoneNumber::new("+1 (202) 555-0123").unwrap().as_str(),
            "+12025550123"
        );
        assert_eq!(
            PhoneNumber::new("**21*5550123#"),
            Err(NumberError::ServiceCode)
        );
        assert_eq!(
            PhoneNumber::new("#31#5550123"),
            Err(NumberError::ServiceCode)
        );
        for no in ["", "+", "5;ATD", "５５５", "1+1", "a"] {
            assert!(PhoneNumber::new(no).is_err(), "{no}");
        }
        assert_eq!(PhoneNumber::new(&"1".repeat(21)), Err(NumberError::Length));
        let shown = format!("{:?}", PhoneNumber::new("5550123").unwrap());
        assert!(!shown.contains("555"));
    }
}
