//! Music as a skill of the device: sentences in, orders to the adapter out, what plays comes back.
//!
//! ```text
//! Asked ─► query ─► library ─► Order ─► Deed::Out ─► adapter ─► player
//!    Deed::Answer, Deed::Show ◄─ State, Done, Failed ◄─ Event::Came ◄─┘
//! Event::Engaged ─► Order::Duck: soft for words, held for calls, silent for an emergency call; then on as before
//! ```
//! Sans-IO like every skill. It holds no player and no file: what it keeps for the next start is the queue, the place in
//! it, and the sleep timer.
mod answering;
mod asking;
mod bare;
mod keeping;

use core::time::Duration;
use std::collections::VecDeque;

use hearthline_speaker::player::Rooms;
use hearthline_speaker::skill::{Asked as Sentence, By, Deed, Engaged, Event, Reply, Skill};
use hearthline_voice::understand::sentences::{House, Recognition, SlotFrom};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::library::{Named, Shelf, fold};
use crate::order::{Asked, Doing, Duck, Order, Piece, Repeat, State, Told};
use crate::track::Player;
use crate::words;
use bare::Bare;

/// How long a player of another program may say nothing.
const PLAYER_WAIT: Duration = Duration::from_millis(1_900);
/// How long our own may look for the first sound of a file or a station.
const OWN_WAIT: Duration = Duration::from_millis(3_700);
/// How softly a sleep timer ends music.
const SLEEP_FADE_MS: u64 = 8_000;
/// Longest sleep timer.
const SLEEP_MS_MAX: u64 = 12 * 3_600_000;
/// Behind so much of a track "previous" begins it anew.
const DAY_MS: u64 = 86_400_000;

/// What a household has set up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The room of this speaker.
    pub room: String,
    /// Who plays what both could: radio stations, and what both have.
    pub preferred: Player,
    /// Whether Home Assistant's player looks for what nobody here has.
    pub searches: bool,
    /// Whether there are rooms to which sound can be sent.
    pub rooms: bool,
    /// Whether nothing is set up: then sentences about music are told so.
    pub nothing: bool,
}

/// An order whose answer is awaited.
#[derive(Debug)]
struct Pending {
    token: u64,
    until: Duration,
    /// Said when it is done.
    then: Reply,
    player: Player,
}

/// Music.
pub struct MusicSkill {
    settings: Settings,
    shelf: Shelf,
    deeds: VecDeque<Deed>,
    duck: Duck,
    player: Player,
    state: State,
    state_at: Duration,
    shuffle: bool,
    repeat: Repeat,
    percent: u8,
    queue: Vec<Piece>,
    pending: Vec<Pending>,
    /// Asked back: which of these, in any order or not.
    asking: Option<(Vec<Named>, bool)>,
    rooms: Vec<String>,
    /// Where others are told of them.
    rooms_told: Rooms,
    missing: Vec<String>,
    /// When music ends, by the wall clock.
    sleep_wall_ms: Option<u64>,
    wall_ms_at_zero: u64,
    now: Duration,
    tokens: u64,
}

impl MusicSkill {
    /// For a household, over a library that its adapter fills.
    #[must_use]
    pub fn new(settings: Settings, shelf: Shelf) -> Self {
        Self {
            player: settings.preferred,
            settings,
            shelf,
            deeds: VecDeque::new(),
            duck: Duck::Full,
            state: State::default(),
            state_at: Duration::ZERO,
            shuffle: false,
            repeat: Repeat::Off,
            percent: 100,
            queue: Vec::new(),
            pending: Vec::new(),
            asking: None,
            rooms: Vec::new(),
            rooms_told: Rooms::default(),
            missing: Vec::new(),
            sleep_wall_ms: None,
            wall_ms_at_zero: 0,
            now: Duration::ZERO,
            tokens: 0,
        }
    }

    /// The same, which tells there of the rooms that it sends its sound to.
    #[must_use]
    pub fn with_rooms(mut self, told: Rooms) -> Self {
        self.rooms_told = told;
        self
    }

    /// Sends an order for which no answer is awaited.
    fn order(&mut self, order: Order) -> u64 {
        self.tokens += 1;
        // Without a player there is nobody to be ordered about.
        if self.settings.nothing {
            return self.tokens;
        }
        let asked = Asked {
            token: self.tokens,
            player: self.player,
            order,
        };
        match serde_json::to_value(&asked) {
            Ok(value) => self.deeds.push_back(Deed::Out(value)),
            Err(error) => self.deeds.push_back(Deed::Step(format!("music: {error}"))),
        }
        self.tokens
    }

    /// Sends an order, and says this when it is done.
    fn ask(&mut self, order: Order, then: Reply) -> Reply {
        let token = self.order(order);
        let wait = match self.player {
            Player::Own => OWN_WAIT,
            Player::Mpd | Player::HomeAssistant => PLAYER_WAIT,
        };
        self.pending.push(Pending {
            token,
            until: self.now + wait,
            then,
            player: self.player,
        });
        Reply::Later(token)
    }

    fn wall_ms(&self) -> u64 {
        self.wall_ms_at_zero + u64::try_from(self.now.as_millis()).unwrap_or(0)
    }

    fn is_about_elsewhere(&self, meant: &Recognition) -> bool {
        let said = |slot: &str| {
            meant
                .slot(slot)
                .filter(|slot| slot.from != SlotFrom::Context)
                .map(|slot| fold(&slot.value.spoken()))
        };
        let elsewhere = |area: String| {
            area != fold(&self.settings.room) && !self.rooms.iter().any(|room| fold(room) == area)
        };
        said("name").is_some() || said("floor").is_some() || said("area").is_some_and(elsewhere)
    }

    /// How far it is now, in milliseconds.
    fn position_ms(&self) -> u64 {
        let since = match self.state.doing {
            Doing::Playing if self.duck < Duck::Hold => self.now.saturating_sub(self.state_at),
            _ => Duration::ZERO,
        };
        let since = u64::try_from(since.as_millis()).unwrap_or(0);
        let position = self.state.position_ms.saturating_add(since);
        match self.state.length_ms {
            0 => position.min(DAY_MS),
            length => position.min(length),
        }
    }

    /// What pages show.
    fn show(&mut self) {
        let doing = match self.state.doing {
            Doing::Stopped => "stopped",
            Doing::Playing => "playing",
            Doing::Paused => "paused",
        };
        let empty = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let shown = json!({
            "state": doing,
            "title": empty(&self.state.title),
            "artist": empty(&self.state.artist),
            "album": empty(&self.state.album),
            "station": empty(&self.state.station),
            "position_ms": self.position_ms(),
            "at_ms": self.wall_ms(),
            "length_ms": (self.state.length_ms > 0).then_some(self.state.length_ms),
            "shuffle": self.shuffle,
            "repeat": self.repeat,
            "percent": self.percent,
            "player": self.player,
            "held": self.duck >= Duck::Hold,
            "sleep_ms": self.sleep_wall_ms,
            "rooms": self.rooms,
            "missing": self.missing,
        });
        self.deeds.push_back(Deed::Show(shown));
    }

    fn give_way(&mut self, engaged: Engaged) {
        let how = match engaged {
            Engaged::Free => Duck::Full,
            Engaged::Talking => Duck::Soft,
            Engaged::OnCall => Duck::Hold,
            Engaged::Emergency => Duck::Silent,
        };
        if how == self.duck {
            return;
        }
        self.state.position_ms = self.position_ms();
        self.state_at = self.now;
        let shown = (how >= Duck::Hold) != (self.duck >= Duck::Hold);
        self.duck = how;
        self.order(Order::Duck { how });
        if engaged == Engaged::Emergency {
            self.asking = None;
            self.pending.clear();
        }
        if shown && self.state.doing == Doing::Playing {
            self.show();
        }
        if self.player != Player::Own && self.state.doing == Doing::Playing {
            self.keep();
        }
    }

    fn came(&mut self, value: &Value) {
        let told: Told = match Told::deserialize(value) {
            Ok(told) => told,
            Err(error) => {
                self.deeds.push_back(Deed::Step(format!("music: {error}")));
                return;
            }
        };
        match told {
            Told::Done { token } => self.answered(token, None),
            Told::Failed { token, why } => self.answered(token, Some(why)),
            Told::State { player, state } => self.plays(player, state),
            Told::Trouble { why } => self.deeds.push_back(Deed::Say(why)),
            Told::Rooms { names } => {
                let areas: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
                if let Ok(house) = House::from_json(&json!({"areas": areas})) {
                    self.deeds.push_back(Deed::House(Box::new(house)));
                }
                self.rooms_told.set(&names);
                self.rooms = names;
                self.show();
            }
            Told::Library { tracks, missing } => {
                self.deeds.push_back(Deed::Step(format!(
                    "music: {tracks} tracks; {} systems away",
                    missing.len()
                )));
                self.missing = missing;
                self.show();
            }
            Told::Setup { settings, gone } => self.goes_by(settings, &gone),
        }
    }

    /// The configuration is another one; what plays by what did not change plays on.
    fn goes_by(&mut self, settings: Settings, gone: &[Player]) {
        if self.settings.rooms && !settings.rooms && !self.rooms.is_empty() {
            self.rooms.clear();
            self.rooms_told.set(&[]);
            let house = Box::new(House::default());
            self.deeds.push_back(Deed::House(house));
        }
        let was_nothing = self.settings.nothing;
        self.settings = settings;
        if gone.contains(&self.player) {
            self.state = State::default();
            self.state_at = self.now;
        }
        if self.state.doing == Doing::Stopped {
            self.player = self.settings.preferred;
        }
        // What began without music was never told how far it is to give way.
        if was_nothing && self.duck != Duck::Full {
            self.order(Order::Duck { how: self.duck });
        }
        self.asking = None;
        self.show();
    }

    fn answered(&mut self, token: u64, why: Option<String>) {
        let Some(at) = self
            .pending
            .iter()
            .position(|pending| pending.token == token)
        else {
            return;
        };
        let pending = self.pending.remove(at);
        let reply = match why {
            Some(why) => Reply::Refused(why),
            None => pending.then,
        };
        self.deeds.push_back(Deed::Answer { token, reply });
    }

    fn plays(&mut self, player: Player, state: State) {
        // A player that was left alone may stop, and that changes nothing here.
        if player != self.player && state.doing != Doing::Playing {
            return;
        }
        self.player = player;
        let moved = state.doing != self.state.doing || state.at != self.state.at;
        self.shuffle = state.shuffle;
        self.repeat = state.repeat;
        if let Some(percent) = state.percent {
            self.percent = percent;
        }
        self.state = state;
        self.state_at = self.now;
        if moved {
            self.keep();
        }
        self.show();
    }

    fn time(&mut self) {
        while let Some(at) = (self.pending.iter()).position(|pending| pending.until <= self.now) {
            let pending = self.pending.remove(at);
            let words = match pending.player {
                Player::Mpd => words::PLAYER_SILENT,
                Player::HomeAssistant => words::REMOTE_SILENT,
                Player::Own => words::NO_SOUND_YET,
            };
            self.deeds.push_back(Deed::Answer {
                token: pending.token,
                reply: Reply::Refused(words.into()),
            });
        }
        if self.sleep_wall_ms.is_some_and(|at| at <= self.wall_ms()) {
            self.sleep_wall_ms = None;
            let fade_ms = SLEEP_FADE_MS;
            self.order(Order::Stop { fade_ms });
            self.deeds
                .push_back(Deed::Step("music: the sleep timer ends it".into()));
            self.keep();
            self.show();
        }
    }
}

impl Skill for MusicSkill {
    fn name(&self) -> &'static str {
        "music"
    }

    fn take(&mut self, asked: &Sentence<'_>, now: Duration) -> Reply {
        self.now = now;
        self.asking = None;
        if self.is_about_elsewhere(asked.meant) {
            return Reply::Other;
        }
        if self.settings.nothing {
            return match asked.meant.intent.as_str() {
                "HassMediaSearchAndPlay" => Reply::Refused(words::NO_MUSIC.into()),
                intent if intent.starts_with("Music") => Reply::Refused(words::NO_MUSIC.into()),
                _ => Reply::Other,
            };
        }
        self.meant(asked.meant, asked.by == By::Person)
    }

    fn answer(&mut self, said: &str, now: Duration) -> Reply {
        self.now = now;
        self.which_one(said)
    }

    fn bare(&mut self, said: &str, now: Duration) -> Reply {
        self.now = now;
        match Bare::read(said) {
            Some(bare) if !self.settings.nothing => self.bare_word(bare),
            _ => Reply::Other,
        }
    }

    fn handle(&mut self, event: Event<'_>, now: Duration) {
        self.now = now;
        match event {
            Event::Restored(bytes) => self.restore(bytes),
            Event::Kept(_) | Event::Happened(_) => {}
            Event::Engaged(engaged) => self.give_way(engaged),
            Event::Wall { ms_at_zero } => self.wall_ms_at_zero = ms_at_zero,
            Event::Came(value) => self.came(value),
            Event::Timeout => self.time(),
        }
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        self.deeds.pop_front()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        let sleep = self
            .sleep_wall_ms
            .map(|at| Duration::from_millis(at.saturating_sub(self.wall_ms_at_zero)));
        let pending = self.pending.iter().map(|pending| pending.until);
        pending.chain(sleep).min()
    }
}
