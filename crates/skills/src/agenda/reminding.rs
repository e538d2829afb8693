//! Reminders to somebody else: sent by the hub of the home when their time comes, to the devices of that person or room.
//!
//! The same reminder has the same name each time it is sent, and stays here until the hub has it: a kill in between, or an
//! answer that was lost, makes no second one. While the hub is away it is said here that it waits.
use core::time::Duration;

use super::Agenda;
use super::mirroring::{AGAIN_MAX, AGAIN_MIN};
use super::ringing::late_ms;
use crate::exchange::{HubAnswer, Note, Output, Remind, ToHub};
use crate::item::{About, Alarm, Everyone, Id, Item};
use crate::journal::Change;
use crate::words;

/// A reminder on its way.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    asked: Option<u64>,
    again_at: Option<Duration>,
    again_after: Duration,
    /// It was said here that it waits.
    told: bool,
}

impl Agenda {
    /// Whether a thing goes to somebody else when its time comes.
    pub(super) fn is_for_others(&self, id: Id) -> bool {
        self.mirror_name() != 0
            && matches!(
                self.items.get(&id),
                Some(Item::Alarm(Alarm {
                    about: About::Reminder { user: Some(_), .. }
                        | About::Reminder {
                            everyone: Some(Everyone::Others),
                            ..
                        },
                    ..
                }))
            )
    }

    /// Whether a thing that rings here now goes to the rest of the home, too: once, and not again when it was put off.
    pub(super) fn is_also_for_others(&self, id: Id) -> bool {
        self.mirror_name() != 0
            && matches!(
                self.items.get(&id),
                Some(Item::Alarm(Alarm {
                    about: About::Reminder {
                        everyone: Some(Everyone::All),
                        ..
                    },
                    snoozed_ms: None,
                    ..
                }))
            )
    }

    /// Whether it rings here, and the hub does not have it for the others yet.
    pub(super) fn is_on_its_way(&self, id: Id) -> bool {
        self.deliveries.contains_key(&id) && self.ringing.contains_key(&id)
    }

    fn mirror_name(&self) -> u64 {
        self.journal.name()
    }

    /// Its time has come.
    pub(super) fn begin_delivery(&mut self, id: Id) {
        self.deliveries.entry(id).or_default();
    }

    pub(super) fn deliveries_again(&mut self, there: bool) {
        for delivery in self.deliveries.values_mut() {
            delivery.asked = None;
            delivery.again_at = None;
            if there {
                delivery.again_after = Duration::ZERO;
            }
        }
    }

    /// Sends what is due.
    pub(super) fn deliver_on(&mut self, now: Duration) {
        let items = &self.items;
        self.deliveries.retain(|id, _| items.contains_key(id));
        let ids: Vec<Id> = self.deliveries.keys().copied().collect();
        for id in ids {
            let Some(remind) = self.remind(id) else {
                continue;
            };
            let there = self.mirror.there;
            let Some(delivery) = self.deliveries.get_mut(&id) else {
                continue;
            };
            if delivery.asked.is_some() || delivery.again_at.is_some_and(|at| at > now) {
                continue;
            }
            if there {
                delivery.again_at = None;
                let token = self.ask_hub(ToHub::Remind(remind));
                if let Some(delivery) = self.deliveries.get_mut(&id) {
                    delivery.asked = Some(token);
                }
            } else {
                self.tell_waits(id);
            }
        }
    }

    pub(super) fn next_delivery(&self) -> Option<Duration> {
        let waiting = self.deliveries.values().filter(|one| one.asked.is_none());
        waiting
            .filter_map(|one| one.again_at)
            .min()
            .filter(|_| self.mirror.there)
    }

    pub(super) fn delivery_answered(&mut self, token: u64, answer: &HubAnswer, now: Duration) {
        let found = self
            .deliveries
            .iter_mut()
            .find(|(_, delivery)| delivery.asked == Some(token));
        let Some((id, delivery)) = found else {
            return;
        };
        let id = *id;
        delivery.asked = None;
        let for_all = matches!(
            self.items.get(&id),
            Some(Item::Alarm(Alarm {
                about: About::Reminder {
                    everyone: Some(_),
                    ..
                },
                ..
            }))
        );
        match answer {
            HubAnswer::Done => {
                self.deliveries.remove(&id);
                if let Some(Item::Alarm(alarm)) = self.items.get(&id) {
                    let late = late_ms(alarm.rings_ms(), self.wall_ms(now));
                    self.note(Note::Sent(late));
                }
                self.ends_with_the_ring(id, now);
            }
            // There is no other speaker: it rings here, or has rung.
            HubAnswer::Refused(_) if for_all => {
                self.deliveries.remove(&id);
                self.ends_with_the_ring(id, now);
            }
            // Nobody is called so any more, or this speaker alone stands in that room: it rings here.
            HubAnswer::Refused(_) => {
                self.deliveries.remove(&id);
                if let Some(Item::Alarm(alarm)) = self.items.get(&id) {
                    let mut alarm = alarm.clone();
                    if let About::Reminder { user, .. } = &mut alarm.about {
                        *user = None;
                    }
                    let put = Change::Put(id, Item::Alarm(alarm));
                    self.change(&[put], super::keeping::Then::Silence(Vec::new(), None), now);
                }
            }
            HubAnswer::Away | HubAnswer::Copy(_) => {
                delivery.again_after = (delivery.again_after * 2).clamp(AGAIN_MIN, AGAIN_MAX);
                delivery.again_at = Some(now + delivery.again_after);
                self.tell_waits(id);
            }
        }
    }

    /// What rings here yet ends when that does.
    fn ends_with_the_ring(&mut self, id: Id, now: Duration) {
        if !self.ringing.contains_key(&id) && self.is_for_others(id) {
            self.end(&[id], None, now);
        }
    }

    fn tell_waits(&mut self, id: Id) {
        let told = self
            .deliveries
            .get_mut(&id)
            .is_none_or(|delivery| core::mem::replace(&mut delivery.told, true));
        if told {
            return;
        }
        if let Some(Item::Alarm(alarm)) = self.items.get(&id) {
            let text = words::reminder_waits(alarm);
            self.outputs.push_back(Output::Say(text));
        }
    }

    fn remind(&self, id: Id) -> Option<Remind> {
        let Some(Item::Alarm(alarm)) = self.items.get(&id) else {
            return None;
        };
        let About::Reminder {
            text,
            user,
            everyone,
            ..
        } = &alarm.about
        else {
            return None;
        };
        // One to all that was put off here is the same for the others.
        let due_ms = match everyone {
            Some(_) => alarm.due_ms,
            None => alarm.rings_ms(),
        };
        Some(Remind {
            name: format!(
                "r-{:016x}-{}-{}",
                self.mirror_name(),
                id.0,
                due_ms.unsigned_abs()
            ),
            user: user.clone(),
            text: text.clone(),
            due_ms,
        })
    }
}
