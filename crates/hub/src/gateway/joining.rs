//! Two outside calls of one device become one between their far ends: an attended transfer, by REFER in the one call with
//! a Replaces that names the other (RFC 3515, RFC 3891, RFC 5589 section 7). Both stay with their lines; each line is
//! asked to send its sound to the other's (RFC 3725), and the device is out of it.
//!
//! ```text
//! device ─ REFER (Replaces: call 2) in call 1 ─► gateway
//!   gateway ─ re-INVITE, far end 2's session ─► line 1 ─ 200 ─► re-INVITE with that answer ─► line 2 ─ 200 ─► joined
//!   device ◄ report, BYE, BYE ─┘                    refused: line 1 gets the device's session back, both calls stand
//! ```
//! *Who may.* Nobody for a call for help or its callback. Who called from outside must be in the address book and allowed
//! to ring: otherwise whoever talks a person into it calls anywhere at the home's cost. Two callers from outside are not
//! joined. A child's calls are joined with none but a child's calls: each went to somebody whom the child may call.
//! Afterwards it is [`joined`](super::joined).

use std::time::Duration;

use hearthline_sip::endpoint::{Body, CallHandle, CommandError, Event, ReferHandle, Refusal};
use hearthline_sip::refer::{ReferTo, Replaces};
use hearthline_sip::{HeaderName, Request, StatusCode};

use super::transfer::because;
use super::{CONTACTS_ONLY, Call, Gateway, Side, body_of};
use crate::call::Ending;
use crate::contact::Screening;
use crate::sip::destination::Destination;

/// Two calls on their way to be one.
pub(super) struct Joining {
    refer: ReferHandle,
    /// Its number in the record.
    record: u64,
    ends: [End; 2],
    stage: Stage,
}

/// One of the two calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) id: u64,
    pub(super) outside: CallHandle,
    /// `None`: the device has hung up already, or never had it.
    pub(super) home: Option<CallHandle>,
}

enum Stage {
    /// The first line is asked to send to the second's far end, described like this.
    First(Body),
    /// The second is told where the first one's sound is.
    Second(Body),
    /// The second chose anew, so the first is told.
    Again,
}

impl Gateway {
    /// Looks at an event of a call before anything else does; whether that was all.
    pub(super) fn join_event(
        &mut self,
        id: u64,
        side: Side,
        handle: CallHandle,
        event: &Event,
        now: Duration,
    ) -> bool {
        if self.joined.contains_key(&id) {
            self.joined_event(id, handle, event, now);
            return true;
        }
        if let Event::Referred { refer, to, .. } = event
            && let Some(second) = to.replaces.as_ref().and_then(|own| self.named(own))
        {
            self.asked_to_join(id, second, *refer, to, now);
            return true;
        }
        if let (Side::Outside, Event::ReinviteAnswered { response, .. }) = (side, event)
            && let Some(place) = self.turning_back.iter().position(|own| *own == id)
        {
            self.turning_back.swap_remove(place);
            if response.status.is_success() {
                self.turn_back(id, handle, now);
            }
            return true;
        }
        let Some((at, end)) = self.joining_of(id) else {
            return false;
        };
        match (side, event) {
            (Side::Outside, Event::ReinviteAnswered { response, .. }) => {
                let session = body_of(&response.headers, &response.body);
                match (response.status.is_success(), session) {
                    (true, Some(session)) => self.join_goes_on(at, end, session, now),
                    (true, None) => {
                        self.join_fails(at, StatusCode::NOT_ACCEPTABLE_HERE, None, now);
                    }
                    (false, _) => self.join_fails(at, response.status, Some(end), now),
                }
                true
            }
            // Who asks for it and hangs up at once: the call is not over.
            (Side::Home, Event::Ended { .. }) => {
                self.of_home.remove(&handle);
                self.joinings[at].ends[end].home = None;
                true
            }
            (Side::Outside, Event::Ended { .. }) => {
                self.join_fails(at, StatusCode::REQUEST_TERMINATED, Some(end), now);
                // Where the device is gone, that ended the call here.
                !self.calls.contains_key(&id)
            }
            (_, Event::Reinvite { .. } | Event::Update { .. }) => {
                let pending = Refusal::new(StatusCode::REQUEST_PENDING);
                let _ = self.endpoint(side).reject_reinvite(handle, pending, now);
                true
            }
            (_, Event::Referred { refer, .. }) => {
                let refusal = because(StatusCode::REQUEST_PENDING, "the call is being moved");
                let _ = self.home.reject_refer(*refer, refusal, now);
                true
            }
            _ => false,
        }
    }

    /// Whether a call is being joined with another.
    pub(super) fn is_joining(&self, id: u64) -> bool {
        self.joining_of(id).is_some()
    }

    fn joining_of(&self, id: u64) -> Option<(usize, usize)> {
        self.joinings.iter().enumerate().find_map(|(at, own)| {
            let end = own.ends.iter().position(|end| end.id == id)?;
            Some((at, end))
        })
    }

    /// The call of ours that a Replaces names.
    fn named(&self, replaces: &Replaces) -> Option<u64> {
        let is_named = |handle: &CallHandle| {
            self.home.replaces(*handle).is_some_and(|(_, own)| {
                // Its tags are as the peer would write them.
                own.call_id == replaces.call_id
                    && own.from_tag == replaces.to_tag
                    && own.to_tag == replaces.from_tag
            })
        };
        let mut calls = self.of_home.iter();
        calls.find_map(|(handle, id)| is_named(handle).then_some(*id))
    }

    fn asked_to_join(
        &mut self,
        first: u64,
        second: u64,
        refer: ReferHandle,
        to: &ReferTo,
        now: Duration,
    ) {
        let country = self.config.plan.country();
        let asked = match Destination::read(&to.uri, country, |_| true) {
            Destination::Emergency => Err((StatusCode::FORBIDDEN, "a call for help is not moved")),
            _ => self.may_join(first, second),
        };
        let begun = asked.and_then(|(ends, session)| {
            let [end, _] = ends;
            let pending = (StatusCode::REQUEST_PENDING, "the call is being changed");
            let offered = self.outside.reinvite(end.outside, session.clone(), now);
            offered.map(|()| (ends, session)).map_err(|_| pending)
        });
        match begun {
            Ok((ends, session)) => {
                let _ = self.home.accept_refer(refer, now);
                let record = self.next_id();
                self.between_begins(record, ends.map(|end| end.id), false);
                self.joinings.push(Joining {
                    refer,
                    record,
                    ends,
                    stage: Stage::First(session),
                });
            }
            Err((status, why)) => {
                // It was handed up a moment ago.
                let _ = self.home.reject_refer(refer, because(status, why), now);
            }
        }
    }

    /// Whether two calls may be joined, and what the first line is offered.
    fn may_join(
        &self,
        first: u64,
        second: u64,
    ) -> Result<([End; 2], Body), (StatusCode, &'static str)> {
        let forbidden = |why| Err((StatusCode::FORBIDDEN, why));
        let both = [first, second];
        if both.iter().any(|id| self.is_help(*id)) {
            return forbidden("a call for help is not moved");
        }
        if first == second {
            return forbidden("a call is not joined with itself");
        }
        if both.iter().any(|id| self.is_under_way(*id)) {
            return Err((StatusCode::REQUEST_PENDING, "the call is being moved"));
        }
        self.has_room_for_joined()?;
        let made: Vec<&Request> = both
            .iter()
            .filter_map(|id| match self.calls.get(id) {
                Some(Call::Outgoing(call)) => Some(call.asked()),
                _ => None,
            })
            .collect();
        match made.as_slice() {
            [] => return forbidden("two callers from outside are not joined"),
            [one] if is_childs(one) => {
                return forbidden("children call the contacts that they were allowed");
            }
            [one, other] if is_childs(one) != is_childs(other) => {
                return forbidden("children call the contacts that they were allowed");
            }
            [one, other] if asserted(one) != asserted(other) => {
                return forbidden("the other call is another device's");
            }
            _ => {}
        }
        if !both.iter().all(|id| self.is_trusted(*id)) {
            return forbidden("the address book does not know who calls");
        }
        let end = |id: u64| {
            let (_, outside) = self.peer(id, Side::Home)?;
            let (_, home) = self.peer(id, Side::Outside)?;
            let home = Some(home);
            Some(End { id, outside, home })
        };
        let session = self
            .beyond
            .get(&second)
            .and_then(|own| own.session.as_ref());
        match (end(first), end(second), session.and_then(both_ways)) {
            (Some(one), Some(other), Some(session)) => Ok(([one, other], session)),
            _ => Err((StatusCode::REQUEST_PENDING, "the call does not stand yet")),
        }
    }

    /// Whether a call's far end is somebody whom the home called, or whom the address book knows and lets ring.
    pub(super) fn is_trusted(&self, id: u64) -> bool {
        match self.calls.get(&id) {
            Some(Call::Incoming(_)) => {
                let on_line = self.beyond.get(&id).and_then(|own| own.on_line.as_ref());
                let number = on_line.and_then(|own| own.number.as_ref());
                let known = number.and_then(|number| self.book.get(number));
                known.is_some_and(|known| known.screening == Screening::Allow)
            }
            _ => true,
        }
    }

    /// Both far ends stand: the first line is offered the second's session.
    pub(super) fn begin_joining(
        &mut self,
        refer: ReferHandle,
        record: u64,
        ends: [End; 2],
        now: Duration,
    ) {
        let [first, second] = ends;
        let session = self.beyond.get(&second.id);
        let session = session.and_then(|own| own.session.as_ref());
        let session = session.and_then(both_ways);
        let offered = session.as_ref().map(|session| {
            self.outside
                .reinvite(first.outside, session.clone(), now)
                .is_ok()
        });
        let at = self.joinings.len();
        self.joinings.push(Joining {
            refer,
            record,
            ends,
            stage: Stage::First(session.unwrap_or_else(|| Body::sdp(""))),
        });
        match offered {
            Some(true) => {}
            // The line was asked nothing: it has the device's session still.
            Some(false) => self.join_fails(at, StatusCode::REQUEST_PENDING, Some(0), now),
            None => self.join_fails(at, StatusCode::NOT_ACCEPTABLE_HERE, Some(0), now),
        }
    }

    /// A line has answered with this session.
    fn join_goes_on(&mut self, at: usize, end: usize, session: Body, now: Duration) {
        let Joining { ends, stage, .. } = &self.joinings[at];
        let [first, second] = ends.map(|end| end.outside);
        let (next, asked, offer) = match (stage, end) {
            (Stage::First(offered), 0) => (Stage::Second(offered.clone()), second, session),
            (Stage::Second(offered), 1) if session.bytes != offered.bytes => {
                (Stage::Again, first, session)
            }
            (Stage::Second(_), 1) | (Stage::Again, 0) => return self.join_stands(at, now),
            _ => return,
        };
        let offered = both_ways(&offer).map(|offer| self.outside.reinvite(asked, offer, now));
        match offered {
            Some(Ok(())) => self.joinings[at].stage = next,
            Some(Err(_)) => self.join_fails(at, StatusCode::REQUEST_PENDING, None, now),
            None => self.join_fails(at, StatusCode::NOT_ACCEPTABLE_HERE, None, now),
        }
    }

    /// The far ends have each other.
    fn join_stands(&mut self, at: usize, now: Duration) {
        let Joining {
            refer,
            record,
            ends,
            ..
        } = self.joinings.remove(at);
        let _ = self.home.report(refer, StatusCode::OK, now);
        self.between_stands(record, ends.map(|end| end.id));
        for end in ends {
            self.forget(end.id, now);
            if let Some(home) = end.home {
                let _ = self.home.bye(home, None, now);
            }
        }
        self.stand_joined(record, ends.map(|end| end.outside), now);
    }

    /// They do not: each line gets the device's session back, and a call that the device has left ends. `refused`: whose
    /// line did not take what it was offered last, or has ended.
    fn join_fails(&mut self, at: usize, status: StatusCode, refused: Option<usize>, now: Duration) {
        let Joining {
            refer,
            record,
            ends,
            stage,
        } = self.joinings.remove(at);
        self.between_ended(record, Ending::NotJoined);
        // Who asked may not listen any more.
        let _ = self.home.report(refer, status, now);
        for (place, end) in ends.into_iter().enumerate() {
            if end.home.is_none() {
                let _ = self.outside.bye(end.outside, None, now);
                self.forget(end.id, now);
                continue;
            }
            let turned = match (&stage, place) {
                (Stage::Again, _) | (Stage::Second(_), 0) => true,
                (Stage::First(_), 0) | (Stage::Second(_), _) => refused != Some(place),
                (Stage::First(_), _) => false,
            };
            if turned {
                self.turn_back(end.id, end.outside, now);
            }
        }
    }

    /// A line gets the device's session back; where it is being asked something, once it has answered.
    fn turn_back(&mut self, id: u64, outside: CallHandle, now: Duration) {
        let session = self.beyond.get(&id).and_then(|own| own.at_home.clone());
        let Some(session) = session else {
            return;
        };
        if let Err(CommandError::Glare | CommandError::WrongState { .. }) =
            self.outside.reinvite(outside, session, now)
        {
            self.turning_back.push(id);
        }
    }
}

/// Who makes a call, as the switchboard says.
fn asserted(request: &Request) -> Option<&[u8]> {
    request.headers.get(&HeaderName::PAssertedIdentity)
}

/// Whether a child makes a call, as the switchboard says.
pub(super) fn is_childs(request: &Request) -> bool {
    let name = HeaderName::parse(CONTACTS_ONLY.as_bytes());
    name.is_some_and(|name| request.headers.contains(&name))
}

/// A session that takes and sends again, whatever it was put on hold for; `None`: it is no session alone.
pub(super) fn both_ways(session: &Body) -> Option<Body> {
    let kind = session.content_type.split(';').next()?.trim();
    if !kind.eq_ignore_ascii_case("application/sdp") {
        return None;
    }
    let held = |line: &&[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        matches!(line, b"a=sendonly" | b"a=recvonly" | b"a=inactive")
    };
    let lines = session.bytes.split(|byte| *byte == b'\n');
    let kept: Vec<&[u8]> = lines.filter(|line| !held(line)).collect();
    Some(Body::new(session.content_type.clone(), kept.join(&b'\n')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_on_hold_is_offered_both_ways() {
        let held = "v=0\r\nm=audio 4 RTP/AVP 0\r\na=recvonly\r\na=rtpmap:0 PCMU/8000\r\n";
        let kept = "v=0\r\nm=audio 4 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
        assert_eq!(both_ways(&Body::sdp(held)), Some(Body::sdp(kept)));
        let multipart = Body::new("multipart/mixed;boundary=a", held);
        assert_eq!(both_ways(&multipart), None);
    }
}
