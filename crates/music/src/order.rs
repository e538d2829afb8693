//! What the skill and its adapter say to each other, as values of the seam.
use serde::{Deserialize, Serialize};

use crate::skill::Settings;
use crate::track::{Player, System};

/// Most tracks of one queue.
pub const QUEUE_TRACKS_MAX: usize = 1_000;

/// One place of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Whose it is.
    pub system: System,
    /// What its system calls it.
    pub key: String,
    /// Title, or the station's name.
    pub title: String,
    /// Who plays it.
    #[serde(default)]
    pub artist: String,
    /// Its album.
    #[serde(default)]
    pub album: String,
    /// How long it is; 0 when nobody knows.
    #[serde(default)]
    pub seconds: u32,
}

/// What is played after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Repeat {
    /// Nothing.
    #[default]
    Off,
    /// The same track.
    One,
    /// The first again.
    All,
}

/// How far music gives way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Duck {
    /// Not at all.
    #[default]
    Full,
    /// Soft, so that words are understood.
    Soft,
    /// It holds where it is, until it may go on.
    Hold,
    /// It is silent with the next block of sound.
    Silent,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Order {
    /// Play these instead of what plays.
    Play {
        /// The queue.
        pieces: Vec<Piece>,
        /// Where to begin.
        at: usize,
        /// How far into the first.
        position_ms: u64,
        /// In any order.
        shuffle: bool,
    },
    /// Play a list that only its system can open.
    Playlist {
        /// What its system calls it.
        key: String,
        /// Whose it is.
        system: System,
        /// In any order.
        shuffle: bool,
    },
    /// Look for this and play what fits best: for a player that has its own music.
    Search {
        /// The words.
        words: String,
        /// What kind it is, as the sentences name it; none: any.
        class: Option<String>,
    },
    /// Pause.
    Pause,
    /// Go on.
    Resume,
    /// Stop, softer and softer for so long.
    Stop {
        /// How long it fades.
        fade_ms: u64,
    },
    /// The next track.
    Next,
    /// The track before, or this one from its beginning.
    Previous,
    /// This one from its beginning.
    Again,
    /// In any order, or not.
    Shuffle {
        /// Whether.
        on: bool,
    },
    /// What follows the last.
    Repeat {
        /// How.
        mode: Repeat,
    },
    /// How loud music is by itself, in percent.
    Volume {
        /// In percent.
        percent: u8,
    },
    /// Give way, or no more.
    Duck {
        /// How far.
        how: Duck,
    },
    /// Let the music sound in this room.
    Room {
        /// As it was said.
        room: String,
        /// There only; else there too. A room of no name: everywhere.
        only: bool,
    },
    /// Look again at what there is.
    Rescan,
}

/// An order with its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Comes back with the answer.
    pub token: u64,
    /// Who is to play.
    pub player: Player,
    /// What is to be done.
    #[serde(flatten)]
    pub order: Order,
}

/// What a player does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Doing {
    /// Nothing.
    #[default]
    Stopped,
    /// It plays.
    Playing,
    /// It has paused.
    Paused,
}

/// What a player plays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// What it does.
    pub doing: Doing,
    /// Title, as the track or the station's stream says it.
    pub title: String,
    /// Who plays it.
    pub artist: String,
    /// Its album.
    pub album: String,
    /// The station, when it is one.
    pub station: String,
    /// How far it is, in milliseconds.
    pub position_ms: u64,
    /// How long it is; 0 when nobody knows.
    pub length_ms: u64,
    /// Which place of the queue.
    pub at: usize,
    /// In any order.
    pub shuffle: bool,
    /// What follows the last.
    pub repeat: Repeat,
    /// How loud music is by itself; none when nobody can say.
    pub percent: Option<u8>,
}

/// What the adapter tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Told {
    /// An order is done.
    Done {
        /// Its token.
        token: u64,
    },
    /// An order is not done.
    Failed {
        /// Its token.
        token: u64,
        /// Why: a whole sentence.
        why: String,
    },
    /// What plays has changed.
    State {
        /// Whose.
        player: Player,
        /// What it plays now.
        state: State,
    },
    /// Something went wrong by itself: a whole sentence that is said.
    Trouble {
        /// What, and what happens instead.
        why: String,
    },
    /// The rooms to which music can be sent.
    Rooms {
        /// Their names.
        names: Vec<String>,
    },
    /// The library has changed: for pages and complaints.
    Library {
        /// How many tracks.
        tracks: usize,
        /// Why a system gave none: a whole sentence each.
        missing: Vec<String>,
    },
    /// The configuration is another one.
    Setup {
        /// What counts from now on.
        settings: Settings,
        /// Players that are gone, or are others now: what they did is over.
        gone: Vec<Player>,
    },
}
