//! A user agent: calls, registrations and queries over the transactions (RFC 3261 and family).
//!
//! ```text
//! bytes, time ─► handle_input ─► parse ─► transactions ─► dialogs, calls ─► poll_output ─► bytes,
//! commands ─► invite, accept, bye, … ─────────────────────────┘                           events
//! ```
//! No socket, clock or thread in here: the same inputs at the same times with the same seed give
//! the same outputs, byte for byte. That is how a failing run is replayed.

mod config;
mod event;
mod request;

use core::time::Duration;
use std::collections::VecDeque;

pub use config::{EndpointConfig, EndpointLimits, RedirectPolicy, ServerChallenge};
pub use event::{
    CallHandle, CommandError, Counters, EndedBy, Event, FailureCause, Input, Output, QueryHandle,
    RegistrationCause, RegistrationHandle, RequestHandle, Source,
};
pub use request::{
    Body, Credentials, InviteRequest, QueryRequest, Refusal, RegisterRequest, Reliable,
};

pub use crate::registration::RegistrationConfig;
pub use crate::session_timer::{Refresher, SessionTimerConfig};
pub use crate::target::{Target, Transport};
use crate::StatusCode;

/// A user agent.
pub struct Endpoint {
    config: EndpointConfig,
    outputs: VecDeque<Output>,
    counters: Counters,
}

impl Endpoint {
    /// A user agent without calls.
    pub fn new(config: EndpointConfig) -> Self {
        Self {
            config,
            outputs: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Takes what happened outside. Drain `poll_output` afterwards.
    pub fn handle_input(&mut self, input: Input<'_>, now: Duration) {
        let _ = (input, now);
    }

    /// What is to be done, until it says [`Output::Timeout`].
    pub fn poll_output(&mut self, now: Duration) -> Output {
        let _ = now;
        self.outputs.pop_front().unwrap_or(Output::Timeout(None))
    }

    /// What was refused or dropped so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The configuration.
    pub fn config(&self) -> &EndpointConfig {
        &self.config
    }

    /// Calls. The outcome comes as events.
    pub fn invite(
        &mut self,
        request: InviteRequest,
        now: Duration,
    ) -> Result<CallHandle, CommandError> {
        let _ = (request, now);
        Err(CommandError::UnknownCall)
    }

    /// The targets of the name in [`Event::RedirectNeedsTargets`]; none: the next contact is tried.
    pub fn redirect(
        &mut self,
        call: CallHandle,
        targets: Vec<Target>,
        now: Duration,
    ) -> Result<(), CommandError> {
        let _ = (call, targets, now);
        Err(CommandError::UnknownCall)
    }

    /// Takes back a call that is not answered yet (RFC 3261 section 9.1). When the answer crosses
    /// it, the call is acknowledged and ended.
    pub fn cancel(
        &mut self,
        call: CallHandle,
        reason: Option<&str>,
        now: Duration,
    ) -> Result<(), CommandError> {
        let _ = (call, reason, now);
        Err(CommandError::UnknownCall)
    }

    /// Answers an incoming call with a provisional response, 101 to 199. With `reliable` it is
    /// sent reliably where the caller can (RFC 3262); where the caller demands it, always.
    pub fn ring(
        &mut self,
        call: CallHandle,
        status: StatusCode,
        body: Option<Body>,
        reliable: bool,
        now: Duration,
    ) -> Result<(), CommandError> {
        let _ = (call, status, body, reliable, now);
        Err(CommandError::UnknownCall)
    }

    /// Answers an incoming call with 200. Waits by itself for the PRACK of an offer or answer that
    /// is still out.
    pub fn accept(
        &mut self,
        call: CallHandle,
        body: Option<Body>,
        now: Duration,
    ) -> Result<(), CommandError> {
        let _ = (call, body, now);
        Err(CommandError::UnknownCall)
    }

    /// Refuses or redirects an incoming call.
    pub fn reject(
        &mut self,
        call: CallHandle,
        refusal: Refusal,
        now: Duration,
    ) -> Result<(), CommandError> {
        let _ = (call, refusal, now);
        Err(CommandError::UnknownCall)
    }

    /// Ends a call that stands; before that, cancels ours and refuses an incoming one.
    pub fn bye(
        &mut self,
        call: CallHandle,
        reason: Option<&str>,
        now: Duration,
    ) -> Result<(), CommandError> {
        let _ = (call, reason, now);
        Err(CommandError::UnknownCall)
    }

    /// Offers a changed session by re-INVITE (RFC 3261 section 14).
    pub fn reinvite(
        &mut self,
        call: CallHandle,
        body: Body,
        now: Duration,
    ) -> Result<(), CommandError> {
        let _ = (call, body, now);
        Err(CommandError::UnknownCall)
    }

    /// Offers a changed session by UPDATE (RFC 3311), also before the call is answered.
    pub fn update(
        &mut self,
        call: CallHandle,
        body: Option<Body>,
        now: Duration,
    ) -> Result<(), CommandError> {
        let _ = (call, body, now);
        Err(CommandError::UnknownCall)
    }

    /// Answers the peer's re-INVITE or UPDATE with 200.
    pub fn answer_reinvite(
        &mut self,
        call: CallHandle,
        body: Option<Body>,
        now: Duration,
    ) -> Result<(), CommandError> {
        let _ = (call, body, now);
        Err(CommandError::UnknownCall)
    }

    /// Refuses the peer's re-INVITE or UPDATE; the session stays as it was.
    pub fn reject_reinvite(
        &mut self,
        call: CallHandle,
        refusal: Refusal,
        now: Duration,
    ) -> Result<(), CommandError> {
        let _ = (call, refusal, now);
        Err(CommandError::UnknownCall)
    }

    /// Sends an INFO inside a call (RFC 6086).
    pub fn info(
        &mut self,
        call: CallHandle,
        body: Body,
        now: Duration,
    ) -> Result<(), CommandError> {
        let _ = (call, body, now);
        Err(CommandError::UnknownCall)
    }

    /// Asks what a peer can (RFC 3261 section 11).
    pub fn options(
        &mut self,
        request: QueryRequest,
        now: Duration,
    ) -> Result<QueryHandle, CommandError> {
        let _ = (request, now);
        Err(CommandError::UnknownCall)
    }

    /// Sends a MESSAGE (RFC 3428).
    pub fn message(
        &mut self,
        request: QueryRequest,
        now: Duration,
    ) -> Result<QueryHandle, CommandError> {
        let _ = (request, now);
        Err(CommandError::UnknownCall)
    }

    /// Registers and keeps the registration alive.
    pub fn register(
        &mut self,
        request: RegisterRequest,
        now: Duration,
    ) -> Result<RegistrationHandle, CommandError> {
        let _ = (request, now);
        Err(CommandError::UnknownCall)
    }

    /// Takes a registration back.
    pub fn unregister(
        &mut self,
        registration: RegistrationHandle,
        now: Duration,
    ) -> Result<(), CommandError> {
        let _ = (registration, now);
        Err(CommandError::UnknownCall)
    }

    /// Answers an [`Event::Request`].
    pub fn respond(
        &mut self,
        request: RequestHandle,
        answer: Refusal,
        body: Option<Body>,
        now: Duration,
    ) -> Result<(), CommandError> {
        let _ = (request, answer, body, now);
        Err(CommandError::UnknownCall)
    }
}
