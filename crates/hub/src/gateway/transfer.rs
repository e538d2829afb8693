//! An outside call that goes from one device of the home to another: by REFER of the device that has it, or by an INVITE
//! that takes its place (RFC 3515, RFC 3891). The far end hears nothing of it but a changed session.
//!
//! ```text
//! device A ─ REFER kitchen ─► gateway ─ INVITE, the far end's session ─► kitchen: rings, answers
//!    ▲ reports, BYE               └─ re-INVITE, the kitchen's session ─► line ─ 200 ─► the call is the kitchen's
//! ```
//! A REFER is a wish of a device of the home for a call that it has; what comes from a line moves nothing. Nobody is
//! called here but devices of the home, and a call for help moves nowhere. A REFER to a number is for
//! [`putting_through`](super::putting_through); two calls that stand become one in [`joining`](super::joining).

use std::time::Duration;

use hearthline_sip::endpoint::{
    Body, CallHandle, Event, InviteRequest, ReferHandle, Refusal, Reliable,
};
use hearthline_sip::refer::ReferTo;
use hearthline_sip::{HeaderName, NameAddr, Request, StatusCode, Uri};

use super::{Call, Gateway, OnLine, Output, Side, body_of, offer_of};
use crate::sip::destination::Destination;

/// Longest session description that is kept for a transfer.
const SESSION_BYTES_MAX: usize = 16 * 1024;

/// What is known of the far end of a call.
#[derive(Default)]
pub(super) struct Beyond {
    pub(super) on_line: Option<OnLine>,
    /// Its last session description.
    pub(super) session: Option<Body>,
    /// That of the device.
    pub(super) at_home: Option<Body>,
}

/// A call on its way to another device.
pub(super) struct Move {
    /// Who had it; `None`: it has hung up already.
    from: Option<CallHandle>,
    /// Who is to have it.
    to: CallHandle,
    wish: Wish,
    stage: Stage,
}

enum Wish {
    /// By REFER: we call the other device, and report.
    Refer(ReferHandle),
    /// By Replaces: the other device calls us.
    Replaces,
}

#[derive(PartialEq, Eq)]
enum Stage {
    /// The other device has not answered yet.
    Calling,
    /// It has, and the line is asked to send its sound there.
    Joining(Body),
}

impl Gateway {
    /// By which line a call goes, told and remembered.
    pub(super) fn goes_by(&mut self, id: u64, on_line: OnLine) {
        self.beyond.entry(id).or_default().on_line = Some(on_line.clone());
        self.outputs.push_back(Output::OnLine(on_line));
    }

    /// The far end described its sound.
    pub(super) fn note_session(&mut self, id: u64, session: Option<Body>) {
        let session = session.filter(|session| session.bytes.len() <= SESSION_BYTES_MAX);
        if let Some(session) = session {
            self.beyond.entry(id).or_default().session = Some(session);
        }
    }

    /// The device described its sound.
    pub(super) fn note_at_home(&mut self, id: u64, session: Option<Body>) {
        let session = session.filter(|session| session.bytes.len() <= SESSION_BYTES_MAX);
        if let Some(session) = session {
            self.beyond.entry(id).or_default().at_home = Some(session);
        }
    }

    /// Remembers what an event says of the sound of a call.
    pub(super) fn note_sessions(&mut self, id: u64, side: Side, event: &Event) {
        let session = match event {
            Event::Answered { response, .. } => body_of(&response.headers, &response.body),
            Event::ReinviteAnswered { response, .. } if response.status.is_success() => {
                body_of(&response.headers, &response.body)
            }
            Event::Reinvite { request, .. } | Event::Update { request, .. } => offer_of(request),
            // After a late offer.
            Event::Confirmed { ack, .. } => body_of(&ack.headers, &ack.body),
            _ => None,
        };
        // What is being tried on a line is not the far end's word to the device.
        if !self.calls.contains_key(&id) || self.is_joining(id) {
            return;
        }
        match side {
            Side::Outside => self.note_session(id, session),
            Side::Home if self.moves.contains_key(&id) => {}
            Side::Home => self.note_at_home(id, session),
        }
    }

    /// Looks at an event before anything else does; whether that was all.
    pub(super) fn move_event(
        &mut self,
        id: u64,
        side: Side,
        handle: CallHandle,
        event: &Event,
        now: Duration,
    ) -> bool {
        if let Event::Referred {
            refer, to, request, ..
        } = event
        {
            self.asked_to_move(id, handle, *refer, to, request, now);
            return true;
        }
        let Some(own) = self.moves.get_mut(&id) else {
            return false;
        };
        let (to, from) = (own.to, own.from);
        match (side, event) {
            (Side::Home, Event::Progress { response, .. }) if handle == to => {
                let status = response.status;
                self.tell(id, status, now);
            }
            (Side::Home, Event::Answered { response, .. }) if handle == to => {
                let session = body_of(&response.headers, &response.body);
                self.join(id, session, now);
            }
            (Side::Home, Event::Failed { cause, .. }) if handle == to => {
                let status = cause.status();
                self.stays(
                    id,
                    status.unwrap_or(StatusCode::TEMPORARILY_UNAVAILABLE),
                    now,
                );
            }
            (Side::Home, Event::Ended { .. }) if handle == to => {
                self.stays(id, StatusCode::REQUEST_TERMINATED, now);
            }
            // Who transfers and hangs up at once: the call is not over, it is on its way.
            (Side::Home, Event::Ended { .. }) if Some(handle) == from => {
                own.from = None;
                self.of_home.remove(&handle);
            }
            (Side::Outside, Event::ReinviteAnswered { response, .. })
                if own.stage != Stage::Calling =>
            {
                let session = body_of(&response.headers, &response.body);
                match (response.status.is_success(), session) {
                    (true, Some(session)) => self.moved(id, session, now),
                    (true, None) => self.stays(id, StatusCode::NOT_ACCEPTABLE_HERE, now),
                    (false, _) => self.stays(id, response.status, now),
                }
            }
            (Side::Outside, Event::Ended { .. }) => {
                self.leave_move(id, StatusCode::REQUEST_TERMINATED, now);
                return false;
            }
            _ => return false,
        }
        true
    }

    /// A device of the home asks for a call of its own to be moved.
    fn asked_to_move(
        &mut self,
        id: u64,
        from: CallHandle,
        refer: ReferHandle,
        to: &ReferTo,
        request: &Request,
        now: Duration,
    ) {
        let country = self.config.plan.country();
        if let Destination::Number(digits) = Destination::read(&to.uri, country, |_| false) {
            return self.asked_to_put_through(id, refer, to, &digits, request, now);
        }
        let (user, session) = match self.may_move(id, &to.uri) {
            Ok(found) => found,
            Err((status, why)) => {
                let refusal = because(status, why);
                // It was handed up a moment ago.
                let _ = self.home.reject_refer(refer, refusal, now);
                return;
            }
        };
        let mut invite = self.invite_to(id, &user, session);
        if let Some(by) = request.headers.get(&HeaderName::ReferredBy) {
            invite.headers.push((HeaderName::ReferredBy, by.to_vec()));
        }
        if let Some(replaces) = &to.replaces {
            let row = replaces.to_string().into_bytes();
            invite.headers.push((HeaderName::Replaces, row));
        }
        let Ok(to) = self.home.invite(invite, now) else {
            let refusal = because(StatusCode::SERVICE_UNAVAILABLE, "too many calls");
            let _ = self.home.reject_refer(refer, refusal, now);
            return;
        };
        let _ = self.home.accept_refer(refer, now);
        self.of_home.insert(to, id);
        if let Some(call_id) = self.home.call_id(to).map(str::to_owned)
            && let Some(on_line) = self.beyond.get(&id).and_then(|own| own.on_line.clone())
        {
            self.outputs
                .push_back(Output::OnLine(OnLine { call_id, ..on_line }));
        }
        let own = Move {
            from: Some(from),
            to,
            wish: Wish::Refer(refer),
            stage: Stage::Calling,
        };
        self.moves.insert(id, own);
    }

    /// Whether a call may go to this target, and with what session of the far end.
    fn may_move(&self, id: u64, target: &Uri) -> Result<(String, Body), (StatusCode, &str)> {
        if self.is_help(id) {
            return Err((StatusCode::FORBIDDEN, "a call for help is not moved"));
        }
        let country = self.config.plan.country();
        let domain = &self.config.domain;
        let Destination::User(user) =
            Destination::read(target, country, |uri| uri.host() == domain)
        else {
            let why = "a call over a line goes to devices of the home and to telephone numbers";
            return Err((StatusCode::FORBIDDEN, why));
        };
        if self.is_under_way(id) {
            return Err((StatusCode::REQUEST_PENDING, "the call is being moved"));
        }
        let session = self.beyond.get(&id).and_then(|own| own.session.clone());
        match (self.peer(id, Side::Home), session) {
            (Some(_), Some(session)) => Ok((user, session)),
            _ => Err((StatusCode::REQUEST_PENDING, "the call does not stand yet")),
        }
    }

    /// Whether a call is on its way to somebody else.
    pub(super) fn is_under_way(&self, id: u64) -> bool {
        self.moves.contains_key(&id) || self.is_joining(id) || self.is_put_through(id)
    }

    fn invite_to(&self, id: u64, user: &str, session: Body) -> InviteRequest {
        let on_line = self.beyond.get(&id).and_then(|own| own.on_line.as_ref());
        let number = on_line.and_then(|own| own.number.as_ref());
        let known = number.and_then(|number| self.book.get(number));
        let from = self.shown(number, known);
        let uri = hearthline_sip::SipUri::new(self.config.domain.clone()).with_user(user);
        let to = NameAddr::new(uri.clone());
        let switchboard = self.config.switchboard.clone();
        let asserted = from.to_string().into_bytes();
        let mut invite = InviteRequest::new(uri.into(), from, to, switchboard);
        if number.is_some() {
            invite
                .headers
                .push((HeaderName::PAssertedIdentity, asserted));
        }
        invite.body = Some(session);
        invite.reliable = Reliable::Off;
        invite
    }

    /// Another device of the home takes the place of the one that has a call.
    pub(super) fn asked_to_take_over(
        &mut self,
        to: CallHandle,
        from: CallHandle,
        request: &Request,
        now: Duration,
    ) {
        let refused = match (self.call_of(Side::Home, from), offer_of(request)) {
            (None, _) => (StatusCode::CALL_DOES_NOT_EXIST, "no such call"),
            (Some(id), _) if self.is_help(id) => {
                (StatusCode::FORBIDDEN, "a call for help is not moved")
            }
            (Some(id), _) if self.is_under_way(id) => {
                (StatusCode::REQUEST_PENDING, "the call is being moved")
            }
            (Some(id), Some(session)) if self.peer(id, Side::Home).is_some() => {
                self.of_home.insert(to, id);
                let own = Move {
                    from: Some(from),
                    to,
                    wish: Wish::Replaces,
                    stage: Stage::Calling,
                };
                self.moves.insert(id, own);
                return self.join(id, Some(session), now);
            }
            _ => (
                StatusCode::NOT_ACCEPTABLE_HERE,
                "the call does not stand, or the INVITE describes no session",
            ),
        };
        self.refuse(to, refused.0, refused.1, now);
    }

    /// The other device has described its sound: the line is asked to send there.
    fn join(&mut self, id: u64, session: Option<Body>, now: Duration) {
        let outside = self.peer(id, Side::Home).map(|(_, outside)| outside);
        let (Some(session), Some(outside)) = (session, outside) else {
            return self.stays(id, StatusCode::NOT_ACCEPTABLE_HERE, now);
        };
        if self
            .outside
            .reinvite(outside, session.clone(), now)
            .is_err()
        {
            return self.stays(id, StatusCode::REQUEST_PENDING, now);
        }
        if let Some(own) = self.moves.get_mut(&id) {
            own.stage = Stage::Joining(session);
        }
    }

    /// The line sends there: the call is the other device's.
    fn moved(&mut self, id: u64, session: Body, now: Duration) {
        let offered = self.beyond.get(&id).and_then(|own| own.session.clone());
        let Some(own) = self.moves.remove(&id) else {
            return;
        };
        if let Stage::Joining(at_home) = own.stage {
            self.note_at_home(id, Some(at_home));
        }
        match own.wish {
            Wish::Refer(refer) => {
                let _ = self.home.report(refer, StatusCode::OK, now);
                // The line may have chosen anew.
                if offered.as_ref() != Some(&session) {
                    let _ = self.home.reinvite(own.to, session.clone(), now);
                }
            }
            Wish::Replaces => {
                // It may have given up a moment ago; then its end is told, and ends the call.
                let _ = self.home.accept(own.to, Some(session.clone()), now);
            }
        }
        match self.calls.get_mut(&id) {
            Some(Call::Outgoing(call)) => call.home = Some(own.to),
            Some(Call::Incoming(call)) => call.home = own.to,
            None => {}
        }
        self.note_session(id, Some(session));
        if let Some(from) = own.from {
            self.of_home.remove(&from);
            let _ = self.home.bye(from, None, now);
        }
    }

    /// The other device does not have it: the call stays where it was, or ends where nobody is left.
    fn stays(&mut self, id: u64, status: StatusCode, now: Duration) {
        let alone = self.moves.get(&id).is_some_and(|own| own.from.is_none());
        self.leave_move(id, status, now);
        if alone {
            if let Some((_, outside)) = self.peer(id, Side::Home) {
                let _ = self.outside.bye(outside, None, now);
            }
            self.forget(id, now);
        }
    }

    /// Ends what was begun for a move.
    fn leave_move(&mut self, id: u64, status: StatusCode, now: Duration) {
        let Some(own) = self.moves.remove(&id) else {
            return;
        };
        self.of_home.remove(&own.to);
        match own.wish {
            Wish::Refer(refer) => {
                let _ = self.home.report(refer, status, now);
                // Cancelled before its answer, ended after it, or over already.
                let _ = self.home.bye(own.to, None, now);
            }
            Wish::Replaces => self.refuse(own.to, status, "the call was not moved", now),
        }
    }

    fn tell(&mut self, id: u64, status: StatusCode, now: Duration) {
        if let Some(Wish::Refer(refer)) = self.moves.get(&id).map(|own| &own.wish) {
            let refer = *refer;
            // Who asked may not listen any more.
            let _ = self.home.report(refer, status, now);
        }
    }
}

pub(super) fn because(status: StatusCode, why: &str) -> Refusal {
    let warning = hearthline_sip::values::Warning {
        code: 399,
        agent: "hearthline".to_owned(),
        text: why.to_owned(),
    };
    Refusal {
        status,
        headers: vec![(HeaderName::Warning, warning.to_string().into_bytes())],
    }
}
