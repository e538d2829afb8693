//! Two far ends that have each other, with nobody of the home between them: what one says is told to the other, and the
//! record says who they were, from when to when, and how it ended.
//!
//! *Bounds.* [`JOINED_MAX`] at once, each for [`LineTimers::joined_max`](super::LineTimers).

use std::time::Duration;

use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{CallHandle, Event, Refusal};

use super::{Gateway, Output, body_of};
use crate::call::{Ending, OutsideEnd};

/// Joined calls at once, with those that are being joined.
const JOINED_MAX: usize = 8;

/// Two far ends with nobody of the home between them.
pub(super) struct Joined {
    ends: [CallHandle; 2],
    until: Duration,
}

impl Joined {
    pub(super) fn next_timeout(&self) -> Duration {
        self.until
    }

    fn other(&self, handle: CallHandle) -> CallHandle {
        match self.ends[0] == handle {
            true => self.ends[1],
            false => self.ends[0],
        }
    }
}

/// What the record should know of a call between two far ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Between {
    /// The same from its beginning to its end.
    pub(crate) id: u64,
    pub(crate) step: BetweenStep,
}

/// How far such a call has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BetweenStep {
    /// A device asked for it.
    Begins {
        /// Call-ID of the device's dialog with the switchboard in which it did.
        asked_in: String,
        ends: Box<[OutsideEnd; 2]>,
        /// Whether the second is being called for it; otherwise there is nothing to remember until it stands.
        rings: bool,
    },
    /// They have each other. The second may be on another line than at first.
    Stands { ends: Box<[OutsideEnd; 2]> },
    /// It is over, or came to nothing.
    Ended(Ending),
}

impl Gateway {
    /// Whether one more may be begun.
    pub(super) fn has_room_for_joined(&self) -> Result<(), (StatusCode, &'static str)> {
        let count = self.joined.len() + self.joinings.len() + self.onward.len();
        match count < JOINED_MAX {
            true => Ok(()),
            false => Err((StatusCode::TEMPORARILY_UNAVAILABLE, "too many joined calls")),
        }
    }

    pub(super) fn between_begins(&mut self, record: u64, calls: [u64; 2], rings: bool) {
        let [first, _] = calls;
        let asked_in = match self.peer(first, super::Side::Outside) {
            Some((_, home)) => self.home.call_id(home).unwrap_or_default().to_owned(),
            None => String::new(),
        };
        if let Some(ends) = self.ends_of(calls) {
            let ends = Box::new(ends);
            let step = BetweenStep::Begins {
                asked_in,
                ends,
                rings,
            };
            self.between(record, step);
        }
    }

    pub(super) fn between_stands(&mut self, record: u64, calls: [u64; 2]) {
        if let Some(ends) = self.ends_of(calls) {
            let ends = Box::new(ends);
            self.between(record, BetweenStep::Stands { ends });
        }
    }

    pub(super) fn between_ended(&mut self, record: u64, ending: Ending) {
        self.between(record, BetweenStep::Ended(ending));
    }

    fn between(&mut self, id: u64, step: BetweenStep) {
        let between = Between { id, step };
        self.outputs.push_back(Output::Between(between));
    }

    fn ends_of(&self, calls: [u64; 2]) -> Option<[OutsideEnd; 2]> {
        let end = |id: u64| {
            let on_line = self.beyond.get(&id)?.on_line.as_ref()?;
            Some(OutsideEnd {
                line: on_line.line,
                number: on_line.number.clone(),
                contact: on_line.contact,
            })
        };
        let [first, second] = calls;
        Some([end(first)?, end(second)?])
    }

    /// They have each other from now on.
    pub(super) fn stand_joined(&mut self, record: u64, ends: [CallHandle; 2], now: Duration) {
        for end in ends {
            self.of_outside.insert(end, record);
        }
        let until = now.saturating_add(self.config.timers.joined_max);
        self.joined.insert(record, Joined { ends, until });
    }

    /// Something happened between two far ends.
    pub(super) fn joined_event(
        &mut self,
        id: u64,
        handle: CallHandle,
        event: &Event,
        now: Duration,
    ) {
        let Some(other) = self.joined.get(&id).map(|own| own.other(handle)) else {
            return;
        };
        let outside = &mut self.outside;
        match event {
            Event::Ended { .. } => self.part(id, Ending::HungUp, Some(handle), now),
            Event::Reinvite { request, .. } | Event::Update { request, .. } => {
                let body = body_of(&request.headers, &request.body);
                let asked = body.map(|body| match event {
                    Event::Update { .. } => outside.update(other, Some(body), now),
                    _ => outside.reinvite(other, body, now),
                });
                if !matches!(asked, Some(Ok(()))) {
                    let pending = Refusal::new(StatusCode::REQUEST_PENDING);
                    let _ = outside.reject_reinvite(handle, pending, now);
                }
            }
            Event::ReinviteAnswered { response, .. } => {
                let body = body_of(&response.headers, &response.body);
                // The one who asked may have left.
                let _ = match response.status {
                    status if status.is_success() => outside.answer_reinvite(other, body, now),
                    status => outside.reject_reinvite(other, Refusal::new(status), now),
                };
            }
            Event::Info { request, .. } => {
                if let Some(body) = body_of(&request.headers, &request.body) {
                    // A key that was pressed; lost, it is pressed again.
                    let _ = outside.info(other, body, now);
                }
            }
            Event::SessionExpired { .. } => self.part(id, Ending::LineLost, None, now),
            _ => {}
        }
    }

    /// Joined calls that have lasted for as long as they may; whether there were any.
    pub(super) fn joined_due(&mut self, now: Duration) -> bool {
        let due: Vec<u64> = self
            .joined
            .iter()
            .filter(|(_, own)| own.until <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in &due {
            self.part(*id, Ending::TimeUp, None, now);
        }
        !due.is_empty()
    }

    /// Ends them all; whether there were any.
    pub(super) fn part_all(&mut self, now: Duration) -> bool {
        let all: Vec<u64> = self.joined.keys().copied().collect();
        for id in &all {
            self.part(*id, Ending::HubStopped, None, now);
        }
        !all.is_empty()
    }

    /// Ends what is left of a joined call.
    fn part(&mut self, id: u64, ending: Ending, gone: Option<CallHandle>, now: Duration) {
        let Some(Joined { ends, .. }) = self.joined.remove(&id) else {
            return;
        };
        let ending = match (ending, gone == Some(ends[1])) {
            (Ending::HungUp, true) => Ending::OtherHungUp,
            (ending, _) => ending,
        };
        for end in ends {
            self.of_outside.remove(&end);
            if Some(end) != gone {
                let _ = self.outside.bye(end, None, now);
            }
        }
        self.between_ended(id, ending);
    }
}
