//! Questions about the device itself: what it heard, why it did something, whether it is ready to call for help. They are
//! answered and never start anything.
use core::time::Duration;

use hearthline_voice::understand::Intent;
use hearthline_voice::understand::sentences::{Datum, Recognition, Whose};

use super::Device;
use crate::skill::By;
use crate::words;

impl Device {
    /// The answer out of the record's entries; none when something else is asked.
    pub(super) fn explained(&mut self, intent: &str, now: Duration) -> Option<String> {
        let why = match intent {
            "HeardWhat" => false,
            "WhyDone" => true,
            _ => return None,
        };
        let last = self.recorder.explain();
        Some(match last {
            None => words::NOTHING_HEARD.to_owned(),
            Some(last) if why => last.why(),
            Some(last) => last.heard(now),
        })
    }

    /// A question that a skill may know more of than the device: the time here, whether help can be called.
    pub(super) fn ask_skills_first(&mut self, intent: &Intent, now: Duration) -> Option<String> {
        let name = match intent.name.as_str() {
            "GetTime" => "HassGetCurrentTime",
            "EmergencyReadiness" if !self.calling.is_active() => "EmergencyReadiness",
            _ => return None,
        };
        let asked = Recognition {
            intent: name.to_owned(),
            combination: None,
            slots: Vec::new(),
            captures: Vec::new(),
            response: String::new(),
            template: String::new(),
            whose: Whose::Ours,
            rivals: Vec::new(),
            metadata: Datum::Null,
        };
        self.ask_skills(&asked, "", By::Person, now)
    }
}
