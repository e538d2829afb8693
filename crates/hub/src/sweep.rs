//! When what has ended may be dropped.
//!
//! A clock that jumps ahead makes every message and session look ended. So a time far beyond the last sweep is
//! doubted first, and believed when an hour later, by the monotonic clock, the wall clock has gone on by that hour.
//! A hub that was switched off for months waits that hour as well; nothing is lost by it.

use std::time::Duration;

use crate::clock::UnixMs;

/// Further than this beyond the last sweep is doubted, in milliseconds: a day.
const FAR_MS: i64 = 24 * 3_600_000;
/// How long a doubted time must hold. A little less than the time between two sweeps.
const HOLDS_MIN: Duration = Duration::from_secs(55 * 60);
/// How far the two clocks may differ meanwhile, in milliseconds.
const DRIFT_MS: i64 = 5 * 60_000;

/// A time that is not believed yet.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    wall: UnixMs,
    monotonic: Duration,
}

/// Decides for each sweep.
#[derive(Debug, Default)]
pub(crate) struct SweepGuard {
    doubt: Option<Doubt>,
}

impl SweepGuard {
    /// Whether to sweep at `now`; `last` is the time of the last sweep, `monotonic` a clock that nobody sets.
    pub(crate) fn may(&mut self, last: Option<UnixMs>, now: UnixMs, monotonic: Duration) -> bool {
        if last.is_some_and(|last| now <= last.plus_ms(FAR_MS)) {
            self.doubt = None;
            return true;
        }
        let fresh = Doubt {
            wall: now,
            monotonic,
        };
        let doubt = *self.doubt.get_or_insert(fresh);
        let passed = monotonic.saturating_sub(doubt.monotonic);
        let expected = doubt
            .wall
            .plus_ms(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX));
        if now.0.abs_diff(expected.0) > DRIFT_MS.unsigned_abs() {
            // It jumped again: what holds is yet to be seen.
            self.doubt = Some(fresh);
            return false;
        }
        let holds = passed >= HOLDS_MIN;
        if holds {
            self.doubt = None;
        }
        holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_800_000_000_000);
    const HOUR_MS: i64 = 3_600_000;
    const YEAR_MS: i64 = 365 * 24 * HOUR_MS;

    fn hours(count: u64) -> Duration {
        Duration::from_secs(count * 3_600)
    }

    #[test]
    fn a_jump_ahead_that_is_set_right_drops_nothing() {
        let mut guard = SweepGuard::default();
        assert!(guard.may(Some(NOW), NOW.plus_ms(HOUR_MS), hours(1)));
        let last = Some(NOW.plus_ms(HOUR_MS));
        assert!(!guard.may(last, NOW.plus_ms(YEAR_MS), hours(2)));
        assert!(
            !guard.may(last, NOW.plus_ms(YEAR_MS + 1), hours(2)),
            "asked twice is no proof"
        );
        assert!(
            guard.may(last, NOW.plus_ms(3 * HOUR_MS), hours(3)),
            "right again"
        );
        // The doubt of before is forgotten.
        assert!(!guard.may(last, NOW.plus_ms(YEAR_MS), hours(4)));
    }

    #[test]
    fn a_time_that_holds_for_an_hour_is_believed() {
        let mut guard = SweepGuard::default();
        let later = NOW.plus_ms(YEAR_MS);
        assert!(!guard.may(Some(NOW), later, hours(0)));
        assert!(guard.may(Some(NOW), later.plus_ms(HOUR_MS), hours(1)));
    }

    #[test]
    fn a_clock_that_keeps_jumping_and_a_home_without_a_sweep_wait() {
        let mut guard = SweepGuard::default();
        assert!(
            !guard.may(None, NOW, hours(0)),
            "never swept: nothing to compare with"
        );
        assert!(!guard.may(None, NOW.plus_ms(YEAR_MS), hours(1)));
        assert!(!guard.may(None, NOW.plus_ms(2 * YEAR_MS), hours(2)));
        assert!(guard.may(None, NOW.plus_ms(2 * YEAR_MS + HOUR_MS), hours(3)));
    }
}
