//! The session: what is agreed on audio, at first and by re-INVITE.

use core::time::Duration;

use hearthline_sip::endpoint::{Body, CallHandle, CommandError, Refusal};
use hearthline_sip::offer_answer::{self, LocalAudio, Negotiated};
use hearthline_sip::{Request, StatusCode};

use super::{CallTaker, Event, Output};
use crate::answer_body::read_session;
use crate::behaviour::Reinvite;
use crate::call_media::CallMedia;
use crate::moment::What;
use crate::report::{AnsweredBy, CallState};
use crate::speech::Speech;

impl CallTaker {
    /// Begins or changes the audio.
    pub(super) fn start_media(
        &mut self,
        handle: CallHandle,
        negotiated: &Negotiated,
        now: Duration,
    ) -> Result<(), String> {
        let (voice, unix) = (self.config.voice.clone(), self.config.unix_time_at_zero);
        let seed = self.config.endpoint.seed;
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        if let Some(media) = &mut call.media {
            return media
                .renegotiate(negotiated)
                .map_err(|error| error.to_string());
        }
        let mut word = [0; 8];
        word.copy_from_slice(&seed[..8]);
        let seed = u64::from_le_bytes(word) ^ u64::from(call.report.id).rotate_left(32);
        let manner = call.behaviour.voice;
        let speech = match call.report.answered_by {
            Some(AnsweredBy::Person) => Speech::person(),
            _ => Speech::machine(voice),
        };
        let media = CallMedia::new(negotiated, seed, unix, speech, manner, now);
        call.media = Some(media.map_err(|error| error.to_string())?);
        Ok(())
    }

    pub(super) fn on_confirmed(&mut self, handle: CallHandle, ack: &Request, now: Duration) {
        if !ack.body.is_empty() {
            self.on_answer(handle, &ack.headers, &ack.body, now);
        }
        let Some(call) = self.call(handle) else {
            return;
        };
        if call.report.state == CallState::Answered {
            call.report.state = CallState::Confirmed;
            let id = call.report.id;
            self.note(handle, What::Confirmed, now);
            self.push(Output::Event(Event::Confirmed { call: id }));
        }
    }

    /// The caller's answer to an offer of ours, in an ACK or a 2xx.
    pub(super) fn on_answer(
        &mut self,
        handle: CallHandle,
        headers: &hearthline_sip::Headers,
        body: &[u8],
        now: Duration,
    ) {
        let Some(call) = self.call(handle) else {
            return;
        };
        let Some(offer) = call.description.clone() else {
            return;
        };
        let result = read_session(headers, body).and_then(|answer| {
            let negotiated = offer_answer::answer_received(&offer, &answer)
                .map_err(|error| error.to_string())?;
            self.start_media(handle, &negotiated, now)
        });
        if let Err(why) = result {
            self.trouble(handle, &why);
        }
    }

    pub(super) fn on_reinvite(
        &mut self,
        handle: CallHandle,
        request: &Request,
        now: Duration,
    ) -> Result<(), CommandError> {
        let address = self.config.media_address;
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        let not_acceptable = Refusal::new(StatusCode::NOT_ACCEPTABLE_HERE);
        match call.behaviour.reinvite {
            Reinvite::Never => return Ok(()),
            Reinvite::Refuse => return self.endpoint.reject_reinvite(handle, not_acceptable, now),
            Reinvite::Answer => {}
        }
        let (Some(port), Some(previous)) = (call.port, call.description.clone()) else {
            return self.endpoint.reject_reinvite(handle, not_acceptable, now);
        };
        let local = LocalAudio::new(address, port);
        if request.body.is_empty() {
            let description = offer_answer::reoffer(&previous, &local);
            let body = Body::sdp(description.to_bytes());
            call.description = Some(description);
            return self.endpoint.answer_reinvite(handle, Some(body), now);
        }
        let origin = (
            previous.origin.session_id,
            previous.origin.version.wrapping_add(1),
        );
        let settled = read_session(&request.headers, &request.body).and_then(|offer| {
            offer_answer::answer(&offer, &local, origin.0, origin.1)
                .map_err(|error| error.to_string())
        });
        match settled {
            Ok((description, negotiated)) if self.start_media(handle, &negotiated, now).is_ok() => {
                let body = Body::sdp(description.to_bytes());
                if let Some(call) = self.call(handle) {
                    call.description = Some(description);
                }
                self.endpoint.answer_reinvite(handle, Some(body), now)
            }
            _ => self.endpoint.reject_reinvite(handle, not_acceptable, now),
        }
    }

    pub(super) fn reinvite(
        &mut self,
        handle: CallHandle,
        now: Duration,
    ) -> Result<(), CommandError> {
        let address = self.config.media_address;
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        let (Some(port), Some(previous)) = (call.port, call.description.as_ref()) else {
            return Ok(());
        };
        let description = offer_answer::reoffer(previous, &LocalAudio::new(address, port));
        let body = Body::sdp(description.to_bytes());
        call.description = Some(description);
        self.endpoint.reinvite(handle, body, now)
    }
}
