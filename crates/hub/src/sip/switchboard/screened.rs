//! The hooks of screening: which devices a call may ring, where it goes instead, and whether it may be answered by itself.

use std::collections::HashSet;

use super::deciding::{because, not_there};
use super::*;
use crate::call_settings::ForwardTo;
use crate::clock::UnixMs;
use crate::gateway::{CALLBACK, CONTACTS_ONLY, FINDING, LOOP};
use crate::number::Number;
use crate::sip::bridges::BRIDGED;
use crate::sip::call_log::missed_inside;
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

/// Whom a call is for, before anybody's wishes are looked at.
pub(super) enum Meant {
    Devices(Vec<DeviceId>),
    /// Places of registered devices.
    Places(Vec<Group>),
}

/// Whom a call rings, and whose browsers are closed and told of it.
#[derive(Debug, Default)]
pub(super) struct Rung {
    pub(super) groups: Vec<Group>,
    pub(super) asleep: Vec<DeviceId>,
}

impl Rung {
    /// These ring, or nobody.
    pub(super) fn awake(groups: Vec<Group>) -> Result<Self, NotRung> {
        match groups.is_empty() {
            true => Err(NotRung::Missed(None)),
            false => Ok(Rung {
                groups,
                asleep: Vec::new(),
            }),
        }
    }
}

/// What screening leaves of a call.
#[derive(Default)]
struct Judged {
    rung: Rung,
    declined: bool,
    /// One that is not to be disturbed.
    missed: Option<DeviceId>,
    /// One that would ring and is not there.
    absent: Option<DeviceId>,
    /// Calls of one of them go elsewhere.
    forwarded: bool,
}

impl Judged {
    fn rings_nobody(&self) -> bool {
        self.rung.groups.is_empty() && self.rung.asleep.is_empty()
    }
}

/// Why a call from outside rings nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotRung {
    /// Nobody is to be disturbed (one of them), or can be reached.
    Missed(Option<DeviceId>),
    /// All of them have blocked the caller.
    Unwanted,
}

/// Whether a call asks to be answered without a person.
pub(super) fn wants_drop_in(request: &Request) -> bool {
    let name = HeaderName::parse(ANSWER_MODE.as_bytes());
    let wish = name.and_then(|name| request.headers.get_str(&name));
    let mode = wish.unwrap_or_default().split(';').next();
    mode.unwrap_or_default().trim().eq_ignore_ascii_case("auto")
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
    /// Those that may ring, and those where calls go instead. When there are none, why: 603 when somebody declined, 480
    /// and a row when all are not to be disturbed, or none of them is there.
    pub(super) fn screened(&mut self, meant: Meant, caller: &Caller) -> Result<Rung, Reject> {
        let now = self.around.home.clock.now();
        let judged = self.judged(meant, self.calling(caller), now);
        if !judged.rings_nobody() {
            return Ok(judged.rung);
        }
        if judged.declined && judged.missed.is_none() {
            return Err(Reject::new(StatusCode::DECLINE));
        }
        if let Some(called) = judged.missed.or(judged.absent)
            && let Some(row) = missed_inside(caller.device, called, now)
        {
            self.rows_of_calls.add(row, self.now());
        }
        let why = match (judged.missed, judged.forwarded) {
            (Some(_), _) => "nobody there is to be disturbed",
            (None, true) => "calls go elsewhere, and nobody can be reached there",
            (None, false) => return Err(not_there()),
        };
        Err(because(StatusCode::TEMPORARILY_UNAVAILABLE, why))
    }

    /// Those that a call from outside may ring.
    pub(super) fn undisturbed(
        &self,
        devices: &[DeviceId],
        from: Option<&Number>,
    ) -> Result<Rung, NotRung> {
        let now = self.around.home.clock.now();
        let meant = Meant::Devices(devices.to_vec());
        let judged = self.judged(meant, Calling::Outside(from), now);
        match (judged.rings_nobody(), judged.missed) {
            (false, _) => Ok(judged.rung),
            (true, None) if judged.declined => Err(NotRung::Unwanted),
            (true, missed) => Err(NotRung::Missed(missed)),
        }
    }

    /// Judges every device, there or not. What is forwarded is judged anew where it goes, [`FORWARDS_MAX`] times at most;
    /// no device is come to twice, and nobody's own call comes back to them. What those who are not there refuse counts
    /// where no other would ring.
    fn judged(&self, meant: Meant, calling: Calling<'_>, now: UnixMs) -> Judged {
        let mut judged = Judged::default();
        let mut away = Judged::default();
        let mut taken = HashSet::new();
        if let Calling::Inside { device, .. } = calling {
            taken.insert(device);
        }
        // Several devices of one person go to one number, which is called once.
        let mut numbers = HashSet::new();
        let mut next: Vec<(DeviceId, Vec<Group>)> = Vec::new();
        match meant {
            Meant::Devices(devices) => next.extend(self.each_way(devices)),
            Meant::Places(groups) => {
                let labels = groups.iter().flat_map(|group| &group.branches);
                let device = labels
                    .filter_map(|branch| self.keys.device(branch.label))
                    .next();
                match device {
                    Some(device) => next.push((device, groups)),
                    None => merge(&mut judged.rung.groups, groups),
                }
            }
        }
        for hop in 0..=FORWARDS_MAX {
            let mut forwards: Vec<(DeviceId, &ForwardTo)> = Vec::new();
            for (device, ways) in next {
                taken.insert(device);
                let there = !ways.is_empty();
                let side = if there { &mut judged } else { &mut away };
                match self.directory.screen(calling, device, now) {
                    Screened::Rings { .. } if there => merge(&mut judged.rung.groups, ways),
                    Screened::Rings { .. } => {
                        judged.absent.get_or_insert(device);
                        if self.may_come(device) {
                            judged.rung.asleep.push(device);
                        }
                    }
                    Screened::Declined => side.declined = true,
                    Screened::DoNotDisturb => side.missed = Some(device),
                    Screened::Forwards(to) => forwards.push((device, to)),
                }
            }
            if forwards.is_empty() {
                break;
            }
            judged.forwarded = true;
            if hop == FORWARDS_MAX {
                break;
            }
            next = Vec::new();
            for (device, to) in forwards {
                match to {
                    ForwardTo::Called(name) => {
                        let fresh = self.instead(name.as_str(), &mut taken);
                        next.extend(self.each_way(fresh));
                    }
                    ForwardTo::Number(number) => {
                        let fresh = !numbers.contains(number.as_str());
                        let by_line = self.by_line(Some(device), number.as_str());
                        if let Some(group) = by_line.filter(|_| fresh) {
                            numbers.insert(number.as_str());
                            merge(&mut judged.rung.groups, vec![group]);
                        }
                    }
                }
            }
        }
        if judged.absent.is_none() {
            judged.declined |= away.declined;
            judged.missed = judged.missed.or(away.missed);
        }
        judged
    }

    /// Each of these and the ways to it; one that is not there has none.
    fn each_way(&self, devices: Vec<DeviceId>) -> Vec<(DeviceId, Vec<Group>)> {
        let now = self.now();
        let standing = devices
            .into_iter()
            .filter(|&own| !self.directory.is_revoked(own));
        standing
            .map(|own| (own, self.ways_to(&[own], now)))
            .collect()
    }

    /// The devices of this name that the call has not come to yet.
    fn instead(&self, name: &str, taken: &mut HashSet<DeviceId>) -> Vec<DeviceId> {
        let called = self.directory.called(name).iter().copied();
        let own = self.owner_of(name);
        let fresh = called.chain(own).filter(|device| taken.insert(*device));
        fresh.collect()
    }

    /// The way to a number outside, for a device that may call it, or a line that its owner sent there. Emergencies are
    /// looked for here once more, before anything else (DESIGN invariant 2): a call that somebody forwarded is never a
    /// call for help.
    pub(super) fn by_line(&self, device: Option<DeviceId>, number: &str) -> Option<Group> {
        let uri: Uri = SipUri::new(self.domains[0].clone())
            .with_user(number)
            .with_param("user", Some("phone"))
            .into();
        let Destination::Number(digits) = Destination::read(&uri, self.country, |_| true) else {
            return None;
        };
        let number = self.door.plan.number(&digits).ok()?;
        if device.is_some_and(|device| !self.directory.may_call(device, &number)) {
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
        let now = self.around.home.clock.now();
        let calling = self.calling(caller);
        let mut branches = groups.iter().flat_map(|group| &group.branches);
        let allowed = wants_drop_in(request)
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
