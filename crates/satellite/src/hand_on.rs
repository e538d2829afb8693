//! The skill that hands on what nobody here takes, and plays what comes back.
//!
//! ```text
//! ear ─► judge ─► calls, messages ─► skills ─ nobody ─► overhear ─► adapter ─► Home Assistant
//!                                            loudspeaker ◄─ Deed::Play ◄────────────┘
//! ```
//! It stands last, so it never sees an emergency, a call, or a sentence of ours; and it never holds anything up.
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hearthline_speaker::messages::Part;
use hearthline_speaker::skill::{Asked, Deed, Engaged, Event, Reply, Ringing, Skill};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::exchange::{Ended, FromServer, Sound, TimerChange};

/// What is said when no answer came.
pub const NO_ANSWER: &str = "Home Assistant did not answer.";
/// What is said when it could not be done.
pub const FAILED: &str = "Home Assistant could not do that.";
/// How long an answer is waited for; a connection gives up sooner.
const ANSWER_MAX: Duration = Duration::from_secs(35);
/// Longest ring of somebody else's timer.
const RING_MAX: Duration = Duration::from_secs(15 * 60);
/// Timers of others that are shown.
const TIMERS_MAX: usize = 64;
/// Words that end a ring.
const STOPS: [&str; 6] = ["stop", "off", "quiet", "silence", "dismiss", "enough"];

/// What the skill asks its adapter.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Out {
    /// [`crate::exchange::ToServer::HandOn`]; the sound is base64 of little-endian samples.
    HandOn {
        /// Given back.
        id: u64,
        /// The sound.
        sound: String,
    },
    /// [`crate::exchange::ToServer::Played`].
    Played {
        /// Which.
        token: u64,
        /// All of it.
        whole: bool,
    },
    /// [`crate::exchange::ToServer::Busy`].
    Busy(bool),
}

/// What the adapter tells the skill.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// [`FromServer::Serves`].
    Serves(bool),
    /// [`FromServer::Play`] with samples.
    Samples {
        /// Given back.
        token: u64,
        /// What is answered.
        answers: Option<u64>,
        /// The sound, base64 of little-endian samples.
        sound: String,
    },
    /// [`FromServer::Play`] with words.
    Words {
        /// Given back.
        token: u64,
        /// What is answered.
        answers: Option<u64>,
        /// The words.
        text: String,
    },
    /// [`FromServer::Ended`].
    Ended {
        /// Which.
        id: u64,
        /// `silent`, `not understood` or `failed`.
        how: String,
    },
    /// [`TimerChange::Set`].
    TimerSet {
        /// Names it.
        id: String,
        /// What it is called.
        name: Option<String>,
        /// How long.
        seconds: u64,
        /// It runs.
        active: bool,
    },
    /// [`TimerChange::Cancelled`].
    TimerCancelled(String),
    /// [`TimerChange::Finished`].
    TimerFinished(String),
}

impl From<FromServer> for Came {
    fn from(news: FromServer) -> Self {
        match news {
            FromServer::Serves(serves) => Self::Serves(serves),
            FromServer::Play {
                token,
                answers,
                sound: Sound::Samples(samples),
            } => Self::Samples {
                token,
                answers,
                sound: encoded(&samples),
            },
            FromServer::Play {
                token,
                answers,
                sound: Sound::Words(text),
            } => Self::Words {
                token,
                answers,
                text,
            },
            FromServer::Ended { id, how } => Self::Ended {
                id,
                how: match how {
                    Ended::Silent => "silent",
                    Ended::NotUnderstood => "not understood",
                    Ended::Failed => "failed",
                }
                .to_owned(),
            },
            FromServer::Timer(TimerChange::Set(timer)) => Self::TimerSet {
                id: timer.id,
                name: timer.name,
                seconds: timer.seconds,
                active: timer.active,
            },
            FromServer::Timer(TimerChange::Cancelled(id)) => Self::TimerCancelled(id),
            FromServer::Timer(TimerChange::Finished(id)) => Self::TimerFinished(id),
        }
    }
}

/// Samples as text.
#[must_use]
pub fn encoded(samples: &[i16]) -> String {
    STANDARD.encode(crate::sound::bytes_of(samples))
}

/// Text as samples; none when it is no such text.
#[must_use]
pub fn decoded(text: &str) -> Option<Vec<i16>> {
    let bytes = STANDARD.decode(text).ok()?;
    let pairs = bytes.chunks_exact(2);
    Some(
        pairs
            .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
            .collect(),
    )
}

/// A timer that somebody else keeps.
#[derive(Debug)]
struct Kept {
    name: Option<String>,
    seconds: u64,
    active: bool,
}

/// The skill.
#[derive(Debug, Default)]
pub struct HandOn {
    serves: bool,
    last_id: u64,
    /// What was handed on, and until when an answer counts.
    waits: Option<(u64, Duration)>,
    timers: BTreeMap<String, Kept>,
    rings_until: Option<Duration>,
    deeds: VecDeque<Deed>,
}

impl HandOn {
    /// A skill without a server yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn out(&mut self, out: &Out) {
        if let Ok(value) = serde_json::to_value(out) {
            self.deeds.push_back(Deed::Out(value));
        }
    }

    fn say(&mut self, text: &str) {
        self.deeds.push_back(Deed::Say(text.to_owned()));
    }

    fn step(&mut self, what: &str) {
        self.deeds.push_back(Deed::Step(what.to_owned()));
    }

    fn show(&mut self) {
        let timers: Vec<Value> = self
            .timers
            .iter()
            .map(|(id, timer)| {
                json!({"id": id, "name": timer.name, "seconds": timer.seconds, "active": timer.active})
            })
            .collect();
        let value = json!({"connected": self.serves, "timers": timers});
        self.deeds.push_back(Deed::Show(value));
    }

    fn came(&mut self, came: Came, now: Duration) {
        match came {
            Came::Serves(serves) => {
                self.serves = serves;
                if !serves {
                    self.timers.clear();
                }
                self.step(if serves {
                    "Home Assistant is connected"
                } else {
                    "Home Assistant is not connected any more"
                });
                self.show();
            }
            Came::Samples {
                token,
                answers,
                sound,
            } => match decoded(&sound) {
                Some(samples) => self.play(token, answers, Part::Sound(samples)),
                None => self.played(token, false, now),
            },
            Came::Words {
                token,
                answers,
                text,
            } => self.play(token, answers, Part::Words(text)),
            Came::Ended { id, how } => self.ended(id, &how),
            Came::TimerSet {
                id,
                name,
                seconds,
                active,
            } => {
                let known = self.timers.get(&id).and_then(|timer| timer.name.clone());
                if self.timers.len() < TIMERS_MAX || self.timers.contains_key(&id) {
                    let name = name.or(known);
                    let timer = Kept {
                        name,
                        seconds,
                        active,
                    };
                    self.timers.insert(id, timer);
                }
                self.show();
            }
            Came::TimerCancelled(id) => {
                self.timers.remove(&id);
                self.show();
            }
            Came::TimerFinished(id) => {
                self.timers.remove(&id);
                self.show();
                self.rings_until = Some(now + RING_MAX);
                self.deeds.push_back(Deed::Ring(Some(Ringing::Timer)));
            }
        }
    }

    fn play(&mut self, token: u64, answers: Option<u64>, part: Part) {
        let awaited = self.waits.is_some_and(|(id, _)| answers == Some(id));
        if awaited {
            self.waits = None;
        } else if answers.is_some() {
            // An answer that nobody waits for any more.
            return self.out(&Out::Played {
                token,
                whole: false,
            });
        }
        let mut parts = vec![part];
        if answers.is_none() {
            parts.insert(0, Part::Chime);
        }
        self.deeds.push_back(Deed::Play { token, parts });
    }

    fn ended(&mut self, id: u64, how: &str) {
        if self.waits.is_none_or(|(waits, _)| waits != id) {
            return;
        }
        self.waits = None;
        match how {
            "silent" => {}
            "not understood" => self.say("I did not understand that."),
            _ => self.say(FAILED),
        }
    }

    fn stop_ringing(&mut self) {
        if self.rings_until.take().is_some() {
            self.deeds.push_back(Deed::Ring(None));
        }
    }
}

impl Skill for HandOn {
    fn name(&self) -> &'static str {
        "satellite"
    }

    fn take(&mut self, _: &Asked<'_>, _: Duration) -> Reply {
        Reply::Other
    }

    fn wants_sound(&self) -> bool {
        self.serves
    }

    fn overhear(&mut self, sound: &[i16], now: Duration) -> Reply {
        if !self.serves || sound.is_empty() {
            return Reply::Other;
        }
        self.last_id += 1;
        let id = self.last_id;
        self.waits = Some((id, now + ANSWER_MAX));
        let sound = encoded(sound);
        self.out(&Out::HandOn { id, sound });
        self.step("a sentence was handed on to Home Assistant");
        Reply::Silent
    }

    fn answer(&mut self, said: &str, _: Duration) -> Reply {
        let stops = said
            .split(|sign: char| !sign.is_alphanumeric())
            .any(|word| STOPS.contains(&word.to_lowercase().as_str()));
        if self.rings_until.is_none() || !stops {
            return Reply::Other;
        }
        self.stop_ringing();
        Reply::Silent
    }

    fn handle(&mut self, event: Event<'_>, now: Duration) {
        match event {
            Event::Came(value) => match Came::deserialize(value) {
                Ok(came) => self.came(came, now),
                Err(_) => self.step("the adapter said something that is not known here"),
            },
            Event::Timeout => {
                if self.waits.is_some_and(|(_, until)| until <= now) {
                    self.waits = None;
                    self.say(NO_ANSWER);
                }
                if self.rings_until.is_some_and(|until| until <= now) {
                    self.stop_ringing();
                }
            }
            Event::Engaged(engaged) => self.out(&Out::Busy(engaged != Engaged::Free)),
            _ => {}
        }
    }

    fn played(&mut self, token: u64, whole: bool, _: Duration) {
        self.out(&Out::Played { token, whole });
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        self.deeds.pop_front()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        let waits = self.waits.map(|(_, until)| until);
        [waits, self.rings_until].into_iter().flatten().min()
    }

    fn is_ringing(&self) -> bool {
        self.rings_until.is_some()
    }
}
