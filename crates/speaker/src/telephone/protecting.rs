//! Protection of ordinary calls: what is offered and signed, who is believed, and what is said of it.
//!
//! ```text
//! to a device of the home     UDP/TLS/RTP/SAVPF, or no call
//! to a room with a phone too  RTP/AVP with DTLS beside it; what it became is said
//! to a phone, a number        RTP/AVP; a phone of the home is said to be unprotected
//! from a device of the home   signed and protected, or refused before it rings: 428, 438, 488
//! from a phone, from outside  as it comes
//! ```
//! Whether somebody is a device, a phone or outside is what the hub vouches for; nobody is believed to be a device
//! without the device's signature, and a call that is not protected is never silently so.
use core::time::Duration;
use std::net::SocketAddr;

use hearthline_media::secure::{IceRole, SecureEvent, SecureFailure, SecureTransport};
use hearthline_sip::endpoint::{CallHandle, Endpoint};
use hearthline_sip::identity::{IdentityError, header_name};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::{HeaderName, Request, Response, SipUri, StatusCode, Uri};

use super::call::Party;
use super::events::session_of;
use super::leg::{Demand, Ground, Leg, LegError, is_offered};
use super::trust::{Proven, Said};
use super::whom::Whom;
use super::{Output, Telephone, words};

/// Why there is no protected call.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unprotected {
    /// No sound.
    #[error(transparent)]
    Leg(#[from] LegError),
    /// They did not prove who they are.
    #[error("Identity: {0}")]
    Identity(#[from] IdentityError),
    /// They did not even try.
    #[error("the other side did not say who it is")]
    Unsigned,
    /// The description does not read.
    #[error("{0}")]
    Description(String),
    /// This device was never enrolled, or its certificate is of no use here.
    #[error("no certificate to protect calls with: {0}")]
    NoKeys(String),
}

impl Telephone {
    pub(super) fn unix_s(&self, now: Duration) -> u64 {
        (self.unix_time_at_zero + now).as_secs()
    }

    pub(super) fn ground(&mut self, local: SocketAddr) -> Ground {
        Ground {
            local,
            seed: self.tokens.next_u64(),
            unix_time_at_zero: self.unix_time_at_zero,
        }
    }

    /// A way for one call that only the other end can read; none where the call may be in the clear.
    pub(super) fn way(
        &mut self,
        demand: Demand,
        role: IceRole,
        local: SocketAddr,
        now: Duration,
    ) -> Result<Option<Box<SecureTransport>>, Unprotected> {
        if demand == Demand::Clear {
            return Ok(None);
        }
        let seed = self.tokens.next_bytes();
        let trust = self.trust.as_ref();
        let trust = trust.ok_or_else(|| Unprotected::NoKeys("join a home first".into()))?;
        let way = trust.way(role, local, seed, now);
        way.map(Some)
            .map_err(|error| Unprotected::NoKeys(error.to_string()))
    }

    /// The Identity row for what we say to `to`; none for a description without fingerprints.
    pub(super) fn signed(
        &self,
        to: &Uri,
        call_id: &str,
        description: &SessionDescription,
        now: Duration,
    ) -> Result<Option<(HeaderName, Vec<u8>)>, Unprotected> {
        let (Some(home), Some(trust)) = (&self.home, &self.trust) else {
            return Ok(None);
        };
        if !is_offered(description) {
            return Ok(None);
        }
        let said = Said {
            call_id,
            description,
            now_s: self.unix_s(now),
        };
        let from = home.config.address_of_record().uri;
        Ok(Some((header_name(), trust.sign(&from, to, said)?)))
    }

    /// How a call that comes is to be protected, and who proved to be its caller.
    ///
    /// # Errors
    /// The refusal, and why.
    pub(super) fn judge(
        &mut self,
        request: &Request,
        party: &Party,
        now: Duration,
    ) -> Result<(Demand, Option<Proven>), (StatusCode, Unprotected)> {
        let Some(Whom::Home(device)) = &party.whom else {
            return Ok((Demand::Clear, None));
        };
        if device.is_phone() {
            return Ok((Demand::Clear, None));
        }
        let offer = SessionDescription::parse(&session_of(request)).map_err(|error| {
            let why = Unprotected::Description(error.to_string());
            (StatusCode::NOT_ACCEPTABLE_HERE, why)
        })?;
        let Some(row) = request.headers.get(&header_name()) else {
            return Err(if is_offered(&offer) {
                (StatusCode::USE_IDENTITY_HEADER, Unprotected::Unsigned)
            } else {
                (
                    StatusCode::NOT_ACCEPTABLE_HERE,
                    LegError::Unprotected.into(),
                )
            });
        };
        let invalid = |error: IdentityError| (StatusCode::INVALID_IDENTITY_HEADER, error.into());
        let (from, to) = (request.headers.from(), request.headers.to());
        let (Ok(from), Ok(to)) = (from, to) else {
            return Err(invalid(IdentityError::NoParty));
        };
        // Whom the hub vouches for and who signed are one.
        let user = from.uri.as_sip().and_then(SipUri::user_unescaped);
        if user.as_deref() != Some(device.as_str().as_bytes()) {
            return Err(invalid(IdentityError::Other("caller")));
        }
        let said = Said {
            call_id: request.headers.call_id().unwrap_or_default(),
            description: &offer,
            now_s: self.unix_s(now),
        };
        let trust = self.trust.as_mut();
        let trust = trust.ok_or_else(|| invalid(IdentityError::NotTrusted))?;
        let proven = trust.verify(row, Some(&from.uri), &to.uri, said);
        Ok((Demand::Protected, Some(proven.map_err(invalid)?)))
    }

    /// The leg of a call of ours that was answered, and who proved to have answered.
    pub(super) fn answered_leg(
        &mut self,
        handle: CallHandle,
        response: &Response,
        now: Duration,
    ) -> Result<(Leg, Option<Proven>), Unprotected> {
        let theirs = SessionDescription::parse(&response.body)
            .map_err(|error| Unprotected::Description(error.to_string()))?;
        let port = self.call(handle).map(|call| call.port);
        let port = port.ok_or_else(|| Unprotected::Description("no such call".into()))?;
        let ground = self.ground(port);
        let now_s = self.unix_s(now);
        let call = self.calls.iter_mut().find(|call| call.handle == handle);
        let (Some(call), Some(home)) = (call, &self.home) else {
            return Err(Unprotected::Description("no such call".into()));
        };
        let ours = call.described.as_ref();
        let ours = ours.ok_or_else(|| Unprotected::Description("no offer of ours".into()))?;
        let way = call.way.take();
        let mut proven = None;
        if let (Some(_), true, Some(trust)) = (&way, is_offered(&theirs), &mut self.trust) {
            let row = response.headers.get(&header_name());
            let row = row.ok_or(Unprotected::Unsigned)?;
            let said = Said {
                call_id: &call.call_id,
                description: &theirs,
                now_s,
            };
            let us = home.config.address_of_record().uri;
            proven = Some(trust.verify(row, None, &us, said)?);
        }
        let leg = Leg::of_caller(ours, &theirs, way, call.demand, ground, now)?;
        Ok((leg, proven))
    }

    /// What a proof brought is kept, and a change of key told.
    pub(super) fn met(&mut self, proven: Proven, name: &str) {
        if let (true, Some(trust)) = (proven.learnt, &self.trust) {
            self.outputs.push_back(Output::KnownKeys(trust.known()));
        }
        if proven.changed {
            self.step("the other device has another key than in the last call".into());
            self.say(words::key_changed(name));
        }
    }

    /// What the protection of a call came to. A failure ends the call: there is nothing to fall back to.
    pub(super) fn protection(
        &mut self,
        handle: CallHandle,
        event: SecureEvent,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        match event {
            SecureEvent::Connected { profile, .. } => {
                self.step(format!("protected from end to end: {profile:?}"));
            }
            SecureEvent::Failed(failure) => {
                self.step(format!("the call cannot be protected: {failure}"));
                if let Some(name) = self.call(handle).map(|call| call.party.spoken()) {
                    self.say(match failure {
                        SecureFailure::NoPath => words::no_way(&name),
                        SecureFailure::WrongFingerprint => words::in_between(&name),
                        _ => words::unprotected(&name),
                    });
                    self.hang_up_call(handle, endpoint, now);
                }
            }
            SecureEvent::PathChanged { .. } => self.step("sound goes another way now".into()),
            SecureEvent::Interrupted => self.step("no sound comes through".into()),
            SecureEvent::Resumed => self.step("sound comes through again".into()),
            SecureEvent::PeerClosed => {}
        }
    }
}
