//! `info`: what a server offers.
use serde::{Deserialize, Serialize};

/// Who made something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// Who.
    pub name: String,
    /// Where it is found.
    pub url: String,
}

/// What every program, model and voice says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Names it.
    pub name: String,
    /// Who made it.
    pub attribution: Attribution,
    /// Whether it can be used now.
    pub installed: bool,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// Its version.
    #[serde(default)]
    pub version: Option<String>,
}

/// A model: recogniser, intents, handling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// What it is.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// Languages that it knows.
    #[serde(default)]
    pub languages: Vec<String>,
}

/// Speech to text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsrProgram {
    /// What it is.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// Its models.
    #[serde(default)]
    pub models: Vec<Model>,
    /// Words come while it still listens.
    #[serde(default)]
    pub supports_transcript_streaming: bool,
    /// Somebody else must find the end of speech.
    #[serde(default = "yes")]
    pub requires_external_vad: bool,
    /// Wants sound of even loudness.
    #[serde(default = "yes")]
    pub prefers_auto_gain_enabled: bool,
    /// Wants sound without noise.
    #[serde(default = "yes")]
    pub prefers_noise_reduction_enabled: bool,
}

/// One of the speakers of a voice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceSpeaker {
    /// Names it.
    pub name: String,
}

/// A voice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TtsVoice {
    /// What it is.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// Languages that it speaks.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Its speakers, where there are several.
    #[serde(default)]
    pub speakers: Option<Vec<VoiceSpeaker>>,
}

/// Text to speech.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TtsProgram {
    /// What it is.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// Its voices.
    #[serde(default)]
    pub voices: Vec<TtsVoice>,
    /// Speaks while text still comes.
    #[serde(default)]
    pub supports_synthesize_streaming: bool,
}

/// Doing what is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandleProgram {
    /// What it is.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// Its models.
    #[serde(default)]
    pub models: Vec<Model>,
    /// Answers come in parts.
    #[serde(default)]
    pub supports_handled_streaming: bool,
    /// It may switch things in the home.
    #[serde(default)]
    pub supports_home_control: bool,
}

/// Text to intent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentProgram {
    /// What it is.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// Its models.
    #[serde(default)]
    pub models: Vec<Model>,
}

/// A wake word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WakeModel {
    /// What it is.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// Languages in which it is found.
    #[serde(default)]
    pub languages: Vec<String>,
    /// What is said.
    #[serde(default)]
    pub phrase: Option<String>,
}

/// Finding wake words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WakeProgram {
    /// What it is.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// Its words.
    #[serde(default)]
    pub models: Vec<WakeModel>,
}

/// A kind of sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// In hertz.
    pub rate: u32,
    /// Bytes of a sample.
    pub width: u8,
    /// Channels.
    pub channels: u8,
}

/// A microphone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MicProgram {
    /// What it is.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// What it gives.
    pub mic_format: Format,
}

/// A loudspeaker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SndProgram {
    /// What it is.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// What it takes.
    pub snd_format: Format,
}

/// A satellite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Satellite {
    /// What it is.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// The room.
    #[serde(default)]
    pub area: Option<String>,
    /// It finds the end of speech by itself.
    #[serde(default)]
    pub has_vad: Option<bool>,
    /// What it listens for.
    #[serde(default)]
    pub active_wake_words: Option<Vec<String>>,
    /// How many it can listen for.
    #[serde(default)]
    pub max_active_wake_words: Option<u32>,
    /// The server may start a pipeline.
    #[serde(default)]
    pub supports_trigger: Option<bool>,
}

/// Everything that a server offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// Speech to text.
    #[serde(default)]
    pub asr: Vec<AsrProgram>,
    /// Text to speech.
    #[serde(default)]
    pub tts: Vec<TtsProgram>,
    /// Doing.
    #[serde(default)]
    pub handle: Vec<HandleProgram>,
    /// Text to intent.
    #[serde(default)]
    pub intent: Vec<IntentProgram>,
    /// Wake words.
    #[serde(default)]
    pub wake: Vec<WakeProgram>,
    /// Microphones.
    #[serde(default)]
    pub mic: Vec<MicProgram>,
    /// Loudspeakers.
    #[serde(default)]
    pub snd: Vec<SndProgram>,
    /// The satellite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satellite: Option<Satellite>,
}

fn yes() -> bool {
    true
}
