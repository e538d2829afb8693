//! One connection to a server, and what is to be done on it: sans-IO. After each `handle_*` drain [`Client::poll_output`]
//! until it says `Timeout`.
use core::time::Duration;
use std::collections::VecDeque;

use super::command;
use super::reply::{Line, Lines, Refused};
use super::song::{self, Pair};
use crate::order::{Doing, Duck, Order, State, Told};
use crate::track::{Player, Playlist, TEXT_BYTES_MAX, Track};

/// How long connecting and greeting may take.
const OPEN_MAX: Duration = Duration::from_millis(1_200);
/// How long one reply may take.
const REPLY_MAX: Duration = Duration::from_millis(1_500);
/// The same for a part of the library.
const PAGE_MAX: Duration = Duration::from_secs(10);
/// First and longest wait before it is tried again.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// Songs of one part of the library.
const PAGE_SONGS: usize = 500;
/// Most bytes of one reply; beyond it the server floods.
const REPLY_BYTES_MAX: usize = 16 * 1_024 * 1_024;
/// Most orders that wait.
const JOBS_MAX: usize = 64;
/// Loudness under words, of 100.
const SOFT_PERCENT: u32 = 20;

/// What is wanted of the outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open a connection.
    Connect,
    /// Close it; what comes from it afterwards counts no more.
    Close,
    /// Send this.
    Send(Vec<u8>),
    /// For the skill.
    Told(Told),
    /// Everything that the server has.
    Library {
        /// Tracks.
        tracks: Vec<Track>,
        /// Lists.
        playlists: Vec<Playlist>,
    },
    /// It is away: why, as a whole sentence.
    Away(String),
    /// Nothing more until then, or until something comes.
    Timeout(Option<Duration>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Password,
    Order { token: u64 },
    Duck,
    Status,
    Page { from: usize },
    Playlists,
}

#[derive(Debug)]
struct Job {
    what: What,
    text: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Link {
    Away { again: Duration },
    Opening { until: Duration },
    Greeting { until: Duration },
    Up,
}

/// A client.
#[derive(Debug)]
pub struct Client {
    link: Link,
    lines: Lines,
    password: Option<String>,
    outputs: VecDeque<Output>,
    jobs: VecDeque<Job>,
    running: Option<(What, Duration)>,
    idle: bool,
    leaving_idle: bool,
    pairs: Vec<Pair>,
    reply_bytes: usize,
    retry: Duration,
    state: State,
    complained: Option<String>,
    duck: Duck,
    /// The volume before it became soft.
    ducked_from: Option<u8>,
    /// It was paused for somebody else.
    held: bool,
    tracks: Vec<Track>,
    told_away: bool,
}

impl Client {
    /// A client that connects at once.
    #[must_use]
    pub fn new(password: Option<String>) -> Self {
        Self {
            link: Link::Away {
                again: Duration::ZERO,
            },
            lines: Lines::default(),
            password,
            outputs: VecDeque::new(),
            jobs: VecDeque::new(),
            running: None,
            idle: false,
            leaving_idle: false,
            pairs: Vec::new(),
            reply_bytes: 0,
            retry: RETRY_MIN,
            state: State::default(),
            complained: None,
            duck: Duck::Full,
            ducked_from: None,
            held: false,
            tracks: Vec::new(),
            told_away: false,
        }
    }

    /// An order of the skill.
    pub fn handle_order(&mut self, token: u64, order: &Order, now: Duration) {
        if self.jobs.len() >= JOBS_MAX {
            let why = "The music player M P D has too much to do.".to_owned();
            self.told(Told::Failed { token, why });
            return;
        }
        let text = match order {
            Order::Play {
                pieces,
                at,
                position_ms,
                shuffle,
            } => {
                self.held = false;
                command::play(pieces, *at, *position_ms, *shuffle)
            }
            Order::Playlist { key, shuffle, .. } => {
                self.held = false;
                command::playlist(key, *shuffle)
            }
            Order::Pause => {
                self.held = false;
                "pause 1\n".into()
            }
            Order::Resume => match self.state.doing {
                Doing::Stopped => "play\n".into(),
                _ => "pause 0\n".into(),
            },
            Order::Stop { .. } => {
                self.held = false;
                "stop\n".into()
            }
            Order::Next => "next\n".into(),
            Order::Previous => "previous\n".into(),
            Order::Again => "seekcur 0\n".into(),
            Order::Shuffle { on } => format!("random {}\n", u8::from(*on)),
            Order::Repeat { mode } => command::repeat(*mode),
            Order::Volume { percent } => {
                // What was soft stays so, and comes back as loud as is said now.
                if let Some(from) = &mut self.ducked_from {
                    *from = *percent;
                    self.told(Told::Done { token });
                    return;
                }
                self.state.percent = self.state.percent.map(|_| *percent);
                format!("setvol {percent}\n")
            }
            Order::Duck { how } => {
                self.give_way(*how, now);
                return;
            }
            Order::Rescan => "update\n".into(),
            Order::Room { .. } | Order::Search { .. } => return,
        };
        self.put(What::Order { token }, text);
        if let Link::Away { .. } = self.link {
            self.open(now);
        }
        self.go_on(now);
    }

    /// The connection stands.
    pub fn handle_connected(&mut self, now: Duration) {
        if let Link::Opening { .. } = self.link {
            self.link = Link::Greeting {
                until: now + OPEN_MAX,
            };
            self.lines = Lines::default();
        }
    }

    /// The connection failed or ended; why, in a few words.
    pub fn handle_closed(&mut self, why: &str, now: Duration) {
        if !matches!(self.link, Link::Away { .. }) {
            self.away(why, now);
        }
    }

    /// Bytes of the server.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Duration) {
        if !matches!(self.link, Link::Greeting { .. } | Link::Up) {
            return;
        }
        self.reply_bytes += bytes.len();
        if self.reply_bytes > REPLY_BYTES_MAX {
            self.outputs.push_back(Output::Close);
            self.away("it sends more than anybody asked for", now);
            return;
        }
        self.lines.push(bytes);
        loop {
            match self.lines.next_line() {
                Ok(Some(line)) => self.line(line, now),
                Ok(None) => return,
                Err(error) => {
                    self.outputs.push_back(Output::Close);
                    self.away(&error.to_string(), now);
                    return;
                }
            }
            if matches!(self.link, Link::Away { .. }) {
                return;
            }
        }
    }

    /// The time of [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        match self.link {
            Link::Away { again } if again <= now => self.open(now),
            Link::Opening { until } | Link::Greeting { until } if until <= now => {
                self.outputs.push_back(Output::Close);
                self.away("nobody answers", now);
            }
            Link::Up
                if self
                    .running
                    .as_ref()
                    .is_some_and(|(_, until)| *until <= now) =>
            {
                self.outputs.push_back(Output::Close);
                self.away("it stopped answering", now);
            }
            _ => {}
        }
    }

    /// What is wanted.
    pub fn poll_output(&mut self) -> Output {
        self.outputs.pop_front().unwrap_or_else(|| {
            Output::Timeout(match self.link {
                Link::Away { again } => Some(again),
                Link::Opening { until } | Link::Greeting { until } => Some(until),
                Link::Up => self.running.as_ref().map(|(_, until)| *until),
            })
        })
    }

    fn told(&mut self, told: Told) {
        self.outputs.push_back(Output::Told(told));
    }

    /// Orders go before what is only looked up.
    fn put(&mut self, what: What, text: String) {
        let urgent = matches!(what, What::Password | What::Order { .. } | What::Duck);
        let place = if urgent {
            let later =
                |job: &Job| !matches!(job.what, What::Password | What::Order { .. } | What::Duck);
            self.jobs.iter().position(later).unwrap_or(self.jobs.len())
        } else {
            self.jobs.len()
        };
        self.jobs.insert(place, Job { what, text });
    }

    fn look(&mut self) {
        if !self.jobs.iter().any(|job| job.what == What::Status) {
            self.put(
                What::Status,
                command::list(&["status".into(), "currentsong".into()]),
            );
        }
    }

    fn read_library(&mut self) {
        self.tracks.clear();
        self.jobs
            .retain(|job| !matches!(job.what, What::Page { .. } | What::Playlists));
        self.put(What::Page { from: 0 }, command::page(0, PAGE_SONGS));
    }

    fn open(&mut self, now: Duration) {
        self.link = Link::Opening {
            until: now + OPEN_MAX,
        };
        self.outputs.push_back(Output::Connect);
    }

    fn away(&mut self, why: &str, now: Duration) {
        let sentence = format!("I can't reach the music player M P D: {why}.");
        self.link = Link::Away {
            again: now + self.retry,
        };
        self.retry = (self.retry * 2).min(RETRY_MAX);
        self.lines = Lines::default();
        self.pairs.clear();
        (self.idle, self.leaving_idle, self.reply_bytes) = (false, false, 0);
        let running = self.running.take().map(|(what, _)| what);
        let waiting: Vec<What> = self.jobs.drain(..).map(|job| job.what).collect();
        for what in running.into_iter().chain(waiting) {
            if let What::Order { token } = what {
                self.told(Told::Failed {
                    token,
                    why: sentence.clone(),
                });
            }
        }
        if self.state.doing != Doing::Stopped {
            self.state = State::default();
            self.tell_state();
        }
        if !core::mem::replace(&mut self.told_away, true) {
            self.outputs.push_back(Output::Away(sentence));
        }
    }

    fn tell_state(&mut self) {
        let mut state = self.state.clone();
        // What is soft for a while is still as loud as somebody wished, and what is held still plays.
        state.percent = self.ducked_from.or(state.percent);
        if self.held && state.doing == Doing::Paused {
            state.doing = Doing::Playing;
        }
        self.told(Told::State {
            player: Player::Mpd,
            state,
        });
    }

    /// Begins the next thing, if nothing is under way.
    fn go_on(&mut self, now: Duration) {
        if self.link != Link::Up || self.running.is_some() {
            return;
        }
        if self.idle {
            if !self.jobs.is_empty() && !core::mem::replace(&mut self.leaving_idle, true) {
                self.outputs.push_back(Output::Send(b"noidle\n".to_vec()));
            }
            return;
        }
        self.reply_bytes = 0;
        self.pairs.clear();
        match self.jobs.pop_front() {
            Some(job) => {
                let max = match job.what {
                    What::Page { .. } | What::Playlists => PAGE_MAX,
                    _ => REPLY_MAX,
                };
                self.running = Some((job.what, now + max));
                self.outputs.push_back(Output::Send(job.text.into_bytes()));
            }
            None => {
                self.idle = true;
                self.leaving_idle = false;
                let idle = b"idle player mixer options database stored_playlist\n";
                self.outputs.push_back(Output::Send(idle.to_vec()));
            }
        }
    }

    fn line(&mut self, line: Line, now: Duration) {
        match line {
            Line::Greeting(_) => {
                self.link = Link::Up;
                self.retry = RETRY_MIN;
                self.told_away = false;
                if let Some(password) = &self.password {
                    let text = format!("password {}\n", command::quoted(password));
                    self.jobs.push_front(Job {
                        what: What::Password,
                        text,
                    });
                }
                self.look();
                self.read_library();
                self.go_on(now);
            }
            Line::Pair(key, value) => {
                if value.len() <= TEXT_BYTES_MAX {
                    self.pairs.push((key, value));
                }
            }
            Line::ListOk => {}
            Line::Done => self.done(now),
            Line::Refused(refused) => self.refused(&refused, now),
        }
    }

    fn done(&mut self, now: Duration) {
        let pairs = core::mem::take(&mut self.pairs);
        if core::mem::take(&mut self.idle) {
            let changed = |what: &[&str]| {
                pairs
                    .iter()
                    .any(|(key, value)| key == "changed" && what.contains(&value.as_str()))
            };
            if changed(&["player", "mixer", "options"]) {
                self.look();
            }
            if changed(&["database", "stored_playlist"]) {
                self.read_library();
            }
            self.go_on(now);
            return;
        }
        match self.running.take().map(|(what, _)| what) {
            Some(What::Order { token }) => {
                self.told(Told::Done { token });
                self.look();
            }
            Some(What::Status) => self.status(&pairs, now),
            Some(What::Page { from }) => {
                let songs = song::songs(&pairs);
                let more =
                    songs.len() >= PAGE_SONGS && self.tracks.len() < crate::library::TRACKS_MAX;
                self.tracks.extend(songs);
                if more {
                    let from = from + PAGE_SONGS;
                    self.put(What::Page { from }, command::page(from, from + PAGE_SONGS));
                } else {
                    self.put(What::Playlists, "listplaylists\n".into());
                }
            }
            Some(What::Playlists) => {
                let tracks = core::mem::take(&mut self.tracks);
                let playlists = song::playlists(&pairs);
                self.outputs
                    .push_back(Output::Library { tracks, playlists });
            }
            Some(What::Password | What::Duck) | None => {}
        }
        self.go_on(now);
    }

    fn refused(&mut self, refused: &Refused, now: Duration) {
        self.idle = false;
        let running = self.running.take().map(|(what, _)| what);
        let why = match refused.code {
            3 => "The music player M P D does not take our password.".to_owned(),
            4 => "The music player M P D does not allow that: it wants a password.".to_owned(),
            50 => "The music player M P D no longer has that.".to_owned(),
            _ => {
                let text: String = refused
                    .text
                    .chars()
                    .filter(|c| !c.is_control())
                    .take(120)
                    .collect();
                format!("The music player M P D refused that: {text}.")
            }
        };
        match running {
            Some(What::Order { token }) => {
                self.told(Told::Failed { token, why });
                self.look();
            }
            Some(What::Password) => self.outputs.push_back(Output::Away(why)),
            // A server without lists still has songs.
            Some(What::Playlists) => {
                let tracks = core::mem::take(&mut self.tracks);
                let playlists = Vec::new();
                self.outputs
                    .push_back(Output::Library { tracks, playlists });
            }
            Some(What::Page { .. }) => self.outputs.push_back(Output::Away(why)),
            // Without a mixer it cannot become soft: then it holds.
            Some(What::Duck) if self.duck >= Duck::Soft && !self.held => {
                self.ducked_from = None;
                self.hold();
            }
            Some(What::Duck | What::Status) | None => {}
        }
        self.go_on(now);
    }

    fn status(&mut self, pairs: &[Pair], now: Duration) {
        let (state, complaint) = song::state(pairs);
        if let Some(complaint) = &complaint
            && self.complained.as_ref() != Some(complaint)
        {
            let text: String = complaint
                .chars()
                .filter(|c| !c.is_control())
                .take(160)
                .collect();
            let why = format!("The music player M P D says: {text}.");
            self.told(Told::Trouble { why });
        }
        self.complained = complaint;
        if state.doing == Doing::Playing && self.duck < Duck::Hold {
            self.held = false;
        }
        self.state = state;
        self.tell_state();
        // It began to play, or came back, while somebody speaks.
        if self.duck > Duck::Full && self.state.doing == Doing::Playing && !self.held {
            if self.ducked_from.is_none() || self.duck >= Duck::Hold {
                let how = self.duck;
                self.give_way(how, now);
            }
        } else if self.duck == Duck::Full && self.ducked_from.is_some() {
            self.give_way(Duck::Full, now);
        }
    }

    fn hold(&mut self) {
        self.held = true;
        self.put(What::Duck, "pause 1\n".into());
        self.look();
    }

    fn give_way(&mut self, how: Duck, now: Duration) {
        self.duck = how;
        let plays = self.state.doing == Doing::Playing;
        match how {
            Duck::Full => {
                if let Some(percent) = self.ducked_from.take() {
                    // As loud as it will be: who speaks again at once must not make it softer for good.
                    self.state.percent = Some(percent);
                    self.put(What::Duck, format!("setvol {percent}\n"));
                }
                if core::mem::take(&mut self.held) {
                    self.put(What::Duck, "pause 0\n".into());
                }
                self.look();
            }
            Duck::Soft if plays && self.held => {}
            Duck::Soft if plays => match self.state.percent {
                Some(percent) if self.ducked_from.is_none() => {
                    self.ducked_from = Some(percent);
                    let soft = u32::from(percent) * SOFT_PERCENT / 100;
                    self.put(What::Duck, format!("setvol {soft}\n"));
                }
                Some(_) => {}
                None => self.hold(),
            },
            Duck::Hold | Duck::Silent if plays && !self.held => self.hold(),
            Duck::Soft | Duck::Hold | Duck::Silent => {}
        }
        if self.link != Link::Up {
            // Nothing plays that we know of; the status after connecting decides.
            self.jobs
                .retain(|job| !matches!(job.what, What::Duck | What::Status));
        }
        self.go_on(now);
    }
}
