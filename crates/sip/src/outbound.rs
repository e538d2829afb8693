//! Flows: the connections that clients opened and that requests to them go back along (RFC 5626).
//!
//! ```text
//! REGISTER on a flow ─► binding holds the FlowId ─► INVITE goes down the same flow
//! INVITE on a flow   ─► Record-Route holds a signed token ─► BYE finds the flow again
//! silence on a flow  ─► FlowWatch says it is dead ─► its bindings go
//! ```
//! A device behind an address translator, on a WebSocket (RFC 7118) or on TLS without a server
//! certificate is reached by no address, only by its flow. What a flow is, the adapter knows;
//! here it is a number.

mod keep_alive;
mod token;

use std::fmt;
use std::net::SocketAddr;

use crate::target::{self, Target};
use crate::via;

pub use keep_alive::{FlowKeeper, FlowWatch, GRACE, KeepAliveStep, PONG_WAIT, keep_alive_answer};
pub use token::{Direction, FlowTokens, Sealed, Side, TokenError};

/// One flow. Its numbers are never used twice, not even after a restart: a token or a binding
/// that outlived its flow must find nothing rather than a stranger. 0 is no flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u64);

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flow {}", self.0)
    }
}

/// What a flow runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowTransport {
    /// Datagrams between two addresses.
    Udp,
    /// A TCP connection.
    Tcp,
    /// A TLS connection.
    Tls,
    /// A WebSocket connection (RFC 7118).
    Ws,
    /// A WebSocket connection over TLS (RFC 7118).
    Wss,
}

impl FlowTransport {
    /// All of them.
    pub const ALL: [FlowTransport; 5] = [
        FlowTransport::Udp,
        FlowTransport::Tcp,
        FlowTransport::Tls,
        FlowTransport::Ws,
        FlowTransport::Wss,
    ];

    /// Whether the transport itself repeats lost bytes.
    #[must_use]
    pub fn is_reliable(self) -> bool {
        self != FlowTransport::Udp
    }

    /// Whether nobody on the way can read it.
    #[must_use]
    pub fn is_secure(self) -> bool {
        matches!(self, FlowTransport::Tls | FlowTransport::Wss)
    }

    /// Whether the peer can be reached only along the flow, because it listens nowhere
    /// (RFC 7118 section 5).
    #[must_use]
    pub fn is_websocket(self) -> bool {
        matches!(self, FlowTransport::Ws | FlowTransport::Wss)
    }

    /// As it stands in a Via: `UDP`, `TCP`, `TLS`, `WS`, `WSS`.
    #[must_use]
    pub fn as_via(self) -> via::Transport {
        match self {
            FlowTransport::Udp => via::Transport::Udp,
            FlowTransport::Tcp => via::Transport::Tcp,
            FlowTransport::Tls => via::Transport::Tls,
            FlowTransport::Ws => via::Transport::Ws,
            FlowTransport::Wss => via::Transport::Wss,
        }
    }

    /// As it stands in a URI's `transport` parameter.
    #[must_use]
    pub fn as_param(self) -> &'static str {
        match self {
            FlowTransport::Udp => "udp",
            FlowTransport::Tcp => "tcp",
            FlowTransport::Tls => "tls",
            FlowTransport::Ws => "ws",
            FlowTransport::Wss => "wss",
        }
    }

    /// Reads a name in any case; `None` for one that is none of these.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        FlowTransport::ALL
            .into_iter()
            .find(|transport| name.eq_ignore_ascii_case(transport.as_param()))
    }
}

impl From<target::Transport> for FlowTransport {
    fn from(transport: target::Transport) -> Self {
        match transport {
            target::Transport::Udp => FlowTransport::Udp,
            target::Transport::Tcp => FlowTransport::Tcp,
            target::Transport::Tls => FlowTransport::Tls,
        }
    }
}

/// A flow as the adapter names it with everything that came in by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Its number.
    pub id: FlowId,
    /// What it runs over.
    pub transport: FlowTransport,
    /// Our address.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
}

/// Where bytes go: back along a flow, or to an address that the adapter connects to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Hop {
    /// Along this flow, and nowhere else.
    Flow {
        /// Which.
        id: FlowId,
        /// What it runs over.
        transport: FlowTransport,
    },
    /// To this address; an open connection there may be used again.
    Target(Target),
}

impl Hop {
    /// What the bytes travel over.
    #[must_use]
    pub fn transport(&self) -> FlowTransport {
        match self {
            Hop::Flow { transport, .. } => *transport,
            Hop::Target(target) => target.transport.into(),
        }
    }

    /// The flow, if it is one.
    #[must_use]
    pub fn flow(&self) -> Option<FlowId> {
        match self {
            Hop::Flow { id, .. } => Some(*id),
            Hop::Target(_) => None,
        }
    }
}

impl From<&Flow> for Hop {
    fn from(flow: &Flow) -> Self {
        Hop::Flow {
            id: flow.id,
            transport: flow.transport,
        }
    }
}

impl From<Target> for Hop {
    fn from(target: Target) -> Self {
        Hop::Target(target)
    }
}
