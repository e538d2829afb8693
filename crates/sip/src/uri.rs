//! URIs: sip, sips, tel, urn, and others kept as they are.
//!
//! Parsed parts are kept escaped in one canonical form: escapes of unreserved characters are
//! resolved, the hex digits of the others are upper case, schemes and host names lower case.
//! So two URIs that RFC 3261 calls equal have equal parts, and writing needs no decisions.

mod escape;
mod host;
mod sip;
mod tel;
mod urn;

use std::fmt;
use std::str::FromStr;

pub use host::Host;
pub use sip::{SipUri, UriParams};
pub use tel::TelUri;
pub use urn::Urn;

pub(crate) use escape::unescape;
use escape::{Class, canonical};

/// Why some text is not a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at_byte} of the URI")]
pub struct UriError {
    /// Offset in the URI.
    pub at_byte: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl UriError {
    pub(crate) fn new(at_byte: usize, what: &'static str) -> Self {
        UriError { at_byte, what }
    }

    pub(crate) fn moved(self, by: usize) -> Self {
        UriError {
            at_byte: self.at_byte + by,
            what: self.what,
        }
    }
}

/// A URI of any scheme.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Uri {
    /// `sip:` or `sips:` (RFC 3261 section 19.1).
    Sip(SipUri),
    /// `tel:` (RFC 3966).
    Tel(TelUri),
    /// `urn:`, for example `urn:service:sos` (RFC 5031).
    Urn(Urn),
    /// Any other scheme.
    Other(OtherUri),
}

/// A URI of a scheme that has no type of its own here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OtherUri {
    scheme: String,
    rest: String,
}

impl OtherUri {
    /// The scheme, lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// What follows the colon.
    #[must_use]
    pub fn rest(&self) -> &str {
        &self.rest
    }
}

impl Uri {
    /// Reads a URI that fills `bytes` completely.
    ///
    /// # Errors
    /// Says which byte breaks the grammar of RFC 3261 section 25.1, RFC 3966 or RFC 8141.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Result<Uri, UriError> {
        let bytes = bytes.as_ref();
        let colon = bytes
            .iter()
            .position(|&b| b == b':')
            .ok_or(UriError::new(0, "no scheme before a colon"))?;
        let (scheme, rest) = (&bytes[..colon], &bytes[colon + 1..]);
        let first_ok = scheme.first().is_some_and(u8::is_ascii_alphabetic);
        let rest_ok = scheme
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        if !first_ok || !rest_ok {
            return Err(UriError::new(
                0,
                "scheme is not a letter followed by letters and digits",
            ));
        }
        let at_rest = |e: UriError| e.moved(colon + 1);
        for (name, secure) in [("sip", false), ("sips", true)] {
            if scheme.eq_ignore_ascii_case(name.as_bytes()) {
                let uri = SipUri::parse_rest(secure, rest);
                return uri.map(Uri::Sip).map_err(at_rest);
            }
        }
        let scheme = crate::scan::ascii(scheme).to_ascii_lowercase();
        match scheme.as_str() {
            "tel" => TelUri::parse_rest(rest).map(Uri::Tel).map_err(at_rest),
            "urn" => Urn::parse_rest(rest).map(Uri::Urn).map_err(at_rest),
            _ => {
                if rest.is_empty() {
                    return Err(UriError::new(colon + 1, "nothing follows the scheme"));
                }
                let rest = canonical(rest, Class::Any).map_err(at_rest)?;
                Ok(Uri::Other(OtherUri { scheme, rest }))
            }
        }
    }

    /// The scheme, lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        match self {
            Uri::Sip(uri) if uri.is_secure() => "sips",
            Uri::Sip(_) => "sip",
            Uri::Tel(_) => "tel",
            Uri::Urn(_) => "urn",
            Uri::Other(uri) => &uri.scheme,
        }
    }

    /// The SIP or SIPS URI, if it is one.
    #[must_use]
    pub fn as_sip(&self) -> Option<&SipUri> {
        match self {
            Uri::Sip(uri) => Some(uri),
            _ => None,
        }
    }

    /// The service of a `urn:service:` URI, for example `sos.fire` (RFC 5031).
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        match self {
            Uri::Urn(urn) => urn.service(),
            _ => None,
        }
    }

    /// Equality as RFC 3261 section 19.1.4 and RFC 3966 section 4 define it: parameters that only
    /// one side has may not matter, visual separators never do. It is not transitive; use `==`
    /// for keys of maps.
    #[must_use]
    pub fn equivalent(&self, other: &Uri) -> bool {
        match (self, other) {
            (Uri::Sip(a), Uri::Sip(b)) => a.equivalent(b),
            (Uri::Tel(a), Uri::Tel(b)) => a.equivalent(b),
            _ => self == other,
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Uri::Sip(uri) => uri.fmt(f),
            Uri::Tel(uri) => uri.fmt(f),
            Uri::Urn(uri) => uri.fmt(f),
            Uri::Other(uri) => write!(f, "{}:{}", uri.scheme, uri.rest),
        }
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        Uri::parse(text)
    }
}

impl From<SipUri> for Uri {
    fn from(uri: SipUri) -> Self {
        Uri::Sip(uri)
    }
}

impl From<TelUri> for Uri {
    fn from(uri: TelUri) -> Self {
        Uri::Tel(uri)
    }
}

impl From<Urn> for Uri {
    fn from(uri: Urn) -> Self {
        Uri::Urn(uri)
    }
}
