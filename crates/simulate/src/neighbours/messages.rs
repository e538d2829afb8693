//! The rooms' messages: their requests to the hub's API, its news, and what is told in a room.
use core::time::Duration;

use hearthline_speaker::device::Input;
use hearthline_speaker::messages::{News, Part, Request, RequestId, TellId};

use super::{Neighbours, SPEECH_PER_CHARACTER};
use crate::world::WALL_MS_AT_ZERO;

/// From a device to the hub's API or back.
const WAY: Duration = Duration::from_millis(5);
const CHIME: Duration = Duration::from_millis(600);

/// Something on its way to a room.
pub(super) struct OnItsWay {
    at: Duration,
    room: usize,
    news: News,
}

/// What a room is being told.
pub(super) struct Telling {
    pub(super) id: TellId,
    pub(super) until: Duration,
    parts: Vec<Part>,
}

impl Neighbours {
    /// A device asks the hub's API.
    pub(super) fn ask_api(&mut self, index: usize, request: RequestId, what: Request) {
        let rooms: Vec<String> = self.rooms.iter().map(|room| room.name.clone()).collect();
        let unix_ms = i64::try_from(WALL_MS_AT_ZERO).unwrap_or(0)
            + i64::try_from(self.now().as_millis()).unwrap_or(0);
        let (outcome, changed) = if self.hub.is_up {
            self.api.ask(&rooms[index], &rooms, what, unix_ms)
        } else {
            (hearthline_speaker::messages::Outcome::Away, Vec::new())
        };
        self.send_news(index, News::Answer { request, outcome });
        for room in changed {
            if let Some(index) = rooms.iter().position(|name| *name == room) {
                self.send_unheard(index);
            }
        }
    }

    fn send_unheard(&mut self, index: usize) {
        let unheard = self.api.unheard(&self.rooms[index].name);
        self.send_news(index, News::Unheard(unheard));
    }

    fn send_news(&mut self, room: usize, news: News) {
        let at = self.now() + WAY;
        self.on_its_way.push_back(OnItsWay { at, room, news });
    }

    /// Every device learns whether the hub's API is there, and what waits.
    pub(super) fn api_is(&mut self, reachable: bool) {
        for index in 0..self.rooms.len() {
            if reachable {
                self.send_unheard(index);
            }
            self.send_news(index, News::Reachable(reachable));
        }
    }

    /// When something arrives or has been told.
    pub(super) fn messages_at(&self) -> Option<Duration> {
        let arriving = self.on_its_way.front().map(|coming| coming.at);
        let telling = self.rooms.iter().filter_map(|room| room.telling.front());
        telling.map(|telling| telling.until).chain(arriving).min()
    }

    /// What is due.
    pub(super) fn messages_turn(&mut self) {
        let now = self.now();
        while let Some(coming) = self.on_its_way.pop_front_if(|coming| coming.at <= now) {
            self.input(coming.room, Input::Hub(coming.news));
        }
        for index in 0..self.rooms.len() {
            while let Some(told) = self.rooms[index].telling.pop_front_if(|it| it.until <= now) {
                self.rooms[index].told.push(told.parts);
                self.input(index, Input::Told { id: told.id });
            }
        }
    }

    /// A room is told something, behind what it is being told.
    pub(super) fn tell(&mut self, index: usize, id: TellId, parts: Vec<Part>) {
        let length: Duration = parts
            .iter()
            .map(|part| match part {
                Part::Chime => CHIME,
                Part::Words(text) => SPEECH_PER_CHARACTER * u32::try_from(text.len()).unwrap_or(0),
                Part::Sound(samples) => Duration::from_micros(samples.len() as u64 * 1_000 / 16),
            })
            .sum();
        let now = self.now();
        let room = &mut self.rooms[index];
        let spoken = room.speech_until.unwrap_or(now);
        let begin = room.telling.back().map_or(spoken, |before| before.until);
        let until = begin.max(now) + length;
        room.tells.push(parts.clone());
        room.telling.push_back(Telling { id, until, parts });
    }
}
