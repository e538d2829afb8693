//! Candidates: sound that may have been the wake word, and the recogniser's word on it.
//!
//! The wake word's network alone misses two thirds of the sentences in which the command follows without a pause. A
//! score between the candidate's cutoff and the accepting one opens a silent capture; when its first words pause, the
//! recogniser is asked how probable it is that the segment begins with the wake word. Who says no leaves no trace.
use crate::clock::{SAMPLE_RATE, SampleIndex, samples_of_ms};
use crate::transcribe::{Moonshine, TokenId, TranscribeError};
use crate::wake::Wake;

/// Settings of the second stage.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateConfig {
    /// A mean probability above this is a candidate, 0 to 1. At or above the accepting cutoff there is no second stage.
    pub cutoff: f64,
    /// The recogniser must find the wake word at the head at least this probable, in natural logarithms.
    pub confirm_nats: f32,
    /// Time after a candidate in which there is no other one, in ms.
    pub refractory_ms: u32,
    /// Candidates that may be put to the recogniser in a row.
    pub checks_max: u32,
    /// After that, one more each so many ms.
    pub check_every_ms: u32,
}

impl Default for CandidateConfig {
    /// The operating point chosen by the example `wake_rates`.
    fn default() -> Self {
        Self {
            cutoff: 0.05,
            confirm_nats: -6.0,
            refractory_ms: 1_500,
            checks_max: 4,
            check_every_ms: 60_000,
        }
    }
}

/// Finds candidates in the running score and keeps account of what they may cost.
#[derive(Debug)]
pub(super) struct Candidates {
    config: CandidateConfig,
    keyword: String,
    quiet_until: SampleIndex,
    /// Checks in hand, each worth `check_every_ms` of sound.
    purse: u64,
    paid_until: SampleIndex,
    checks: u64,
}

impl Candidates {
    pub(super) fn new(config: CandidateConfig, keyword: &str) -> Self {
        Self {
            purse: Self::purse_max(&config),
            config,
            keyword: keyword.to_owned(),
            quiet_until: SampleIndex(0),
            paid_until: SampleIndex(0),
            checks: 0,
        }
    }

    fn purse_max(config: &CandidateConfig) -> u64 {
        u64::from(config.checks_max) * samples_of_ms(config.check_every_ms)
    }

    /// Takes the running score after each frame; `now` is the index behind it.
    pub(super) fn handle_score(&mut self, score: f32, now: SampleIndex) -> Option<Wake> {
        if f64::from(score) <= self.config.cutoff || now < self.quiet_until {
            return None;
        }
        self.hush(now);
        Some(Wake {
            keyword: self.keyword.clone(),
            score,
            at: now,
        })
    }

    /// No candidate for a while: the word was just heard.
    pub(super) fn hush(&mut self, now: SampleIndex) {
        self.quiet_until = now.plus(samples_of_ms(self.config.refractory_ms));
    }

    /// Whether the recogniser may be asked now; the check is then paid.
    pub(super) fn may_check(&mut self, now: SampleIndex) -> bool {
        let price = samples_of_ms(self.config.check_every_ms);
        self.purse = (self.purse + now.since(self.paid_until)).min(Self::purse_max(&self.config));
        self.paid_until = now;
        let paid = self.purse.checked_sub(price);
        self.purse = paid.unwrap_or(self.purse);
        self.checks += u64::from(paid.is_some());
        paid.is_some()
    }

    /// Checks so far.
    pub(super) fn checks(&self) -> u64 {
        self.checks
    }

    /// Whether the recogniser finds the wake word probable enough.
    pub(super) fn confirms(&self, nats: f32) -> bool {
        nats >= self.config.confirm_nats
    }

    /// A new stream. What checks cost is not forgotten.
    pub(super) fn reset(&mut self) {
        self.quiet_until = SampleIndex(0);
    }
}

/// The tokens of "Alexa" as the recogniser itself writes them at the head of a text.
const WORD: [&str; 2] = ["▁Alex", "a"];
/// Sound behind the detection that is looked at: the word's end and a little more, whatever the sentence's length.
const TAIL_MS: u32 = 1_000;

/// The part of a segment that is asked about: it begins at `from`, the candidate was spotted at `at`.
pub(super) fn head(sound: &[i16], from: SampleIndex, at: SampleIndex) -> &[i16] {
    let length = at.plus(samples_of_ms(TAIL_MS)).since(from);
    // A segment is shorter than a minute.
    &sound[..sound.len().min(length as usize)]
}

/// How probable it is that the audio begins with the wake word, as a natural logarithm. The recogniser is made to say
/// the word: what it would have written by itself ("the licks are") does not matter.
///
/// # Errors
/// When the audio is too long or the runtime fails.
pub fn begins_with_wake_word(
    recogniser: &mut Moonshine,
    audio: &[f32],
) -> Result<f32, TranscribeError> {
    let tokens: Option<Vec<TokenId>> = WORD
        .iter()
        .map(|part| recogniser.vocabulary().find(part.as_bytes()))
        .collect();
    let Some(tokens) = tokens else {
        return Ok(f32::NEG_INFINITY);
    };
    let encoded = recogniser.encode(audio)?;
    let first = encoded.first();
    let place = |token: TokenId| usize::try_from(token).unwrap_or(usize::MAX);
    let gain = |logits: &crate::transcribe::Logits, token| {
        let score = logits.row(0).get(place(token)).copied();
        score.map_or(f32::NEG_INFINITY, |score| score - logits.log_sum(0))
    };
    let mut sum = gain(&first.logits, tokens[0]);
    let second = recogniser.step(&encoded, &first.cache, &tokens[..1])?;
    sum += gain(&second.logits, tokens[1]);
    Ok(sum)
}

const _: () = assert!(SAMPLE_RATE == 16_000, "the recogniser takes 16 kHz");

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates() -> Candidates {
        Candidates::new(CandidateConfig::default(), "alexa")
    }

    #[test]
    fn one_word_is_one_candidate() {
        let mut all = candidates();
        let score = |ms: u64| {
            if (1_000..1_400).contains(&ms) {
                0.3
            } else {
                0.01
            }
        };
        let found: Vec<u64> = (0..400)
            .map(|frame| frame * 10)
            .filter(|&ms| all.handle_score(score(ms), SampleIndex(ms * 16)).is_some())
            .collect();
        assert_eq!(found, [1_000]);
    }

    #[test]
    fn checks_in_a_row_are_few_and_come_back_slowly() {
        let mut all = candidates();
        let minute = samples_of_ms(60_000);
        let start = SampleIndex(minute);
        let granted = (0..100)
            .filter(|i| all.may_check(start.plus(i * 1_600)))
            .count();
        assert_eq!(granted, 4);
        assert!(!all.may_check(start.plus(minute - 1_600)));
        assert!(all.may_check(start.plus(minute + 16_000)));
        let day = start.plus(minute * 60 * 24);
        assert_eq!((0..100).filter(|_| all.may_check(day)).count(), 4);
    }

    #[test]
    fn the_part_that_is_asked_about_ends_a_second_behind_the_word() {
        let sound = vec![0; 160_000];
        assert_eq!(
            head(&sound, SampleIndex(1_000), SampleIndex(33_000)).len(),
            48_000
        );
        assert_eq!(
            head(&sound[..9_000], SampleIndex(1_000), SampleIndex(33_000)).len(),
            9_000
        );
    }
}
