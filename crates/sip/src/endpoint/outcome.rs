//! What comes back for our INVITE: progress, answers of one or several forks, refusals that can be
//! mended, redirections (RFC 3261 sections 8.1.3 and 13.2.2).

use core::time::Duration;
use std::collections::VecDeque;

use super::build::{caller_dialog, dialog_targets, in_dialog};
use super::call::{Call, Early, Phase, Purpose, Side};
use super::config::RedirectPolicy;
use super::event::{CallHandle, CommandError, EndedBy, Event, FailureCause};
use super::request::Reliable;
use super::{Endpoint, Output};
use crate::dialog::DialogState;
use crate::reliable::{ReliableOrder, ReliableReceiver};
use crate::target::Target;
use crate::transaction::TransactionId;
use crate::{HeaderName, Method, NameAddr, Request, Response, StatusCode, Uri};

impl Endpoint {
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
        if self.is_owed(handle, id, &tag) {
            return;
        }
        let state = DialogState::Confirmed;
        let Some(mut dialog) = caller_dialog(&invite, &response, state, &invite.uri) else {
            return;
        };
        let mut wanted = false;
        let mut cancelled = false;
        if let Some(call) = self.calls.get_mut(&handle) {
            let answered = call.dialog.is_some();
            cancelled = call.phase == Phase::Cancelling;
            if let Some(caller) = call.caller()
                && answered
            {
                // The early dialogs are gone; their PRACKs may have used numbers of this one.
                dialog.local_seq = dialog.local_seq.max(caller.seq);
            } else if let Some(caller) = call.caller()
                && caller.transaction == Some(id)
            {
                wanted = true;
                if let Some(early) = caller.early.get(&tag) {
                    // PRACKs used numbers of this dialog.
                    dialog.local_seq = dialog.local_seq.max(early.dialog.local_seq);
                    dialog.remote_seq = early.dialog.remote_seq;
                }
            }
        }
        let stands = wanted && !cancelled;
        if !(stands && self.owe_answer(handle, id, &tag, &invite, &response)) {
            self.acknowledge(id, &dialog, &flow, &tag, &invite, now);
        }
        if !stands {
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
                let used = caller.early.values().map(|early| early.dialog.local_seq);
                caller.seq = used.max().unwrap_or(0).max(caller.seq);
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
        now: Duration,
    ) {
        self.acknowledge_offer(id, dialog, flow, tag, invite, None, now);
    }

    /// The same with the answer to an offer in the 2xx.
    #[allow(clippy::too_many_arguments, reason = "one ACK, and what it is made of")]
    pub(super) fn acknowledge_offer(
        &mut self,
        id: TransactionId,
        dialog: &crate::dialog::Dialog,
        flow: &Target,
        tag: &str,
        invite: &Request,
        answer: Option<&super::Body>,
        _now: Duration,
    ) {
        let seq = invite.headers.cseq().map_or(0, |cseq| cseq.seq);
        let mut ack = in_dialog(dialog, Method::Ack, seq);
        // The ACK cannot be challenged, so it carries what the INVITE carried (section 22.1).
        for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
            ack.headers.copy_from(&invite.headers, &name);
        }
        Self::put_answer(&mut ack, answer);
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
        let asks = matches!(
            response.status,
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED
        );
        if let Some(target) = target.clone().filter(|_| first || asks) {
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
        let cause = FailureCause::Response(response.clone());
        if again {
            // Without room for another transaction nothing more comes of it.
            if !self.attempt(handle, context.as_ref(), now) {
                self.fail_call(handle, cause, now);
            }
            return;
        }
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
}
