//! The outside of music: files, sockets, threads.
mod adapter;
mod folders;
mod http;
mod link;
mod reading;
mod remote;
mod setup;

pub use adapter::{Household, fit};
pub use setup::Control;
