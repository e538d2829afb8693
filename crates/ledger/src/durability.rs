//! Which entries reached the disk in time. The emergency call never waits for the answer.

use core::time::Duration;
use std::collections::VecDeque;

/// An entry is to be on disk within this time (DESIGN invariant 3, reference/ledger.md 3.3.3).
pub const DURABLE_WITHIN: Duration = Duration::from_millis(50);

/// Entries listed in one `late` entry at most, so that it stays small when the disk is gone.
const OVERDUE_MAX: usize = 1000;

/// Follows appended entries until they are durable and names those that were not in time.
///
/// Tell it of every entry but the `late` ones: a dead disk would make them breed.
#[derive(Debug, Default)]
pub struct Durability {
    pending: VecDeque<Pending>,
}

#[derive(Debug)]
struct Pending {
    seq: u64,
    deadline: Duration,
    reported: bool,
}

impl Durability {
    /// Nothing pending.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The entry was handed to the writer.
    pub fn appended(&mut self, seq: u64, now: Duration) {
        self.pending.push_back(Pending {
            seq,
            deadline: now + DURABLE_WITHIN,
            reported: false,
        });
    }

    /// Everything up to and including `seq` is on disk. Gives those that were late and not yet
    /// named: an entry can become durable late between two looks at the clock.
    pub fn durable(&mut self, seq: u64, now: Duration) -> Vec<u64> {
        let mut late = Vec::new();
        while let Some(front) = self.pending.front() {
            if front.seq > seq {
                break;
            }
            if !front.reported && front.deadline < now && late.len() < OVERDUE_MAX {
                late.push(front.seq);
            }
            self.pending.pop_front();
        }
        late
    }

    /// Entries that are late by now, each named once: append a `late` entry for them.
    pub fn overdue(&mut self, now: Duration) -> Vec<u64> {
        let late = self
            .pending
            .iter_mut()
            .filter(|entry| !entry.reported && entry.deadline < now);
        late.take(OVERDUE_MAX)
            .map(|entry| {
                entry.reported = true;
                entry.seq
            })
            .collect()
    }

    /// When to call [`Durability::overdue`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let next = self.pending.iter().find(|entry| !entry.reported)?;
        Some(next.deadline + Duration::from_nanos(1))
    }

    /// Number of entries not known to be durable.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }
}
