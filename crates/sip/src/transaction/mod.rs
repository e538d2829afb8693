//! Transactions (RFC 3261 section 17, RFC 6026): four machines and the layer that feeds them.
//!
//! ```text
//! bytes ─► parse ─► Transactions ── matches ──► ClientInvite │ ClientNonInvite
//!                        │                      ServerInvite │ ServerNonInvite
//!                        ├─► TransactionEvent, to the endpoint
//!                        └─► (Target, bytes), to the wire
//! ```
//! A machine holds no message: it only says what to do with one ([`Effect`]). So each can be
//! read beside its figure in the RFC.

mod client_invite;
mod client_non_invite;
mod key;
mod layer;
mod server_invite;
mod server_non_invite;
mod timers;

use core::time::Duration;

pub use client_invite::{ClientInvite, ClientInviteState};
pub use client_non_invite::{ClientNonInvite, ClientNonInviteState};
pub use key::{ClientKey, ServerKey};
pub use layer::{
    Full, Received, TransactionEvent, TransactionId, TransactionLimits, Transactions,
    response_target,
};
pub use server_invite::{ServerInvite, ServerInviteState};
pub use server_non_invite::{ServerNonInvite, ServerNonInviteState};
pub(crate) use timers::at_multiple;
pub use timers::{
    PATIENCE_IN_T1, T1_DEFAULT, T2_DEFAULT, T4_DEFAULT, TIMER_D_MIN, TRYING_AFTER, Timers,
};

/// What a machine wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Effect {
    /// Nothing: absorbed, or nothing due.
    Nothing,
    /// Hand the message on: a response up to the user, the user's response down to the wire.
    Deliver,
    /// Send the last message again.
    Retransmit,
    /// Send the ACK again.
    Acknowledge,
    /// Send the ACK and hand the response up.
    AcknowledgeAndDeliver,
    /// Send 100 (Trying): the user has been silent.
    SendTrying,
    /// The peer did not answer in time; the machine is terminated.
    TimedOut,
    /// The transport failed; the machine is terminated.
    TransportFailed,
}

/// The earlier of two optional times.
pub(crate) fn earlier(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
