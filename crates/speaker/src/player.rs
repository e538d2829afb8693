//! The seam between music and a player of another system: what it is told, what it says of itself.
//!
//! ```text
//! music ─► Asked (token, order) ─► who knows its wire ─► the player
//!   ▲ News: State, Done, Failed, Away ◄─┘
//! ```
//! Neither end knows the other's crate; whoever makes the skills joins them by [`ends`].
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::mpsc;

/// Orders and news that wait, each way.
const WAITING_MAX: usize = 64;

/// What a player is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Go on.
    Resume,
    /// Pause.
    Pause,
    /// Stop.
    Stop,
    /// The next track.
    Next,
    /// The track before.
    Previous,
    /// This one from its beginning.
    Again,
    /// In any order, or not.
    Shuffle(bool),
    /// What follows the last: `off`, `one`, `all`.
    Repeat(&'static str),
    /// How loud it is, in per cent.
    Volume(u8),
    /// Play what is at this address.
    Url(String),
    /// Look for this and play what fits best.
    Search {
        /// The words.
        words: String,
        /// What kind it is, by Home Assistant's names: `artist`, `album`, `track`; none: any.
        class: Option<String>,
    },
}

/// An order with what comes back when it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Given back.
    pub token: u64,
    /// What is to be done.
    pub order: Order,
}

/// What a player does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Doing {
    /// Nothing, or it is off.
    #[default]
    Stopped,
    /// It plays.
    Playing,
    /// It has paused.
    Paused,
}

/// How a player is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// What it does.
    pub doing: Doing,
    /// Title; empty when it tells none.
    pub title: String,
    /// Who plays it.
    pub artist: String,
    /// Its album.
    pub album: String,
    /// The station or channel.
    pub station: String,
    /// How far it is, in milliseconds.
    pub position_ms: u64,
    /// How long it is; 0 when it does not tell.
    pub length_ms: u64,
    /// In any order.
    pub shuffle: bool,
    /// What follows the last: `off`, `one`, `all`.
    pub repeat: String,
    /// How loud it is, in per cent; none when it does not tell.
    pub percent: Option<u8>,
}

/// What a player says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It is so now.
    State(State),
    /// An order is done.
    Done {
        /// Which.
        token: u64,
    },
    /// An order is not done.
    Failed {
        /// Which.
        token: u64,
        /// Why, in a few words.
        why: String,
    },
    /// It cannot be reached, and why, in a few words.
    Away {
        /// In words.
        why: String,
    },
}

/// The end of whoever orders.
#[derive(Debug)]
pub struct Orderer {
    /// What is to be done.
    pub ask: mpsc::Sender<Asked>,
    /// What it says.
    pub news: mpsc::Receiver<News>,
}

/// The end of whoever knows the player's wire.
#[derive(Debug)]
pub struct Wired {
    /// What is to be done.
    pub asked: mpsc::Receiver<Asked>,
    /// What it says.
    pub tell: mpsc::Sender<News>,
}

/// The rooms to which music sends its own sound: what is to be played there is its own, whatever else could play there.
#[derive(Debug, Clone, Default)]
pub struct Rooms(Arc<RwLock<Vec<String>>>);

impl Rooms {
    /// These from now on.
    pub fn set(&self, names: &[String]) {
        let folded = names.iter().map(|name| folded(name)).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = folded;
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let rooms = self.0.read().unwrap_or_else(PoisonError::into_inner);
        rooms.contains(&folded(name))
    }
}

fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// The two ends.
#[must_use]
pub fn ends() -> (Orderer, Wired) {
    let (ask, asked) = mpsc::channel(WAITING_MAX);
    let (tell, news) = mpsc::channel(WAITING_MAX);
    (Orderer { ask, news }, Wired { asked, tell })
}
