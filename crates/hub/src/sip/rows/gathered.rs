//! Rows of calls on their way to the writer: gathered, so that it wakes once for many.

use std::collections::HashMap;
use std::time::Duration;

use super::waiting::GATHERED_MAX;
use crate::call::Call;
use crate::id::CallId;

/// How long rows of calls are gathered, so that many are written in one transaction.
const GATHER: Duration = Duration::from_millis(250);

/// What a call is in the end counts, not each step of a quick one.
#[derive(Default)]
pub(crate) struct Gathered {
    /// In the order in which they began to wait.
    rows: Vec<Call>,
    places: HashMap<CallId, usize>,
    until: Option<Duration>,
}

impl Gathered {
    /// A call as it is now. What a call for help leaves behind waits for nothing.
    pub(crate) fn add(&mut self, call: Call, now: Duration) {
        let wait = match call.emergency || self.rows.len() + 1 >= GATHERED_MAX {
            true => Duration::ZERO,
            false => GATHER,
        };
        match self
            .places
            .get(&call.id)
            .and_then(|at| self.rows.get_mut(*at))
        {
            Some(row) => *row = call,
            None => {
                self.places.insert(call.id, self.rows.len());
                self.rows.push(call);
            }
        }
        self.until = self.until.into_iter().chain([now + wait]).min();
    }

    /// When they are to be handed on.
    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        self.until
    }

    /// All of them, where it is time.
    pub(crate) fn due(&mut self, now: Duration) -> Option<Vec<Call>> {
        self.until.is_some_and(|at| at <= now).then(|| self.take())
    }

    /// All of them.
    pub(crate) fn take(&mut self) -> Vec<Call> {
        self.until = None;
        self.places.clear();
        std::mem::take(&mut self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{CallState, Direction};
    use crate::clock::UnixMs;

    const MS: Duration = Duration::from_millis(1);

    fn call() -> Call {
        Call::beginning(CallId::random().unwrap(), Direction::Inside, UnixMs(0))
    }

    #[test]
    fn of_each_call_the_latest_is_handed_on_once_and_in_order() {
        let mut gathered = Gathered::default();
        assert_eq!(gathered.next_timeout(), None);
        let (first, second) = (call(), call());
        gathered.add(first.clone(), MS);
        gathered.add(second.clone(), 100 * MS);
        let mut over = first;
        over.state = CallState::Ended;
        gathered.add(over.clone(), 200 * MS);
        assert_eq!(gathered.next_timeout(), Some(251 * MS));
        assert_eq!(gathered.due(250 * MS), None);
        assert_eq!(gathered.due(251 * MS), Some(vec![over, second]));
        assert_eq!(gathered.due(1_000 * MS), None, "once");
    }

    #[test]
    fn a_call_for_help_and_many_calls_wait_for_nothing() {
        let mut gathered = Gathered::default();
        gathered.add(call(), MS);
        let help = Call {
            emergency: true,
            ..call()
        };
        gathered.add(help, 2 * MS);
        assert_eq!(gathered.due(2 * MS).map(|rows| rows.len()), Some(2));
        for _ in 0..GATHERED_MAX {
            assert_eq!(gathered.due(3 * MS), None);
            gathered.add(call(), 3 * MS);
        }
        assert_eq!(
            gathered.due(3 * MS).map(|rows| rows.len()),
            Some(GATHERED_MAX)
        );
    }
}
