//! `tel:` URIs (RFC 3966).

use std::fmt;

use super::UriError;
use super::sip::UriParams;

/// A telephone number as a URI.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TelUri {
    number: String,
    params: UriParams,
}

impl TelUri {
    /// The number as it was written, visual separators included; global ones begin with `+`.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The number without visual separators, letters lower case: what is compared and dialled.
    #[must_use]
    pub fn digits(&self) -> String {
        let plain = self
            .number
            .chars()
            .filter(|c| !matches!(c, '-' | '.' | '(' | ')'));
        plain.map(|c| c.to_ascii_lowercase()).collect()
    }

    /// Whether the number is global (begins with `+`).
    #[must_use]
    pub fn is_global(&self) -> bool {
        self.number.starts_with('+')
    }

    /// The parameters, `phone-context` among them.
    #[must_use]
    pub fn params(&self) -> &UriParams {
        &self.params
    }

    /// A local number should name its `phone-context`, but emergency numbers are commonly sent
    /// as `tel:911`, so its absence is not an error.
    pub(super) fn parse_rest(rest: &[u8]) -> Result<TelUri, UriError> {
        let semicolon = rest.iter().position(|&b| b == b';').unwrap_or(rest.len());
        let number = &rest[..semicolon];
        let is_separator = |b: u8| matches!(b, b'-' | b'.' | b'(' | b')');
        let (digits, global) = match number.strip_prefix(b"+") {
            Some(digits) => (digits, true),
            None => (number, false),
        };
        let is_digit = |b: u8| {
            b.is_ascii_digit() || (!global && (b.is_ascii_hexdigit() || matches!(b, b'*' | b'#')))
        };
        if let Some(bad) = digits
            .iter()
            .position(|&b| !is_digit(b) && !is_separator(b))
        {
            return Err(UriError::new(
                bad + usize::from(global),
                "not a digit of a number",
            ));
        }
        if !digits.iter().any(|&b| is_digit(b)) {
            return Err(UriError::new(0, "telephone number has no digit"));
        }
        let params = match rest.get(semicolon + 1..) {
            Some(params) => UriParams::parse(params, semicolon + 1)?,
            None => UriParams::default(),
        };
        Ok(TelUri {
            number: crate::scan::ascii(number).to_owned(),
            params,
        })
    }

    /// RFC 3966 section 4.
    #[must_use]
    pub fn equivalent(&self, other: &TelUri) -> bool {
        let sorted = |uri: &TelUri| {
            let mut params: Vec<_> = uri
                .params
                .iter()
                .map(|(n, v)| (n.to_owned(), v.map(str::to_ascii_lowercase)))
                .collect();
            params.sort();
            params
        };
        self.digits() == other.digits() && sorted(self) == sorted(other)
    }
}

impl fmt::Display for TelUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tel:{}{}", self.number, self.params)
    }
}
