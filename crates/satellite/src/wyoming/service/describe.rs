//! What we say about ourselves in `info`.
use crate::wyoming::info::{
    Artifact, AsrProgram, Attribution, HandleProgram, Info, IntentProgram, Model, TtsProgram,
    TtsVoice, WakeModel, WakeProgram,
};

/// Which engines there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// The wake word, as its model calls it.
    pub wake_word: Option<String>,
    /// The recogniser is there.
    pub asr: bool,
    /// The voice's name.
    pub voice: Option<String>,
    /// Language of the sentences.
    pub sentences: Option<String>,
}

/// Everything that a server with these engines offers.
#[must_use]
pub fn info(offered: &Offered) -> Info {
    let mut info = Info::default();
    if let Some(word) = &offered.wake_word {
        let maker = maker("Kevin Ahrendt", "https://github.com/kahrendt/microWakeWord");
        info.wake.push(WakeProgram {
            artifact: ours("hearthline", "Wake word by microWakeWord networks"),
            models: vec![WakeModel {
                artifact: artifact(word, &format!("\u{201c}{word}\u{201d}"), maker),
                languages: vec!["en".into()],
                phrase: Some(word.clone()),
            }],
        });
    }
    if offered.asr {
        let maker = maker(
            "Useful Sensors",
            "https://github.com/moonshine-ai/moonshine",
        );
        info.asr.push(AsrProgram {
            artifact: ours("hearthline", "Speech to text by Moonshine"),
            models: vec![Model {
                artifact: artifact("moonshine-tiny-en", "Moonshine tiny, English", maker),
                languages: vec!["en".into()],
            }],
            // The model reads a whole utterance: words before its end would be taken back.
            supports_transcript_streaming: false,
            requires_external_vad: true,
            prefers_auto_gain_enabled: false,
            prefers_noise_reduction_enabled: false,
        });
    }
    if let Some(voice) = &offered.voice {
        let maker = maker("Piper", "https://github.com/OHF-Voice/piper1-gpl");
        info.tts.push(TtsProgram {
            artifact: ours("hearthline", "Text to speech by a Piper voice"),
            voices: vec![TtsVoice {
                artifact: artifact(voice, voice, maker),
                languages: vec!["en".into(), "en_US".into()],
                speakers: None,
            }],
            supports_synthesize_streaming: true,
        });
    }
    if let Some(language) = &offered.sentences {
        let model = || {
            let maker = maker("Home Assistant", "https://github.com/OHF-Voice/intents");
            Model {
                artifact: artifact(
                    "home-assistant-intents",
                    "Sentences of Home Assistant",
                    maker,
                ),
                languages: vec![language.clone()],
            }
        };
        info.intent.push(IntentProgram {
            artifact: ours("hearthline", "Sentences to intents"),
            models: vec![model()],
        });
        info.handle.push(HandleProgram {
            artifact: ours("hearthline", "Answers what needs no device of the home"),
            models: vec![model()],
            supports_handled_streaming: false,
            supports_home_control: false,
        });
    }
    info
}

/// An artifact of this project.
#[must_use]
pub fn ours(name: &str, description: &str) -> Artifact {
    let maker = maker("Hearthline", "https://hearthline.example/");
    artifact(name, description, maker)
}

fn artifact(name: &str, description: &str, attribution: Attribution) -> Artifact {
    Artifact {
        name: name.to_owned(),
        attribution,
        installed: true,
        description: Some(description.to_owned()),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
    }
}

fn maker(name: &str, url: &str) -> Attribution {
    Attribution {
        name: name.to_owned(),
        url: url.to_owned(),
    }
}
