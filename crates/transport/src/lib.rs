//! Adapter: the sockets below sip and media: UDP, TCP, TLS and DNS on tokio.
//!
//! ```text
//! Endpoint ── Transmit ─► ToNetwork ──► Sockets ──► UDP, TCP, TLS
//!     ▲                                   │
//!     └────── Received ◄── FromNetwork ◄──┘      every send and connect asks Reach first
//! ```
//! Nothing here reads SIP: bytes go up as they come, framing and meaning are the endpoint's.
//! Queues, connections, time and bytes are bounded; what is refused is counted.

mod connection;
pub mod dns;
pub mod driver;
pub mod given;
pub mod home_authority;
pub mod reach;
pub mod rtp;
pub mod secure_stream;
pub mod sockets;
pub mod tls;
pub mod websocket;

pub use dns::{Dns, DnsError};
pub use driver::Driver;
pub use reach::{OutOfReach, Reach};
pub use rtp::{GuardedUdp, RtpPair};
pub use sockets::{
    BindError, Counters, FromNetwork, SendError, SocketLimits, Sockets, SocketsConfig, ToNetwork,
};
pub use tls::{Identity, TlsError, Trust};
