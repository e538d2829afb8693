//! Test machinery: devices, call-takers and lines in one thread, virtual time, one seed.
//!
//! ```text
//! Scene (seed, faults) ─► World: Device ◄─ Network ─► CallTaker, LostServer
//!                           └─► Trace: every input of the device, replayable alone
//! ```
//! The cores are the product's own; only sockets, clock and microphone are simulated. The same seed gives the same run,
//! byte for byte, but for the keys of [`enrolment`] and what is signed and encrypted with them.
pub mod caller;
pub mod enrolment;
pub mod home_api;
pub mod home_hub;
pub mod meddling;
pub mod neighbours;
pub mod network;
pub mod personal_data;
pub mod spoken;
pub mod trace;
pub mod watched;
pub mod world;

pub use meddling::{Meddling, Side};
pub use neighbours::{Neighbours, Room};
pub use network::{Faults, Network};
pub use personal_data::PersonalData;
pub use spoken::Spoken;
pub use trace::{Trace, TraceEntry};
pub use watched::Watched;
pub use world::{Scene, World};
