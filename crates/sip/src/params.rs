//! Header parameters: `;name=value`, `;name="value"`, `;name`.

use std::borrow::Cow;
use std::fmt;

use crate::scan::{Fault, Scan, is_token, is_token_byte, write_quoted};

/// Parameters of one header value or URI that we read at most.
pub const PARAMS_MAX: usize = 64;

/// Value of a parameter; remembers whether it stood in quotes, because some peers insist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamValue {
    /// A token or host.
    Token(String),
    /// Text between quotes, escapes resolved.
    Quoted(String),
}

impl ParamValue {
    /// The text without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            ParamValue::Token(text) | ParamValue::Quoted(text) => text,
        }
    }
}

/// Ordered parameters; names are unique and compared without regard to case
/// (RFC 3261 section 7.3.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(Cow<'static, str>, Option<ParamValue>)>);

/// Names that nearly every message has: they are kept without an allocation.
const COMMON: [&str; 8] = [
    "tag", "branch", "rport", "received", "expires", "q", "realm", "nonce",
];

fn owned(name: &str) -> Cow<'static, str> {
    match COMMON.iter().find(|known| **known == name) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(name.to_owned()),
    }
}

impl Params {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Params::default()
    }

    /// Whether the parameter is there, with or without a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    /// The parameter's value; `None` if it is absent or has none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        value.as_ref().map(ParamValue::as_str)
    }

    /// Sets `name` to `value`, quoted if it is not a token; replaces an earlier one in place.
    /// A name that is not a token is ignored: it could not be written.
    pub fn set(&mut self, name: &str, value: &str) {
        let value = if is_plain(value.as_bytes()) {
            ParamValue::Token(value.to_owned())
        } else {
            ParamValue::Quoted(value.to_owned())
        };
        self.put(name, Some(value));
    }

    /// Sets `name` to a quoted value, for parameters whose grammar demands quotes.
    pub fn set_quoted(&mut self, name: &str, value: &str) {
        self.put(name, Some(ParamValue::Quoted(value.to_owned())));
    }

    /// Sets `name` without a value, as `lr` or `rport`.
    pub fn set_flag(&mut self, name: &str) {
        self.put(name, None);
    }

    /// Removes a parameter.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0
            .iter()
            .map(|(n, v)| (n.as_ref(), v.as_ref().map(ParamValue::as_str)))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn put(&mut self, name: &str, value: Option<ParamValue>) {
        debug_assert!(
            is_token(name.as_bytes()),
            "parameter name {name:?} is not a token"
        );
        if !is_token(name.as_bytes()) {
            return;
        }
        match self
            .0
            .iter_mut()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
        {
            Some((_, old)) => *old = value,
            None => self.0.push((owned(name), value)),
        }
    }

    /// `*(SEMI generic-param)`.
    pub(crate) fn scan(scan: &mut Scan<'_>) -> Result<Params, Fault> {
        let mut params = Params::default();
        while scan.eat_separator(b';') {
            let at = scan.at();
            let name = scan.token("expected a parameter name after ';'")?;
            let value = if scan.eat_separator(b'=') {
                Some(ParamValue::scan(scan)?)
            } else {
                None
            };
            if params.has(name) {
                return Err(Fault {
                    at,
                    what: "parameter is given twice",
                });
            }
            if params.0.len() == PARAMS_MAX {
                return Err(Fault {
                    at,
                    what: "too many parameters",
                });
            }
            params.0.push((owned(name), value));
        }
        Ok(params)
    }
}

/// gen-value that needs no quotes: token / host, and the bare IPv6 address of `received`.
fn is_plain_byte(byte: u8) -> bool {
    is_token_byte(byte) || matches!(byte, b'[' | b']' | b':')
}

fn is_plain(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|&b| is_plain_byte(b))
}

impl ParamValue {
    pub(crate) fn scan(scan: &mut Scan<'_>) -> Result<ParamValue, Fault> {
        let at = scan.at();
        if scan.peek() == Some(b'"') {
            let text = scan.quoted()?.into_owned();
            let text = String::from_utf8(text).map_err(|_| Fault {
                at,
                what: "quoted parameter value is not UTF-8",
            })?;
            return Ok(ParamValue::Quoted(text));
        }
        let text = scan.take_while(is_plain_byte);
        if text.is_empty() {
            return scan.fault("expected a parameter value after '='");
        }
        Ok(ParamValue::Token(crate::scan::ascii(text).to_owned()))
    }

    pub(crate) fn write(&self, out: &mut String) {
        match self {
            ParamValue::Token(text) if is_plain(text.as_bytes()) => out.push_str(text),
            ParamValue::Token(text) | ParamValue::Quoted(text) => write_quoted(out, text),
        }
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            f.write_str(";")?;
            f.write_str(name)?;
            match value {
                None => {}
                Some(ParamValue::Token(text)) if is_plain(text.as_bytes()) => {
                    f.write_str("=")?;
                    f.write_str(text)?;
                }
                Some(value) => {
                    let mut out = String::new();
                    value.write(&mut out);
                    write!(f, "={out}")?;
                }
            }
        }
        Ok(())
    }
}
