//! The latest events in memory, so that those who follow them do not each ask the database.
//!
//! Only what this process has committed stands here, and no other process writes: the folder is locked. What is not here
//! (older, or after a start) is in the database; a gap is never skipped.
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::event::{Event, StreamId};

/// Most events that are kept.
const KEPT_MAX: usize = 1_024;

#[derive(Default)]
pub(super) struct Tail(Mutex<BTreeMap<i64, Event>>);

impl Tail {
    /// Keeps what was committed. Commits may be told out of their order.
    pub(super) fn add(&self, events: Vec<Event>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(events.into_iter().map(|event| (event.stream_id.0, event)));
        while kept.len() > KEPT_MAX {
            kept.pop_first();
        }
    }

    /// Keeps none: all are asked for in the database again.
    pub(super) fn forget(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clear();
    }

    /// The events right behind a place, without a gap; none where the next one is not kept here.
    pub(super) fn after(&self, after: StreamId, limit: u32) -> Vec<Event> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = after.0.saturating_add(1);
        let run = kept.range(next..).zip(next..);
        run.take_while(|((at, _), expected)| *at == expected)
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|((_, event), _)| event.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixMs;
    use crate::event::{Audience, EventKind};

    fn event(at: i64) -> Event {
        Event {
            stream_id: StreamId(at),
            kind: EventKind::Calls,
            audience: Audience::Home,
            subject: at.to_string(),
            at: UnixMs(0),
        }
    }

    fn places(tail: &Tail, after: i64, limit: u32) -> Vec<i64> {
        let events = tail.after(StreamId(after), limit);
        events.iter().map(|event| event.stream_id.0).collect()
    }

    #[test]
    fn a_gap_is_never_skipped() {
        let tail = Tail::default();
        assert!(places(&tail, 0, 10).is_empty());
        tail.add(vec![event(4)]);
        assert!(places(&tail, 2, 10).is_empty(), "3 may be in the database");
        tail.add(vec![event(3)]);
        assert_eq!(places(&tail, 2, 10), [3, 4]);
        assert_eq!(places(&tail, 2, 1), [3]);
        assert!(places(&tail, 4, 10).is_empty());
        tail.add(vec![event(6)]);
        assert_eq!(places(&tail, 2, 10), [3, 4]);
    }

    #[test]
    fn the_oldest_go() {
        let tail = Tail::default();
        tail.add((1..=2_000).map(event).collect());
        assert!(places(&tail, 0, 10).is_empty());
        assert_eq!(places(&tail, 1_990, 100).len(), 10);
        assert_eq!(places(&tail, 976, 2_000).len(), KEPT_MAX);
    }
}
