//! The network changed under a call for help: its sound is led to the new address by re-INVITE, and what has left on our
//! own lines without an answer is sent anew, for its answer would come to an address that is gone.
use core::time::Duration;
use std::net::SocketAddr;

use hearthline_emergency::call::Progress;
use hearthline_emergency::target::SipUri;
use hearthline_sip::Response;
use hearthline_sip::endpoint::{Body, CallHandle, CommandError, Endpoint};
use hearthline_sip::offer_answer::{LocalAudio, answer_received, reoffer};
use hearthline_sip::sdp::SessionDescription;

use super::super::Step;
use super::super::leg::targets_of;
use super::{Calling, Effect};

/// A change that met another one is tried again after so long.
const CHANGE_PAUSE: Duration = Duration::from_secs(2);

impl Calling {
    /// Calls us at `contact` from now on, our sound at `rtp`. By `hub` what was asked is still answered: the device has a
    /// new connection there.
    pub(in crate::device) fn moved(
        &mut self,
        contact: SocketAddr,
        rtp: SocketAddr,
        hub: Option<SocketAddr>,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        self.config.rtp_local = rtp;
        // An address and a port are a URI.
        let contact = SipUri::parse(&format!("sip:speaker@{contact}")).ok();
        if let Some(contact) = &contact {
            self.config.profile.contact = contact.clone();
        }
        let ours = LocalAudio::new(rtp.ip(), rtp.port());
        if let Some(callback) = &mut self.callback {
            callback.described = reoffer(&callback.described, &ours);
            self.change_due = Some(now);
        }
        let Some(active) = &mut self.active else {
            return;
        };
        active.offer = reoffer(&active.offer, &ours);
        active.moved = true;
        if let (Some(call), Some(contact)) = (&mut active.call, contact) {
            call.moved(contact, active.offer.to_bytes());
        }
        if active.sound.is_some() {
            self.change_due = Some(now);
            return;
        }
        let lines = &self.config.lines;
        let by_hub = |line: usize| {
            let targets = lines
                .get(line)
                .map(|line| targets_of(&line.target, &line.transports));
            let mut targets = targets.into_iter().flatten();
            targets.any(|target| Some(target.remote) == hub)
        };
        let deaf: Vec<CallHandle> = active
            .attempts
            .values()
            .filter(|attempt| !by_hub(attempt.line))
            .map(|attempt| attempt.handle)
            .collect();
        for handle in deaf {
            if endpoint.bye(handle, None, now).is_ok() {
                self.progress(handle, Progress::TransportFailed, now);
            }
        }
    }

    /// Offers the new address to whoever is on the line.
    pub(super) fn offer_change(&mut self, endpoint: &mut Endpoint, now: Duration) {
        if self.change_due.is_none_or(|at| at > now) {
            return;
        }
        self.change_due = None;
        let Some((handle, described)) = self.on_the_line() else {
            return;
        };
        let body = Body::sdp(described.to_bytes());
        match endpoint.reinvite(handle, body, now) {
            Ok(()) => {
                let what = "the network changed: the sound is led to the new address".into();
                self.effects.push_back(Effect::Step(Step::Media { what }));
            }
            Err(CommandError::Glare | CommandError::WrongState { .. }) => {
                self.change_due = Some(now + CHANGE_PAUSE);
            }
            Err(_) => {}
        }
    }

    /// The other side has answered it.
    pub(super) fn change_answered(&mut self, call: CallHandle, response: &Response) {
        let Some((handle, described)) = self.on_the_line() else {
            return;
        };
        let negotiated = SessionDescription::parse(&response.body)
            .ok()
            .and_then(|theirs| answer_received(&described, &theirs).ok());
        if let (true, Some(negotiated)) = (handle == call, negotiated)
            && let Some(sound) = self.sound()
        {
            // One without an address leaves the sound where it goes.
            let _ = sound.moved(&negotiated);
        }
    }

    /// The call whose sound there is, and how we have described ours.
    fn on_the_line(&self) -> Option<(CallHandle, SessionDescription)> {
        if let Some(active) = &self.active {
            let (attempt, _) = active.sound.as_ref()?;
            let handle = active.attempts.get(attempt)?.handle;
            return Some((handle, active.offer.clone()));
        }
        let callback = self.callback.as_ref()?;
        Some((callback.handle, callback.described.clone()))
    }
}
