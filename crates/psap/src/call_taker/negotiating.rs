//! The session: what is agreed on audio, at first and by re-INVITE.

use core::time::Duration;
use std::net::SocketAddr;

use hearthline_media::secure::{DtlsRole, IceRole, SecureTransport};
use hearthline_sip::endpoint::{Body, CallHandle, CommandError, Refusal};
use hearthline_sip::offer_answer::{self, LocalAudio, Negotiated};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::sdp::fingerprint::Setup;
use hearthline_sip::sdp::profile::{Profile, Protection};
use hearthline_sip::sdp::secure_offer_answer::{secure_answer_received, secure_reoffer};
use hearthline_sip::sdp::security::Security;
use hearthline_sip::{Request, StatusCode};
use hearthline_webrtc::dtls;

use super::{Call, CallTaker, Event, Output};
use crate::answer_body::read_session;
use crate::behaviour::Reinvite;
use crate::call_media::{CallMedia, Way};
use crate::fact::Fact;
use crate::moment::What;
use crate::report::{AnsweredBy, CallState};
use crate::speech::Speech;

impl CallTaker {
    /// Our answer to an offer of the caller's, the first or a later one, as well protected as the offer.
    pub(super) fn answer_offer(
        &mut self,
        handle: CallHandle,
        offer: &SessionDescription,
        local: &LocalAudio,
        version: (u64, u64),
        now: Duration,
    ) -> Result<(SessionDescription, Negotiated, Option<SecureTransport>), String> {
        let seed = self.config.endpoint.seed;
        let secure = self.config.secure.clone();
        let call = self.call(handle).ok_or("the call is over")?;
        if let Some(way) = call.media.as_mut().and_then(CallMedia::secure) {
            let answered = dtls::answer(way, offer, local, version, now);
            let (ours, negotiated, _) = answered.map_err(|error| error.to_string())?;
            return Ok((ours, negotiated, None));
        }
        let Some(secure) = secure.filter(|_| call.media.is_none() && is_protected(offer)) else {
            let answered = offer_answer::answer(offer, local, version.0, version.1);
            let (ours, negotiated) = answered.map_err(|error| error.to_string())?;
            return Ok((ours, negotiated, None));
        };
        let mut own = seed;
        for (octet, id) in own.iter_mut().zip(call.report.id.to_be_bytes()) {
            *octet ^= id;
        }
        let at = SocketAddr::new(local.address, local.port);
        let ours = secure
            .keys
            .transport(IceRole::Controlled, vec![at], own, secure.origin);
        let mut way = SecureTransport::new(ours, now).map_err(|error| error.to_string())?;
        let answered = dtls::answer(&mut way, offer, local, version, now);
        let (ours, negotiated, _) = answered.map_err(|error| error.to_string())?;
        Ok((ours, negotiated, Some(way)))
    }

    /// Begins or changes the audio; `way` protects it.
    pub(super) fn start_media(
        &mut self,
        handle: CallHandle,
        negotiated: &Negotiated,
        way: Option<SecureTransport>,
        now: Duration,
    ) -> Result<(), String> {
        let address = self.config.media_address;
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
        let way = match (way, call.port) {
            (Some(way), Some(port)) => {
                let fact = Fact::found("protected", "RFC 5763", "DTLS-SRTP");
                call.report.facts.push(fact);
                Ok(Way::Secure(Box::new(way), SocketAddr::new(address, port)))
            }
            _ => Way::plain(negotiated),
        };
        let way = way.map_err(|error| error.to_string())?;
        let media = CallMedia::new(negotiated, way, seed, unix, speech, manner, now);
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
            let negotiated = if is_protected(&offer) {
                let settled = secure_answer_received(&offer, &answer);
                settled.map_err(|error| error.to_string())?.0
            } else {
                let settled = offer_answer::answer_received(&offer, &answer);
                settled.map_err(|error| error.to_string())?
            };
            self.start_media(handle, &negotiated, None, now)
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
            let description = call.reoffer(&previous, &local);
            let body = Body::sdp(description.to_bytes());
            call.description = Some(description);
            return self.endpoint.answer_reinvite(handle, Some(body), now);
        }
        let origin = (
            previous.origin.session_id,
            previous.origin.version.wrapping_add(1),
        );
        let settled = read_session(&request.headers, &request.body).and_then(|offer| {
            let (ours, negotiated, way) = self.answer_offer(handle, &offer, &local, origin, now)?;
            self.start_media(handle, &negotiated, way, now)?;
            Ok(ours)
        });
        match settled {
            Ok(description) => {
                let body = Body::sdp(description.to_bytes());
                if let Some(call) = self.call(handle) {
                    call.description = Some(description);
                }
                self.endpoint.answer_reinvite(handle, Some(body), now)
            }
            Err(_) => self.endpoint.reject_reinvite(handle, not_acceptable, now),
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
        let (Some(port), Some(previous)) = (call.port, call.description.clone()) else {
            return Ok(());
        };
        let description = call.reoffer(&previous, &LocalAudio::new(address, port));
        let body = Body::sdp(description.to_bytes());
        call.description = Some(description);
        self.endpoint.reinvite(handle, body, now)
    }
}

impl Call {
    /// A later offer of ours, protected as the call is.
    fn reoffer(&mut self, previous: &SessionDescription, local: &LocalAudio) -> SessionDescription {
        let Some(way) = self.media.as_mut().and_then(CallMedia::secure) else {
            return offer_answer::reoffer(previous, local);
        };
        let setup = match way.role() {
            Some(DtlsRole::Server) => Setup::Passive,
            _ => Setup::Active,
        };
        let ours = Security::Dtls(dtls::described(way, setup));
        secure_reoffer(previous, local, &ours)
    }
}

/// Whether a description's audio is protected by DTLS.
fn is_protected(description: &SessionDescription) -> bool {
    let audio = description
        .media
        .iter()
        .find(|media| media.kind == "audio" && media.port != 0);
    let profile = audio.and_then(|media| Profile::parse(&media.protocol));
    profile.is_some_and(|profile| profile.protection() == Protection::Dtls)
}
