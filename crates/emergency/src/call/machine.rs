//! The machine behind [`EmergencyCall`].

use core::time::Duration;
use std::collections::VecDeque;

use super::{
    AttemptId, CALLBACK_WINDOW, CallEvent, CallInput, CallOutput, CallSetup, CallState,
    ConfirmedEnd, EndedBy, EventKind, LINES_MAX, RouteSource,
};
use crate::invite::Content;
use crate::line::LineBody;
use crate::lost::{FindService, FindServiceResponse};
use crate::lost_client::{
    CachedMapping, Exchange, LostEvent, Step, digest_of, locations_of, route_of,
};
use crate::service::DrillService;
use crate::target::{Refused, SipUri};
use crate::timestamp::Timestamp;

mod lines;

/// A single LoST server may answer for so long after the INVITE has left; its mapping then serves the next call.
const LEARN_MS_MAX: u64 = 5_000;

/// How far an attempt has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Silent,
    Trying,
    Ringing,
}

/// One INVITE that is out.
#[derive(Debug)]
struct Attempt {
    id: AttemptId,
    line: usize,
    phase: Phase,
    sent_at: Duration,
    since: Duration,
    /// When the line's first INVITE of this round left; this may be a later one, with less or elsewhere.
    line_since: Duration,
    /// Whether it went to the line itself, not to where the line redirected it.
    is_at_line: bool,
    gave_way: bool,
}

/// What the call has learned about a line.
#[derive(Debug)]
struct LineMemory {
    content: Content,
    redirects: usize,
    visited: Vec<SipUri>,
    not_before: Duration,
}

/// One emergency call. Neither `Copy` nor `Clone`: it holds the permission.
#[derive(Debug)]
pub struct EmergencyCall {
    permit: DrillService,
    setup: CallSetup,
    state: CallState,
    started: Duration,
    now: Duration,
    outputs: VecDeque<CallOutput>,
    located: bool,
    exchange: Option<Exchange>,
    next_request: u64,
    fresh: Option<FindServiceResponse>,
    location: u64,
    placed: bool,
    invite_left: bool,
    attempts: Vec<Attempt>,
    next_attempt: u32,
    memory: Vec<LineMemory>,
    cursor: usize,
    rounds: u32,
    tried_in_round: bool,
    retry_at: Option<Duration>,
    retry_ms: u64,
    ended_at: Option<Duration>,
}

impl EmergencyCall {
    /// Our network changed: INVITEs that follow say this Contact and this session description.
    pub fn moved(&mut self, contact: SipUri, sdp: Vec<u8>) {
        self.setup.profile.contact = contact;
        self.setup.sdp = self.setup.sdp.take().map(|_| sdp);
    }

    /// Begins a call.
    ///
    /// # Errors
    /// [`Refused`]: no line or too many, or one that leads outside the drill.
    pub fn new(permit: DrillService, setup: CallSetup, now: Duration) -> Result<Self, Refused> {
        if setup.lines.is_empty() {
            return Err(Refused::NoLine);
        }
        if setup.lines.len() > LINES_MAX {
            return Err(Refused::TooManyLines { max: LINES_MAX });
        }
        if setup
            .lines
            .iter()
            .any(|line| !permit.targets().permit(&line.target))
        {
            return Err(Refused::OutsideTheDrill {
                what: "a line's target",
            });
        }
        let memory = setup
            .lines
            .iter()
            .map(|line| LineMemory {
                content: match line.body {
                    LineBody::Full => Content::Full,
                    LineBody::SessionOnly => Content::SessionOnly,
                },
                redirects: 0,
                visited: Vec::new(),
                not_before: Duration::ZERO,
            })
            .collect();
        let mut call = EmergencyCall {
            state: CallState::Locating,
            started: now,
            now,
            outputs: VecDeque::new(),
            located: !setup.await_location,
            exchange: None,
            next_request: 1,
            fresh: None,
            location: 0,
            placed: false,
            invite_left: false,
            attempts: Vec::new(),
            next_attempt: 1,
            memory,
            cursor: 0,
            rounds: 0,
            tried_in_round: false,
            retry_at: None,
            retry_ms: setup.timers.retry_ms,
            ended_at: None,
            permit,
            setup,
        };
        call.event(CallState::Locating, EventKind::Began);
        call.ask_lost();
        if call.located {
            call.event(CallState::Locating, EventKind::Located { fresh: false });
        }
        call.step();
        Ok(call)
    }

    /// Takes an input. Inputs about attempts this call never made are ignored; a late answer is abandoned.
    pub fn handle_input(&mut self, input: CallInput<'_>, now: Duration) {
        self.now = self.now.max(now);
        if self.is_over() {
            // All that still matters: an answer that crossed the end is taken down again.
            if let CallInput::Progress { attempt, progress } = input {
                self.take_progress(attempt, progress);
            }
            return;
        }
        match input {
            CallInput::Location { civic, shape } => self.take_location(civic, shape),
            CallInput::Lost { request, reply } => {
                if let Some(exchange) = &mut self.exchange
                    && exchange.awaits(request)
                {
                    let step = exchange.handle_reply(&reply, &mut self.next_request, self.now);
                    self.take_lost_step(step);
                }
            }
            CallInput::Progress { attempt, progress } => self.take_progress(attempt, progress),
            CallInput::CallerEnds(confirmed) => self.take_end(&confirmed),
        }
        self.step();
    }

    /// Takes the passing of time.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.now = self.now.max(now);
        self.step();
    }

    /// What to do next; drain until it says `Timeout`.
    pub fn poll_output(&mut self) -> CallOutput {
        match self.outputs.pop_front() {
            Some(output) => {
                self.invite_left |= matches!(output, CallOutput::Invite { .. });
                output
            }
            None => CallOutput::Timeout(self.next_deadline()),
        }
    }

    /// The state.
    pub fn state(&self) -> CallState {
        self.state
    }

    /// The call as one that can still be cancelled; itself again once an INVITE has been handed out.
    ///
    /// # Errors
    /// The call, when an INVITE has left: from then on nothing cancels it (DESIGN invariant 4).
    #[allow(clippy::result_large_err)] // the call itself is given back
    pub fn before_invite(self) -> Result<BeforeInvite, EmergencyCall> {
        if self.invite_left || self.state == CallState::Ended {
            Err(self)
        } else {
            Ok(BeforeInvite { call: self })
        }
    }

    /// Until when a callback is expected and nothing may block it; none before the call has ended, and none for a call
    /// that never left.
    pub fn callback_until(&self) -> Option<Duration> {
        self.ended_at
            .filter(|_| self.invite_left)
            .map(|at| at + CALLBACK_WINDOW)
    }

    fn wall(&self) -> Timestamp {
        let passed = self.now.saturating_sub(self.started).as_millis();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        Timestamp::from_unix_ms(self.setup.wall.unix_ms().saturating_add(passed))
    }

    fn event(&mut self, to: CallState, kind: EventKind) {
        let from = core::mem::replace(&mut self.state, to);
        self.outputs.push_back(CallOutput::Event(CallEvent {
            at: self.now,
            from,
            to,
            kind,
        }));
    }

    fn note(&mut self, kind: EventKind) {
        self.event(self.state, kind);
    }

    fn is_over(&self) -> bool {
        self.state == CallState::Ended
    }

    fn connected(&self) -> Option<AttemptId> {
        match self.state {
            CallState::Connected { attempt, .. } => Some(attempt),
            _ => None,
        }
    }

    /// Everything time and inputs have made due.
    fn step(&mut self) {
        if self.is_over() {
            return;
        }
        if let Some(exchange) = &mut self.exchange
            && exchange
                .deadline()
                .is_some_and(|deadline| deadline <= self.now)
        {
            let step = exchange.handle_too_slow(&mut self.next_request, self.now);
            self.take_lost_step(step);
        }
        if !self.placed {
            self.place_when_ready();
        }
        if !self.placed || self.connected().is_some() {
            return;
        }
        self.give_way();
        if self.retry_at.is_some_and(|at| at <= self.now) {
            self.retry_at = None;
            self.cursor = 0;
            self.tried_in_round = false;
            for memory in &mut self.memory {
                memory.redirects = 0;
                memory.visited.clear();
            }
        }
        if self.retry_at.is_none() && self.attempts.iter().all(|attempt| attempt.gave_way) {
            self.next_line();
        }
    }

    fn next_deadline(&self) -> Option<Duration> {
        if self.is_over() {
            return None;
        }
        let exchange = self.exchange.as_ref().and_then(Exchange::deadline);
        let mut deadlines: Vec<Duration> = exchange.into_iter().collect();
        if !self.placed {
            deadlines.extend(self.waits().into_iter().filter(|at| *at > self.now));
        } else if self.connected().is_none() {
            deadlines.extend(
                self.attempts
                    .iter()
                    .filter(|own| !own.gave_way)
                    .map(|own| self.gives_way_at(own)),
            );
            deadlines.extend(self.retry_at);
        }
        deadlines.into_iter().min()
    }

    // ---- before the first INVITE -------------------------------------------------------------------------------

    /// The moments before the first INVITE at which something is no longer waited for.
    fn waits(&self) -> [Duration; 3] {
        let timers = &self.setup.timers;
        [
            self.setup.invite_not_before,
            self.started + Duration::from_millis(timers.location_ms_max),
            self.started + Duration::from_millis(timers.lost_ms_max),
        ]
    }

    fn ask_lost(&mut self) {
        let profile = &self.setup.profile;
        let locations = locations_of(profile.civic.as_ref(), profile.shape.as_ref());
        self.location = digest_of(&locations);
        self.exchange = None;
        if locations.is_empty() {
            self.note(EventKind::LostFailed {
                reason: "the household has stated no location".to_owned(),
            });
            return;
        }
        let find = FindService {
            locations,
            service: Some(self.permit.service().clone()),
            path: Vec::new(),
            validate_location: false,
            boundary_by_value: false,
            recursive: true,
        };
        // Several servers share the time that the INVITE waits; a single one may answer late, for the next call.
        let servers = &self.setup.lost.servers;
        let answer_ms_max = match u64::try_from(servers.len()) {
            Ok(count) if count > 1 => self.setup.timers.lost_ms_max / count,
            _ => LEARN_MS_MAX,
        };
        let (exchange, step) = Exchange::begin(
            find,
            servers,
            &self.setup.lost.names,
            self.permit.targets(),
            answer_ms_max,
            &mut self.next_request,
            self.now,
        );
        self.exchange = Some(exchange);
        self.take_lost_step(step);
    }

    fn take_lost_step(&mut self, step: Step) {
        for event in step.events {
            self.note(match event {
                LostEvent::Mapped {
                    source,
                    path,
                    warnings,
                    ..
                } => EventKind::Mapped {
                    source,
                    path,
                    warnings: warnings.iter().map(|warning| warning.kind).collect(),
                },
                LostEvent::Redirected { target } => EventKind::LostRedirected { target },
                LostEvent::Failed(failure) => EventKind::LostFailed {
                    reason: failure.to_string(),
                },
            });
        }
        if let Some(post) = step.post {
            self.outputs.push_back(CallOutput::LostPost(post));
            return;
        }
        self.exchange = None;
        if let Some(answer) = step.answer {
            let learned = CachedMapping {
                service: self.permit.service().clone(),
                location: self.location,
                mapping: answer.mappings[0].clone(),
                received: self.wall(),
            };
            self.outputs
                .push_back(CallOutput::Learned(Box::new(learned)));
            self.fresh = Some(*answer);
        }
    }

    fn take_location(
        &mut self,
        civic: Option<crate::civic::CivicAddress>,
        shape: Option<crate::geodetic::Shape>,
    ) {
        // After the first INVITE an update would need a re-INVITE (RFC 6881 ED-38); a fixed device does not move.
        if self.placed || self.located || (civic.is_none() && shape.is_none()) {
            return;
        }
        self.located = true;
        self.setup.profile.civic = civic.or(self.setup.profile.civic.take());
        self.setup.profile.shape = shape.or(self.setup.profile.shape.take());
        self.note(EventKind::Located { fresh: true });
        let profile = &self.setup.profile;
        if digest_of(&locations_of(
            profile.civic.as_ref(),
            profile.shape.as_ref(),
        )) != self.location
        {
            self.fresh = None;
            self.ask_lost();
        }
    }

    fn place_when_ready(&mut self) {
        let [window, location, lost] = self.waits();
        if !self.located && self.now >= location {
            self.located = true;
            self.note(EventKind::Located { fresh: false });
        }
        if self.now < window || !self.located {
            return;
        }
        let is_cached_fresh = self
            .setup
            .lost
            .cached
            .as_ref()
            .is_some_and(|(_, expired)| !expired);
        let is_routed =
            self.fresh.is_some() || is_cached_fresh || self.exchange.is_none() || self.now >= lost;
        if !is_routed {
            if self.state == CallState::Locating {
                self.event(CallState::Routing, EventKind::WaitingForRoute);
            }
            return;
        }
        let source = match (&self.fresh, &self.setup.lost.cached) {
            (Some(_), _) => RouteSource::Fresh,
            (None, Some((_, false))) => RouteSource::Cached,
            (None, Some((_, true))) => RouteSource::Stale,
            (None, None) => RouteSource::None,
        };
        let reason = match (source, &self.exchange) {
            (RouteSource::Fresh | RouteSource::Cached, _) => String::new(),
            (_, Some(_)) => format!(
                "LoST did not answer within {} ms",
                self.setup.timers.lost_ms_max
            ),
            (_, None) => "LoST gave nothing".to_owned(),
        };
        self.event(CallState::Routing, EventKind::Routed { source, reason });
        if self
            .mapped_route()
            .is_some_and(|route| !self.permit.targets().permit(&route))
        {
            self.note(EventKind::RouteOutsideTheDrill);
        }
        self.placed = true;
    }

    fn mapped_route(&self) -> Option<SipUri> {
        match (&self.fresh, &self.setup.lost.cached) {
            (Some(answer), _) => route_of(&answer.mappings[0]),
            (None, Some((cached, _))) => route_of(&cached.mapping),
            (None, None) => None,
        }
    }

    // ---- the end -----------------------------------------------------------------------------------------------

    fn take_end(&mut self, confirmed: &ConfirmedEnd) {
        if self.is_over() {
            return;
        }
        let at = confirmed.confirmed_at();
        let is_current =
            at >= self.started && at <= self.now && self.now - at <= ConfirmedEnd::WITHIN;
        if !is_current {
            self.note(EventKind::EndRefused {
                reason: "the confirmation is not of this moment".to_owned(),
            });
            return;
        }
        if let Some(attempt) = self.connected() {
            self.outputs.push_back(CallOutput::HangUp { attempt });
        }
        self.end(EndedBy::Caller);
    }

    fn end(&mut self, by: EndedBy) {
        self.abandon_all("the call is over");
        self.exchange = None;
        self.retry_at = None;
        self.ended_at = Some(self.now);
        self.event(CallState::Ended, EventKind::Ended { by });
    }
}

/// A call whose INVITE has not left: the only one that has a `cancel`.
#[derive(Debug)]
pub struct BeforeInvite {
    call: EmergencyCall,
}

impl BeforeInvite {
    /// Ends the call before it began. Nothing has been sent to any call-taker, and nothing will be.
    #[must_use]
    pub fn cancel(mut self, now: Duration) -> CallEvent {
        self.call.now = self.call.now.max(now);
        CallEvent {
            at: self.call.now,
            from: self.call.state,
            to: CallState::Ended,
            kind: EventKind::Ended {
                by: EndedBy::CancelledBeforeInvite,
            },
        }
    }

    /// Goes on.
    #[must_use]
    pub fn resume(self) -> EmergencyCall {
        self.call
    }
}
