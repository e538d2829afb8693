//! What a listener is made of, its settings, and why it cannot be made or does not understand.
use super::candidate::CandidateConfig;
use crate::endpoint::{EndpointConfig, EndpointConfigError};
use crate::transcribe::{Moonshine, TranscribeError};
use crate::understand::Country;
use crate::understand::automaton::TooLarge;
use crate::understand::judge::OperatingPoint;
use crate::wake::{WakeConfig, WakeError};

/// What the listener is made of.
pub struct ListenModels {
    /// A microWakeWord model: the bytes of its `.tflite` file.
    pub wake: Vec<u8>,
    /// Loads the recogniser; called once, at the first wake word or by [`Listener::load`].
    pub recogniser: Box<dyn FnMut() -> Result<Moonshine, TranscribeError> + Send>,
}

/// Settings.
#[derive(Debug, Clone, PartialEq)]
pub struct ListenConfig {
    /// Wake word, its cutoff and window.
    pub wake: WakeConfig,
    /// What may have been the wake word, and when the recogniser confirms it.
    pub candidate: CandidateConfig,
    /// Whose emergency numbers count.
    pub country: Country,
    /// Thresholds of the emergency judgement.
    pub point: OperatingPoint,
    /// Pauses and hang-overs.
    pub endpoint: EndpointConfig,
}

impl ListenConfig {
    /// The settings for a country, with the calibrated thresholds.
    #[must_use]
    pub fn new(country: Country) -> Self {
        Self {
            wake: WakeConfig::default(),
            candidate: CandidateConfig::default(),
            country,
            point: OperatingPoint::built_in(),
            endpoint: EndpointConfig::default(),
        }
    }
}

/// Why a listener cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The wake word's model or settings.
    #[error(transparent)]
    Wake(#[from] WakeError),
    /// The pauses contradict each other.
    #[error(transparent)]
    Endpoint(#[from] EndpointConfigError),
}

/// Why the device could not understand although it heard its name. It must say so, not stay silent.
#[derive(Debug, thiserror::Error)]
pub enum HearError {
    /// The recogniser does not load or run.
    #[error(transparent)]
    Transcribe(#[from] TranscribeError),
    /// The grammar of the country is too large.
    #[error(transparent)]
    Grammar(#[from] TooLarge),
}
