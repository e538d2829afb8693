//! The hooks of screening: which devices a call may ring, where it goes instead, and whether it may be answered by itself.

use std::collections::HashSet;

use super::deciding::because;
use super::*;
use crate::call_settings::ForwardTo;
use crate::clock::UnixMs;
use crate::gateway::{CALLBACK, CONTACTS_ONLY, FINDING, LOOP};
use crate::number::{ForwardNumber, Number};
use crate::sip::bridges::BRIDGED;
use crate::sip::call_log::undisturbed;
use crate::sip::screening::{Calling, Screened};

/// A caller's wish to be answered without a person (RFC 5373).
const ANSWER_MODE: &str = "Answer-Mode";
/// Rows that only the hub writes, in requests and answers.
const ONLY_OURS: [&str; 6] = [BRIDGED, CALLBACK, CONTACTS_ONLY, FINDING, LOOP, DROP_IN.0];
/// Rows by which phones of several makers answer by themselves, and those beside From that say who calls.
const NOBODYS: [&str; 5] = [
    "Priv-Answer-Mode",
    "Alert-Info",
    "Call-Info",
    "Remote-Party-ID",
    "P-Preferred-Identity",
];
/// What our devices look for, and its value.
const DROP_IN: (&str, &str) = ("Hearthline-Drop-In", "allowed");
/// Only a call from outside is a call-taker's callback, which a device that called for help takes at once (RFC 7090).
const CALLBACK_PRIORITY: &str = "psap-callback";

/// How often a call is sent on, from one that forwards to the next.
const FORWARDS_MAX: usize = 3;

/// What nobody but the hub says to a device, and who somebody is: in a call that stands, too, and in answers.
pub(super) fn only_ours() -> Vec<HeaderName> {
    let names = ONLY_OURS.into_iter();
    let rows = names.filter_map(|name| HeaderName::parse(name.as_bytes()));
    rows.chain([HeaderName::PAssertedIdentity]).collect()
}

/// What screening leaves of a call.
#[derive(Default)]
struct Judged {
    groups: Vec<Group>,
    declined: bool,
    /// One that is not to be disturbed.
    missed: Option<DeviceId>,
}

/// Why a call from outside rings nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotRung {
    /// Nobody is to be disturbed (one of them), or can be reached.
    Missed(Option<DeviceId>),
    /// All of them have blocked the caller.
    Unwanted,
}

/// What is preferred everywhere rings first.
fn merge(all: &mut Vec<Group>, more: Vec<Group>) {
    for (index, group) in more.into_iter().enumerate() {
        match all.get_mut(index) {
            Some(merged) => merged.branches.extend(group.branches),
            None => all.push(group),
        }
    }
}

impl Switchboard {
    /// The branches that may ring, and those where calls go instead. When there are none, why: 603 when somebody
    /// declined, 480 and a row when all are not to be disturbed.
    pub(super) fn screened(
        &mut self,
        groups: Vec<Group>,
        caller: &Caller,
    ) -> Result<Vec<Group>, Reject> {
        let now = self.around.home.clock.now();
        let judged = self.judged(groups, self.calling(caller), now);
        if !judged.groups.is_empty() {
            return Ok(judged.groups);
        }
        if let Some(called) = judged.missed {
            if let Some(row) = undisturbed(caller.device, called, now) {
                self.rows_of_calls.add(row, self.now());
            }
            let why = "nobody there is to be disturbed";
            return Err(because(StatusCode::TEMPORARILY_UNAVAILABLE, why));
        }
        if judged.declined {
            return Err(Reject::new(StatusCode::DECLINE));
        }
        let why = "calls go elsewhere, and nobody can be reached there";
        Err(because(StatusCode::TEMPORARILY_UNAVAILABLE, why))
    }

    /// The branches that a call from outside may ring.
    pub(super) fn undisturbed(
        &self,
        groups: Vec<Group>,
        from: Option<&Number>,
    ) -> Result<Vec<Group>, NotRung> {
        let now = self.around.home.clock.now();
        let judged = self.judged(groups, Calling::Outside(from), now);
        match (judged.groups.is_empty(), judged.missed) {
            (false, _) => Ok(judged.groups),
            (true, None) if judged.declined => Err(NotRung::Unwanted),
            (true, missed) => Err(NotRung::Missed(missed)),
        }
    }

    /// Judges every branch. What is forwarded is judged anew where it goes, [`FORWARDS_MAX`] times at most; no device is
    /// come to twice, and nobody's own call comes back to them.
    fn judged(&self, groups: Vec<Group>, calling: Calling<'_>, now: UnixMs) -> Judged {
        let mut judged = Judged::default();
        let mut taken = HashSet::new();
        if let Calling::Inside { device, .. } = calling {
            taken.insert(device);
        }
        let mut next = groups;
        for hop in 0..=FORWARDS_MAX {
            let mut forwards: Vec<(DeviceId, &ForwardTo)> = Vec::new();
            for group in &mut next {
                group.branches.retain(|branch| {
                    let Some(device) = self.keys.device(branch.label) else {
                        return true;
                    };
                    taken.insert(device);
                    match self.directory.screen(calling, device, now) {
                        Screened::Rings { .. } => return true,
                        Screened::Declined => judged.declined = true,
                        Screened::DoNotDisturb => judged.missed = Some(device),
                        Screened::Forwards(to) => {
                            if forwards.iter().all(|(one, _)| *one != device) {
                                forwards.push((device, to));
                            }
                        }
                    }
                    false
                });
            }
            merge(&mut judged.groups, next);
            if forwards.is_empty() || hop == FORWARDS_MAX {
                break;
            }
            next = Vec::new();
            for (device, to) in forwards {
                merge(&mut next, self.instead(device, to, &mut taken));
            }
        }
        judged.groups.retain(|group| !group.branches.is_empty());
        judged
    }

    /// Where a device's calls go instead of to it.
    fn instead(
        &self,
        device: DeviceId,
        to: &ForwardTo,
        taken: &mut HashSet<DeviceId>,
    ) -> Vec<Group> {
        match to {
            ForwardTo::Called(name) => {
                let called = self.directory.called(name.as_str()).iter().copied();
                let own = self.owner_of(name.as_str());
                let fresh = called.chain(own).filter(|device| taken.insert(*device));
                self.ways_to(&fresh.collect::<Vec<_>>(), self.now())
            }
            ForwardTo::Number(number) => self.by_line(device, number).into_iter().collect(),
        }
    }

    /// The way to a number outside, for a device that may call it. Emergencies are looked for here once more, before
    /// anything else (DESIGN invariant 2): a call that somebody forwarded is never a call for help.
    fn by_line(&self, device: DeviceId, number: &ForwardNumber) -> Option<Group> {
        let uri: Uri = SipUri::new(self.domains[0].clone())
            .with_user(number.as_str())
            .with_param("user", Some("phone"))
            .into();
        let Destination::Number(digits) = Destination::read(&uri, self.country, |_| true) else {
            return None;
        };
        let number = self.door.plan.number(&digits).ok()?;
        if !self.directory.may_call(device, &number) {
            return None;
        }
        let way = Way::to(uri).by(Hop::from(&self.door.flow));
        Some(Group {
            branches: vec![Branch::new(way, 0)],
            ringing_max: None,
        })
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
        let unwanted = ONLY_OURS.into_iter().chain(NOBODYS);
        forward.remove.extend(unwanted.filter_map(name));
        let mut priorities = request.headers.get_all(&HeaderName::Priority);
        if priorities.any(|own| {
            own.trim_ascii()
                .eq_ignore_ascii_case(CALLBACK_PRIORITY.as_bytes())
        }) {
            forward.remove.push(HeaderName::Priority);
        }
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

    fn calling(&self, caller: &Caller) -> Calling<'static> {
        Calling::Inside {
            device: caller.device,
            person: self.directory.owner(caller.device),
        }
    }
}
