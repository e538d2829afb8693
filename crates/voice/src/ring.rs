//! The pre-roll: the last few seconds of sound, in memory only.
//!
//! Nothing heard before the wake word leaves memory, except the part of this ring that an utterance asks for.
//! So the ring has a fixed length, never grows, and is overwritten with zeros when it is cleared or dropped.

use crate::clock::SampleIndex;
use core::ops::Range;
use thiserror::Error;

/// Why sound could not be read back, or a ring could not be made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RingError {
    /// The length asked for is zero or above [`PreRoll::SAMPLES_MAX`].
    #[error("a pre-roll of {0} samples is not possible: choose 1 to {max}", max = PreRoll::SAMPLES_MAX)]
    Length(usize),
    /// The range is not, or no longer, in the ring.
    #[error(
        "samples {}..{} are not held: the ring has {}..{}; ask sooner or make it longer",
        asked.start.0, asked.end.0, held.start.0, held.end.0
    )]
    NotHeld {
        /// What was asked for.
        asked: Range<SampleIndex>,
        /// What the ring has.
        held: Range<SampleIndex>,
    },
}

/// Ring of the newest samples, addressed by their index.
pub struct PreRoll {
    samples: Box<[i16]>,
    /// Index behind the newest sample.
    end: SampleIndex,
    /// How many samples before `end` are valid.
    filled: usize,
}

impl PreRoll {
    /// Usual length: 3 s.
    pub const SAMPLES_DEFAULT: usize = 48_000;
    /// Longest length: 30 s. More would be a recorder.
    pub const SAMPLES_MAX: usize = 480_000;

    /// A ring of 3 s.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Self::SAMPLES_DEFAULT)
    }

    /// A ring of `samples`, at most [`Self::SAMPLES_MAX`].
    ///
    /// # Errors
    /// [`RingError::Length`] when the length is zero or too great.
    pub fn with_samples(samples: usize) -> Result<Self, RingError> {
        if samples == 0 || samples > Self::SAMPLES_MAX {
            return Err(RingError::Length(samples));
        }
        Ok(Self::of(samples))
    }

    fn of(samples: usize) -> Self {
        Self {
            samples: vec![0; samples].into_boxed_slice(),
            end: SampleIndex(0),
            filled: 0,
        }
    }

    /// How many samples the ring can hold.
    #[must_use]
    pub fn capacity_samples(&self) -> usize {
        self.samples.len()
    }

    /// The range that can be copied now.
    #[must_use]
    pub fn held(&self) -> Range<SampleIndex> {
        self.end.minus(self.filled as u64)..self.end
    }

    /// Adds sound whose first sample has index `at`. When `at` does not follow on, what was held is forgotten: the
    /// ring never shows two moments as one.
    pub fn push(&mut self, at: SampleIndex, sound: &[i16]) {
        if at != self.end {
            self.clear();
            self.end = at;
        }
        let capacity = self.samples.len();
        let after = at.plus(sound.len() as u64);
        // Only the newest part of a long push survives.
        let newest = &sound[sound.len().saturating_sub(capacity)..];
        let place = self.place(after.minus(newest.len() as u64));
        let first = newest.len().min(capacity - place);
        self.samples[place..place + first].copy_from_slice(&newest[..first]);
        self.samples[..newest.len() - first].copy_from_slice(&newest[first..]);
        self.end = after;
        self.filled = (self.filled + sound.len()).min(capacity);
    }

    /// A copy of the samples `from..to`.
    ///
    /// # Errors
    /// [`RingError::NotHeld`] when a part of the range is too old, not yet there, or the range is reversed.
    pub fn copy_from(&self, from: SampleIndex, to: SampleIndex) -> Result<Vec<i16>, RingError> {
        let held = self.held();
        if from < held.start || to > held.end || from > to {
            return Err(RingError::NotHeld {
                asked: from..to,
                held,
            });
        }
        // At most the ring's length, by the check above.
        let count = to.since(from) as usize;
        let place = self.place(from);
        let first = count.min(self.samples.len() - place);
        let mut copy = Vec::with_capacity(count);
        copy.extend_from_slice(&self.samples[place..place + first]);
        copy.extend_from_slice(&self.samples[..count - first]);
        Ok(copy)
    }

    /// Forgets everything and overwrites it with zeros; counting goes on.
    pub fn clear(&mut self) {
        self.samples.fill(0);
        // The zeros are meant, even where nobody reads them again.
        core::hint::black_box(&mut self.samples);
        self.filled = 0;
    }

    fn place(&self, at: SampleIndex) -> usize {
        (at.0 % self.samples.len() as u64) as usize
    }
}

impl Default for PreRoll {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for PreRoll {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Shows the range only: sound must not reach a log.
impl core::fmt::Debug for PreRoll {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PreRoll")
            .field("held", &self.held())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(from: u64, to: u64) -> Vec<i16> {
        (from..to).map(|index| index as i16).collect()
    }

    #[test]
    fn keeps_the_newest_and_never_grows() {
        let mut ring = PreRoll::with_samples(1000).unwrap();
        let mut at = 0;
        for size in [1, 160, 999, 1000, 1001, 3000, 7] {
            ring.push(SampleIndex(at), &counted(at, at + size));
            at += size;
            let held = ring.held();
            assert_eq!(held.end, SampleIndex(at));
            assert_eq!(
                ring.copy_from(held.start, held.end).unwrap(),
                counted(held.start.0, at)
            );
            assert_eq!(ring.capacity_samples(), 1000);
        }
        assert_eq!(ring.held().end.since(ring.held().start), 1000);
    }

    #[test]
    fn what_is_not_held_is_an_error_that_names_the_range() {
        let mut ring = PreRoll::with_samples(100).unwrap();
        ring.push(SampleIndex(0), &counted(0, 150));
        let error = ring
            .copy_from(SampleIndex(49), SampleIndex(60))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "samples 49..60 are not held: the ring has 50..150; ask sooner or make it longer"
        );
        assert!(ring.copy_from(SampleIndex(100), SampleIndex(151)).is_err());
        assert!(ring.copy_from(SampleIndex(100), SampleIndex(99)).is_err());
        assert_eq!(
            ring.copy_from(SampleIndex(100), SampleIndex(100)),
            Ok(vec![])
        );
        assert!(PreRoll::with_samples(0).is_err());
        assert!(PreRoll::with_samples(PreRoll::SAMPLES_MAX + 1).is_err());
    }

    #[test]
    fn a_gap_forgets_the_past() {
        let mut ring = PreRoll::with_samples(100).unwrap();
        ring.push(SampleIndex(0), &counted(0, 50));
        ring.push(SampleIndex(500), &counted(500, 510));
        assert_eq!(ring.held(), SampleIndex(500)..SampleIndex(510));
        assert_eq!(
            ring.samples.iter().filter(|&&sample| sample != 0).count(),
            10
        );
    }

    #[test]
    fn clearing_overwrites_with_zeros() {
        let mut ring = PreRoll::with_samples(100).unwrap();
        ring.push(SampleIndex(0), &[77; 100]);
        ring.clear();
        assert!(ring.samples.iter().all(|&sample| sample == 0));
        assert!(ring.held().is_empty());
        assert!(!format!("{ring:?}").contains("77"));
    }
}
