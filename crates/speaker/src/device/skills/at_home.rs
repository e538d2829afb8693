//! What skills have of the home: who is called how, and what they ask of the hub's API beside the messages.
use core::time::Duration;
use std::collections::BTreeMap;

use super::super::{Device, Output};
use crate::messages::{News, Outcome, Request, RequestId};
use crate::skill::FromHub;

/// Above all that messages ever count to.
const FIRST_REQUEST: u64 = 1 << 63;
/// Most that is asked at once; what is more is answered as if the hub were away.
const OPEN_MAX: usize = 64;

/// What skills asked the hub.
#[derive(Default)]
pub(in crate::device) struct AtHome {
    there: bool,
    last: u64,
    /// Whose, and the token to be given back.
    open: BTreeMap<RequestId, (usize, u64)>,
}

impl Device {
    /// What the hub says, where it concerns skills; false when it is the messages' alone.
    pub(in crate::device) fn hub_says_to_skills(&mut self, news: &News, now: Duration) -> bool {
        match news {
            News::Reachable(there) => {
                self.skills.at_home.there = *there;
                for skill in &mut self.skills.list {
                    skill.hub(FromHub::There(*there), now);
                }
                false
            }
            News::Answer { request, outcome } if request.0 >= FIRST_REQUEST => {
                if let Some((at, token)) = self.skills.at_home.open.remove(request)
                    && let Some(skill) = self.skills.list.get_mut(at)
                {
                    skill.hub(FromHub::Answer { token, outcome }, now);
                }
                true
            }
            News::LightOrders(orders) => {
                self.lights_ordered(orders, now);
                true
            }
            _ => false,
        }
    }

    /// A skill that was just added learns whether the hub is there.
    pub(super) fn tell_hub_is_there(&mut self, at: usize, now: Duration) {
        let there = self.skills.at_home.there;
        if there && let Some(skill) = self.skills.list.get_mut(at) {
            skill.hub(FromHub::There(true), now);
        }
    }

    /// Tells the hub something whose answer nobody waits for.
    pub(super) fn tell_the_hub(&mut self, what: Request) {
        let home = &mut self.skills.at_home;
        home.last += 1;
        let request = RequestId(FIRST_REQUEST + home.last);
        self.outputs.push_back(Output::Hub { request, what });
    }

    /// Asks the hub for a skill.
    pub(super) fn ask_hub(&mut self, at: usize, token: u64, what: Request, now: Duration) {
        let home = &mut self.skills.at_home;
        if home.open.len() >= OPEN_MAX {
            let outcome = &Outcome::Away;
            if let Some(skill) = self.skills.list.get_mut(at) {
                skill.hub(FromHub::Answer { token, outcome }, now);
            }
            return;
        }
        home.last += 1;
        let request = RequestId(FIRST_REQUEST + home.last);
        home.open.insert(request, (at, token));
        self.outputs.push_back(Output::Hub { request, what });
    }
}
