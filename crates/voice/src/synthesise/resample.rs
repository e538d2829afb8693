//! From the voice's sample rate to another one: a windowed sinc, computed once for each phase.

/// Sinc lobes on each side of a sample: 24 keep the pass band flat to 7 kHz at 16 kHz.
const LOBES: usize = 24;
/// Part of the lower Nyquist frequency that passes.
const PASS: f64 = 0.94;

/// Changes the rate of whole utterances by a fixed ratio.
#[derive(Debug)]
pub(crate) struct Resampler {
    /// Steps of the output per `down` steps of the input, shortened.
    up: usize,
    down: usize,
    /// Input samples that one output sample is made of.
    taps: usize,
    /// `taps` weights for each of the `up` phases.
    weights: Vec<f32>,
}

impl Resampler {
    /// A resampler from `from` to `to`, in hertz. Both must be above 0.
    pub(crate) fn new(from: usize, to: usize) -> Self {
        let divisor = greatest_common_divisor(from, to);
        let (up, down) = (to / divisor, from / divisor);
        // Below both Nyquist frequencies, as a part of the input's.
        let cutoff = PASS * (to as f64 / from as f64).min(1.0);
        let half = LOBES as f64 / cutoff;
        let taps = 2 * (half.ceil() as usize) + 2;
        let mut weights = Vec::with_capacity(up * taps);
        for phase in 0..up {
            let fraction = phase as f64 / up as f64;
            let row: Vec<f64> = (0..taps)
                .map(|tap| weight(tap as f64 - (taps / 2 - 1) as f64 - fraction, cutoff, half))
                .collect();
            // Each phase passes a constant unchanged.
            let sum: f64 = row.iter().sum();
            weights.extend(row.iter().map(|one| (one / sum) as f32));
        }
        Self {
            up,
            down,
            taps,
            weights,
        }
    }

    /// The same sound at the other rate.
    pub(crate) fn resample(&self, input: &[f32]) -> Vec<f32> {
        self.resample_from(input, 0, true)
    }

    /// The same from one of its samples on, as far as `input` settles it: all of it when nothing comes behind.
    pub(crate) fn resample_from(&self, input: &[f32], first: usize, is_whole: bool) -> Vec<f32> {
        if self.up == self.down {
            return input.get(first..).unwrap_or_default().to_vec();
        }
        let before = self.taps / 2 - 1;
        let behind = if is_whole { 0 } else { self.taps - before };
        let count = input.len().saturating_sub(behind) * self.up / self.down;
        (first..count)
            .map(|n| {
                let position = n * self.down;
                let (start, phase) = (position / self.up, position % self.up);
                let row = &self.weights[phase * self.taps..][..self.taps];
                row.iter()
                    .enumerate()
                    .filter_map(|(tap, weight)| {
                        let index = (start + tap).checked_sub(before)?;
                        input.get(index).map(|sample| sample * weight)
                    })
                    .sum()
            })
            .collect()
    }
}

/// A sinc under Blackman's window.
fn weight(distance: f64, cutoff: f64, half: f64) -> f64 {
    use std::f64::consts::PI;
    if distance.abs() >= half {
        return 0.0;
    }
    let x = PI * cutoff * distance;
    let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
    let turn = PI * (distance / half + 1.0);
    cutoff * sinc * (0.42 - 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos())
}

const fn greatest_common_divisor(mut a: usize, mut b: usize) -> usize {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f64, rate: usize) -> Vec<f32> {
        (0..rate)
            .map(|n| (2.0 * std::f64::consts::PI * hertz * n as f64 / rate as f64).sin() as f32)
            .collect()
    }

    fn level(samples: &[f32]) -> f32 {
        let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
        (middle.iter().map(|s| s * s).sum::<f32>() / middle.len() as f32).sqrt()
    }

    #[test]
    fn keeps_speech_and_drops_what_would_fold_back() {
        let resampler = Resampler::new(22_050, 16_000);
        for hertz in [100.0, 440.0, 3_000.0, 6_500.0] {
            let out = resampler.resample(&tone(hertz, 22_050));
            assert_eq!(out.len(), 16_000);
            assert!(
                (level(&out) - 0.5_f32.sqrt()).abs() < 0.01,
                "{hertz}: {}",
                level(&out)
            );
            let error: Vec<f32> = out
                .iter()
                .zip(tone(hertz, 16_000))
                .map(|(a, b)| a - b)
                .collect();
            assert!(level(&error) < 0.01, "{hertz}: {}", level(&error));
        }
        for hertz in [8_300.0, 9_500.0, 11_000.0] {
            let out = resampler.resample(&tone(hertz, 22_050));
            assert!(level(&out) < 0.01, "{hertz}: {}", level(&out));
        }
    }

    #[test]
    fn bit_by_bit_gives_what_the_whole_gives() {
        let resampler = Resampler::new(22_050, 16_000);
        let input = tone(700.0, 22_050);
        let mut out = Vec::new();
        for end in [0, 30, 5_000, 5_001, 22_050] {
            let bit = resampler.resample_from(&input[..end], out.len(), false);
            out.extend(bit);
        }
        out.extend(resampler.resample_from(&input, out.len(), true));
        assert_eq!(out, resampler.resample(&input));
    }

    #[test]
    fn the_same_rate_changes_nothing() {
        assert_eq!(
            Resampler::new(16_000, 16_000).resample(&[0.5, -0.5]),
            [0.5, -0.5]
        );
        assert!(Resampler::new(22_050, 16_000).resample(&[]).is_empty());
    }
}
