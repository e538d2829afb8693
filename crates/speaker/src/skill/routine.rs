//! Routines as a skill: on a phrase, at a time or when something happens, their sentences are given back to be read
//! ([`Deed::Do`]).
//!
//! Only a person's own words begin one by its phrase: a sentence that a routine gave back begins none, so routines do not
//! turn in circles.
use core::time::Duration;
use std::collections::VecDeque;

use hearthline_ledger::Human;
pub use hearthline_skills::routine::Routine;
use hearthline_skills::routine::{LATE_MS_MAX, Routines};

use super::agenda::Zone;
use super::knowing::wall_ms;
use super::{Asked, By, Deed, Engaged, Event, Happened, Own, Reply, Skill};

/// The routines of a device.
pub struct RoutineSkill {
    routines: Routines,
    /// Until the clock is known.
    waiting: Option<Vec<Routine>>,
    zone: Zone,
    ms_at_zero: u64,
    /// An emergency call stands: nothing begins.
    held: bool,
    /// Whether the loudspeaker is muted, once that was told.
    muted: Option<bool>,
    kept: u64,
    deeds: VecDeque<Deed>,
}

impl RoutineSkill {
    /// These, in the zone where the device stands.
    #[must_use]
    pub fn new(list: Vec<Routine>, zone: Zone) -> Self {
        Self {
            routines: Routines::new(Vec::new(), 0),
            waiting: Some(list),
            zone,
            ms_at_zero: 0,
            held: false,
            muted: None,
            kept: 0,
            deeds: VecDeque::new(),
        }
    }

    /// By its phrase.
    fn begin(&mut self, said: &str) -> Reply {
        let Some(routine) = self.routines.said(said) else {
            return Reply::Other;
        };
        let actions = routine.actions.iter().cloned().map(Deed::Do);
        self.deeds.extend(actions);
        self.deeds
            .push_back(Deed::Step("a routine was begun by its phrase".into()));
        Reply::Silent
    }

    /// By something that happened. What happens during an emergency call begins nothing, also not afterwards.
    fn happened(&mut self, what: &Happened, now: Duration) {
        if self.held {
            return;
        }
        let (begun, resting) = self.routines.happened(what, now);
        for routine in begun {
            let actions = routine.actions.iter().cloned().map(Deed::Do);
            self.deeds.extend(actions);
            let entry = Human {
                action: "routine".into(),
                by: "what happened".into(),
                effect: Some("its sentences are read".into()),
            };
            self.deeds.push_back(Deed::Record(entry.into()));
            let what = "a routine was begun by what happened".into();
            self.deeds.push_back(Deed::Step(what));
        }
        if resting > 0 {
            let what = "a routine is left out: it has begun a moment ago".into();
            self.deeds.push_back(Deed::Step(what));
        }
    }

    /// One that is due, each time: the device takes so many sentences at once, and no more.
    fn run(&mut self, now: Duration) {
        if self.held {
            return;
        }
        let wall_ms = wall_ms(self.ms_at_zero, now);
        let Some((routine, late_ms)) = self.routines.begin_due(&self.zone, wall_ms) else {
            return;
        };
        let what = if late_ms <= LATE_MS_MAX {
            let actions = routine.actions.iter().cloned().map(Deed::Do);
            self.deeds.extend(actions);
            let entry = Human {
                action: "routine".into(),
                by: "its time".into(),
                effect: Some("its sentences are read".into()),
            };
            self.deeds.push_back(Deed::Record(entry.into()));
            format!("a routine begins, {late_ms} ms after its time")
        } else {
            format!("a routine is left out: {late_ms} ms after its time")
        };
        self.deeds.push_back(Deed::Step(what));
        self.kept += 1;
        self.deeds.push_back(Deed::Keep {
            token: self.kept,
            bytes: self.routines.to_bytes(),
        });
    }
}

impl Skill for RoutineSkill {
    fn name(&self) -> &'static str {
        "routine"
    }

    fn take(&mut self, asked: &Asked<'_>, _: Duration) -> Reply {
        match asked.by {
            By::Person => self.begin(asked.said),
            By::Later => Reply::Other,
        }
    }

    fn hear(&mut self, said: &str, _wall_ms: u64, _: Duration) -> Reply {
        self.begin(said)
    }

    fn handle(&mut self, event: Event<'_>, now: Duration) {
        match event {
            Event::Wall { ms_at_zero } => {
                self.ms_at_zero = ms_at_zero;
                if let Some(list) = self.waiting.take() {
                    self.routines = Routines::new(list, wall_ms(ms_at_zero, now));
                }
            }
            Event::Restored(bytes) => self.routines.restore(bytes),
            Event::Engaged(engaged) => self.held = engaged == Engaged::Emergency,
            Event::Happened(what) => self.happened(what, now),
            Event::Timeout | Event::Kept(_) | Event::Came(_) => {}
        }
        self.run(now);
    }

    fn volume(&mut self, _: u8, muted: bool, now: Duration) {
        // How it is at the start is no change.
        let before = self.muted.replace(muted);
        if before.is_some_and(|before| before != muted) {
            let own = if muted { Own::Muted } else { Own::Unmuted };
            self.happened(&Happened::Own(own), now);
        }
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        self.deeds.pop_front()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        if self.held {
            return None;
        }
        let next_ms = self.routines.next_ms(&self.zone)?;
        let zero = i64::try_from(self.ms_at_zero).unwrap_or(i64::MAX);
        let ahead = u64::try_from(next_ms.saturating_sub(zero)).unwrap_or(0);
        Some(Duration::from_millis(ahead))
    }
}
