//! A user agent: calls, registrations and queries over the transactions (RFC 3261 and family).
//!
//! ```text
//! bytes, time ─► handle_input ─► parse ─► transactions ─► dialogs, calls ─► poll_output ─► bytes,
//! commands ─► invite, accept, bye, … ─────────────────────────┘                           events
//! ```
//! No socket, clock or thread in here: the same inputs at the same times with the same seed give
//! the same outputs, byte for byte. That is how a failing run is replayed.
//!
//! What it decides by itself: retransmission, ACK, PRACK, digest, fail-over to the next target,
//! redirection within bounds, session refresh, OPTIONS, every refusal that the RFC prescribes.
//! What it asks for: everything a person decides, and every session description.

mod answering;
mod asking;
mod auth;
mod build;
mod call;
mod calling;
mod cancelling;
mod config;
mod event;
mod late_offer;
mod moving;
mod outcome;
mod referred;
mod request;
mod session;
mod standing;
mod streams;
mod transferring;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

pub use config::{EndpointConfig, EndpointLimits, RedirectPolicy, ServerChallenge};
pub use event::{
    CallHandle, CommandError, Counters, EndedBy, Event, FailureCause, Input, Output, QueryHandle,
    ReferHandle, RegistrationCause, RegistrationHandle, RequestHandle, Source, TransferProgress,
};
pub use request::{
    Body, Credentials, InviteRequest, QueryRequest, Refusal, RegisterRequest, Reliable,
    TransferRequest,
};

pub use crate::registration::{RegistrationConfig, RegistrationState};
pub use crate::session_timer::{Refresher, SessionTimerConfig};
pub use crate::target::{Target, Transport};

use crate::dialog::DialogId;
use crate::parse::{ParseError, ParseErrorKind};
use crate::tokens::Tokens;
use crate::transaction::{
    Received, TransactionEvent, TransactionId, TransactionLimits, Transactions, earlier,
    response_target,
};
use crate::validate::{
    EXTENSIONS, EXTENSIONS_WITH_TRANSFERS, validate_request, validate_request_for,
    validate_response,
};
use crate::{
    HeaderName, Message, Method, NameAddr, Request, Response, StatusCode, Uri, parse_datagram,
};
use auth::{Gate, Passage};
use call::{Call, Context, Purpose};
use streams::Streams;

/// A user agent.
pub struct Endpoint {
    config: EndpointConfig,
    tokens: Tokens,
    transactions: Transactions,
    streams: Streams,
    gate: Option<Gate>,
    /// Client transactions.
    contexts: BTreeMap<TransactionId, Context>,
    calls: BTreeMap<u64, Call>,
    dialogs: BTreeMap<DialogId, u64>,
    /// INVITE server transactions, the re-INVITEs among them.
    invites: BTreeMap<TransactionId, u64>,
    /// Requests that wait for `respond`.
    waiting: BTreeMap<u64, TransactionId>,
    registrations: BTreeMap<u64, asking::Registered>,
    /// Transfers of ours, by call.
    transfers: BTreeMap<u64, transferring::Transfer>,
    /// What we call ourselves to whom we reach by these ways.
    contacts: Vec<((Transport, SocketAddr), NameAddr)>,
    /// REFERs of peers.
    referrals: BTreeMap<u64, referred::Referral>,
    outputs: VecDeque<Output>,
    counters: Counters,
    last_handle: u64,
}

impl core::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Endpoint")
            .field("calls", &self.calls.len())
            .field("transactions", &self.transactions.counts())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// A user agent without calls.
    pub fn new(config: EndpointConfig) -> Self {
        let mut tokens = Tokens::from_seed(config.seed);
        let limits = TransactionLimits {
            client_max: config.limits.client_transactions_max,
            server_max: config.limits.server_transactions_max,
        };
        let challenge = config.challenge.clone();
        let gate = challenge.map(|challenge| Gate::new(challenge, &mut tokens));
        Self {
            transactions: Transactions::new(config.timers, limits),
            streams: Streams::new(config.message_limits.clone(), config.limits.streams_max),
            gate,
            tokens,
            contexts: BTreeMap::new(),
            calls: BTreeMap::new(),
            dialogs: BTreeMap::new(),
            invites: BTreeMap::new(),
            waiting: BTreeMap::new(),
            registrations: BTreeMap::new(),
            transfers: BTreeMap::new(),
            contacts: Vec::new(),
            referrals: BTreeMap::new(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            last_handle: 0,
            config,
        }
    }

    /// Takes what happened outside. Drain `poll_output` afterwards.
    pub fn handle_input(&mut self, input: Input<'_>, now: Duration) {
        self.run_timers(now);
        match input {
            Input::Received {
                transport,
                local,
                remote,
                bytes,
            } => {
                let source = Source {
                    transport,
                    local,
                    remote,
                };
                if self.outputs.len() >= self.config.limits.outputs_max {
                    self.counters.overload_dropped += 1;
                } else if transport.is_reliable() {
                    self.stream_bytes(source, bytes, now);
                } else {
                    self.datagram(source, bytes, now);
                }
            }
            Input::StreamClosed { transport, remote } => {
                self.streams.close(transport, remote);
                self.transactions.handle_stream_closed(transport, remote);
            }
            Input::TransportFailed { target } => {
                self.transactions.handle_transport_failure(target);
            }
            Input::Timeout => {}
        }
        self.settle(now);
    }

    /// What is to be done, until it says [`Output::Timeout`].
    pub fn poll_output(&mut self, now: Duration) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        self.run_timers(now);
        self.settle(now);
        match self.outputs.pop_front() {
            Some(output) => output,
            None => Output::Timeout(self.next_timeout()),
        }
    }

    /// What was refused or dropped so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The configuration.
    pub fn config(&self) -> &EndpointConfig {
        &self.config
    }

    /// Calls that exist.
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// Client and server transactions that exist.
    pub fn transaction_counts(&self) -> (usize, usize) {
        self.transactions.counts()
    }

    /// The Call-ID of a call, for the record and for logs.
    pub fn call_id(&self, call: CallHandle) -> Option<&str> {
        let call = self.calls.get(&call.0)?;
        match (&call.dialog, &call.side) {
            (Some(dialog), _) => Some(&dialog.id.call_id),
            (None, call::Side::Caller(caller)) => Some(&caller.call_id),
            (None, call::Side::Callee(callee)) => callee.request.headers.call_id().ok(),
        }
    }

    /// The peer of a call that has a dialog, as our requests there name it in To.
    pub fn peer(&self, call: CallHandle) -> Option<&Uri> {
        let dialog = self.calls.get(&call.0)?.dialog.as_ref()?;
        Some(&dialog.remote.uri)
    }

    fn next_timeout(&self) -> Option<Duration> {
        let mut next = earlier(
            self.transactions.next_timeout(),
            self.streams.next_timeout(),
        );
        for call in self.calls.values() {
            next = earlier(next, call.next_timeout());
        }
        for registration in self.registrations.values() {
            next = earlier(next, registration.next_timeout());
        }
        for context in self.contexts.values() {
            next = earlier(next, context.give_up_at);
        }
        let transfers = self.transfers.values().map(|transfer| transfer.until);
        let referrals = self.referrals.values().map(|referral| referral.until);
        earlier(next, transfers.chain(referrals).min())
    }

    fn run_timers(&mut self, now: Duration) {
        self.transactions.handle_timeout(now);
        self.settle(now);
        let due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        let calls: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, call)| due(call.next_timeout()))
            .map(|(handle, _)| *handle)
            .collect();
        for handle in calls {
            self.caller_timeout(handle, now);
            self.callee_timeout(handle, now);
            self.standing_timeout(handle, now);
        }
        let registrations: Vec<u64> = self
            .registrations
            .iter()
            .filter(|(_, registration)| due(registration.next_timeout()))
            .map(|(handle, _)| *handle)
            .collect();
        for handle in registrations {
            self.registration_timeout(handle, now);
        }
        self.transfers_due(now);
        self.referrals_due(now);
        let forgotten: Vec<TransactionId> = self
            .contexts
            .iter()
            .filter(|(_, context)| due(context.give_up_at))
            .map(|(id, _)| *id)
            .collect();
        for id in forgotten {
            self.request_failed(id, &FailureCause::Timeout, now);
            if let Some(context) = self.contexts.get_mut(&id) {
                context.give_up_at = None;
            }
            self.transactions.abandon(id);
        }
        for (transport, remote) in self.streams.expired(now) {
            self.outputs.push_back(Output::Close { transport, remote });
        }
    }

    /// Carries events of the transactions up and their messages down until nothing moves.
    fn settle(&mut self, now: Duration) {
        loop {
            while let Some((target, bytes)) = self.transactions.poll_transmit() {
                self.outputs.push_back(Output::Transmit { target, bytes });
            }
            let Some(event) = self.transactions.poll_event() else {
                return;
            };
            self.transaction_event(event, now);
        }
    }

    fn transaction_event(&mut self, event: TransactionEvent, now: Duration) {
        match event {
            TransactionEvent::Response(id, response) => self.response_to_us(id, response, now),
            TransactionEvent::TimedOut(id) => self.request_failed(id, &FailureCause::Timeout, now),
            TransactionEvent::TransportFailed(id) => {
                self.request_failed(id, &FailureCause::TransportFailed, now);
            }
            TransactionEvent::ClientEnded(id) => {
                self.contexts.remove(&id);
            }
            // The refusal was sent long ago; nothing hangs on its ACK.
            TransactionEvent::AckMissing(_) => {}
            TransactionEvent::ServerEnded(id) => {
                self.invites.remove(&id);
                self.waiting.retain(|_, waiting| *waiting != id);
                for call in self.calls.values_mut() {
                    if call.change_in == Some(id) {
                        call.change_in = None;
                    }
                }
            }
        }
    }

    fn datagram(&mut self, source: Source, bytes: &[u8], now: Duration) {
        match parse_datagram(bytes, &self.config.message_limits) {
            Ok(message) => self.message_arrived(message, source, now),
            Err(error) => self.malformed(error, source),
        }
    }

    fn stream_bytes(&mut self, source: Source, bytes: &[u8], now: Duration) {
        let until = now.saturating_add(self.config.limits.half_message_max);
        let target = Target::new(source.transport, source.remote);
        let (frames, room) = self
            .streams
            .push(source.transport, source.remote, bytes, until);
        if !room {
            self.counters.overload_dropped += 1;
            self.close(source);
            return;
        }
        for frame in frames {
            match frame {
                crate::framer::Frame::Message(message) => {
                    self.message_arrived(message, source, now);
                }
                crate::framer::Frame::Ping => {
                    let (target, bytes) = (target.clone(), b"\r\n".to_vec());
                    self.outputs.push_back(Output::Transmit { target, bytes });
                }
                crate::framer::Frame::Pong => {}
                crate::framer::Frame::Rejected(error) => self.malformed(error, source),
                crate::framer::Frame::Broken(error) => {
                    self.malformed(error, source);
                    self.close(source);
                }
            }
        }
    }

    fn close(&mut self, source: Source) {
        let (transport, remote) = (source.transport, source.remote);
        self.streams.close(transport, remote);
        self.outputs.push_back(Output::Close { transport, remote });
    }

    fn malformed(&mut self, error: ParseError, source: Source) {
        if error.kind == ParseErrorKind::Empty {
            return;
        }
        let Some(mut reply) = error.reply else {
            self.counters.malformed_dropped += 1;
            return;
        };
        self.counters.malformed_answered += 1;
        let mut target = Target::new(source.transport, source.remote);
        if let Ok(mut via) = reply.headers.top_via() {
            if source.transport == Transport::Udp && !via.wants_rport() {
                target.remote.set_port(via.port.unwrap_or(5060));
            }
            via.set_source(source.remote.ip(), source.remote.port());
            // The Via was read above.
            let _ = reply.headers.set_top_via(&via);
        }
        let bytes = reply.to_bytes();
        self.outputs.push_back(Output::Transmit { target, bytes });
    }

    fn message_arrived(&mut self, message: Message, source: Source, now: Duration) {
        match message {
            Message::Response(response) => {
                if validate_response(&response).is_err() {
                    self.counters.malformed_dropped += 1;
                } else if !self.transactions.handle_response(response, now) {
                    self.counters.stray_responses += 1;
                }
            }
            Message::Request(request) => self.request_arrived(request, source, now),
        }
        self.settle(now);
    }

    fn request_arrived(&mut self, request: Request, source: Source, now: Duration) {
        let received =
            self.transactions
                .handle_request(request, source.transport, source.remote, now);
        match received {
            Received::New(id, request) => self.new_request(id, request, source, now),
            Received::Absorbed => {}
            Received::Ack(ack) => {
                if validate_request(&ack).is_err() {
                    self.counters.malformed_dropped += 1;
                } else {
                    self.incoming_ack(ack, now);
                }
            }
            Received::Merged(request) => {
                self.counters.merged += 1;
                self.answer_stateless(&request, StatusCode::LOOP_DETECTED, source);
            }
            Received::Overload(request) => {
                self.counters.overload_answered += 1;
                self.answer_stateless(&request, StatusCode::SERVICE_UNAVAILABLE, source);
            }
            Received::Unreadable(_) => self.counters.malformed_dropped += 1,
        }
    }

    fn answer_stateless(&mut self, request: &Request, status: StatusCode, source: Source) {
        if request.method == Method::Ack {
            return;
        }
        let tag = self.tokens.tag();
        let mut response = self.response(request, status, Some(&tag), None);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers.push(HeaderName::RetryAfter, "10");
        }
        self.outputs.push_back(Output::Transmit {
            target: response_target(request, source.transport, source.remote),
            bytes: response.to_bytes(),
        });
    }

    /// The checks of RFC 3261 section 8.2 in its order, then the method.
    fn new_request(
        &mut self,
        id: TransactionId,
        request: Box<Request>,
        source: Source,
        now: Duration,
    ) {
        let extensions: &[&str] = match self.config.transfers {
            true => &EXTENSIONS_WITH_TRANSFERS,
            false => &EXTENSIONS,
        };
        if let Err(rejection) = validate_request_for(&request, extensions) {
            self.counters.malformed_answered += 1;
            let tag = self.tokens.tag();
            if let Some(mut response) = rejection.to_response(&request, Some(&tag)) {
                self.push_agent(&mut response.headers, HeaderName::Server);
                self.transactions.respond(id, &response, now);
            }
            return;
        }
        if request.method == Method::Cancel {
            self.incoming_cancel(id, &request, now);
            return;
        }
        if request.headers.to().is_ok_and(|to| to.tag().is_some()) {
            self.in_dialog_request(id, request, source, now);
            return;
        }
        let handed_up = self.config.methods.contains(&request.method);
        match request.method {
            Method::Invite | Method::Options => {}
            Method::Bye | Method::Prack | Method::Update | Method::Info => {
                self.counters.unknown_dialogs += 1;
                let refusal = Refusal::new(StatusCode::CALL_DOES_NOT_EXIST);
                let tag = self.tokens.tag();
                self.refuse(id, &request, Some(&tag), refusal, now);
                return;
            }
            _ if handed_up => {}
            _ => {
                self.refuse_method(id, &request, now);
                return;
            }
        }
        if let Some(refusal) = self.refused_body(&request) {
            let tag = self.tokens.tag();
            self.refuse(id, &request, Some(&tag), refusal, now);
            return;
        }
        let tag = self.tokens.tag();
        let user = match self.pass(&request, &tag, now) {
            Passage::Open(user) => user,
            Passage::Closed(response) => {
                self.transactions.respond(id, &response, now);
                return;
            }
        };
        match request.method {
            Method::Invite => self.incoming_invite(id, request, source, now),
            Method::Options if !handed_up => {
                self.answer_options(id, &request, now);
                self.event(Event::OptionsReceived { request, source });
            }
            _ => {
                let key = self.next_handle();
                self.waiting.insert(key, id);
                self.event(Event::Request {
                    handle: RequestHandle(key),
                    request,
                    source,
                    user,
                });
            }
        }
    }

    /// 415 where the body is of a kind that nobody here reads (section 8.2.3).
    fn refused_body(&self, request: &Request) -> Option<Refusal> {
        let headers = &request.headers;
        let encoded = headers
            .get(&HeaderName::ContentEncoding)
            .is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity"));
        if encoded {
            return Some(Refusal {
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                headers: vec![(HeaderName::AcceptEncoding, b"identity".to_vec())],
            });
        }
        if request.method != Method::Invite || request.body.is_empty() {
            return None;
        }
        let optional = headers
            .get_str(&HeaderName::ContentDisposition)
            .is_some_and(|value| value.contains("handling=optional"));
        let row = headers
            .get_str(&HeaderName::ContentType)
            .unwrap_or_default();
        let kind = row.split(';').next().unwrap_or_default().trim();
        let accept = &self.config.accept;
        if optional || accept.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
            return None;
        }
        Some(Refusal {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            headers: vec![(HeaderName::Accept, accept.join(", ").into_bytes())],
        })
    }

    fn refuse_method(&mut self, id: TransactionId, request: &Request, now: Duration) {
        let tag = self.tokens.tag();
        let refusal = Refusal {
            status: StatusCode::METHOD_NOT_ALLOWED,
            headers: vec![(HeaderName::Allow, self.allow().into_bytes())],
        };
        self.refuse(id, request, Some(&tag), refusal, now);
    }

    /// A response to a request of ours.
    fn response_to_us(&mut self, id: TransactionId, response: Box<Response>, now: Duration) {
        let Some(context) = self.contexts.get(&id) else {
            return;
        };
        let (purpose, call) = (context.purpose, context.call);
        if purpose == Purpose::Invite {
            if let Some(handle) = call {
                self.invite_response(id, handle, response, now);
            }
            return;
        }
        let challenged = matches!(
            response.status,
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED
        );
        if challenged && self.repeat_with_credentials(id, &response, now) {
            return;
        }
        match (purpose, call) {
            (Purpose::Reinvite { .. } | Purpose::Update { .. }, Some(handle)) => {
                self.change_response(id, handle, response, now);
            }
            (Purpose::Refer, Some(handle)) if response.status.is_final() => {
                self.refer_response(handle, response, now);
            }
            (Purpose::Notify(key), _) if response.status.is_final() => {
                self.report_answered(key, response.status.is_success(), now);
            }
            (Purpose::Query(handle), _) if response.status.is_final() => {
                self.event(Event::QueryAnswered {
                    query: QueryHandle(handle),
                    response,
                });
            }
            (Purpose::Register(handle), _) if response.status.is_final() => {
                if let Some(context) = self.contexts.get(&id) {
                    let request = context.request.clone();
                    self.register_response(handle, &request, response, now);
                }
            }
            // BYE, CANCEL, PRACK, INFO: whatever the answer, there is nothing left to do.
            _ => {}
        }
    }

    /// Sends a request again with credentials and the next CSeq; `false`: it makes no sense.
    fn repeat_with_credentials(
        &mut self,
        id: TransactionId,
        response: &Response,
        now: Duration,
    ) -> bool {
        let Some(mut context) = self.contexts.get(&id).cloned() else {
            return false;
        };
        if !self.answer_challenge(&mut context, response) {
            return false;
        }
        let Ok(cseq) = context.request.headers.cseq() else {
            return false;
        };
        let mut seq = cseq.seq + 1;
        let call = context.call.and_then(|handle| self.calls.get_mut(&handle));
        if let Some(call) = call
            && let Some(dialog) = &mut call.dialog
        {
            seq = dialog.next_seq();
        }
        if let Purpose::Register(handle) = context.purpose
            && let Some(entry) = self.registrations.get_mut(&handle)
        {
            seq = entry.next_seq();
        }
        let row = format!("{seq} {}", context.request.method);
        context.request.headers.set(HeaderName::CSeq, row);
        context.acks.clear();
        self.put_credentials(&mut context);
        self.send(context, now)
    }

    /// A request of ours timed out or could not be sent.
    fn request_failed(&mut self, id: TransactionId, cause: &FailureCause, now: Duration) {
        let Some(context) = self.contexts.get(&id) else {
            return;
        };
        let (purpose, call) = (context.purpose, context.call);
        if purpose == Purpose::Invite {
            if let Some(handle) = call {
                self.attempt_failed(id, handle, cause.clone(), now);
            }
            return;
        }
        // By another way, where there is one and the first never took it.
        if *cause == FailureCause::TransportFailed
            && purpose != Purpose::Cancel
            && let Some(mut again) = self.contexts.get(&id).cloned()
            && let Some(next) = again.remaining.pop_front()
        {
            again.target = next;
            if self.send(again, now) {
                return;
            }
        }
        match (purpose, call) {
            (Purpose::Reinvite { .. } | Purpose::Update { .. }, Some(handle)) => {
                self.change_lost(id, handle, cause, now);
            }
            (Purpose::Refer, Some(handle)) => self.refer_lost(handle, cause.clone()),
            (Purpose::Notify(key), _) => self.report_answered(key, false, now),
            (Purpose::Query(handle), _) => self.query_failed(handle, cause.clone()),
            (Purpose::Register(handle), _) => {
                let cause = if *cause == FailureCause::Timeout {
                    RegistrationCause::Timeout
                } else {
                    RegistrationCause::TransportFailed
                };
                self.registration_failed(handle, None, cause, now);
            }
            _ => {}
        }
    }

    fn event(&mut self, event: Event) {
        // Messages that led to the event go out before it is told.
        while let Some((target, bytes)) = self.transactions.poll_transmit() {
            self.outputs.push_back(Output::Transmit { target, bytes });
        }
        self.outputs.push_back(Output::Event(event));
    }

    /// The one end of a call that never came about.
    fn fail_call(&mut self, handle: u64, cause: FailureCause, now: Duration) {
        if self.forget_call(handle, now) {
            let call = CallHandle(handle);
            self.event(Event::Failed { call, cause });
        }
    }

    /// The one end of a call that stood or was offered to us.
    fn end_call(&mut self, handle: u64, by: EndedBy, reason: Option<String>, now: Duration) {
        if self.forget_call(handle, now) {
            let call = CallHandle(handle);
            self.event(Event::Ended { call, by, reason });
        }
    }

    /// Removes a call, answers what still waits in it, and bounds its INVITEs that still proceed.
    fn forget_call(&mut self, handle: u64, now: Duration) -> bool {
        let Some(call) = self.calls.remove(&handle) else {
            return false;
        };
        self.dialogs.retain(|_, owner| *owner != handle);
        self.leave_referrals(handle, &call, now);
        if let Some(id) = call.change_in
            && let Some(request) = self.transactions.request(id).cloned()
        {
            let tag = call.dialog.as_ref().map(|d| d.id.local_tag.clone());
            let refusal = Refusal::new(StatusCode::REQUEST_TERMINATED);
            self.refuse(id, &request, tag.as_deref(), refusal, now);
        }
        if let call::Side::Callee(callee) = &call.side
            && call.phase == call::Phase::Offered
        {
            // Already answered in most cases; then this does nothing.
            let tag = call.dialog.as_ref().map(|d| d.id.local_tag.clone());
            let refusal = Refusal::new(StatusCode::TEMPORARILY_UNAVAILABLE);
            let id = callee.transaction;
            self.refuse(id, &callee.request, tag.as_deref(), refusal, now);
        }
        let until = now.saturating_add(self.config.timers.b());
        for context in self.contexts.values_mut() {
            if context.call == Some(handle) && context.request.method == Method::Invite {
                context.give_up_at.get_or_insert(until);
            }
        }
        true
    }

    fn next_handle(&mut self) -> u64 {
        self.last_handle += 1;
        self.last_handle
    }

    fn check_room_for_call(&self) -> Result<(), CommandError> {
        let max = self.config.limits.calls_max;
        if self.calls.len() >= max {
            let what = "calls";
            return Err(CommandError::TooMany { what, max });
        }
        Ok(())
    }
}

/// The dialog that a peer's request names: our tag is in its To.
fn dialog_id(request: &Request) -> Option<DialogId> {
    let headers = &request.headers;
    Some(DialogId {
        call_id: headers.call_id().ok()?.to_owned(),
        local_tag: headers.to().ok()?.tag()?.to_owned(),
        remote_tag: headers.from().ok()?.tag().unwrap_or_default().to_owned(),
    })
}
