//! Moonshine: the recogniser's encoder and decoder, with a key/value cache for many hypotheses at once.
//!
//! The decoder's graph has two branches. The first step (`use_cache_branch = false`, a past of length zero) computes
//! the keys and values of the audio, which stay as they are; each later step takes one token per hypothesis and the
//! hypotheses' own past. Several hypotheses share one copy of the audio's keys and values, because the graph
//! broadcasts a batch of one: measured bit-equal to copies, so a batch of twelve costs less than three single steps.
#![allow(
    clippy::disallowed_types,
    reason = "one model in memory for the ears of several devices: a lock around the runtime, around no state of ours"
)]
use super::search::{Beam, Greedy};
use super::{Alternative, Prefixes, TokenId, TranscribeError, Transcript, Vocabulary};
use crate::engine::{Engine, EngineError, Input, Session, Tensor};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Samples in a second of the audio that the model takes.
pub const SAMPLE_RATE_HZ: usize = 16_000;
/// Most samples of one segment: 15 s of utterance, 3 s of pre-roll, and a little room.
pub const SAMPLES_MAX: usize = 20 * SAMPLE_RATE_HZ;
/// Fewest samples given to the encoder; shorter audio is followed by silence.
const SAMPLES_MIN: usize = SAMPLE_RATE_HZ;
/// Nobody says more tokens in a second: a decoder that runs away is stopped.
const TOKENS_PER_SECOND_MAX: f32 = 6.5;
/// Tokens that even the shortest segment may have ("9-1-1" is six).
const TOKENS_MIN: usize = 10;
/// Tokens that may be known to stand at the head.
const WORDS_MAX: usize = 16;

/// Encoder, decoder and vocabulary.
#[derive(Debug)]
pub struct Moonshine {
    encoder: Arc<Mutex<Session>>,
    decoder: Arc<Mutex<Session>>,
    vocabulary: Arc<Vocabulary>,
    layers: Arc<[LayerNames]>,
    /// Heads and head size of the decoder.
    heads: (i64, i64),
}

/// Names of one layer's tensors: past in, present out.
#[derive(Debug)]
struct LayerNames {
    past: [String; 2],
    present: [String; 2],
    cross_past: [String; 2],
    cross_present: [String; 2],
}

/// One segment of audio as the decoder sees it, and the first step on it.
#[derive(Debug)]
pub struct Encoded {
    hidden: Tensor,
    mask: Tensor,
    cross: Vec<Tensor>,
    first: Step,
    samples: usize,
}

impl Encoded {
    /// The state after the start token: what every hypothesis begins with.
    #[must_use]
    pub fn first(&self) -> &Step {
        &self.first
    }

    /// Length of the audio, in samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Most tokens that audio of this length can hold.
    #[must_use]
    pub fn tokens_max(&self) -> usize {
        // Both casts are of small positive numbers.
        let seconds = self.samples as f32 / SAMPLE_RATE_HZ as f32;
        TOKENS_MIN + (seconds * TOKENS_PER_SECOND_MAX) as usize
    }
}

/// What the decoder said about the next token, for each hypothesis.
#[derive(Debug)]
pub struct Logits {
    rows: usize,
    /// Tokens of each hypothesis that were scored; only the last one counts.
    places: usize,
    width: usize,
    values: Tensor,
}

impl Logits {
    /// Number of hypotheses.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Unnormalised scores of all tokens for hypothesis `row`.
    ///
    /// # Panics
    /// When there is no such hypothesis.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        let (_, values) = self.values.as_f32().expect("checked when it was made");
        let from = ((row + 1) * self.places - 1) * self.width;
        &values[from..from + self.width]
    }

    /// Logarithm of the sum of `exp` of a row: subtract it from a score to get a log-probability.
    #[must_use]
    pub fn log_sum(&self, row: usize) -> f32 {
        let row = self.row(row);
        let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        // Sixteen sums side by side, so that the compiler may use wide registers.
        let mut sums = [0.0_f32; 16];
        for chunk in row.chunks(16) {
            for (sum, score) in sums.iter_mut().zip(chunk) {
                *sum += exp(score - max);
            }
        }
        max + sums.iter().sum::<f32>().ln()
    }

    /// The `count` best tokens of a row with their log-probabilities, best first; `end` false leaves the end out.
    #[must_use]
    pub fn best(&self, row: usize, count: usize, end: bool) -> Vec<(TokenId, f32)> {
        let log_sum = self.log_sum(row);
        let mut best: Vec<(TokenId, f32)> = Vec::with_capacity(count + 1);
        for (token, &score) in (0..).zip(self.row(row)) {
            if token == Vocabulary::END && !end || best.len() == count && best[count - 1].1 >= score
            {
                continue;
            }
            let at = best.partition_point(|&(_, other)| other >= score);
            best.insert(at, (token, score));
            best.truncate(count);
        }
        for (_, score) in &mut best {
            *score -= log_sum;
        }
        best
    }
}

/// `e^x` for `x <= 0`, to six digits; without a branch, so that a loop over it becomes vector code.
#[inline]
fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    let x = x.max(-80.0) * LOG2_E;
    let whole = x.round();
    let part = (x - whole) * std::f32::consts::LN_2;
    let power = 1.0
        + part
            * (1.0
                + part * (0.5 + part * (1.0 / 6.0 + part * (1.0 / 24.0 + part * (1.0 / 120.0)))));
    // `whole` is between -116 and 0, so the exponent field stays valid.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let scale = f32::from_bits(((whole as i32 + 127) as u32) << 23);
    power * scale
}

/// Keys and values of the tokens so far, one row per hypothesis.
#[derive(Debug)]
pub struct Cache {
    rows: usize,
    layers: Vec<Tensor>,
}

impl Cache {
    /// A cache whose rows are rows of others, in any order, any number of times. All of them hold as many tokens.
    ///
    /// # Errors
    /// When the runtime refuses the new tensors.
    ///
    /// # Panics
    /// When there is no row, or one of them does not exist.
    pub fn gather(rows: &[(&Self, usize)]) -> Result<Self, EngineError> {
        let layers = (0..rows[0].0.layers.len()).map(|layer| {
            let mut chosen = Vec::new();
            let mut inner = [0; 3];
            for (cache, row) in rows {
                let (shape, values) = cache.layers[layer]
                    .as_f32()
                    .expect("checked when it was made");
                let size = values.len() / cache.rows;
                chosen.reserve(size * rows.len());
                chosen.extend_from_slice(&values[row * size..(row + 1) * size]);
                inner.copy_from_slice(&shape[1..]);
            }
            Tensor::f32(&[rows.len() as i64, inner[0], inner[1], inner[2]], chosen)
        });
        Ok(Self {
            rows: rows.len(),
            layers: layers.collect::<Result<_, _>>()?,
        })
    }
}

/// The result of one decoder step.
#[derive(Debug)]
pub struct Step {
    /// Scores of the next token.
    pub logits: Logits,
    /// Keys and values up to here.
    pub cache: Cache,
}

/// A run that panicked left no state behind in the session.
fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Moonshine {
    /// Load the three files of the model.
    ///
    /// # Errors
    /// When one of them is damaged or they do not belong together.
    pub fn load(
        engine: &Engine,
        encoder: &[u8],
        decoder: &[u8],
        tokenizer: &[u8],
    ) -> Result<Self, TranscribeError> {
        let vocabulary = Vocabulary::read(tokenizer)?;
        let encoder = engine.session("moonshine encoder", encoder)?;
        let decoder = engine.session("moonshine decoder", decoder)?;
        let count = decoder
            .inputs()
            .filter(|name| name.starts_with("past_key_values.") && name.ends_with(".decoder.key"))
            .count();
        let pair = |head: &str, layer: usize, who: &str| {
            ["key", "value"].map(|what| format!("{head}.{layer}.{who}.{what}"))
        };
        let layers: Arc<[LayerNames]> = (0..count)
            .map(|layer| LayerNames {
                past: pair("past_key_values", layer, "decoder"),
                present: pair("present", layer, "decoder"),
                cross_past: pair("past_key_values", layer, "encoder"),
                cross_present: pair("present", layer, "encoder"),
            })
            .collect();
        let shape = layers
            .first()
            .and_then(|layer| decoder.input_shape(&layer.past[0]));
        let Some(&[_, heads, _, size]) = shape
            .as_deref()
            .filter(|s| s.len() == 4 && s[1] > 0 && s[3] > 0)
        else {
            return Err(EngineError::Model {
                model: "moonshine decoder".to_owned(),
                reason: "it has no key/value cache of four dimensions".to_owned(),
            }
            .into());
        };
        Ok(Self {
            encoder: Arc::new(Mutex::new(encoder)),
            decoder: Arc::new(Mutex::new(decoder)),
            vocabulary: Arc::new(vocabulary),
            layers,
            heads: (heads, size),
        })
    }

    /// The same model for another ear: its memory is there once, and one ear computes at a time, a step each.
    #[must_use]
    pub fn share(&self) -> Self {
        Self {
            encoder: Arc::clone(&self.encoder),
            decoder: Arc::clone(&self.decoder),
            vocabulary: Arc::clone(&self.vocabulary),
            layers: Arc::clone(&self.layers),
            heads: self.heads,
        }
    }

    /// The vocabulary of the decoder.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Encode a segment (16 kHz, -1 to 1) and take the first step. Keep half a second before and after the words.
    ///
    /// # Errors
    /// When the segment is longer than [`SAMPLES_MAX`], or the runtime fails.
    pub fn encode(&mut self, samples: &[f32]) -> Result<Encoded, TranscribeError> {
        self.encode_behind(samples, &[])
    }

    /// The same, where these words are known to stand at the head of the audio, such as the wake word: what follows
    /// is judged as following them.
    ///
    /// # Errors
    /// As [`Moonshine::encode`].
    pub fn encode_behind(
        &mut self,
        samples: &[f32],
        words: &[TokenId],
    ) -> Result<Encoded, TranscribeError> {
        if samples.len() > SAMPLES_MAX {
            return Err(TranscribeError::TooLong {
                samples: samples.len(),
                samples_max: SAMPLES_MAX,
            });
        }
        let padded: Vec<f32>;
        let audio = if samples.len() < SAMPLES_MIN {
            padded = samples
                .iter()
                .copied()
                .chain(std::iter::repeat_n(0.0, SAMPLES_MIN - samples.len()))
                .collect();
            &padded
        } else {
            samples
        };
        let shape = [1, audio.len() as i64];
        let mask = Tensor::i64(&shape, vec![1; audio.len()])?;
        let mut encoder = lock(&self.encoder);
        let mut outputs = encoder.run(&[
            ("input_values", Input::F32(&shape, audio)),
            ("attention_mask", Input::Kept(&mask)),
        ])?;
        let hidden = outputs.take("last_hidden_state")?;
        drop(outputs);
        drop(encoder);

        let tokens: Vec<i64> = std::iter::once(&Vocabulary::START)
            .chain(words.iter().take(WORDS_MAX))
            .map(|&token| i64::from(token))
            .collect();
        let shape = [1, tokens.len() as i64];
        let empty = [1, self.heads.0, 0, self.heads.1];
        let mut inputs = vec![
            ("encoder_attention_mask", Input::Kept(&mask)),
            ("input_ids", Input::I64(&shape, &tokens)),
            ("encoder_hidden_states", Input::Kept(&hidden)),
            ("use_cache_branch", Input::Bool(&[1], &[false])),
        ];
        for layer in self.layers.iter() {
            for name in layer.past.iter().chain(&layer.cross_past) {
                inputs.push((name, Input::F32(&empty, &[])));
            }
        }
        let mut decoder = lock(&self.decoder);
        let mut outputs = decoder.run(&inputs)?;
        let mut cross = Vec::with_capacity(self.layers.len() * 2);
        for name in self.layers.iter().flat_map(|layer| &layer.cross_present) {
            cross.push(outputs.take(name)?);
        }
        let first = finish(&mut outputs, &self.layers, 1, tokens.len())?;
        if first.logits.width != self.vocabulary.len() {
            return Err(TranscribeError::Mismatch {
                decoder: first.logits.width,
                vocabulary: self.vocabulary.len(),
            });
        }
        Ok(Encoded {
            hidden,
            mask,
            cross,
            first,
            samples: audio.len(),
        })
    }

    /// One more token for each hypothesis: `tokens[i]` follows the past in row `i` of `cache`.
    ///
    /// # Errors
    /// When the number of tokens is not the number of rows, or the runtime fails.
    pub fn step(
        &mut self,
        encoded: &Encoded,
        cache: &Cache,
        tokens: &[TokenId],
    ) -> Result<Step, TranscribeError> {
        let ids: Vec<i64> = tokens.iter().map(|&t| i64::from(t)).collect();
        let shape = [tokens.len() as i64, 1];
        let mut inputs = vec![
            ("encoder_attention_mask", Input::Kept(&encoded.mask)),
            ("input_ids", Input::I64(&shape, &ids)),
            ("encoder_hidden_states", Input::Kept(&encoded.hidden)),
            ("use_cache_branch", Input::Bool(&[1], &[true])),
        ];
        for (index, layer) in self.layers.iter().enumerate() {
            for half in 0..2 {
                inputs.push((
                    &layer.past[half],
                    Input::Kept(&cache.layers[2 * index + half]),
                ));
                inputs.push((
                    &layer.cross_past[half],
                    Input::Kept(&encoded.cross[2 * index + half]),
                ));
            }
        }
        let mut decoder = lock(&self.decoder);
        let mut outputs = decoder.run(&inputs)?;
        Ok(finish(&mut outputs, &self.layers, tokens.len(), 1)?)
    }

    /// The text by always taking the best token. The end is forbidden as the first token; a runaway is cut.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn greedy(&mut self, encoded: &Encoded) -> Result<Transcript, TranscribeError> {
        let mut prefixes = Prefixes::new(encoded);
        let mut greedy = Greedy::new(&prefixes);
        for depth in 0.. {
            let mut wanted = Vec::new();
            greedy.plan(&prefixes, &mut wanted);
            if wanted.is_empty() {
                break;
            }
            prefixes.extend(self, &wanted)?;
            greedy.settle(&prefixes);
            prefixes.forget(depth);
        }
        Ok(greedy.finish(&self.vocabulary))
    }

    /// The `width` most probable texts that a beam of that width finds, best first.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn beam(
        &mut self,
        encoded: &Encoded,
        width: usize,
    ) -> Result<Vec<Alternative>, TranscribeError> {
        let mut prefixes = Prefixes::new(encoded);
        let mut beam = Beam::new(&prefixes, width);
        loop {
            let mut wanted = Vec::new();
            beam.plan(&prefixes, &mut wanted);
            if wanted.is_empty() {
                break;
            }
            prefixes.extend(self, &wanted)?;
            beam.settle(&prefixes);
            prefixes.forget(beam.depth());
        }
        Ok(beam.finish(&self.vocabulary))
    }
}

/// Take the logits and the new cache out of a decoder run.
fn finish(
    outputs: &mut crate::engine::Outputs<'_>,
    layers: &[LayerNames],
    rows: usize,
    places: usize,
) -> Result<Step, EngineError> {
    let values = outputs.take("logits")?;
    let mut cache = Vec::with_capacity(layers.len() * 2);
    for name in layers.iter().flat_map(|layer| &layer.present) {
        let tensor = outputs.take(name)?;
        if tensor
            .as_f32()
            .is_none_or(|(shape, _)| shape.len() != 4 || shape[0] != rows as i64)
        {
            return Err(unexpected("a cache that has not one row per hypothesis"));
        }
        cache.push(tensor);
    }
    let Some(width) = values.as_f32().map(|(_, data)| data.len() / rows / places) else {
        return Err(unexpected("logits that are not float"));
    };
    Ok(Step {
        logits: Logits {
            rows,
            places,
            width,
            values,
        },
        cache: Cache {
            rows,
            layers: cache,
        },
    })
}

fn unexpected(what: &str) -> EngineError {
    EngineError::Run {
        model: "moonshine decoder".to_owned(),
        reason: format!("it gave {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_good_to_five_digits() {
        for i in 0..2000 {
            let x = -f64::from(i) * 0.02;
            let (ours, theirs) = (f64::from(exp(x as f32)), x.exp());
            assert!(
                (ours - theirs).abs() <= 1e-5 * theirs + 1e-18,
                "{x}: {ours} {theirs}"
            );
        }
    }

    #[test]
    fn best_tokens_come_in_order_with_probabilities_that_add_up() {
        let values = Tensor::f32(&[1, 1, 4], vec![0.0, 1.0, 3.0, 2.0]);
        let Ok(values) = values else {
            return println!("skipped: the runtime is not loaded");
        };
        let logits = Logits {
            rows: 1,
            places: 1,
            width: 4,
            values,
        };
        assert_eq!(
            logits
                .best(0, 3, true)
                .iter()
                .map(|b| b.0)
                .collect::<Vec<_>>(),
            [2, 3, 1]
        );
        assert_eq!(
            logits
                .best(0, 3, false)
                .iter()
                .map(|b| b.0)
                .collect::<Vec<_>>(),
            [3, 1, 0]
        );
        let sum: f32 = logits.best(0, 4, true).iter().map(|b| b.1.exp()).sum();
        assert!((sum - 1.0).abs() < 1e-4);
    }
}
