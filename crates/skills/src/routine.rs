//! Routines: several everyday sentences on a phrase, at a time, or when something happens.
//!
//! A routine holds sentences and nothing else. They are given back to be read like any sentence that was kept for later:
//! by the compiled everyday sentences alone, which know no calls, no messages and no emergencies.
use core::time::Duration;
use std::collections::BTreeMap;

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use crate::happened::{Happened, When};
use crate::knowing::plain;
use crate::rule::{Days, Rule};
use crate::zone::Zone;

/// Most routines of a speaker.
pub const ROUTINES_MAX: usize = 64;
/// Most sentences that one does.
pub const ACTIONS_MAX: usize = 8;
/// Most phrases of one.
pub const PHRASES_MAX: usize = 8;
/// Longest phrase or sentence, in characters.
pub const TEXT_CHARS_MAX: usize = 120;
/// One that is later than this is left out until its next time: who wanted it has done it by hand.
pub const LATE_MS_MAX: i64 = 10 * 60 * 1_000;

/// How long one that something has begun rests before it can begin another, where its household says nothing else.
pub const REST: Duration = Duration::from_secs(10);
/// The shortest and the longest rest that can be wished.
pub const REST_SECONDS: core::ops::RangeInclusive<u32> = 5..=86_400;

/// One routine.
#[derive(Debug, Clone, PartialEq)]
pub struct Routine {
    /// What it is called.
    pub name: String,
    /// What is said to begin it.
    pub phrases: Vec<String>,
    /// When it begins by itself.
    pub at: Option<Time>,
    /// On these days.
    pub days: Days,
    /// What else begins it, and how long it rests then.
    pub when: Option<(When, Duration)>,
    /// What is done, as it would be said.
    pub actions: Vec<String>,
}

/// What was done when, so that no date is done twice.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Begun(BTreeMap<String, i64>);

/// The routines of a speaker, and when they were done.
#[derive(Debug)]
pub struct Routines {
    list: Vec<Routine>,
    begun: Begun,
    /// From this moment on, in milliseconds since 1970-01-01 UTC: what was due before is over.
    since_ms: i64,
    /// When something has begun each last, by the time of this run.
    happened: BTreeMap<String, Duration>,
}

impl Routines {
    /// Those of a configuration, from now on.
    #[must_use]
    pub fn new(mut list: Vec<Routine>, wall_ms: i64) -> Self {
        list.truncate(ROUTINES_MAX);
        Self {
            list,
            begun: Begun::default(),
            since_ms: wall_ms,
            happened: BTreeMap::new(),
        }
    }

    /// What the last run kept. Damaged bytes count for nothing: at worst one is done again.
    pub fn restore(&mut self, bytes: &[u8]) {
        self.begun = serde_json::from_slice(bytes).unwrap_or_default();
    }

    /// What the next run must know.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.begun).unwrap_or_default()
    }

    /// The routine that a phrase begins.
    #[must_use]
    pub fn said(&self, said: &str) -> Option<&Routine> {
        let said = plain(said)?;
        let is_it = |phrase: &String| plain(phrase).is_some_and(|phrase| phrase == said);
        self.list
            .iter()
            .find(|routine| routine.phrases.iter().any(is_it))
    }

    /// The routine that is due, and how late it is, in milliseconds. It counts as begun from now on.
    pub fn begin_due(&mut self, zone: &Zone, wall_ms: i64) -> Option<(&Routine, i64)> {
        let (at, due_ms) = (0..self.list.len())
            .filter_map(|at| Some((at, self.next(&self.list[at], zone)?)))
            .filter(|(_, due_ms)| *due_ms <= wall_ms)
            .min_by_key(|(_, due_ms)| *due_ms)?;
        let name = self.list[at].name.clone();
        self.begun.0.insert(name, due_ms.max(wall_ms));
        Some((&self.list[at], wall_ms - due_ms))
    }

    /// The routines that something begins, and how many it would begin if they did not rest.
    pub fn happened(&mut self, what: &Happened, now: Duration) -> (Vec<&Routine>, usize) {
        let (mut begun, mut resting) = (Vec::new(), 0);
        for routine in &self.list {
            let Some((_, rest)) = routine.when.as_ref().filter(|(when, _)| when.is(what)) else {
                continue;
            };
            let last = self.happened.get(&routine.name);
            if last.is_some_and(|last| now < last.saturating_add(*rest)) {
                resting += 1;
                continue;
            }
            self.happened.insert(routine.name.clone(), now);
            begun.push(routine);
        }
        (begun, resting)
    }

    /// When the next is due, in milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn next_ms(&self, zone: &Zone) -> Option<i64> {
        let all = self.list.iter();
        all.filter_map(|routine| self.next(routine, zone)).min()
    }

    fn next(&self, routine: &Routine, zone: &Zone) -> Option<i64> {
        let rule = Rule::Weekly {
            days: routine.days,
            time: routine.at?,
        };
        let begun = self.begun.0.get(&routine.name).copied();
        rule.next(zone, self.since_ms.max(begun.unwrap_or(i64::MIN)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    fn morning() -> Routine {
        Routine {
            name: "morning".into(),
            phrases: vec!["Good morning".into()],
            at: Some(time(7, 0, 0, 0)),
            days: Days::WEEKDAYS,
            when: None,
            actions: vec!["turn on the lamp".into()],
        }
    }

    #[test]
    fn each_date_is_done_once_also_when_the_clock_goes_back_or_the_program_starts_again() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let at = |hour, minute| {
            let shown = date(2026, 11, 23).at(hour, minute, 0, 0);
            zone.instant(shown).unwrap()
        };
        let mut routines = Routines::new(vec![morning()], at(6, 0));
        assert_eq!(routines.next_ms(&zone), Some(at(7, 0)));
        assert!(routines.begin_due(&zone, at(6, 59)).is_none());
        let (begun, late) = routines.begin_due(&zone, at(7, 1)).unwrap();
        assert_eq!((begun.name.as_str(), late), ("morning", 60_000));
        assert!(routines.begin_due(&zone, at(7, 0)).is_none());
        let mut again = Routines::new(vec![morning()], at(6, 30));
        again.restore(&routines.to_bytes());
        assert!(again.begin_due(&zone, at(7, 2)).is_none());
        again.restore(b"damaged");
        assert!(again.begin_due(&zone, at(7, 2)).is_some());
        // What was due before the start is over.
        let mut late = Routines::new(vec![morning()], at(7, 5));
        assert!(late.begin_due(&zone, at(7, 6)).is_none());
    }

    #[test]
    fn what_flaps_begins_it_once_in_its_rest() {
        let rest = Duration::from_secs(60);
        let when = When::Becomes {
            thing: "front door".into(),
            room: None,
            state: "open".into(),
        };
        let routine = Routine {
            when: Some((when, rest)),
            ..morning()
        };
        let mut routines = Routines::new(vec![routine, morning()], 0);
        let opens = Happened::Became {
            names: vec!["Front Door".into()],
            room: None,
            states: vec!["open".into()],
            before: "closed".into(),
        };
        let mut begun = Vec::new();
        for second in 0..200 {
            let now = Duration::from_secs(second);
            let (all, resting) = routines.happened(&opens, now);
            assert_eq!(all.len() + resting, 1, "{second}");
            begun.extend(all.iter().map(|_| second));
        }
        assert_eq!(begun, [0, 60, 120, 180]);
    }

    #[test]
    fn a_phrase_begins_it_and_others_do_not() {
        let routines = Routines::new(vec![morning()], 0);
        assert!(routines.said("good morning!").is_some());
        assert!(routines.said("good morning to you").is_none());
        assert!(routines.said(&"good ".repeat(100)).is_none());
    }
}
