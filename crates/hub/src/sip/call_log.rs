//! What is noted of calls while they pass: who called whom, when it rang, was answered, ended. Of calls over a line the
//! number and the contact, as the person who owns the home sees them on a telephone bill.

use std::collections::{HashMap, VecDeque};

use hearthline_sip::proxy::{AskId, CallEvent, CallKey};

use hearthline_sip::Headers;

use crate::call::{Call, CallState, Direction, OutsideEnd};
use crate::clock::UnixMs;
use crate::gateway::{Between, BetweenStep, OnLine};
use crate::id::{CallId, DeviceId};

/// Calls that are followed at once; beyond it the oldest is left as it was noted last.
const CALLS_MAX: usize = 10_000;
/// Calls from outside that were announced and have not begun.
const COMING_MAX: usize = 1_024;

/// What is known of a call when it begins.
pub(crate) struct Begun {
    pub(crate) direction: Direction,
    /// Our device that calls.
    pub(crate) device: Option<DeviceId>,
    /// The device that it is for, where it is known before one rings.
    pub(crate) called: Option<DeviceId>,
    pub(crate) emergency: bool,
    /// Whom the caller claims to be, where nothing proves it.
    pub(crate) claimed: Option<DeviceId>,
    /// By which line, and who is at the other end.
    pub(crate) on_line: Option<OnLine>,
    /// Whether a row is written: one source does not fill the store.
    pub(crate) noted: bool,
}

impl Begun {
    /// A call of this device.
    pub(crate) fn by(device: DeviceId, direction: Direction) -> Self {
        Self {
            direction,
            device: Some(device),
            called: None,
            emergency: false,
            claimed: None,
            on_line: None,
            noted: true,
        }
    }
}

/// Calls under way.
#[derive(Default)]
pub(crate) struct CallLog {
    begun: HashMap<AskId, Begun>,
    calls: HashMap<CallKey, Call>,
    by_call_id: HashMap<String, CallKey>,
    order: VecDeque<CallKey>,
    /// Calls from outside that are about to begin.
    coming: HashMap<String, OnLine>,
    /// Calls between two outside parties, by the gateway's number, and whether a row of them was written. The gateway
    /// has few at once.
    between: HashMap<u64, (Call, bool)>,
}

impl CallLog {
    /// An INVITE is about to be sent on.
    pub(crate) fn begins(&mut self, id: AskId, begun: Begun) {
        self.begun.insert(id, begun);
    }

    /// Everything that was decided has been carried out.
    pub(crate) fn all_decided(&mut self) {
        self.begun.clear();
    }

    /// The gateway said by which line a call goes; what is to be written, if it is under way.
    pub(crate) fn on_line(&mut self, news: OnLine) -> Option<Call> {
        let key = self.by_call_id.get(&news.call_id);
        let Some(call) = key.and_then(|key| self.calls.get_mut(key)) else {
            if self.coming.len() >= COMING_MAX {
                self.coming.clear();
            }
            self.coming.insert(news.call_id.clone(), news);
            return None;
        };
        put(call, news);
        Some(call.clone())
    }

    /// What the gateway said of a call from outside that begins now.
    pub(crate) fn coming(&mut self, call_id: &str) -> Option<OnLine> {
        self.coming.remove(call_id)
    }

    /// Whose an answered call is that a message of its dialog belongs to.
    pub(crate) fn holder(&self, headers: &Headers) -> Option<DeviceId> {
        let key = self.by_call_id.get(headers.call_id().ok()?)?;
        let (from, to) = (headers.from().ok()?, headers.to().ok()?);
        let is_theirs = [from.tag(), to.tag()].contains(&Some(key.caller_tag.as_str()));
        let call = self.calls.get(key).filter(|_| is_theirs)?;
        call.device.filter(|_| call.state == CallState::Confirmed)
    }

    /// The gateway said how a call between two outside parties goes; what is to be written, if anything.
    pub(crate) fn between(&mut self, news: Between, now: UnixMs) -> Option<Call> {
        match news.step {
            BetweenStep::Begins {
                asked_in,
                ends,
                rings,
            } => {
                let asked = self.by_call_id.get(&asked_in);
                let mut row = Call {
                    device: asked.and_then(|key| self.calls.get(key)?.device),
                    ..beginning(Direction::Outside, now)?
                };
                put_ends(&mut row, *ends);
                self.between.insert(news.id, (row.clone(), rings));
                rings.then_some(row)
            }
            BetweenStep::Stands { ends } => {
                let (row, written) = self.between.get_mut(&news.id)?;
                put_ends(row, *ends);
                row.state = CallState::Confirmed;
                row.answered_at_ms = Some(now);
                *written = true;
                Some(row.clone())
            }
            BetweenStep::Ended(ending) => {
                let (mut row, written) = self.between.remove(&news.id)?;
                row.state = match row.state {
                    CallState::Confirmed => CallState::Ended,
                    _ => CallState::Missed,
                };
                row.ended_at_ms = Some(now);
                row.ending = Some(ending);
                written.then_some(row)
            }
        }
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
        // Of a call from outside the device is the one that answers.
        let side = match call.direction {
            Direction::Incoming => &mut call.device,
            Direction::Inside | Direction::Outgoing | Direction::Outside => &mut call.other_device,
        };
        match event {
            CallEvent::Started { .. } => {}
            // The first that rings: a row for each device would say nothing more.
            CallEvent::Ringing { label, .. } if side.is_none() => *side = device_of(*label),
            CallEvent::Answered { label, .. } if call.state == CallState::Early => {
                *side = device_of(*label);
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
            self.by_call_id.remove(&event.call().call_id);
        }
        Some(row)
    }

    fn started(&mut self, key: &CallKey, id: AskId, now: UnixMs) -> Option<Call> {
        let begun = self.begun.remove(&id)?;
        if !begun.noted {
            return None;
        }
        let mut row = Call {
            device: begun.device,
            other_device: begun.called,
            claimed_device: begun.claimed,
            emergency: begun.emergency,
            ..beginning(begun.direction, now)?
        };
        if let Some(on_line) = begun.on_line {
            put(&mut row, on_line);
        }
        if self.order.len() >= CALLS_MAX {
            self.order.retain(|key| self.calls.contains_key(key));
        }
        while self.order.len() >= CALLS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.calls.remove(&oldest);
                self.by_call_id.remove(&oldest.call_id);
            }
        }
        self.order.push_back(key.clone());
        self.by_call_id.insert(key.call_id.clone(), key.clone());
        self.calls.insert(key.clone(), row.clone());
        Some(row)
    }
}

fn put_ends(call: &mut Call, [first, second]: [OutsideEnd; 2]) {
    call.line = Some(first.line);
    call.number = first.number;
    call.contact = first.contact;
    call.other_end = Some(second);
}

fn put(call: &mut Call, news: OnLine) {
    call.line = Some(news.line);
    call.number = news.number;
    call.contact = news.contact;
}

/// The row of an emergency call that was referred to the caller's own line.
pub(crate) fn refused_emergency(
    device: Option<DeviceId>,
    claimed_device: Option<DeviceId>,
    now: UnixMs,
) -> Option<Call> {
    Some(Call {
        device,
        claimed_device,
        state: CallState::Missed,
        ended_at_ms: Some(now),
        emergency: true,
        ..beginning(Direction::Outgoing, now)?
    })
}

/// The row of a call inside that did not ring: who was called is not to be disturbed, or is not there.
pub(crate) fn missed_inside(caller: DeviceId, called: DeviceId, now: UnixMs) -> Option<Call> {
    Some(Call {
        device: Some(caller),
        other_device: Some(called),
        state: CallState::Missed,
        ended_at_ms: Some(now),
        ..beginning(Direction::Inside, now)?
    })
}

/// The row of a call from outside that rang nobody: who was called is not to be disturbed, cannot be reached, or lets
/// such callers leave a message alone.
pub(crate) fn missed_from_outside(
    on_line: OnLine,
    device: Option<DeviceId>,
    now: UnixMs,
) -> Option<Call> {
    let mut row = Call {
        device,
        state: CallState::Missed,
        ended_at_ms: Some(now),
        ..beginning(Direction::Incoming, now)?
    };
    put(&mut row, on_line);
    Some(row)
}

fn beginning(direction: Direction, now: UnixMs) -> Option<Call> {
    // Without randomness the call goes on, only its row is missing.
    let id = CallId::random().ok()?;
    Some(Call::beginning(id, direction, now))
}
