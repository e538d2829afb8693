//! Incoming calls until they stand (RFC 3261 sections 9.2 and 13.3, RFC 3262 section 3).

use core::time::Duration;

use super::Endpoint;
use super::build::{callee_dialog, put_body};
use super::call::{AckAwaited, Call, Callee, Phase, Side};
use super::event::{CallHandle, CommandError, EndedBy, Event, Source};
use super::request::{Body, Refusal};
use crate::reliable::{ReliableDue, ReliableSender};
use crate::session_timer::SessionAnswer;
use crate::transaction::TransactionId;
use crate::{HeaderName, Method, Request, Response, StatusCode};

impl Endpoint {
    /// Answers an incoming call with a provisional response, 101 to 199. With `reliable` it is
    /// sent reliably where the caller can (RFC 3262); where the caller demands it, always.
    ///
    /// # Errors
    /// When the call does not wait for an answer, or too many reliable responses wait.
    pub fn ring(
        &mut self,
        call: CallHandle,
        status: StatusCode,
        body: Option<Body>,
        reliable: bool,
        now: Duration,
    ) -> Result<(), CommandError> {
        if !status.is_provisional() || status == StatusCode::TRYING {
            return Err(CommandError::Invalid(format!(
                "cannot ring with {status}: a status from 101 to 199 is needed"
            )));
        }
        self.offered(call, "ring")?;
        let entry = self.calls.get(&call.0).ok_or(CommandError::UnknownCall)?;
        let Side::Callee(callee) = &entry.side else {
            return Err(CommandError::UnknownCall);
        };
        let reliably = callee.requires_reliable
            || (reliable && callee.supports_reliable && self.config.reliable_provisional);
        let transaction = callee.transaction;
        let tag = entry.dialog.as_ref().map(|d| d.id.local_tag.clone());
        let mut response = self.response(
            &callee.request,
            status,
            tag.as_deref(),
            Some(&entry.contact),
        );
        response.headers.push(HeaderName::Allow, self.allow());
        put_body(&mut response.headers, &mut response.body, body.as_ref());
        if reliably {
            response.headers.push(HeaderName::Require, "100rel");
        }
        let entry = self
            .calls
            .get_mut(&call.0)
            .ok_or(CommandError::UnknownCall)?;
        let has_session = body.is_some();
        if body.is_some() {
            entry.local_body = body;
        }
        if let Some(callee) = entry.callee() {
            callee.rang = true;
        }
        if !reliably {
            self.transactions.respond(transaction, &response, now);
        } else if let Some(callee) = entry.callee() {
            let max = crate::reliable::WAITING_MAX;
            let what = "reliable provisional responses";
            match callee.reliable.send(response, has_session, now) {
                Ok(Some((rseq, response))) => self.send_reliable(transaction, rseq, response, now),
                Ok(None) => {}
                Err(_) => return Err(CommandError::TooMany { what, max }),
            }
        }
        self.settle(now);
        Ok(())
    }

    /// Answers an incoming call with 200. Waits by itself for the PRACK of an offer or answer
    /// that is still out.
    ///
    /// # Errors
    /// When the call does not wait for an answer.
    pub fn accept(
        &mut self,
        call: CallHandle,
        body: Option<Body>,
        now: Duration,
    ) -> Result<(), CommandError> {
        self.accept_with(call, Vec::new(), body, now)
    }

    /// The same with further rows in the 200, such as an Identity.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    pub fn accept_with(
        &mut self,
        call: CallHandle,
        rows: Vec<(HeaderName, Vec<u8>)>,
        body: Option<Body>,
        now: Duration,
    ) -> Result<(), CommandError> {
        self.offered(call, "accept")?;
        let callee = self.calls.get_mut(&call.0).and_then(Call::callee);
        let callee = callee.ok_or(CommandError::UnknownCall)?;
        callee.accept_rows = rows;
        if callee.reliable.holds_success_back() {
            callee.accept_wanted = Some(body);
        } else {
            self.accept_now(call.0, body, now);
        }
        self.settle(now);
        Ok(())
    }

    /// Refuses or redirects an incoming call.
    ///
    /// # Errors
    /// When the call does not wait for an answer, or the status is below 300.
    pub fn reject(
        &mut self,
        call: CallHandle,
        refusal: Refusal,
        now: Duration,
    ) -> Result<(), CommandError> {
        check_refusal(&refusal)?;
        self.offered(call, "reject")?;
        let reason = format!("refused with {}", refusal.status);
        self.refuse_call(call.0, refusal, now);
        self.end_call(call.0, EndedBy::Local, Some(reason), now);
        self.settle(now);
        Ok(())
    }

    fn offered(&self, call: CallHandle, command: &'static str) -> Result<(), CommandError> {
        let entry = self.calls.get(&call.0).ok_or(CommandError::UnknownCall)?;
        if entry.phase == Phase::Offered {
            return Ok(());
        }
        let state = entry.phase.as_str();
        Err(CommandError::WrongState { command, state })
    }

    /// An INVITE outside a dialog.
    pub(super) fn incoming_invite(
        &mut self,
        id: TransactionId,
        request: Box<Request>,
        source: Source,
        now: Duration,
    ) {
        let tag = self.tokens.tag();
        let headers = &request.headers;
        let requires_reliable = headers.lists(&HeaderName::Require, "100rel");
        let supports_reliable =
            requires_reliable || headers.lists(&HeaderName::Supported, "100rel");
        if self.calls.len() >= self.config.limits.calls_max {
            self.counters.overload_answered += 1;
            let mut response =
                self.response(&request, StatusCode::SERVICE_UNAVAILABLE, Some(&tag), None);
            response.headers.push(HeaderName::RetryAfter, "10");
            self.transactions.respond(id, &response, now);
            return;
        }
        let replaces = match self.replaced(&request) {
            Ok(replaces) => replaces,
            Err(status) => {
                self.refuse(id, &request, Some(&tag), Refusal::new(status), now);
                return;
            }
        };
        let session = super::session::decide(&request, self.config.session_timer);
        if let SessionAnswer::TooSmall(min_se_s) = session {
            self.refuse_session(id, &request, &tag, min_se_s, now);
            return;
        }
        let Some(dialog) = callee_dialog(&request, &tag) else {
            let mut response = self.response(&request, StatusCode::BAD_REQUEST, Some(&tag), None);
            response = response.with_reason("Bad Request: Contact is missing");
            self.transactions.respond(id, &response, now);
            return;
        };
        let Some(flow) = self.transactions.target(id).cloned() else {
            return;
        };
        let patience = self.config.ringing_max;
        let expires = request.headers.expires().ok().flatten();
        let patience = expires.map_or(patience, |s| patience.min(Duration::from_secs(s.into())));
        let allow = request.headers.allow().ok().flatten().unwrap_or_default();
        let first_rseq = u32::try_from(self.tokens.below(1 << 20)).unwrap_or(0) + 1;
        let callee = Callee {
            transaction: id,
            request: (*request).clone(),
            reliable: ReliableSender::new(self.config.timers, first_rseq),
            replaces,
            requires_reliable,
            supports_reliable,
            rang: false,
            accept_wanted: None,
            accept_rows: Vec::new(),
            ringing_until: Some(now.saturating_add(patience)),
        };
        let handle = self.next_handle();
        self.dialogs.insert(dialog.id.clone(), handle);
        self.invites.insert(id, handle);
        let call = Call {
            phase: Phase::Offered,
            side: Side::Callee(Box::new(callee)),
            dialog: Some(dialog),
            contact: self.contact_for(&flow),
            change_rows: Vec::new(),
            flow,
            credentials: Vec::new(),
            session: None,
            session_config: self.config.session_timer,
            end_on_session_expiry: self.config.end_on_session_expiry,
            local_body: None,
            peer_allows_update: allow.contains(&Method::Update),
            change_out: None,
            change_again: None,
            change_in: None,
            ack_awaited: None,
            was_referred: false,
            bye_wanted: None,
        };
        self.calls.insert(handle, call);
        self.event(Event::Incoming {
            call: CallHandle(handle),
            request,
            source,
        });
    }

    /// 422 with our Min-SE.
    pub(super) fn refuse_session(
        &mut self,
        id: TransactionId,
        request: &Request,
        tag: &str,
        min_se_s: u32,
        now: Duration,
    ) {
        let status = StatusCode::SESSION_INTERVAL_TOO_SMALL;
        let mut response = self.response(request, status, Some(tag), None);
        response.headers.push_display(HeaderName::MinSe, min_se_s);
        self.transactions.respond(id, &response, now);
    }

    fn send_reliable(
        &mut self,
        transaction: TransactionId,
        rseq: u32,
        mut response: Response,
        now: Duration,
    ) {
        response.headers.set_display(HeaderName::RSeq, rseq);
        self.transactions.respond(transaction, &response, now);
    }

    /// 200 to the INVITE that began the call.
    fn accept_now(&mut self, handle: u64, body: Option<Body>, now: Duration) {
        let Some(call) = self.calls.get(&handle) else {
            return;
        };
        let Side::Callee(callee) = &call.side else {
            return;
        };
        let (id, request) = (callee.transaction, callee.request.clone());
        self.accept_transaction(handle, id, &request, body, now);
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        call.phase = Phase::Accepted;
        if let Some(callee) = call.callee() {
            callee.reliable.stop();
            callee.ringing_until = None;
        }
        if let Some(dialog) = &mut call.dialog {
            dialog.state = crate::dialog::DialogState::Confirmed;
        }
    }

    /// 200 to an INVITE or re-INVITE, repeated until its ACK.
    pub(super) fn accept_transaction(
        &mut self,
        handle: u64,
        id: TransactionId,
        request: &Request,
        body: Option<Body>,
        now: Duration,
    ) {
        let mut response = self.success(handle, request, body.as_ref());
        let timers = self.config.timers;
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        // The rows were for the first answer alone.
        if let Some(callee) = call.callee() {
            for (name, value) in core::mem::take(&mut callee.accept_rows) {
                response.headers.push(name, value);
            }
        }
        let answer = super::session::decide(request, call.session_config);
        super::session::grant(call, answer, &mut response.headers, now);
        if body.is_some() {
            call.local_body = body;
        }
        self.transactions.respond(id, &response, now);
        call.ack_awaited = Some(AckAwaited {
            transaction: id,
            response,
            seq: request.headers.cseq().map_or(0, |cseq| cseq.seq),
            gap: timers.t1,
            retransmit_at: now.saturating_add(timers.t1),
            end_at: now.saturating_add(timers.b()),
        });
    }

    /// A 200 inside a call's dialog.
    pub(super) fn success(&self, handle: u64, request: &Request, body: Option<&Body>) -> Response {
        let call = self.calls.get(&handle);
        let dialog = call.and_then(|call| call.dialog.as_ref());
        let tag = dialog.map(|dialog| dialog.id.local_tag.as_str());
        let contact = call.map(|call| &call.contact);
        let mut response = self.response(request, StatusCode::OK, tag, contact);
        response.headers.push(HeaderName::Allow, self.allow());
        response
            .headers
            .push(HeaderName::Supported, self.supported());
        put_body(&mut response.headers, &mut response.body, body);
        response
    }

    /// Sends the final refusal of a call's INVITE.
    pub(super) fn refuse_call(&mut self, handle: u64, refusal: Refusal, now: Duration) {
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        let tag = call.dialog.as_ref().map(|d| d.id.local_tag.clone());
        let Some(callee) = call.callee() else {
            return;
        };
        callee.reliable.stop();
        let (id, request) = (callee.transaction, callee.request.clone());
        self.refuse(id, &request, tag.as_deref(), refusal, now);
    }

    pub(super) fn refuse(
        &mut self,
        id: TransactionId,
        request: &Request,
        tag: Option<&str>,
        refusal: Refusal,
        now: Duration,
    ) {
        let mut response = self.response(request, refusal.status, tag, None);
        for (name, value) in refusal.headers {
            response.headers.push(name, value);
        }
        self.transactions.respond(id, &response, now);
    }

    /// A CANCEL (section 9.2): 200 to it, 487 to its INVITE.
    pub(super) fn incoming_cancel(&mut self, id: TransactionId, cancel: &Request, now: Duration) {
        let Ok(invite) = self.transactions.cancelled(cancel) else {
            let tag = self.tokens.tag();
            let status = StatusCode::CALL_DOES_NOT_EXIST;
            let response = self.response(cancel, status, Some(&tag), None);
            self.transactions.respond(id, &response, now);
            return;
        };
        let owner = invite.and_then(|invite| self.invites.get(&invite).copied());
        let dialog = owner
            .and_then(|handle| self.calls.get(&handle))
            .and_then(|call| call.dialog.as_ref());
        let tag = match dialog {
            Some(dialog) => dialog.id.local_tag.clone(),
            None => self.tokens.tag(),
        };
        let response = self.response(cancel, StatusCode::OK, Some(&tag), None);
        self.transactions.respond(id, &response, now);
        let (Some(invite), Some(handle)) = (invite, owner) else {
            return;
        };
        let refusal = Refusal::new(StatusCode::REQUEST_TERMINATED);
        let reason = reason_of(cancel);
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        if call.change_in == Some(invite) {
            // A re-INVITE is taken back; the call stays.
            call.change_in = None;
            if let Some(request) = self.transactions.request(invite).cloned() {
                self.refuse(invite, &request, Some(&tag), refusal, now);
            }
            return;
        }
        self.refuse_call(handle, refusal, now);
        self.event(Event::IncomingCancel {
            call: CallHandle(handle),
            reason: reason.clone(),
        });
        self.end_call(handle, EndedBy::Remote, reason, now);
    }

    /// A PRACK inside an early dialog (RFC 3262 section 3).
    pub(super) fn incoming_prack(
        &mut self,
        handle: u64,
        id: TransactionId,
        request: Box<Request>,
        now: Duration,
    ) {
        let rack = request.headers.rack().ok().flatten();
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        let tag = call.dialog.as_ref().map(|d| d.id.local_tag.clone());
        let mut next = None;
        let mut transaction = None;
        if let (Some(callee), Some(rack)) = (call.callee(), rack) {
            let seq = callee.request.headers.cseq().map_or(0, |cseq| cseq.seq);
            if rack.cseq.method == Method::Invite && rack.cseq.seq == seq {
                next = callee.reliable.acknowledge(rack.rseq, now);
                transaction = Some(callee.transaction);
            }
        }
        let (Some(next), Some(transaction)) = (next, transaction) else {
            let refusal = Refusal::new(StatusCode::CALL_DOES_NOT_EXIST);
            self.refuse(id, &request, tag.as_deref(), refusal, now);
            return;
        };
        let response = self.response(&request, StatusCode::OK, tag.as_deref(), None);
        self.transactions.respond(id, &response, now);
        self.event(Event::Acknowledged {
            call: CallHandle(handle),
            prack: request,
        });
        if let Some((rseq, response)) = next {
            self.send_reliable(transaction, rseq, response, now);
        }
        self.accept_if_free(handle, now);
    }

    fn accept_if_free(&mut self, handle: u64, now: Duration) {
        let Some(callee) = self.calls.get_mut(&handle).and_then(Call::callee) else {
            return;
        };
        if !callee.reliable.holds_success_back()
            && let Some(body) = callee.accept_wanted.take()
        {
            self.accept_now(handle, body, now);
        }
    }

    /// The ACK of a 2xx.
    pub(super) fn incoming_ack(&mut self, ack: Box<Request>, now: Duration) {
        let handle = super::dialog_id(&ack).and_then(|id| self.dialogs.get(&id).copied());
        let seq = ack.headers.cseq().map_or(0, |cseq| cseq.seq);
        let Some(handle) = handle else {
            self.counters.stray_acks += 1;
            return;
        };
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        if call.ack_awaited.as_ref().is_none_or(|a| a.seq != seq) {
            // A repeated ACK of the 2xx that was repeated.
            return;
        }
        call.ack_awaited = None;
        if call.phase == Phase::Accepted {
            call.phase = Phase::Confirmed;
        }
        let bye = call.bye_wanted.take();
        self.event(Event::Confirmed {
            call: CallHandle(handle),
            ack,
        });
        if let Some(reason) = bye {
            self.end_with_bye(handle, EndedBy::Local, reason, now);
        }
    }

    /// What is due for an incoming call.
    pub(super) fn callee_timeout(&mut self, handle: u64, now: Duration) {
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        if let Some(awaited) = &mut call.ack_awaited {
            if awaited.end_at <= now {
                call.ack_awaited = None;
                // RFC 3261 section 14.2 ends the dialog; an emergency call that stands is not ended by us.
                let goes_on = call.phase == Phase::Confirmed && !call.end_on_session_expiry;
                self.event(Event::AckMissing {
                    call: CallHandle(handle),
                });
                if goes_on {
                    return;
                }
                let reason = Some("no ACK".to_owned());
                self.end_with_bye(handle, EndedBy::Timeout, reason, now);
                return;
            }
            if awaited.retransmit_at <= now {
                awaited.gap = self.config.timers.doubled(awaited.gap);
                awaited.retransmit_at = now.saturating_add(awaited.gap);
                self.transactions
                    .respond(awaited.transaction, &awaited.response, now);
            }
        }
        let Some(callee) = call.callee() else {
            return;
        };
        let id = callee.transaction;
        match callee.reliable.handle_timeout(now) {
            ReliableDue::Nothing => {}
            ReliableDue::Send(rseq, response) => self.send_reliable(id, rseq, response, now),
            ReliableDue::GiveUp => {
                let refusal = Refusal::new(StatusCode::SERVER_TIMEOUT);
                self.refuse_call(handle, refusal, now);
                let reason = Some("no PRACK".to_owned());
                self.end_call(handle, EndedBy::Timeout, reason, now);
                return;
            }
        }
        let callee = self.calls.get_mut(&handle).and_then(Call::callee);
        if callee.is_some_and(|callee| callee.ringing_until.is_some_and(|at| at <= now)) {
            let refusal = Refusal::new(StatusCode::TEMPORARILY_UNAVAILABLE);
            self.refuse_call(handle, refusal, now);
            let reason = Some("not answered".to_owned());
            self.end_call(handle, EndedBy::Timeout, reason, now);
        }
    }
}

pub(super) fn check_refusal(refusal: &Refusal) -> Result<(), CommandError> {
    if refusal.status.code() < 300 {
        return Err(CommandError::Invalid(format!(
            "cannot refuse with {}: a status from 300 to 699 is needed",
            refusal.status
        )));
    }
    Ok(())
}

/// The Reason header of a BYE or CANCEL, as it stands.
pub(super) fn reason_of(request: &Request) -> Option<String> {
    request
        .headers
        .get_str(&HeaderName::Reason)
        .map(str::to_owned)
}
