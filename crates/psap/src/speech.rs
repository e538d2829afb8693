//! What the caller hears: a machine's phrase again and again, or a person at the console.
//!
//! Either way a frame comes out every 20 ms, whatever the person's browser does: silence where nothing has come, so that
//! the leg is never interrupted (DESIGN invariant 5).

use std::collections::VecDeque;
use std::sync::Arc;

use hearthline_media::FRAME_SAMPLES;

/// Speech that may wait, 200 ms: beyond it the oldest goes, so that the person is not heard later and later.
const WAITING_SAMPLES_MAX: usize = 3_200;
/// What has to be there before it is begun with, 60 ms: a browser's frames do not come evenly.
const CUSHION_SAMPLES: usize = 960;

/// Where the call-taker's frames come from.
pub(crate) enum Speech {
    Machine {
        phrase: Arc<[i16]>,
        position: usize,
    },
    Person {
        waiting: VecDeque<i16>,
        flowing: bool,
    },
}

impl Speech {
    /// The phrase, repeated.
    pub(crate) fn machine(phrase: Arc<[i16]>) -> Self {
        Self::Machine {
            phrase,
            position: 0,
        }
    }

    /// Whatever [`Speech::put`] brings.
    pub(crate) fn person() -> Self {
        Self::Person {
            waiting: VecDeque::new(),
            flowing: false,
        }
    }

    /// The person said so much more. A machine is not interrupted.
    pub(crate) fn put(&mut self, samples: &[i16]) {
        if let Self::Person { waiting, flowing } = self {
            waiting.extend(samples);
            let over = waiting.len().saturating_sub(WAITING_SAMPLES_MAX);
            waiting.drain(..over);
            *flowing |= waiting.len() >= CUSHION_SAMPLES;
        }
    }

    /// The next 20 ms.
    pub(crate) fn frame(&mut self) -> [i16; FRAME_SAMPLES] {
        let mut frame = [0; FRAME_SAMPLES];
        match self {
            Self::Machine { phrase, position } => {
                if !phrase.is_empty() {
                    for sample in &mut frame {
                        *sample = phrase[*position];
                        *position = (*position + 1) % phrase.len();
                    }
                }
            }
            Self::Person { waiting, flowing } if *flowing => {
                let here = waiting.len().min(FRAME_SAMPLES);
                for (sample, said) in frame.iter_mut().zip(waiting.drain(..here)) {
                    *sample = said;
                }
                *flowing = here == FRAME_SAMPLES;
            }
            Self::Person { .. } => {}
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_heard_in_order_and_silence_fills_what_does_not_come() {
        let mut speech = Speech::person();
        assert_eq!(speech.frame(), [0; FRAME_SAMPLES]);
        speech.put(&[1; 640]);
        assert_eq!(speech.frame(), [0; FRAME_SAMPLES], "the cushion fills");
        speech.put(&[2; 320]);
        for said in [1, 1, 2, 0] {
            assert_eq!(speech.frame(), [said; FRAME_SAMPLES]);
        }
    }

    #[test]
    fn a_burst_does_not_make_the_person_late_for_ever() {
        let mut speech = Speech::person();
        speech.put(&[1; 16_000]);
        speech.put(&[2; 1_600]);
        let mut frames = 0;
        while speech.frame()[0] != 0 {
            frames += 1;
        }
        assert_eq!(frames, 10);
    }

    #[test]
    fn a_machine_repeats_its_phrase_and_is_not_talked_over() {
        let mut speech = Speech::machine(vec![3, 4].into());
        speech.put(&[9; 3_200]);
        assert_eq!(speech.frame()[..4], [3, 4, 3, 4]);
    }
}
