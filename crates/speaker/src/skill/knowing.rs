//! Small things that need nobody else: the time here and elsewhere, days, sums, units, and what this speaker can do.
use core::time::Duration;

use hearthline_skills::knowing;
pub use hearthline_skills::knowing::answer as worked_out;

use super::agenda::Zone;
use super::{Asked, Deed, Event, Reply, Skill};

const WHAT_I_CAN_DO: &str = "I set timers, alarms and reminders, keep lists, do sums and units, know times and days, \
call people, send messages and find your phone. And if you need help, say my name and: call nine one one.";

/// What is known without asking anybody.
pub struct KnowingSkill {
    zone: Zone,
    /// Wall clock at `now == 0`, in milliseconds since 1970-01-01 UTC.
    ms_at_zero: u64,
}

impl KnowingSkill {
    /// In the zone where the device stands.
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        Self {
            zone,
            ms_at_zero: 0,
        }
    }
}

impl Skill for KnowingSkill {
    fn name(&self) -> &'static str {
        "knowing"
    }

    fn take(&mut self, asked: &Asked<'_>, now: Duration) -> Reply {
        let shown = self.zone.local(wall_ms(self.ms_at_zero, now));
        let words = match (asked.meant.intent.as_str(), asked.meant.response.as_str()) {
            ("HassGetCurrentTime", _) => knowing::time_now(shown),
            ("HassGetCurrentDate", _) => knowing::date_now(shown),
            ("WhatCanYouDo", _) | ("HassRespond", "commands") => WHAT_I_CAN_DO.to_owned(),
            ("HassRespond", "hello") => "Hello.".to_owned(),
            ("HassRespond", "listening") => {
                "I listen for my name, and forget at once what is said before it.".to_owned()
            }
            ("HassRespond", "data") => "It stays in this home, on its own devices.".to_owned(),
            ("HassRespond", "creator") => "I am Hearthline, made by its own people.".to_owned(),
            _ => return Reply::Other,
        };
        Reply::Words(words)
    }

    fn hear(&mut self, said: &str, _wall_ms: u64, now: Duration) -> Reply {
        let wall_ms = wall_ms(self.ms_at_zero, now);
        knowing::answer(said, &self.zone, wall_ms).map_or(Reply::Other, Reply::Words)
    }

    fn handle(&mut self, event: Event<'_>, _: Duration) {
        if let Event::Wall { ms_at_zero } = event {
            self.ms_at_zero = ms_at_zero;
        }
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        None
    }

    fn poll_timeout(&self) -> Option<Duration> {
        None
    }
}

/// Wall clock, in milliseconds since 1970-01-01 UTC.
pub(super) fn wall_ms(ms_at_zero: u64, now: Duration) -> i64 {
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    i64::try_from(ms_at_zero.saturating_add(now)).unwrap_or(i64::MAX)
}
