//! An outside call that is put through to another number without a word to whoever is there: a REFER of the device that
//! has it (RFC 5589 section 6). The number is called on the home's lines, offered the far end's own session, and once
//! somebody answers the two are joined as any two calls of a device are ([`joining`](super::joining)).
//!
//! ```text
//! device ─ REFER +49… in call 1 ─► gateway ─ INVITE, far end 1's session ─► a line ─ 180, 200 ─► joined
//!    ▲ reports; may hang up at once  └ refused, or 60 s: call 1 stays with the device, or ends where that has left
//! ```
//! *Who may*, and to whom: as in `joining`. Emergency numbers and services of the home's country are found before this is
//! asked, a call for help or its callback goes nowhere, and a caller whom the address book does not know is put through to
//! no number. A child, or whoever the switchboard does not know, has no number called by REFER at all.

use std::time::Duration;

use hearthline_emergency::numbers::OrdinaryDigits;
use hearthline_sip::endpoint::{Body, CallHandle, Event, ReferHandle};
use hearthline_sip::refer::ReferTo;
use hearthline_sip::{HeaderName, Method, Request, StatusCode};

use super::joining::{End, both_ways, is_childs};
use super::outgoing::Outgoing;
use super::transfer::because;
use super::{CALLS_MAX, CONTACTS_ONLY, Call, Gateway, Side, relay};
use crate::call::Ending;
use crate::number::Number;

/// A call to a number that another outside call is to be joined with.
pub(super) struct Onward {
    refer: ReferHandle,
    /// Its number in the record.
    record: u64,
    /// The call that is put through.
    first: u64,
    /// Whether the device that asked has hung up.
    left: bool,
    until: Duration,
}

impl Onward {
    pub(super) fn next_timeout(&self) -> Duration {
        self.until
    }
}

impl Gateway {
    /// Whether a number is being called for this call.
    pub(super) fn is_put_through(&self, first: u64) -> bool {
        self.onward.values().any(|own| own.first == first)
    }

    /// A device asks for a call of its own to be put through to a number.
    pub(super) fn asked_to_put_through(
        &mut self,
        first: u64,
        refer: ReferHandle,
        to: &ReferTo,
        digits: &OrdinaryDigits,
        request: &Request,
        now: Duration,
    ) {
        let asked = match (&to.replaces, self.config.plan.number(digits)) {
            // One that is ours was joined before this.
            (Some(_), _) => Err((StatusCode::CALL_DOES_NOT_EXIST, "no such call")),
            (None, Err(_)) => Err((StatusCode::NOT_FOUND, "not a whole telephone number here")),
            (None, Ok(number)) => self.may_put_through(first, &number, request),
        };
        let (number, session) = match asked {
            Ok(found) => found,
            Err((status, why)) => {
                // It was handed up a moment ago.
                let _ = self.home.reject_refer(refer, because(status, why), now);
                return;
            }
        };
        let mut wanted = Request::new(Method::Invite, to.uri.clone());
        wanted.set_body(&session.content_type, session.bytes);
        if let Some(Call::Outgoing(call)) = self.calls.get(&first)
            && relay::wants_privacy(&call.asked().headers)
        {
            wanted.headers.push(HeaderName::Privacy, "id");
        }
        let call = Outgoing::onward(number, wanted, self.lines_for(false));
        let (id, record) = (self.next_id(), self.next_id());
        let _ = self.home.accept_refer(refer, now);
        self.calls.insert(id, Call::Outgoing(call));
        let own = Onward {
            refer,
            record,
            first,
            left: false,
            until: now.saturating_add(self.config.timers.onward_ringing_max),
        };
        self.onward.insert(id, own);
        self.next_line(id, now);
        // Where no line took it, it is over already.
        if self.onward.contains_key(&id) {
            self.between_begins(record, [first, id], true);
        }
    }

    /// Whether a call may be put through to this number, and the far end's session.
    fn may_put_through(
        &self,
        first: u64,
        number: &Number,
        request: &Request,
    ) -> Result<(Number, Body), (StatusCode, &'static str)> {
        let forbidden = |why| Err((StatusCode::FORBIDDEN, why));
        if self.is_help(first) {
            return forbidden("a call for help is not moved");
        }
        let name = HeaderName::parse(CONTACTS_ONLY.as_bytes());
        let word = name.and_then(|name| request.headers.get_str(&name));
        let by_child = match self.calls.get(&first) {
            Some(Call::Outgoing(call)) => is_childs(call.asked()),
            _ => false,
        };
        if word != Some("no") || by_child {
            return forbidden("children call the contacts that they were allowed");
        }
        if !self.is_trusted(first) {
            return forbidden("the address book does not know who calls");
        }
        if self.is_under_way(first) {
            return Err((StatusCode::REQUEST_PENDING, "the call is being moved"));
        }
        self.has_room_for_joined()?;
        if self.calls.len() >= CALLS_MAX / 2 {
            return Err((StatusCode::SERVICE_UNAVAILABLE, "too many calls"));
        }
        let beyond = self.beyond.get(&first);
        let on_line = beyond.and_then(|own| own.on_line.as_ref());
        if on_line.and_then(|own| own.number.as_ref()) == Some(number) {
            return forbidden("a call is not joined with itself");
        }
        let session = beyond.and_then(|own| own.session.as_ref());
        match (self.peer(first, Side::Home), session.and_then(both_ways)) {
            (Some(_), Some(session)) => Ok((number.clone(), session)),
            _ => Err((StatusCode::REQUEST_PENDING, "the call does not stand yet")),
        }
    }

    /// Looks at an event of a call that is put through; whether that was all.
    pub(super) fn onward_event(
        &mut self,
        first: u64,
        side: Side,
        handle: CallHandle,
        event: &Event,
        now: Duration,
    ) -> bool {
        let mut all = self.onward.iter_mut();
        let Some((&id, own)) = all.find(|(_, own)| own.first == first) else {
            return false;
        };
        match (side, event) {
            // Who asks for it and hangs up at once: the call is not over.
            (Side::Home, Event::Ended { .. }) => {
                own.left = true;
                self.of_home.remove(&handle);
                true
            }
            (Side::Outside, Event::Ended { .. }) => {
                let Some(Onward {
                    refer,
                    record,
                    left,
                    ..
                }) = self.onward.remove(&id)
                else {
                    return false;
                };
                let gone = StatusCode::REQUEST_TERMINATED;
                let _ = self.home.report(refer, gone, now);
                self.between_ended(record, Ending::NotJoined);
                self.leave_lines(id, now);
                self.forget(id, now);
                if left {
                    self.forget(first, now);
                }
                left
            }
            (_, Event::Referred { refer, .. }) => {
                let refusal = because(StatusCode::REQUEST_PENDING, "the call is being moved");
                let _ = self.home.reject_refer(*refer, refusal, now);
                true
            }
            _ => false,
        }
    }

    /// It rings there.
    pub(super) fn onward_rings(&mut self, id: u64, status: StatusCode, now: Duration) {
        if let Some(own) = self.onward.get(&id) {
            // Who asked may not listen any more.
            let _ = self.home.report(own.refer, status, now);
        }
    }

    /// Somebody there answered.
    pub(super) fn onward_answered(&mut self, id: u64, outside: CallHandle, now: Duration) {
        let Some(own) = self.onward.remove(&id) else {
            return;
        };
        let second = End {
            id,
            outside,
            home: None,
        };
        let Some((_, at_first)) = self.peer(own.first, Side::Home) else {
            return;
        };
        let home = self.peer(own.first, Side::Outside).map(|(_, home)| home);
        let first = End {
            id: own.first,
            outside: at_first,
            home: home.filter(|_| !own.left),
        };
        self.begin_joining(own.refer, own.record, [first, second], now);
    }

    /// Nobody there could be had. The caller forgets that call.
    pub(super) fn onward_fails(&mut self, id: u64, status: StatusCode, now: Duration) {
        let Some(own) = self.onward.remove(&id) else {
            return;
        };
        let _ = self.home.report(own.refer, status, now);
        self.between_ended(own.record, Ending::NotJoined);
        if own.left {
            if let Some((_, outside)) = self.peer(own.first, Side::Home) {
                let _ = self.outside.bye(outside, None, now);
            }
            self.forget(own.first, now);
        }
    }

    /// Numbers that have rung for long enough; whether there were any.
    pub(super) fn onward_due(&mut self, now: Duration) -> bool {
        let due = |(id, own): (&u64, &Onward)| (own.until <= now).then_some(*id);
        let due: Vec<u64> = self.onward.iter().filter_map(due).collect();
        for id in &due {
            self.onward_fails(*id, StatusCode::TEMPORARILY_UNAVAILABLE, now);
            self.leave_lines(*id, now);
            self.forget(*id, now);
        }
        !due.is_empty()
    }
}
