//! ESPHome's native API, the device's side, encrypted: what Home Assistant's own voice devices speak.
//!
//! ```text
//! bytes ─► frame (0x01, length) ─► Noise ─► type, length, protobuf ─► Session ─► the same way back
//! ```
//! Clear text is not spoken: without the key of the owner a peer learns our name and nothing else.
//! Source: PyPI `aioesphomeapi` 46.23; the Noise Protocol Framework, revision 34.
pub mod message;
pub mod noise;
pub mod protobuf;
pub mod session;

pub use noise::{Key, KeyError};
pub use session::{About, Output, Session};
