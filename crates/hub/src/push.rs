//! Web Push: a browser that asked for it is told of what its person chose while no page of ours is open.
//!
//! ```text
//! telling ─► send ─► for each of the person's browsers: encrypt (RFC 8291), sign (RFC 8292) ─► POST to its service
//! ```
//! What is told is a kind and an id, never a name, a number or a text: the page asks the hub for the rest. Services are
//! this machine's only for now, as everything that the hub sends to.

mod encrypt;
mod send;
mod subscription;
mod vapid;

pub(crate) use encrypt::encrypt;
pub use encrypt::{BrowserKeys, EncryptError};
pub(crate) use send::{PushWord, send_to};
pub(crate) use subscription::{Subscription, Subscriptions};
pub(crate) use vapid::Vapid;
