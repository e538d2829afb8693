//! The device's outside: files, programs, sockets and threads. Everything that decides is in the pure modules beside it.
pub mod recording;
pub mod store;
