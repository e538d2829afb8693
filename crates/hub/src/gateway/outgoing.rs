//! Calls of the home: one line after the other, until one of them rings or answers.
//!
//! ```text
//! INVITE of the home ─► line 1 ─ refuses, says nothing, connection dead ─► line 2 ─► …
//!                          │ rings, answers: from here on it stays with this line
//! ```
//! In an emergency nothing is taken back: a line that says only 100, or only rings, is kept while the next is called as
//! well; the first answer wins, and whatever a line refuses with, the next is called.

use std::collections::VecDeque;
use std::time::Duration;

use hearthline_emergency::numbers::OrdinaryDigits;
use hearthline_sip::endpoint::{
    Body, CallHandle, FailureCause, InviteRequest, Refusal, Reliable, SessionTimerConfig,
};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::values::Warning;
use hearthline_sip::{HeaderName, NameAddr, Request, Response, StatusCode};

use super::help::{Content, Help};
use super::trunk::Trunk;
use super::{CALLS_MAX, Call, Gateway, HELPED_MAX, Helped, LOOP, OnLine, body_of};
use super::{help, offer_of, relay};
use crate::entropy::random;
use crate::id::LineId;
use crate::line::LineTrouble;
use crate::number::Number;
use crate::sip::destination::Destination;

/// A call of the home.
pub(super) struct Outgoing {
    /// The device's side; `None`: another outside call is to be joined with it ([`putting_through`](super::putting_through)).
    pub(super) home: Option<CallHandle>,
    /// Call-ID of its dialog with the switchboard.
    pub(super) call_id: String,
    asked: Box<Request>,
    goal: Goal,
    remaining: VecDeque<(LineId, Content)>,
    pub(super) attempts: Vec<Attempt>,
    /// The line's side, once it stands.
    pub(super) answered: Option<CallHandle>,
    /// It began without an offer: the line's is in its 200, and the caller's answer comes with the ACK.
    pub(super) late_offer: bool,
    /// What the caller is told when every line has failed.
    verdict: StatusCode,
    /// Stands in each INVITE of this call.
    pub(super) token: String,
}

/// Whom it is for.
enum Goal {
    Number(Number),
    Help(Help),
}

/// An INVITE on one line.
pub(super) struct Attempt {
    pub(super) outside: CallHandle,
    pub(super) line: LineId,
    content: Content,
    heard: Heard,
    /// What it answered in a reliable 183: its 200 need not say it again (RFC 3262 section 5, RFC 6337 section 3.1.1).
    session: Option<Body>,
    /// When the line has said too little for too long.
    due_at: Option<Duration>,
}

/// What a line has said to an INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Heard {
    Nothing,
    Trying,
    Ringing,
}

impl Outgoing {
    pub(super) fn next_timeout(&self) -> Option<Duration> {
        if self.answered.is_some() {
            return None;
        }
        self.attempts.iter().filter_map(|own| own.due_at).min()
    }

    /// A call to a number, for another call of ours: `asked` has what it offers.
    pub(super) fn onward(
        number: Number,
        asked: Request,
        lines: VecDeque<(LineId, Content)>,
    ) -> Self {
        Self {
            home: None,
            call_id: String::new(),
            asked: Box::new(asked),
            goal: Goal::Number(number),
            remaining: lines,
            attempts: Vec::new(),
            answered: None,
            late_offer: false,
            verdict: StatusCode::SERVICE_UNAVAILABLE,
            token: token(),
        }
    }

    /// The INVITE that began it.
    pub(super) fn asked(&self) -> &Request {
        &self.asked
    }

    pub(super) fn help(&self) -> Option<&Help> {
        match &self.goal {
            Goal::Help(help) => Some(help),
            Goal::Number(_) => None,
        }
    }

    fn attempt(&mut self, outside: CallHandle) -> Option<&mut Attempt> {
        self.attempts.iter_mut().find(|own| own.outside == outside)
    }
}

impl Gateway {
    /// An INVITE came up the home's connection. Emergencies first, before anything else is looked at.
    pub(super) fn asked(&mut self, home: CallHandle, request: Request, now: Duration) {
        let country = self.config.plan.country();
        let goal = match Destination::read(&request.uri, country, |_| true) {
            Destination::Emergency => Help::asked(&request, country).map(Goal::Help),
            Destination::Number(digits) => self.number(&digits).map(Goal::Number),
            _ => None,
        };
        let Some(goal) = goal else {
            return self.refuse(
                home,
                StatusCode::NOT_FOUND,
                "not a number of the telephone network",
                now,
            );
        };
        let help = matches!(goal, Goal::Help(_));
        // Help finds room when ordinary calls find none.
        if !help && self.calls.len() >= CALLS_MAX / 2 {
            return self.refuse(home, StatusCode::SERVICE_UNAVAILABLE, "too many calls", now);
        }
        let remaining = self.lines_for(help);
        if remaining.is_empty() && !help {
            let why = "the home has no line to the telephone network";
            return self.refuse(home, StatusCode::NOT_FOUND, why, now);
        }
        let id = self.last + 1;
        let call = Outgoing {
            home: Some(home),
            call_id: request.headers.call_id().unwrap_or_default().to_owned(),
            goal,
            remaining,
            attempts: Vec::new(),
            answered: None,
            late_offer: !relay::has_session(&request.headers, &request.body),
            verdict: StatusCode::SERVICE_UNAVAILABLE,
            token: token(),
            asked: Box::new(request),
        };
        self.last = id;
        self.of_home.insert(home, id);
        self.note_at_home(id, offer_of(&call.asked));
        self.calls.insert(id, Call::Outgoing(call));
        self.next_line(id, now);
    }

    /// The lines that a call may take, the first one first.
    pub(super) fn lines_for(&self, help: bool) -> VecDeque<(LineId, Content)> {
        let mut lines: Vec<&Trunk> = self
            .trunks
            .iter()
            .filter(|trunk| match help {
                true => trunk.drill().is_some(),
                false => trunk.is_usable(),
            })
            .collect();
        // Their order is the person's, but one that is known not to work is tried last.
        lines.sort_by_key(|trunk| trunk.health == crate::line::LineHealth::Down);
        let lines = lines.iter().map(|trunk| (trunk.id(), Content::Full));
        lines.collect()
    }

    /// Whether an INVITE is a call for help, whatever else it says.
    pub(super) fn is_for_help(&self, request: &Request) -> bool {
        let country = self.config.plan.country();
        Destination::read(&request.uri, country, |_| true) == Destination::Emergency
    }

    fn number(&self, digits: &OrdinaryDigits) -> Option<Number> {
        self.config.plan.number(digits).ok()
    }

    pub(super) fn outgoing(&mut self, id: u64) -> Option<&mut Outgoing> {
        match self.calls.get_mut(&id) {
            Some(Call::Outgoing(call)) => Some(call),
            _ => None,
        }
    }

    /// Calls the next line; without one, and with nothing left that may still answer, the caller is told.
    pub(super) fn next_line(&mut self, id: u64, now: Duration) {
        let timers = self.config.timers;
        loop {
            let Some(call) = self.outgoing(id) else {
                return;
            };
            let Some((line, content)) = call.remaining.pop_front() else {
                if call.attempts.is_empty() {
                    self.give_up(id, now);
                }
                return;
            };
            let Some(request) = self.invite_of(id, line, content, now) else {
                continue;
            };
            let Ok(outside) = self.outside.invite(request, now) else {
                continue;
            };
            let Some(call) = self.outgoing(id) else {
                return;
            };
            let patience = match call.remaining.is_empty() {
                true => timers.silent_alone_max,
                false => timers.silent_max,
            };
            call.attempts.push(Attempt {
                outside,
                line,
                content,
                heard: Heard::Nothing,
                session: None,
                due_at: Some(now.saturating_add(patience)),
            });
            let call_id = call.call_id.clone();
            let helping = call.help().is_some();
            let for_a_device = call.home.is_some();
            let number = match &call.goal {
                Goal::Number(number) => Some(number.clone()),
                Goal::Help(_) => None,
            };
            self.of_outside.insert(outside, id);
            if helping {
                self.note_helped(line, help::mark(&call_id), None);
            }
            let contact = number.as_ref().and_then(|number| self.book.get(number));
            let contact = contact.map(|known| known.contact);
            let on_line = OnLine {
                call_id,
                line,
                number,
                contact,
            };
            match for_a_device {
                true => self.goes_by(id, on_line),
                false => self.beyond.entry(id).or_default().on_line = Some(on_line),
            }
            return;
        }
    }

    /// Whose callback may come over a line from now on.
    pub(super) fn note_helped(&mut self, line: LineId, mark: String, until: Option<Duration>) {
        self.helped
            .retain(|own| !(own.line == line && own.mark == mark));
        if self.helped.len() >= HELPED_MAX {
            self.helped.pop_front();
        }
        self.helped.push_back(Helped { line, mark, until });
    }

    fn invite_of(
        &self,
        id: u64,
        line: LineId,
        content: Content,
        now: Duration,
    ) -> Option<InviteRequest> {
        let since = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let wall = self.config.wall.plus_ms(since);
        let Some(Call::Outgoing(call)) = self.calls.get(&id) else {
            return None;
        };
        let trunk = self.trunk(line)?;
        let server = trunk.server()?;
        let target = server.target().clone();
        let mut request = match &call.goal {
            Goal::Help(help) => help.invite(&call.asked, trunk, content, &self.config, wall)?,
            Goal::Number(number) => {
                let uri = trunk.number_uri(server, number, &self.config.plan)?;
                let identity = trunk.identity(server);
                let private = relay::wants_privacy(&call.asked.headers);
                let from = match private {
                    true => relay::anonymous(),
                    false => NameAddr::new(identity.clone()),
                };
                let to = NameAddr::new(uri.clone());
                let mut request = InviteRequest::new(uri, from, to, target.clone());
                let preferred = format!("<{identity}>").into_bytes();
                request
                    .headers
                    .push((HeaderName::PPreferredIdentity, preferred));
                if private {
                    request.headers.push((HeaderName::Privacy, b"id".to_vec()));
                }
                request.body = offer_of(&call.asked);
                request
            }
        };
        if let Some(name) = HeaderName::parse(LOOP.as_bytes()) {
            request
                .headers
                .push((name, call.token.clone().into_bytes()));
        }
        request.targets = vec![target.clone()];
        request.contact = Some(trunk.contact(&self.outside, &target));
        request.credentials = trunk.credentials();
        // A reliable 18x would bring the offer to a caller who cannot answer it through us.
        request.late_offer = call.late_offer;
        request.reliable = match call.late_offer {
            true => Reliable::Off,
            false => Reliable::Supported,
        };
        if call.help().is_none() {
            // A line that lost the end of a call is found out (RFC 4028); a call for help is ended by its people alone.
            request.session_timer = Some(SessionTimerConfig::default());
        }
        Some(request)
    }

    /// A first byte of a line.
    pub(super) fn reached(
        &mut self,
        id: u64,
        outside: CallHandle,
        status: StatusCode,
        now: Duration,
    ) {
        let timers = self.config.timers;
        let Some(call) = self.outgoing(id) else {
            return;
        };
        let helping = call.help().is_some();
        let Some(attempt) = call.attempt(outside) else {
            return;
        };
        if matches!(status.code(), 401 | 407) {
            // Asked anew with our password: whatever it said, it says nothing now.
            attempt.heard = Heard::Nothing;
            attempt.due_at = Some(now.saturating_add(timers.silent_max));
            return;
        }
        if attempt.heard < Heard::Trying {
            attempt.heard = Heard::Trying;
            let patience = match helping {
                true => timers.help_trying_max,
                false => timers.trying_max,
            };
            attempt.due_at = Some(now.saturating_add(patience));
        }
    }

    /// A line rings, or says how far it is.
    pub(super) fn progressed(
        &mut self,
        id: u64,
        outside: CallHandle,
        response: &Response,
        now: Duration,
    ) {
        let ringing_max = self.config.timers.help_ringing_max;
        let Some(call) = self.outgoing(id) else {
            return;
        };
        let helping = call.help().is_some();
        let first = call.attempts.first().map(|own| own.outside) == Some(outside);
        let first = first && !call.late_offer;
        let home = call.home;
        let Some(attempt) = call.attempt(outside) else {
            return;
        };
        if attempt.heard < Heard::Ringing {
            attempt.heard = Heard::Ringing;
            attempt.due_at = helping.then(|| now.saturating_add(ringing_max));
        }
        if response.headers.contains(&HeaderName::RSeq)
            && let Some(session) = session_of(response)
        {
            attempt.session = Some(session);
        }
        // Of several lines one is heard before somebody answers.
        let body = body_of(&response.headers, &response.body).filter(|_| first);
        let status = response.status;
        let Some(home) = home else {
            return self.onward_rings(id, status, now);
        };
        // It may have been cancelled a moment ago.
        let _ = self.home.ring(home, status, body, false, now);
    }

    /// A line answered.
    pub(super) fn line_answered(
        &mut self,
        id: u64,
        outside: CallHandle,
        response: &Response,
        now: Duration,
    ) {
        let Some(call) = self.outgoing(id) else {
            return;
        };
        let Some(attempt) = call.attempt(outside) else {
            return;
        };
        let line = attempt.line;
        let session = session_of(response).or_else(|| attempt.session.take());
        let home = call.home;
        let Some(body) = session else {
            // It claims to have answered and gave nothing to talk by.
            let _ = self.outside.bye(outside, None, now);
            self.of_outside.remove(&outside);
            self.fails(line, LineTrouble::Unusable, now);
            let Some(call) = self.outgoing(id) else {
                return;
            };
            call.verdict = StatusCode::BAD_GATEWAY;
            call.attempts.retain(|own| own.outside != outside);
            if call.help().is_none() {
                // Somebody's telephone may have been lifted: no second one is rung for it.
                call.remaining.clear();
            }
            return self.next_line(id, now);
        };
        call.answered = Some(outside);
        self.note_session(id, Some(body.clone()));
        let Some(call) = self.outgoing(id) else {
            return;
        };
        let others: Vec<CallHandle> = call
            .attempts
            .iter()
            .map(|own| own.outside)
            .filter(|own| *own != outside)
            .collect();
        call.attempts.retain(|own| own.outside == outside);
        for other in others {
            self.of_outside.remove(&other);
            let _ = self.outside.bye(
                other,
                Some("SIP;cause=200;text=\"Call completed elsewhere\""),
                now,
            );
        }
        self.works(line, now);
        let Some(home) = home else {
            return self.onward_answered(id, outside, now);
        };
        if self.home.accept(home, Some(body), now).is_err() {
            // The caller left at the same moment.
            let _ = self.outside.bye(outside, None, now);
            self.forget(id, now);
        }
    }

    /// A line's INVITE came to nothing.
    pub(super) fn line_failed(
        &mut self,
        id: u64,
        outside: CallHandle,
        cause: &FailureCause,
        now: Duration,
    ) {
        self.of_outside.remove(&outside);
        let Some(call) = self.outgoing(id) else {
            return;
        };
        let Some(at) = call.attempts.iter().position(|own| own.outside == outside) else {
            return;
        };
        let attempt = call.attempts.remove(at);
        let helping = call.help().is_some();
        let rang = attempt.heard == Heard::Ringing;
        let status = cause.status();
        if let Some(status) = status
            && helping
            && attempt.content == Content::Full
            && is_too_much(status)
        {
            call.remaining
                .push_front((attempt.line, Content::SessionOnly));
            return self.next_line(id, now);
        }
        let step = match status {
            Some(status) => step_after(status, rang),
            None if rang => Step::Tell(StatusCode::TEMPORARILY_UNAVAILABLE),
            None => Step::Next(StatusCode::SERVER_TIMEOUT, Some(trouble_without(cause))),
        };
        let next = match step {
            Step::Next(verdict, trouble) => {
                call.verdict = verdict;
                if let Some(trouble) = trouble {
                    self.fails(attempt.line, trouble, now);
                }
                true
            }
            Step::Tell(verdict) => {
                call.verdict = verdict;
                helping
            }
        };
        if next {
            return self.next_line(id, now);
        }
        self.give_up(id, now);
    }

    /// Lines that have said too little for too long give way.
    pub(super) fn attempts_due(&mut self, id: u64, now: Duration) {
        let timers = self.config.timers;
        let Some(call) = self.outgoing(id) else {
            return;
        };
        let helping = call.help().is_some();
        let alone = call.remaining.is_empty();
        let mut dropped = Vec::new();
        let mut next = false;
        for attempt in &mut call.attempts {
            if attempt.due_at.is_none_or(|at| at > now) {
                continue;
            }
            attempt.due_at = None;
            next = true;
            match attempt.heard {
                // Perhaps it hears us after all: kept a while beside the next one.
                Heard::Nothing if helping && !alone => {
                    let rest = timers.silent_alone_max.saturating_sub(timers.silent_max);
                    attempt.due_at = Some(now.saturating_add(rest));
                }
                Heard::Trying | Heard::Ringing if helping => {}
                Heard::Nothing => dropped.push((attempt.outside, Some(attempt.line))),
                Heard::Trying | Heard::Ringing => dropped.push((attempt.outside, None)),
            }
        }
        if !next {
            return;
        }
        call.attempts
            .retain(|own| dropped.iter().all(|(outside, _)| own.outside != *outside));
        if !dropped.is_empty() {
            call.verdict = StatusCode::SERVER_TIMEOUT;
        }
        for (outside, silent) in dropped {
            self.of_outside.remove(&outside);
            let _ = self.outside.cancel(outside, None, now);
            if let Some(line) = silent {
                self.fails(line, LineTrouble::Silent, now);
            }
        }
        self.next_line(id, now);
    }

    /// The caller is told that no line could do it.
    pub(super) fn give_up(&mut self, id: u64, now: Duration) {
        let Some(call) = self.outgoing(id) else {
            return;
        };
        let (home, verdict) = (call.home, call.verdict);
        self.leave_lines(id, now);
        match home {
            Some(home) => self.refuse(home, verdict, "no line could carry the call", now),
            None => self.onward_fails(id, verdict, now),
        }
        self.forget(id, now);
    }

    /// Takes back what is out on lines.
    pub(super) fn leave_lines(&mut self, id: u64, now: Duration) {
        let Some(call) = self.outgoing(id) else {
            return;
        };
        for attempt in std::mem::take(&mut call.attempts) {
            self.of_outside.remove(&attempt.outside);
            // Cancelled before the answer, ended after it.
            let _ = self.outside.bye(attempt.outside, None, now);
        }
    }

    /// Refuses a call of the home, and says why.
    pub(super) fn refuse(
        &mut self,
        home: CallHandle,
        status: StatusCode,
        why: &str,
        now: Duration,
    ) {
        let mut refusal = Refusal::new(status);
        let warning = Warning {
            code: 399,
            agent: "hearthline".to_owned(),
            text: why.to_owned(),
        };
        refusal
            .headers
            .push((HeaderName::Warning, warning.to_string().into_bytes()));
        // It may be over already.
        let _ = self.home.reject(home, refusal, now);
    }

    /// Whether a call of ours is out on a line and not answered: what comes in over it then may be our own.
    pub(super) fn is_calling(&self, line: LineId) -> bool {
        self.calls.values().any(|call| match call {
            Call::Outgoing(call) => {
                call.answered.is_none() && call.attempts.iter().any(|own| own.line == line)
            }
            Call::Incoming(_) => false,
        })
    }

    /// Whether a token or a Call-ID is of a call that we are making.
    pub(super) fn is_ours(&self, token: Option<&str>, call_id: &str) -> bool {
        self.calls.values().any(|call| match call {
            Call::Outgoing(call) => {
                token == Some(call.token.as_str())
                    || call
                        .attempts
                        .iter()
                        .any(|own| self.outside.call_id(own.outside) == Some(call_id))
            }
            Call::Incoming(_) => false,
        })
    }
}

/// What follows a refusal.
enum Step {
    /// The next line, and what is wrong with this one.
    Next(StatusCode, Option<LineTrouble>),
    /// The far side, or the network beyond the line, has said so: the caller is told.
    Tell(StatusCode),
}

fn step_after(status: StatusCode, rang: bool) -> Step {
    if rang {
        return Step::Tell(status);
    }
    match status.code() {
        401 | 407 => Step::Next(StatusCode::BAD_GATEWAY, Some(LineTrouble::AccountRefused)),
        482 | 483 => Step::Next(status, Some(LineTrouble::Loops)),
        503 => Step::Next(StatusCode::BAD_GATEWAY, Some(LineTrouble::ServerFails)),
        500..=599 => Step::Next(status, Some(LineTrouble::ServerFails)),
        // Not over this line: barred, other media, a redirection that we do not follow, the server's own timeout.
        300..=399 => Step::Next(StatusCode::BAD_GATEWAY, None),
        403 | 408 | 415 | 420 | 421 | 488 => Step::Next(status, None),
        _ => Step::Tell(status),
    }
}

fn trouble_without(cause: &FailureCause) -> LineTrouble {
    match cause {
        FailureCause::TransportFailed => LineTrouble::Unreachable,
        _ => LineTrouble::Silent,
    }
}

/// Refusals that less would not meet again.
fn is_too_much(status: StatusCode) -> bool {
    matches!(
        status.code(),
        400 | 413 | 415 | 420 | 424 | 488 | 493 | 513 | 606
    )
}

/// The session description of an answer, if there is one that reads.
fn session_of(response: &Response) -> Option<Body> {
    let body = body_of(&response.headers, &response.body)?;
    let kind = response.headers.content_type().ok().flatten()?;
    if !kind.is("application/sdp") {
        // A multipart with one inside is the device's to read.
        return kind.is("multipart/mixed").then_some(body);
    }
    SessionDescription::parse(&body.bytes)
        .is_ok()
        .then_some(body)
}

/// Without randomness a loop is found by Call-ID and number alone.
fn token() -> String {
    let bytes: [u8; 12] = random().unwrap_or_default();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
