//! Our calls until they are answered: attempts, fail-over, redirection, CANCEL (RFC 3261
//! sections 8.1.3.4, 9.1, 13.2, RFC 3263 section 4.3).

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::build::{Draft, caller_dialog, dialog_targets, numeric_target, put_body, question};
use super::call::{Call, Caller, Cancel, Context, Early, Phase, Purpose, Side};
use super::config::RedirectPolicy;
use super::event::{CallHandle, CommandError, EndedBy, Event, FailureCause};
use super::request::{InviteRequest, Reliable};
use super::{Endpoint, Output};
use crate::dialog::{DialogState, preset_route};
use crate::reliable::{ReliableOrder, ReliableReceiver};
use crate::target::Target;
use crate::transaction::{ClientInviteState, TransactionId};
use crate::{HeaderName, Method, NameAddr, Request, Response, StatusCode, Uri};

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
        let handle = self.next_handle();
        let contact = request
            .contact
            .clone()
            .unwrap_or_else(|| self.contact_for(&first));
        let caller = Caller {
            call_id: self.tokens.call_id(),
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
            credentials: caller.request.credentials.clone(),
            session: None,
            session_config: caller.request.session_timer,
            end_on_session_expiry,
            local_body: caller.request.body.clone(),
            peer_allows_update: false,
            peer_supports_timer: false,
            change_out: None,
            change_again: None,
            change_in: None,
            ack_awaited: None,
            bye_wanted: None,
            side: Side::Caller(Box::new(caller)),
        };
        self.calls.insert(handle, call);
        self.next_attempt(handle, FailureCause::TransportFailed, now);
        self.settle(now);
        Ok(CallHandle(handle))
    }

    /// The targets of the name in [`Event::RedirectNeedsTargets`]; none: the next contact is
    /// tried.
    ///
    /// # Errors
    /// When the call does not wait for them.
    pub fn redirect(
        &mut self,
        call: CallHandle,
        targets: Vec<Target>,
        now: Duration,
    ) -> Result<(), CommandError> {
        let entry = self
            .calls
            .get_mut(&call.0)
            .ok_or(CommandError::UnknownCall)?;
        let state = entry.phase.as_str();
        let wrong = CommandError::WrongState {
            command: "redirect",
            state,
        };
        let caller = entry.caller().ok_or(wrong.clone())?;
        let uri = caller.resolving.take().ok_or(wrong)?;
        caller.request.request_uri = uri;
        caller.targets = targets.into();
        self.next_attempt(call.0, FailureCause::TransportFailed, now);
        self.settle(now);
        Ok(())
    }

    /// Takes back a call that is not answered yet (section 9.1). When the answer crosses it, the
    /// call is acknowledged and ended.
    ///
    /// # Errors
    /// When the call is not ours or was answered.
    pub fn cancel(
        &mut self,
        call: CallHandle,
        reason: Option<&str>,
        now: Duration,
    ) -> Result<(), CommandError> {
        let entry = self
            .calls
            .get_mut(&call.0)
            .ok_or(CommandError::UnknownCall)?;
        match entry.phase {
            Phase::Calling | Phase::Proceeding => {}
            Phase::Cancelling => return Ok(()),
            phase => {
                return Err(CommandError::WrongState {
                    command: "cancel",
                    state: phase.as_str(),
                });
            }
        }
        self.cancel_call(call.0, reason.map(str::to_owned), false, now);
        self.settle(now);
        Ok(())
    }

    pub(super) fn cancel_call(
        &mut self,
        handle: u64,
        reason: Option<String>,
        unanswered: bool,
        now: Duration,
    ) {
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        let Some(caller) = call.caller() else {
            return;
        };
        caller.give_up_at = None;
        caller.ringing_until = None;
        caller.cancel = Cancel::Wanted { reason, unanswered };
        let transaction = caller.transaction;
        call.phase = Phase::Cancelling;
        match transaction.and_then(|id| self.transactions.client_invite_state(id)) {
            Some(ClientInviteState::Proceeding) => self.send_wanted_cancel(handle, now),
            // Nothing may be cancelled before a provisional response; timer B is the bound.
            Some(ClientInviteState::Calling) => {}
            _ => self.call_cancelled(handle, now),
        }
    }

    fn call_cancelled(&mut self, handle: u64, now: Duration) {
        let unanswered = match self.calls.get_mut(&handle).and_then(Call::caller) {
            Some(caller) => matches!(
                caller.cancel,
                Cancel::Wanted {
                    unanswered: true,
                    ..
                } | Cancel::Sent {
                    unanswered: true,
                    ..
                }
            ),
            None => false,
        };
        let cause = if unanswered {
            FailureCause::NotAnswered
        } else {
            FailureCause::Cancelled
        };
        self.fail_call(handle, cause, now);
    }

    /// Sends the CANCEL that was waiting for a provisional response.
    fn send_wanted_cancel(&mut self, handle: u64, now: Duration) {
        let until = now.saturating_add(self.config.timers.b());
        let Some(caller) = self.calls.get_mut(&handle).and_then(Call::caller) else {
            return;
        };
        let Cancel::Wanted { reason, unanswered } = caller.cancel.clone() else {
            return;
        };
        caller.cancel = Cancel::Sent { until, unanswered };
        if let Some(id) = caller.transaction {
            self.send_cancel(id, reason.as_deref(), now);
        }
    }

    /// CANCEL for an INVITE transaction (section 9.1): its branch, URI, routes and numbers.
    fn send_cancel(&mut self, id: TransactionId, reason: Option<&str>, now: Duration) {
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        if core::mem::replace(&mut context.cancelled, true) {
            return;
        }
        // A peer that answers neither the CANCEL nor the INVITE is given up (section 9.1).
        context.give_up_at = Some(now.saturating_add(self.config.timers.b()));
        let target = context.target.clone();
        let mut cancel = cancel_of(&context.request);
        if let Some(reason) = reason {
            cancel.headers.push(HeaderName::Reason, reason);
        }
        let context = Self::context(
            Purpose::Cancel,
            None,
            cancel.clone(),
            VecDeque::from([target.clone()]),
            Vec::new(),
        );
        // Not by `send`: a CANCEL keeps the branch of its INVITE.
        match self.transactions.send_request(cancel, target, now) {
            Ok(id) => {
                if let Some(context) = context {
                    self.contexts.insert(id, context);
                }
            }
            Err(_) => self.counters.overload_dropped += 1,
        }
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
    fn attempt(&mut self, handle: u64, previous: Option<&Context>, now: Duration) -> bool {
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

    /// A response to an INVITE that began a call.
    pub(super) fn invite_response(
        &mut self,
        id: TransactionId,
        handle: u64,
        response: Box<Response>,
        now: Duration,
    ) {
        let status = response.status;
        if status.is_success() {
            self.invite_accepted(id, handle, response, now);
            return;
        }
        let current = self
            .calls
            .get_mut(&handle)
            .and_then(Call::caller)
            .is_some_and(|caller| caller.transaction == Some(id));
        if !current {
            // An attempt given up long ago rings now: it must not be answered as well.
            if status.is_provisional() {
                self.send_cancel(id, None, now);
            }
            return;
        }
        if status.is_provisional() {
            self.invite_progress(id, handle, response, now);
        } else {
            self.invite_refused(id, handle, response, now);
        }
    }

    fn invite_progress(
        &mut self,
        id: TransactionId,
        handle: u64,
        response: Box<Response>,
        now: Duration,
    ) {
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        let first = call.phase == Phase::Calling;
        if first {
            call.phase = Phase::Proceeding;
        }
        let cancelling = call.phase == Phase::Cancelling;
        let Side::Caller(caller) = &mut call.side else {
            return;
        };
        caller.give_up_at = None;
        if cancelling {
            self.send_wanted_cancel(handle, now);
            return;
        }
        if first {
            caller.ringing_until = caller
                .request
                .ringing_max
                .map(|patience| now.saturating_add(patience));
            let target = self.contexts.get(&id).map(|context| context.target.clone());
            if let Some(target) = target {
                self.event(Event::Reached {
                    call: CallHandle(handle),
                    target,
                    status: response.status,
                });
            }
        }
        if response.status == StatusCode::TRYING {
            return;
        }
        if !self.note_early_dialog(id, handle, &response, now) {
            return;
        }
        self.event(Event::Progress {
            call: CallHandle(handle),
            response,
        });
    }

    /// Keeps the early dialog, acknowledges a reliable response; `false`: not to be looked at.
    fn note_early_dialog(
        &mut self,
        id: TransactionId,
        handle: u64,
        response: &Response,
        now: Duration,
    ) -> bool {
        let reliable = response.headers.lists(&HeaderName::Require, "100rel");
        let rseq = response.headers.rseq().ok().flatten().filter(|_| reliable);
        let Ok(to) = response.headers.to() else {
            return false;
        };
        let Some(tag) = to.tag().map(str::to_owned) else {
            // Not reliable without a dialog (RFC 3262 section 3).
            return rseq.is_none();
        };
        let Some(context) = self.contexts.get(&id) else {
            return false;
        };
        let (invite, flow) = (context.request.clone(), context.target.clone());
        let forks_max = self.config.limits.forks_max;
        let Some(call) = self.calls.get_mut(&handle) else {
            return false;
        };
        if let Ok(Some(allow)) = response.headers.allow() {
            call.peer_allows_update = allow.contains(&Method::Update);
        }
        let credentials = call.credentials.clone();
        let Some(caller) = call.caller() else {
            return false;
        };
        if !caller.early.contains_key(&tag) {
            if caller.early.len() >= forks_max {
                self.counters.overload_dropped += 1;
                return false;
            }
            let state = DialogState::Early;
            let Some(dialog) = caller_dialog(&invite, response, state, &invite.uri) else {
                return true;
            };
            self.dialogs.insert(dialog.id.clone(), handle);
            let order = ReliableReceiver::default();
            caller.early.insert(tag.clone(), Early { dialog, order });
        }
        let Some(early) = caller.early.get_mut(&tag) else {
            return false;
        };
        let Some(rseq) = rseq else {
            return true;
        };
        match early.order.receive(rseq) {
            ReliableOrder::Next => {}
            ReliableOrder::Repeated | ReliableOrder::Early => return false,
        }
        let seq = early.dialog.next_seq();
        let dialog = early.dialog.clone();
        let invite_seq = invite.headers.cseq().map_or(0, |cseq| cseq.seq);
        let mut prack = in_dialog(&dialog, Method::Prack, seq);
        prack
            .headers
            .push(HeaderName::RAck, format!("{rseq} {invite_seq} INVITE"));
        self.push_agent(&mut prack.headers, HeaderName::UserAgent);
        let targets = dialog_targets(&dialog, &flow);
        if let Some(context) =
            Self::context(Purpose::Prack, Some(handle), prack, targets, credentials)
        {
            self.send(context, now);
        }
        true
    }

    /// A 2xx to an INVITE, of the fork we wanted or of another (section 13.2.2.4).
    fn invite_accepted(
        &mut self,
        id: TransactionId,
        handle: u64,
        response: Box<Response>,
        now: Duration,
    ) {
        let Ok(to) = response.headers.to() else {
            return;
        };
        let tag = to.tag().unwrap_or_default().to_owned();
        let Some(context) = self.contexts.get(&id) else {
            return;
        };
        if let Some((target, ack)) = context.acks.get(&tag) {
            let (target, bytes) = (target.clone(), ack.clone());
            self.outputs.push_back(Output::Transmit { target, bytes });
            return;
        }
        if context.acks.len() >= self.config.limits.forks_max {
            self.counters.overload_dropped += 1;
            return;
        }
        let (invite, flow) = (context.request.clone(), context.target.clone());
        let state = DialogState::Confirmed;
        let Some(mut dialog) = caller_dialog(&invite, &response, state, &invite.uri) else {
            return;
        };
        self.acknowledge(id, &dialog, &flow, &tag, &invite, now);
        let mut wanted = false;
        let mut cancelled = false;
        if let Some(call) = self.calls.get_mut(&handle) {
            let answered = call.dialog.is_some();
            cancelled = call.phase == Phase::Cancelling;
            if let Some(caller) = call.caller()
                && caller.transaction == Some(id)
                && !answered
            {
                wanted = true;
                if let Some(early) = caller.early.get(&tag) {
                    // PRACKs used numbers of this dialog.
                    dialog.local_seq = dialog.local_seq.max(early.dialog.local_seq);
                    dialog.remote_seq = early.dialog.remote_seq;
                }
            }
        }
        if !wanted || cancelled {
            let credentials = self.contexts.get(&id).map(|c| c.credentials.clone());
            self.send_bye(dialog, &flow, credentials.unwrap_or_default(), None, now);
            if wanted {
                self.end_call(handle, EndedBy::Local, Some("cancelled".to_owned()), now);
            } else if self.calls.contains_key(&handle) {
                self.event(Event::ForkEnded {
                    call: CallHandle(handle),
                    response,
                });
            }
            return;
        }
        self.stand(handle, dialog, flow, response, now);
    }

    /// The call stands.
    fn stand(
        &mut self,
        handle: u64,
        dialog: crate::dialog::Dialog,
        flow: Target,
        response: Box<Response>,
        now: Duration,
    ) {
        self.dialogs.retain(|_, owner| *owner != handle);
        self.dialogs.insert(dialog.id.clone(), handle);
        if let Some(call) = self.calls.get_mut(&handle) {
            call.phase = Phase::Confirmed;
            call.dialog = Some(dialog);
            call.flow = flow;
            if let Ok(Some(allow)) = response.headers.allow() {
                call.peer_allows_update = allow.contains(&Method::Update);
            }
            if let Some(caller) = call.caller() {
                caller.early.clear();
                caller.targets.clear();
                caller.contacts.clear();
                caller.give_up_at = None;
                caller.ringing_until = None;
            }
            super::session::agreed(call, &response, now);
        }
        self.event(Event::Answered {
            call: CallHandle(handle),
            response,
        });
    }

    /// Sends the ACK of a 2xx and keeps it for repeated ones.
    pub(super) fn acknowledge(
        &mut self,
        id: TransactionId,
        dialog: &crate::dialog::Dialog,
        flow: &Target,
        tag: &str,
        invite: &Request,
        _now: Duration,
    ) {
        let seq = invite.headers.cseq().map_or(0, |cseq| cseq.seq);
        let mut ack = in_dialog(dialog, Method::Ack, seq);
        // The ACK cannot be challenged, so it carries what the INVITE carried (section 22.1).
        for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
            ack.headers.copy_from(&invite.headers, &name);
        }
        let Some(target) = dialog_targets(dialog, flow).pop_front() else {
            return;
        };
        self.put_via(&mut ack, &target);
        let bytes = ack.to_bytes();
        if let Some(context) = self.contexts.get_mut(&id) {
            context
                .acks
                .insert(tag.to_owned(), (target.clone(), bytes.clone()));
        }
        self.outputs.push_back(Output::Transmit { target, bytes });
    }

    /// A 3xx to 6xx to the INVITE of a call that is still wanted or being cancelled.
    fn invite_refused(
        &mut self,
        id: TransactionId,
        handle: u64,
        response: Box<Response>,
        now: Duration,
    ) {
        let context = self.contexts.get(&id).cloned();
        let max = self.config.limits.attempts_max;
        self.dialogs.retain(|_, owner| *owner != handle);
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        if call.phase == Phase::Cancelling {
            self.call_cancelled(handle, now);
            return;
        }
        let first = call.phase == Phase::Calling;
        let Some(caller) = call.caller() else {
            return;
        };
        caller.attempts += 1;
        caller.last_response = Some(response.clone());
        let bounded = caller.attempts < max;
        let target = caller.target.clone();
        if let Some(target) = target.clone().filter(|_| first) {
            self.event(Event::Reached {
                call: CallHandle(handle),
                target,
                status: response.status,
            });
        }
        let mut context = context;
        let again = bounded
            && match response.status {
                StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => context
                    .as_mut()
                    .is_some_and(|context| self.answer_challenge(context, &response)),
                _ => self.repair(handle, &response),
            };
        if again {
            self.attempt(handle, context.as_ref(), now);
            return;
        }
        let cause = FailureCause::Response(response.clone());
        match response.status.class() {
            3 => self.redirected(handle, response, now),
            // Only 503 says something of the server rather than of the callee (RFC 3263 4.3).
            _ if response.status == StatusCode::SERVICE_UNAVAILABLE => {
                if let Some(target) = target {
                    self.target_failed(handle, target, cause.clone());
                }
                self.next_attempt(handle, cause, now);
            }
            6 => self.fail_call(handle, cause, now),
            _ => {
                // Other contacts of a redirection may still do; other targets lead to the same.
                if let Some(caller) = self.calls.get_mut(&handle).and_then(Call::caller) {
                    caller.targets.clear();
                }
                self.next_attempt(handle, cause, now);
            }
        }
    }

    /// Mends what a response complains about, once each; `true`: send the INVITE again.
    fn repair(&mut self, handle: u64, response: &Response) -> bool {
        let Some(call) = self.calls.get_mut(&handle) else {
            return false;
        };
        let Side::Caller(caller) = &mut call.side else {
            return false;
        };
        match response.status {
            StatusCode::SESSION_INTERVAL_TOO_SMALL => {
                super::session::raise(&mut call.session_config, response)
            }
            StatusCode::BAD_EXTENSION => {
                // The call is worth more than reliable provisional responses.
                let rejected = response.headers.lists(&HeaderName::Unsupported, "100rel");
                let required = caller.request.reliable == Reliable::Required;
                if rejected && required {
                    caller.request.reliable = Reliable::Off;
                }
                rejected && required && caller.repaired.insert(420)
            }
            StatusCode::EXTENSION_REQUIRED => {
                let mut mended = false;
                if response.headers.lists(&HeaderName::Require, "100rel")
                    && caller.request.reliable == Reliable::Off
                {
                    caller.request.reliable = Reliable::Supported;
                    mended = true;
                }
                if response.headers.lists(&HeaderName::Require, "timer")
                    && call.session_config.is_none()
                {
                    call.session_config = Some(crate::session_timer::SessionTimerConfig::default());
                    mended = true;
                }
                mended && caller.repaired.insert(421)
            }
            _ => false,
        }
    }

    /// A 3xx (section 8.1.3.4): its contacts by falling q, none twice, a bounded number.
    fn redirected(&mut self, handle: u64, response: Box<Response>, now: Duration) {
        let RedirectPolicy::Follow { targets_max } = self.config.redirects else {
            self.fail_call(handle, FailureCause::Response(response), now);
            return;
        };
        let Some(caller) = self.calls.get_mut(&handle).and_then(Call::caller) else {
            return;
        };
        let mut contacts: Vec<NameAddr> = match response.headers.contacts() {
            Ok(crate::typed::Contacts::List(list)) => list,
            _ => Vec::new(),
        };
        contacts.retain(|contact| contact.uri.as_sip().is_some());
        if contacts.is_empty() {
            self.fail_call(handle, FailureCause::Response(response), now);
            return;
        }
        // A stable sort: equal q keeps the order of the response.
        contacts.sort_by_key(|contact| core::cmp::Reverse(contact.q().unwrap_or(1_000)));
        let mut fresh = VecDeque::new();
        for contact in contacts {
            if caller.redirects >= targets_max {
                break;
            }
            let uri = match contact.uri {
                Uri::Sip(uri) => Uri::Sip(uri.for_request_uri()),
                other => other,
            };
            if caller.visited.insert(uri.to_string()) {
                caller.redirects += 1;
                fresh.push_back(uri);
            }
        }
        if fresh.is_empty() && caller.contacts.is_empty() {
            self.fail_call(handle, FailureCause::RedirectLoop(response), now);
            return;
        }
        fresh.append(&mut caller.contacts);
        caller.contacts = fresh;
        caller.targets.clear();
        self.next_attempt(handle, FailureCause::RedirectLoop(response), now);
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

    fn target_failed(&mut self, handle: u64, target: Target, cause: FailureCause) {
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

/// A request inside a dialog (section 12.2.1.1), without Via.
pub(super) fn in_dialog(dialog: &crate::dialog::Dialog, method: Method, seq: u32) -> Request {
    let (uri, routes) = dialog.request_line();
    Draft {
        method,
        uri,
        routes: &routes,
        from: &dialog.local,
        to: &dialog.remote,
        call_id: &dialog.id.call_id,
        seq,
    }
    .request()
}

fn cancel_of(invite: &Request) -> Request {
    let mut cancel = Request::new(Method::Cancel, invite.uri.clone());
    let headers = &mut cancel.headers;
    if let Some(via) = invite.headers.get(&HeaderName::Via) {
        headers.push(HeaderName::Via, via);
    }
    headers.push(HeaderName::MaxForwards, "70");
    for name in [
        HeaderName::Route,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
    ] {
        headers.copy_from(&invite.headers, &name);
    }
    if let Ok(cseq) = invite.headers.cseq() {
        headers.push(HeaderName::CSeq, format!("{} CANCEL", cseq.seq));
    }
    cancel
}
