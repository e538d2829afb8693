//! What waits to be written: bounded, and of each call and place the latest alone.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use hearthline_sip::Response;
use hearthline_sip::proxy::AskId;
use tokio::time::Instant;

use super::{RowChange, RowKey, key_of};
use crate::binding::Binding;
use crate::call::Call;
use crate::id::CallId;

/// Most calls of one transaction.
pub(super) const GATHERED_MAX: usize = 256;
/// Most calls that wait while the store takes nothing.
pub(super) const CALLS_WAITING_MAX: usize = 10_000;
/// Most places of registrations that do.
const PLACES_WAITING_MAX: usize = 10_000;
/// Writes of registrations that may follow each other at once, and how soon the next one may.
const PACE_BURST: u32 = 50;
const PACE: Duration = Duration::from_millis(25);
/// Registrations, and answers that wait for them, that are written at once whatever the pace says.
const GROUP_MAX: usize = 64;
/// Who registers is answered after so long at the latest: with 503, where the rows are not written yet.
pub(super) const ANSWERED_WITHIN: Duration = Duration::from_secs(8);

/// Rows of calls: what a call is in the end counts, not each step of a quick one.
#[derive(Default)]
pub(super) struct Calls {
    rows: HashMap<CallId, Call>,
    /// In the order in which they began to wait.
    order: VecDeque<CallId>,
    until: Option<Instant>,
    /// Calls of which a row found no room.
    pub(super) lost: u64,
}

impl Calls {
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn add(&mut self, call: Call, now: Instant) {
        let id = call.id;
        if self.rows.insert(id, call).is_none() {
            self.order.push_back(id);
            self.bound();
        }
        self.until = self.until.or(Some(now));
    }

    /// Those that were taken and not written; what has come of them since is newer.
    pub(super) fn put_back(&mut self, calls: Vec<Call>, now: Instant) {
        if calls.is_empty() {
            return;
        }
        for call in calls.into_iter().rev() {
            let id = call.id;
            if let Entry::Vacant(place) = self.rows.entry(id) {
                place.insert(call);
                self.order.push_front(id);
            }
        }
        self.bound();
        self.until = Some(now);
    }

    /// The oldest ordinary ones give way; what is left of a call for help goes last.
    fn bound(&mut self) {
        while self.order.len() > CALLS_WAITING_MAX {
            let is_ordinary = |id: &CallId| self.rows.get(id).is_none_or(|call| !call.emergency);
            let at = self.order.iter().position(is_ordinary).unwrap_or(0);
            if let Some(id) = self.order.remove(at) {
                self.rows.remove(&id);
                if self.lost == 0 {
                    tracing::error!(
                        "too many calls wait for the database: the oldest rows are lost"
                    );
                }
                self.lost += 1;
            }
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.until
    }

    /// The oldest of them, as many as one transaction takes.
    pub(super) fn take(&mut self, now: Instant) -> Vec<Call> {
        let count = self.order.len().min(GATHERED_MAX);
        let order = self.order.drain(..count);
        let calls = order.filter_map(|id| self.rows.remove(&id)).collect();
        self.until = (!self.order.is_empty()).then_some(now);
        calls
    }
}

/// How often registrations are written: a few at once, then at this pace, so that those of a busy moment share a write.
#[derive(Default)]
struct Pace {
    paid_until: Option<Instant>,
}

impl Pace {
    /// When the next one may be.
    fn next(&self, now: Instant) -> Instant {
        let ahead = PACE * PACE_BURST;
        self.paid_until
            .and_then(|paid| paid.checked_sub(ahead))
            .map_or(now, |free| free.max(now))
    }

    fn spend(&mut self, now: Instant) {
        let paid = self.paid_until.unwrap_or(now).max(now);
        self.paid_until = Some(paid + PACE);
    }
}

/// What becomes of one place: what stands there goes first, where it is to, and then this comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) key: RowKey,
    pub(super) remove: bool,
    pub(super) put: Option<Box<Binding>>,
}

/// An answer that waits for its places.
pub(super) struct Waiting {
    pub(super) id: AskId,
    pub(super) response: Box<Response>,
    pub(super) keys: Vec<RowKey>,
    pub(super) until: Instant,
}

/// Registrations that are written at once, and who waits for them.
#[derive(Default)]
pub(super) struct Registrations {
    places: HashMap<RowKey, Place>,
    pub(super) answers: Vec<Waiting>,
    pace: Pace,
    /// Changes that found no room.
    pub(super) lost: u64,
}

impl Registrations {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty() && self.answers.is_empty()
    }

    /// The place that it concerns; `None`: there is no room.
    pub(super) fn add(&mut self, change: RowChange) -> Option<RowKey> {
        let (key, put) = match change {
            RowChange::Put(row) => (key_of(&row), Some(row)),
            RowChange::Remove(key) => (key, None),
        };
        if self.places.len() >= PLACES_WAITING_MAX && !self.places.contains_key(&key) {
            if self.lost == 0 {
                tracing::error!(
                    "too many registrations wait for the database: further ones are refused"
                );
            }
            self.lost += 1;
            return None;
        }
        let place = self.places.entry(key.clone()).or_insert_with(|| Place {
            key: key.clone(),
            remove: false,
            put: None,
        });
        place.remove |= put.is_none();
        place.put = put;
        Some(key)
    }

    /// Those that were taken and not written; what has come of them since is newer.
    pub(super) fn put_back(&mut self, places: Vec<Place>) {
        for place in places {
            match self.places.entry(place.key.clone()) {
                Entry::Occupied(mut newer) => newer.get_mut().remove |= place.remove,
                Entry::Vacant(free) => drop(free.insert(place)),
            }
        }
    }

    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        if self.is_empty() {
            return None;
        }
        let many = self.places.len() >= GROUP_MAX || self.answers.len() >= GROUP_MAX;
        Some(if many { now } else { self.pace.next(now) })
    }

    pub(super) fn take(&mut self, now: Instant) -> (Vec<Place>, Vec<Waiting>) {
        self.pace.spend(now);
        let places = self.places.drain().map(|(_, place)| place).collect();
        (places, std::mem::take(&mut self.answers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{CallState, Direction};
    use crate::clock::UnixMs;

    #[test]
    fn a_few_writes_follow_each_other_then_they_are_shared() {
        let (mut pace, began) = (Pace::default(), Instant::now());
        for _ in 0..PACE_BURST {
            assert_eq!(pace.next(began), began);
            pace.spend(began);
        }
        let mut now = began;
        for _ in 0..20 {
            now = pace.next(now);
            pace.spend(now);
        }
        let waited = now - began;
        assert!(
            (PACE * 18..=PACE * 20).contains(&waited),
            "{waited:?} for twenty more"
        );
        // After a quiet time there is no wait again.
        now += PACE * (PACE_BURST + 1);
        assert_eq!(pace.next(now), now);
    }

    fn row(reg_id: u32, cseq: u32) -> Box<Binding> {
        Box::new(Binding {
            aor: "sip:anna@home.test".to_owned(),
            instance_id: "urn:uuid:1".to_owned(),
            reg_id,
            device: None,
            contact: "<sip:anna@127.0.0.1>".to_owned(),
            path: Vec::new(),
            node_id: super::super::NODE.to_owned(),
            flow_id: 0,
            call_id: "c".to_owned(),
            cseq,
            expires_at: UnixMs(0),
        })
    }

    #[test]
    fn of_a_place_only_the_latest_is_written() {
        let mut waiting = Registrations::default();
        for (reg_id, cseq) in [(1, 1), (2, 1), (1, 2)] {
            waiting.add(RowChange::Put(row(reg_id, cseq))).unwrap();
        }
        let now = Instant::now();
        let mut taken = waiting.take(now).0;
        taken.sort_by_key(|place| place.key.reg_id);
        let puts: Vec<_> = taken.iter().map(|place| place.put.clone()).collect();
        assert_eq!(puts, [Some(row(1, 2)), Some(row(2, 1))]);
        // One goes and comes again while the store takes nothing: both are done, and the older one is not.
        waiting
            .add(RowChange::Remove(taken[0].key.clone()))
            .unwrap();
        waiting.add(RowChange::Put(row(1, 1))).unwrap();
        waiting.put_back(taken);
        let mut taken = waiting.take(now).0;
        taken.sort_by_key(|place| place.key.reg_id);
        assert!(taken[0].remove && !taken[1].remove);
        assert_eq!(taken[0].put, Some(row(1, 1)));
    }

    fn call(emergency: bool) -> Call {
        Call {
            emergency,
            ..Call::beginning(CallId::random().unwrap(), Direction::Inside, UnixMs(0))
        }
    }

    #[test]
    fn calls_wait_within_a_bound_and_those_for_help_stay() {
        let (mut waiting, now) = (Calls::default(), Instant::now());
        let help = call(true);
        waiting.add(help.clone(), now);
        let first = call(false);
        waiting.add(first.clone(), now);
        // The same call again takes no more room.
        waiting.add(first.clone(), now);
        for _ in 2..CALLS_WAITING_MAX {
            waiting.add(call(false), now);
        }
        assert_eq!((waiting.len(), waiting.lost), (CALLS_WAITING_MAX, 0));
        waiting.add(call(false), now);
        assert_eq!((waiting.len(), waiting.lost), (CALLS_WAITING_MAX, 1));
        let taken = waiting.take(now);
        assert_eq!(taken[0], help, "in their order");
        assert!(!taken.contains(&first), "the oldest ordinary one gave way");
        // What comes of one that was taken is newer than what is put back.
        let mut over = taken[1].clone();
        over.state = CallState::Ended;
        waiting.add(over.clone(), now);
        waiting.put_back(taken, now);
        let again = waiting.take(now);
        assert_eq!(again[0], help);
        let all =
            std::iter::repeat_with(|| waiting.take(now)).take(CALLS_WAITING_MAX / GATHERED_MAX + 1);
        let last = all.flatten().find(|call| call.id == over.id);
        assert_eq!(last, Some(over));
    }
}
