//! What the network tells about ordinary calls.
use core::time::Duration;

use hearthline_ledger::CallEvent;
use hearthline_sip::endpoint::{
    Body, CallHandle, EndedBy, Endpoint, Event, FailureCause, Refusal, RegistrationCause,
};
use hearthline_sip::multipart::{self, MultipartLimits};
use hearthline_sip::sdp::{Direction, SessionDescription};
use hearthline_sip::{Request, Response, StatusCode};

use super::call::{Party, State};
use super::holding::CHANGE_PAUSE;
use super::leg::Demand;
use super::protecting::Unprotected;
use super::registration::Home;
use super::transferring::{Progressed, Referred};
use super::{MISSED_MAX, Missed, Telephone, words};

impl Telephone {
    /// An event that is not the emergency call's.
    pub fn sip_event(&mut self, event: Event, endpoint: &mut Endpoint, now: Duration) {
        let progressed = Progressed::of(&event);
        match event {
            Event::Referred {
                call,
                refer,
                to,
                request,
                source,
            } => {
                let asked = Referred {
                    from: call,
                    refer,
                    to: &to,
                    request: &request,
                    source,
                };
                self.referred(asked, endpoint, now);
            }
            Event::Transfer { call, progress } => {
                self.transfer_progress(call, &progress, endpoint, now);
            }
            Event::Incoming {
                call,
                request,
                source,
            } => self.incoming(call, request, source, endpoint, now),
            Event::Progress { call, response } => self.progress(call, &response),
            Event::Answered { call, response } => self.answered(call, &response, endpoint, now),
            Event::Failed { call, cause } => self.failed(call, &cause, now),
            Event::Ended { call, by, reason } => self.ended(call, by, reason.as_deref(), now),
            Event::Reinvite { call, request } | Event::Update { call, request } => {
                self.reoffered(call, &request, endpoint, now);
            }
            Event::ReinviteAnswered { call, response } => {
                self.change_answered(call, &response, now);
            }
            Event::SessionExpired { call } if self.call(call).is_some() => {
                self.hang_up_call(call, endpoint, now);
            }
            Event::Registered {
                registration,
                response,
                ..
            } => {
                let tokens = &mut self.tokens;
                let anew = self.home.as_mut().is_some_and(|home| {
                    home.owns(registration) && home.registered(&response, tokens, now)
                });
                if let Some(home) = self.home.as_ref().filter(|home| home.owns(registration)) {
                    home.take_name(&response, endpoint);
                }
                if anew {
                    self.step("registered with the hub".into());
                }
            }
            Event::RegistrationFailed {
                registration,
                cause,
                retry_at,
            } => {
                if let Some(home) = self.home.as_mut().filter(|home| home.owns(registration)) {
                    home.failed(retry_at, now);
                    self.step(format!("not registered with the hub: {}", why(&cause)));
                }
            }
            _ => {}
        }
        if let Some(progressed) = progressed {
            self.progressed(progressed, endpoint, now);
        }
        self.settle();
    }

    fn progress(&mut self, handle: CallHandle, response: &Response) {
        if let Some(call) = self.call(handle)
            && matches!(call.state, State::Calling)
        {
            call.state = State::Proceeding;
            let status = Some(response.status.code());
            let entry = call.entry(CallEvent::Progress, status, None);
            self.record(entry);
            self.step("it rings there".into());
        }
    }

    fn answered(
        &mut self,
        handle: CallHandle,
        response: &Response,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        if self.call(handle).is_none() {
            // Given up here a moment ago.
            let _ = endpoint.bye(handle, None, now);
            return;
        }
        let settled = self.answered_leg(handle, response, now);
        let Some(call) = self.call(handle) else {
            return;
        };
        let name = call.party.spoken();
        match settled {
            Ok((mut leg, proven)) => {
                if core::mem::take(&mut call.moved) && leg.moved(call.port, now).is_ok() {
                    call.change_due = Some(now);
                }
                let holds_us = !leg.sends();
                let protected = leg.is_protected();
                let hoped = call.demand == Demand::Either;
                call.leg = Some(leg);
                call.state = State::Confirmed {
                    held: false,
                    holds_us,
                };
                let status = Some(response.status.code());
                let entry = call.entry(CallEvent::Answered, status, None);
                self.record(entry);
                self.step("answered there".into());
                if !protected {
                    self.step("the call is not protected".into());
                }
                if !protected && hoped {
                    self.say(words::NOT_PROTECTED);
                }
                if let Some(proven) = proven {
                    self.met(proven, &name);
                }
            }
            Err(what) => {
                let demanded = call.demand == Demand::Protected;
                self.step(format!("no sound: {what}"));
                self.say(match what {
                    Unprotected::Identity(_) | Unprotected::Unsigned => words::unproven(&name),
                    _ if demanded => words::unprotected(&name),
                    _ => words::failed(&name, Some(488)),
                });
                self.hang_up_call(handle, endpoint, now);
            }
        }
    }

    fn failed(&mut self, handle: CallHandle, cause: &FailureCause, now: Duration) {
        let away = !self.home.as_ref().is_some_and(Home::stands);
        let Some(call) = self.call(handle) else {
            return;
        };
        let name = call.party.spoken();
        let status = cause.status().map(StatusCode::code);
        let demanded = call.demand == Demand::Protected;
        let (said, reason) = match cause {
            _ if demanded && matches!(status, Some(488 | 606)) => {
                (words::unprotected(&name), "not protected")
            }
            FailureCause::NotAnswered => (words::no_answer(&name), "no answer"),
            // It rang, and then nobody was there.
            _ if matches!((status, &call.state), (Some(408 | 480), State::Proceeding)) => {
                (words::no_answer(&name), "no answer")
            }
            FailureCause::TransportFailed | FailureCause::Timeout if away => {
                (words::NO_HUB.to_owned(), "the hub is away")
            }
            _ => (words::failed(&name, status), "not answered"),
        };
        let entry = call.entry(CallEvent::Failed, status, Some(reason));
        self.record(entry);
        self.say(said);
        self.forget(handle, reason, now);
    }

    fn ended(&mut self, handle: CallHandle, by: EndedBy, reason: Option<&str>, now: Duration) {
        let Some(call) = self.call(handle) else {
            return;
        };
        if call.is_offered() {
            // "Call completed elsewhere" (RFC 3326): another device of the home took it.
            let elsewhere = reason.is_some_and(|reason| reason.contains("cause=200"));
            let party = call.party.clone();
            let why = if elsewhere {
                "answered elsewhere"
            } else {
                "the caller gave up"
            };
            let entry = call.entry(CallEvent::Failed, Some(487), Some(why));
            self.record(entry);
            if !elsewhere {
                self.miss(party, now);
            }
            self.forget(handle, why, now);
            return;
        }
        let how = match by {
            EndedBy::Local => "ended here",
            EndedBy::Remote => "ended there",
            EndedBy::Timeout | EndedBy::Lost => "the other side was lost",
        };
        let entry = call.entry(CallEvent::Bye, None, Some(how));
        self.record(entry);
        self.forget(handle, how, now);
    }

    /// It rang here for as long as it may.
    pub(super) fn not_taken(&mut self, handle: CallHandle, endpoint: &mut Endpoint, now: Duration) {
        if let Some(party) = self.call(handle).map(|call| call.party.clone()) {
            self.miss(party, now);
            self.turn_away(handle, StatusCode::TEMPORARILY_UNAVAILABLE, endpoint, now);
        }
    }

    pub(super) fn miss(&mut self, party: Party, at: Duration) {
        if self.missed.len() >= MISSED_MAX {
            self.missed.pop_front();
        }
        self.missed.push_back(Missed { party, at });
    }

    /// The other side changes the session: hold, resume, another address.
    fn reoffered(
        &mut self,
        handle: CallHandle,
        request: &Request,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        let session_id = self.session_id();
        let theirs = SessionDescription::parse(&session_of(request)).ok();
        if let Some(theirs) = &theirs
            && let Err((status, why)) = self.judge_change(handle, request, theirs, now)
        {
            self.step(format!("another way of the sound was refused: {why}"));
            let _ = endpoint.reject_reinvite(handle, Refusal::new(status), now);
            return;
        }
        let Some(call) = self.call(handle) else {
            return;
        };
        let held = call.is_held();
        let direction = if held {
            Direction::SendOnly
        } else {
            Direction::SendRecv
        };
        let origin = call.described.as_ref().map(|ours| &ours.origin);
        let (session_id, version) = origin.map_or((session_id, 0), |origin| {
            (origin.session_id, origin.version.wrapping_add(1))
        });
        let settled = theirs.and_then(|theirs| {
            let leg = call.leg.as_mut()?;
            let version = (session_id, version);
            let ours = leg.reanswer(&theirs, direction, version, now).ok()?;
            Some((ours, leg.sends()))
        });
        match settled {
            Some((ours, sends)) => {
                let body = Body::sdp(ours.to_bytes());
                call.described = Some(ours);
                let changed = match &mut call.state {
                    State::Confirmed { holds_us, .. } => {
                        core::mem::replace(holds_us, !sends) == sends
                    }
                    _ => false,
                };
                let _ = endpoint.answer_reinvite(handle, Some(body), now);
                if changed && !held {
                    self.step(if sends { "taken back" } else { "put on hold" }.into());
                }
            }
            None => {
                let refusal = Refusal::new(StatusCode::NOT_ACCEPTABLE_HERE);
                let _ = endpoint.reject_reinvite(handle, refusal, now);
            }
        }
    }

    /// The other side has answered our hold or resume. A refusal changes nothing: hold is kept by us alone then.
    fn change_answered(&mut self, handle: CallHandle, response: &Response, now: Duration) {
        let Some(call) = self.call(handle) else {
            return;
        };
        if !response.status.is_success() {
            // Signed twice within a second it reads like a replay.
            if response.status == StatusCode::INVALID_IDENTITY_HEADER && !call.signed_again {
                call.signed_again = true;
                call.change_due = Some(now + CHANGE_PAUSE);
            }
            return;
        }
        call.signed_again = false;
        let theirs = SessionDescription::parse(&response.body);
        if let (Ok(theirs), Some(ours), Some(leg)) = (theirs, &call.described, &mut call.leg)
            && let Err(error) = leg.reanswered(ours, &theirs, now)
        {
            self.step(format!("no sound: {error}"));
        }
    }
}

/// The session description of an INVITE, alone or as a part.
pub(super) fn session_of(request: &Request) -> Vec<u8> {
    let limits = MultipartLimits::default();
    let parts = multipart::parts_of(&request.headers, &request.body, &limits).unwrap_or_default();
    multipart::find_by_type(&parts, "application/sdp")
        .map(|part| part.body.clone())
        .unwrap_or_default()
}

fn why(cause: &RegistrationCause) -> String {
    match cause {
        RegistrationCause::Response(response) => format!("refused with {}", response.status),
        RegistrationCause::Timeout => "no answer".into(),
        RegistrationCause::TransportFailed => "no connection".into(),
    }
}
