//! Processor time, memory, percentiles.
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Processor time of this process, all threads.
pub(super) fn processor() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(spent.tv_sec).unwrap_or(0),
        u32::try_from(spent.tv_nsec).unwrap_or(0),
    )
}

/// Processor time of one piece of work.
pub(super) fn processor_of<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = processor();
    let result = work();
    (result, processor().saturating_sub(before))
}

/// Memory in use, MB (VmRSS); none where the system does not tell.
pub(super) fn resident_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1_024.0 / 1e6)
}

/// The value below which `percent` of 100 lie; sorts.
pub(super) fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values
        .get((values.len() * percent / 100).min(last))
        .copied()
        .unwrap_or(f64::NAN)
}

/// Microseconds of each of `count` runs, after a tenth of them as a warm-up.
pub(super) fn micros(count: usize, mut work: impl FnMut(usize)) -> Vec<f64> {
    for turn in 0..count / 10 + 1 {
        work(turn);
    }
    (0..count)
        .map(|turn| {
            let started = Instant::now();
            work(turn);
            started.elapsed().as_secs_f64() * 1e6
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_values() {
        let mut values: Vec<f64> = (0..100).rev().map(f64::from).collect();
        assert_eq!(
            (percentile(&mut values, 50), percentile(&mut values, 95)),
            (50.0, 95.0)
        );
        assert_eq!(percentile(&mut [7.0], 95), 7.0);
        assert!(percentile(&mut [], 50).is_nan());
    }
}
