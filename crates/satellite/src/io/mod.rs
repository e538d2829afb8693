//! Sockets and threads around the sans-IO cores.
pub mod access;
pub mod announce;
pub mod engines;
pub mod esphome_server;
pub mod relay;
pub mod satellite_server;
pub mod wyoming_server;
