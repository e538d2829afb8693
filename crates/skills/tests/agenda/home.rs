//! An agenda with a disk that keeps everything at once, and a clock that is moved by hand.
use core::time::Duration;
use std::collections::BTreeMap;

use hearthline_skills::agenda::Agenda;
use hearthline_skills::exchange::{
    Answer, Ask, Bell, Engaged, HubAnswer, Note, Output, Remind, ToHub,
};
use hearthline_skills::mirror::Copy;
use hearthline_skills::zone::Zone;

/// 2026-11-23 12:00:00 UTC, a Monday.
pub(crate) const NOON_MS: u64 = 1_795_435_200_000;

pub(crate) struct Home {
    pub(crate) agenda: Agenda,
    pub(crate) now: Duration,
    pub(crate) disk: Vec<u8>,
    pub(crate) keeps: bool,
    pub(crate) said: Vec<String>,
    pub(crate) done: Vec<String>,
    pub(crate) notes: Vec<Note>,
    pub(crate) rings: Option<Bell>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) hub: Hub,
}

/// The hub of the home: a copy, and what it was given for others.
#[derive(Clone, Default)]
pub(crate) struct Hub {
    pub(crate) copy: Option<Copy>,
    pub(crate) reminders: Vec<Remind>,
    /// Does what it is asked, and its answer gets lost.
    pub(crate) loses_answers: bool,
    /// To a reminder.
    pub(crate) refuses: Option<u16>,
}

impl Hub {
    fn asked(&mut self, what: ToHub) -> HubAnswer {
        let answer = match what {
            ToHub::Read => HubAnswer::Copy(self.copy.clone().map(Box::new)),
            ToHub::Keep(copy) => {
                let stale = self.copy.as_ref().is_some_and(|kept| {
                    if kept.journal == copy.journal {
                        kept.revision > copy.revision
                    } else {
                        copy.instead_of.as_ref() != Some(&kept.journal)
                    }
                });
                if stale {
                    HubAnswer::Refused(409)
                } else {
                    self.copy = Some(*copy);
                    HubAnswer::Done
                }
            }
            ToHub::Remind(remind) => match self.refuses {
                Some(status) => HubAnswer::Refused(status),
                None => {
                    if self.reminders.iter().all(|other| other.name != remind.name) {
                        self.reminders.push(remind);
                    }
                    HubAnswer::Done
                }
            },
        };
        if self.loses_answers {
            return HubAnswer::Away;
        }
        answer
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::on(Zone::utc(), NOON_MS, &[])
    }

    pub(crate) fn on(zone: Zone, wall_ms: u64, disk: &[u8]) -> Self {
        Self::named(zone, wall_ms, disk, 0)
    }

    /// Whose journal, if it begins now, has this name at the hub.
    pub(crate) fn named(zone: Zone, wall_ms: u64, disk: &[u8], journal: u64) -> Self {
        let mut home = Self {
            agenda: Agenda::new(zone, wall_ms).with_journal(journal),
            now: Duration::ZERO,
            keeps: true,
            said: Vec::new(),
            done: Vec::new(),
            notes: Vec::new(),
            rings: None,
            timeout: None,
            hub: Hub::default(),
            disk: Vec::new(),
        };
        home.disk = disk.to_vec();
        home.agenda.handle_restored(disk, Duration::ZERO);
        home.drain();
        home
    }

    /// The program starts again, so much later, on what the disk has then; the hub is away until it is said to be there.
    pub(crate) fn life(&self, later: Duration, disk: &[u8], journal: u64) -> Self {
        let wall = self.agenda.wall_ms(self.now) as u64 + later.as_millis() as u64;
        let mut home = Self::named(Zone::utc(), wall, disk, journal);
        home.hub = self.hub.clone();
        home
    }

    /// The hub of the home is there, or is not.
    pub(crate) fn hub_is_there(&mut self, there: bool) {
        self.agenda.handle_hub_there(there, self.now);
        self.drain();
    }

    /// The program starts again, so much later.
    pub(crate) fn restart(&self, zone: Zone, later: Duration) -> Self {
        let wall = self.agenda.wall_ms(self.now) as u64;
        Self::on(zone, wall + later.as_millis() as u64, &self.disk)
    }

    pub(crate) fn drain(&mut self) {
        loop {
            match self.agenda.poll_output() {
                Output::Append { token, bytes } => {
                    self.disk.extend(bytes);
                    self.kept(token);
                }
                Output::Replace { token, bytes } => {
                    self.disk = bytes;
                    self.kept(token);
                }
                Output::Say(text) | Output::Answer { text, .. } => self.said.push(text),
                Output::Ring(bell) => self.rings = bell,
                Output::Do(command) => self.done.push(command),
                Output::Note(note) => self.notes.push(note),
                Output::Changed => {}
                Output::Hub { token, what } => {
                    let answer = self.hub.asked(what);
                    self.agenda.handle_hub_answer(token, answer, self.now);
                }
                Output::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
            }
        }
    }

    fn kept(&mut self, token: u64) {
        if self.keeps {
            self.agenda.handle_kept(token, self.now);
        }
    }

    /// The answer: what is said at once, or once it is kept.
    pub(crate) fn ask(&mut self, intent: &str, slots: &[(&str, &str)]) -> String {
        let slots: BTreeMap<String, String> = slots
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let before = self.said.len();
        let ask = Ask {
            intent,
            slots: &slots,
        };
        let answer = self.agenda.handle_ask(&ask, self.now);
        self.drain();
        self.told(answer, before)
    }

    pub(crate) fn answer(&mut self, said: &str) -> String {
        let before = self.said.len();
        let answer = self.agenda.handle_answer(said, self.now);
        self.drain();
        self.told(answer, before)
    }

    fn told(&self, answer: Answer, before: usize) -> String {
        match answer {
            Answer::Other => "-".to_owned(),
            Answer::Silent | Answer::Later(_) => self.said[before..].join(" "),
            Answer::Words(text) | Answer::Refused(text) | Answer::Question(text) => text,
        }
    }

    /// Time passes, every timeout at its moment.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.timeout.filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.agenda.handle_timeout(self.now);
            self.drain();
            assert!(
                self.timeout.is_none_or(|next| next > self.now),
                "a timeout at {at:?} brings no other at once"
            );
        }
        self.now = until;
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    pub(crate) fn engage(&mut self, engaged: Engaged) {
        self.agenda.handle_engaged(engaged, self.now);
        self.drain();
    }

    /// What was said since this was last asked.
    pub(crate) fn heard(&mut self) -> String {
        core::mem::take(&mut self.said).join(" ")
    }
}
