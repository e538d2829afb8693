//! Taking back a call that is not answered yet (RFC 3261 section 9.1).

use core::time::Duration;
use std::collections::VecDeque;

use super::Endpoint;
use super::call::{Call, Cancel, Phase, Purpose};
use super::event::{CallHandle, CommandError, FailureCause};
use crate::transaction::{ClientInviteState, TransactionId};
use crate::{HeaderName, Method, Request};

impl Endpoint {
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

    pub(super) fn call_cancelled(&mut self, handle: u64, now: Duration) {
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
    pub(super) fn send_wanted_cancel(&mut self, handle: u64, now: Duration) {
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
    pub(super) fn send_cancel(&mut self, id: TransactionId, reason: Option<&str>, now: Duration) {
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
