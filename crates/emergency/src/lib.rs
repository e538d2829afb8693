//! Pure: numbers, service URNs, PIDF-LO, LoST, additional data and the emergency call's states.
//!
//! ```text
//! digits ─► numbers ─► ServiceUrn ─► DrillService ─┐
//! household's profile ─► pidf, additional ─► invite ├─► call ─► INVITE, line by line, until somebody answers
//! lost_client ─► mapping (fresh, cached, none) ─────┘
//! ```
//! Everything here is a function of its arguments: time, wall time and what came from the network come in, what is to
//! be sent and recorded goes out. Nothing may delay the call: each source of knowledge is raced against a deadline, and
//! when it loses, the call goes without it and an event says so (DESIGN invariant 3).

pub mod additional;
pub mod body;
pub mod call;
pub mod civic;
pub mod geodetic;
pub mod invite;
pub mod line;
pub mod lost;
pub mod lost_client;
pub mod numbers;
pub mod pidf;
pub mod profile;
pub mod raw;
pub mod service;
pub mod target;
pub mod timestamp;
mod xml;

pub use xml::{
    ATTRIBUTES_MAX, DEPTH_MAX, DOCUMENT_BYTES_MAX, ELEMENTS_MAX, NAMESPACE_BYTES_MAX, XmlError,
};
