//! Sockets and threads around the sans-IO cores.
pub mod access;
pub mod engines;
pub mod wyoming_server;
