//! Where a drill may go: loopback, or the drill call-taker the household configured, and nowhere else (DESIGN invariant 6).

use core::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::service::ServiceUrn;

/// Longest URI accepted, in bytes.
pub const URI_BYTES_MAX: usize = 1_024;
/// Most drill hosts in one configuration.
pub const DRILL_HOSTS_MAX: usize = 16;

/// A refusal: the input is well formed, and policy does not allow it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Outside the `sos` tree.
    #[error(
        "{service} is not an emergency service; only urn:service:sos and its sub-services make an emergency call"
    )]
    NotAnEmergencyService {
        /// The service asked for.
        service: ServiceUrn,
    },
    /// A drill may not go there.
    #[error("a drill reaches loopback or the configured drill call-taker only, not {what}")]
    OutsideTheDrill {
        /// What lies outside, in words without an address.
        what: &'static str,
    },
    /// A call needs at least one line.
    #[error("no line is configured; add at least one")]
    NoLine,
    /// More lines than the limit.
    #[error("more than {max} lines; remove some")]
    TooManyLines {
        /// The limit.
        max: usize,
    },
    /// The caller's words were not confirmed, or too late.
    #[error(
        "the end of an emergency call needs a request and, within {within_ms} ms, its confirmation"
    )]
    NotConfirmed {
        /// How long a request waits for its confirmation, in milliseconds.
        within_ms: u64,
    },
}

/// Why a text is no URI this crate accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// Longer than [`URI_BYTES_MAX`] or empty.
    #[error("the URI is empty or longer than {URI_BYTES_MAX} bytes")]
    Length,
    /// Not one of the schemes allowed here.
    #[error("the URI's scheme is not one of {allowed}")]
    Scheme {
        /// What is allowed.
        allowed: &'static str,
    },
    /// White space, control characters, angle brackets or quotes, or no host where one is needed.
    #[error("the URI has characters that end it in a header, or has no host")]
    Shape,
    /// Not what the SIP core can send: a port beyond 65535, an escape that is none, an empty part.
    #[error("the URI is not one of RFC 3261: {0}")]
    Syntax(hearthline_sip::uri::UriError),
}

/// A `sip:` or `sips:` URI with a host: text that the SIP core reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SipUri(String);

impl SipUri {
    /// Checks and keeps a SIP URI.
    ///
    /// # Errors
    /// [`UriError`].
    pub fn parse(text: &str) -> Result<Self, UriError> {
        check_shape(text)?;
        let lower = text.to_ascii_lowercase();
        if !lower.starts_with("sip:") && !lower.starts_with("sips:") {
            return Err(UriError::Scheme {
                allowed: "sip, sips",
            });
        }
        let uri = SipUri(text.to_owned());
        if uri.host().is_empty() {
            return Err(UriError::Shape);
        }
        // What is accepted here stands in an INVITE later: nothing that cannot be written may get so far.
        hearthline_sip::Uri::parse(text).map_err(UriError::Syntax)?;
        Ok(uri)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, without brackets and port.
    pub fn host(&self) -> &str {
        host_of(self.authority())
    }

    /// This user at the same host and port, without parameters: `sip:911@127.0.0.1:5060`. What a user part cannot have
    /// is escaped (RFC 3261 §25.1).
    #[must_use]
    pub fn with_user(&self, user: &str) -> SipUri {
        let scheme = if self.is_sips() { "sips" } else { "sip" };
        let place = self.authority().split([';', '?']).next().unwrap_or("");
        let mut text = format!("{scheme}:");
        for byte in user.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,".contains(&byte) {
                text.push(char::from(byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
        SipUri(format!("{text}@{place}"))
    }

    /// `host`, `host:port` or `[v6]:port`, with what follows.
    fn authority(&self) -> &str {
        let rest = self.0.split_once(':').map_or("", |(_, rest)| rest);
        let rest = rest.split(['?']).next().unwrap_or("");
        rest.rsplit_once('@').map_or(rest, |(_, after)| after)
    }

    /// Whether the URI asks for TLS.
    pub fn is_sips(&self) -> bool {
        self.0.len() >= 5 && self.0.as_bytes()[..5].eq_ignore_ascii_case(b"sips:")
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An `http:` or `https:` URL with a host, such as a LoST server's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HttpUrl(String);

impl HttpUrl {
    /// Checks and keeps a URL.
    ///
    /// # Errors
    /// [`UriError`].
    pub fn parse(text: &str) -> Result<Self, UriError> {
        check_shape(text)?;
        let lower = text.to_ascii_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            return Err(UriError::Scheme {
                allowed: "http, https",
            });
        }
        let url = HttpUrl(text.to_owned());
        if url.host().is_empty() {
            return Err(UriError::Shape);
        }
        Ok(url)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, without brackets and port.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
        let authority = authority
            .rsplit_once('@')
            .map_or(authority, |(_, after)| after);
        host_of(authority)
    }

    /// Whether it is `https`.
    pub fn is_https(&self) -> bool {
        self.0.len() >= 6 && self.0.as_bytes()[..6].eq_ignore_ascii_case(b"https:")
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The places a drill may reach: loopback always, and the hosts the household configured as its drill call-taker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DrillTargets {
    hosts: Vec<String>,
}

impl DrillTargets {
    /// Loopback only: 127.0.0.0/8, `::1` and the name `localhost`.
    pub fn loopback() -> Self {
        DrillTargets::default()
    }

    /// Loopback, and the hosts of the drill call-taker written in the configuration.
    ///
    /// # Errors
    /// [`UriError::Shape`], when a host is empty or has other characters than a name or an address;
    /// [`UriError::Length`], when there are more than [`DRILL_HOSTS_MAX`].
    pub fn configured<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Result<Self, UriError> {
        let mut targets = DrillTargets::default();
        for host in hosts {
            let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
            let shaped = !host.is_empty()
                && host.len() <= 253
                && host.bytes().all(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'_')
                });
            if !shaped {
                return Err(UriError::Shape);
            }
            if targets.hosts.len() >= DRILL_HOSTS_MAX {
                return Err(UriError::Length);
            }
            targets.hosts.push(host);
        }
        Ok(targets)
    }

    /// Whether a drill may send a SIP request there.
    pub fn permit(&self, uri: &SipUri) -> bool {
        self.permit_host(uri.host()) && !has_hidden_host(uri.as_str())
    }

    /// Whether a drill may ask there for a route.
    pub fn permit_url(&self, url: &HttpUrl) -> bool {
        self.permit_host(url.host())
    }

    /// Whether a host is loopback or configured.
    pub fn permit_host(&self, host: &str) -> bool {
        is_loopback(host) || self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }
}

/// Whether a host is this machine by its own writing; a name that merely resolves to it is not.
fn is_loopback(host: &str) -> bool {
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback(),
        Ok(IpAddr::V6(address)) => address == Ipv6Addr::LOCALHOST,
        Err(_) => false,
    }
}

/// Parameters and headers that would move the request elsewhere: `maddr` (RFC 3261 §19.1.1) and a `Route` header.
fn has_hidden_host(uri: &str) -> bool {
    let mut decoded = String::with_capacity(uri.len());
    let mut rest = uri;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        let escaped = rest
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(escaped.map_or('%', char::from));
        rest = rest
            .get(at + if escaped.is_some() { 3 } else { 1 }..)
            .unwrap_or("");
    }
    decoded.push_str(rest);
    let decoded = decoded.to_ascii_lowercase();
    decoded.contains("maddr") || uri.contains('?')
}

/// The host in `host`, `host:port`, `[v6]:port`, `host;params`.
fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split_once(']').map_or("", |(host, _)| host);
    }
    authority
        .split([':', ';', '/', '?', '#'])
        .next()
        .unwrap_or("")
}

fn check_shape(text: &str) -> Result<(), UriError> {
    if text.is_empty() || text.len() > URI_BYTES_MAX {
        return Err(UriError::Length);
    }
    if text.bytes().any(|byte| {
        byte <= b' '
            || byte >= 0x7f
            || matches!(
                byte,
                b'<' | b'>' | b'"' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
            )
    }) {
        return Err(UriError::Shape);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_in_every_writing() {
        for (text, host) in [
            ("sip:127.0.0.1:5060", "127.0.0.1"),
            ("sip:psap@[::1]:5060;transport=tcp", "::1"),
            ("sips:psap@localhost", "localhost"),
            ("sip:a;user=phone@example.test;lr", "example.test"),
            ("sip:a:b@example.test", "example.test"),
        ] {
            assert_eq!(SipUri::parse(text).unwrap().host(), host, "{text}");
        }
        assert_eq!(
            HttpUrl::parse("https://u@lost.test:8443/x?y#z")
                .unwrap()
                .host(),
            "lost.test"
        );
        assert_eq!(
            HttpUrl::parse("http://[::1]:80/lost").unwrap().host(),
            "::1"
        );
        assert!(SipUri::parse("tel:911").is_err());
        assert!(SipUri::parse("sip:a b@c").is_err());
        assert!(SipUri::parse("sip:@").is_err());
    }

    #[test]
    fn a_port_that_does_not_exist_is_refused() {
        for text in [
            "sip:127.0.0.1:99999",
            "sip:psap@[::1]:65536",
            "sip:127.0.0.1:",
            "sip:127.0.0.1:50x0",
        ] {
            assert!(
                matches!(SipUri::parse(text), Err(UriError::Syntax(_))),
                "{text}"
            );
        }
        assert!(SipUri::parse("sip:127.0.0.1:65535").is_ok());
    }

    #[test]
    fn a_number_stands_before_the_lines_host_and_port() {
        for (line, number) in [
            ("sip:127.0.0.1", "sip:911@127.0.0.1"),
            (
                "sip:trunk@127.0.0.1:5070;transport=tcp",
                "sip:911@127.0.0.1:5070",
            ),
            ("sips:[::1]:5061", "sips:911@[::1]:5061"),
        ] {
            let uri = SipUri::parse(line).unwrap().with_user("911");
            assert_eq!(uri.as_str(), number);
            assert_eq!(SipUri::parse(number).unwrap(), uri);
        }
        let odd = SipUri::parse("sip:127.0.0.1").unwrap().with_user("a@b;c");
        assert_eq!(odd.as_str(), "sip:a%40b%3Bc@127.0.0.1");
        assert_eq!(odd.host(), "127.0.0.1");
    }

    #[test]
    fn a_drill_stays_where_it_may_go() {
        let targets = DrillTargets::configured(["Drill.Example.Test"]).unwrap();
        let may = |text: &str| targets.permit(&SipUri::parse(text).unwrap());
        assert!(may("sip:127.0.0.1:5060"));
        assert!(may("sip:psap@127.8.9.10"));
        assert!(may("sip:psap@[::1]"));
        assert!(may("sips:psap@drill.example.test"));
        assert!(!may("sip:psap@example.com"));
        assert!(!may("sip:127.0.0.1@example.com"));
        assert!(!may("sip:psap@127.0.0.1.example.com"));
        assert!(!may("sip:psap@127.0.0.1;maddr=192.0.2.1"));
        assert!(!may("sip:psap@127.0.0.1;m%61DDR=192.0.2.1"));
        assert!(!may("sip:psap@127.0.0.1?Route=%3Csip:example.com%3E"));
        assert!(!may("sip:psap@[::ffff:192.0.2.1]"));
        assert!(
            !DrillTargets::loopback().permit(&SipUri::parse("sip:drill.example.test").unwrap())
        );
    }
}
