//! As much of D-Bus as a modem needs, without a socket: values, messages, one connection to a bus daemon.
//!
//! ```text
//! bytes ─► Connection ─► authentication ─► framing ─► Message ─► the modem's own reading of it
//! bytes ◄─ Connection ◄─ send(Message) ◄──────────────────────── calls, signals, answers
//! ```
//! Written here because the library that is usual for this brings some twenty further crates for the five interfaces
//! that a modem has. Source of every rule: the D-Bus Specification, protocol version 1. Left out: file descriptors and
//! every way of authentication but EXTERNAL, which is the one of a socket in the file system.

mod connection;
mod message;
mod names;
mod read;
mod signature;
mod value;
mod write;

pub use connection::{Broken, Connection, Output};
pub use message::{BUS, BUS_PATH, Kind, MESSAGE_BYTES_MAX, Message};
pub use names::{is_member, is_path};
pub use read::WireError;
pub use signature::{is_signature, split};
pub use value::{DEPTH_MAX, VALUES_MAX, Value};
