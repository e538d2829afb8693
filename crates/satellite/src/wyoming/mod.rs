//! The Wyoming protocol: JSON lines with data and sound behind them, over TCP, in the clear.
//!
//! ```text
//! {"type": "audio-chunk", "data_length": 49, "payload_length": 2048}⏎ data ⏵ payload
//!          bytes ─► Reader ─► Event ─► (service, satellite) ─► Event ─► write ─► bytes
//! ```
//! Source: the code of PyPI `wyoming` 1.10.2, which differs from its description in places.
pub mod data;
pub mod event;
pub mod frame;
pub mod info;
pub mod satellite;
pub mod service;

pub use event::{Event, Other};
pub use frame::{FrameError, Limits, Reader, write};
