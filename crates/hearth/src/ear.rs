//! The device's ear from the model folder.
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
    let wake = folder.read("pymicro-wakeword", "alexa.tflite")?;
    let place = folder.clone();
    let models = ListenModels {
        wake,
        recogniser: Box::new(move || recogniser(&place)),
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
