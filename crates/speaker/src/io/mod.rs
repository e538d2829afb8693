//! The device's outside: files, programs, sockets and threads. Everything that decides is in the pure modules beside it.
mod api;
mod directory;
pub mod event_stream;
pub mod hearing;
mod home;
mod household;
pub mod lost;
pub mod loudspeaker;
pub mod microphone;
pub mod music;
mod own_address;
pub mod password;
pub mod recording;
pub mod run;
pub mod skills;
pub mod store;
mod tone;
pub mod zone;
