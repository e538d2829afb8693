//! The weather as a skill: [`hearthline_skills::weather`] under the seam. Its adapter is [`crate::io::weather`].
use core::time::Duration;
use std::collections::VecDeque;

use hearthline_skills::exchange::Answer;
use hearthline_skills::weather::{Output, Question, Weather};
pub use hearthline_skills::weather::{Settings, Units};
use serde_json::json;

use super::agenda::Zone;
use super::knowing::wall_ms;
use super::{Asked, Deed, Event, Reply, Skill};

/// The weather at the place of the speaker, by a service of the owner's.
pub struct WeatherSkill {
    weather: Weather,
    zone: Zone,
    ms_at_zero: u64,
    kept: u64,
    deeds: VecDeque<Deed>,
}

impl WeatherSkill {
    /// At a place, told by clocks in this zone.
    #[must_use]
    pub fn new(settings: Settings, zone: Zone) -> Self {
        Self {
            weather: Weather::new(settings),
            zone,
            ms_at_zero: 0,
            kept: 0,
            deeds: VecDeque::new(),
        }
    }

    fn drain(&mut self) {
        loop {
            let deed = match self.weather.poll_output() {
                Output::Fetch { query } => Deed::Out(json!({ "fetch": query })),
                Output::Keep(bytes) => {
                    self.kept += 1;
                    let token = self.kept;
                    Deed::Keep { token, bytes }
                }
                Output::Answer { token, text } => {
                    let reply = Reply::Words(text);
                    Deed::Answer { token, reply }
                }
                Output::Timeout(_) => return,
            };
            self.deeds.push_back(deed);
        }
    }
}

impl Skill for WeatherSkill {
    fn name(&self) -> &'static str {
        "weather"
    }

    fn take(&mut self, asked: &Asked<'_>, now: Duration) -> Reply {
        // The weather of a device in the house is that device's.
        if asked.meant.slot("name").is_some() {
            return Reply::Other;
        }
        let day = asked.meant.slot("day").map(|day| day.value.spoken());
        let Some(question) = Question::of(&asked.meant.intent, day.as_deref()) else {
            return Reply::Other;
        };
        let wall_ms = wall_ms(self.ms_at_zero, now);
        let answer = self
            .weather
            .handle_question(question, &self.zone, wall_ms, now);
        self.drain();
        match answer {
            Answer::Words(words) => Reply::Words(words),
            Answer::Refused(words) => Reply::Refused(words),
            Answer::Question(words) => Reply::Question(words),
            Answer::Later(token) => Reply::Later(token),
            Answer::Silent => Reply::Silent,
            Answer::Other => Reply::Other,
        }
    }

    fn handle(&mut self, event: Event<'_>, now: Duration) {
        let wall_ms = wall_ms(self.ms_at_zero, now);
        match event {
            Event::Wall { ms_at_zero } => self.ms_at_zero = ms_at_zero,
            Event::Restored(bytes) => self.weather.handle_restored(bytes),
            Event::Came(value) => {
                let body = value["body"].as_str().map(str::as_bytes);
                self.weather.handle_fetched(body, &self.zone, wall_ms);
                if let Some(why) = value["why"].as_str() {
                    let what = format!("the weather service: {why}");
                    self.deeds.push_back(Deed::Step(what));
                }
            }
            Event::Timeout => self.weather.handle_timeout(&self.zone, wall_ms, now),
            Event::Kept(_) | Event::Engaged(_) | Event::Happened(_) => {}
        }
        self.drain();
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        self.deeds.pop_front()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.weather.poll_timeout()
    }
}
