//! `[model]`: a language model of the owner's own, off until it is named here. It answers questions and can do nothing.
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::weather::service;
use super::{ConfigError, value};

/// Longest time that a model has for an answer, in seconds.
const SECONDS_MAX: u64 = 60;

/// `[model]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// Its endpoint, in the shape of OpenAI's: `http://127.0.0.1:11434/v1/chat/completions`. In this version only loopback.
    pub url: String,
    /// Name of the model, as the endpoint knows it.
    pub name: String,
    /// File with the key that is sent along, readable by its owner alone. Relative to the household's file.
    pub key_file: Option<PathBuf>,
    /// Seconds that it has for an answer, 1 to 60.
    #[serde(default = "twenty")]
    pub seconds: u64,
}

fn twenty() -> u64 {
    20
}

impl ModelSettings {
    /// How long one answer may take.
    #[must_use]
    pub fn within(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        service("model", &self.url)?;
        if self.name.trim().is_empty() || self.name.chars().any(char::is_control) {
            let why = "empty, or with control characters; give the name that the endpoint knows";
            return Err(value("model", "name", why));
        }
        if !(1..=SECONDS_MAX).contains(&self.seconds) {
            let why = format!("{} s; 1 to {SECONDS_MAX}", self.seconds);
            return Err(value("model", "seconds", why));
        }
        Ok(())
    }
}
