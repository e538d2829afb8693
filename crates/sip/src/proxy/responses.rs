//! Response processing (RFC 3261 section 16.7): what passes at once, what is gathered, which of
//! all is sent.

use core::time::Duration;

use super::Proxy;
use super::cancelling::{REASON_ELSEWHERE, reason_refused};
use super::context::{Cancel, Phase, rank};
use super::event::{CallEvent, Output, Reject};
use super::mark::BranchMark;
use crate::message::{Message, Request, Response};
use crate::parse::parse_datagram;
use crate::transaction::Effect;
use crate::{HeaderName, Limits, Method, StatusCode};

impl Proxy {
    pub(super) fn response_arrived(&mut self, mut response: Response, now: Duration) {
        let via = response.headers.top_via().ok();
        let mark = via.as_ref().and_then(|via| BranchMark::read(via.branch()?));
        let method = response.headers.cseq().ok().map(|cseq| cseq.method);
        let (Some(mark), Some(method)) = (mark, method) else {
            self.counters.stray_responses += 1;
            return;
        };
        let id = mark.client;
        let client = self.clients.get_mut(&id);
        let Some(client) = client.filter(|client| client.secret == mark.secret) else {
            self.counters.stray_responses += 1;
            return;
        };
        if method == Method::Cancel {
            if let Cancel::Sent { machine, .. } = &mut client.cancel {
                let _ = machine.handle_response(response.status.code(), now);
            }
            self.schedule_client(id);
            return;
        }
        let invite = client.machine.invite_state().is_some();
        if invite != (method == Method::Invite) {
            self.counters.stray_responses += 1;
            return;
        }
        client.silent_until = None;
        let effect = client.machine.handle_response(response.status.code(), now);
        if matches!(effect, Effect::Acknowledge | Effect::AcknowledgeAndDeliver)
            && let Some(hop) = client.hop.clone()
            && let Some(ack) = acknowledge(&client.template, &response)
        {
            self.transmit(hop, ack);
        }
        if matches!(effect, Effect::Deliver | Effect::AcknowledgeAndDeliver) {
            // Nothing is sent again once something came; a non-INVITE goes on until its end.
            if let Some(client) = self.clients.get_mut(&id)
                && (invite || response.status.is_final())
            {
                client.sent = Box::default();
            }
            // The Via was read above.
            let _ = response.headers.drop_top_via();
            for name in &self.config.only_ours {
                response.headers.remove(name);
            }
            if response.headers.contains(&HeaderName::Via) {
                self.response_passes(id, response, now);
            }
        }
        self.schedule_client(id);
    }

    fn response_passes(&mut self, id: u64, response: Response, now: Duration) {
        let status = response.status;
        let timer_c = now.saturating_add(self.config.timers.c());
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let context = client.context;
        if status.is_provisional() {
            if status != StatusCode::TRYING && client.timer_c.is_some() {
                client.timer_c = Some(timer_c);
            }
            self.cancel_when_wanted(id, now);
            if status != StatusCode::TRYING {
                self.provisional(id, context, &response, now);
            }
            return;
        }
        client.timer_c = None;
        client.give_up_at = None;
        if status.is_success() {
            self.success(id, context, &response, now);
        } else {
            self.failure(id, context, response, now);
        }
    }

    fn provisional(&mut self, id: u64, context: u64, response: &Response, now: Duration) {
        let Some(state) = self.contexts.get(&context) else {
            return;
        };
        if state.phase != Phase::Forwarding || state.cancelled {
            return;
        }
        let call = state.call.clone();
        // RFC 4320 section 4.1: to a non-INVITE nothing but 100 may be provisional.
        if !state.machine.is_invite() {
            return;
        }
        if let Some(call) = call
            && let Some(client) = self.clients.get_mut(&id)
            && !std::mem::replace(&mut client.rang, true)
        {
            let label = client.label;
            let callee_tag = to_tag(response);
            self.outputs.push_back(Output::Call(CallEvent::Ringing {
                call: *call,
                callee_tag,
                label,
            }));
        }
        self.send_upstream(context, response, now);
    }

    fn success(&mut self, id: u64, context: u64, response: &Response, now: Duration) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        client.done = true;
        client.template = Box::default();
        client.ways.clear();
        let first = !std::mem::replace(&mut client.answered, true);
        let label = client.label;
        let Some(state) = self.contexts.get_mut(&context) else {
            return;
        };
        state.pending.retain(|pending| *pending != id);
        if first && let Some(call) = &state.call {
            let call = (**call).clone();
            let callee_tag = to_tag(response);
            self.outputs.push_back(Output::Call(CallEvent::Answered {
                call,
                callee_tag,
                label,
            }));
        }
        if let Some(plan) = &mut state.plan {
            plan.groups.clear();
        }
        let others = !state.pending.is_empty();
        // Every 2xx to an INVITE goes up, also those of branches that crossed the CANCEL; of the
        // others only the first.
        self.send_upstream(context, response, now);
        if others {
            self.cancel_pending(context, &[REASON_ELSEWHERE.to_vec()], now);
        }
    }

    fn failure(&mut self, id: u64, context: u64, response: Response, now: Duration) {
        let status = response.status;
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let by_flow = client.hop.as_ref().is_some_and(|hop| hop.flow().is_some());
        let dead = matches!(status.code(), 408 | 430) || (status.code() == 503 && !by_flow);
        if dead && !client.ways.is_empty() {
            self.branch_failed(id, status, now);
            return;
        }
        if std::mem::replace(&mut client.done, true) {
            return;
        }
        let Some(state) = self.contexts.get_mut(&context) else {
            return;
        };
        state.pending.retain(|pending| *pending != id);
        if matches!(status.code(), 401 | 407) {
            for name in [HeaderName::WwwAuthenticate, HeaderName::ProxyAuthenticate] {
                state.challenges.copy_from(&response.headers, &name);
            }
        }
        let better = |best: &Response| rank(status) < rank(best.status);
        if state.best.as_deref().is_none_or(better) {
            state.best = Some(Box::new(response));
        }
        if status.class() == 6 {
            self.cancel_pending(context, &[reason_refused(status)], now);
        }
        self.advance(context, now);
    }

    /// Section 16.7 steps 6, 7 and 9, when no branch is left.
    pub(super) fn send_best(&mut self, id: u64, now: Duration) {
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        let best = context.best.take();
        let (cancelled, in_dialog) = (context.cancelled, context.in_dialog);
        let code = best.as_ref().map(|best| best.status.code());
        let substitute = match code {
            // Cancelled before a branch could say so, or nothing was ever sent.
            None if cancelled => Some(StatusCode::REQUEST_TERMINATED),
            Some(408) if cancelled => Some(StatusCode::REQUEST_TERMINATED),
            None => Some(StatusCode::TEMPORARILY_UNAVAILABLE),
            // The caller did not cancel: we did, after the device rang for long enough.
            Some(487) if !cancelled => Some(StatusCode::REQUEST_TIMEOUT),
            // Section 16.7 step 6: that one branch is overloaded does not mean that we are.
            Some(503) => Some(StatusCode::SERVER_INTERNAL_ERROR),
            // RFC 5626: between proxies 430 says which flow died; a caller has none of ours.
            Some(430) if !in_dialog => Some(StatusCode::TEMPORARILY_UNAVAILABLE),
            Some(_) => None,
        };
        match (substitute, best) {
            (None, Some(mut best)) => {
                if matches!(best.status.code(), 401 | 407) {
                    let Some(context) = self.contexts.get_mut(&id) else {
                        return;
                    };
                    let challenges = std::mem::take(&mut context.challenges);
                    for name in [HeaderName::WwwAuthenticate, HeaderName::ProxyAuthenticate] {
                        best.headers.remove(&name);
                        best.headers.copy_from(&challenges, &name);
                    }
                }
                self.final_upstream(id, &best, now);
            }
            (substitute, _) => {
                let status = substitute.unwrap_or(StatusCode::SERVER_INTERNAL_ERROR);
                self.refuse(id, &Reject::new(status), now);
            }
        }
    }
}

fn to_tag(response: &Response) -> String {
    let to = response.headers.to();
    let tag = to.as_ref().ok().and_then(|to| to.tag());
    tag.unwrap_or_default().to_owned()
}

/// The ACK of a refusal (section 17.1.1.3), made of the CANCEL's template.
fn acknowledge(template: &[u8], response: &Response) -> Option<Vec<u8>> {
    let mut ack = template_request(template)?;
    let seq = ack.headers.cseq().ok()?.seq;
    ack.method = Method::Ack;
    ack.headers.set(HeaderName::CSeq, format!("{seq} ACK"));
    let to = response.headers.get(&HeaderName::To)?;
    ack.headers.set(HeaderName::To, to);
    Some(ack.to_bytes())
}

/// What was written is read again.
pub(super) fn template_request(template: &[u8]) -> Option<Request> {
    let limits = Limits {
        header_bytes_max: usize::MAX,
        header_line_bytes_max: usize::MAX,
        uri_bytes_max: usize::MAX,
        start_line_bytes_max: usize::MAX,
        ..Limits::default()
    };
    match parse_datagram(template, &limits) {
        Ok(Message::Request(request)) => Some(request),
        _ => None,
    }
}
