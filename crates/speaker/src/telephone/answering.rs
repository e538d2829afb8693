//! Answering, turning away and ending calls.
use core::time::Duration;

use hearthline_ledger::CallEvent;
use hearthline_media::secure::IceRole;
use hearthline_sip::endpoint::{Body, CallHandle, Endpoint, Refusal};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::{HeaderName, StatusCode};

use super::call::{Call, State};
use super::events::session_of;
use super::leg::Leg;
use super::protecting::Unprotected;
use super::{Telephone, words};

/// Our answer, its sound, and our signature under it.
type Answered = (SessionDescription, Leg, Option<(HeaderName, Vec<u8>)>);

impl Telephone {
    pub(super) fn offered(&self) -> Option<CallHandle> {
        self.calls
            .iter()
            .find(|call| call.is_offered())
            .map(|call| call.handle)
    }

    pub(super) fn answer(&mut self, endpoint: &mut Endpoint, now: Duration) {
        if let Some(handle) = self.offered() {
            self.answer_call(handle, endpoint, now);
        }
    }

    /// Answers one call that rings.
    pub(super) fn answer_call(
        &mut self,
        handle: CallHandle,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        self.hold_others(Some(handle), endpoint, now);
        match self.answered_offer(handle, now) {
            Ok((ours, leg, row)) => {
                let protected = leg.is_protected();
                let Some(call) = self.call(handle) else {
                    return;
                };
                call.leg = Some(leg);
                call.ring_until = None;
                call.state = State::Confirmed {
                    held: false,
                    holds_us: false,
                };
                let body = Body::sdp(ours.to_bytes());
                call.described = Some(ours);
                let entry = call.entry(CallEvent::Answered, Some(200), Some("answered here"));
                self.record(entry);
                self.step("answered".into());
                if !protected {
                    self.step("the call is not protected".into());
                }
                let rows = row.into_iter().collect();
                if endpoint.accept_with(handle, rows, Some(body), now).is_err() {
                    self.forget(handle, "the caller was gone", now);
                }
            }
            Err(why) => {
                self.step(format!("no sound: {why}"));
                self.say(words::failed("the caller", Some(488)));
                self.turn_away(handle, StatusCode::NOT_ACCEPTABLE_HERE, endpoint, now);
            }
        }
    }

    /// Our answer to the offer of a call that rings, its sound, and our signature under it.
    fn answered_offer(
        &mut self,
        handle: CallHandle,
        now: Duration,
    ) -> Result<Answered, Unprotected> {
        let missing = |what: &str| Unprotected::Description(what.to_owned());
        let session_id = self.session_id();
        let Some((port, demand)) = self.call(handle).map(|call| (call.port, call.demand)) else {
            return Err(missing("no such call"));
        };
        let way = self.way(demand, IceRole::Controlled, port, now)?;
        let ground = self.ground(port);
        let Some(Call {
            state: State::Offered(request),
            ..
        }) = self.calls.iter().find(|call| call.handle == handle)
        else {
            return Err(missing("no such call"));
        };
        let theirs = SessionDescription::parse(&session_of(request))
            .map_err(|error| missing(&error.to_string()))?;
        let (ours, leg) = Leg::of_callee(&theirs, way, session_id, ground, now)?;
        let caller = request
            .headers
            .from()
            .map_err(|error| missing(&error.to_string()))?;
        let call_id = request.headers.call_id().unwrap_or_default();
        let row = self.signed(&caller.uri, call_id, &ours, now)?;
        Ok((ours, leg, row))
    }

    /// Refuses a call that rings.
    pub(super) fn turn_away(
        &mut self,
        handle: CallHandle,
        status: StatusCode,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        let _ = endpoint.reject(handle, Refusal::new(status), now);
        if let Some(call) = self.call(handle) {
            let entry = call.entry(CallEvent::Failed, Some(status.code()), Some("refused here"));
            self.record(entry);
        }
        self.forget(handle, "refused", now);
    }

    pub(super) fn hang_up(&mut self, endpoint: &mut Endpoint, now: Duration) {
        let joined = self.calls.iter().filter(|call| call.joined).count() > 1;
        let find = |of: &dyn Fn(&Call) -> bool| {
            self.calls
                .iter()
                .rev()
                .find(|call| of(call))
                .map(|call| call.handle)
        };
        let ended: Vec<CallHandle> = if let Some(handle) = find(&Call::is_going_out) {
            vec![handle]
        } else if joined {
            let all = self.calls.iter().filter(|call| call.joined);
            all.map(|call| call.handle).collect()
        } else {
            find(&Call::is_spoken)
                .or_else(|| find(&Call::is_offered))
                .or_else(|| find(&Call::is_held))
                .into_iter()
                .collect()
        };
        for handle in ended {
            self.hang_up_call(handle, endpoint, now);
        }
    }

    /// Ends one call, whatever its state.
    pub(super) fn hang_up_call(
        &mut self,
        handle: CallHandle,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        let Some(call) = self.call(handle) else {
            return;
        };
        if call.is_offered() {
            return self.turn_away(handle, StatusCode::BUSY_HERE, endpoint, now);
        }
        let entry = call.entry(CallEvent::Bye, None, Some("ended here"));
        self.record(entry);
        // A call that has just ended by itself has nothing left to end.
        let _ = endpoint.bye(handle, None, now);
        self.forget(handle, "ended here", now);
    }
}
