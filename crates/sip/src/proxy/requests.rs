//! Requests as they arrive: matched, checked, limited, and shown to who decides.

use core::time::Duration;

use super::check::{self, Seen};
use super::context::{Context, Phase, ServerMachine};
use super::event::{AskId, CallEvent, CallKey, Forward, Group, Output, Passage, Reject, Way};
use super::mark::ServerMark;
use super::route::{self, Found};
use super::{Branch, Proxy, source_of};
use crate::headers::Headers;
use crate::message::{Request, Response};
use crate::outbound::{Direction, Flow, FlowTransport, Hop, Side};
use crate::target::{self, Target};
use crate::transaction::Effect;
use crate::via::Via;
use crate::{HeaderName, Method, StatusCode};

/// Where responses go (RFC 3261 section 18.2.2, RFC 3581): back along the flow; over UDP, to a
/// client that does not ask for `rport`, to the port that its Via names.
pub(super) fn upstream(flow: &Flow, via: &Via) -> Hop {
    let port = via.port.unwrap_or(5060);
    if flow.transport != FlowTransport::Udp || via.wants_rport() || port == flow.remote.port() {
        return Hop::from(flow);
    }
    let mut remote = flow.remote;
    remote.set_port(port);
    Hop::Target(Target::new(target::Transport::Udp, remote))
}

impl Proxy {
    pub(super) fn request_arrived(&mut self, flow: &Flow, mut request: Request, now: Duration) {
        let seen = match check::read(&request) {
            Ok(seen) => seen,
            Err(error) => {
                if request.headers.top_via().is_err() || request.method == Method::Ack {
                    self.counters.malformed_dropped += 1;
                } else {
                    self.counters.malformed_answered += 1;
                    self.answer(flow, request, &check::malformed(&error));
                }
                return;
            }
        };
        let Ok(mark) = self.marks.server(&request, &seen.via) else {
            self.counters.malformed_dropped += 1;
            return;
        };
        match request.method {
            Method::Ack => return self.ack_arrived(mark, flow, request, &seen, now),
            Method::Cancel => return self.cancel_arrived(mark, flow, request, now),
            _ => {}
        }
        if let Some(&id) = self.servers.get(&mark) {
            self.retransmission(id);
            return;
        }
        if let Err(reject) = check::validate(&request, &seen) {
            self.counters.loops += u64::from(reject.status == StatusCode::TOO_MANY_HOPS);
            self.answer(flow, request, &reject);
            return;
        }
        let loop_mark = self.marks.of_loop(&request);
        if self.marks.is_loop(&request, loop_mark) {
            self.counters.loops += 1;
            self.answer(flow, request, &Reject::new(StatusCode::LOOP_DETECTED));
            return;
        }
        let found = route::preprocess(&self.config, &self.flow_tokens, &mut request, &seen);
        let found = match found {
            Ok(found) => found,
            Err(reject) => {
                self.counters.forged_tokens += u64::from(reject.status == StatusCode::FORBIDDEN);
                self.answer(flow, request, &reject);
                return;
            }
        };
        // Only a call can be one for help, and only a token proves a dialog: a To tag is anybody's.
        let invite = request.method == Method::Invite;
        let privileged = invite && (self.config.privileged)(&request);
        let in_dialog = matches!(found, Found::Dialog { .. });
        if self.is_full(flow, invite, in_dialog, privileged) {
            self.counters.overload += 1;
            let seconds = self.config.limits.retry_after_s.to_string();
            let reject =
                Reject::new(StatusCode::SERVICE_UNAVAILABLE).with(HeaderName::RetryAfter, seconds);
            self.answer(flow, request, &reject);
            return;
        }
        self.begin(
            mark, flow, request, &seen, loop_mark, found, privileged, now,
        );
    }

    /// A new server transaction.
    #[allow(clippy::too_many_arguments)] // each was found on the way here, and is used once
    fn begin(
        &mut self,
        mark: ServerMark,
        flow: &Flow,
        mut request: Request,
        seen: &Seen,
        loop_mark: u64,
        found: Found,
        privileged: bool,
        now: Duration,
    ) {
        let hop = upstream(flow, &seen.via);
        let mut via = seen.via.clone();
        via.set_source(flow.remote.ip(), flow.remote.port());
        // The Via was read before.
        let _ = request.headers.replace_top_via(&via);
        let invite = request.method == Method::Invite;
        let in_dialog = matches!(found, Found::Dialog { .. });
        let call = (invite && !in_dialog).then(|| {
            Box::new(CallKey {
                call_id: request.headers.call_id().unwrap_or_default().to_owned(),
                caller_tag: seen.from_tag.clone(),
            })
        });
        let calling = invite && !in_dialog;
        let load = self.sources.entry(source_of(flow)).or_default();
        load.living += 1;
        load.calling += u32::from(calling);
        load.privileged += u32::from(privileged);
        let reliable = flow.transport.is_reliable();
        let machine = ServerMachine::new(&request.method, self.config.timers, reliable, now);
        let (mut ending, mut sealed) = (None, None);
        if let Found::Dialog { direction, side } = found {
            ending = ending_of(&request, seen, direction).map(Box::new);
            if let Side::Address(transport, remote) = side {
                sealed = Some(Box::new(route::at_sealed(&request, transport, remote)));
            }
        }
        let id = self.next_id();
        let context = Context {
            mark,
            machine,
            phase: Phase::Deciding,
            flow: *flow,
            upstream: hop,
            request: Some(Box::new(request)),
            loop_mark,
            last: Vec::new(),
            plan: None,
            pending: Vec::new(),
            best: None,
            challenges: Headers::new(),
            cancelled: false,
            in_dialog,
            asked_again: false,
            privileged,
            spirals: 0,
            calling,
            call,
            ending,
            sealed,
            group_until: invite.then(|| now.saturating_add(self.config.limits.decision_max)),
            open_until: None,
            scheduled: None,
        };
        self.contexts.insert(id, Box::new(context));
        self.servers.insert(mark, id);
        self.schedule_context(id);
        self.lead_on(id, flow, found, now);
    }

    /// A request of a dialog goes down the flow that its token names; everything else is shown to
    /// who decides.
    fn lead_on(&mut self, id: u64, flow: &Flow, found: Found, now: Duration) {
        let passage = match found {
            Found::Outside => Passage::Outside,
            Found::Path { flow } => Passage::Path { flow },
            Found::Dialog {
                side: Side::Flow(flow, transport),
                ..
            } => {
                let request = self.contexts.get(&id).and_then(|c| c.request.as_deref());
                let Some(uri) = request.map(|request| request.uri.clone()) else {
                    return;
                };
                let hop = Hop::Flow {
                    id: flow,
                    transport,
                };
                let group = Group {
                    branches: vec![Branch::new(Way::to(uri).by(hop), 0)],
                    ringing_max: None,
                };
                let forward = Forward {
                    groups: vec![group],
                    ..Forward::default()
                };
                self.forward(id, forward, now);
                return;
            }
            Found::Dialog { direction, .. } => Passage::Dialog {
                direction,
                failed: None,
            },
        };
        let (id, flow) = (AskId(id), *flow);
        self.outputs.push_back(Output::Decide { id, flow, passage });
    }

    fn is_full(&self, flow: &Flow, invite: bool, in_dialog: bool, privileged: bool) -> bool {
        let limits = &self.config.limits;
        let load = self.sources.get(&source_of(flow)).copied();
        let load = load.unwrap_or_default();
        let reserved = privileged && load.privileged < limits.privileged_per_source_max;
        let room = limits.transactions_max
            + match (reserved, in_dialog) {
                (true, _) => limits.transactions_reserved,
                (false, true) => limits.transactions_reserved / 2,
                (false, false) => 0,
            };
        if self.contexts.len() >= room {
            return true;
        }
        if reserved {
            return false;
        }
        // What belongs to a standing call must get through, or it could not even be ended.
        let share = limits.transactions_per_source_max;
        let share = share.saturating_mul(if in_dialog { 2 } else { 1 });
        let calls = invite && !in_dialog && load.calling >= limits.calls_per_source_max;
        calls || load.living >= share
    }

    fn retransmission(&mut self, id: u64) {
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        if context.machine.handle_retransmission() == Effect::Retransmit && !context.last.is_empty()
        {
            let (hop, bytes) = (context.upstream.clone(), context.last.clone());
            self.transmit(hop, bytes);
        }
    }

    /// Answers without a transaction: the same request gets the same answer.
    pub(super) fn answer(&mut self, flow: &Flow, mut request: Request, reject: &Reject) {
        if request.method == Method::Ack {
            return;
        }
        let Ok(mut via) = request.headers.top_via() else {
            return;
        };
        let tag = self.marks.tag(&request, &via);
        let hop = upstream(flow, &via);
        via.set_source(flow.remote.ip(), flow.remote.port());
        // The Via was read above.
        let _ = request.headers.replace_top_via(&via);
        let response = self.local_response(&request, reject, &tag);
        self.transmit(hop, response.to_bytes());
    }

    /// An answer of our own to a request.
    pub(super) fn local_response(&self, request: &Request, reject: &Reject, tag: &str) -> Response {
        let mut response = Response::to_request(request, reject.status, Some(tag));
        if let Some(reason) = &reject.reason {
            response = response.with_reason(reason);
        }
        for (name, value) in &reject.headers {
            response.headers.push(name.clone(), value.clone());
        }
        if let Some(server) = &self.config.server {
            response.headers.push(HeaderName::Server, server.as_str());
        }
        response
    }

    fn ack_arrived(
        &mut self,
        mark: ServerMark,
        flow: &Flow,
        mut ack: Request,
        seen: &Seen,
        now: Duration,
    ) {
        if let Some(&id) = self.servers.get(&mark)
            && let Some(context) = self.contexts.get_mut(&id)
            && let ServerMachine::Invite(machine) = &mut context.machine
        {
            let effect = machine.handle_ack(now);
            if !context.machine.repeats() {
                context.last = Vec::new();
            }
            self.schedule_context(id);
            if effect != Effect::Deliver {
                return;
            }
        }
        // The ACK of an answer that was given without a transaction ends here.
        let ours = seen.to_tag.as_ref() == Some(&self.marks.tag(&ack, &seen.via));
        if ours || check::validate(&ack, seen).is_err() {
            return;
        }
        let loop_mark = self.marks.of_loop(&ack);
        let found = route::preprocess(&self.config, &self.flow_tokens, &mut ack, seen);
        let Ok(Found::Dialog { side, .. }) = found else {
            self.counters.stray_acks += 1;
            return;
        };
        if self.marks.is_loop(&ack, loop_mark) {
            self.counters.loops += 1;
            return;
        }
        let mut via = seen.via.clone();
        via.set_source(flow.remote.ip(), flow.remote.port());
        // The Via was read before.
        let _ = ack.headers.replace_top_via(&via);
        let hop = match side {
            Side::Flow(id, transport) => Hop::Flow { id, transport },
            Side::Address(transport, remote) => {
                Hop::Target(route::at_sealed(&ack, transport, remote))
            }
        };
        self.send_ack(ack, hop, loop_mark);
    }

    /// Forwards the ACK of a 2xx without a transaction (section 16.11).
    fn send_ack(&mut self, mut ack: Request, hop: Hop, loop_mark: u64) {
        let Ok(came) = ack.headers.top_via() else {
            return;
        };
        let hops = match ack.headers.max_forwards() {
            Ok(Some(hops)) => hops.saturating_sub(1),
            _ => 70,
        };
        ack.headers.set(HeaderName::MaxForwards, hops.to_string());
        let branch = self.marks.stateless_branch(loop_mark, &came);
        let transport = hop.transport();
        let identity = self.config.identity(transport);
        let via = Via::new(transport.as_via(), identity.host, identity.port, &branch);
        ack.headers.push_front(HeaderName::Via, via.to_string());
        self.transmit(hop, ack.to_bytes());
    }
}

/// What a BYE says about its call, once it is answered.
fn ending_of(request: &Request, seen: &Seen, direction: Direction) -> Option<CallEvent> {
    if request.method != Method::Bye {
        return None;
    }
    let from = seen.from_tag.clone();
    let to = seen.to_tag.clone().unwrap_or_default();
    let (caller_tag, callee_tag) = match direction {
        Direction::ToCallee => (from, to),
        Direction::ToCaller => (to, from),
    };
    let call_id = request.headers.call_id().unwrap_or_default().to_owned();
    let call = CallKey {
        call_id,
        caller_tag,
    };
    Some(CallEvent::Ended {
        call,
        callee_tag,
        direction,
    })
}
