//! Multicast DNS (RFC 6762) for service discovery (RFC 6763): what Home Assistant looks for is announced and answered.
//!
//! ```text
//! probe ×3 ─ nobody else has the name ─► announce ×2 ─► answer questions ─► goodbye
//!     └───── somebody has ─► "Kitchen (2)" ─┘
//! ```
//! Sans-IO: datagrams and the time go in, datagrams come out. [`crate::io::announce`] holds the socket.
pub mod message;
pub mod responder;

pub use responder::{Output, Responder, Service, To};
