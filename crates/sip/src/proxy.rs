//! A transaction-stateful proxy (RFC 3261 section 16, RFC 6026, RFC 5393, RFC 5626).
//!
//! ```text
//!             ┌ malformed, looping, too many ─► answered here
//! request ────┤ CANCEL, ACK, retransmission ──► its transaction
//!             ├ token that names a flow ──────► down that flow
//!             └ anything else ─► Output::Decide ─► decide(): Reject │ Forward │ Spiral │ Take
//!                                                    │
//!   groups one after the other, branches of a group at once ─► best response ─► upstream
//! ```
//! It decides nothing about who may call whom, and nothing about emergencies: the parsed request
//! is shown to the caller before anything else is done with it, and a `urn:service:` Request-URI
//! leaves as it came. Without a decision it forwards only what carries a token signed here, and
//! only down the flow, or for an ACK to the address, that the token names, so it is no open
//! relay. Between the 2xx and the BYE of a call it remembers nothing: the Record-Route
//! holds what is needed.

mod cancelling;
mod check;
mod config;
mod context;
mod copy;
mod event;
mod forward;
mod joining;
mod mark;
mod moving;
mod requests;
mod responses;
mod route;
mod table;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

pub use config::{Identity, Privileged, ProxyConfig, ProxyLimits, is_emergency_urn};
pub use event::{
    AskId, Branch, CallEvent, CallKey, Counters, Decision, Forward, Group, Input, Output, Over,
    Passage, Reject, ResolveId, Way,
};

use crate::framer::Frame;
use crate::message::{Message, Request, Response};
use crate::outbound::{Flow, FlowId, FlowTokens, Hop, keep_alive_answer};
use crate::parse::{ParseError, ParseErrorKind, parse_datagram};
use crate::tokens::Tokens;
use crate::transaction::{Effect, at_multiple};
use crate::{Method, StatusCode};
use context::{Cancel, Client, Context, Phase};
use mark::{Marks, ServerMark};
use table::Table;

/// A proxy.
pub struct Proxy {
    config: ProxyConfig,
    tokens: Tokens,
    marks: Marks,
    flow_tokens: FlowTokens,
    contexts: Table<u64, Box<Context>>,
    servers: Table<ServerMark, u64>,
    clients: Table<u64, Box<Client>>,
    /// Clients that wait for a host name.
    resolving: BTreeMap<u64, u64>,
    /// What each source makes us hold.
    sources: BTreeMap<IpAddr, Load>,
    deadlines: BTreeSet<(Duration, Slot)>,
    outputs: VecDeque<Output>,
    counters: Counters,
    last_id: u64,
}

/// What a deadline belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Context(u64),
    Client(u64),
}

/// What one source makes us hold.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    /// Server transactions.
    living: u32,
    /// Unanswered INVITEs that begin a call.
    calling: u32,
    /// Privileged INVITEs, answered or not.
    privileged: u32,
}

/// Whom a flow's requests are counted against.
fn source_of(flow: &Flow) -> IpAddr {
    crate::digest::subscriber(flow.remote.ip())
}

impl core::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Proxy")
            .field("server_transactions", &self.contexts.len())
            .field("client_transactions", &self.clients.len())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// A proxy without transactions.
    #[must_use]
    pub fn new(config: ProxyConfig) -> Self {
        let tokens = Tokens::from_seed(config.seed);
        let marks = Marks::new(&tokens.fork("marks").next_bytes());
        Proxy {
            flow_tokens: FlowTokens::new(&config.flow_secret),
            marks,
            tokens,
            contexts: Table::default(),
            servers: Table::default(),
            clients: Table::default(),
            resolving: BTreeMap::new(),
            sources: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            last_id: 0,
            config,
        }
    }

    /// Takes what happened outside. Drain [`Proxy::poll_output`] afterwards.
    pub fn handle_input(&mut self, input: Input<'_>, now: Duration) {
        self.run_timers(now);
        match input {
            Input::Datagram { flow, bytes } => self.datagram(&flow, bytes, now),
            Input::Frame { flow, frame } => self.frame(&flow, frame, now),
            Input::FlowClosed { flow } => self.flow_closed(flow, now),
            Input::TransmitFailed { hop } => self.transmit_failed(hop, now),
            Input::Timeout => {}
        }
    }

    /// What is to be done, until it says [`Output::Timeout`].
    pub fn poll_output(&mut self, now: Duration) -> Output {
        if self.outputs.is_empty() {
            self.run_timers(now);
        }
        while let Some(output) = self.outputs.pop_front() {
            match output {
                // It was cancelled before anybody was asked.
                Output::Decide { id, .. } if self.request(id).is_none() => {}
                output => return output,
            }
        }
        Output::Timeout(self.deadlines.first().map(|(at, _)| *at))
    }

    /// A request that waits for [`Proxy::decide`] or [`Proxy::respond`], our own Route removed.
    #[must_use]
    pub fn request(&self, id: AskId) -> Option<&Request> {
        let context = self.contexts.get(&id.0)?;
        matches!(context.phase, Phase::Deciding | Phase::Taken)
            .then_some(context.request.as_deref())?
    }

    /// Answers a request taken with [`Decision::Take`].
    ///
    /// # Errors
    /// When it is over.
    pub fn respond(&mut self, id: AskId, response: &Response, now: Duration) -> Result<(), Over> {
        match self.contexts.get(&id.0).map(|context| context.phase) {
            Some(Phase::Taken) => {}
            _ => return Err(Over),
        }
        if self.send_upstream(id.0, response, now) {
            Ok(())
        } else {
            Err(Over)
        }
    }

    /// Server and client transactions that exist.
    #[must_use]
    pub fn transaction_counts(&self) -> (usize, usize) {
        (self.contexts.len(), self.clients.len())
    }

    /// What was refused or dropped so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &ProxyConfig {
        &self.config
    }

    fn datagram(&mut self, flow: &Flow, bytes: &[u8], now: Duration) {
        if let Some(answer) = keep_alive_answer(bytes, flow.remote) {
            self.transmit(Hop::from(flow), answer);
            return;
        }
        match parse_datagram(bytes, &self.config.message_limits) {
            Ok(message) => self.message(flow, message, now),
            Err(error) => self.malformed(flow, error),
        }
    }

    fn frame(&mut self, flow: &Flow, frame: Frame, now: Duration) {
        match frame {
            Frame::Message(message) => self.message(flow, message, now),
            Frame::Ping => self.transmit(Hop::from(flow), b"\r\n".to_vec()),
            Frame::Pong => {}
            Frame::Rejected(error) => self.malformed(flow, error),
            Frame::Broken(error) => {
                self.malformed(flow, error);
                self.outputs.push_back(Output::Close { flow: flow.id });
            }
        }
    }

    fn message(&mut self, flow: &Flow, message: Message, now: Duration) {
        match message {
            Message::Request(request) => self.request_arrived(flow, request, now),
            Message::Response(response) => self.response_arrived(response, now),
        }
    }

    fn malformed(&mut self, flow: &Flow, error: ParseError) {
        if error.kind == ParseErrorKind::Empty {
            return;
        }
        let reply = error.reply.map(|reply| *reply);
        let Some((mut reply, mut via)) =
            reply.and_then(|reply| reply.headers.top_via().ok().map(|via| (reply, via)))
        else {
            self.counters.malformed_dropped += 1;
            return;
        };
        self.counters.malformed_answered += 1;
        let hop = requests::upstream(flow, &via);
        via.set_source(flow.remote.ip(), flow.remote.port());
        // The Via was read above.
        let _ = reply.headers.replace_top_via(&via);
        self.transmit(hop, reply.to_bytes());
    }

    /// Everything that is due.
    fn run_timers(&mut self, now: Duration) {
        while let Some(&(at, slot)) = self.deadlines.first() {
            if at > now {
                return;
            }
            self.deadlines.pop_first();
            match slot {
                Slot::Context(id) => {
                    if let Some(context) = self.contexts.get_mut(&id) {
                        context.scheduled = None;
                        self.context_timeout(id, now);
                        self.schedule_context(id);
                    }
                }
                Slot::Client(id) => {
                    if let Some(client) = self.clients.get_mut(&id) {
                        client.scheduled = None;
                        self.client_timeout(id, now);
                        self.schedule_client(id);
                    }
                }
            }
        }
    }

    fn context_timeout(&mut self, id: u64, now: Duration) {
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        match context.machine.handle_timeout(now) {
            Effect::Retransmit => {
                let (hop, bytes) = (context.upstream.clone(), context.last.clone());
                self.transmit(hop, bytes);
            }
            Effect::SendTrying => {
                let trying = context
                    .request
                    .as_deref()
                    .map(|request| Response::to_request(request, StatusCode::TRYING, None));
                if let Some(trying) = trying {
                    self.send_upstream(id, &trying, now);
                }
            }
            _ => {}
        }
        self.group_timeout(id, now);
        self.open_timeout(id, now);
    }

    fn client_timeout(&mut self, id: u64, now: Duration) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let effect = client.machine.handle_timeout(now);
        let mut again = Vec::new();
        if effect == Effect::Retransmit && !client.sent.is_empty() {
            again.push(client.sent.to_vec());
        }
        if let Cancel::Sent { machine, bytes } = &mut client.cancel
            && machine.handle_timeout(now) == Effect::Retransmit
        {
            again.push(bytes.to_vec());
        }
        if let Some(hop) = client.hop.clone() {
            for bytes in again {
                self.transmit(hop.clone(), bytes);
            }
        }
        if effect == Effect::TimedOut {
            self.branch_failed(id, StatusCode::REQUEST_TIMEOUT, now);
        }
        self.silence(id, now);
        self.timer_c(id, now);
        self.give_up(id, now);
    }

    fn transmit(&mut self, hop: Hop, bytes: Vec<u8>) {
        self.outputs.push_back(Output::Transmit { hop, bytes });
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Brings the deadline of a context up to date, or forgets it when it is over.
    fn schedule_context(&mut self, id: u64) {
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        if context.machine.is_terminated() {
            self.forget_context(id);
            return;
        }
        let rings = crate::transaction::earlier(context.group_until, context.open_until);
        let mut next = crate::transaction::earlier(context.machine.next_timeout(), rings);
        let reliable = context.flow.transport.is_reliable();
        if context.machine.only_ends(reliable) && rings.is_none() {
            next = next.map(|at| at_multiple(at, self.config.endings_every));
        }
        if next == context.scheduled {
            return;
        }
        if let Some(at) = context.scheduled.take() {
            self.deadlines.remove(&(at, Slot::Context(id)));
        }
        context.scheduled = next;
        if let Some(at) = next {
            self.deadlines.insert((at, Slot::Context(id)));
        }
    }

    fn schedule_client(&mut self, id: u64) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let over = client.machine.is_terminated();
        let mut next = if over { None } else { client.next_timeout() };
        if client.only_ends() {
            next = next.map(|at| at_multiple(at, self.config.endings_every));
        }
        if next != client.scheduled {
            if let Some(at) = client.scheduled.take() {
                self.deadlines.remove(&(at, Slot::Client(id)));
            }
            client.scheduled = next;
            if let Some(at) = next {
                self.deadlines.insert((at, Slot::Client(id)));
            }
        }
        if over {
            self.clients.remove(&id);
        }
    }

    fn forget_context(&mut self, id: u64) {
        let Some(context) = self.contexts.remove(&id) else {
            return;
        };
        self.servers.remove(&context.mark);
        if let Some(at) = context.scheduled {
            self.deadlines.remove(&(at, Slot::Context(id)));
        }
        self.outputs
            .extend(context.ending.map(|e| Output::Call(*e)));
        let source = source_of(&context.flow);
        if let Some(load) = self.sources.get_mut(&source) {
            load.living = load.living.saturating_sub(1);
            load.calling = load.calling.saturating_sub(u32::from(context.calling));
            load.privileged = load
                .privileged
                .saturating_sub(u32::from(context.privileged));
            if load.living == 0 {
                self.sources.remove(&source);
            }
        }
        // A non-INVITE whose client has stopped waiting: nobody wants the answers any more.
        for client in context.pending {
            self.forget_client(client);
        }
    }

    fn forget_client(&mut self, id: u64) {
        if let Some(client) = self.clients.remove(&id)
            && let Some(at) = client.scheduled
        {
            self.deadlines.remove(&(at, Slot::Client(id)));
        }
    }

    /// Sends a response on a context's server transaction.
    fn send_upstream(&mut self, id: u64, response: &Response, now: Duration) -> bool {
        let Some(context) = self.contexts.get_mut(&id) else {
            return false;
        };
        let status = response.status;
        if context.machine.send_response(status.code(), now) != Effect::Deliver {
            return false;
        }
        let bytes = response.to_bytes();
        let hop = context.upstream.clone();
        let mut ended = None;
        context.last = if context.machine.repeats() {
            bytes.clone()
        } else {
            Vec::new()
        };
        if status.is_final() {
            context.phase = Phase::Answered;
            context.plan = None;
            context.best = None;
            context.group_until = None;
            context.open_until = None;
            context.request = None;
            ended = context.ending.take().filter(|_| ends_call(status));
            if std::mem::take(&mut context.calling)
                && let Some(load) = self.sources.get_mut(&source_of(&context.flow))
            {
                load.calling = load.calling.saturating_sub(1);
            }
        }
        self.outputs.push_back(Output::Transmit { hop, bytes });
        self.outputs.extend(ended.map(|ended| Output::Call(*ended)));
        self.schedule_context(id);
        true
    }

    fn flow_closed(&mut self, flow: FlowId, now: Duration) {
        self.hop_failed(|hop| hop.flow() == Some(flow), now);
        let mut callers: Vec<u64> = self
            .contexts
            .iter()
            .filter(|(_, context)| context.flow.id == flow && !context.privileged)
            .filter(|(_, context)| context.machine.is_invite() && context.phase != Phase::Answered)
            .map(|(id, _)| *id)
            .collect();
        callers.sort_unstable();
        for id in callers {
            self.caller_gone(id, now);
        }
    }

    fn transmit_failed(&mut self, failed: &Hop, now: Duration) {
        self.hop_failed(|hop| hop == failed, now);
    }

    fn hop_failed(&mut self, concerns: impl Fn(&Hop) -> bool, now: Duration) {
        let mut ids: Vec<u64> = self
            .clients
            .iter()
            .filter(|(_, client)| client.hop.as_ref().is_some_and(&concerns))
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        for id in ids {
            let Some(client) = self.clients.get_mut(&id) else {
                continue;
            };
            let by_flow = client.hop.as_ref().is_some_and(|hop| hop.flow().is_some());
            if client.machine.handle_transport_failure() == Effect::TransportFailed {
                let status = if by_flow {
                    StatusCode::FLOW_FAILED
                } else {
                    StatusCode::SERVICE_UNAVAILABLE
                };
                self.branch_failed(id, status, now);
            }
            self.schedule_client(id);
        }
    }
}

/// Whether a BYE with this answer ended its call: it was heard (2xx), the other side knows of no
/// such call (481), or nobody is there (408, 430, 480). After anything else the call may stand.
fn ends_call(status: StatusCode) -> bool {
    status.is_success()
        || status == StatusCode::REQUEST_TIMEOUT
        || matches!(status.code(), 430 | 480 | 481)
}

/// Whether a method may begin a dialog, so that Record-Route means something.
fn begins_dialog(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Subscribe | Method::Refer)
}
