//! The device's ear from the model folder.
use std::sync::{Arc, Mutex, PoisonError};

use hearthline_voice::engine::Engine;
use hearthline_voice::listen::{ListenConfig, ListenModels, Listener};
use hearthline_voice::transcribe::TranscribeError;
use hearthline_voice::transcribe::moonshine::Moonshine;
use hearthline_voice::understand::Country;

use crate::models::ModelFolder;

/// A listener for one country. The recogniser is loaded at the first wake word.
///
/// # Errors
/// Says which model is missing or broken.
pub(crate) fn listener(folder: &ModelFolder, country: Country) -> Result<Listener, String> {
    let place = folder.clone();
    with(folder, country, move || recogniser(&place))
}

/// The recogniser of several listeners: loaded by the first that needs it, and then in memory once.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Option<Moonshine>>>);

/// A listener among several.
///
/// # Errors
/// As [`listener`].
pub(crate) fn shared_listener(
    folder: &ModelFolder,
    country: Country,
    shared: &Shared,
) -> Result<Listener, String> {
    let (place, shared) = (folder.clone(), shared.clone());
    with(folder, country, move || {
        let mut loaded = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = &*loaded {
            return Ok(loaded.share());
        }
        let first = recogniser(&place)?;
        *loaded = Some(first.share());
        Ok(first)
    })
}

fn with(
    folder: &ModelFolder,
    country: Country,
    recogniser: impl FnMut() -> Result<Moonshine, TranscribeError> + Send + 'static,
) -> Result<Listener, String> {
    let models = ListenModels {
        wake: folder.read("pymicro-wakeword", "alexa.tflite")?,
        recogniser: Box::new(recogniser),
    };
    Listener::new(models, ListenConfig::new(country)).map_err(|error| error.to_string())
}

/// The recogniser alone.
///
/// # Errors
/// [`TranscribeError`], which names the model.
pub(crate) fn recogniser(folder: &ModelFolder) -> Result<Moonshine, TranscribeError> {
    let engine = Engine::open(&folder.runtime_library())?;
    // A file that cannot be read becomes an empty one, which the loader refuses by name.
    let read = |file: &str| folder.read("moonshine-voice", file).unwrap_or_default();
    Moonshine::load(
        &engine,
        &read("encoder_model.ort"),
        &read("decoder_model_merged.ort"),
        &read("tokenizer.bin"),
    )
}
