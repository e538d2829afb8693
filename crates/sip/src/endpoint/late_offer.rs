//! Calls that begin without an offer: the callee's is in its 2xx, the answer goes in the ACK (RFC 3261 sections 13.2.1
//! and 13.2.2.4). The ACK waits for that answer; the callee repeats its 2xx meanwhile.

use core::time::Duration;

use super::Endpoint;
use super::build::put_body;
use super::call::Call;
use super::event::{CallHandle, CommandError};
use super::request::Body;
use crate::transaction::TransactionId;
use crate::{Request, Response};

/// A 2xx with an offer that was not acknowledged yet.
#[derive(Debug)]
pub(super) struct OwedAnswer {
    transaction: TransactionId,
    /// The fork's tag.
    tag: String,
    invite: Request,
}

impl Endpoint {
    /// Acknowledges the 2xx of a call that was begun with
    /// [`late_offer`](super::InviteRequest::late_offer), with the answer to the offer in it.
    ///
    /// # Errors
    /// When no 2xx waits for that.
    pub fn acknowledge_with(
        &mut self,
        call: CallHandle,
        answer: Option<&Body>,
        now: Duration,
    ) -> Result<(), CommandError> {
        let entry = self.calls.get(&call.0).ok_or(CommandError::UnknownCall)?;
        let state = entry.phase.as_str();
        if !self.pay_answer(call.0, answer, now) {
            let command = "answer in an ACK";
            return Err(CommandError::WrongState { command, state });
        }
        self.settle(now);
        Ok(())
    }

    /// Sends the ACK that waits, if one does.
    pub(super) fn pay_answer(&mut self, handle: u64, answer: Option<&Body>, now: Duration) -> bool {
        let Some(call) = self.calls.get_mut(&handle) else {
            return false;
        };
        let flow = call.flow.clone();
        let dialog = call.dialog.clone();
        let owed = call.caller().and_then(|caller| caller.owed.take());
        let (Some(owed), Some(dialog)) = (owed, dialog) else {
            return false;
        };
        if let Some(answer) = answer {
            call.local_body = Some(answer.clone());
        }
        self.acknowledge_offer(
            owed.transaction,
            &dialog,
            &flow,
            &owed.tag,
            &owed.invite,
            answer,
            now,
        );
        true
    }

    /// Whether this 2xx is the repetition of one whose ACK still waits.
    pub(super) fn is_owed(&mut self, handle: u64, id: TransactionId, tag: &str) -> bool {
        let caller = self.calls.get_mut(&handle).and_then(Call::caller);
        caller
            .and_then(|caller| caller.owed.as_ref())
            .is_some_and(|owed| owed.transaction == id && owed.tag == tag)
    }

    /// Notes that the ACK of this 2xx waits for an answer; `false`: it does not.
    pub(super) fn owe_answer(
        &mut self,
        handle: u64,
        id: TransactionId,
        tag: &str,
        invite: &Request,
        response: &Response,
    ) -> bool {
        let Some(caller) = self.calls.get_mut(&handle).and_then(Call::caller) else {
            return false;
        };
        if !caller.request.late_offer || response.body.is_empty() {
            return false;
        }
        caller.owed = Some(OwedAnswer {
            transaction: id,
            tag: tag.to_owned(),
            invite: invite.clone(),
        });
        true
    }

    /// Puts an answer into an ACK.
    pub(super) fn put_answer(ack: &mut Request, answer: Option<&Body>) {
        put_body(&mut ack.headers, &mut ack.body, answer);
    }
}
