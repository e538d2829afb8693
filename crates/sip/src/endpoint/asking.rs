//! Requests outside a dialog: OPTIONS and MESSAGE of ours, REGISTER kept alive, and those of peers.

use core::time::Duration;
use std::collections::VecDeque;

use super::Endpoint;
use super::build::{Draft, put_body};
use super::call::Purpose;
use super::event::{
    CommandError, Event, FailureCause, QueryHandle, RegistrationCause, RegistrationHandle,
    RequestHandle,
};
use super::request::{Body, QueryRequest, Refusal, RegisterRequest};
use crate::dialog::preset_route;
use crate::registration::{Registration, RegistrationState, RegistrationStep};
use crate::target::Target;
use crate::transaction::TransactionId;
use crate::{HeaderName, Method, NameAddr, Request, Response, StatusCode};

/// One registration.
pub(super) struct Registered {
    pub(super) request: RegisterRequest,
    machine: Registration,
    call_id: String,
    local_tag: String,
    seq: u32,
}

impl Registered {
    pub(super) fn next_timeout(&self) -> Option<Duration> {
        self.machine.next_timeout()
    }

    pub(super) fn next_seq(&mut self) -> u32 {
        self.seq += 1;
        self.seq
    }
}

impl Endpoint {
    /// Asks what a peer can (RFC 3261 section 11).
    ///
    /// # Errors
    /// When there is no room for another query.
    pub fn options(
        &mut self,
        request: QueryRequest,
        now: Duration,
    ) -> Result<QueryHandle, CommandError> {
        self.query(&Method::Options, request, now)
    }

    /// Sends a MESSAGE (RFC 3428).
    ///
    /// # Errors
    /// When there is no room for another query.
    pub fn message(
        &mut self,
        request: QueryRequest,
        now: Duration,
    ) -> Result<QueryHandle, CommandError> {
        self.query(&Method::Message, request, now)
    }

    fn query(
        &mut self,
        method: &Method,
        query: QueryRequest,
        now: Duration,
    ) -> Result<QueryHandle, CommandError> {
        let max = self.config.limits.queries_max;
        let under_way = self.contexts.values();
        let queries = under_way.filter(|c| matches!(c.purpose, Purpose::Query(_)));
        if queries.count() >= max {
            let what = "queries";
            return Err(CommandError::TooMany { what, max });
        }
        let handle = self.next_handle();
        let from = query.from.with_tag(&self.tokens.tag());
        let (uri, routes) = preset_route(&query.request_uri, &query.route);
        let call_id = self.tokens.call_id();
        let mut request = Draft {
            method: method.clone(),
            uri,
            routes: &routes,
            from: &from,
            to: &query.to,
            call_id: &call_id,
            seq: self.tokens.cseq(),
        }
        .request();
        if *method == Method::Options {
            let contact = self.contact_for(&query.target);
            request.headers.push_display(HeaderName::Contact, contact);
            request
                .headers
                .push(HeaderName::Accept, self.config.accept.join(", "));
        }
        self.push_abilities(&mut request.headers);
        for (name, value) in query.headers {
            request.headers.push(name, value);
        }
        put_body(&mut request.headers, &mut request.body, query.body.as_ref());
        let sent = Self::context(
            Purpose::Query(handle),
            None,
            request,
            VecDeque::from([query.target]),
            query.credentials,
        )
        .is_some_and(|context| self.send(context, now));
        if !sent {
            return Err(CommandError::TooMany {
                what: "client transactions",
                max: self.config.limits.client_transactions_max,
            });
        }
        self.settle(now);
        Ok(QueryHandle(handle))
    }

    /// Registers and keeps the registration alive.
    ///
    /// # Errors
    /// When there is no room for another registration.
    pub fn register(
        &mut self,
        request: RegisterRequest,
        now: Duration,
    ) -> Result<RegistrationHandle, CommandError> {
        let max = self.config.limits.queries_max;
        if self.registrations.len() >= max {
            let what = "registrations";
            return Err(CommandError::TooMany { what, max });
        }
        let handle = self.next_handle();
        let registered = Registered {
            machine: Registration::new(request.config),
            call_id: self.tokens.call_id(),
            local_tag: self.tokens.tag(),
            seq: self.tokens.cseq(),
            request,
        };
        self.registrations.insert(handle, registered);
        self.send_register(handle, now);
        self.settle(now);
        Ok(RegistrationHandle(handle))
    }

    /// Takes a registration back.
    ///
    /// # Errors
    /// When there is none.
    pub fn unregister(
        &mut self,
        registration: RegistrationHandle,
        now: Duration,
    ) -> Result<(), CommandError> {
        let entry = self
            .registrations
            .get_mut(&registration.0)
            .ok_or(CommandError::UnknownCall)?;
        entry.machine.unregister();
        self.send_register(registration.0, now);
        self.settle(now);
        Ok(())
    }

    /// Registers again at once, because the connection to the registrar is a new one (RFC 5626 section 4.5). While a
    /// REGISTER is out already, nothing more is sent: its outcome tells.
    ///
    /// # Errors
    /// When there is no such registration, or it is being taken back.
    pub fn register_again(
        &mut self,
        registration: RegistrationHandle,
        now: Duration,
    ) -> Result<(), CommandError> {
        let entry = self
            .registrations
            .get_mut(&registration.0)
            .ok_or(CommandError::UnknownCall)?;
        match entry.machine.state() {
            RegistrationState::Registering => return Ok(()),
            RegistrationState::Registered | RegistrationState::Waiting => entry.machine.again(),
            RegistrationState::Unregistering | RegistrationState::Ended => {
                return Err(CommandError::WrongState {
                    command: "register again",
                    state: "being taken back",
                });
            }
        }
        self.send_register(registration.0, now);
        self.settle(now);
        Ok(())
    }

    /// What we call ourselves from now on in calls by way of `target`, such as the GRUU that the registrar there gave us
    /// (RFC 5627 section 4.4): whoever is told it finds us from anywhere. `None`: our address again. Calls that exist
    /// keep what they have.
    pub fn set_contact(&mut self, target: &Target, contact: Option<NameAddr>) {
        let way = (target.transport, target.remote);
        self.contacts.retain(|(of, _)| *of != way);
        self.contacts.extend(contact.map(|contact| (way, contact)));
    }

    fn send_register(&mut self, handle: u64, now: Duration) {
        let Some(entry) = self.registrations.get(&handle) else {
            return;
        };
        let wanted = &entry.request;
        let contact = wanted
            .contact
            .clone()
            .unwrap_or_else(|| self.contact_for(&wanted.target));
        let allow = self.allow();
        let Some(entry) = self.registrations.get_mut(&handle) else {
            return;
        };
        entry.seq += 1;
        let wanted = &entry.request;
        let (uri, routes) = preset_route(&wanted.registrar, &wanted.route);
        let from = wanted.address_of_record.clone().with_tag(&entry.local_tag);
        let mut request = Draft {
            method: Method::Register,
            uri,
            routes: &routes,
            from: &from,
            to: &wanted.address_of_record,
            call_id: &entry.call_id,
            seq: entry.seq,
        }
        .request();
        let headers = &mut request.headers;
        headers.push_display(HeaderName::Contact, contact);
        headers.push_display(HeaderName::Expires, entry.machine.expires_s());
        headers.push(HeaderName::Allow, allow);
        headers.push(HeaderName::Supported, "path, outbound, gruu");
        let targets = VecDeque::from([wanted.target.clone()]);
        let credentials = wanted.credentials.clone();
        let purpose = Purpose::Register(handle);
        let sent = Self::context(purpose, None, request, targets, credentials)
            .is_some_and(|context| self.send(context, now));
        if !sent {
            self.registration_failed(handle, None, RegistrationCause::TransportFailed, now);
        }
    }

    /// A final response to REGISTER that is no challenge.
    pub(super) fn register_response(
        &mut self,
        handle: u64,
        request: &Request,
        response: Box<Response>,
        now: Duration,
    ) {
        let Some(entry) = self.registrations.get_mut(&handle) else {
            return;
        };
        let registration = RegistrationHandle(handle);
        let status = response.status;
        if status.is_success() {
            let granted = granted_s(request, &response, entry.machine.expires_s());
            match entry.machine.handle_success(granted, now) {
                RegistrationStep::Stands(expires) => self.event(Event::Registered {
                    registration,
                    expires,
                    response,
                }),
                _ => {
                    self.registrations.remove(&handle);
                    self.event(Event::Unregistered { registration });
                }
            }
            return;
        }
        let min_expires = response.headers.min_expires().ok().flatten();
        if status == StatusCode::INTERVAL_TOO_BRIEF
            && let Some(min_expires_s) = min_expires
        {
            let step = entry
                .machine
                .handle_too_brief(min_expires_s, &mut self.tokens, now);
            if step == RegistrationStep::Again {
                self.send_register(handle, now);
            } else {
                self.report_registration(handle, step, RegistrationCause::Response(response));
            }
            return;
        }
        let retry_after = response.headers.retry_after().ok().flatten();
        let pause = retry_after.map(|after| Duration::from_secs(after.seconds.into()));
        // Wrong password, unknown user: asking again changes nothing and locks accounts.
        let hopeless = matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::PROXY_AUTHENTICATION_REQUIRED
                | StatusCode::FORBIDDEN
                | StatusCode::NOT_FOUND
        );
        let cause = RegistrationCause::Response(response);
        if hopeless {
            let step = entry.machine.handle_refusal();
            self.report_registration(handle, step, cause);
        } else {
            self.registration_failed(handle, pause, cause, now);
        }
    }

    pub(super) fn registration_failed(
        &mut self,
        handle: u64,
        pause: Option<Duration>,
        cause: RegistrationCause,
        now: Duration,
    ) {
        let Some(entry) = self.registrations.get_mut(&handle) else {
            return;
        };
        let step = entry.machine.handle_failure(pause, &mut self.tokens, now);
        self.report_registration(handle, step, cause);
    }

    fn report_registration(
        &mut self,
        handle: u64,
        step: RegistrationStep,
        cause: RegistrationCause,
    ) {
        let registration = RegistrationHandle(handle);
        match step {
            RegistrationStep::Failed(retry_at) => {
                if retry_at.is_none() {
                    self.registrations.remove(&handle);
                }
                self.event(Event::RegistrationFailed {
                    registration,
                    cause,
                    retry_at,
                });
            }
            RegistrationStep::TakenBack => {
                self.registrations.remove(&handle);
                self.event(Event::Unregistered { registration });
            }
            RegistrationStep::Stands(_) | RegistrationStep::Again => {}
        }
    }

    pub(super) fn registration_timeout(&mut self, handle: u64, now: Duration) {
        let due = self
            .registrations
            .get_mut(&handle)
            .is_some_and(|entry| entry.machine.handle_timeout(now));
        if due {
            self.send_register(handle, now);
        }
    }

    /// Where a registration stands.
    pub fn registration_state(&self, handle: RegistrationHandle) -> Option<RegistrationState> {
        let entry = self.registrations.get(&handle.0)?;
        Some(entry.machine.state())
    }

    /// A query of ours came to nothing.
    pub(super) fn query_failed(&mut self, handle: u64, cause: FailureCause) {
        self.event(Event::QueryFailed {
            query: QueryHandle(handle),
            cause,
        });
    }

    /// Answers an [`Event::Request`].
    ///
    /// # Errors
    /// When it was answered already, or nobody waits for the answer any more.
    pub fn respond(
        &mut self,
        request: RequestHandle,
        answer: Refusal,
        body: Option<Body>,
        now: Duration,
    ) -> Result<(), CommandError> {
        let id = self
            .waiting
            .remove(&request.0)
            .ok_or(CommandError::UnknownCall)?;
        let asked = self.transactions.request(id).cloned();
        let asked = asked.ok_or(CommandError::UnknownCall)?;
        let tag = self.tokens.tag();
        let mut response = self.response(&asked, answer.status, Some(&tag), None);
        for (name, value) in answer.headers {
            response.headers.push(name, value);
        }
        if let Some(body) = body {
            response.set_body(&body.content_type, body.bytes);
        }
        self.transactions.respond(id, &response, now);
        self.settle(now);
        Ok(())
    }

    /// OPTIONS outside a dialog, answered as an INVITE would be (section 11.2).
    pub(super) fn answer_options(&mut self, id: TransactionId, request: &Request, now: Duration) {
        let tag = self.tokens.tag();
        let status = if self.calls.len() >= self.config.limits.calls_max {
            StatusCode::BUSY_HERE
        } else {
            StatusCode::OK
        };
        let contact = self
            .transactions
            .target(id)
            .map(|target| self.contact_for(target));
        let mut response = self.response(request, status, Some(&tag), contact.as_ref());
        let headers = &mut response.headers;
        headers.push(HeaderName::Allow, self.allow());
        headers.push(HeaderName::Accept, self.config.accept.join(", "));
        headers.push(HeaderName::AcceptEncoding, "identity");
        headers.push(HeaderName::Supported, self.supported());
        self.transactions.respond(id, &response, now);
    }
}

/// How long the registrar granted: of our contact, else of Expires, else as asked (section 10.2.4).
fn granted_s(request: &Request, response: &Response, asked_s: u32) -> u32 {
    let ours: Option<NameAddr> = request
        .headers
        .contacts()
        .ok()
        .and_then(|contacts| contacts.first().cloned());
    let theirs = match response.headers.contacts() {
        Ok(crate::typed::Contacts::List(list)) => list,
        _ => Vec::new(),
    };
    let of_contact = ours.and_then(|ours| {
        theirs
            .iter()
            .find(|contact| contact.uri.equivalent(&ours.uri))
            .and_then(NameAddr::expires)
    });
    of_contact
        .or_else(|| response.headers.expires().ok().flatten())
        .unwrap_or(asked_s)
}
