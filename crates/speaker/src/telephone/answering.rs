//! Answering, turning away and ending calls.
use core::time::Duration;

use hearthline_ledger::CallEvent;
use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Body, CallHandle, Endpoint, Refusal};
use hearthline_sip::offer_answer::answer;
use hearthline_sip::sdp::{Direction, SessionDescription};

use super::call::{Call, State};
use super::leg::{Leg, audio};
use super::{Telephone, words};

impl Telephone {
    pub(super) fn offered(&self) -> Option<CallHandle> {
        self.calls
            .iter()
            .find(|call| call.is_offered())
            .map(|call| call.handle)
    }

    pub(super) fn answer(&mut self, endpoint: &mut Endpoint, now: Duration) {
        let Some(handle) = self.offered() else {
            return;
        };
        self.hold_others(Some(handle), endpoint, now);
        let session_id = self.session_id();
        let seed = self.tokens.next_u64();
        let unix = self.unix_time_at_zero;
        let Some(call) = self.call(handle) else {
            return;
        };
        let State::Offered(request) = &call.state else {
            return;
        };
        let port = call.port;
        let settled = SessionDescription::parse(&super::events::session_of(request))
            .map_err(|error| error.to_string())
            .and_then(|theirs| {
                answer(&theirs, &audio(port, Direction::SendRecv), session_id, 0)
                    .map_err(|error| error.to_string())
            })
            .and_then(|(ours, negotiated)| {
                let leg =
                    Leg::new(&negotiated, port, seed, unix).map_err(|error| error.to_string())?;
                Ok((ours, leg))
            });
        match settled {
            Ok((ours, leg)) => {
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
                if endpoint.accept(handle, Some(body), now).is_err() {
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
