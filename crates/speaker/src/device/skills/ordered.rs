//! Light orders of the home's routines: done by the skill that does spoken ones, answered to the hub, never said.
use core::time::Duration;
use std::collections::VecDeque;

use hearthline_ledger::Human;

use super::super::Device;
use super::Pending;
use crate::light_order::LightOrder;
use crate::messages::Request;
use crate::skill::{Asked, By, Engaged, Reply};
use crate::words;

/// The skill that has the lights.
const HOUSE: &str = "house";
/// Orders that are remembered, so that a list that comes again does nothing twice.
const KNOWN_MAX: usize = 64;
/// Longest reason that the hub is told, in characters.
const WHY_CHARS_MAX: usize = 200;

/// The orders that were taken.
#[derive(Default)]
pub(super) struct Ordered {
    known: VecDeque<String>,
}

impl Device {
    /// The hub's list of what is to be switched.
    pub(super) fn lights_ordered(&mut self, orders: &[LightOrder], now: Duration) {
        for order in orders {
            let known = &mut self.skills.ordered.known;
            if known.contains(&order.id) {
                continue;
            }
            if known.len() >= KNOWN_MAX {
                known.pop_front();
            }
            known.push_back(order.id.clone());
            self.switch_lights(order, now);
        }
    }

    fn switch_lights(&mut self, order: &LightOrder, now: Duration) {
        let meant = order.meant();
        let refused = |why: &str| Reply::Refused(why.to_owned());
        let place = self.skills.place_of(HOUSE);
        let reply = match place {
            // Nothing that nobody in the room wants happens beside a call for help.
            _ if self.skills.engaged == Engaged::Emergency => {
                refused(words::NOT_BESIDE_A_CALL_FOR_HELP)
            }
            None => refused(words::NO_HOUSE_HERE),
            Some(at) => {
                let asked = Asked {
                    meant: &meant,
                    said: "",
                    by: By::Later,
                    wall_ms: self.wall_ms(now),
                };
                match self.skills.list[at].take(&asked, now) {
                    Reply::Other => refused(words::NO_SUCH_LIGHT),
                    Reply::Later(_) if self.skills.pending.len() >= super::PENDING_MAX => {
                        refused(words::NOTHING_ANSWERED)
                    }
                    Reply::Later(token) => {
                        self.skills.pending.push(Pending {
                            skill: at,
                            token,
                            meant: Some(meant),
                            by: By::Later,
                            order: Some(order.id.clone()),
                            until: now + crate::skill::LATER_MAX,
                        });
                        return;
                    }
                    reply => reply,
                }
            }
        };
        self.lights_were_ordered(&order.id, &meant.intent, reply, now);
    }

    /// What became of an order: into the record, and to the hub.
    pub(super) fn lights_were_ordered(
        &mut self,
        order: &str,
        intent: &str,
        reply: Reply,
        now: Duration,
    ) {
        let why = match reply {
            Reply::Silent | Reply::Words(_) | Reply::Response(_) => None,
            Reply::Refused(why) | Reply::Question(why) => Some(why),
            Reply::Other | Reply::Later(_) => Some(words::NOTHING_ANSWERED.to_owned()),
        };
        let effect = match why {
            None => "done by house",
            Some(_) => "not done by house",
        };
        let entry = Human {
            action: intent.to_owned(),
            by: "a routine of the home".to_owned(),
            effect: Some(effect.to_owned()),
        };
        self.recorder.write(entry, None, now);
        let why = why.map(|why| why.chars().take(WHY_CHARS_MAX).collect());
        let order = order.to_owned();
        self.tell_the_hub(Request::LightOrderEnded { order, why });
    }
}
