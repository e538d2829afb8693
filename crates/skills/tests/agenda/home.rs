//! An agenda with a disk that keeps everything at once, and a clock that is moved by hand.
use core::time::Duration;
use std::collections::BTreeMap;

use hearthline_skills::agenda::Agenda;
use hearthline_skills::exchange::{Answer, Ask, Bell, Engaged, Note, Output};
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
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::on(Zone::utc(), NOON_MS, &[])
    }

    pub(crate) fn on(zone: Zone, wall_ms: u64, disk: &[u8]) -> Self {
        let mut home = Self {
            agenda: Agenda::new(zone, wall_ms),
            now: Duration::ZERO,
            keeps: true,
            said: Vec::new(),
            done: Vec::new(),
            notes: Vec::new(),
            rings: None,
            timeout: None,
            disk: Vec::new(),
        };
        home.disk = disk.to_vec();
        home.agenda.handle_restored(disk, Duration::ZERO);
        home.drain();
        home
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
