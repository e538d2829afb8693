//! The hooks of screening: which devices a call may ring, and whether it may be answered by itself.

use super::deciding::because;
use super::*;
use crate::sip::call_log::undisturbed;
use crate::sip::screening::{Calling, Screened};

/// A caller's wish to be answered without a person (RFC 5373).
const ANSWER_MODE: &str = "Answer-Mode";
/// Rows by which phones of several makers answer by themselves, and our own word to a device that it may. Only the hub
/// says such things.
const AUTO_ANSWER: [&str; 4] = [
    "Hearthline-Drop-In",
    "Priv-Answer-Mode",
    "Alert-Info",
    "Call-Info",
];
/// What our devices look for, and its value.
const DROP_IN: (&str, &str) = ("Hearthline-Drop-In", "allowed");

impl Switchboard {
    /// The branches that may ring. When none may, why: 603 when somebody declined, 480 and a row when all are not to be
    /// disturbed.
    pub(super) fn screened(
        &mut self,
        mut groups: Vec<Group>,
        caller: &Caller,
    ) -> Result<Vec<Group>, Reject> {
        let now = self.around.home.clock.now();
        let calling = self.calling(caller);
        let (mut declined, mut missed) = (false, None);
        for group in &mut groups {
            group.branches.retain(|branch| {
                let Some(device) = self.keys.device(branch.label) else {
                    return true;
                };
                match self.directory.screen(calling, device, now) {
                    Screened::Rings { .. } => return true,
                    Screened::Declined => declined = true,
                    Screened::DoNotDisturb => missed = Some(device),
                }
                false
            });
        }
        groups.retain(|group| !group.branches.is_empty());
        if !groups.is_empty() {
            return Ok(groups);
        }
        if let Some(called) = missed {
            if let Some(row) = undisturbed(caller.device, called, now) {
                self.write(vec![RowChange::Call(Box::new(row))], None, self.now());
            }
            let why = "nobody there is to be disturbed";
            return Err(because(StatusCode::TEMPORARILY_UNAVAILABLE, why));
        }
        debug_assert!(declined, "something was taken away");
        Err(Reject::new(StatusCode::DECLINE))
    }

    /// The branches that a call from outside may ring.
    pub(super) fn undisturbed(&self, mut groups: Vec<Group>) -> Vec<Group> {
        let now = self.around.home.clock.now();
        let rings = |branch: &Branch| {
            let device = self.keys.device(branch.label);
            let judge = |device| self.directory.screen(Calling::Outside, device, now);
            device.is_none_or(|device| matches!(judge(device), Screened::Rings { .. }))
        };
        for group in &mut groups {
            group.branches.retain(rings);
        }
        groups.retain(|group| !group.branches.is_empty());
        groups
    }

    /// Lets a call be answered by itself where it asks for that and every device that rings allowed the caller; else
    /// it rings like any other.
    pub(super) fn mark_drop_in(
        &self,
        request: &Request,
        groups: &[Group],
        caller: &Caller,
        forward: &mut Forward,
    ) {
        let name = |name: &str| HeaderName::parse(name.as_bytes());
        forward
            .remove
            .extend(AUTO_ANSWER.into_iter().filter_map(name));
        let Some(answer_mode) = name(ANSWER_MODE) else {
            return;
        };
        let wish = request.headers.get_str(&answer_mode).unwrap_or_default();
        let mode = wish.split(';').next().unwrap_or_default().trim();
        let now = self.around.home.clock.now();
        let calling = self.calling(caller);
        let mut branches = groups.iter().flat_map(|group| &group.branches);
        let allowed = mode.eq_ignore_ascii_case("auto")
            && branches.all(|branch| {
                let device = self.keys.device(branch.label);
                let judged = device.map(|device| self.directory.screen(calling, device, now));
                judged == Some(Screened::Rings { drop_in: true })
            });
        match name(DROP_IN.0) {
            Some(drop_in) if allowed => forward.set.push((drop_in, DROP_IN.1.into())),
            _ => forward.remove.push(answer_mode),
        }
    }

    fn calling(&self, caller: &Caller) -> Calling {
        Calling::Inside {
            device: caller.device,
            person: self.directory.owner(caller.device),
        }
    }
}
