//! The text protocol of the Music Player Daemon, sans-IO: lines in, commands out.
//!
//! ```text
//! Order ─► client ─► "command_list_begin …" ─► socket ─► reply ─► Told, library
//!             └── "idle" while there is nothing to do: a change comes by itself
//! ```
pub mod client;
mod command;
pub mod reply;
mod song;
