//! The copy at the hub of the home: kept in step while the hub is there, and taken back when what was kept here is lost.
//!
//! ```text
//! hub there ─► Read ─┬─ nothing, or an older copy of ours ─────► Keep, after each change that is on disk
//!                    ├─ a newer one of ours: the disk went back ─┐
//!                    ├─ another's, and ours never was there ─────┴► taken back, written in one step, Keep
//!                    └─ another's ─► Keep, instead of it
//! ```
//! **What is here is the truth.** The hub's copy rings nothing; it is taken back only where this journal cannot be the
//! whole truth, and once: the same step of the disk that writes it down notes that it was done. What became due before it
//! was taken back may have rung: it is told, and does not ring again.
use core::time::Duration;
use std::collections::BTreeSet;

use super::Agenda;
use crate::exchange::{HubAnswer, Note, Output, ToHub};
use crate::item::{Alarm, Id, Item, Timer, TimerState};
use crate::journal::Change;
use crate::mirror::{CopiedItem, Copy};
use crate::words;

/// First and longest wait before the hub is asked again.
pub(super) const AGAIN_MIN: Duration = Duration::from_secs(2);
pub(super) const AGAIN_MAX: Duration = Duration::from_secs(300);
/// The hub has a newer copy, or another's (RFC 9110 section 15.5.10).
const CONFLICT: u16 = 409;

/// So many changes at most are made between two starts: behind a start their numbers begin so far beyond what the disk
/// had, so that the hub's copy tells those that the disk has lost from those that were made since.
const LIFE: u64 = 1 << 20;

/// What the hub was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Read,
    Keep(u64),
}

/// The copy at the hub, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    /// The hub is there.
    pub(super) there: bool,
    /// What it has was asked since.
    known: bool,
    asked: Option<(u64, Question)>,
    /// The revision that it has.
    has: Option<u64>,
    instead_of: Option<String>,
    /// The last change that the disk had at the start.
    restored: u64,
    again_at: Option<Duration>,
    again_after: Duration,
}

impl Mirror {
    fn later(&mut self, now: Duration) {
        self.again_after = (self.again_after * 2).clamp(AGAIN_MIN, AGAIN_MAX);
        self.again_at = Some(now + self.again_after);
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.again_at.filter(|_| self.there && self.asked.is_none())
    }
}

impl Agenda {
    /// Names the journal that is begun here if none is found; the hub tells journals apart by it. Without a name nothing
    /// is copied. To be called before [`Agenda::handle_restored`].
    #[must_use]
    pub fn with_journal(mut self, name: u64) -> Self {
        self.fresh_journal = name;
        self
    }

    /// The hub of the home is there from now on, or is not.
    pub fn handle_hub_there(&mut self, there: bool, now: Duration) {
        self.mirror.there = there;
        // A hub that was away may have been set back, or be another one.
        self.mirror.known = false;
        self.mirror.asked = None;
        self.mirror.again_at = None;
        self.mirror.again_after = Duration::ZERO;
        self.deliveries_again(there);
        self.run(now);
    }

    /// The hub answers [`Output::Hub`].
    pub fn handle_hub_answer(&mut self, token: u64, answer: HubAnswer, now: Duration) {
        match self.mirror.asked.take_if(|(asked, _)| *asked == token) {
            Some((_, question)) => self.mirror_answered(question, answer, now),
            None => self.delivery_answered(token, &answer, now),
        }
        self.run(now);
    }

    /// Whether what is here is at the hub, too.
    #[must_use]
    pub fn is_mirrored(&self) -> bool {
        self.mirror.known && self.mirror.has == Some(self.journal.seq())
    }

    /// The disk had changes up to this one.
    pub(super) fn begin_life(&mut self, restored: u64) {
        if self.journal.name() != 0 {
            self.mirror.restored = restored;
            self.journal.go_beyond(restored.saturating_add(LIFE));
        }
    }

    pub(super) fn ask_hub(&mut self, what: ToHub) -> u64 {
        self.last_hub_token += 1;
        let token = self.last_hub_token;
        self.outputs.push_back(Output::Hub { token, what });
        token
    }

    /// Asks what the hub has, or hands in what it has not.
    pub(super) fn mirror_on(&mut self, now: Duration) {
        let waits = self.mirror.again_at.is_some_and(|at| at > now);
        if !self.mirror.there || self.journal.name() == 0 || self.mirror.asked.is_some() || waits {
            return;
        }
        self.mirror.again_at = None;
        if !self.mirror.known {
            let token = self.ask_hub(ToHub::Read);
            self.mirror.asked = Some((token, Question::Read));
            return;
        }
        // Nothing goes there that a power cut would take from here.
        let revision = self.journal.seq();
        if self.kept_token < self.last_token || self.mirror.has == Some(revision) {
            return;
        }
        let items = self.items.iter();
        let copy = Copy {
            journal: name_of(self.journal.name()),
            revision,
            instead_of: self.mirror.instead_of.clone(),
            clock_ms: self.wall_ms(now),
            items: items
                .filter_map(|(id, item)| CopiedItem::of(id.0, item))
                .collect(),
        };
        let token = self.ask_hub(ToHub::Keep(Box::new(copy)));
        self.mirror.asked = Some((token, Question::Keep(revision)));
    }

    fn mirror_answered(&mut self, question: Question, answer: HubAnswer, now: Duration) {
        let mirror = &mut self.mirror;
        match (question, answer) {
            (Question::Read, HubAnswer::Copy(None)) => {
                (mirror.known, mirror.has, mirror.instead_of) = (true, None, None);
                mirror.again_after = Duration::ZERO;
            }
            (Question::Read, HubAnswer::Copy(Some(copy))) => {
                mirror.known = true;
                mirror.again_after = Duration::ZERO;
                self.compare(*copy, now);
            }
            (Question::Keep(revision), HubAnswer::Done) => {
                (mirror.has, mirror.instead_of) = (Some(revision), None);
                mirror.again_after = Duration::ZERO;
                // From now on the hub's copy is of what is here, and never the other way about.
                if !self.journal.was_mirrored() {
                    self.note_mirrored();
                }
            }
            (Question::Keep(_), HubAnswer::Refused(CONFLICT)) => {
                mirror.known = false;
                mirror.later(now);
            }
            // What it does not take now it may take when it has changed, or when the hub has.
            (_, HubAnswer::Refused(_)) => {
                mirror.known = false;
                mirror.again_after = AGAIN_MAX;
                mirror.later(now);
            }
            _ => mirror.later(now),
        }
    }

    fn compare(&mut self, copy: Copy, now: Duration) {
        let ours = copy.journal == name_of(self.journal.name());
        self.mirror.has = ours.then_some(copy.revision);
        self.mirror.instead_of = (!ours).then(|| copy.journal.clone());
        let restored = self.mirror.restored;
        let lost = restored + 1..=restored.saturating_add(LIFE);
        let behind = ours && lost.contains(&copy.revision);
        if behind || (!ours && !self.journal.was_mirrored()) {
            self.take_back(copy, ours, now);
        }
    }

    /// What is here is not all: what the copy has more comes back.
    fn take_back(&mut self, copy: Copy, ours: bool, now: Duration) {
        let wall = self.wall_ms(now);
        if ours {
            // The disk went back to an earlier state of this journal. What the copy does not have was over then.
            let there: BTreeSet<u64> = copy.items.iter().map(|one| one.shown.id).collect();
            let (fresh, ringing) = (&self.fresh, &self.ringing);
            self.items.retain(|id, _| {
                there.contains(&id.0) || fresh.contains(id) || ringing.contains_key(id)
            });
            self.begin_life(copy.revision);
        }
        let (mut back, mut missed) = (Vec::new(), Vec::new());
        for CopiedItem { shown, item } in copy.items {
            let Ok(item) = serde_json::from_value::<Item>(item) else {
                continue;
            };
            let same = Id(shown.id);
            let known = ours && self.items.contains_key(&same) && !self.fresh.contains(&same);
            if known && self.ringing.contains_key(&same) {
                continue;
            }
            if !known && !self.has_room() {
                break;
            }
            let Some(item) = self.due_later(&item, wall) else {
                self.items.retain(|id, _| !known || *id != same);
                missed.push(item);
                continue;
            };
            let id = if known { same } else { self.new_id() };
            // It is of a clock of an earlier run.
            self.fresh.remove(&id);
            if !known {
                back.push(item.clone());
            }
            self.items.insert(id, item);
        }
        self.journal.set_mirrored();
        // One step: whoever is killed here takes it back again, or has all of it.
        self.replace();
        self.outputs.push_back(Output::Changed);
        self.note(Note::TakenBack(back.len(), missed.len()));
        if let Some(text) = words::taken_back(&back, &missed) {
            self.outputs.push_back(Output::Say(text));
        }
    }

    /// A thing as it is to be kept now; none when its time is over and it does not come again.
    fn due_later(&self, item: &Item, wall: i64) -> Option<Item> {
        match item {
            Item::Timer(Timer {
                state: TimerState::Running { due_ms },
                ..
            }) if *due_ms <= wall => None,
            Item::Alarm(alarm) if alarm.rings_ms() <= wall => {
                let due_ms = alarm.rule.next(&self.zone, alarm.due_ms.max(wall))?;
                Some(Item::Alarm(Alarm {
                    due_ms,
                    rung_ms: Some(alarm.due_ms),
                    snoozed_ms: None,
                    ..alarm.clone()
                }))
            }
            other => Some(other.clone()),
        }
    }

    fn note_mirrored(&mut self) {
        self.journal.set_mirrored();
        self.append(&[Change::Mirrored(true)]);
    }
}

/// A journal's name as the hub has it.
fn name_of(journal: u64) -> String {
    format!("{journal:016x}")
}
