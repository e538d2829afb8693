//! Hold, resume and three-way calls: changed sessions of calls that stand (RFC 3264 section 8.4).
use core::time::Duration;

use hearthline_sip::endpoint::{Body, CallHandle, CommandError, Endpoint};
use hearthline_sip::sdp::Direction;

use super::Telephone;
use super::call::State;

/// A change that met another one is tried again after so long.
pub(super) const CHANGE_PAUSE: Duration = Duration::from_secs(2);

impl Telephone {
    /// Everybody but `except` is put on hold, at once for the sound, by re-INVITE for the other side.
    pub(super) fn hold_others(
        &mut self,
        except: Option<CallHandle>,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        let spoken: Vec<CallHandle> = self
            .calls
            .iter()
            .filter(|call| call.is_spoken() && Some(call.handle) != except)
            .map(|call| call.handle)
            .collect();
        for handle in spoken {
            self.set_held(handle, true, endpoint, now);
        }
    }

    pub(super) fn set_held(
        &mut self,
        handle: CallHandle,
        hold: bool,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        if let Some(call) = self.call(handle)
            && let State::Confirmed { held, .. } = &mut call.state
        {
            *held = hold;
            call.joined &= !hold;
            call.heard.clear();
            self.offer_change(handle, endpoint, now);
        }
    }

    /// Offers what the state of the call says: hold or both ways (RFC 3264 section 8.4).
    pub(super) fn offer_change(
        &mut self,
        handle: CallHandle,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        let Some(call) = self.call(handle) else {
            return;
        };
        call.change_due = None;
        let (State::Confirmed { held, .. }, Some(previous)) = (&call.state, &call.described) else {
            return;
        };
        let direction = if *held {
            Direction::SendOnly
        } else {
            Direction::SendRecv
        };
        let Some(leg) = &call.leg else {
            return;
        };
        let ours = leg.reoffer(previous, direction);
        let call_id = call.call_id.clone();
        let peer = endpoint.peer(handle);
        let row = peer.and_then(|peer| self.signed(peer, &call_id, &ours, now).ok().flatten());
        let rows = row.into_iter().collect();
        let offered = endpoint.reinvite_with(handle, rows, Body::sdp(ours.to_bytes()), now);
        let Some(call) = self.call(handle) else {
            return;
        };
        match offered {
            Ok(()) => call.described = Some(ours),
            // Another change is under way, or the ACK has not come yet.
            Err(CommandError::Glare | CommandError::WrongState { .. }) => {
                call.change_due = Some(now + CHANGE_PAUSE);
            }
            Err(_) => {}
        }
    }

    pub(super) fn resume(&mut self, endpoint: &mut Endpoint, now: Duration) {
        let held = self.calls.iter().rev().find(|call| call.is_held());
        let Some(handle) = held.map(|call| call.handle) else {
            return;
        };
        self.hold_others(Some(handle), endpoint, now);
        self.set_held(handle, false, endpoint, now);
        self.step("resumed".into());
    }

    pub(super) fn merge(&mut self, endpoint: &mut Endpoint, now: Duration) {
        let held: Vec<CallHandle> = self
            .calls
            .iter()
            .filter(|call| call.is_held())
            .map(|call| call.handle)
            .collect();
        for handle in held {
            self.set_held(handle, false, endpoint, now);
        }
        for call in self.calls.iter_mut().filter(|call| call.is_confirmed()) {
            call.joined = true;
            call.heard.clear();
        }
        self.step("put together".into());
    }
}
