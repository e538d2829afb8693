//! "Stop" and "snooze" to what rings.
use core::time::Duration;

use super::Agenda;
use super::timing::slot_length;
use crate::exchange::{Answer, Ask, Bell, Note};
use crate::item::{Alarm, Id, Item};
use crate::journal::Change;
use crate::spoken::length::LENGTH_MS_MAX;
use crate::words;

/// How long "snooze" puts off, in milliseconds, when nobody says how long: 10 minutes.
pub const SNOOZE_MS: u64 = 10 * 60 * 1_000;

impl Agenda {
    /// Everything that was heard to ring is stopped.
    pub(super) fn stop_ringing(&mut self, now: Duration) -> Answer {
        let all = self.all_heard();
        if all.is_empty() {
            return Answer::Other;
        }
        for (_, bell) in &all {
            self.note(Note::Stopped(*bell));
        }
        let ids: Vec<Id> = all.into_iter().map(|(id, _)| id).collect();
        self.end(&ids, None, now);
        Answer::Silent
    }

    pub(super) fn snooze(&mut self, ask: &Ask<'_>, now: Duration) -> Answer {
        let length = slot_length(ask, ["hours", "minutes", "seconds"]);
        self.snooze_for(length.unwrap_or(SNOOZE_MS), now)
    }

    /// Everything that was heard to ring is put off.
    pub(super) fn snooze_for(&mut self, length_ms: u64, now: Duration) -> Answer {
        let all = self.all_heard();
        if all.is_empty() {
            return Answer::Refused(words::NOTHING_RINGS.into());
        }
        let length_ms = length_ms.min(LENGTH_MS_MAX);
        let until = self.wall_ms(now).saturating_add_unsigned(length_ms);
        let mut changes = Vec::new();
        for (id, bell) in &all {
            let change = match self.items.get(id) {
                Some(Item::Alarm(alarm)) => {
                    let snoozed_ms = Some(until);
                    let alarm = Alarm {
                        snoozed_ms,
                        ..alarm.clone()
                    };
                    self.fresh.insert(*id);
                    Some(Change::Put(*id, Item::Alarm(alarm)))
                }
                _ => self.run_again(*id, length_ms, now),
            };
            changes.extend(change);
            self.note(Note::Snoozed(*bell, length_ms));
        }
        let only_timers = all.iter().all(|(_, bell)| *bell == Bell::Timer);
        let ids: Vec<Id> = all.into_iter().map(|(id, _)| id).collect();
        let say = words::snoozed(length_ms, only_timers);
        self.close(&ids, &changes, Some(say), now);
        Answer::Silent
    }
}
