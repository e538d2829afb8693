//! From the INVITE to the answer: ringing, the person's or the machine's answer, refusals.

use core::time::Duration;

use hearthline_sip::endpoint::{CallHandle, CommandError, Refusal};
use hearthline_sip::offer_answer::{self, LocalAudio};
use hearthline_sip::target::Transport;
use hearthline_sip::{HeaderName, Request, StatusCode};

use super::{Call, CallTaker, Due, Event, Output, millis};
use crate::answer_body::{defective, moved};
use crate::behaviour::{Answer, Ring};
use crate::fact::Fact;
use crate::inspection::inspect;
use crate::moment::What;
use crate::report::{AnsweredBy, CallReport, CallState};

impl CallTaker {
    pub(super) fn on_incoming(
        &mut self,
        handle: CallHandle,
        request: &Request,
        transport: Transport,
        own_uri: String,
        now: Duration,
    ) {
        let behaviour = self.next_behaviour().clone();
        self.calls_seen = self.calls_seen.saturating_add(1);
        let inspection = inspect(request);
        let id = self.calls.last().map_or(1, |last| last.report.id + 1);
        let mut due = Vec::new();
        let mut answer_after = Duration::from_millis(behaviour.answer_after_ms);
        if behaviour.answer == Answer::Accept
            && let Some(within) = self.config.person_answers_within
        {
            answer_after = answer_after.max(within);
        }
        let answer_at = now + answer_after;
        let rings = match behaviour.answer {
            Answer::RingForever => true,
            Answer::Accept => behaviour.ring != Ring::Never,
            _ => false,
        };
        if rings {
            due.push((now, Due::Ring));
        }
        if !matches!(
            behaviour.answer,
            Answer::TryingForever | Answer::RingForever | Answer::Dead
        ) {
            due.push((answer_at, Due::Final));
        }
        self.calls.push(Call {
            handle,
            behaviour,
            offer: inspection.offer,
            description: None,
            due,
            port: None,
            media: None,
            arrived: now,
            first_audio: None,
            own_uri,
            report: CallReport {
                id,
                call_id: request.headers.call_id().unwrap_or_default().to_owned(),
                state: CallState::Arrived,
                service: inspection
                    .service
                    .map(|service| service.as_str().to_owned()),
                drill: inspection.drill,
                callback: inspection.callback,
                transport: transport.to_string(),
                arrived_ms: millis(now),
                answered_after_ms: None,
                first_audio_after_ms: None,
                ended_after_ms: None,
                ended_by: None,
                digits: String::new(),
                facts: inspection.facts.clone(),
                media: None,
                recording: None,
                recorded: false,
                answered_by: None,
                machine_answers_after_ms: self
                    .config
                    .person_answers_within
                    .map(|_| millis(answer_after)),
                place: inspection.place,
                data: inspection.data,
                timeline: Vec::new(),
            },
        });
        self.note(handle, What::Arrived, now);
        self.push(Output::Event(Event::Arrived { call: id }));
        for fact in inspection.facts {
            self.push(Output::Event(Event::Fact { call: id, fact }));
        }
        self.forget_old();
    }

    pub(super) fn ring(&mut self, handle: CallHandle, now: Duration) -> Result<(), CommandError> {
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        let reliable = call.behaviour.ring == Ring::Reliable;
        call.report.state = CallState::Ringing;
        self.note(handle, What::Ringing, now);
        self.endpoint
            .ring(handle, StatusCode::RINGING, None, reliable, now)
    }

    pub(super) fn answer(&mut self, handle: CallHandle, now: Duration) -> Result<(), CommandError> {
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        let answer = call.behaviour.answer.clone();
        let retry_after_s = call.behaviour.retry_after_s;
        let mut refusal = match answer {
            Answer::Accept => return self.accept(handle, now),
            Answer::Reject(code) => {
                Refusal::new(StatusCode::new(code).unwrap_or(StatusCode::SERVICE_UNAVAILABLE))
            }
            Answer::Redirect(uri) => moved(&uri),
            Answer::RedirectLoop => moved(&call.own_uri),
            Answer::TryingForever | Answer::RingForever | Answer::Dead => return Ok(()),
        };
        if let Some(seconds) = retry_after_s {
            refusal
                .headers
                .push((HeaderName::RetryAfter, seconds.to_string().into_bytes()));
        }
        self.note_end(handle, "refused");
        self.endpoint.reject(handle, refusal, now)
    }

    pub(super) fn accept(&mut self, handle: CallHandle, now: Duration) -> Result<(), CommandError> {
        let Some(port) = self.free_ports.pop_front() else {
            self.note_end(handle, "no media port free");
            return self
                .endpoint
                .reject(handle, Refusal::new(StatusCode::BUSY_HERE), now);
        };
        let local = LocalAudio::new(self.config.media_address, port);
        let session_id = u64::from(port) << 16 | u64::from(self.calls_seen);
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        call.port = Some(port);
        let settled = match call.offer.clone() {
            None => Ok((offer_answer::offer(&local, session_id, 1), None)),
            Some(offer) => self
                .answer_offer(handle, &offer, &local, (session_id, 1), now)
                .map(|(description, negotiated, way)| (description, Some((negotiated, way)))),
        };
        let (description, negotiated) = match settled {
            Ok(settled) => settled,
            Err(error) => return self.refuse_media(handle, &error, now),
        };
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        let body = defective(call.behaviour.session, &description);
        call.description = Some(description);
        if let Some((negotiated, way)) = negotiated
            && let Err(why) = self.start_media(handle, &negotiated, way, now)
        {
            return self.refuse_media(handle, &why, now);
        }
        self.endpoint.accept(handle, body, now)?;
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        call.report.state = CallState::Answered;
        call.report.answered_after_ms = Some(millis(now - call.arrived));
        let by = *call.report.answered_by.get_or_insert(AnsweredBy::Machine);
        let id = call.report.id;
        let after = |ms: u64| now + Duration::from_millis(ms);
        let planned = [
            // Whom a person talks to, a person lets go.
            (
                call.behaviour
                    .hang_up_after_ms
                    .filter(|_| by == AnsweredBy::Machine),
                Due::HangUp,
            ),
            (call.behaviour.reinvite_after_ms, Due::Reinvite),
        ];
        call.due.extend(
            planned
                .iter()
                .filter_map(|(ms, due)| ms.map(|ms| (after(ms), *due))),
        );
        self.note(handle, What::Answered, now);
        self.push(Output::Event(Event::Answered { call: id }));
        Ok(())
    }

    pub(super) fn refuse_media(
        &mut self,
        handle: CallHandle,
        why: &str,
        now: Duration,
    ) -> Result<(), CommandError> {
        self.note_end(handle, "no session could be agreed");
        if let Some(call) = self.call(handle) {
            let fact = Fact::wrong("session-agreed", "RFC 3264 §6", why);
            call.report.facts.push(fact.clone());
            let event = Event::Fact {
                call: call.report.id,
                fact,
            };
            self.push(Output::Event(event));
        }
        self.endpoint
            .reject(handle, Refusal::new(StatusCode::NOT_ACCEPTABLE_HERE), now)
    }
}
