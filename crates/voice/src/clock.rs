//! The microphone's clock: samples are counted, never timed.
//!
//! Capture delivers pushes of any length; everything behind it works on frames of 10 ms at 16 kHz mono.
//! The index of a sample is the one time base of the voice pipeline, so the same recording always gives the same events.

use core::time::Duration;

/// Samples in one second of microphone sound, the only rate inside the pipeline.
pub const SAMPLE_RATE: u32 = 16_000;
/// Samples in one frame of 10 ms.
pub const FRAME_SAMPLES: usize = 160;

/// Position of a sample since the microphone was opened, counted at 16 kHz.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleIndex(pub u64);

impl SampleIndex {
    /// The index `samples` later; stays at the end of counting after 36 million years.
    #[must_use]
    pub const fn plus(self, samples: u64) -> Self {
        Self(self.0.saturating_add(samples))
    }

    /// The index `samples` earlier, or the first sample.
    #[must_use]
    pub const fn minus(self, samples: u64) -> Self {
        Self(self.0.saturating_sub(samples))
    }

    /// Samples from `earlier` to here; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Time since the microphone was opened.
    #[must_use]
    pub fn time(self) -> Duration {
        Duration::from_micros(self.0.saturating_mul(125) / 2)
    }
}

/// Samples in `ms` milliseconds.
#[must_use]
pub const fn samples_of_ms(ms: u32) -> u64 {
    ms as u64 * (SAMPLE_RATE as u64 / 1000)
}

/// What [`FrameClock::push`] and [`FrameClock::lost`] hand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut<'a> {
    /// A frame; `at` is the index of its first sample.
    Frame {
        /// Index of the first sample.
        at: SampleIndex,
        /// 10 ms of sound.
        samples: &'a [i16; FRAME_SAMPLES],
    },
    /// Sound that is missing and was not filled: detectors start anew behind it.
    Gap {
        /// Index of the first missing sample.
        at: SampleIndex,
        /// How many samples are missing.
        samples: u64,
    },
}

/// Cuts pushes of any length into frames and keeps account of what the capture lost.
#[derive(Debug)]
pub struct FrameClock {
    /// Index of the first sample in `held`.
    start: SampleIndex,
    held: [i16; FRAME_SAMPLES],
    held_len: usize,
    gaps: u64,
    lost: u64,
}

impl FrameClock {
    /// A loss up to this many samples (100 ms) is filled with silence instead of becoming a gap: a stutter inside a
    /// word must not throw the word away.
    pub const FILLED_SAMPLES_MAX: u64 = 1_600;

    /// A clock that starts at sample 0.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: SampleIndex(0),
            held: [0; FRAME_SAMPLES],
            held_len: 0,
            gaps: 0,
            lost: 0,
        }
    }

    /// Index of the next sample that will be pushed.
    #[must_use]
    pub fn now(&self) -> SampleIndex {
        self.start.plus(self.held_len as u64)
    }

    /// Losses reported so far.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Samples lost so far, filled or not.
    #[must_use]
    pub fn lost_samples(&self) -> u64 {
        self.lost
    }

    /// Takes sound of any length and hands on each whole frame; the rest waits for the next push.
    pub fn push(&mut self, mut samples: &[i16], mut each: impl FnMut(Cut<'_>)) {
        while !samples.is_empty() {
            let take = samples.len().min(FRAME_SAMPLES - self.held_len);
            let (now, later) = samples.split_at(take);
            self.held[self.held_len..self.held_len + take].copy_from_slice(now);
            self.held_len += take;
            samples = later;
            if self.held_len == FRAME_SAMPLES {
                each(Cut::Frame {
                    at: self.start,
                    samples: &self.held,
                });
                self.start = self.start.plus(FRAME_SAMPLES as u64);
                self.held_len = 0;
            }
        }
    }

    /// The capture lost `samples` (an overrun, a device that went away).
    ///
    /// A short loss is filled with silence; a long one drops the unfinished frame and hands on one [`Cut::Gap`].
    pub fn lost(&mut self, samples: u64, mut each: impl FnMut(Cut<'_>)) {
        if samples == 0 {
            return;
        }
        self.gaps = self.gaps.saturating_add(1);
        self.lost = self.lost.saturating_add(samples);
        if samples <= Self::FILLED_SAMPLES_MAX {
            let silence = [0; Self::FILLED_SAMPLES_MAX as usize];
            self.push(&silence[..samples as usize], each);
            return;
        }
        let missing = samples.saturating_add(self.held_len as u64);
        each(Cut::Gap {
            at: self.start,
            samples: missing,
        });
        self.start = self.start.plus(missing);
        self.held = [0; FRAME_SAMPLES];
        self.held_len = 0;
    }
}

impl Default for FrameClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(clock: &mut FrameClock, samples: &[i16]) -> Vec<(u64, i16)> {
        let mut seen = Vec::new();
        clock.push(samples, |cut| {
            if let Cut::Frame { at, samples } = cut {
                seen.push((at.0, samples[0]));
            }
        });
        seen
    }

    #[test]
    fn pushes_of_any_length_make_the_same_frames() {
        let sound: Vec<i16> = (0..1000).collect();
        let whole = frames(&mut FrameClock::new(), &sound);
        assert_eq!(
            whole,
            [
                (0, 0),
                (160, 160),
                (320, 320),
                (480, 480),
                (640, 640),
                (800, 800)
            ]
        );
        for size in [1, 7, 159, 160, 161, 333] {
            let mut clock = FrameClock::new();
            let cut: Vec<_> = sound
                .chunks(size)
                .flat_map(|part| frames(&mut clock, part))
                .collect();
            assert_eq!(cut, whole, "pushes of {size}");
            assert_eq!(clock.now(), SampleIndex(1000));
        }
    }

    #[test]
    fn short_loss_is_silence_and_long_loss_is_a_gap() {
        let mut clock = FrameClock::new();
        clock.push(&[5; 100], |_| panic!("no whole frame yet"));
        let mut at = Vec::new();
        clock.lost(60, |cut| at.push(format!("{cut:?}")));
        assert_eq!(at.len(), 1);
        assert!(at[0].starts_with("Frame"));
        clock.push(&[5; 10], |_| panic!("no whole frame yet"));
        let mut gap = None;
        clock.lost(16_000, |cut| {
            if let Cut::Gap { at, samples } = cut {
                gap = Some((at.0, samples));
            }
        });
        assert_eq!(
            gap,
            Some((160, 16_010)),
            "the unfinished frame is part of the gap"
        );
        assert_eq!(clock.now(), SampleIndex(160 + 16_010));
        assert_eq!((clock.gaps(), clock.lost_samples()), (2, 16_060));
    }

    #[test]
    fn index_knows_its_time() {
        assert_eq!(SampleIndex(16_000).time(), Duration::from_secs(1));
        assert_eq!(SampleIndex(1).time(), Duration::from_nanos(62_000));
        assert_eq!(samples_of_ms(30), 480);
    }
}
