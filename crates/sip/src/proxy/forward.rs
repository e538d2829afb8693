//! The decision carried out: groups, branches, the ways to each (RFC 3261 sections 16.5, 16.6).

use core::time::Duration;

use super::Proxy;
use super::cancelling::REASON_NO_ANSWER;
use super::context::{Client, ClientMachine, Phase, Plan, answerable, rank};
use super::copy;
use super::event::{
    AskId, Branch, CallEvent, Decision, Forward, Output, Over, Passage, Reject, ResolveId, Way,
};
use super::mark::BranchMark;
use super::route::{self, Reach};
use crate::message::Response;
use crate::outbound::{Direction, Hop};
use crate::target::Target;
use crate::transaction::{ClientInvite, ClientNonInvite};
use crate::{HeaderName, Method, StatusCode, Uri};

impl Proxy {
    /// Carries out what was decided about the request of an [`Output::Decide`].
    ///
    /// # Errors
    /// When the request was cancelled or timed out in the meantime; there is nothing to do then.
    pub fn decide(&mut self, id: AskId, decision: Decision, now: Duration) -> Result<(), Over> {
        let context = self.contexts.get_mut(&id.0).ok_or(Over)?;
        if context.phase != Phase::Deciding {
            return Err(Over);
        }
        context.group_until = None;
        match decision {
            Decision::Reject(reject) => {
                if !self.refuse_at_once(id.0, &reject) {
                    self.refuse(id.0, &reject, now);
                }
            }
            Decision::Forward(forward) => self.forward(id.0, forward, now),
            Decision::Take => context.phase = Phase::Taken,
            Decision::Spiral(uri) => self.spiral(id.0, uri, now),
        }
        self.schedule_context(id.0);
        Ok(())
    }

    /// The addresses of a next hop, best first; none: it does not exist.
    pub fn resolved(&mut self, id: ResolveId, targets: &[Target], now: Duration) {
        if let Some(client) = self.resolving.remove(&id.0) {
            self.client_resolved(client, targets, now);
        }
    }

    fn resolve(&mut self, client: u64, uri: Uri) {
        let id = self.next_id();
        self.resolving.insert(id, client);
        let id = ResolveId(id);
        self.outputs.push_back(Output::Resolve { id, uri });
    }

    fn client_resolved(&mut self, client: u64, targets: &[Target], now: Duration) {
        let Some(waiting) = self.clients.get_mut(&client) else {
            return;
        };
        let Some(way) = waiting.resolving.take() else {
            return;
        };
        let Some((first, rest)) = targets.split_first() else {
            self.branch_failed(client, StatusCode::SERVICE_UNAVAILABLE, now);
            self.forget_client(client);
            return;
        };
        for target in rest.iter().rev() {
            waiting.ways.push_front((*way).clone().at(target.clone()));
        }
        self.send_way(client, &way, Hop::Target(first.clone()), now);
    }

    fn spiral(&mut self, id: u64, uri: Uri, now: Duration) {
        let spirals_max = self.config.limits.spirals_max;
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        context.spirals += 1;
        let until = now.saturating_add(self.config.limits.decision_max);
        context.group_until = context.machine.is_invite().then_some(until);
        let Some(request) = context.request.as_deref_mut() else {
            return;
        };
        // A service URN is not ours to translate; asking again about it would never end.
        if context.spirals > spirals_max || request.uri.service().is_some() {
            self.counters.loops += 1;
            self.refuse(id, &Reject::new(StatusCode::LOOP_DETECTED), now);
            return;
        }
        request.uri = uri;
        let hops = request.headers.max_forwards().ok().flatten().unwrap_or(70);
        if hops == 0 {
            self.counters.loops += 1;
            self.refuse(id, &Reject::new(StatusCode::TOO_MANY_HOPS), now);
            return;
        }
        let hops = (hops - 1).to_string();
        request.headers.set(HeaderName::MaxForwards, hops);
        let (id, flow) = (AskId(id), context.flow);
        let passage = Passage::Outside;
        self.outputs.push_back(Output::Decide { id, flow, passage });
    }

    /// Answers without keeping a transaction (section 8.2.7: above all for challenges), so that
    /// strangers fill nothing up: a repeated request is decided again, the To tag follows from
    /// the request, and the ACK is known by it. `false`: something was said already, or it is a
    /// dialog's, whose ACK would be taken for that of a 2xx.
    fn refuse_at_once(&mut self, id: u64, reject: &Reject) -> bool {
        let Some(context) = self.contexts.get_mut(&id) else {
            return false;
        };
        let silent = reject.status == StatusCode::REQUEST_TIMEOUT && !context.machine.is_invite();
        if context.in_dialog || !context.last.is_empty() || !reject.status.is_final() || silent {
            return false;
        }
        let (hop, call) = (context.upstream.clone(), context.call.take());
        let Some(request) = context.request.take() else {
            return false;
        };
        let Ok(via) = request.headers.top_via() else {
            return false;
        };
        let tag = self.marks.tag(&request, &via);
        let response = self.local_response(&request, reject, &tag);
        if let Some(call) = call {
            let (call, status) = (*call, reject.status);
            self.outputs
                .push_back(Output::Call(CallEvent::Failed { call, status }));
        }
        self.transmit(hop, response.to_bytes());
        self.forget_context(id);
        true
    }

    /// The way of a request of a dialog ([`Passage::Dialog`] with no flow that failed) to a side
    /// that has no flow: its Request-URI, by the address that the dialog's first request was sent
    /// to, or came from. `None`: it waits for no decision, or its side had a flow.
    ///
    /// The token proves that this is a way of this dialog, not that this request is welcome
    /// there: whoever began the dialog can put any method and any tag beside the token.
    #[must_use]
    pub fn dialog_way(&self, id: AskId) -> Option<Way> {
        let target = self.contexts.get(&id.0)?.sealed.as_deref()?;
        let request = self.request(id)?;
        Some(Way::to(request.uri.clone()).at(target.clone()))
    }

    /// Answers a request of a context ourselves.
    pub(super) fn refuse(&mut self, id: u64, reject: &Reject, now: Duration) {
        let Some(context) = self.contexts.get(&id) else {
            return;
        };
        let Some(request) = context.request.as_deref() else {
            return;
        };
        // RFC 4320 section 4.2: nobody waits for a 408 to anything but INVITE.
        if reject.status == StatusCode::REQUEST_TIMEOUT && !context.machine.is_invite() {
            self.forget_context(id);
            return;
        }
        let tag = match request.headers.top_via() {
            Ok(via) => self.marks.tag(request, &via),
            Err(_) => return,
        };
        let response = self.local_response(request, reject, &tag);
        self.final_upstream(id, &response, now);
    }

    /// Sends a final response upstream and notes the end of a call that nobody answered.
    pub(super) fn final_upstream(&mut self, id: u64, response: &Response, now: Duration) {
        let call = self.contexts.get_mut(&id).and_then(|c| c.call.take());
        if let Some(call) = call {
            let (call, status) = (*call, response.status);
            self.outputs
                .push_back(Output::Call(CallEvent::Failed { call, status }));
        }
        self.send_upstream(id, response, now);
    }

    pub(super) fn forward(&mut self, id: u64, forward: Forward, now: Duration) {
        let limits = &self.config.limits;
        let (branches_max, breadth_max) = (limits.branches_max, limits.breadth_max);
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        let Some(request) = context.request.as_deref() else {
            return;
        };
        let breadth = breadth(
            request.headers.get_str(&HeaderName::MaxBreadth),
            breadth_max,
        );
        let branches: usize = forward.groups.iter().map(|g| g.branches.len()).sum();
        let widest = forward.groups.iter().map(|g| g.branches.len()).max();
        if branches > branches_max || widest.unwrap_or(0) > usize::from(breadth) {
            // RFC 5393 section 5.3.3: 440 where the branches exceed the breadth.
            self.counters.loops += 1;
            self.refuse(id, &Reject::new(StatusCode::MAX_BREADTH_EXCEEDED), now);
            return;
        }
        let mut started = None;
        if let Some(call) = &context.call {
            let (from, to) = (request.headers.from(), request.headers.to());
            if let (Ok(from), Ok(to)) = (from, to) {
                started = Some(CallEvent::Started {
                    call: (**call).clone(),
                    id: AskId(id),
                    from: Box::new(from.uri),
                    to: Box::new(to.uri),
                });
            }
        }
        context.phase = Phase::Forwarding;
        let open_for = forward.open_for.filter(|_| context.machine.is_invite());
        context.open_until = open_for.map(|most| now.saturating_add(most));
        context.plan = Some(Box::new(Plan::new(forward, breadth)));
        self.outputs.extend(started.map(Output::Call));
        self.advance(id, now);
    }

    /// Starts the next group when no branch is pending; without one, the best response is sent.
    pub(super) fn advance(&mut self, id: u64, now: Duration) {
        loop {
            let Some(context) = self.contexts.get_mut(&id) else {
                return;
            };
            if context.phase != Phase::Forwarding || !context.pending.is_empty() {
                return;
            }
            context.group_until = None;
            // After a 6xx, a 2xx or a CANCEL there are no new branches.
            let stop = context.cancelled
                || context
                    .best
                    .as_ref()
                    .is_some_and(|best| best.status.class() == 6);
            let plan = context.plan.as_deref_mut().filter(|_| !stop);
            let group = plan.and_then(|plan| Some((plan.groups.pop_front()?, plan.breadth)));
            let Some((group, breadth)) = group else {
                if context.open_until.is_some() && !stop {
                    return self.await_joining(id, now);
                }
                self.send_best(id, now);
                return;
            };
            let count = u16::try_from(group.branches.len().max(1)).unwrap_or(u16::MAX);
            let share = (breadth / count).max(1);
            context.group_until = group.ringing_max.map(|max| now.saturating_add(max));
            let clients: Vec<u64> = group
                .branches
                .into_iter()
                .map(|branch| self.add_client(id, branch, share))
                .collect();
            for client in clients {
                self.next_way(client, now);
            }
            self.shrink(id);
            self.schedule_context(id);
        }
    }

    pub(super) fn add_client(&mut self, context: u64, branch: Branch, breadth: u16) -> u64 {
        let id = self.next_id();
        let secret = self.tokens.next_u64();
        let client = Client::new(context, branch, secret, breadth);
        self.clients.insert(id, Box::new(client));
        if let Some(context) = self.contexts.get_mut(&context) {
            context.pending.push(id);
        }
        id
    }

    /// Sends the request of a branch by its next way.
    pub(super) fn next_way(&mut self, id: u64, now: Duration) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let Some(way) = client.ways.pop_front() else {
            self.branch_failed(id, StatusCode::TEMPORARILY_UNAVAILABLE, now);
            self.forget_client(id);
            return;
        };
        let context = self.contexts.get(&client.context);
        let Some(request) = context.and_then(|context| context.request.as_deref()) else {
            return;
        };
        let own = way.route.is_empty() && way.uri == request.uri;
        let sealed = context.and_then(|context| context.sealed.as_deref());
        let sealed = sealed.filter(|_| own).cloned().map(Hop::Target);
        if let Some(hop) = way.hop.clone().or(sealed) {
            self.send_way(id, &way, hop, now);
            return;
        }
        // The first route of the decision, else the Request-URI; never a route of the caller.
        let uri = match way.route.first() {
            Some(route) => route.uri.clone(),
            None => copy::towards(request, &way).uri,
        };
        match route::reach(&uri) {
            Reach::Hop(hop) => self.send_way(id, &way, hop, now),
            Reach::Name if self.resolving.len() < self.config.limits.resolving_max => {
                client.resolving = Some(Box::new(way));
                self.resolve(id, uri);
            }
            Reach::Name | Reach::Nowhere => {
                self.branch_failed(id, StatusCode::SERVICE_UNAVAILABLE, now);
                self.forget_client(id);
            }
        }
    }

    fn send_way(&mut self, id: u64, way: &Way, hop: Hop, now: Duration) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let Some(context) = self.contexts.get(&client.context) else {
            return;
        };
        let (Some(request), Some(plan)) = (context.request.as_deref(), context.plan.as_deref())
        else {
            return;
        };
        let mark = BranchMark {
            loop_mark: context.loop_mark,
            client: id,
            secret: client.secret,
        };
        let mut copy = copy::towards(request, way);
        let outgoing = copy::Outgoing {
            config: &self.config,
            tokens: &self.flow_tokens,
            context,
            plan,
            hop: &hop,
            branch: &mark.to_branch(),
            breadth: client.breadth,
            routed: !way.route.is_empty(),
        };
        outgoing.finish(&mut copy);
        let bytes = copy.to_bytes();
        let reliable = hop.transport().is_reliable();
        let timers = self.config.timers;
        client.machine = if copy.method == Method::Invite {
            client.template = copy::template(&copy).into();
            client.timer_c = Some(now.saturating_add(timers.c()));
            client.sent_at = now;
            ClientMachine::Invite(ClientInvite::new(timers, reliable, now))
        } else {
            ClientMachine::Other(ClientNonInvite::new(timers, reliable, now))
        };
        client.sent = bytes.clone().into();
        client.silent_until = client.silence_max.map(|max| now.saturating_add(max));
        client.hop = Some(hop.clone());
        let context = client.context;
        self.transmit(hop, bytes);
        self.schedule_client(id);
        self.shrink(context);
    }

    /// Lets go of what only further copies would need.
    pub(super) fn shrink(&mut self, id: u64) {
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        let more = context.plan.as_ref().is_some_and(|p| !p.groups.is_empty());
        let more = more || context.open_until.is_some();
        if more || context.in_dialog || context.phase != Phase::Forwarding {
            return;
        }
        let clients = &self.clients;
        let waiting = |id: &u64| {
            clients.get(id).is_some_and(|client| {
                !client.ways.is_empty() || matches!(client.machine, ClientMachine::Resolving)
            })
        };
        if context.pending.iter().any(waiting) || context.plan.is_none() {
            return;
        }
        context.plan = None;
        if let Some(request) = context.request.take() {
            context.request = Some(Box::new(answerable(&request)));
        }
    }

    /// A way of a branch is dead, or nobody answered on it. The next way of the branch is tried;
    /// without one, the branch is over.
    pub(super) fn branch_failed(&mut self, id: u64, status: StatusCode, now: Duration) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        if std::mem::replace(&mut client.done, true) {
            return;
        }
        client.timer_c = None;
        client.sent = Box::default();
        let owner = client.context;
        let ways = std::mem::take(&mut client.ways);
        let (label, breadth, silence_max) = (client.label, client.breadth, client.silence_max);
        client.silent_until = None;
        let cancelled = !matches!(client.cancel, super::Cancel::No);
        let Some(context) = self.contexts.get_mut(&owner) else {
            return;
        };
        context.pending.retain(|pending| *pending != id);
        let open = context.phase == Phase::Forwarding && !context.cancelled && !cancelled;
        if open && !ways.is_empty() {
            let ways = ways.into();
            let branch = Branch {
                ways,
                label,
                silence_max,
            };
            let next = self.add_client(owner, branch, breadth);
            self.next_way(next, now);
            return;
        }
        let by_flow = status == StatusCode::FLOW_FAILED;
        if open && by_flow && context.in_dialog && !context.asked_again {
            self.ask_again(owner, id, now);
            return;
        }
        self.add_candidate(owner, status);
        self.advance(owner, now);
    }

    /// The flow of a dialog is gone: its owner may have come back by another one, and whoever
    /// decides knows it by the GRUU in the Request-URI.
    fn ask_again(&mut self, id: u64, client: u64, now: Duration) {
        let failed = self
            .clients
            .get(&client)
            .and_then(|c| c.hop.as_ref()?.flow());
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        context.asked_again = true;
        context.phase = Phase::Deciding;
        let until = now.saturating_add(self.config.limits.decision_max);
        context.group_until = context.machine.is_invite().then_some(until);
        context.plan = None;
        let flow = context.flow;
        // Only which flow failed matters to the decision, not which way the request went.
        let direction = Direction::ToCallee;
        self.outputs.push_back(Output::Decide {
            id: AskId(id),
            flow,
            passage: Passage::Dialog { direction, failed },
        });
        self.schedule_context(id);
    }

    /// A final response of our own takes part in the choice.
    fn add_candidate(&mut self, id: u64, status: StatusCode) {
        let Some(context) = self.contexts.get(&id) else {
            return;
        };
        let (best, request) = (context.best.as_deref(), context.request.as_deref());
        if best.is_some_and(|best| rank(best.status) <= rank(status)) {
            return;
        }
        let tagged = request.and_then(|request| {
            let via = request.headers.top_via().ok()?;
            let tag = self.marks.tag(request, &via);
            Some(self.local_response(request, &Reject::new(status), &tag))
        });
        if let Some(response) = tagged
            && let Some(context) = self.contexts.get_mut(&id)
        {
            context.best = Some(Box::new(response));
        }
    }

    /// The group has rung long enough.
    pub(super) fn group_timeout(&mut self, id: u64, now: Duration) {
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        if context.group_until.is_some_and(|until| until <= now) {
            context.group_until = None;
            if context.phase == Phase::Deciding {
                self.refuse(id, &Reject::new(StatusCode::SERVER_TIMEOUT), now);
                return;
            }
            let reason = vec![REASON_NO_ANSWER.to_vec()];
            self.cancel_pending(id, &reason, now);
            self.advance(id, now);
        }
    }
}

/// Max-Breadth of a request (RFC 5393 section 5.3.1), never more than our own limit.
fn breadth(value: Option<&str>, most: u16) -> u16 {
    value
        .and_then(|value| value.trim().parse().ok())
        .map_or(most, |given: u16| given.min(most))
}
