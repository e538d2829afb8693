//! What can be played: tracks, playlists, stations, and whose they are.
use serde::{Deserialize, Serialize};

/// Longest title, name or key that is kept, in bytes; longer ones are left out.
pub const TEXT_BYTES_MAX: usize = 1_024;

/// The system that has something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// Folders of this machine.
    Files,
    /// A Music Player Daemon.
    Mpd,
    /// A Subsonic server.
    Subsonic,
    /// Radio stations of the configuration.
    Radio,
}

impl System {
    /// As it is spoken.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Files => "the music folder",
            Self::Mpd => "the music player M P D",
            Self::Subsonic => "the music server",
            Self::Radio => "the radio station",
        }
    }

    /// Who plays what this system has.
    #[must_use]
    pub const fn player(self) -> Player {
        match self {
            Self::Mpd => Player::Mpd,
            Self::Files | Self::Subsonic | Self::Radio => Player::Own,
        }
    }
}

/// Who makes the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Player {
    /// This speaker.
    #[default]
    Own,
    /// A Music Player Daemon, by loudspeakers of its own.
    Mpd,
    /// A media player of Home Assistant's, by its own.
    #[serde(rename = "home_assistant")]
    HomeAssistant,
}

/// One piece of music.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Track {
    /// What its system calls it: a path, a URI, an id.
    pub key: String,
    /// Title.
    pub title: String,
    /// Who plays it; empty when nobody knows.
    pub artist: String,
    /// Album; empty when there is none.
    pub album: String,
    /// Genre; empty when nobody knows.
    pub genre: String,
    /// Its place on the album: disc times 1,000 and number.
    pub place: u32,
    /// How long it is, in seconds; 0 when nobody knows.
    pub seconds: u32,
}

/// A list that somebody made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Playlist {
    /// What its system calls it.
    pub key: String,
    /// Its name.
    pub name: String,
}

/// A radio station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Station {
    /// Its name, as it is spoken.
    pub name: String,
    /// Where its sound, or a list (`.m3u`, `.pls`) that names it, is.
    pub url: String,
}
