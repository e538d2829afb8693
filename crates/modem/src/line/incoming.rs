//! Calls from the mobile network into the home.

use core::time::Duration;

use hearthline_sip::endpoint::{Body, InviteRequest, Reliable};
use hearthline_sip::{Headers, NameAddr, SipUri, StatusCode, Uri, offer_answer};

use super::ModemLine;
use super::bus::Asked;
use super::call::Phase;
use super::media::{CallMedia, local_audio};
use super::outgoing::read_session;
use super::output::{Event, Output};
use crate::number::PhoneNumber;
use crate::service::{self, CallDirection, CallFacts, CallState};

/// Calls that arrive at once, at most: a network has two.
const ARRIVING_MAX: usize = 8;
/// How long a call rings at home, at most.
const RINGING_MAX: Duration = Duration::from_secs(120);
/// Who calls without a number (RFC 3323 section 4.1).
const ANONYMOUS: &str = "sip:anonymous@anonymous.invalid";

impl ModemLine {
    /// The modem has a new call: ask what it is.
    pub(super) fn on_call_added(&mut self, path: &str, now: Duration) {
        let ours = self
            .call
            .as_ref()
            .is_some_and(|call| call.path.as_deref() == Some(path));
        if ours || self.arriving.len() >= ARRIVING_MAX {
            return;
        }
        self.arriving.insert(path.to_owned(), CallFacts::default());
        let asked = Asked::CallFacts(path.to_owned());
        self.ask_properties(path, service::CALL, asked, now);
    }

    /// More is known of a call that arrives: it rings, waits behind another, or is none of ours.
    pub(super) fn on_arriving(&mut self, path: &str, now: Duration) {
        let Some(facts) = self.arriving.get(path) else {
            return;
        };
        let over = facts.state == Some(CallState::Terminated);
        let outgoing = facts.direction == Some(CallDirection::Outgoing);
        if over || outgoing {
            self.arriving.remove(path);
            return;
        }
        let here = facts.direction == Some(CallDirection::Incoming);
        let rings = matches!(facts.state, Some(CallState::RingingIn | CallState::Waiting));
        let permit = self.permit();
        if !here || !rings || permit.is_none() {
            return;
        }
        let Some(facts) = self.arriving.remove(path) else {
            return;
        };
        if self.call.is_some() {
            // One voice channel: whoever calls meanwhile hears that it is busy.
            return self.drop_modem_call(path, false, now);
        }
        if self.config.ring.is_some() {
            self.ring_home(path, facts, now);
        }
    }

    fn ring_home(&mut self, path: &str, facts: CallFacts, now: Duration) {
        let Some(target) = self.config.ring.clone() else {
            return;
        };
        let to: SipUri = SipUri::new(target.remote.ip().into())
            .with_port(target.remote.port())
            .with_user("modem");
        let from = self.caller(facts.number.as_ref());
        let local = local_audio(&self.config);
        let call = self.begin_call(true, Phase::Asking);
        let offer = offer_answer::offer(&local, u64::from(local.port), call.id);
        call.path = Some(path.to_owned());
        call.facts = facts;
        call.description = Some(offer.clone());
        let mut invite = InviteRequest::new(to.clone().into(), from, NameAddr::new(to), target);
        invite.body = Some(Body::sdp(offer.to_bytes()));
        invite.reliable = Reliable::Off;
        invite.ringing_max = Some(RINGING_MAX);
        self.push(Output::Event(Event::CallBegan {
            incoming: true,
            emergency: false,
        }));
        match self.endpoint.invite(invite, now) {
            Ok(handle) => {
                if let Some(call) = &mut self.call {
                    call.sip = Some(handle);
                }
            }
            Err(_) => self.end_call(StatusCode::SERVICE_UNAVAILABLE, "no room for the call", now),
        }
    }

    /// What From says of a caller.
    pub(super) fn caller(&self, number: Option<&PhoneNumber>) -> NameAddr {
        let local = self.config.endpoint.local.first();
        match (number, local, Uri::parse(ANONYMOUS)) {
            (Some(number), Some((_, address)), _) => {
                let uri = SipUri::new(address.ip().into())
                    .with_port(address.port())
                    .with_user(number.as_str())
                    .with_param("user", Some("phone"));
                NameAddr::new(uri)
            }
            (_, _, Ok(anonymous)) => NameAddr::new(anonymous).with_display("Anonymous"),
            (_, local, Err(_)) => {
                let ip = local.map_or(self.config.media_address, |(_, address)| address.ip());
                NameAddr::new(SipUri::new(ip.into()))
            }
        }
    }

    /// Somebody at home answered: now the modem does.
    pub(super) fn on_home_answered(&mut self, headers: &Headers, body: &[u8], now: Duration) {
        let until = now.saturating_add(self.config.answer_max);
        let permit = self.permit();
        let Some(call) = self
            .call
            .as_mut()
            .filter(|call| call.phase == Phase::Asking)
        else {
            return;
        };
        let id = call.id;
        let settled = call.description.as_ref().and_then(|offer| {
            let answer = read_session(headers, body).ok()?;
            let negotiated = offer_answer::answer_received(offer, &answer).ok()?;
            CallMedia::new(&negotiated, &self.config, id).ok()
        });
        let (Some(media), Some(path), Some(_permit)) = (settled, call.path.clone(), permit) else {
            let why = "the home's answer has no sound that the modem could carry";
            return self.end_call(StatusCode::NOT_ACCEPTABLE_HERE, why, now);
        };
        call.media = Some(media);
        call.phase = Phase::Accepting;
        call.until = Some(until);
        self.ask_modem(
            &path,
            service::CALL,
            "Accept",
            Vec::new(),
            Asked::Accept(id),
            now,
        );
    }
}
