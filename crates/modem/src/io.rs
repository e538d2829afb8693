//! Sockets, the bus and the sound device around [`ModemLine`](crate::line::ModemLine).

mod address;
mod bus;
mod serve;
mod sound;
mod status;

pub use address::{AddressError, BusAddress};
pub use serve::{Running, ServeConfig, StartError, TextRefused, start};
pub use sound::SoundCommands;
pub use status::{Status, status};

pub(crate) use bus::{BusNews, BusSocket};
pub(crate) use sound::{Samples, to_bytes, watched};
