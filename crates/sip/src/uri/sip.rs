//! `sip:` and `sips:` URIs (RFC 3261 section 19.1).

use std::fmt;

use super::escape::{Class, canonical, escape, unescape};
use super::host::{Host, host_port};
use super::{Uri, UriError};
use crate::params::PARAMS_MAX;

/// A SIP or SIPS URI.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SipUri {
    secure: bool,
    user: Option<String>,
    password: Option<String>,
    host: Host,
    port: Option<u16>,
    params: UriParams,
    headers: Vec<(String, String)>,
}

/// Parameters of a URI, in order; names lower case, values in canonical escaped form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct UriParams(Vec<(String, Option<String>)>);

impl UriParams {
    /// Whether the parameter is there, with or without a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    /// The escaped value; `None` if the parameter is absent or has none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))?
            .1
            .as_deref()
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_deref()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets a parameter, escaping what must be; replaces an earlier one in place.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let name = escape(name.as_bytes(), Class::Param).to_ascii_lowercase();
        let value = value
            .filter(|v| !v.is_empty())
            .map(|v| escape(v.as_bytes(), Class::Param));
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Removes a parameter.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// Reads `name[=value]` separated by semicolons; `at` is where `bytes` stand in the URI.
    pub(super) fn parse(bytes: &[u8], mut at: usize) -> Result<UriParams, UriError> {
        let mut params = UriParams::default();
        for param in bytes.split(|&b| b == b';') {
            let (name, value) = match param.iter().position(|&b| b == b'=') {
                Some(equals) => (&param[..equals], Some(&param[equals + 1..])),
                None => (param, None),
            };
            if name.is_empty() || value.is_some_and(<[u8]>::is_empty) {
                return Err(UriError::new(
                    at,
                    "URI parameter has an empty name or value",
                ));
            }
            let value_at = at + name.len() + 1;
            let name = canonical(name, Class::Param).map_err(|e| e.moved(at))?;
            let name = name.to_ascii_lowercase();
            let value = value
                .map(|v| canonical(v, Class::Param).map_err(|e| e.moved(value_at)))
                .transpose()?;
            if params.has(&name) {
                return Err(UriError::new(at, "URI parameter is given twice"));
            }
            if params.0.len() == PARAMS_MAX {
                return Err(UriError::new(at, "too many URI parameters"));
            }
            params.0.push((name, value));
            at += param.len() + 1;
        }
        Ok(params)
    }
}

impl fmt::Display for UriParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            write!(f, ";{name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

impl SipUri {
    /// `sip:host`.
    #[must_use]
    pub fn new(host: Host) -> Self {
        SipUri {
            secure: false,
            user: None,
            password: None,
            host,
            port: None,
            params: UriParams::default(),
            headers: Vec::new(),
        }
    }

    /// With a user part; what may not stand in one is escaped. An empty one means none.
    #[must_use]
    pub fn with_user(mut self, user: &str) -> Self {
        self.user = (!user.is_empty()).then(|| escape(user.as_bytes(), Class::User));
        self
    }

    /// At another host.
    #[must_use]
    pub fn with_host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }

    /// With a port.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// With a parameter, for example `("transport", Some("tcp"))` or `("lr", None)`.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: Option<&str>) -> Self {
        self.params.set(name, value);
        self
    }

    /// With a header that the URI asks to put into a request; what may not stand in one is escaped.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let escaped = |text: &str| escape(text.as_bytes(), Class::Header);
        self.headers.push((escaped(name), escaped(value)));
        self
    }

    /// As `sips:` or `sip:`.
    #[must_use]
    pub fn with_secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Whether the scheme is `sips`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The user part in canonical escaped form.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The user part with its escapes resolved; may be any bytes.
    #[must_use]
    pub fn user_unescaped(&self) -> Option<Vec<u8>> {
        self.user.as_deref().map(unescape)
    }

    /// The password in canonical escaped form. RFC 3261 advises against using it.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, if it is written.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &UriParams {
        &self.params
    }

    /// The parameters, to change them.
    pub fn params_mut(&mut self) -> &mut UriParams {
        &mut self.params
    }

    /// Whether the loose-routing parameter `lr` is there.
    #[must_use]
    pub fn is_loose_router(&self) -> bool {
        self.params.has("lr")
    }

    /// Headers that the URI asks to put into a request: name and value, canonical escaped form.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Without headers and, because a Request-URI may not have one, without `method`
    /// (RFC 3261 section 19.1.1, table 1).
    #[must_use]
    pub fn for_request_uri(&self) -> SipUri {
        let mut uri = self.clone();
        uri.headers.clear();
        uri.params.remove("method");
        uri
    }

    pub(super) fn parse_rest(secure: bool, rest: &[u8]) -> Result<SipUri, UriError> {
        let at_sign = rest.iter().position(|&b| b == b'@');
        let (mut user, mut password) = (None, None);
        let mut at = 0;
        if let Some(at_sign) = at_sign {
            let info = &rest[..at_sign];
            let colon = info.iter().position(|&b| b == b':');
            let (name, secret) = match colon {
                Some(colon) => (&info[..colon], Some(&info[colon + 1..])),
                None => (info, None),
            };
            if name.is_empty() {
                return Err(UriError::new(0, "user part before '@' is empty"));
            }
            user = Some(canonical(name, Class::User)?);
            password = secret
                .map(|s| canonical(s, Class::Password).map_err(|e| e.moved(name.len() + 1)))
                .transpose()?;
            at = at_sign + 1;
        }
        let after = &rest[at..];
        let question = after.iter().position(|&b| b == b'?');
        let (before, headers) = match question {
            Some(q) => (&after[..q], Some(&after[q + 1..])),
            None => (after, None),
        };
        let semicolon = before.iter().position(|&b| b == b';');
        let (host, params) = match semicolon {
            Some(s) => (&before[..s], Some((&before[s + 1..], at + s + 1))),
            None => (before, None),
        };
        let (host, port) = host_port(host).map_err(|e| e.moved(at))?;
        let params = match params {
            Some((params, at)) => UriParams::parse(params, at)?,
            None => UriParams::default(),
        };
        let headers = match headers {
            Some(headers) => parse_headers(headers, at + before.len() + 1)?,
            None => Vec::new(),
        };
        Ok(SipUri {
            secure,
            user,
            password,
            host,
            port,
            params,
            headers,
        })
    }

    /// RFC 3261 section 19.1.4.
    #[must_use]
    pub fn equivalent(&self, other: &SipUri) -> bool {
        let same_core = self.secure == other.secure
            && self.user == other.user
            && self.password == other.password
            && self.host == other.host
            && self.port == other.port;
        if !same_core {
            return false;
        }
        // These count even when only one side has them; the section's examples add `transport`.
        let strict = ["user", "ttl", "method", "maddr", "transport"];
        if strict
            .iter()
            .any(|name| self.params.has(name) != other.params.has(name))
        {
            return false;
        }
        let params_match = self.params.0.iter().all(|(name, value)| {
            !other.params.has(name)
                || match (value.as_deref(), other.params.get(name)) {
                    (None, None) => true,
                    (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
                    _ => false,
                }
        });
        let sorted = |uri: &SipUri| {
            let mut headers: Vec<_> = uri
                .headers
                .iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
                .collect();
            headers.sort();
            headers
        };
        params_match && sorted(self) == sorted(other)
    }
}

fn parse_headers(bytes: &[u8], mut at: usize) -> Result<Vec<(String, String)>, UriError> {
    let mut headers = Vec::new();
    for header in bytes.split(|&b| b == b'&') {
        let equals = header
            .iter()
            .position(|&b| b == b'=')
            .filter(|&equals| equals > 0)
            .ok_or(UriError::new(at, "URI header is not name=value"))?;
        let name = canonical(&header[..equals], Class::Header).map_err(|e| e.moved(at))?;
        let value = canonical(&header[equals + 1..], Class::Header)
            .map_err(|e| e.moved(at + equals + 1))?;
        if headers.len() == PARAMS_MAX {
            return Err(UriError::new(at, "too many URI headers"));
        }
        headers.push((name, value));
        at += header.len() + 1;
    }
    Ok(headers)
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            f.write_str("@")?;
        }
        self.host.fmt(f)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.params.fmt(f)?;
        for (i, (name, value)) in self.headers.iter().enumerate() {
            write!(f, "{}{name}={value}", if i == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

impl TryFrom<&Uri> for SipUri {
    type Error = UriError;

    fn try_from(uri: &Uri) -> Result<Self, UriError> {
        uri.as_sip()
            .cloned()
            .ok_or(UriError::new(0, "not a sip or sips URI"))
    }
}
