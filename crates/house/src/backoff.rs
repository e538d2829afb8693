//! How long to wait before a system that went away is tried again.
use core::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(500);
/// The longest.
const LONGEST: Duration = Duration::from_secs(30);

/// Waits that double, until something works.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    tries: u32,
}

impl Backoff {
    /// It works.
    pub fn reset(&mut self) {
        self.tries = 0;
    }

    /// It failed once more: so long is waited. `spread`: any number; a hundred speakers do not come back at the same moment.
    pub fn wait(&mut self, spread: u8) -> Duration {
        let doubled = FIRST.saturating_mul(1 << self.tries.min(8));
        self.tries = self.tries.saturating_add(1);
        let most = doubled.min(LONGEST);
        most - most.mul_f64(f64::from(spread) / 1_024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_a_limit_and_begin_anew() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..8).map(|_| backoff.wait(0).as_millis() as u64).collect();
        assert_eq!(
            waits,
            [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
        );
        assert!(backoff.wait(255) > LONGEST.mul_f64(0.7));
        backoff.reset();
        assert_eq!(backoff.wait(0), FIRST);
    }
}
