//! Calls from outside that nobody takes go to the mailbox: unanswered, busy, declined, or not to be disturbed.
//!
//! Never a call for help, which goes the other way, and never a call-taker's callback, which rings until a person
//! answers or the call-taker gives up.

use std::time::Duration;

use hearthline_sip::endpoint::{Body, InviteRequest, Reliable};
use hearthline_sip::{HeaderName, Headers, NameAddr, SipUri, StatusCode};

use super::Gateway;
use super::incoming::Incoming;
use crate::id::LineId;
use crate::line::LineFields;

/// Whom the switchboard asks for by this name takes messages. No device of the home can be called so: it is asked for
/// over the gateway's connection alone.
pub(crate) const MAILBOX_USER: &str = "mailbox";

/// What the switchboard says of a caller whom everybody in the home has blocked (RFC 8197): no mailbox takes the call.
pub(crate) const UNWANTED: StatusCode = match StatusCode::new(607) {
    Some(unwanted) => unwanted,
    None => StatusCode::DECLINE,
};

const DIVERSION: &str = "Diversion";
/// Nobody was rung: the word of RFC 5806 and the cause of RFC 4458.
const UNCONDITIONAL: (&str, u16) = ("unconditional", 302);

/// How far a call from outside has come.
#[derive(Clone)]
pub(super) struct SentOn {
    /// The address that it asked for: whose call it is.
    whose: SipUri,
    /// Who calls, as the devices of the home see it.
    from: NameAddr,
    offer: Option<Body>,
    stage: Stage,
}

#[derive(Clone)]
enum Stage {
    /// Devices ring, until then.
    Devices(Option<Duration>),
    /// The mailbox was asked; what the caller hears when it does not take the call either.
    Mailbox(StatusCode),
}

impl SentOn {
    pub(super) fn new(
        whose: SipUri,
        from: NameAddr,
        offer: Option<Body>,
        rings_until: Option<Duration>,
    ) -> Self {
        Self {
            whose,
            from,
            offer,
            stage: Stage::Devices(rings_until),
        }
    }

    /// What the caller hears when the mailbox does not take the call; `None`: it was not asked.
    pub(super) fn verdict(&self) -> Option<StatusCode> {
        match self.stage {
            Stage::Mailbox(verdict) => Some(verdict),
            Stage::Devices(_) => None,
        }
    }
}

impl Incoming {
    pub(super) fn next_timeout(&self) -> Option<Duration> {
        match self.sent_on.stage {
            Stage::Devices(until) if !self.answered && !self.callback => until,
            _ => None,
        }
    }
}

impl Gateway {
    /// When a call of this line that begins to ring now goes to the mailbox; none: when the switchboard says that nobody
    /// took it, which sends it on first where the line's calls go on.
    pub(super) fn rings_until(&self, line: &LineFields, now: Duration) -> Option<Duration> {
        let after = self.config.voicemail_after?;
        line.forward_to.is_none().then(|| now.saturating_add(after))
    }

    /// It has rung for long enough.
    pub(super) fn unanswered(&mut self, id: u64, now: Duration) {
        let Some(call) = self.incoming(id) else {
            return;
        };
        let devices = call.home;
        if let Stage::Devices(until) = &mut call.sent_on.stage {
            *until = None;
        }
        if self.asks_mailbox(id, StatusCode::TEMPORARILY_UNAVAILABLE, now) {
            // One that answers at this very moment is told that it is too late.
            let reason = Some("SIP;cause=200;text=\"Call completed elsewhere\"");
            let _ = self.home.bye(devices, reason, now);
        }
    }

    /// Asks the mailbox in the devices' place; `false`: the caller is told `verdict`.
    pub(super) fn asks_mailbox(&mut self, id: u64, verdict: StatusCode, now: Duration) -> bool {
        let Some(why) = why(verdict).filter(|_| self.config.voicemail_after.is_some()) else {
            return false;
        };
        let Some(call) = self.incoming(id) else {
            return false;
        };
        if call.callback || call.answered || call.sent_on.verdict().is_some() {
            return false;
        }
        call.sent_on.stage = Stage::Mailbox(verdict);
        let late_offer = call.late_offer;
        let sent_on = call.sent_on.clone();
        let invite = self.mailbox_invite(&sent_on, late_offer, (why, verdict.code()));
        let Ok(home) = self.home.invite(invite, now) else {
            return false;
        };
        let Some(call) = self.incoming(id) else {
            return false;
        };
        call.home = home;
        // What the devices still say is nothing to this call.
        self.of_home.retain(|_, own| *own != id);
        self.of_home.insert(home, id);
        true
    }

    /// The INVITE of a call that rings nobody and goes to the mailbox at once; `None`: the home has none.
    pub(super) fn straight_to_mailbox(
        &self,
        sent_on: &mut SentOn,
        late_offer: bool,
    ) -> Option<InviteRequest> {
        self.config.voicemail_after?;
        sent_on.stage = Stage::Mailbox(StatusCode::BUSY_HERE);
        Some(self.mailbox_invite(sent_on, late_offer, UNCONDITIONAL))
    }

    fn mailbox_invite(
        &self,
        sent_on: &SentOn,
        late_offer: bool,
        (why, cause): (&str, u16),
    ) -> InviteRequest {
        let to = SipUri::new(sent_on.whose.host().clone()).with_user(MAILBOX_USER);
        let mut invite = InviteRequest::new(
            to.clone().into(),
            sent_on.from.clone(),
            NameAddr::new(to.clone()),
            self.config.switchboard.clone(),
        );
        let whose = &sent_on.whose;
        // Two ways to say whose call it was: RFC 5806, and RFC 7044 with RFC 4458.
        for (name, row) in [
            (DIVERSION, format!("<{whose}>;reason={why};counter=1")),
            (
                "History-Info",
                format!(
                    "<{whose}?Reason=SIP%3Bcause%3D{cause}>;index=1, <{to};cause={cause}>;index=1.1;mp=1"
                ),
            ),
        ] {
            if let Some(name) = HeaderName::parse(name.as_bytes()) {
                invite.headers.push((name, row.into_bytes()));
            }
        }
        invite.body.clone_from(&sent_on.offer);
        invite.late_offer = late_offer;
        invite.reliable = Reliable::Off;
        invite
    }
}

/// The line whose call the gateway sends on to the mailbox.
pub(crate) fn diverted_line(headers: &Headers) -> Option<LineId> {
    let name = HeaderName::parse(DIVERSION.as_bytes())?;
    let from = NameAddr::parse(headers.get_str(&name)?).ok()?;
    super::line_called(from.uri.as_sip()?.user()?)
}

/// The word of RFC 5806 for what became of a call; `None`: not one that the mailbox takes.
fn why(verdict: StatusCode) -> Option<&'static str> {
    match verdict.code() {
        408 | 480 => Some("no-answer"),
        486 | 600 => Some("user-busy"),
        603 => Some("deflection"),
        _ => None,
    }
}
