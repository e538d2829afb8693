//! Rate limits: a token bucket for each source and each account, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use crate::clock::UnixMs;

/// Most keys that are remembered.
const KEYS_MAX: usize = 10_000;

/// How much is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once.
    pub burst: u32,
    /// One more after so many milliseconds.
    pub every_ms: u32,
}

/// Buckets by key.
#[derive(Debug)]
pub struct RateLimit<K> {
    rate: Rate,
    buckets: Mutex<HashMap<K, Bucket>>,
}

/// When the bucket will be full again; the later, the emptier.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    full_at: UnixMs,
}

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// Buckets that begin full.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Takes one. `Err` holds how many milliseconds to wait.
    ///
    /// # Errors
    /// When the bucket is empty.
    pub fn take(&self, key: &K, now: UnixMs) -> Result<(), u32> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEYS_MAX && !buckets.contains_key(key) {
            buckets.retain(|_, bucket| bucket.full_at > now);
            if buckets.len() >= KEYS_MAX {
                // A flood of new sources: the ones already known keep their places.
                return Err(self.rate.every_ms);
            }
        }
        let every = i64::from(self.rate.every_ms);
        let capacity = every * i64::from(self.rate.burst);
        let bucket = buckets
            .entry(key.clone())
            .or_insert(Bucket { full_at: now });
        // A clock that was set back must not lock anybody out for long.
        let full_at = bucket.full_at.max(now).min(now.plus_ms(capacity));
        bucket.full_at = full_at;
        let wait = full_at.plus_ms(every).0 - now.0 - capacity;
        if wait > 0 {
            return Err(u32::try_from(wait).unwrap_or(u32::MAX));
        }
        bucket.full_at = full_at.plus_ms(every);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_one_at_a_time_and_nobody_pays_for_another() {
        let limit = RateLimit::new(Rate {
            burst: 3,
            every_ms: 1_000,
        });
        let now = UnixMs(50_000);
        for _ in 0..3 {
            assert_eq!(limit.take(&"a", now), Ok(()));
        }
        assert_eq!(limit.take(&"a", now), Err(1_000));
        assert_eq!(limit.take(&"b", now), Ok(()));
        assert_eq!(limit.take(&"a", now.plus_ms(1_000)), Ok(()));
        assert!(limit.take(&"a", now.plus_ms(1_000)).is_err());
        // The clock goes back an hour: at most the burst has to be waited for.
        assert!(limit.take(&"a", now.plus_ms(-3_600_000)).unwrap_err() <= 3_000);
        assert_eq!(limit.take(&"a", now.plus_ms(-3_597_000)), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let limit = RateLimit::new(Rate {
            burst: 1,
            every_ms: 1_000,
        });
        for key in 0..20_000 {
            let _ = limit.take(&key, UnixMs(0));
        }
        assert!(limit.buckets.lock().unwrap().len() <= KEYS_MAX);
        assert_eq!(
            limit.take(&30_000, UnixMs(2_000)),
            Ok(()),
            "old ones make room"
        );
    }
}
