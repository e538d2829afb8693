//! Host names and addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::UriError;

/// `host` of RFC 3261 section 25.1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A host name, lower case.
    Name(HostName),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address, written in brackets.
    V6(Ipv6Addr),
}

/// A checked host name, lower case; made by [`Host::parse`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostName(String);

impl HostName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Host {
    /// Reads a host that fills `bytes` completely.
    ///
    /// # Errors
    /// When it is neither a host name, an IPv4 address, nor an IPv6 address in brackets.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Result<Host, UriError> {
        let bytes = bytes.as_ref();
        let wrong = |what| Err(UriError::new(0, what));
        let Ok(text) = std::str::from_utf8(bytes) else {
            return wrong("host is not ASCII");
        };
        if text.is_empty() {
            return wrong("host is empty");
        }
        if let Some(inner) = text.strip_prefix('[') {
            let Some(inner) = inner.strip_suffix(']') else {
                return wrong("IPv6 address has no closing bracket");
            };
            return match inner.parse() {
                Ok(address) => Ok(Host::V6(address)),
                Err(_) => wrong("not an IPv6 address between the brackets"),
            };
        }
        if let Ok(address) = text.parse() {
            return Ok(Host::V4(address));
        }
        if text.len() > 254 {
            return wrong("host name is longer than a DNS name can be");
        }
        let labels = text.strip_suffix('.').unwrap_or(text);
        let mut top = "";
        for label in labels.split('.') {
            let ok = !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if !ok {
                return wrong("not a host name or IP address");
            }
            top = label;
        }
        if !top.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return wrong("last label of a host name must begin with a letter");
        }
        Ok(Host::Name(HostName(text.to_ascii_lowercase())))
    }

    /// The address, if it is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Host::Name(_) => None,
            Host::V4(address) => Some(IpAddr::V4(*address)),
            Host::V6(address) => Some(IpAddr::V6(*address)),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Host::V4(address),
            IpAddr::V6(address) => Host::V6(address),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(&name.0),
            Host::V4(address) => write_v4(f, *address),
            Host::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// Four numbers with dots at once: every message holds several, and the standard library formats each number by itself.
fn write_v4(f: &mut fmt::Formatter<'_>, address: Ipv4Addr) -> fmt::Result {
    let (mut text, mut end) = ([0; 15], 0);
    let mut put = |byte| {
        text[end] = byte;
        end += 1;
    };
    for (at, octet) in address.octets().into_iter().enumerate() {
        if at > 0 {
            put(b'.');
        }
        if octet >= 100 {
            put(b'0' + octet / 100);
        }
        if octet >= 10 {
            put(b'0' + octet / 10 % 10);
        }
        put(b'0' + octet % 10);
    }
    f.write_str(crate::scan::ascii(&text[..end]))
}

/// Splits `host [":" port]`. A colon without digits is refused.
pub(crate) fn host_port(bytes: &[u8]) -> Result<(Host, Option<u16>), UriError> {
    let from = if bytes.first() == Some(&b'[') {
        bytes
            .iter()
            .position(|&b| b == b']')
            .map_or(bytes.len(), |i| i + 1)
    } else {
        0
    };
    let Some(colon) = bytes[from..]
        .iter()
        .position(|&b| b == b':')
        .map(|i| i + from)
    else {
        return Ok((Host::parse(bytes)?, None));
    };
    let host = Host::parse(&bytes[..colon])?;
    let port = &bytes[colon + 1..];
    let digits = !port.is_empty() && port.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(port)
        .ok()
        .filter(|_| digits)
        .and_then(|p| p.parse().ok());
    match number {
        Some(port) => Ok((host, Some(port))),
        None => Err(UriError::new(
            colon + 1,
            "port is not a number from 0 to 65535",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_is_written_as_it_is_read() {
        for octet in 0..=255 {
            let address = Ipv4Addr::new(octet, 0, 255 - octet, 10);
            assert_eq!(Host::V4(address).to_string(), address.to_string());
        }
    }
}
