//! Adapter: music as a skill of the speaker, and who plays it.
//!
//! ```text
//! sentence ─► skill ─► order ─► adapter ─► own player ─► loudspeaker, below words and calls
//!    library ◄─ folders, MPD, Subsonic ◄─┘└─► MPD, Snapcast
//! ```
//! [`skill::MusicSkill`], the own player's turns and the protocols are sans-IO; `io` is the thin rest. Nothing here can
//! call anybody.
pub mod io;
pub mod library;
pub mod mp3;
pub mod mpd;
pub mod order;
pub mod own;
pub mod query;
pub mod remote;
pub mod sentences;
pub mod skill;
pub mod snapcast;
pub mod stream;
pub mod subsonic;
pub mod tags;
pub mod track;
mod words;
