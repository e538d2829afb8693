//! Timers A to M (RFC 3261 table 4, RFC 6026 section 8.3).

use core::time::Duration;

/// T1: the estimate of a round trip, 500 ms (RFC 3261 section 17.1.1.1).
pub const T1_DEFAULT: Duration = Duration::from_millis(500);
/// T2: the longest gap between retransmissions of a non-INVITE request or a final INVITE response, 4 s.
pub const T2_DEFAULT: Duration = Duration::from_secs(4);
/// T4: how long a message may stay in the network, 5 s.
pub const T4_DEFAULT: Duration = Duration::from_secs(5);
/// How many T1 a transaction waits for its peer: timers B, F, H, J, L and M.
pub const PATIENCE_IN_T1: u32 = 64;
/// The shortest timer D on an unreliable transport, 32 s.
pub const TIMER_D_MIN: Duration = Duration::from_secs(32);
/// A server sends 100 (Trying) when its user said nothing for this long (RFC 3261 section 17.2.1).
pub const TRYING_AFTER: Duration = Duration::from_millis(200);

/// The three base values from which every transaction timer follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// Round-trip estimate.
    pub t1: Duration,
    /// Longest retransmission gap.
    pub t2: Duration,
    /// Longest life of a message in the network.
    pub t4: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            t1: T1_DEFAULT,
            t2: T2_DEFAULT,
            t4: T4_DEFAULT,
        }
    }
}

impl Timers {
    /// Timer A: first gap between INVITE retransmissions; doubles without a ceiling. UDP only.
    pub fn a(&self) -> Duration {
        self.t1
    }

    /// Timer B: an INVITE without any response fails.
    pub fn b(&self) -> Duration {
        self.t1.saturating_mul(PATIENCE_IN_T1)
    }

    /// Timer C: an INVITE that only rings fails (RFC 3261 section 16.6 step 11: more than 3 minutes).
    pub fn c(&self) -> Duration {
        Duration::from_secs(181)
    }

    /// Timer D: how long response retransmissions to an INVITE are absorbed and acknowledged again.
    pub fn d(&self, reliable: bool) -> Duration {
        if reliable {
            Duration::ZERO
        } else {
            self.b().max(TIMER_D_MIN)
        }
    }

    /// Timer E: first gap between non-INVITE retransmissions; doubles up to T2. UDP only.
    pub fn e(&self) -> Duration {
        self.t1
    }

    /// Timer F: a non-INVITE request without a final response fails.
    pub fn f(&self) -> Duration {
        self.b()
    }

    /// Timer G: first gap between retransmissions of a final INVITE response; doubles up to T2. UDP only.
    pub fn g(&self) -> Duration {
        self.t1
    }

    /// Timer H: how long a server waits for the ACK.
    pub fn h(&self) -> Duration {
        self.b()
    }

    /// Timer I: how long ACK retransmissions are absorbed.
    pub fn i(&self, reliable: bool) -> Duration {
        if reliable { Duration::ZERO } else { self.t4 }
    }

    /// Timer J: how long retransmissions of a non-INVITE request are answered again.
    pub fn j(&self, reliable: bool) -> Duration {
        if reliable { Duration::ZERO } else { self.b() }
    }

    /// Timer K: how long response retransmissions to a non-INVITE are absorbed.
    pub fn k(&self, reliable: bool) -> Duration {
        if reliable { Duration::ZERO } else { self.t4 }
    }

    /// Timer L: how long an accepted server transaction absorbs INVITEs (RFC 6026 section 7.1).
    pub fn l(&self) -> Duration {
        self.b()
    }

    /// Timer M: how long an accepted client transaction passes further 2xx up (RFC 6026 section 7.2).
    pub fn m(&self) -> Duration {
        self.b()
    }

    /// The gap after `gap`: doubled, at most T2.
    pub fn doubled(&self, gap: Duration) -> Duration {
        gap.saturating_mul(2).min(self.t2)
    }
}

/// The first multiple of `every` that is not before `at`; `at` itself where `every` is nothing.
pub(crate) fn at_multiple(at: Duration, every: Duration) -> Duration {
    let over = at.as_nanos().checked_rem(every.as_nanos()).unwrap_or(0);
    let Some(missing) = every.as_nanos().checked_sub(over).filter(|_| over > 0) else {
        return at;
    };
    at.saturating_add(Duration::from_nanos(u64::try_from(missing).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rounded_is_never_early() {
        let ms = Duration::from_millis;
        for (at, every, expected) in [
            (0, 500, 0),
            (1, 500, 500),
            (500, 500, 500),
            (501, 500, 1_000),
            (7, 0, 7),
        ] {
            assert_eq!(at_multiple(ms(at), ms(every)), ms(expected));
        }
        assert_eq!(at_multiple(Duration::MAX, ms(500)), Duration::MAX);
    }

    #[test]
    fn the_defaults_are_those_of_table_4() {
        let timers = Timers::default();
        assert_eq!(timers.b(), Duration::from_secs(32));
        assert_eq!(timers.d(false), Duration::from_secs(32));
        assert_eq!(timers.d(true), Duration::ZERO);
        assert_eq!(timers.k(false), Duration::from_secs(5));
        assert_eq!(timers.doubled(Duration::from_secs(3)), T2_DEFAULT);
    }
}
