//! Calls that stand: BYE, re-INVITE, UPDATE, INFO, session refresh (RFC 3261 sections 12.2, 14, 15,
//! RFC 3311, RFC 4028).

use core::time::Duration;

use super::Endpoint;
use super::answering::{check_refusal, reason_of};
use super::build::{dialog_targets, in_dialog, put_body};
use super::call::{Call, ChangeAgain, Phase, Purpose, Side};
use super::event::{CallHandle, CommandError, EndedBy, Event, FailureCause, RequestHandle, Source};
use super::request::{Body, Credentials, Refusal};
use crate::dialog::Dialog;
use crate::session_timer::{Refresher, SessionAnswer, SessionDue, SessionTimerConfig};
use crate::target::Target;
use crate::transaction::TransactionId;
use crate::{HeaderName, Method, Request, Response, StatusCode};

impl Endpoint {
    /// Ends a call that stands; before that, cancels ours and refuses an incoming one.
    ///
    /// # Errors
    /// When there is no such call.
    pub fn bye(
        &mut self,
        call: CallHandle,
        reason: Option<&str>,
        now: Duration,
    ) -> Result<(), CommandError> {
        let entry = self
            .calls
            .get_mut(&call.0)
            .ok_or(CommandError::UnknownCall)?;
        let reason = reason.map(str::to_owned);
        match entry.phase {
            Phase::Calling | Phase::Proceeding => self.cancel_call(call.0, reason, false, now),
            Phase::Cancelling => {}
            Phase::Offered => return self.reject(call, Refusal::new(StatusCode::DECLINE), now),
            // The callee must not send BYE before the ACK (section 15).
            Phase::Accepted => entry.bye_wanted = Some(reason),
            Phase::Confirmed => self.end_with_bye(call.0, EndedBy::Local, reason, now),
        }
        self.settle(now);
        Ok(())
    }

    /// Offers a changed session by re-INVITE (section 14).
    ///
    /// # Errors
    /// When the call does not stand, or another change is under way.
    pub fn reinvite(
        &mut self,
        call: CallHandle,
        body: Body,
        now: Duration,
    ) -> Result<(), CommandError> {
        self.reinvite_with(call, Vec::new(), body, now)
    }

    /// The same with rows of the caller's own, such as Identity (RFC 8224). A repetition after glare has them too.
    ///
    /// # Errors
    /// As [`reinvite`](Self::reinvite).
    pub fn reinvite_with(
        &mut self,
        call: CallHandle,
        rows: Vec<(HeaderName, Vec<u8>)>,
        body: Body,
        now: Duration,
    ) -> Result<(), CommandError> {
        self.may_change(call, "re-invite", false)?;
        if let Some(entry) = self.calls.get_mut(&call.0) {
            entry.change_rows = rows;
        }
        self.send_change(call.0, false, false, Some(body), now);
        self.settle(now);
        Ok(())
    }

    /// Offers a changed session by UPDATE (RFC 3311), also before the call is answered; without a
    /// body only refreshes.
    ///
    /// # Errors
    /// When there is no dialog yet, or another change is under way.
    pub fn update(
        &mut self,
        call: CallHandle,
        body: Option<Body>,
        now: Duration,
    ) -> Result<(), CommandError> {
        self.may_change(call, "update", true)?;
        self.send_change(call.0, true, false, body, now);
        self.settle(now);
        Ok(())
    }

    fn may_change(
        &self,
        call: CallHandle,
        command: &'static str,
        early: bool,
    ) -> Result<(), CommandError> {
        let entry = self.calls.get(&call.0).ok_or(CommandError::UnknownCall)?;
        let early_dialog = match &entry.side {
            Side::Caller(caller) => !caller.early.is_empty(),
            // The caller knows of the dialog once a response with our tag was sent.
            Side::Callee(callee) => callee.rang,
        };
        let stands = entry.phase == Phase::Confirmed;
        if !(stands || (early && early_dialog && entry.phase != Phase::Cancelling)) {
            let state = entry.phase.as_str();
            return Err(CommandError::WrongState { command, state });
        }
        if entry.change_out.is_some() || entry.change_in.is_some() || entry.change_again.is_some() {
            return Err(CommandError::Glare);
        }
        Ok(())
    }

    /// Answers the peer's re-INVITE or UPDATE with 200.
    ///
    /// # Errors
    /// When none waits.
    pub fn answer_reinvite(
        &mut self,
        call: CallHandle,
        body: Option<Body>,
        now: Duration,
    ) -> Result<(), CommandError> {
        let (id, request) = self.waiting_change(call, "answer a re-INVITE")?;
        if request.method == Method::Invite {
            self.accept_transaction(call.0, id, &request, body, now);
        } else {
            self.answer_update(call.0, id, &request, body, now);
        }
        self.settle(now);
        Ok(())
    }

    /// Refuses the peer's re-INVITE or UPDATE; the session stays as it was.
    ///
    /// # Errors
    /// When none waits, or the status is below 300.
    pub fn reject_reinvite(
        &mut self,
        call: CallHandle,
        refusal: Refusal,
        now: Duration,
    ) -> Result<(), CommandError> {
        check_refusal(&refusal)?;
        let (id, request) = self.waiting_change(call, "refuse a re-INVITE")?;
        let tag = self.local_tag(call.0);
        self.refuse(id, &request, tag.as_deref(), refusal, now);
        self.settle(now);
        Ok(())
    }

    fn waiting_change(
        &mut self,
        call: CallHandle,
        command: &'static str,
    ) -> Result<(TransactionId, Request), CommandError> {
        let entry = self
            .calls
            .get_mut(&call.0)
            .ok_or(CommandError::UnknownCall)?;
        let state = "not being changed";
        let wrong = CommandError::WrongState { command, state };
        let id = entry.change_in.take().ok_or(wrong.clone())?;
        let request = self.transactions.request(id).cloned().ok_or(wrong)?;
        Ok((id, request))
    }

    /// Sends an INFO inside a call (RFC 6086).
    ///
    /// # Errors
    /// When the call does not stand.
    pub fn info(
        &mut self,
        call: CallHandle,
        body: Body,
        now: Duration,
    ) -> Result<(), CommandError> {
        let entry = self
            .calls
            .get_mut(&call.0)
            .ok_or(CommandError::UnknownCall)?;
        let state = entry.phase.as_str();
        let wrong = CommandError::WrongState {
            command: "send INFO",
            state,
        };
        if entry.phase != Phase::Confirmed {
            return Err(wrong);
        }
        let dialog = entry.dialog.as_mut().ok_or(wrong)?;
        let seq = dialog.next_seq();
        let mut request = in_dialog(dialog, Method::Info, seq);
        request.set_body(&body.content_type, body.bytes);
        let targets = dialog_targets(dialog, &entry.flow);
        let credentials = entry.credentials.clone();
        if let Some(context) =
            Self::context(Purpose::Info, Some(call.0), request, targets, credentials)
        {
            self.send(context, now);
        }
        self.settle(now);
        Ok(())
    }

    pub(super) fn local_tag(&self, handle: u64) -> Option<String> {
        let dialog = self.calls.get(&handle)?.dialog.as_ref()?;
        Some(dialog.id.local_tag.clone())
    }

    /// Sends BYE and ends the call.
    pub(super) fn end_with_bye(
        &mut self,
        handle: u64,
        by: EndedBy,
        reason: Option<String>,
        now: Duration,
    ) {
        // No BYE before the ACK (section 15).
        self.pay_answer(handle, None, now);
        if let Some(call) = self.calls.get(&handle)
            && let Some(dialog) = call.dialog.clone()
        {
            let (flow, credentials) = (call.flow.clone(), call.credentials.clone());
            // Only what can stand in a Reason header goes there (RFC 3326).
            let row = reason.as_deref().filter(|reason| reason.contains(';'));
            self.send_bye(dialog, &flow, credentials, row, now);
        }
        self.end_call(handle, by, reason, now);
    }

    pub(super) fn send_bye(
        &mut self,
        mut dialog: Dialog,
        flow: &Target,
        credentials: Vec<Credentials>,
        reason: Option<&str>,
        now: Duration,
    ) {
        let seq = dialog.next_seq();
        let mut bye = in_dialog(&dialog, Method::Bye, seq);
        self.push_agent(&mut bye.headers, HeaderName::UserAgent);
        if let Some(reason) = reason {
            bye.headers.push(HeaderName::Reason, reason);
        }
        let targets = dialog_targets(&dialog, flow);
        if let Some(context) = Self::context(Purpose::Bye, None, bye, targets, credentials) {
            self.send(context, now);
        }
    }

    /// A re-INVITE or UPDATE of ours.
    fn send_change(
        &mut self,
        handle: u64,
        by_update: bool,
        refresh: bool,
        body: Option<Body>,
        now: Duration,
    ) {
        let allow = self.allow();
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        let session = running_wish(call);
        let (contact, flow) = (call.contact.clone(), call.flow.clone());
        let credentials = call.credentials.clone();
        let dialog = match (&mut call.dialog, &mut call.side) {
            (Some(dialog), _) => dialog,
            (None, Side::Caller(caller)) => match caller.early.values_mut().next() {
                Some(early) => &mut early.dialog,
                None => return,
            },
            (None, Side::Callee(_)) => return,
        };
        let (method, purpose) = if by_update {
            (Method::Update, Purpose::Update { refresh })
        } else {
            (Method::Invite, Purpose::Reinvite { refresh })
        };
        let seq = dialog.next_seq();
        let mut request = in_dialog(dialog, method, seq);
        let targets = dialog_targets(dialog, &flow);
        let headers = &mut request.headers;
        headers.push_display(HeaderName::Contact, contact);
        headers.push(HeaderName::Allow, allow);
        headers.push(HeaderName::Supported, "timer, 100rel");
        if let Some(session) = session {
            super::session::push_wish(headers, session);
        }
        if body.is_some() && !by_update {
            for (name, value) in &call.change_rows {
                headers.push(name.clone(), value.clone());
            }
        }
        put_body(headers, &mut request.body, body.as_ref());
        if body.is_some() {
            call.local_body = body;
        }
        if let Some(context) = Self::context(purpose, Some(handle), request, targets, credentials) {
            self.send(context, now);
        }
    }

    /// A final response to our re-INVITE or UPDATE.
    pub(super) fn change_response(
        &mut self,
        id: TransactionId,
        handle: u64,
        response: Box<Response>,
        now: Duration,
    ) {
        let patience = self.config.timers.c();
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        let (purpose, request) = (context.purpose, context.request.clone());
        if response.status.is_provisional() {
            // No machine bounds an INVITE that only proceeds.
            context
                .give_up_at
                .get_or_insert(now.saturating_add(patience));
            return;
        }
        let refresh = matches!(
            purpose,
            Purpose::Reinvite { refresh: true } | Purpose::Update { refresh: true }
        );
        let invite = matches!(purpose, Purpose::Reinvite { .. });
        if invite && response.status.is_success() {
            let tag = String::new();
            if let Some((target, bytes)) = context.acks.get(&tag).cloned() {
                self.outputs
                    .push_back(super::Output::Transmit { target, bytes });
                return;
            }
            self.refresh_target(handle, &response.headers);
            let call = self.calls.get(&handle);
            let Some((dialog, flow)) =
                call.and_then(|call| Some((call.dialog.clone()?, call.flow.clone())))
            else {
                return;
            };
            self.acknowledge(id, &dialog, &flow, &tag, &request, now);
        }
        let current = self.calls.get(&handle).and_then(|call| call.change_out);
        if current != Some(id) {
            return;
        }
        if let Some(call) = self.calls.get_mut(&handle) {
            call.change_out = None;
        }
        self.change_outcome(handle, &request, refresh, response, now);
    }

    fn change_outcome(
        &mut self,
        handle: u64,
        request: &Request,
        refresh: bool,
        response: Box<Response>,
        now: Duration,
    ) {
        let by_update = request.method == Method::Update;
        let mine = self.call_is_ours(handle);
        let pause = self.glare_pause(mine);
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        let stands = call.phase == Phase::Confirmed;
        let body = call.local_body.clone().filter(|_| !request.body.is_empty());
        match response.status {
            status if status.is_success() => {
                super::session::agreed(call, &response, now);
                if by_update {
                    self.refresh_target(handle, &response.headers);
                }
                if refresh {
                    self.event(Event::SessionRefreshed {
                        call: CallHandle(handle),
                    });
                    return;
                }
            }
            StatusCode::REQUEST_PENDING => {
                call.change_again = Some(ChangeAgain {
                    at: now.saturating_add(pause),
                    by_update,
                    refresh,
                    body,
                });
                return;
            }
            StatusCode::SESSION_INTERVAL_TOO_SMALL => {
                let mut wish = call.session_config;
                if super::session::raise(&mut wish, &response) {
                    call.session_config = wish;
                    call.session = None;
                    self.send_change(handle, by_update, refresh, body, now);
                    return;
                }
            }
            // The peer knows the dialog no more (section 12.2.1.2).
            StatusCode::CALL_DOES_NOT_EXIST if stands => {
                let reason = Some("the peer knows the call no more".to_owned());
                self.end_with_bye(handle, EndedBy::Lost, reason, now);
                return;
            }
            StatusCode::REQUEST_TIMEOUT if stands && call.end_on_session_expiry => {
                let reason = Some("the peer is silent".to_owned());
                self.end_with_bye(handle, EndedBy::Lost, reason, now);
                return;
            }
            _ if refresh => {
                if by_update
                    && matches!(
                        response.status,
                        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
                    )
                {
                    call.peer_allows_update = false;
                }
                if let Some(session) = &mut call.session {
                    session.retry(session.interval() / 8, now);
                }
                return;
            }
            _ => {}
        }
        if !refresh {
            self.event(Event::ReinviteAnswered {
                call: CallHandle(handle),
                response,
            });
        }
    }

    fn call_is_ours(&self, handle: u64) -> bool {
        self.calls
            .get(&handle)
            .is_some_and(|call| matches!(call.side, Side::Caller(_)))
    }

    /// How long to wait after 491: the owner of the Call-ID longer (section 14.1).
    fn glare_pause(&mut self, mine: bool) -> Duration {
        let (from, steps) = if mine { (2_100, 190) } else { (0, 200) };
        Duration::from_millis(from + 10 * self.tokens.below(steps + 1))
    }

    /// Our re-INVITE or UPDATE found nobody: as a 408 (section 8.1.3.1), or 503.
    pub(super) fn change_lost(
        &mut self,
        id: TransactionId,
        handle: u64,
        cause: &FailureCause,
        now: Duration,
    ) {
        let status = if *cause == FailureCause::Timeout {
            StatusCode::REQUEST_TIMEOUT
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        if let Some(context) = self.contexts.get(&id) {
            let response = Response::to_request(&context.request, status, None);
            self.change_response(id, handle, Box::new(response), now);
        }
    }

    fn refresh_target(&mut self, handle: u64, headers: &crate::Headers) {
        if let Ok(contacts) = headers.contacts()
            && let Some(contact) = contacts.first()
            && let Some(call) = self.calls.get_mut(&handle)
            && let Some(dialog) = &mut call.dialog
        {
            dialog.refresh_target(contact.uri.clone());
        }
    }

    /// A request with a To tag.
    pub(super) fn in_dialog_request(
        &mut self,
        id: TransactionId,
        request: Box<Request>,
        source: Source,
        now: Duration,
    ) {
        let found = super::dialog_id(&request)
            .and_then(|id| Some((*self.dialogs.get(&id)?, id)))
            .filter(|(handle, _)| self.calls.contains_key(handle));
        let Some((handle, dialog_id)) = found else {
            self.counters.unknown_dialogs += 1;
            let refusal = Refusal::new(StatusCode::CALL_DOES_NOT_EXIST);
            self.refuse(id, &request, None, refusal, now);
            return;
        };
        let seq = request.headers.cseq().map_or(0, |cseq| cseq.seq);
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        let dialog = match (&mut call.dialog, &mut call.side) {
            (Some(dialog), _) => Some(dialog),
            (None, Side::Caller(caller)) => caller
                .early
                .get_mut(&dialog_id.remote_tag)
                .map(|early| &mut early.dialog),
            (None, Side::Callee(_)) => None,
        };
        let Some(dialog) = dialog else {
            return;
        };
        if dialog.receive_seq(seq).is_err() {
            self.counters.out_of_order += 1;
            let refusal = Refusal::new(StatusCode::SERVER_INTERNAL_ERROR);
            self.refuse(id, &request, None, refusal, now);
            return;
        }
        match request.method {
            Method::Bye => self.incoming_bye(handle, id, &request, now),
            Method::Prack => self.incoming_prack(handle, id, request, now),
            Method::Invite => self.incoming_change(handle, id, request, now),
            Method::Update => self.incoming_change(handle, id, request, now),
            Method::Info => {
                let response = self.success(handle, &request, None);
                self.transactions.respond(id, &response, now);
                self.event(Event::Info {
                    call: CallHandle(handle),
                    request,
                });
            }
            Method::Options => {
                let mut response = self.success(handle, &request, None);
                response
                    .headers
                    .push(HeaderName::Accept, self.config.accept.join(", "));
                self.transactions.respond(id, &response, now);
            }
            Method::Refer if self.config.transfers => {
                self.incoming_refer(handle, id, request, source, now);
            }
            Method::Notify if self.config.transfers => {
                self.incoming_notify(handle, id, &request, now);
            }
            ref method if self.config.methods.contains(method) => {
                let key = self.next_handle();
                self.waiting.insert(key, id);
                self.event(Event::Request {
                    handle: RequestHandle(key),
                    request,
                    source,
                    user: None,
                });
            }
            _ => self.refuse_method(id, &request, now),
        }
    }

    fn incoming_bye(&mut self, handle: u64, id: TransactionId, request: &Request, now: Duration) {
        let tag = self.local_tag(handle);
        let response = self.response(request, StatusCode::OK, tag.as_deref(), None);
        self.transactions.respond(id, &response, now);
        let reason = reason_of(request);
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        let terminated = Refusal::new(StatusCode::REQUEST_TERMINATED);
        // Whatever waits for an answer gets 487 (section 15.1.2).
        if let Some(change) = call.change_in.take()
            && let Some(request) = self.transactions.request(change).cloned()
        {
            self.refuse(change, &request, tag.as_deref(), terminated.clone(), now);
        }
        let phase = self.calls.get(&handle).map(|call| call.phase);
        match phase {
            Some(Phase::Offered) => self.refuse_call(handle, terminated, now),
            // The fork that rang is gone; others may still answer.
            Some(Phase::Calling | Phase::Proceeding | Phase::Cancelling) => {
                if let Some(id) = super::dialog_id(request) {
                    self.dialogs.remove(&id);
                    if let Some(caller) = self.calls.get_mut(&handle).and_then(Call::caller) {
                        caller.early.remove(&id.remote_tag);
                    }
                }
                return;
            }
            _ => {}
        }
        self.end_call(handle, EndedBy::Remote, reason, now);
    }

    /// Their re-INVITE or UPDATE.
    fn incoming_change(
        &mut self,
        handle: u64,
        id: TransactionId,
        request: Box<Request>,
        now: Duration,
    ) {
        let invite = request.method == Method::Invite;
        let offer = !request.body.is_empty();
        let tag = self.local_tag(handle).or_else(|| {
            let to = request.headers.to().ok()?;
            to.tag().map(str::to_owned)
        });
        let retry_s = self.tokens.below(11);
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        let unanswered = call.change_in.is_some()
            || (invite && (call.phase != Phase::Confirmed || call.ack_awaited.is_some()));
        if unanswered {
            // Our answer to the one before is not out or not acknowledged (section 14.2).
            let refusal = Refusal {
                status: StatusCode::SERVER_INTERNAL_ERROR,
                headers: vec![(HeaderName::RetryAfter, retry_s.to_string().into_bytes())],
            };
            self.refuse(id, &request, tag.as_deref(), refusal, now);
            return;
        }
        if call.change_out.is_some() && (invite || offer) {
            let refusal = Refusal::new(StatusCode::REQUEST_PENDING);
            self.refuse(id, &request, tag.as_deref(), refusal, now);
            return;
        }
        let session = super::session::decide(&request, call.session_config);
        if let SessionAnswer::TooSmall(min_se_s) = session {
            let tag = tag.unwrap_or_default();
            self.refuse_session(id, &request, &tag, min_se_s, now);
            return;
        }
        self.refresh_target(handle, &request.headers);
        if !invite && !offer {
            self.answer_update(handle, id, &request, None, now);
            self.event(Event::SessionRefreshed {
                call: CallHandle(handle),
            });
            return;
        }
        if let Some(call) = self.calls.get_mut(&handle) {
            call.change_in = Some(id);
        }
        let call = CallHandle(handle);
        if invite {
            self.invites.insert(id, handle);
            self.event(Event::Reinvite { call, request });
        } else {
            self.event(Event::Update { call, request });
        }
    }

    fn answer_update(
        &mut self,
        handle: u64,
        id: TransactionId,
        request: &Request,
        body: Option<Body>,
        now: Duration,
    ) {
        let mut response = self.success(handle, request, body.as_ref());
        if let Some(call) = self.calls.get_mut(&handle) {
            if call.phase == Phase::Confirmed {
                let answer = super::session::decide(request, call.session_config);
                super::session::grant(call, answer, &mut response.headers, now);
            }
            if body.is_some() {
                call.local_body = body;
            }
        }
        self.transactions.respond(id, &response, now);
    }

    /// What is due for a call that stands.
    pub(super) fn standing_timeout(&mut self, handle: u64, now: Duration) {
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        if call
            .change_again
            .as_ref()
            .is_some_and(|again| again.at <= now)
            && let Some(again) = call.change_again.take()
        {
            let ChangeAgain {
                by_update,
                refresh,
                body,
                ..
            } = again;
            self.send_change(handle, by_update, refresh, body, now);
        }
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        let Some(session) = &mut call.session else {
            return;
        };
        match session.handle_timeout(now) {
            SessionDue::Nothing => {}
            SessionDue::Refresh => {
                if call.change_out.is_some() || call.change_in.is_some() {
                    // Any change refreshes as well; look again soon.
                    session.retry(Duration::from_secs(2), now);
                    return;
                }
                let by_update = call.peer_allows_update;
                let body = call.local_body.clone().filter(|_| !by_update);
                self.send_change(handle, by_update, true, body, now);
            }
            SessionDue::Expired => {
                let end = call.end_on_session_expiry;
                call.session = None;
                self.event(Event::SessionExpired {
                    call: CallHandle(handle),
                });
                if end {
                    let reason = Some("session expired".to_owned());
                    self.end_with_bye(handle, EndedBy::Timeout, reason, now);
                }
            }
        }
    }
}

/// The session timer for a request of ours inside the call: what runs, or what is wished.
fn running_wish(call: &Call) -> Option<SessionTimerConfig> {
    let wish = call.session_config;
    let Some(session) = &call.session else {
        return wish;
    };
    let interval_s = u32::try_from(session.interval().as_secs()).unwrap_or(u32::MAX);
    // The role stays where it is (RFC 4028 section 7.4).
    let refresher = if session.is_refreshing() {
        Refresher::Uac
    } else {
        Refresher::Uas
    };
    Some(SessionTimerConfig {
        interval_s,
        refresher: Some(refresher),
        ..wish.unwrap_or_default()
    })
}
