//! `scheme name=value, name="value"`: the shape of challenges and credentials. What Digest makes
//! of them is in `digest`.

use std::fmt;

use crate::params::{PARAMS_MAX, ParamValue};
use crate::scan::{Fault, Scan};

/// One challenge (WWW-Authenticate, Proxy-Authenticate) or one set of credentials
/// (Authorization, Proxy-Authorization), of any scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthValue {
    /// The scheme as written; compare without regard to case.
    pub scheme: String,
    params: Vec<(String, ParamValue)>,
}

impl AuthValue {
    /// A value without parameters.
    #[must_use]
    pub fn new(scheme: &str) -> Self {
        AuthValue {
            scheme: scheme.to_owned(),
            params: Vec::new(),
        }
    }

    /// Whether the scheme is Digest.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Digest")
    }

    /// A parameter's value without quotes.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .params
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(value.as_str())
    }

    /// Appends a parameter in quotes.
    #[must_use]
    pub fn with_quoted(mut self, name: &str, value: &str) -> Self {
        self.params
            .push((name.to_owned(), ParamValue::Quoted(value.to_owned())));
        self
    }

    /// Appends a parameter without quotes (quoted all the same if it is not a token).
    #[must_use]
    pub fn with_token(mut self, name: &str, value: &str) -> Self {
        self.params
            .push((name.to_owned(), ParamValue::Token(value.to_owned())));
        self
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    pub(crate) fn scan(scan: &mut Scan<'_>) -> Result<AuthValue, Fault> {
        scan.skip_lws();
        let scheme = scan.token("expected an authentication scheme")?;
        let mut value = AuthValue::new(scheme);
        value.params = scan_params(scan)?;
        Ok(value)
    }
}

/// `name=value` separated by commas. A comma too many is harmless and common.
pub(crate) fn scan_params(scan: &mut Scan<'_>) -> Result<Vec<(String, ParamValue)>, Fault> {
    let mut params: Vec<(String, ParamValue)> = Vec::new();
    loop {
        while scan.eat_separator(b',') {}
        scan.skip_lws();
        if scan.rest().is_empty() {
            return Ok(params);
        }
        let at = scan.at();
        let name = scan.token("expected a parameter name")?;
        if !scan.eat_separator(b'=') {
            return scan.fault("expected '=' after the parameter name");
        }
        let value = if scan.peek() == Some(b'"') {
            ParamValue::scan(scan)?
        } else {
            // Some peers leave the quotes off URIs and base64 nonces.
            let text = scan.take_while(|b| b.is_ascii_graphic() && !matches!(b, b',' | b'"'));
            if text.is_empty() {
                return scan.fault("expected a parameter value");
            }
            ParamValue::Token(crate::scan::ascii(text).to_owned())
        };
        if params.iter().any(|(n, _)| n.eq_ignore_ascii_case(name)) {
            return Err(Fault {
                at,
                what: "parameter is given twice",
            });
        }
        if params.len() == PARAMS_MAX {
            return Err(Fault {
                at,
                what: "too many parameters",
            });
        }
        params.push((name.to_owned(), value));
        scan.skip_lws();
        if !scan.rest().is_empty() && scan.peek() != Some(b',') {
            return scan.fault("expected ',' between parameters");
        }
    }
}

impl fmt::Display for AuthValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        for (i, (name, value)) in self.params.iter().enumerate() {
            let mut out = String::new();
            value.write(&mut out);
            write!(f, "{} {name}={out}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}
