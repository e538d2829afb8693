//! Adapter: the device. Its sans-IO core, the policy that alone may decide to dial, the record, and io.
//!
//! ```text
//! io: hearing, sockets, files ─► device (pure): policy ─► calling ─► record ─► io
//! ```
//! [`device::Device`] is sans-IO like the crates below it; `io/` is the thin rest.
pub mod config;
pub mod device;
pub mod io;
pub mod light_order;
pub mod messages;
pub mod player;
pub mod policy;
pub mod record;
pub mod skill;
mod sound;
pub mod telephone;
pub mod words;
