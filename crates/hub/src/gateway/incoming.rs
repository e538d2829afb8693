//! Calls that come in over a line: from the line itself or not at all, screened, and announced by a contact's name.
//!
//! Nothing that a caller says makes them somebody of the home: a number becomes an international one or nobody, and a
//! display name is only ever a contact's.

use std::time::Duration;

use hearthline_sip::endpoint::{
    CallHandle, FailureCause, InviteRequest, Refusal, Reliable, Source,
};
use hearthline_sip::{HeaderName, NameAddr, Request, Response, SipUri, StatusCode, Uri};

use super::trunk::Trunk;
use super::voicemail::{SentOn, UNWANTED};
use super::{CALLBACK, CALLS_MAX, Call, Gateway, Known, LOOP, OnLine, body_of, offer_of, relay};
use crate::contact::Screening;
use crate::id::LineId;
use crate::line::{LineTrouble, UnknownCallers};
use crate::number::Number;

/// A call from outside.
pub(super) struct Incoming {
    pub(super) outside: CallHandle,
    pub(super) home: CallHandle,
    /// Whether it is taken for a call-taker's callback: no timer ends it.
    pub(super) callback: bool,
    pub(super) answered: bool,
    /// It began without an offer: the device's is in its 200, and the line's answer comes with the ACK.
    pub(super) late_offer: bool,
    /// For the mailbox.
    pub(super) sent_on: SentOn,
}

impl Gateway {
    /// An INVITE came to the lines' sockets.
    pub(super) fn rung(
        &mut self,
        outside: CallHandle,
        request: &Request,
        source: &Source,
        now: Duration,
    ) {
        let Some(trunk) = self.line_of(request, source) else {
            return self.turn_away(outside, StatusCode::FORBIDDEN, now);
        };
        let line = trunk.id();
        let rings_until = self.rings_until(&trunk.setup.line.fields, now);
        let own = trunk.setup.line.fields.caller_number.clone();
        let unknown = trunk.setup.line.fields.unknown_callers;
        let number = self.caller_of(request);
        let token = HeaderName::parse(LOOP.as_bytes());
        let token = token.and_then(|name| request.headers.get_str(&name).map(str::to_owned));
        let call_id = request.headers.call_id().unwrap_or_default();
        // A line may send our own call back as a new one: then its number is all that is left of it.
        let own_number = own.is_some() && number == own && self.is_calling(line);
        if own_number || self.is_ours(token.as_deref(), call_id) {
            self.fails(line, LineTrouble::Loops, now);
            return self.turn_away(outside, StatusCode::LOOP_DETECTED, now);
        }
        let known = number
            .as_ref()
            .and_then(|number| self.book.get(number))
            .cloned();
        let callback = self.callback_of(line, now);
        let reception = match callback {
            Some(_) => Reception::Rings,
            None => received(known.as_ref(), unknown),
        };
        if let Reception::Refused(status) = reception {
            return self.turn_away(outside, status, now);
        }
        let body = offer_of(request);
        let late_offer = !relay::has_session(&request.headers, &request.body);
        if self.calls.len() >= CALLS_MAX {
            return self.turn_away(outside, StatusCode::SERVICE_UNAVAILABLE, now);
        }
        let uri = SipUri::new(self.config.domain.clone()).with_user(&Self::ring_user(line));
        let from = self.shown(number.as_ref(), known.as_ref());
        let mut sent_on = SentOn::new(uri.clone(), from.clone(), body.clone(), rings_until);
        let is_callback = callback.is_some();
        let invite = match reception {
            Reception::Message => match self.straight_to_mailbox(&mut sent_on, late_offer) {
                Some(invite) => invite,
                None => return self.turn_away(outside, StatusCode::BUSY_HERE, now),
            },
            _ => {
                let to = NameAddr::new(uri.clone());
                let switchboard = self.config.switchboard.clone();
                let mut invite = InviteRequest::new(uri.into(), from.clone(), to, switchboard);
                if number.is_some() {
                    let asserted = from.to_string().into_bytes();
                    invite
                        .headers
                        .push((HeaderName::PAssertedIdentity, asserted));
                }
                let name = HeaderName::parse(CALLBACK.as_bytes());
                if let (Some(mark), Some(name)) = (callback, name) {
                    invite.headers.push((name, mark.into_bytes()));
                    // RFC 7090: the device knows what it is.
                    let priority = b"psap-callback".to_vec();
                    invite.headers.push((HeaderName::Priority, priority));
                }
                invite.body = body;
                invite.late_offer = late_offer;
                invite.reliable = Reliable::Off;
                invite
            }
        };
        let Ok(home) = self.home.invite(invite, now) else {
            return self.turn_away(outside, StatusCode::SERVICE_UNAVAILABLE, now);
        };
        let id = self.next_id();
        self.of_outside.insert(outside, id);
        self.of_home.insert(home, id);
        if let Some(call_id) = self.home.call_id(home).map(str::to_owned) {
            let contact = known.map(|known| known.contact);
            self.goes_by(
                id,
                OnLine {
                    call_id,
                    line,
                    number,
                    contact,
                },
            );
        }
        self.note_session(id, offer_of(request));
        let call = Incoming {
            outside,
            home,
            callback: is_callback,
            answered: false,
            late_offer,
            sent_on,
        };
        self.calls.insert(id, Call::Incoming(call));
    }

    /// Whose call it is: of several lines at one address, the one that the request names.
    pub(super) fn line_of(&self, request: &Request, source: &Source) -> Option<&Trunk> {
        let from_here = || {
            self.trunks
                .iter()
                .filter(|trunk| trunk.sent(request, source))
        };
        let user = request.uri.as_sip().and_then(SipUri::user);
        let by_contact = from_here().find(|trunk| user == Some(&trunk.contact_user));
        let by_number = || {
            let said = user.and_then(|user| self.config.plan.caller(user));
            from_here()
                .find(|trunk| said.is_some() && trunk.setup.line.fields.caller_number == said)
        };
        by_contact.or_else(by_number).or_else(|| from_here().next())
    }

    /// What the line says about who calls: what it asserts, else From.
    pub(super) fn caller_of(&self, request: &Request) -> Option<Number> {
        let headers = &request.headers;
        if relay::wants_privacy(headers) {
            return None;
        }
        let asserted = headers.asserted_identities().unwrap_or_default();
        let all = asserted.into_iter().chain(headers.from().ok());
        all.filter_map(|own| self.number_in(&own.uri)).next()
    }

    fn number_in(&self, uri: &Uri) -> Option<Number> {
        let said = match uri {
            Uri::Tel(tel) => tel.number().to_owned(),
            Uri::Sip(sip) => sip.user()?.split(';').next()?.to_owned(),
            _ => return None,
        };
        self.config.plan.caller(&said)
    }

    /// Who calls, for the devices of the home.
    pub(super) fn shown(&self, number: Option<&Number>, known: Option<&Known>) -> NameAddr {
        let Some(number) = number else {
            return relay::anonymous();
        };
        let uri = SipUri::new(self.config.domain.clone())
            .with_user(number.as_str())
            .with_param("user", Some("phone"));
        let shown = NameAddr::new(uri);
        match known {
            Some(known) => shown.with_display(&known.name),
            None => shown,
        }
    }

    /// The emergency call that this line's calls are taken to answer, the latest first.
    fn callback_of(&mut self, line: LineId, now: Duration) -> Option<String> {
        self.helped
            .retain(|helped| helped.until.is_none_or(|until| until > now));
        let mut latest = self.helped.iter().rev();
        latest
            .find(|helped| helped.line == line)
            .map(|helped| helped.mark.clone())
    }

    fn turn_away(&mut self, outside: CallHandle, status: StatusCode, now: Duration) {
        // It may have been taken back already.
        let _ = self.outside.reject(outside, Refusal::new(status), now);
    }

    pub(super) fn incoming(&mut self, id: u64) -> Option<&mut Incoming> {
        match self.calls.get_mut(&id) {
            Some(Call::Incoming(call)) => Some(call),
            _ => None,
        }
    }

    /// A device rings.
    pub(super) fn device_rings(&mut self, id: u64, response: &Response, now: Duration) {
        let Some(call) = self.incoming(id) else {
            return;
        };
        let outside = call.outside;
        let early = !call.late_offer;
        let body = body_of(&response.headers, &response.body).filter(|_| early);
        // The caller may have given up a moment ago.
        let _ = self
            .outside
            .ring(outside, response.status, body, false, now);
    }

    /// A device answered.
    pub(super) fn device_answered(&mut self, id: u64, response: &Response, now: Duration) {
        let Some(call) = self.incoming(id) else {
            return;
        };
        call.answered = true;
        let (outside, home, late_offer) = (call.outside, call.home, call.late_offer);
        let body = body_of(&response.headers, &response.body);
        if late_offer && body.is_none() {
            // It was to make the offer.
            let _ = self.home.bye(home, None, now);
            self.turn_away(outside, StatusCode::NOT_ACCEPTABLE_HERE, now);
            return self.forget(id, now);
        }
        if self.outside.accept(outside, body, now).is_err() {
            let _ = self.home.bye(home, None, now);
            self.forget(id, now);
        }
    }

    /// Nobody in the home took it.
    pub(super) fn nobody_answered(&mut self, id: u64, cause: &FailureCause, now: Duration) {
        let Some(call) = self.incoming(id) else {
            return;
        };
        let outside = call.outside;
        if let Some(verdict) = call.sent_on.verdict() {
            // The mailbox did not take it either.
            self.turn_away(outside, verdict, now);
            return self.forget(id, now);
        }
        let status = cause
            .status()
            .unwrap_or(StatusCode::TEMPORARILY_UNAVAILABLE);
        let status = match status.code() {
            // What is wrong within the home is nothing to the caller.
            401..=407 | 500..=599 => StatusCode::TEMPORARILY_UNAVAILABLE,
            _ => status,
        };
        if status == UNWANTED {
            // Not the mailbox; nor is the caller told more than that the call is declined.
            self.turn_away(outside, StatusCode::DECLINE, now);
            return self.forget(id, now);
        }
        if self.asks_mailbox(id, status, now) {
            return;
        }
        self.turn_away(outside, status, now);
        self.forget(id, now);
    }
}

/// How a caller is received.
enum Reception {
    Rings,
    /// By the mailbox.
    Message,
    Refused(StatusCode),
}

fn received(known: Option<&Known>, unknown: UnknownCallers) -> Reception {
    match (known.map(|known| known.screening), unknown) {
        (Some(Screening::Block), _) => Reception::Refused(StatusCode::DECLINE),
        (Some(Screening::Screen), _) | (None, UnknownCallers::Message) => Reception::Message,
        (Some(Screening::Allow), _) | (None, UnknownCallers::Ring) => Reception::Rings,
        (None, UnknownCallers::Busy) => Reception::Refused(StatusCode::BUSY_HERE),
    }
}
