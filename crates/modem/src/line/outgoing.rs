//! Calls from the home into the mobile network.

use core::time::Duration;

use hearthline_emergency::numbers::{NumberPlan, recognise};
use hearthline_emergency::service::ServiceUrn;
use hearthline_sip::endpoint::{Body, CallHandle};
use hearthline_sip::multipart::{MultipartLimits, find_by_type, parts_of};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::{Headers, Request, StatusCode, Uri, offer_answer};

use super::bus::Asked;
use super::call::Phase;
use super::media::{CallMedia, local_audio};
use super::output::{Event, Output};
use super::permit::Permit;
use super::{ModemLine, outcome};
use crate::dbus::Value;
use crate::number::{NumberError, PhoneNumber};
use crate::service;

impl ModemLine {
    /// The home calls.
    pub(super) fn on_invite(&mut self, handle: CallHandle, request: &Request, now: Duration) {
        if let Err((status, why)) = self.try_invite(handle, request, now) {
            // The caller may have given up in the same moment.
            let _ = self
                .endpoint
                .reject(handle, outcome::refusal(status, &why), now);
        }
    }

    fn try_invite(
        &mut self,
        handle: CallHandle,
        request: &Request,
        now: Duration,
    ) -> Result<(), (StatusCode, String)> {
        let (number, emergency) = self.wanted(&request.uri)?;
        let unacceptable = |why: String| (StatusCode::NOT_ACCEPTABLE_HERE, why);
        let offer = read_session(&request.headers, &request.body).map_err(unacceptable)?;
        let local = local_audio(&self.config);
        let (description, negotiated) =
            offer_answer::answer(&offer, &local, u64::from(local.port), self.last_call + 1)
                .map_err(|error| unacceptable(error.to_string()))?;
        let media = CallMedia::new(&negotiated, &self.config, self.last_call + 1)
            .map_err(|error| unacceptable(error.to_string()))?;

        let passes = if emergency {
            self.health.takes_emergencies()
        } else {
            self.health.is_ready()
        };
        let permit = self.permit();
        let (true, Some(permit)) = (passes, permit) else {
            return Err((StatusCode::SERVICE_UNAVAILABLE, self.health.to_string()));
        };
        if let Some(call) = &self.call {
            if !emergency || call.emergency {
                return Err((StatusCode::BUSY_HERE, "the line is in use".to_owned()));
            }
            let why = "an emergency call takes the line";
            self.end_call(StatusCode::TEMPORARILY_UNAVAILABLE, why, now);
        }
        let until = now.saturating_add(self.config.answer_max);
        let call = self.begin_call(false, Phase::Creating);
        call.emergency = emergency;
        call.sip = Some(handle);
        call.description = Some(description);
        call.media = Some(media);
        call.until = Some(until);
        self.push(Output::Event(Event::CallBegan {
            incoming: false,
            emergency,
        }));
        self.dial(&permit, &number, now);
        Ok(())
    }

    /// The only place where a modem is told to call.
    fn dial(&mut self, _permit: &Permit, number: &PhoneNumber, now: Duration) {
        let (Some(modem), Some(call)) = (&self.modem, &self.call) else {
            return;
        };
        let (path, id) = (modem.path.clone(), call.id);
        let number = ("number".to_owned(), Value::str(number.as_str()));
        let arguments = vec![Value::properties([number])];
        self.ask_modem(
            &path,
            service::VOICE,
            "CreateCall",
            arguments,
            Asked::Create(id),
            now,
        );
    }

    /// The number, and whether it is for an emergency.
    pub(super) fn wanted(&self, uri: &Uri) -> Result<(PhoneNumber, bool), (StatusCode, String)> {
        let not_found = |why: &str| (StatusCode::NOT_FOUND, why.to_owned());
        let digits = match uri {
            Uri::Urn(_) => {
                let service = ServiceUrn::parse(&uri.to_string())
                    .ok()
                    .filter(|service| service.is_sos() && !service.is_test())
                    .ok_or_else(|| not_found("no service that a telephone reaches"))?;
                let number = NumberPlan::Of(self.config.country).number_for(&service);
                number.as_str().to_owned()
            }
            Uri::Sip(uri) => uri.user().unwrap_or_default().to_owned(),
            Uri::Tel(uri) => uri.digits(),
            Uri::Other(_) => return Err(not_found("no telephone number")),
        };
        let digits = digits.split(';').next().unwrap_or_default();
        let number = PhoneNumber::new(digits).map_err(|error| {
            let status = match error {
                NumberError::ServiceCode => StatusCode::FORBIDDEN,
                NumberError::Length | NumberError::Character => StatusCode::NOT_FOUND,
            };
            (status, error.to_string())
        })?;
        let emergency = self.is_emergency(&number);
        Ok((number, emergency))
    }

    /// Whether a number is one of the country's emergency numbers, or of the card's.
    pub(super) fn is_emergency(&self, number: &PhoneNumber) -> bool {
        let digits = number.as_str();
        recognise(digits, self.config.country).is_some()
            || self
                .modem
                .as_ref()
                .is_some_and(|modem| modem.emergency_numbers.contains(digits))
    }

    /// The modem made the call's object: now it dials.
    pub(super) fn on_created(&mut self, id: u64, path: &str, now: Duration) {
        let current = self.call.as_mut().filter(|call| call.id == id);
        let Some(call) = current else {
            return self.drop_modem_call(path, false, now); // the caller gave up meanwhile
        };
        call.path = Some(path.to_owned());
        call.phase = Phase::Starting;
        self.ask_modem(
            path,
            service::CALL,
            "Start",
            Vec::new(),
            Asked::Start(id),
            now,
        );
    }

    /// The modem took the order to dial. Its states say the rest.
    pub(super) fn on_started(&mut self, id: u64, now: Duration) {
        let current = self.call.as_mut().filter(|call| call.id == id);
        let Some(call) = current else {
            return;
        };
        if call.phase == Phase::Starting {
            call.phase = Phase::Dialing;
            call.until = None;
        }
        // What it said before its answer.
        if let Some(state) = call.facts.state {
            self.on_call_state(state, now);
        }
    }

    /// Hold, or another address. The sound goes on both ways: the modem's side knows no hold.
    pub(super) fn on_reinvite(&mut self, handle: CallHandle, request: &Request, now: Duration) {
        let local = local_audio(&self.config);
        let current = self.call.as_mut().and_then(|call| {
            let previous = call.description.as_ref()?.origin.clone();
            Some((&mut call.description, call.media.as_mut()?, previous))
        });
        let settled = current.and_then(|(description, media, origin)| {
            let offer = read_session(&request.headers, &request.body).ok()?;
            let version = origin.version.wrapping_add(1);
            let (answer, negotiated) =
                offer_answer::answer(&offer, &local, origin.session_id, version).ok()?;
            media.renegotiate(&negotiated).ok()?;
            let body = Body::sdp(answer.to_bytes());
            *description = Some(answer);
            Some(body)
        });
        // An error says that the call ended in the same moment.
        let _ = match settled {
            Some(body) => self.endpoint.answer_reinvite(handle, Some(body), now),
            None => {
                let why = "the session cannot be changed so";
                let refusal = outcome::refusal(StatusCode::NOT_ACCEPTABLE_HERE, why);
                self.endpoint.reject_reinvite(handle, refusal, now)
            }
        };
    }
}

/// The session description of a message, in whatever multipart.
pub(super) fn read_session(headers: &Headers, body: &[u8]) -> Result<SessionDescription, String> {
    let parts =
        parts_of(headers, body, &MultipartLimits::default()).map_err(|error| error.to_string())?;
    let part = find_by_type(&parts, "application/sdp").ok_or("no session description")?;
    SessionDescription::parse(&part.body).map_err(|error| error.to_string())
}
