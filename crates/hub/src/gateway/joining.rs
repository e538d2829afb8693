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
//! *Bounds.* [`JOINED_MAX`] at once, [`JOINED_TIME_MAX`] each: nobody of the home would notice one that never ends.

use std::time::Duration;

use hearthline_sip::endpoint::{Body, CallHandle, CommandError, Event, ReferHandle, Refusal};
use hearthline_sip::refer::{ReferTo, Replaces};
use hearthline_sip::{HeaderName, Request, StatusCode};

use super::transfer::because;
use super::{CONTACTS_ONLY, Call, Gateway, Side, body_of};
use crate::contact::Screening;
use crate::sip::destination::Destination;

/// Joined calls at once.
const JOINED_MAX: usize = 8;
/// How long one lasts at most.
const JOINED_TIME_MAX: Duration = Duration::from_secs(4 * 3_600);

/// Two calls on their way to be one.
pub(super) struct Joining {
    refer: ReferHandle,
    ends: [End; 2],
    stage: Stage,
}

/// One of the two calls.
#[derive(Debug, Clone, Copy)]
struct End {
    id: u64,
    outside: CallHandle,
    /// `None`: the device has hung up already.
    home: Option<CallHandle>,
}

enum Stage {
    /// The first line is asked to send to the second's far end, described like this.
    First(Body),
    /// The second is told where the first one's sound is.
    Second(Body),
    /// The second chose anew, so the first is told.
    Again,
}

/// Two far ends with nobody of the home between them.
pub(super) struct Joined {
    ends: [CallHandle; 2],
    until: Duration,
}

impl Joined {
    pub(super) fn next_timeout(&self) -> Duration {
        self.until
    }

    fn other(&self, handle: CallHandle) -> CallHandle {
        match self.ends[0] == handle {
            true => self.ends[1],
            false => self.ends[0],
        }
    }
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
                let stage = Stage::First(session);
                self.joinings.push(Joining { refer, ends, stage });
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
        if both
            .iter()
            .any(|id| self.moves.contains_key(id) || self.is_joining(*id))
        {
            return Err((StatusCode::REQUEST_PENDING, "the call is being moved"));
        }
        if self.joined.len() + self.joinings.len() >= JOINED_MAX {
            let status = StatusCode::TEMPORARILY_UNAVAILABLE;
            return Err((status, "too many joined calls"));
        }
        let made: Vec<&Request> = both
            .iter()
            .filter_map(|id| match self.calls.get(id) {
                Some(Call::Outgoing(call)) => Some(call.asked()),
                _ => None,
            })
            .collect();
        let is_child = |request: &&Request| {
            let name = HeaderName::parse(CONTACTS_ONLY.as_bytes());
            name.is_some_and(|name| request.headers.contains(&name))
        };
        match made.as_slice() {
            [] => return forbidden("two callers from outside are not joined"),
            [one] if is_child(one) => {
                return forbidden("children call the contacts that they were allowed");
            }
            [one, other] if is_child(one) != is_child(other) => {
                return forbidden("children call the contacts that they were allowed");
            }
            [one, other] if asserted(one) != asserted(other) => {
                return forbidden("the other call is another device's");
            }
            _ => {}
        }
        let is_allowed = |id: &u64| match self.calls.get(id) {
            Some(Call::Incoming(_)) => {
                let on_line = self.beyond.get(id).and_then(|own| own.on_line.as_ref());
                let number = on_line.and_then(|own| own.number.as_ref());
                let known = number.and_then(|number| self.book.get(number));
                known.is_some_and(|known| known.screening == Screening::Allow)
            }
            _ => true,
        };
        if !both.iter().all(is_allowed) {
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
        let Joining { refer, ends, .. } = self.joinings.remove(at);
        let _ = self.home.report(refer, StatusCode::OK, now);
        for end in ends {
            self.forget(end.id, now);
            if let Some(home) = end.home {
                let _ = self.home.bye(home, None, now);
            }
        }
        let id = self.next_id();
        let ends = ends.map(|end| end.outside);
        for end in ends {
            self.of_outside.insert(end, id);
        }
        let until = now.saturating_add(JOINED_TIME_MAX);
        self.joined.insert(id, Joined { ends, until });
    }

    /// They do not: each line gets the device's session back, and a call that the device has left ends. `refused`: whose
    /// line did not take what it was offered last, or has ended.
    fn join_fails(&mut self, at: usize, status: StatusCode, refused: Option<usize>, now: Duration) {
        let Joining { refer, ends, stage } = self.joinings.remove(at);
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

    /// Something happened between two far ends.
    fn joined_event(&mut self, id: u64, handle: CallHandle, event: &Event, now: Duration) {
        let Some(other) = self.joined.get(&id).map(|own| own.other(handle)) else {
            return;
        };
        let outside = &mut self.outside;
        match event {
            Event::Ended { .. } => self.part(id, Some(handle), now),
            Event::Reinvite { request, .. } | Event::Update { request, .. } => {
                let body = body_of(&request.headers, &request.body);
                let asked = body.map(|body| match event {
                    Event::Update { .. } => outside.update(other, Some(body), now),
                    _ => outside.reinvite(other, body, now),
                });
                if !matches!(asked, Some(Ok(()))) {
                    let pending = Refusal::new(StatusCode::REQUEST_PENDING);
                    let _ = outside.reject_reinvite(handle, pending, now);
                }
            }
            Event::ReinviteAnswered { response, .. } => {
                let body = body_of(&response.headers, &response.body);
                // The one who asked may have left.
                let _ = match response.status {
                    status if status.is_success() => outside.answer_reinvite(other, body, now),
                    status => outside.reject_reinvite(other, Refusal::new(status), now),
                };
            }
            Event::Info { request, .. } => {
                if let Some(body) = body_of(&request.headers, &request.body) {
                    // A key that was pressed; lost, it is pressed again.
                    let _ = outside.info(other, body, now);
                }
            }
            Event::SessionExpired { .. } => self.part(id, None, now),
            _ => {}
        }
    }

    /// Joined calls that have lasted for as long as they may; whether there were any.
    pub(super) fn joined_due(&mut self, now: Duration) -> bool {
        let due: Vec<u64> = self
            .joined
            .iter()
            .filter(|(_, own)| own.until <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in &due {
            self.part(*id, None, now);
        }
        !due.is_empty()
    }

    /// Ends what is left of a joined call.
    fn part(&mut self, id: u64, gone: Option<CallHandle>, now: Duration) {
        let Some(Joined { ends, .. }) = self.joined.remove(&id) else {
            return;
        };
        for end in ends {
            self.of_outside.remove(&end);
            if Some(end) != gone {
                let _ = self.outside.bye(end, None, now);
            }
        }
    }
}

/// Who makes a call, as the switchboard says.
fn asserted(request: &Request) -> Option<&[u8]> {
    request.headers.get(&HeaderName::PAssertedIdentity)
}

/// A session that takes and sends again, whatever it was put on hold for; `None`: it is no session alone.
fn both_ways(session: &Body) -> Option<Body> {
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
