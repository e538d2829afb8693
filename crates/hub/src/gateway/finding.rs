//! A telephone of the home rings so that it is found: nobody speaks, and it falls silent when somebody answers.
//!
//! The call goes to a registered device of the home along the home's connection: no number, no line and no sound belong
//! to it, so it can be no call for help, and it goes nowhere else than to the telephone that is looked for.

use std::time::Duration;

use hearthline_sip::endpoint::{Body, CallHandle, Event, InviteRequest, Reliable};
use hearthline_sip::{HeaderName, NameAddr, SipUri};

use super::{FINDING, Gateway};
use crate::id::DeviceId;

/// How long it rings.
const RINGS_MAX: Duration = Duration::from_secs(30);
/// Telephones that are looked for at once.
const FINDINGS_MAX: usize = 16;
/// What the telephone shows.
const SHOWN: &str = "Find my phone";
/// Sound that neither side sends (RFC 3264 section 5.1): a telephone that rings wants to be offered some.
const SILENT: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 9 RTP/AVP 0 8\r\na=inactive\r\n";

/// A telephone that rings.
pub(super) struct Finding {
    call: CallHandle,
    device: DeviceId,
    /// `None`: it was told to stop.
    until: Option<Duration>,
}

impl Gateway {
    /// Lets a telephone ring, unless it does.
    pub(super) fn find(&mut self, device: DeviceId, now: Duration) {
        let rings = self.findings.iter().any(|own| own.device == device);
        if rings || self.findings.len() >= FINDINGS_MAX {
            return;
        }
        let domain = &self.config.domain;
        let to = SipUri::new(domain.clone()).with_user(&device.to_string());
        let from = SipUri::new(domain.clone()).with_user("finder");
        let mut invite = InviteRequest::new(
            to.clone().into(),
            NameAddr::new(from).with_display(SHOWN),
            NameAddr::new(to),
            self.config.switchboard.clone(),
        );
        if let Some(name) = HeaderName::parse(FINDING.as_bytes()) {
            invite.headers.push((name, b"yes".to_vec()));
        }
        invite.body = Some(Body::sdp(SILENT));
        invite.reliable = Reliable::Off;
        // Too many calls at once: it can be asked for again.
        if let Ok(call) = self.home.invite(invite, now) {
            let until = Some(now.saturating_add(RINGS_MAX));
            let finding = Finding {
                call,
                device,
                until,
            };
            self.findings.push(finding);
        }
    }

    /// What became of one of these calls; `false`: it is about another.
    pub(super) fn finding_event(&mut self, event: &Event, now: Duration) -> bool {
        let (call, over) = match event {
            Event::Answered { call, .. } => (*call, false),
            Event::Failed { call, .. } | Event::Ended { call, .. } => (*call, true),
            _ => return false,
        };
        let Some(at) = self.findings.iter().position(|own| own.call == call) else {
            return false;
        };
        if over {
            self.findings.swap_remove(at);
        } else {
            self.findings[at].until = None;
            let found = Some("SIP;cause=200;text=\"found\"");
            // It may have hung up at this very moment.
            let _ = self.home.bye(call, found, now);
        }
        true
    }

    /// Those that have rung for long enough; whether there were any.
    pub(super) fn findings_due(&mut self, now: Duration) -> bool {
        let due = |own: &&mut Finding| own.until.is_some_and(|until| until <= now);
        let mut acted = false;
        for own in self.findings.iter_mut().filter(due) {
            own.until = None;
            acted = true;
            // It is answered or refused at this very moment.
            let _ = self.home.bye(own.call, None, now);
        }
        acted
    }

    pub(super) fn next_finding(&self) -> Option<Duration> {
        self.findings.iter().filter_map(|own| own.until).min()
    }
}
