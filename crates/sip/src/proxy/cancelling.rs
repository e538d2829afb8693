//! CANCEL, both ways (RFC 3261 sections 9, 16.10), Timer C (section 16.8), and the Reason that
//! tells a device why it stops ringing (RFC 3326).

use core::time::Duration;

use super::Proxy;
use super::context::{Cancel, ClientMachine, Phase};
use super::event::{AskId, Output, Reject};
use super::mark::ServerMark;
use super::responses::template_request;
use crate::message::Request;
use crate::outbound::Flow;
use crate::transaction::{ClientInviteState, ClientNonInvite, PATIENCE_IN_T1};
use crate::values::Reason;
use crate::{HeaderName, StatusCode};

/// So long a privileged call may wait in a queue; something must end it at last, or what is kept
/// of it would stay for ever.
const PRIVILEGED_RINGING_MAX: Duration = Duration::from_secs(6 * 3_600);

/// The group's time is over.
pub(super) const REASON_NO_ANSWER: &[u8] = b"SIP;cause=408;text=\"No answer\"";

/// Another device answered: RFC 3326 section 2 and its table of examples.
pub(super) const REASON_ELSEWHERE: &[u8] = b"SIP;cause=200;text=\"Call completed elsewhere\"";

/// Somebody refused for all (6xx).
pub(super) fn reason_refused(status: StatusCode) -> Vec<u8> {
    Reason::new("SIP", status.code(), status.reason())
        .to_string()
        .into_bytes()
}

impl Proxy {
    /// A CANCEL is answered here and means the branches of its INVITE (section 16.10).
    pub(super) fn cancel_arrived(
        &mut self,
        mark: ServerMark,
        flow: &Flow,
        cancel: Request,
        now: Duration,
    ) {
        // Whoever reads the Via of an INVITE knows its transaction (section 22.1): only who began
        // it may end it.
        let came_from = |id: &u64| {
            self.contexts.get(id).is_some_and(|context| {
                context.flow.id == flow.id || context.flow.remote.ip() == flow.remote.ip()
            })
        };
        let Some(id) = self.servers.get(&mark).copied().filter(came_from) else {
            self.answer(flow, cancel, &Reject::new(StatusCode::CALL_DOES_NOT_EXIST));
            return;
        };
        let reasons: Vec<Vec<u8>> = cancel
            .headers
            .get_all(&HeaderName::Reason)
            .map(<[u8]>::to_vec)
            .take(8)
            .collect();
        self.answer(flow, cancel, &Reject::new(StatusCode::OK));
        self.cancel_context(id, &reasons, now);
    }

    /// The caller's connection is gone: nobody would hear an answer.
    pub(super) fn caller_gone(&mut self, id: u64, now: Duration) {
        let reason = Reason::new("SIP", 430, "Caller lost").to_string();
        self.cancel_context(id, &[reason.into_bytes()], now);
    }

    fn cancel_context(&mut self, id: u64, reasons: &[Vec<u8>], now: Duration) {
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        if context.cancelled {
            return;
        }
        match context.phase {
            Phase::Answered => return,
            Phase::Taken => self.outputs.push_back(Output::Cancelled { id: AskId(id) }),
            Phase::Deciding | Phase::Forwarding => {}
        }
        context.cancelled = true;
        if context.phase == Phase::Forwarding {
            self.cancel_pending(id, reasons, now);
            self.advance(id, now);
        } else {
            self.refuse(id, &Reject::new(StatusCode::REQUEST_TERMINATED), now);
        }
    }

    /// Cancels every branch of a context that has no final response.
    pub(super) fn cancel_pending(&mut self, id: u64, reasons: &[Vec<u8>], now: Duration) {
        let Some(context) = self.contexts.get(&id) else {
            return;
        };
        for client in context.pending.clone() {
            self.cancel_client(client, reasons, now);
        }
    }

    fn cancel_client(&mut self, id: u64, reasons: &[Vec<u8>], now: Duration) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        client.ways.clear();
        if client.done || !matches!(client.cancel, Cancel::No) {
            return;
        }
        match (&client.machine, client.machine.invite_state()) {
            (ClientMachine::Resolving, _) => {
                // It was never sent, so there is nothing to cancel.
                client.done = true;
                let context = client.context;
                if let Some(context) = self.contexts.get_mut(&context) {
                    context.pending.retain(|pending| *pending != id);
                }
                self.forget_client(id);
            }
            (_, Some(ClientInviteState::Calling)) => {
                client.cancel = Cancel::Wanted(reasons.to_vec());
            }
            (_, Some(ClientInviteState::Proceeding)) => self.send_cancel(id, reasons, now),
            _ => {}
        }
    }

    /// A provisional response came: a CANCEL that waited for it may go.
    pub(super) fn cancel_when_wanted(&mut self, id: u64, now: Duration) {
        if let Some(client) = self.clients.get_mut(&id)
            && let Cancel::Wanted(reasons) = &mut client.cancel
        {
            let reasons = std::mem::take(reasons);
            self.send_cancel(id, &reasons, now);
        }
    }

    fn send_cancel(&mut self, id: u64, reasons: &[Vec<u8>], now: Duration) {
        let timers = self.config.timers;
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let (Some(hop), Some(mut cancel)) =
            (client.hop.clone(), template_request(&client.template))
        else {
            return;
        };
        for reason in reasons {
            cancel.headers.push(HeaderName::Reason, reason.clone());
        }
        let bytes = cancel.to_bytes();
        let reliable = hop.transport().is_reliable();
        client.cancel = Cancel::Sent {
            machine: ClientNonInvite::new(timers, reliable, now),
            bytes: bytes.clone().into(),
        };
        client.timer_c = None;
        client.give_up_at = Some(now.saturating_add(timers.t1.saturating_mul(PATIENCE_IN_T1)));
        self.transmit(hop, bytes);
        self.schedule_client(id);
    }

    /// Section 16.8: an INVITE that only rings is cancelled after more than three minutes; a
    /// privileged one waits on (the section leaves it to us to set the timer again).
    pub(super) fn timer_c(&mut self, id: u64, now: Duration) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        if client.timer_c.is_none_or(|at| at > now) {
            return;
        }
        client.timer_c = None;
        if client.machine.invite_state() == Some(ClientInviteState::Proceeding) {
            let context = self.contexts.get(&client.context);
            let waits = context.is_some_and(|context| context.privileged && !context.cancelled);
            if waits && now < client.sent_at.saturating_add(PRIVILEGED_RINGING_MAX) {
                client.timer_c = Some(now.saturating_add(self.config.timers.c()));
                return;
            }
            self.send_cancel(id, &[REASON_NO_ANSWER.to_vec()], now);
        }
    }

    /// A way that said nothing for too long is dead. If it wakes up, it is cancelled.
    pub(super) fn silence(&mut self, id: u64, now: Duration) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        if client.silent_until.is_none_or(|at| at > now) {
            return;
        }
        client.silent_until = None;
        self.branch_failed(id, StatusCode::REQUEST_TIMEOUT, now);
        if let Some(client) = self.clients.get_mut(&id)
            && client.machine.invite_state() == Some(ClientInviteState::Calling)
        {
            client.cancel = Cancel::Wanted(vec![REASON_NO_ANSWER.to_vec()]);
        }
    }

    /// Section 9.1: 64*T1 after the CANCEL the branch counts as cancelled, answered or not.
    pub(super) fn give_up(&mut self, id: u64, now: Duration) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        if client.give_up_at.is_none_or(|at| at > now) {
            return;
        }
        client.give_up_at = None;
        if let ClientMachine::Invite(machine) = &mut client.machine
            && !client.done
        {
            machine.terminate();
            self.branch_failed(id, StatusCode::REQUEST_TIMEOUT, now);
        }
    }
}
