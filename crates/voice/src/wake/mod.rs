//! Wake word: says when the keyword was spoken.
//!
//! ```text
//! 10 ms of sound ─► features ─► every third frame: int8 network ─► mean of the last five probabilities > cutoff
//! ```
//! Models are microWakeWord's, TensorFlow Lite files with 8-bit weights that carry their memory in state variables.
//! Features and network are computed here, in plain Rust, with the roundings of the originals: the same sound gives
//! the same probabilities as the reference implementation, and nothing but this crate has to be trusted.

mod features;
mod fft;
mod flatbuffer;
mod kernels;
mod network;
mod plan;
mod tflite;

pub use features::{FEATURE_CHANNELS, Features, FrontEnd};
pub use flatbuffer::FlatError;
pub use tflite::MODEL_BYTES_MAX;

use crate::clock::{FRAME_SAMPLES, SAMPLE_RATE, SampleIndex, samples_of_ms};
use network::Network;
use std::collections::VecDeque;
use thiserror::Error;

/// Why a wake-word model cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WakeError {
    /// The file is not a TensorFlow Lite model.
    #[error("the wake-word model is not a TFLite file (no TFL3 at byte 4): choose another file")]
    NotTflite,
    /// The file is damaged.
    #[error(transparent)]
    Flat(#[from] FlatError),
    /// The model is greater than this device wants to carry.
    #[error("the wake-word model has {found} {what}, more than {max}: choose a smaller model")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// An operator that this interpreter does not know.
    #[error(
        "operator {index} of the wake-word model has the unsupported type {number}: choose a microWakeWord model"
    )]
    Operator {
        /// Place in the graph.
        index: usize,
        /// `BuiltinOperator` of the TFLite schema.
        number: i32,
    },
    /// The graph contradicts itself or goes beyond what is supported.
    #[error("{what} {index} of the wake-word model {why}: choose a microWakeWord model")]
    Graph {
        /// What kind of part.
        what: &'static str,
        /// Which of them.
        index: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// The model expects other features than the front end makes.
    #[error(
        "the wake-word model takes {found} numbers per 10 ms instead of {FEATURE_CHANNELS}: choose a microWakeWord model"
    )]
    Channels {
        /// Channels of the model.
        found: usize,
    },
    /// A setting out of range.
    #[error("wake-word setting {what} is out of range: {allowed}")]
    Config {
        /// Which setting.
        what: &'static str,
        /// What it may be.
        allowed: &'static str,
    },
}

/// Settings of one wake word.
#[derive(Clone, Debug, PartialEq)]
pub struct WakeConfig {
    /// Name given to each [`Wake`], for example `alexa`.
    pub keyword: String,
    /// The mean probability must be above this, 0 to 1.
    pub cutoff: f64,
    /// Inferences over which the mean is taken, 1 to 100.
    pub window: usize,
    /// Time after a detection in which the same word is not reported again, in ms, at most 10 s.
    pub refractory_ms: u32,
}

impl Default for WakeConfig {
    /// The settings that microWakeWord's `alexa` model was published with.
    fn default() -> Self {
        Self {
            keyword: "alexa".to_owned(),
            cutoff: 0.90,
            window: 5,
            refractory_ms: 1_500,
        }
    }
}

impl WakeConfig {
    /// Whether the word was sure by its sound alone. One that was not is reported only when the recogniser found it at
    /// the head of the sentence.
    #[must_use]
    pub fn is_sure(&self, wake: &Wake) -> bool {
        f64::from(wake.score) > self.cutoff
    }
}

/// The keyword was spoken.
#[derive(Clone, Debug, PartialEq)]
pub struct Wake {
    /// Name of the keyword.
    pub keyword: String,
    /// Mean probability, 0 to 1.
    pub score: f32,
    /// Index behind the last sample that was needed. The word began up to [`Wake::WORD_MS_MAX`] before.
    pub at: SampleIndex,
}

impl Wake {
    /// How long before the detection the keyword mostly has begun, in ms: 49 of 50 recordings.
    pub const WORD_MS: u32 = 1_750;
    /// How long before the detection the slowest speaker has begun the keyword, in ms. The longest of 441 recordings,
    /// clean and in noise, needed 2.14 s.
    pub const WORD_MS_MAX: u32 = 2_250;

    /// A moment that is before the keyword's first sound, however slowly it was said.
    #[must_use]
    pub fn wake_start(&self) -> SampleIndex {
        self.at.minus(samples_of_ms(Self::WORD_MS_MAX))
    }
}

/// Detector of one keyword in one stream.
pub struct WakeWord {
    config: WakeConfig,
    front: FrontEnd,
    network: Network,
    /// The quantised value of each feature value up to the greatest that occurs.
    quantised: Vec<i8>,
    /// Feature vectors already in the network's input.
    gathered: usize,
    inferences: u64,
    probabilities: VecDeque<f32>,
    /// Index that the next frame should have.
    expected: Option<SampleIndex>,
    /// No detection before this index.
    quiet_until: SampleIndex,
}

/// Scale of the front end's numbers in microWakeWord's training: 10/256.
const FEATURE_SCALE: f64 = 0.039_062_5;
/// Features above this are as good as this: the quantised value has long reached its end.
const FEATURE_MAX: usize = 2_047;

impl WakeWord {
    /// A detector for the model in `model_bytes`, a microWakeWord `.tflite` file.
    ///
    /// # Errors
    /// [`WakeError`] when the model is damaged, too large, not supported, or a setting is out of range.
    pub fn new(model_bytes: &[u8], config: WakeConfig) -> Result<Self, WakeError> {
        if !(0.0..=1.0).contains(&config.cutoff) {
            return Err(WakeError::Config {
                what: "cutoff",
                allowed: "0 to 1",
            });
        }
        if !(1..=100).contains(&config.window) {
            return Err(WakeError::Config {
                what: "window",
                allowed: "1 to 100 inferences",
            });
        }
        if config.refractory_ms > 10_000 {
            return Err(WakeError::Config {
                what: "refractory_ms",
                allowed: "0 to 10000 ms",
            });
        }
        let network = Network::new(model_bytes)?;
        if network.channels() != FEATURE_CHANNELS {
            return Err(WakeError::Channels {
                found: network.channels(),
            });
        }
        let (scale, zero) = network.input_scale();
        let quantise = |feature: usize| {
            let value = feature as f64 * FEATURE_SCALE / f64::from(scale) + f64::from(zero);
            value.round_ties_even().clamp(-128.0, 127.0) as i8
        };
        Ok(Self {
            quantised: (0..=FEATURE_MAX).map(quantise).collect(),
            probabilities: VecDeque::with_capacity(config.window),
            config,
            front: FrontEnd::new(),
            network,
            gathered: 0,
            inferences: 0,
            expected: None,
            quiet_until: SampleIndex(0),
        })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &WakeConfig {
        &self.config
    }

    /// The next 10 ms of sound; `at` is the index of its first sample. A frame that does not follow on starts anew.
    pub fn handle_frame(&mut self, frame: &[i16; FRAME_SAMPLES], at: SampleIndex) -> Option<Wake> {
        if self.expected.is_some_and(|expected| expected != at) {
            self.reset();
        }
        let after = at.plus(FRAME_SAMPLES as u64);
        self.expected = Some(after);
        let features = self.front.push(frame)?;
        let score = self.handle_features(&features)?;
        if f64::from(score) <= self.config.cutoff || after < self.quiet_until {
            return None;
        }
        self.quiet_until = after.plus(samples_of_ms(self.config.refractory_ms));
        Some(Wake {
            keyword: self.config.keyword.clone(),
            score,
            at: after,
        })
    }

    /// Takes one feature vector; after each inference with a full window, the mean probability.
    fn handle_features(&mut self, features: &Features) -> Option<f32> {
        let place = self.gathered * FEATURE_CHANNELS;
        for (to, &feature) in self.network.input()[place..place + FEATURE_CHANNELS]
            .iter_mut()
            .zip(features)
        {
            *to = self.quantised[usize::from(feature).min(FEATURE_MAX)];
        }
        self.gathered += 1;
        if self.gathered < self.network.stride() {
            return None;
        }
        self.gathered = 0;
        let probability = self.network.invoke();
        self.inferences += 1;
        if self.probabilities.len() == self.config.window {
            self.probabilities.pop_front();
        }
        self.probabilities.push_back(probability);
        (self.probabilities.len() == self.config.window).then(|| self.score())
    }

    /// The running mean probability, 0 to 1, for level displays; 0 while too little has been heard.
    #[must_use]
    pub fn score(&self) -> f32 {
        if self.probabilities.len() < self.config.window {
            return 0.0;
        }
        // Multiples of 1/256: the sum is exact.
        self.probabilities.iter().sum::<f32>() / self.config.window as f32
    }

    /// The probability of the latest inference, 0 to 1.
    #[must_use]
    pub fn probability(&self) -> f32 {
        self.probabilities.back().copied().unwrap_or(0.0)
    }

    /// Inferences since the detector was made, about 33 per second of sound.
    #[must_use]
    pub fn inferences(&self) -> u64 {
        self.inferences
    }

    /// Forgets all sound: a new stream, or the end of an utterance.
    pub fn reset(&mut self) {
        self.front.reset();
        self.network.reset();
        self.gathered = 0;
        self.probabilities.clear();
        self.expected = None;
        self.quiet_until = SampleIndex(0);
    }
}

impl core::fmt::Debug for WakeWord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WakeWord")
            .field("config", &self.config)
            .field("score", &self.score())
            .finish_non_exhaustive()
    }
}

const _: () = assert!(SAMPLE_RATE == 16_000, "the models were trained at 16 kHz");
