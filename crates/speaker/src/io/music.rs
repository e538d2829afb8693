//! Music below everything else that sounds: soft under our own words and rings, silent under a telephone.
//!
//! The source gives way by itself as its skill is told to; what stands here holds even when it does not.

/// Music that a loudspeaker pulls, one block at a time. Asked from the loudspeaker's own thread: it must not wait.
pub trait Music: Send {
    /// Given once: called when there may be sound after silence.
    fn attach(&mut self, wake: Box<dyn Fn() + Send + Sync>);

    /// Writes the next samples, 16 kHz; false when there is no sound until the next wake.
    fn fill(&mut self, block: &mut [i16]) -> bool;
}

/// Under words, of 1: a fifth is 14 dB less, soft enough to be understood over.
const UNDER_WORDS: f32 = 0.2;
/// How many blocks of silence of a call are still the call: half a second.
const CALL_BLOCKS: u8 = 25;

/// Music in the mix.
#[derive(Default)]
pub(super) struct Under {
    music: Option<Box<dyn Music>>,
    sounds: bool,
    level: f32,
    /// Blocks for which a call still counts.
    call: u8,
}

/// What else sounds in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Above {
    Nothing,
    /// Our own words, or a ring that a skill gives.
    Words,
    /// A call, or a telephone that rings.
    Call,
}

impl Under {
    pub(super) fn new(music: Option<Box<dyn Music>>) -> Self {
        Self {
            music,
            sounds: false,
            level: 1.0,
            call: 0,
        }
    }

    /// There may be sound.
    pub(super) fn wake(&mut self) {
        self.sounds = self.music.is_some();
    }

    pub(super) fn is_silent(&self) -> bool {
        !self.sounds
    }

    /// Adds its samples to a block.
    pub(super) fn mix(&mut self, block: &mut [i32], above: Above) {
        let Some(music) = self.music.as_mut().filter(|_| self.sounds) else {
            return;
        };
        let mut samples = vec![0; block.len()];
        self.sounds = music.fill(&mut samples);
        if above == Above::Call {
            self.call = CALL_BLOCKS;
        }
        let target = match above {
            _ if self.call > 0 => 0.0,
            Above::Words => UNDER_WORDS,
            Above::Nothing | Above::Call => 1.0,
        };
        self.call = self.call.saturating_sub(1);
        // Down within a block; up within half a second, so that it does not jump between words.
        let step = if target < self.level {
            (target - self.level) / block.len() as f32
        } else {
            1.0 / 8_000.0
        };
        for (sum, sample) in block.iter_mut().zip(samples) {
            self.level = if step < 0.0 {
                (self.level + step).max(target)
            } else {
                (self.level + step).min(target)
            };
            *sum += (f32::from(sample) * self.level) as i32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Loud(u32);

    impl Music for Loud {
        fn attach(&mut self, _wake: Box<dyn Fn() + Send + Sync>) {}

        fn fill(&mut self, block: &mut [i16]) -> bool {
            block.fill(10_000);
            self.0 = self.0.saturating_sub(1);
            self.0 > 0
        }
    }

    fn last(under: &mut Under, above: Above) -> i32 {
        let mut block = [0; 320];
        under.mix(&mut block, above);
        block[319]
    }

    #[test]
    fn it_is_soft_under_words_and_silent_under_a_call_within_a_block() {
        let mut under = Under::new(Some(Box::new(Loud(1_000))));
        assert_eq!(last(&mut under, Above::Nothing), 0, "nobody has woken it");
        under.wake();
        assert_eq!(last(&mut under, Above::Nothing), 10_000);
        assert!(last(&mut under, Above::Words) <= 2_001);
        assert_eq!(last(&mut under, Above::Call), 0);
        // A gap in the call is still the call.
        assert_eq!(last(&mut under, Above::Nothing), 0);
        let loud = (0..60).map(|_| last(&mut under, Above::Nothing)).max();
        assert_eq!(loud, Some(10_000));
    }

    #[test]
    fn music_that_ends_is_not_asked_again() {
        let mut under = Under::new(Some(Box::new(Loud(1))));
        under.wake();
        last(&mut under, Above::Nothing);
        assert!(under.is_silent());
        assert_eq!(last(&mut under, Above::Nothing), 0);
        under.wake();
        assert!(!under.is_silent());
    }
}
