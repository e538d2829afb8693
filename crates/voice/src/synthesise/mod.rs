//! Text to speech: a Piper voice (VITS) on phonemes from a dictionary without GPL.
//!
//! ```text
//! text ─► spoken words ─► sentences ─► phonemes ─► ids ─► voice (22,050 Hz) ─► 16 kHz, 16 bit
//! ```
//! With the default settings the same text gives the same samples: both noises of the voice are off.
pub mod graph;
mod model;
mod numbers;
mod phonemes;
mod resample;
mod spoken;

use std::collections::HashMap;

use serde::Deserialize;
use thiserror::Error;

use crate::engine::{Engine, EngineError};
use model::{Model, Wanted};
use phonemes::Dictionary;
use resample::Resampler;

/// Rate of the samples that [`Synthesiser::speak`] gives, in hertz.
pub const SAMPLE_RATE_HZ: usize = 16_000;
/// Longest text of one call, in characters: about two minutes of speech.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Longest sentence given to the voice at once, in characters. Memory grows with it.
const SENTENCE_CHARS_MAX: usize = 240;
/// Pause between two sentences, in ms.
const PAUSE_MS: usize = 200;
/// Pause between two [`pieces`], in ms.
pub const PIECE_PAUSE_MS: usize = PAUSE_MS;
/// The first sentence may be parted at a comma when so much has been said, in characters: the frames of a whole sentence
/// are made before its first sound.
const FIRST_PIECE_CHARS: usize = 60;
/// Largest voice configuration, in bytes.
const CONFIG_BYTES_MAX: usize = 1 << 20;
/// Peak of the output, as a part of full scale: 1 dB below it.
const PEAK: f32 = 0.89;
/// How much louder than the network gives it a sound is whose peak is not known yet: the loudest sample of 40 pieces of
/// answers was 0.36 to 0.76, the middle one of them comes to [`PEAK`].
const LIVE_GAIN: f32 = 1.7;
/// Such a sound is bent above it.
const LIVE_KNEE: f32 = 0.7;

/// How the voice speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Delivery {
    /// Length of the sounds: 1 is the voice's own speed, 2 is half as fast. 0.25 to 4.
    pub length_scale: f32,
    /// Variation of the sound, 0 to 1. Above 0 the model draws numbers that cannot be seeded: no two runs are alike.
    pub noise_scale: f32,
    /// Variation of the rhythm, 0 to 1. Above 0 no two runs are alike.
    pub noise_width: f32,
}

impl Default for Delivery {
    /// The voice's own speed, the same samples each time.
    fn default() -> Self {
        Self {
            length_scale: 1.0,
            noise_scale: 0.0,
            noise_width: 0.0,
        }
    }
}

/// Why there is no speech.
#[derive(Debug, Error)]
pub enum SynthesiseError {
    /// The voice's configuration is not what Piper writes.
    #[error("the voice's configuration is damaged: {0}; run `hearth models verify`")]
    Config(String),
    /// A setting is out of range.
    #[error("delivery {what} is out of range: {allowed}")]
    Delivery {
        /// Which setting.
        what: &'static str,
        /// What it may be.
        allowed: &'static str,
    },
    /// Too much text at once.
    #[error(
        "{chars} characters are too many to speak at once, the most is {chars_max}; speak it in parts"
    )]
    TooLong {
        /// Characters given.
        chars: usize,
        /// Characters allowed.
        chars_max: usize,
    },
    /// The dictionary inside the program is damaged.
    #[error("the pronunciation dictionary is damaged: {0}")]
    Dictionary(#[from] loqui_g2p::Error),
    /// The model failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

#[derive(Deserialize)]
struct Config {
    audio: Audio,
    phoneme_id_map: HashMap<String, Vec<i64>>,
}

#[derive(Deserialize)]
struct Audio {
    sample_rate: usize,
}

/// A voice, ready to speak.
#[derive(Debug)]
pub struct Synthesiser {
    model: Model,
    ids: HashMap<char, i64>,
    resampler: Resampler,
    voice_rate_hz: usize,
    delivery: Delivery,
    dictionary: Option<Dictionary>,
}

/// Begins, pads and ends the phonemes of a Piper voice.
const FRAME: [char; 3] = ['^', '_', '$'];

impl Synthesiser {
    /// A voice from its two files: the `.onnx` model and the `.onnx.json` configuration.
    ///
    /// # Errors
    /// When one of them is damaged.
    pub fn new(
        engine: &Engine,
        model_bytes: &[u8],
        config_bytes: &[u8],
    ) -> Result<Self, SynthesiseError> {
        let wrong = |what: String| SynthesiseError::Config(what);
        if config_bytes.len() > CONFIG_BYTES_MAX {
            return Err(wrong(format!("it is larger than {CONFIG_BYTES_MAX} bytes")));
        }
        let config: Config =
            serde_json::from_slice(config_bytes).map_err(|error| wrong(error.to_string()))?;
        let voice_rate_hz = config.audio.sample_rate;
        if !(8_000..=48_000).contains(&voice_rate_hz) {
            return Err(wrong(format!("a sample rate of {voice_rate_hz} Hz")));
        }
        let mut ids = HashMap::new();
        for (text, list) in &config.phoneme_id_map {
            let mut signs = text.chars();
            if let (Some(sign), None, [id]) = (signs.next(), signs.next(), list.as_slice()) {
                ids.insert(sign, *id);
            }
        }
        if let Some(missing) = FRAME.iter().find(|sign| !ids.contains_key(sign)) {
            return Err(wrong(format!("no phoneme id for {missing:?}")));
        }
        Ok(Self {
            model: Model::new(engine, model_bytes)?,
            ids,
            resampler: Resampler::new(voice_rate_hz, SAMPLE_RATE_HZ),
            voice_rate_hz,
            delivery: Delivery::default(),
            dictionary: None,
        })
    }

    /// Speaks so from now on.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn set_delivery(&mut self, delivery: Delivery) -> Result<(), SynthesiseError> {
        let check = |value: f32, from: f32, to: f32, what, allowed| {
            if (from..=to).contains(&value) {
                Ok(())
            } else {
                Err(SynthesiseError::Delivery { what, allowed })
            }
        };
        check(
            delivery.length_scale,
            0.25,
            4.0,
            "length_scale",
            "0.25 to 4",
        )?;
        check(delivery.noise_scale, 0.0, 1.0, "noise_scale", "0 to 1")?;
        check(delivery.noise_width, 0.0, 1.0, "noise_width", "0 to 1")?;
        self.delivery = delivery;
        Ok(())
    }

    /// Speaks `text`: 16 kHz, mono. Text without anything to say gives no samples.
    ///
    /// # Errors
    /// When the text is longer than [`TEXT_CHARS_MAX`], or the model fails.
    pub fn speak(&mut self, text: &str) -> Result<Vec<i16>, SynthesiseError> {
        let sound = self.sound(text)?;
        Ok(to_16_bit(&self.resampler.resample(&sound)))
    }

    /// Speaks `text` and hands on each bit as soon as it is made, for whoever hears it at once; `more` says whether to go
    /// on. Before the bits of each sentence comes an empty one: from there on only the sound itself is made. Loudness is
    /// the voice's own, not [`speak`](Self::speak)'s, which has heard the end before the beginning.
    ///
    /// # Errors
    /// As [`speak`](Self::speak).
    pub fn speak_in_bits(
        &mut self,
        text: &str,
        more: &mut dyn FnMut(Vec<i16>) -> bool,
    ) -> Result<(), SynthesiseError> {
        let pause = vec![0; SAMPLE_RATE_HZ * PAUSE_MS / 1_000];
        let mut is_wanted = true;
        for (at, ids) in self.sentences(text)?.iter().enumerate() {
            if !is_wanted || (at > 0 && !more(pause.clone())) {
                break;
            }
            let (mut sound, mut given) = (Vec::new(), 0);
            let resampler = &self.resampler;
            self.model
                .run(ids, self.delivery, Wanted::Soon, &mut |bit| {
                    sound.extend(bit.iter().map(|sample| finite(*sample)));
                    let bit = resampler.resample_from(&sound, given, false);
                    given += bit.len();
                    is_wanted = more(bit.iter().map(|sample| live_to_16_bit(*sample)).collect());
                    is_wanted
                })?;
            let last = self.resampler.resample_from(&sound, given, true);
            is_wanted =
                is_wanted && more(last.iter().map(|sample| live_to_16_bit(*sample)).collect());
        }
        Ok(())
    }

    /// Speaks `text` as [`speak`](Self::speak) does, at the voice's own rate ([`voice_rate_hz`](Self::voice_rate_hz)): for
    /// whoever plays it elsewhere.
    ///
    /// # Errors
    /// As [`speak`](Self::speak).
    pub fn speak_at_voice_rate(&mut self, text: &str) -> Result<Vec<i16>, SynthesiseError> {
        Ok(to_16_bit(&self.sound(text)?))
    }

    /// The rate at which the voice itself speaks, in hertz.
    #[must_use]
    pub fn voice_rate_hz(&self) -> usize {
        self.voice_rate_hz
    }

    fn sound(&mut self, text: &str) -> Result<Vec<f32>, SynthesiseError> {
        let mut sound: Vec<f32> = Vec::new();
        for ids in self.sentences(text)? {
            if !sound.is_empty() {
                sound.resize(sound.len() + self.voice_rate_hz * PAUSE_MS / 1_000, 0.0);
            }
            self.model
                .run(&ids, self.delivery, Wanted::Whole, &mut |bit| {
                    sound.extend(bit.iter().map(|sample| finite(*sample)));
                    true
                })?;
        }
        Ok(sound)
    }

    /// The sentences of a text that have a sound, as the voice's ids.
    fn sentences(&mut self, text: &str) -> Result<Vec<Vec<i64>>, SynthesiseError> {
        let chars = text.chars().count();
        if chars > TEXT_CHARS_MAX {
            return Err(SynthesiseError::TooLong {
                chars,
                chars_max: TEXT_CHARS_MAX,
            });
        }
        // Also for a text of nothing: who speaks that makes the voice ready.
        self.dictionary()?;
        let mut sentences = Vec::new();
        for sentence in spoken::sentences(text, SENTENCE_CHARS_MAX) {
            let phonemes = self.dictionary()?.phonemes(&sentence);
            sentences.push(self.ids(&phonemes));
        }
        sentences.retain(|ids| !ids.is_empty());
        Ok(sentences)
    }

    /// The phonemes that `text` is spoken with, in the voice's spelling: for finding out why it sounds so.
    ///
    /// # Errors
    /// When the dictionary inside the program is damaged.
    pub fn phonemes(&mut self, text: &str) -> Result<String, SynthesiseError> {
        let text: String = text.chars().take(TEXT_CHARS_MAX).collect();
        let dictionary = self.dictionary()?;
        let list: Vec<String> = spoken::sentences(&text, SENTENCE_CHARS_MAX)
            .iter()
            .map(|sentence| dictionary.phonemes(sentence))
            .collect();
        Ok(list.join(" "))
    }

    /// Frees the pronunciation dictionary, about 90 MB; the next text loads it again in about a second.
    pub fn rest(&mut self) {
        self.dictionary = None;
    }

    fn dictionary(&mut self) -> Result<&Dictionary, SynthesiseError> {
        let loaded = match self.dictionary.take() {
            Some(loaded) => loaded,
            None => Dictionary::load()?,
        };
        Ok(self.dictionary.insert(loaded))
    }

    /// The voice's ids of phonemes, framed and padded; empty when the voice knows none of them.
    fn ids(&self, phonemes: &str) -> Vec<i64> {
        let [begin, pad, end] = FRAME.map(|sign| self.ids[&sign]);
        let known: Vec<i64> = phonemes
            .trim()
            .chars()
            .filter(|sign| !FRAME.contains(sign))
            .filter_map(|sign| self.ids.get(&sign).copied())
            .collect();
        if !phonemes.chars().any(char::is_alphabetic) || known.is_empty() {
            return Vec::new();
        }
        let mut out = vec![begin, pad];
        out.extend(known.into_iter().flat_map(|id| [id, pad]));
        out.push(end);
        out
    }
}

/// A text in pieces to be spoken one after the other while the next is made, none of them long: the first sound comes as
/// soon as the first piece is made. Between two of them belongs a pause of [`PIECE_PAUSE_MS`].
#[must_use]
pub fn pieces(text: &str) -> Vec<String> {
    spoken::pieces(text, FIRST_PIECE_CHARS)
}

/// What the network gave, or silence where that is no number.
fn finite(sample: f32) -> f32 {
    if sample.is_finite() { sample } else { 0.0 }
}

/// A sample of a sound whose loudest is not known yet, not above [`PEAK`]: loud ones are bent rather than cut.
fn live_to_16_bit(sample: f32) -> i16 {
    let loud = (sample * LIVE_GAIN).abs();
    let bent = if loud <= LIVE_KNEE {
        loud
    } else {
        LIVE_KNEE + (PEAK - LIVE_KNEE) * ((loud - LIVE_KNEE) / (PEAK - LIVE_KNEE)).tanh()
    };
    (bent.copysign(sample) * 32_767.0).round() as i16
}

/// 16-bit samples whose peak is [`PEAK`].
fn to_16_bit(samples: &[f32]) -> Vec<i16> {
    let peak = samples
        .iter()
        .fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    if peak == 0.0 {
        return vec![0; samples.len()];
    }
    let gain = PEAK * 32_767.0 / peak;
    samples
        .iter()
        .map(|sample| (sample * gain).round() as i16)
        .collect()
}
