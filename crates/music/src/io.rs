//! The outside of music: files, sockets, threads.
mod adapter;
mod folders;
mod http;
mod link;
mod reading;
mod remote;

pub use adapter::{Household, fit};
