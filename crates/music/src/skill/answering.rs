//! What each sentence about music comes to.
use hearthline_speaker::skill::Reply;
use hearthline_voice::understand::sentences::{Datum, Recognition, SlotFrom};

use super::{MusicSkill, SLEEP_MS_MAX};
use crate::library::fold;
use crate::order::{Doing, Order, Repeat};
use crate::track::Player;
use crate::words;

/// Stations that are told at once.
const STATIONS_TOLD_MAX: usize = 8;

impl MusicSkill {
    pub(super) fn meant(&mut self, meant: &Recognition, person: bool) -> Reply {
        let number = |slot: &str| meant.slot(slot).and_then(|slot| slot.value.number());
        let flag = |slot: &str| meant.slot(slot).and_then(|slot| slot.value.flag());
        let text = |slot: &str| meant.slot(slot).map(|slot| slot.value.spoken());
        match meant.intent.as_str() {
            "HassMediaSearchAndPlay" | "MusicPlay" => {
                let said = text("search_query").unwrap_or_default();
                let class = meant
                    .slot("media_class")
                    .and_then(|slot| match &slot.value {
                        Datum::Text(class) => Some(class.clone()),
                        _ => None,
                    });
                // "songs by X" is read as "song" and "s by X".
                let (said, class) = match class.as_deref() {
                    Some("track") if said.starts_with("s ") => (format!("song{said}"), None),
                    Some(kind) if said.starts_with("s ") => (format!("{kind}{said}"), None),
                    _ => (said, class),
                };
                let shuffled = flag("shuffle").unwrap_or(false);
                let area = meant
                    .slot("area")
                    .filter(|slot| slot.from != SlotFrom::Context)
                    .map(|slot| slot.value.spoken());
                self.wanted(&said, class.as_deref(), area, shuffled, person)
            }
            "HassMediaPause" | "MusicPause" => self.while_playing(Order::Pause),
            "MusicStop" => match self.state.doing {
                Doing::Stopped => Reply::Words(words::NOTHING_PLAYS.into()),
                _ => self.ask(Order::Stop { fade_ms: 0 }, Reply::Silent),
            },
            "HassMediaUnpause" | "MusicResume" => self.go_on(),
            "HassMediaNext" | "MusicNext" => self.while_playing(Order::Next),
            "HassMediaPrevious" | "MusicPrevious" => self.while_playing(Order::Previous),
            "MusicAgain" => self.while_playing(Order::Again),
            "MusicWhat" => Reply::Words(match self.state.doing {
                Doing::Stopped => words::NOTHING_PLAYS.into(),
                _ => words::playing(&self.state),
            }),
            "MusicShuffle" => {
                let on = flag("on").unwrap_or(true);
                self.shuffle = on;
                let then = if on {
                    "Shuffle is on."
                } else {
                    "Shuffle is off."
                };
                self.ask(Order::Shuffle { on }, Reply::Words(then.into()))
            }
            "MusicRepeat" => self.repeat(text("mode").as_deref()),
            "MusicVolume" => self.volume(number("percent"), number("step")),
            "MusicSleep" => self.sleep(number("minutes"), number("hours")),
            "MusicSleepCancel" => match self.sleep_wall_ms.take() {
                None => Reply::Words(words::NO_SLEEP.into()),
                Some(_) => {
                    self.keep();
                    self.show();
                    Reply::Words("The sleep timer is off.".into())
                }
            },
            "MusicSleepLeft" => Reply::Words(match self.sleep_wall_ms {
                None => words::NO_SLEEP.into(),
                Some(at) => {
                    let left = at.saturating_sub(self.wall_ms());
                    format!("The music ends in {}.", words::minutes(left))
                }
            }),
            "MusicMove" => self.room(text("room"), flag("only").unwrap_or(true)),
            "MusicStations" => self.stations(),
            "MusicRescan" => self.ask(
                Order::Rescan,
                Reply::Words("I am looking through the music again.".into()),
            ),
            _ => Reply::Other,
        }
    }

    fn while_playing(&mut self, order: Order) -> Reply {
        match self.state.doing {
            Doing::Stopped => Reply::Words(words::NOTHING_PLAYS.into()),
            _ => self.ask(order, Reply::Silent),
        }
    }

    /// Goes on: with what has paused, else with what the last run left.
    pub(super) fn go_on(&mut self) -> Reply {
        match self.state.doing {
            Doing::Playing => Reply::Silent,
            Doing::Paused => self.ask(Order::Resume, Reply::Silent),
            Doing::Stopped if self.player != Player::Own => self.ask(Order::Resume, Reply::Silent),
            Doing::Stopped if self.queue.is_empty() => Reply::Words(words::NOTHING_PLAYS.into()),
            Doing::Stopped => {
                let order = Order::Play {
                    pieces: self.queue.clone(),
                    at: self.state.at,
                    position_ms: self.state.position_ms,
                    shuffle: self.shuffle,
                };
                self.ask(order, Reply::Silent)
            }
        }
    }

    fn repeat(&mut self, mode: Option<&str>) -> Reply {
        let (mode, then) = match mode {
            Some("one") => (Repeat::One, "I'll repeat this."),
            Some("off") => (Repeat::Off, "Repeat is off."),
            _ => (Repeat::All, "I'll repeat everything."),
        };
        self.repeat = mode;
        self.ask(Order::Repeat { mode }, Reply::Words(then.into()))
    }

    fn volume(&mut self, percent: Option<f64>, step: Option<f64>) -> Reply {
        let wanted = percent.unwrap_or_else(|| f64::from(self.percent) + step.unwrap_or(0.0));
        let percent = wanted.clamp(0.0, 100.0) as u8;
        self.percent = percent;
        self.ask(Order::Volume { percent }, Reply::Silent)
    }

    fn sleep(&mut self, minutes: Option<f64>, hours: Option<f64>) -> Reply {
        let minutes = minutes.unwrap_or(0.0) + 60.0 * hours.unwrap_or(0.0);
        let ms = (minutes * 60_000.0) as u64;
        if ms == 0 || ms > SLEEP_MS_MAX {
            return Reply::Refused(words::SLEEP_MAX.into());
        }
        self.sleep_wall_ms = Some(self.wall_ms() + ms);
        self.keep();
        self.show();
        Reply::Words(format!("The music will end in {}.", words::minutes(ms)))
    }

    fn room(&mut self, room: Option<String>, only: bool) -> Reply {
        if !self.settings.rooms {
            return Reply::Refused(words::NO_ROOMS.into());
        }
        let Some(room) = room else {
            let order = Order::Room {
                room: String::new(),
                only: false,
            };
            return self.ask(order, Reply::Words("The music plays everywhere.".into()));
        };
        let Some(known) = self.room_called(&room) else {
            return Reply::Refused(match self.rooms.as_slice() {
                [] => "The Snapcast server has told me of no rooms yet.".to_owned(),
                rooms => format!(
                    "I know no room called {room}. There are: {}.",
                    rooms.join(", ")
                ),
            });
        };
        let then = if only {
            format!("The music is in the {known} now.")
        } else {
            format!("The music is in the {known} too.")
        };
        self.ask(Order::Room { room: known, only }, Reply::Words(then))
    }

    /// A room by how it sounds.
    pub(super) fn room_called(&self, said: &str) -> Option<String> {
        use hearthline_voice::understand::names::{Found, NameBook};

        let mut book = NameBook::default();
        for (at, room) in self.rooms.iter().enumerate() {
            // What cannot be spoken cannot be said.
            let _ = book.add(room, at);
        }
        let exact = (self.rooms.iter()).find(|room| fold(room) == fold(said));
        exact.cloned().or_else(|| match book.find(&fold(said)) {
            Found::One(entry) => self.rooms.get(entry.of).cloned(),
            Found::Several(_) | Found::None => None,
        })
    }

    fn stations(&self) -> Reply {
        let library = self.shelf.library();
        let names: Vec<&str> = library
            .stations()
            .iter()
            .map(|station| station.name.as_str())
            .collect();
        Reply::Words(match names.len() {
            0 => {
                "No radio stations are set up. Put some into the music section of my configuration."
                    .into()
            }
            1 => format!("There is one station: {}.", names[0]),
            all if all > STATIONS_TOLD_MAX => {
                let told = names[..STATIONS_TOLD_MAX].join(", ");
                format!("There are {all} stations. Some of them: {told}.")
            }
            _ => format!("There are: {}.", names.join(", ")),
        })
    }
}
