//! What is noted of calls while they pass: who called whom, when it rang, was answered, ended. No numbers, no names.

use std::collections::{HashMap, VecDeque};

use hearthline_sip::proxy::{AskId, CallEvent, CallKey};

use crate::call::{Call, CallState, Direction};
use crate::clock::UnixMs;
use crate::id::{CallId, DeviceId};

/// Calls that are followed at once; beyond it the oldest is left as it was noted last.
const CALLS_MAX: usize = 10_000;

/// Calls under way.
#[derive(Default)]
pub(crate) struct CallLog {
    callers: HashMap<AskId, DeviceId>,
    calls: HashMap<CallKey, Call>,
    order: VecDeque<CallKey>,
}

impl CallLog {
    /// An INVITE of this device is about to be sent on.
    pub(crate) fn calls(&mut self, id: AskId, caller: DeviceId) {
        self.callers.insert(id, caller);
    }

    /// Everything that was decided has been carried out.
    pub(crate) fn all_decided(&mut self) {
        self.callers.clear();
    }

    /// What is to be written, if anything.
    pub(crate) fn note(
        &mut self,
        event: &CallEvent,
        device_of: impl Fn(u64) -> Option<DeviceId>,
        now: UnixMs,
    ) -> Option<Call> {
        if let CallEvent::Started { call, id, .. } = event {
            return self.started(call, *id, now);
        }
        let call = self.calls.get_mut(event.call())?;
        match event {
            CallEvent::Started { .. } => {}
            // The first that rings: a row for each device would say nothing more.
            CallEvent::Ringing { label, .. } if call.other_device.is_none() => {
                call.other_device = device_of(*label);
            }
            CallEvent::Answered { label, .. } if call.state == CallState::Early => {
                call.other_device = device_of(*label);
                call.state = CallState::Confirmed;
                call.answered_at_ms = Some(now);
            }
            CallEvent::Ringing { .. } | CallEvent::Answered { .. } => return None,
            CallEvent::Failed { .. } if call.state == CallState::Confirmed => return None,
            CallEvent::Failed { .. } => {
                call.state = CallState::Missed;
                call.ended_at_ms = Some(now);
            }
            CallEvent::Ended { .. } => {
                call.state = CallState::Ended;
                call.ended_at_ms = Some(now);
            }
        }
        let row = call.clone();
        if row.ended_at_ms.is_some() {
            self.calls.remove(event.call());
        }
        Some(row)
    }

    fn started(&mut self, key: &CallKey, id: AskId, now: UnixMs) -> Option<Call> {
        let caller = self.callers.get(&id).copied();
        let row = Call {
            device: caller,
            ..beginning(Direction::Inside, now)?
        };
        if self.order.len() >= CALLS_MAX {
            self.order.retain(|key| self.calls.contains_key(key));
        }
        while self.order.len() >= CALLS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.calls.remove(&oldest);
            }
        }
        self.order.push_back(key.clone());
        self.calls.insert(key.clone(), row.clone());
        Some(row)
    }
}

/// The row of an emergency call that was referred to the caller's own line.
pub(crate) fn refused_emergency(device: Option<DeviceId>, now: UnixMs) -> Option<Call> {
    Some(Call {
        device,
        state: CallState::Missed,
        ended_at_ms: Some(now),
        ..beginning(Direction::Outgoing, now)?
    })
}

fn beginning(direction: Direction, now: UnixMs) -> Option<Call> {
    Some(Call {
        // Without randomness the call goes on, only its row is missing.
        id: CallId::random().ok()?,
        direction,
        device: None,
        other_device: None,
        contact: None,
        number: None,
        line: None,
        state: CallState::Early,
        started_at_ms: now,
        answered_at_ms: None,
        ended_at_ms: None,
    })
}
