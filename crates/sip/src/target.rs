//! Where bytes go: transport, address, and the name that a TLS certificate must carry.

use core::fmt;
use std::net::SocketAddr;

/// A transport that this stack speaks (RFC 3261 section 18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TLS over TCP; first, because emergency calls try it first (RFC 6881 ED-57).
    Tls,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Transport {
    /// Whether the transport itself repeats lost bytes.
    pub fn is_reliable(self) -> bool {
        self != Self::Udp
    }

    /// The port without a port: 5061 for TLS, else 5060 (RFC 3261 section 19.1.2).
    pub fn default_port(self) -> u16 {
        match self {
            Self::Tls => 5061,
            Self::Tcp | Self::Udp => 5060,
        }
    }

    /// As it stands in a Via: `UDP`, `TCP`, `TLS`.
    pub fn as_via(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }

    /// As it stands in a URI's `transport` parameter: `udp`, `tcp`, `tls`.
    pub fn as_param(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// Reads a Via transport or a `transport` parameter, in any case; `None` for one we do not speak.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Tls, Self::Tcp, Self::Udp]
            .into_iter()
            .find(|transport| name.eq_ignore_ascii_case(transport.as_param()))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_param())
    }
}

/// One place to send to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// By which transport.
    pub transport: Transport,
    /// To which address.
    pub remote: SocketAddr,
    /// The name asked for in the TLS handshake and expected in the certificate (RFC 5922);
    /// `None`: the address itself.
    pub server_name: Option<String>,
}

impl Target {
    /// A target without a TLS name.
    pub fn new(transport: Transport, remote: SocketAddr) -> Self {
        Self {
            transport,
            remote,
            server_name: None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.remote)
    }
}
