//! Calls on both sides at once: what one side says is told to the other.

use std::time::Duration;

use hearthline_sip::endpoint::{CallHandle, EndedBy, Event, Refusal};
use hearthline_sip::{Request, Response, StatusCode};

use super::{Call, Gateway, Side, body_of};

impl Gateway {
    /// Something happened to a call.
    pub(super) fn call_event(&mut self, side: Side, event: Event, now: Duration) {
        let Some(handle) = handle_of(&event) else {
            return;
        };
        let Some(id) = self.call_of(side, handle) else {
            return;
        };
        self.note_sessions(id, side, &event);
        if self.join_event(id, side, handle, &event, now)
            || self.onward_event(id, side, handle, &event, now)
            || self.move_event(id, side, handle, &event, now)
        {
            return;
        }
        match (side, event) {
            (Side::Outside, Event::Reached { status, .. }) => {
                self.reached(id, handle, status, now);
            }
            (Side::Outside, Event::Progress { response, .. }) => {
                self.progressed(id, handle, &response, now);
            }
            (Side::Outside, Event::Answered { response, .. }) => {
                self.line_answered(id, handle, &response, now);
            }
            (Side::Outside, Event::Failed { cause, .. }) => {
                self.line_failed(id, handle, &cause, now);
            }
            (Side::Home, Event::Progress { response, .. }) => {
                self.device_rings(id, &response, now);
            }
            (Side::Home, Event::Answered { response, .. }) => {
                self.device_answered(id, &response, now);
            }
            (Side::Home, Event::Failed { cause, .. }) => self.nobody_answered(id, &cause, now),
            (_, Event::Confirmed { ack, .. }) => self.confirmed(id, side, &ack, now),
            (_, Event::Ended { by, reason, .. }) => {
                self.side_ended(id, side, by, reason.as_deref(), now);
            }
            (_, Event::Reinvite { request, .. }) => {
                self.changed(id, side, handle, &request, false, now);
            }
            (_, Event::Update { request, .. }) => {
                self.changed(id, side, handle, &request, true, now);
            }
            (_, Event::ReinviteAnswered { response, .. }) => {
                self.change_answered(id, side, &response, now);
            }
            (_, Event::Info { request, .. }) => {
                if let Some((other, peer)) = self.peer(id, side)
                    && let Some(body) = body_of(&request.headers, &request.body)
                {
                    // A key that was pressed; lost, it is pressed again.
                    let _ = self.endpoint(other).info(peer, body, now);
                }
            }
            (_, Event::SessionExpired { .. }) if !self.is_help(id) => {
                let reason = Some("SIP;cause=408;text=\"session timer expired\"");
                let _ = self.endpoint(side).bye(handle, reason, now);
            }
            _ => {}
        }
    }

    /// The other side of a call that stands.
    pub(super) fn peer(&self, id: u64, side: Side) -> Option<(Side, CallHandle)> {
        match (self.calls.get(&id)?, side) {
            (Call::Outgoing(call), Side::Home) => Some((Side::Outside, call.answered?)),
            (Call::Outgoing(call), Side::Outside) => Some((Side::Home, call.home?)),
            (Call::Incoming(call), Side::Home) => Some((Side::Outside, call.outside)),
            (Call::Incoming(call), Side::Outside) => Some((Side::Home, call.home)),
        }
    }

    /// The one who called has acknowledged; after a late offer the answer comes with it.
    fn confirmed(&mut self, id: u64, side: Side, ack: &Request, now: Duration) {
        let late = match (self.calls.get(&id), side) {
            (Some(Call::Outgoing(call)), Side::Home) => call.late_offer,
            (Some(Call::Incoming(call)), Side::Outside) => call.late_offer,
            _ => false,
        };
        let Some((other, peer)) = self.peer(id, side).filter(|_| late) else {
            return;
        };
        let answer = body_of(&ack.headers, &ack.body);
        let silent = answer.is_none();
        // Acknowledged once: this is the ACK of a later change.
        if self
            .endpoint(other)
            .acknowledge_with(peer, answer.as_ref(), now)
            .is_err()
        {
            return;
        }
        if silent && !self.is_help(id) {
            // Without an answer there is nothing to talk by.
            let _ = self.endpoint(other).bye(peer, None, now);
        }
    }

    /// Whether it is an emergency call or the call-taker's callback: nobody but its people ends it.
    pub(super) fn is_help(&self, id: u64) -> bool {
        match self.calls.get(&id) {
            Some(Call::Outgoing(call)) => call.help().is_some(),
            Some(Call::Incoming(call)) => call.callback,
            None => false,
        }
    }

    /// Ends the line's side of a call that is no emergency.
    pub(super) fn end_on_lines(&mut self, id: u64, now: Duration) {
        if self.is_help(id) {
            return;
        }
        match self.calls.get(&id) {
            Some(Call::Outgoing(_)) => self.leave_lines(id, now),
            Some(Call::Incoming(call)) => {
                let outside = call.outside;
                // Refused before the answer, ended after it.
                let _ = self.outside.bye(outside, None, now);
            }
            None => {}
        }
    }

    /// One side has ended it: by BYE, by CANCEL, or because it was refused.
    fn side_ended(
        &mut self,
        id: u64,
        side: Side,
        by: EndedBy,
        reason: Option<&str>,
        now: Duration,
    ) {
        // A word of ours is no Reason; a peer's is passed on as it is.
        let reason = reason.filter(|_| by == EndedBy::Remote);
        match (self.calls.get(&id), side) {
            // The caller gave up, or hung up.
            (Some(Call::Outgoing(call)), Side::Home) => match call.answered {
                Some(outside) => {
                    let _ = self.outside.bye(outside, reason, now);
                }
                None => self.leave_lines(id, now),
            },
            (Some(Call::Outgoing(call)), Side::Outside) => {
                if let Some(home) = call.home {
                    let _ = self.home.bye(home, reason, now);
                }
            }
            (Some(Call::Incoming(call)), Side::Outside) => {
                let home = call.home;
                // Cancels before the answer, ends after it.
                let _ = self.home.bye(home, reason, now);
            }
            (Some(Call::Incoming(call)), Side::Home) => {
                let outside = call.outside;
                let _ = self.outside.bye(outside, reason, now);
            }
            (None, _) => return,
        }
        self.forget(id, now);
    }

    /// One side changes the session: hold, other codecs, another address.
    fn changed(
        &mut self,
        id: u64,
        side: Side,
        handle: CallHandle,
        request: &Request,
        update: bool,
        now: Duration,
    ) {
        let body = body_of(&request.headers, &request.body);
        let peer = self.peer(id, side);
        let done = match (peer, body) {
            (Some((other, peer)), Some(body)) if update => {
                self.endpoint(other).update(peer, Some(body), now).is_ok()
            }
            (Some((other, peer)), Some(body)) => {
                self.endpoint(other).reinvite(peer, body, now).is_ok()
            }
            _ => false,
        };
        if !done {
            // Another change is under way, or the call does not stand on both sides yet: ask again (RFC 3261 14.2).
            let pending = Refusal::new(StatusCode::REQUEST_PENDING);
            let _ = self.endpoint(side).reject_reinvite(handle, pending, now);
        }
    }

    /// The other side has said what it thinks of the change.
    fn change_answered(&mut self, id: u64, side: Side, response: &Response, now: Duration) {
        let Some((other, peer)) = self.peer(id, side) else {
            return;
        };
        let body = body_of(&response.headers, &response.body);
        let endpoint = self.endpoint(other);
        // The one who asked may have left.
        let _ = match response.status {
            status if status.is_success() => endpoint.answer_reinvite(peer, body, now),
            status => endpoint.reject_reinvite(peer, Refusal::new(status), now),
        };
    }
}

/// The call that an event is about.
fn handle_of(event: &Event) -> Option<CallHandle> {
    match event {
        Event::Progress { call, .. }
        | Event::Reached { call, .. }
        | Event::Answered { call, .. }
        | Event::Failed { call, .. }
        | Event::Ended { call, .. }
        | Event::Reinvite { call, .. }
        | Event::Update { call, .. }
        | Event::ReinviteAnswered { call, .. }
        | Event::Info { call, .. }
        | Event::Referred { call, .. }
        | Event::Confirmed { call, .. }
        | Event::SessionExpired { call } => Some(*call),
        _ => None,
    }
}
