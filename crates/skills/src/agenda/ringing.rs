//! What rings: begun when its time comes, told again, given up when nobody is there.
use core::time::Duration;

use super::Agenda;
use crate::exchange::{Bell, Engaged, Note, Output};
use crate::item::{About, Alarm, Id, Item, Timer, TimerState};
use crate::journal::Change;
use crate::words;

use super::keeping::Then;

/// How long a timer or an alarm rings.
pub const RING_MAX: Duration = Duration::from_secs(15 * 60);
/// How long a reminder does.
pub const REMINDER_MAX: Duration = Duration::from_secs(60);
/// The words are said again so often.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Of a reminder.
const REMIND_EVERY: Duration = Duration::from_secs(20);
/// In a call it sounds so long, so often.
const ON_CALL_SOUND: Duration = Duration::from_millis(1_200);
const ON_CALL_EVERY: Duration = Duration::from_secs(30);
/// A command that is late by more than this is not done: who wanted it may have done it by hand.
pub const COMMAND_LATE_MS_MAX: u64 = 10 * 60 * 1_000;

/// One that rings.
pub(super) struct Ringing {
    /// Since then, but for the time in which it could not be heard.
    since: Duration,
    /// When its words are due.
    tell: Duration,
    /// When it should have rung, by the wall clock.
    due_ms: i64,
    bell: Bell,
    /// Its sound was heard: what became due while somebody spoke is not meant by their "stop".
    heard: bool,
    /// It was stopped, and that is on its way to the disk.
    pub(super) closing: bool,
}

impl Agenda {
    /// The time of a thing has come.
    pub(super) fn begin(&mut self, id: Id, now: Duration) {
        if self.is_for_others(id) {
            return self.begin_delivery(id);
        }
        if self.is_also_for_others(id) {
            self.begin_delivery(id);
        }
        let wall = self.wall_ms(now);
        let (due_ms, bell) = match self.items.get(&id) {
            Some(Item::Timer(Timer {
                state: TimerState::Running { due_ms },
                command,
                ..
            })) => {
                let due_ms = *due_ms;
                if let Some(command) = command.clone() {
                    return self.command(id, command.0, late_ms(due_ms, wall), now);
                }
                (due_ms, Bell::Timer)
            }
            Some(Item::Alarm(alarm)) => (alarm.rings_ms(), bell_of(alarm)),
            _ => return,
        };
        self.note(Note::Rings(bell, late_ms(due_ms, wall)));
        self.ringing.insert(
            id,
            Ringing {
                since: now,
                tell: now,
                due_ms,
                bell,
                heard: false,
                closing: false,
            },
        );
    }

    /// Sound, words and the end of what rings.
    pub(super) fn ring_on(&mut self, now: Duration) {
        let free = self.engaged == Engaged::Free;
        self.not_heard(now);
        let over: Vec<(Id, Bell)> = self
            .ringing
            .iter()
            .filter(|(_, ringing)| !ringing.closing && ringing.since + limit(ringing.bell) <= now)
            .map(|(id, ringing)| (*id, ringing.bell))
            .collect();
        for (id, bell) in over {
            self.note(Note::Unheard(bell));
            self.end(&[id], None, now);
        }
        let rings = self.bell(now);
        if rings != self.sounds {
            self.sounds = rings;
            self.outputs.push_back(Output::Ring(rings));
        }
        if rings.is_some() {
            for ringing in self.ringing.values_mut() {
                ringing.heard = true;
            }
        }
        if free {
            self.tell(now);
        }
    }

    /// While nobody can hear it, its time does not run.
    pub(super) fn not_heard(&mut self, now: Duration) {
        if matches!(self.engaged, Engaged::OnCall | Engaged::Emergency) {
            for ringing in self.ringing.values_mut() {
                ringing.since = ringing.since.max(now);
            }
        }
    }

    /// Ends these: what comes again is set for its next time, the others are gone. Silence follows once that is on disk.
    pub(super) fn end(&mut self, ids: &[Id], say: Option<String>, now: Duration) {
        let wall = self.wall_ms(now);
        let mut changes = Vec::new();
        for id in ids {
            let change = match self.items.get(id) {
                Some(Item::Alarm(alarm)) if self.is_on_its_way(*id) => {
                    Change::Put(*id, Item::Alarm(alarm.for_the_others()))
                }
                Some(Item::Alarm(alarm)) if alarm.rule.repeats() => {
                    let rung_ms = alarm.due_ms;
                    let next = alarm.rule.next(&self.zone, rung_ms.max(wall));
                    next.map_or(Change::Drop(*id), |due_ms| {
                        let alarm = Alarm {
                            due_ms,
                            rung_ms: Some(rung_ms),
                            snoozed_ms: None,
                            ..alarm.for_all()
                        };
                        Change::Put(*id, Item::Alarm(alarm))
                    })
                }
                Some(_) => Change::Drop(*id),
                None => continue,
            };
            changes.push(change);
        }
        self.close(ids, &changes, say, now);
    }

    /// Stops ringing for these changes.
    pub(super) fn close(
        &mut self,
        ids: &[Id],
        changes: &[Change],
        say: Option<String>,
        now: Duration,
    ) {
        for id in ids {
            if let Some(ringing) = self.ringing.get_mut(id) {
                ringing.closing = true;
            }
        }
        self.change(changes, Then::Silence(ids.to_vec(), say), now);
    }

    /// Those whose sound was heard, with why they ring.
    pub(super) fn all_heard(&self) -> Vec<(Id, Bell)> {
        self.ringing
            .iter()
            .filter(|(_, ringing)| ringing.heard && !ringing.closing)
            .map(|(id, ringing)| (*id, ringing.bell))
            .collect()
    }

    /// What could not be heard is told as soon as it can be.
    pub(super) fn tell_again(&mut self, now: Duration) {
        for ringing in self.ringing.values_mut() {
            ringing.tell = ringing.tell.min(now);
        }
    }

    /// When sound, words or end of what rings are due.
    pub(super) fn next_of_ringing(&self) -> Option<Duration> {
        let free = self.engaged == Engaged::Free;
        let ends = self
            .ringing
            .values()
            .filter(|ringing| !ringing.closing)
            .filter_map(|ringing| match self.engaged {
                Engaged::OnCall | Engaged::Emergency => None,
                _ if free => Some(ringing.tell.min(ringing.since + limit(ringing.bell))),
                _ => Some(ringing.since + limit(ringing.bell)),
            });
        let call = (self.engaged == Engaged::OnCall && self.is_ringing())
            .then(|| self.engaged_since + self.on_call_change());
        ends.chain(call).min()
    }

    /// The next change of the sound in a call, from its begin.
    fn on_call_change(&self) -> Duration {
        let shown = self.shown_on_call;
        let turn = ON_CALL_EVERY * shown.0;
        if shown.1 {
            turn + ON_CALL_SOUND
        } else {
            turn + ON_CALL_EVERY
        }
    }

    fn bell(&mut self, now: Duration) -> Option<Bell> {
        let bell = self.ringing.values().map(|ringing| ringing.bell).max()?;
        match self.engaged {
            Engaged::Free => Some(bell),
            Engaged::Talking | Engaged::Emergency => None,
            Engaged::OnCall => {
                let since = now.saturating_sub(self.engaged_since);
                let turn =
                    u32::try_from(since.as_secs() / ON_CALL_EVERY.as_secs()).unwrap_or(u32::MAX);
                let within = since.saturating_sub(ON_CALL_EVERY * turn) < ON_CALL_SOUND;
                self.shown_on_call = (turn, within);
                within.then_some(bell)
            }
        }
    }

    fn tell(&mut self, now: Duration) {
        let wall = self.wall_ms(now);
        let due: Vec<Id> = self
            .ringing
            .iter()
            .filter(|(_, ringing)| !ringing.closing && ringing.tell <= now)
            .map(|(id, _)| *id)
            .collect();
        let mut told = Vec::new();
        for id in due {
            let Some(ringing) = self.ringing.get_mut(&id) else {
                continue;
            };
            ringing.tell = now
                + match ringing.bell {
                    Bell::Reminder => REMIND_EVERY,
                    _ => TELL_EVERY,
                };
            let late = late_ms(ringing.due_ms, wall);
            if let Some(item) = self.items.get(&id) {
                told.push(words::rings(item, late, &self.zone));
            }
        }
        if !told.is_empty() {
            self.outputs.push_back(Output::Say(told.join(" ")));
        }
    }

    /// A sentence that was to be done later.
    fn command(&mut self, id: Id, command: String, late_ms: u64, now: Duration) {
        if late_ms <= COMMAND_LATE_MS_MAX {
            self.note(Note::Done(late_ms));
            self.outputs.push_back(Output::Do(command));
            self.change(&[Change::Drop(id)], Then::Silence(Vec::new(), None), now);
        } else {
            self.note(Note::NotDone(late_ms));
            let text = words::command_too_late(&command, late_ms);
            self.change(&[Change::Drop(id)], Then::Say(text), now);
        }
    }
}

pub(super) fn bell_of(alarm: &Alarm) -> Bell {
    match alarm.about {
        About::Waking => Bell::Alarm,
        About::Reminder { .. } => Bell::Reminder,
    }
}

fn limit(bell: Bell) -> Duration {
    match bell {
        Bell::Reminder => REMINDER_MAX,
        _ => RING_MAX,
    }
}

pub(super) fn late_ms(due_ms: i64, wall_ms: i64) -> u64 {
    u64::try_from(wall_ms.saturating_sub(due_ms)).unwrap_or(0)
}
