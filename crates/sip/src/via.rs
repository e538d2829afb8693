//! Via: the way a response goes back (RFC 3261 section 20.42, rport of RFC 3581).

use std::fmt;
use std::net::IpAddr;

use crate::params::Params;
use crate::scan::{Fault, Scan};
use crate::uri::{Host, UriError};

/// The transport named in a Via or in a URI's `transport` parameter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// SCTP.
    Sctp,
    /// WebSocket (RFC 7118).
    Ws,
    /// Secure WebSocket (RFC 7118).
    Wss,
    /// Any other token, upper case.
    Other(OtherTransport),
}

/// A transport we do not know; always a token, upper case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OtherTransport(Box<str>);

impl Transport {
    /// Reads a token without regard to case; `None` if it is not a token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Transport> {
        if !crate::scan::is_token(text.as_bytes()) {
            return None;
        }
        let known = [
            Transport::Udp,
            Transport::Tcp,
            Transport::Tls,
            Transport::Sctp,
            Transport::Ws,
            Transport::Wss,
        ];
        let mut known = known.into_iter();
        let found = known.find(|known| known.as_str().eq_ignore_ascii_case(text));
        let other = || Transport::Other(OtherTransport(text.to_ascii_uppercase().into()));
        Some(found.unwrap_or_else(other))
    }

    /// Upper case, as in a Via.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
            Transport::Sctp => "SCTP",
            Transport::Ws => "WS",
            Transport::Wss => "WSS",
            Transport::Other(OtherTransport(name)) => name,
        }
    }

    /// Whether retransmission is the transport's business, not ours (RFC 3261 section 17).
    #[must_use]
    pub fn is_reliable(&self) -> bool {
        matches!(
            self,
            Transport::Tcp | Transport::Tls | Transport::Sctp | Transport::Ws | Transport::Wss
        )
    }

    /// Port that is meant when none is written (RFC 3261 section 19.1.2).
    #[must_use]
    pub fn default_port(&self) -> u16 {
        match self {
            Transport::Tls => 5061,
            Transport::Ws => 80,
            Transport::Wss => 443,
            _ => 5060,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One Via value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// The transport the request was sent over.
    pub transport: Transport,
    /// Host of sent-by.
    pub host: Host,
    /// Port of sent-by, if written.
    pub port: Option<u16>,
    /// branch, received, rport, maddr, ttl and whatever else there is.
    pub params: Params,
}

/// What the branch of an RFC 3261 client begins with.
pub const MAGIC_COOKIE: &str = "z9hG4bK";

impl Via {
    /// A Via with a branch and, for responses through address translation, an empty `rport`.
    #[must_use]
    pub fn new(transport: Transport, host: Host, port: Option<u16>, branch: &str) -> Via {
        let mut params = Params::new();
        params.set("branch", branch);
        params.set_flag("rport");
        Via {
            transport,
            host,
            port,
            params,
        }
    }

    /// The branch.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch")
    }

    /// The branch if it was made by the rules of RFC 3261 (magic cookie and something after it).
    #[must_use]
    pub fn unique_branch(&self) -> Option<&str> {
        let branch = self.branch()?;
        let cookie = branch.get(..MAGIC_COOKIE.len())?;
        let has_more = branch.len() > MAGIC_COOKIE.len();
        (has_more && cookie.eq_ignore_ascii_case(MAGIC_COOKIE)).then_some(branch)
    }

    /// `received`: the address the request really came from.
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.get("received")?;
        // RFC 5118 section 4.5: seen with and without brackets.
        let inner = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .unwrap_or(text);
        inner.parse().ok()
    }

    /// Whether the client asks for `rport` (RFC 3581), filled in or not.
    #[must_use]
    pub fn wants_rport(&self) -> bool {
        self.params.has("rport")
    }

    /// The filled-in `rport`.
    #[must_use]
    pub fn rport(&self) -> Option<u16> {
        self.params.get("rport")?.parse().ok()
    }

    /// Notes where the request came from: `received` when the address differs from sent-by or
    /// `rport` is asked for, and then `rport` (RFC 3261 section 18.2.1, RFC 3581 section 4).
    pub fn set_source(&mut self, ip: IpAddr, port: u16) {
        let wants_rport = self.wants_rport();
        if wants_rport {
            self.params.set("rport", &port.to_string());
        }
        if wants_rport || self.host.ip() != Some(ip) {
            self.params.set("received", &ip.to_string());
        }
    }

    /// The sent-by port, or the transport's default.
    #[must_use]
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or_else(|| self.transport.default_port())
    }

    /// Whether both name the same sender (for matching transactions, RFC 3261 section 17.2.3).
    #[must_use]
    pub fn same_sent_by(&self, other: &Via) -> bool {
        self.host == other.host && self.port_or_default() == other.port_or_default()
    }

    pub(crate) fn scan(scan: &mut Scan<'_>) -> Result<Via, Fault> {
        scan.skip_lws();
        let at = scan.at();
        let protocol = scan.token("expected SIP/2.0 at the start of a Via")?;
        if !protocol.eq_ignore_ascii_case("SIP") {
            return Err(Fault {
                at,
                what: "protocol of a Via is not SIP",
            });
        }
        if !scan.eat_separator(b'/') {
            return scan.fault("expected '/' after SIP");
        }
        // Any version: a request of another one must still find its 505. What we write is 2.0.
        scan.token("expected a version after SIP/")?;
        if !scan.eat_separator(b'/') {
            return scan.fault("expected '/' after SIP/2.0");
        }
        let transport = scan.token("expected a transport")?;
        let Some(transport) = Transport::parse(transport) else {
            return scan.fault("expected a transport");
        };
        let before = scan.at();
        scan.skip_lws();
        if scan.at() == before {
            return scan.fault("expected a space after the transport");
        }
        let (host, port) = scan_sent_by(scan)?;
        let params = Params::scan(scan)?;
        let via = Via {
            transport,
            host,
            port,
            params,
        };
        if via.params.has("branch") && via.branch().is_none() {
            return scan.fault("branch has no value");
        }
        Ok(via)
    }
}

/// `host [COLON port]`, with the white space that COLON allows.
fn scan_sent_by(scan: &mut Scan<'_>) -> Result<(Host, Option<u16>), Fault> {
    let at = scan.at();
    let bytes = if scan.peek() == Some(b'[') {
        let start = scan.rest();
        let inside = scan.take_while(|b| b != b']').len();
        if !scan.eat(b']') {
            return Err(Fault {
                at,
                what: "IPv6 address has no closing bracket",
            });
        }
        &start[..inside + 1]
    } else {
        scan.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
    };
    let host = Host::parse(bytes).map_err(|UriError { what, .. }| Fault { at, what })?;
    let mut port = None;
    if scan.eat_separator(b':') {
        let number = scan.number(u64::from(u16::MAX), "expected a port after ':'")?;
        port = u16::try_from(number).ok();
    }
    Ok((host, port))
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SIP/2.0/")?;
        f.write_str(self.transport.as_str())?;
        f.write_str(" ")?;
        self.host.fmt(f)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.params.fmt(f)
    }
}
