//! The speaker's own player: which piece is played when, sans-IO. Sound itself goes by [`sound`].
//!
//! ```text
//! Order ─► own ─► Start(piece) ─► a thread reads and decodes ─► sound ─► loudspeaker
//!            ▲                                                   │
//!            └── Opened, Title, Ended, Broken ◄──────────────────┘
//! ```
pub mod sound;
mod turn;

use std::collections::VecDeque;

use crate::order::{Doing, Duck, Order, Piece, Repeat, State, Told};
use crate::stream::title_and_artist;
use crate::track::{Player, System};
use turn::Turns;

/// Behind so much of a piece "previous" begins it anew, in milliseconds.
const ANEW_MS: u64 = 4_000;
/// After so many broken pieces in a row it gives up.
const BROKEN_MAX: usize = 5;

/// What became of a piece that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Its first sound is there.
    Opened {
        /// Which start.
        id: u64,
        /// The station's own name.
        station: Option<String>,
    },
    /// A station says what it plays.
    Title {
        /// Which start.
        id: u64,
        /// As it says it.
        title: String,
    },
    /// All of it has sounded.
    Ended {
        /// Which start.
        id: u64,
    },
    /// It cannot be played, or not on; why, in a few words.
    Broken {
        /// Which start.
        id: u64,
        /// Why.
        why: String,
    },
    /// It has faded.
    Faded,
}

/// What is wanted of the outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Read and decode this from there on, in place of what was.
    Start {
        /// Comes back with its events.
        id: u64,
        /// What.
        piece: Piece,
        /// From where, in milliseconds.
        from_ms: u64,
    },
    /// No more of it.
    Drop,
    /// How it sounds.
    Sound(Sounding),
    /// For the skill.
    Told(Told),
}

/// How it sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sounding {
    /// It waits.
    pub paused: bool,
    /// How far it gives way.
    pub duck: Duck,
    /// How loud it is by itself, in percent.
    pub percent: u8,
    /// It becomes softer for so long, then ends.
    pub fade_ms: Option<u64>,
}

/// The player.
#[derive(Debug)]
pub struct Own {
    pieces: Vec<Piece>,
    turns: Turns,
    doing: Doing,
    sounding: Sounding,
    repeat: Repeat,
    shuffle: bool,
    /// The start that counts.
    id: u64,
    from_ms: u64,
    opened: bool,
    /// The order that waits for the first sound.
    waiting: Option<u64>,
    broken: usize,
    station: String,
    title: String,
    outputs: VecDeque<Output>,
}

impl Own {
    /// A player that plays nothing; the seed mixes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            pieces: Vec::new(),
            turns: Turns::new(seed),
            doing: Doing::Stopped,
            sounding: Sounding {
                percent: 100,
                ..Sounding::default()
            },
            repeat: Repeat::Off,
            shuffle: false,
            id: 0,
            from_ms: 0,
            opened: false,
            waiting: None,
            broken: 0,
            station: String::new(),
            title: String::new(),
            outputs: VecDeque::new(),
        }
    }

    /// An order. `position_ms` is how far the piece has sounded.
    pub fn handle_order(&mut self, token: u64, order: &Order, position_ms: u64) {
        let mut done = true;
        match order {
            Order::Play {
                pieces,
                at,
                position_ms,
                shuffle,
            } => {
                self.pieces.clone_from(pieces);
                self.shuffle = *shuffle;
                self.broken = 0;
                // What is shuffled begins anywhere, unless a place was kept.
                let first = (!shuffle || *at > 0).then_some(*at);
                self.turns.set(self.pieces.len(), self.shuffle, first);
                self.waiting_is_over("Something else plays now.");
                if self.pieces.is_empty() {
                    let why = "There is nothing in it.".to_owned();
                    self.told(Told::Failed { token, why });
                    self.stop();
                    self.tell(0);
                    return;
                }
                self.waiting = Some(token);
                self.start(*position_ms);
                done = false;
            }
            Order::Playlist { .. } | Order::Search { .. } | Order::Room { .. } | Order::Rescan => {
                return;
            }
            Order::Pause => {
                if self.doing == Doing::Playing {
                    self.doing = Doing::Paused;
                    self.sounding.paused = true;
                    // A station does not wait.
                    if self.is_live() {
                        self.outputs.push_back(Output::Drop);
                    }
                    self.sound();
                }
            }
            Order::Resume => {
                if self.doing == Doing::Paused {
                    self.doing = Doing::Playing;
                    self.sounding.paused = false;
                    if self.is_live() {
                        self.start(0);
                    }
                    self.sound();
                } else if self.doing == Doing::Stopped && !self.pieces.is_empty() {
                    self.start(0);
                }
            }
            Order::Stop { fade_ms: 0 } => self.stop(),
            Order::Stop { fade_ms } => {
                if self.doing == Doing::Playing && self.sounding.duck < Duck::Hold {
                    self.sounding.fade_ms = Some(*fade_ms);
                    self.sound();
                } else {
                    self.stop();
                }
            }
            Order::Next => {
                if !self.turns.next(true) {
                    self.stop();
                } else {
                    self.start(0);
                }
            }
            Order::Previous => {
                if position_ms < ANEW_MS {
                    self.turns.back();
                }
                self.start(0);
            }
            Order::Again => self.start(0),
            Order::Shuffle { on } => {
                self.shuffle = *on;
                let now = self.turns.now();
                self.turns.set(self.pieces.len(), *on, now);
            }
            Order::Repeat { mode } => self.repeat = *mode,
            Order::Volume { percent } => {
                self.sounding.percent = (*percent).min(100);
                self.sound();
            }
            Order::Duck { how } => {
                self.sounding.duck = *how;
                self.outputs.push_back(Output::Sound(self.sounding));
                return;
            }
        }
        if done {
            self.told(Told::Done { token });
        }
        let position_ms = match order {
            Order::Play { .. } | Order::Next | Order::Previous | Order::Again => self.from_ms,
            _ => position_ms,
        };
        self.tell(position_ms);
    }

    /// What became of a piece.
    pub fn handle_event(&mut self, event: Event, position_ms: u64) {
        match event {
            Event::Opened { id, station } if id == self.id => {
                self.opened = true;
                self.broken = 0;
                if self.is_live() {
                    self.station = self
                        .piece()
                        .map_or_else(String::new, |piece| piece.title.clone());
                    if self.station.is_empty() {
                        self.station = station.unwrap_or_default();
                    }
                }
                if let Some(token) = self.waiting.take() {
                    self.told(Told::Done { token });
                }
                self.tell(position_ms);
            }
            Event::Title { id, title } if id == self.id => {
                self.title = title;
                self.tell(position_ms);
            }
            Event::Ended { id } if id == self.id => {
                if self.is_live() {
                    self.broke("the station ended its stream");
                } else if self.repeat == Repeat::One || self.turns.next(self.repeat == Repeat::All)
                {
                    self.start(0);
                    self.tell(0);
                } else {
                    self.stop();
                    self.tell(0);
                }
            }
            Event::Broken { id, why } if id == self.id => self.broke(&why),
            Event::Faded => {
                self.stop();
                self.tell(0);
            }
            // Of a piece that was left meanwhile.
            _ => {}
        }
    }

    /// What is wanted; none when there is nothing left.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn piece(&self) -> Option<&Piece> {
        self.pieces.get(self.turns.now()?)
    }

    fn is_live(&self) -> bool {
        self.piece()
            .is_some_and(|piece| piece.system == System::Radio)
    }

    fn told(&mut self, told: Told) {
        self.outputs.push_back(Output::Told(told));
    }

    fn sound(&mut self) {
        self.outputs.push_back(Output::Sound(self.sounding));
    }

    fn waiting_is_over(&mut self, why: &str) {
        if let Some(token) = self.waiting.take() {
            let why = why.to_owned();
            self.told(Told::Failed { token, why });
        }
    }

    fn start(&mut self, from_ms: u64) {
        let Some(piece) = self.piece().cloned() else {
            return;
        };
        self.id += 1;
        self.from_ms = from_ms;
        self.opened = false;
        self.title.clear();
        self.station.clear();
        self.doing = Doing::Playing;
        self.sounding.paused = false;
        self.sounding.fade_ms = None;
        let id = self.id;
        self.outputs.push_back(Output::Start { id, piece, from_ms });
        self.sound();
    }

    fn stop(&mut self) {
        self.id += 1;
        self.doing = Doing::Stopped;
        self.sounding.fade_ms = None;
        self.sounding.paused = false;
        self.outputs.push_back(Output::Drop);
        self.sound();
        self.waiting_is_over("It was stopped.");
    }

    /// A piece that cannot be played: the next one, until too many are like it.
    fn broke(&mut self, why: &str) {
        self.broken += 1;
        let name = self
            .piece()
            .map_or_else(String::new, |piece| piece.title.clone());
        let give_up = self.broken >= BROKEN_MAX.min(self.pieces.len());
        if give_up || !self.turns.next(self.repeat == Repeat::All) {
            let why = format!("I can't play {name}: {why}.");
            match self.waiting.take() {
                Some(token) => self.told(Told::Failed { token, why }),
                None => self.told(Told::Trouble { why }),
            }
            self.stop();
        } else {
            // One sentence is enough for several in a row.
            if self.broken == 1 && self.waiting.is_none() {
                let why = format!("I can't play {name}: {why}. I go on with the next.");
                self.told(Told::Trouble { why });
            }
            self.start(0);
        }
        self.tell(0);
    }

    fn tell(&mut self, position_ms: u64) {
        let mut state = State {
            doing: self.doing,
            shuffle: self.shuffle,
            repeat: self.repeat,
            percent: Some(self.sounding.percent),
            at: self.turns.now().unwrap_or(0),
            ..State::default()
        };
        if let Some(piece) = self.piece() {
            if piece.system == System::Radio {
                (state.title, state.artist) = title_and_artist(&self.title);
                state.station = if self.station.is_empty() {
                    piece.title.clone()
                } else {
                    self.station.clone()
                };
            } else {
                state.title.clone_from(&piece.title);
                state.artist.clone_from(&piece.artist);
                state.album.clone_from(&piece.album);
                state.length_ms = u64::from(piece.seconds) * 1_000;
            }
            if self.doing != Doing::Stopped {
                state.position_ms = position_ms;
            }
        }
        let player = Player::Own;
        self.told(Told::State { player, state });
    }
}
