//! Our calls: attempts on their targets, one after the other (RFC 3261 section 13.2, RFC 3263
//! section 4.3).

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Endpoint;
use super::build::{Draft, numeric_target, put_body, question};
use super::call::{Call, Caller, Cancel, Context, Phase, Purpose, Side};
use super::event::{CallHandle, CommandError, Event, FailureCause};
use super::request::{InviteRequest, Reliable};
use crate::dialog::preset_route;
use crate::gruu::Gruus;
use crate::target::Target;
use crate::transaction::TransactionId;
use crate::{HeaderName, Method};

impl Endpoint {
    /// Calls. The outcome comes as events.
    ///
    /// # Errors
    /// When there is no target or no room for another call.
    pub fn invite(
        &mut self,
        request: InviteRequest,
        now: Duration,
    ) -> Result<CallHandle, CommandError> {
        let Some(first) = request.targets.first().cloned() else {
            return Err(CommandError::Invalid(
                "no target: resolve the next hop first (RFC 3263)".to_owned(),
            ));
        };
        self.check_room_for_call()?;
        let max = self.config.limits.client_transactions_max;
        if self.transactions.counts().0 >= max {
            let what = "client transactions";
            return Err(CommandError::TooMany { what, max });
        }
        let handle = self.next_handle();
        let contact = request
            .contact
            .clone()
            .unwrap_or_else(|| self.contact_for(&first));
        let call_id = request.call_id.clone();
        let caller = Caller {
            call_id: call_id.unwrap_or_else(|| self.tokens.call_id()),
            local_tag: self.tokens.tag(),
            seq: self.tokens.cseq(),
            transaction: None,
            targets: request.targets.iter().cloned().collect(),
            target: None,
            contacts: VecDeque::new(),
            visited: BTreeSet::from([request.request_uri.to_string()]),
            redirects: 0,
            resolving: None,
            attempts: 0,
            early: BTreeMap::new(),
            give_up_at: None,
            ringing_until: None,
            cancel: Cancel::No,
            repaired: BTreeSet::new(),
            last_response: None,
            owed: None,
            request,
        };
        let end_on_session_expiry = caller
            .request
            .end_on_session_expiry
            .unwrap_or(self.config.end_on_session_expiry);
        let call = Call {
            phase: Phase::Calling,
            dialog: None,
            flow: first,
            contact,
            change_rows: Vec::new(),
            credentials: caller.request.credentials.clone(),
            session: None,
            session_config: caller.request.session_timer,
            end_on_session_expiry,
            local_body: caller.request.body.clone(),
            peer_allows_update: false,
            change_out: None,
            change_again: None,
            change_in: None,
            ack_awaited: None,
            was_referred: false,
            bye_wanted: None,
            side: Side::Caller(Box::new(caller)),
        };
        self.calls.insert(handle, call);
        self.next_attempt(handle, FailureCause::TransportFailed, now);
        self.settle(now);
        Ok(CallHandle(handle))
    }

    /// Tries the next target, else the next contact of a redirection, else gives up with `cause`.
    pub(super) fn next_attempt(&mut self, handle: u64, cause: FailureCause, now: Duration) {
        let attempts_max = self.config.limits.attempts_max;
        loop {
            let Some(call) = self.calls.get_mut(&handle) else {
                return;
            };
            if call.phase == Phase::Cancelling {
                self.call_cancelled(handle, now);
                return;
            }
            let Some(caller) = call.caller() else {
                return;
            };
            caller.transaction = None;
            caller.give_up_at = None;
            if caller.attempts >= attempts_max {
                self.fail_call(handle, cause, now);
                return;
            }
            if let Some(target) = caller.targets.pop_front() {
                caller.attempts += 1;
                caller.target = Some(target);
                if self.attempt(handle, None, now) {
                    return;
                }
                continue;
            }
            let Some(uri) = caller.contacts.pop_front() else {
                self.fail_call(handle, cause, now);
                return;
            };
            // A preset route still leads to the outbound proxy (section 8.1.1.1).
            if !caller.request.route.is_empty() {
                caller.request.request_uri = uri;
                caller.targets = caller.request.targets.iter().cloned().collect();
            } else if let Some(target) = numeric_target(&uri, None) {
                caller.request.request_uri = uri;
                caller.targets = VecDeque::from([target]);
            } else if let Some(question) = question(&uri) {
                caller.resolving = Some(uri);
                self.event(Event::RedirectNeedsTargets {
                    call: CallHandle(handle),
                    question,
                });
                return;
            }
        }
    }

    /// Sends the INVITE to the present target; `previous`: the context of the attempt that was
    /// challenged or repaired, for its credentials.
    pub(super) fn attempt(
        &mut self,
        handle: u64,
        previous: Option<&Context>,
        now: Duration,
    ) -> bool {
        let Some(call) = self.calls.get_mut(&handle) else {
            return false;
        };
        call.phase = Phase::Calling;
        let session = call.session_config;
        let contact = call.contact.clone();
        let Side::Caller(caller) = &mut call.side else {
            return false;
        };
        let Some(target) = caller.target.clone() else {
            return false;
        };
        caller.seq += 1;
        caller.early.clear();
        caller.ringing_until = None;
        caller.give_up_at = caller
            .request
            .first_response_max
            .map(|patience| now.saturating_add(patience));
        let wanted = &caller.request;
        let (uri, routes) = preset_route(&wanted.request_uri, &wanted.route);
        let from = wanted.from.clone().with_tag(&caller.local_tag);
        let mut to = wanted.to.clone();
        to.params.remove("tag");
        let mut request = Draft {
            method: Method::Invite,
            uri,
            routes: &routes,
            from: &from,
            to: &to,
            call_id: &caller.call_id,
            seq: caller.seq,
        }
        .request();
        let own_contact = wanted.contact.is_none();
        let reliable = wanted.reliable;
        let extra = wanted.headers.clone();
        let body = wanted.body.clone();
        let credentials = wanted.credentials.clone();
        let headers = &mut request.headers;
        headers.push_display(HeaderName::Contact, &contact);
        self.push_abilities(headers);
        let mut supported = vec!["timer"];
        match reliable {
            Reliable::Off => {}
            Reliable::Supported => supported.push("100rel"),
            Reliable::Required => headers.push(HeaderName::Require, "100rel"),
        }
        if self.config.transfers {
            supported.push("replaces");
        }
        if contact.uri.as_sip().is_some_and(Gruus::is_gruu) {
            supported.push("gruu");
        }
        headers.push(HeaderName::Supported, supported.join(", "));
        if let Some(session) = session {
            super::session::push_wish(headers, session);
        }
        for (name, value) in extra {
            headers.push(name, value);
        }
        put_body(headers, &mut request.body, body.as_ref());
        let Some(mut context) = Self::context(
            Purpose::Invite,
            Some(handle),
            request,
            VecDeque::from([target]),
            credentials,
        ) else {
            return false;
        };
        context.own_contact = own_contact;
        if let Some(previous) = previous {
            context.digests.clone_from(&previous.digests);
            context.challenges = previous.challenges;
            context.large_tried = previous.large_tried;
            context.target = previous.target.clone();
            context.remaining.clone_from(&previous.remaining);
            self.put_credentials(&mut context);
        }
        self.send(context, now)
    }

    /// Notes by which transaction and way a call's request is out.
    pub(super) fn note_sent(&mut self, context: &Context, id: TransactionId, target: Target) {
        let Some(call) = context.call.and_then(|handle| self.calls.get_mut(&handle)) else {
            return;
        };
        match context.purpose {
            Purpose::Invite => {
                call.flow = target;
                if let Some(caller) = call.caller() {
                    caller.transaction = Some(id);
                }
            }
            Purpose::Reinvite { .. } | Purpose::Update { .. } => call.change_out = Some(id),
            _ => {}
        }
    }

    /// The present attempt failed without a response.
    pub(super) fn attempt_failed(
        &mut self,
        id: TransactionId,
        handle: u64,
        cause: FailureCause,
        now: Duration,
    ) {
        let context = self.contexts.get(&id).cloned();
        let Some(caller) = self.calls.get_mut(&handle).and_then(Call::caller) else {
            return;
        };
        if caller.transaction != Some(id) {
            return;
        }
        let cancelling = caller.cancel != Cancel::No;
        let target = caller.target.clone();
        if let Some(mut context) = context.filter(|_| !cancelling)
            && let Some(next) = context.remaining.pop_front()
        {
            // The same request, only by another way.
            caller.give_up_at = caller
                .request
                .first_response_max
                .map(|patience| now.saturating_add(patience));
            context.target = next;
            context.cancelled = false;
            context.give_up_at = None;
            context.acks.clear();
            // Not the same request to a peer that saw the first one after all (482).
            caller.seq += 1;
            let cseq = format!("{} INVITE", caller.seq);
            context.request.headers.set(HeaderName::CSeq, cseq);
            if self.send(context, now) {
                return;
            }
        }
        if let Some(target) = target.filter(|_| !cancelling) {
            self.target_failed(handle, target, cause.clone());
        }
        self.next_attempt(handle, cause, now);
    }

    pub(super) fn target_failed(&mut self, handle: u64, target: Target, cause: FailureCause) {
        self.event(Event::TargetFailed {
            call: CallHandle(handle),
            target,
            cause,
        });
    }

    /// What is due for a call of ours.
    pub(super) fn caller_timeout(&mut self, handle: u64, now: Duration) {
        let Some(caller) = self.calls.get_mut(&handle).and_then(Call::caller) else {
            return;
        };
        let due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        if due(caller.give_up_at) {
            caller.give_up_at = None;
            if let Some(id) = caller.transaction {
                // The old INVITE stays, so that a late answer is acknowledged and ended.
                self.attempt_failed(id, handle, FailureCause::Timeout, now);
            }
            return;
        }
        if due(caller.ringing_until) {
            self.cancel_call(handle, None, true, now);
            return;
        }
        if let Cancel::Sent { until, .. } = caller.cancel
            && until <= now
        {
            let transaction = caller.transaction;
            self.call_cancelled(handle, now);
            if let Some(id) = transaction {
                self.transactions.abandon(id);
            }
        }
    }
}
