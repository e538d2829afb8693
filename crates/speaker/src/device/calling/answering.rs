//! Answers and what follows them: the sound of a call, its end, a changed session, the call-taker's call back.
use core::time::Duration;

use hearthline_emergency::call::{CALLBACK_WINDOW, Progress};
use hearthline_ledger::CallEvent;
use hearthline_sip::endpoint::{Body, CallHandle, EndedBy, Endpoint, Refusal};
use hearthline_sip::multipart::{self, MultipartLimits};
use hearthline_sip::offer_answer::{LocalAudio, answer, answer_received};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::{Request, Response, StatusCode};

use super::super::leg::Sound;
use super::super::{Light, Output, Step};
use super::{Callback, Calling, Effect};
use crate::words;

impl Calling {
    pub(super) fn answered(
        &mut self,
        call: CallHandle,
        response: &Response,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        self.response(call, CallEvent::Answered, response);
        let wall_at_zero = Duration::from_millis(self.config.wall_ms_at_zero);
        let seed = self.tokens.next_u64();
        let Some(attempt) = self.attempt_of(call) else {
            let _ = endpoint.bye(call, None, now);
            return;
        };
        let Some(active) = self.active.as_mut() else {
            return;
        };
        let sound = SessionDescription::parse(&response.body)
            .map_err(|error| error.to_string())
            .and_then(|theirs| {
                answer_received(&active.offer, &theirs).map_err(|error| error.to_string())
            })
            .and_then(|negotiated| {
                Sound::new(&negotiated, seed, wall_at_zero).map_err(|error| error.to_string())
            });
        match sound {
            Ok(sound) if active.sound.is_none() => {
                active.sound = Some((attempt, sound));
                if active.moved {
                    self.change_due = Some(now);
                }
                if let Ok(via) = response.headers.top_via() {
                    let over = via.transport.to_string();
                    self.effects.push_back(Effect::Step(Step::Carried { over }));
                }
                self.progress(call, Progress::Answered, now);
            }
            // A second answer: the first is kept, the call's states give this one a BYE.
            Ok(_) => self.progress(call, Progress::Answered, now),
            Err(what) => {
                // Answered, but nobody could hear: as good as refused. A phone that took the multipart body for no offer
                // at all answers without one: it is asked again with the session description alone (as after 415).
                let status = if response.body.is_empty() { 415 } else { 488 };
                self.effects.push_back(Effect::Step(Step::Trouble {
                    what: format!("answer without usable sound: {what}"),
                }));
                let _ = endpoint.bye(call, None, now);
                let progress = Progress::Rejected {
                    status,
                    retry_after_s: None,
                    contacts: Vec::new(),
                };
                self.progress(call, progress, now);
            }
        }
    }

    pub(super) fn ended(&mut self, call: CallHandle, by: EndedBy, now: Duration) {
        if self
            .callback
            .as_ref()
            .is_some_and(|callback| callback.handle == call)
        {
            self.end_callback(now);
            return;
        }
        let Some(attempt) = self.attempt_of(call) else {
            return;
        };
        let line = self.line_of(attempt);
        let call_id = self.call_id_of(attempt);
        match by {
            EndedBy::Local => {}
            EndedBy::Remote => {
                self.record_call(
                    CallEvent::Bye,
                    &call_id,
                    line,
                    None,
                    Some("from the call-taker"),
                );
                self.progress(call, Progress::HungUp, now);
            }
            EndedBy::Timeout | EndedBy::Lost => {
                if let Some(active) = self.active.as_mut()
                    && active
                        .sound
                        .as_ref()
                        .is_some_and(|(owner, _)| *owner == attempt)
                {
                    active.sound = None;
                    active.answered_at = None;
                }
                self.record_call(
                    CallEvent::Failed,
                    &call_id,
                    line,
                    None,
                    Some("the dialog was lost"),
                );
                self.progress(call, Progress::Dropped, now);
            }
        }
    }

    /// The peer changes the session: its new address is taken, the sound goes on.
    pub(super) fn reoffered(
        &mut self,
        call: CallHandle,
        request: &Request,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        let rtp = self.config.rtp_local;
        let session_id = self.tokens.next_u64() >> 2;
        let settled = SessionDescription::parse(&request.body)
            .ok()
            .and_then(|theirs| {
                answer(
                    &theirs,
                    &LocalAudio::new(rtp.ip(), rtp.port()),
                    session_id,
                    1,
                )
                .ok()
            });
        let moved = settled.and_then(|(ours, negotiated)| {
            self.sound()?.moved(&negotiated).ok()?;
            Some(Body::sdp(ours.to_bytes()))
        });
        let _ = match moved {
            Some(body) => endpoint.answer_reinvite(call, Some(body), now),
            None => {
                endpoint.reject_reinvite(call, Refusal::new(StatusCode::NOT_ACCEPTABLE_HERE), now)
            }
        };
    }

    /// A call to us. Within the callback window it is the call-taker's and is taken at once; otherwise nobody is here.
    pub(super) fn incoming(
        &mut self,
        call: CallHandle,
        request: &Request,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        let expected = self
            .last_ended
            .is_some_and(|ended| now <= ended + CALLBACK_WINDOW)
            && self.active.is_none();
        if !expected || self.callback.is_some() {
            let status = if self.active.is_some() {
                StatusCode::BUSY_HERE
            } else {
                StatusCode::TEMPORARILY_UNAVAILABLE
            };
            let _ = endpoint.reject(call, Refusal::new(status), now);
            return;
        }
        let rtp = self.config.rtp_local;
        let session_id = self.tokens.next_u64() >> 2;
        let seed = self.tokens.next_u64();
        let settled = SessionDescription::parse(session_of(request).as_slice())
            .map_err(|error| error.to_string())
            .and_then(|theirs| {
                answer(
                    &theirs,
                    &LocalAudio::new(rtp.ip(), rtp.port()),
                    session_id,
                    0,
                )
                .map_err(|error| error.to_string())
            })
            .and_then(|(ours, negotiated)| {
                let wall_at_zero = Duration::from_millis(self.config.wall_ms_at_zero);
                let sound = Sound::new(&negotiated, seed, wall_at_zero)
                    .map_err(|error| error.to_string())?;
                Ok((ours, sound))
            });
        match settled {
            Ok((described, sound)) => {
                let _ = endpoint.accept(call, Some(Body::sdp(described.to_bytes())), now);
                self.effects.push_back(Effect::Begun);
                let call_id = request.headers.call_id().unwrap_or("").to_owned();
                self.record_call(
                    CallEvent::Message,
                    &call_id,
                    0,
                    None,
                    Some("the call-taker calls back"),
                );
                self.callback = Some(Callback {
                    handle: call,
                    call_id,
                    described,
                    sound,
                    since: now,
                });
                // After a quiet call the callback must not be heard in the room before the call-taker speaks (RFC 7090 §5.3).
                if !self.last_was_quiet {
                    self.effects.push_back(Effect::Say(words::CALLED_BACK));
                    self.effect(Output::Light(Light::Connected));
                }
            }
            Err(what) => {
                self.effects.push_back(Effect::Step(Step::Trouble {
                    what: format!("callback without usable sound: {what}"),
                }));
                let _ = endpoint.reject(call, Refusal::new(StatusCode::NOT_ACCEPTABLE_HERE), now);
            }
        }
    }

    pub(super) fn end_callback(&mut self, now: Duration) {
        let Some(mut callback) = self.callback.take() else {
            return;
        };
        callback.sound.close(now);
        self.effects.push_back(Effect::Record(
            callback.sound.statistics(&callback.call_id).into(),
        ));
        // A new call goes on, and with it its incident and its light.
        if self.active.is_some() {
            return;
        }
        self.effects.push_back(Effect::Ended {
            outcome: "called back",
            reason: "the callback has ended".into(),
            call: Some(now.saturating_sub(callback.since)),
        });
    }
}

/// The session description of an INVITE, alone or as a part.
fn session_of(request: &Request) -> Vec<u8> {
    let limits = MultipartLimits::default();
    let parts = multipart::parts_of(&request.headers, &request.body, &limits).unwrap_or_default();
    multipart::find_by_type(&parts, "application/sdp")
        .map(|part| part.body.clone())
        .unwrap_or_default()
}
