//! One event of each type, with all that it can carry.
use hearthline_satellite::wyoming::data::{
    Answer, At, AudioChunk, AudioStart, Context, Detect, Detection, Entity, Failure, Intent,
    Object, Ping, Recognize, RunPipeline, SelectProgram, Stage, Synthesize, SynthesizeStart, Text,
    TimerId, TimerStarted, TimerUpdated, Transcribe, Transcript, TranscriptStart, UserEvent, Voice,
};
use hearthline_satellite::wyoming::event::{Event, KINDS};
use hearthline_satellite::wyoming::info::{
    Artifact, AsrProgram, Attribution, Format, HandleProgram, Info, IntentProgram, MicProgram,
    Model, Satellite, SndProgram, TtsProgram, TtsVoice, VoiceSpeaker, WakeModel, WakeProgram,
};
use serde_json::json;

fn object(text: &str) -> Object {
    let mut object = Object::new();
    object.insert("conversation_id".into(), json!(text));
    object.insert("turn".into(), json!(3));
    object
}

fn artifact(text: &str) -> Artifact {
    Artifact {
        name: format!("artifact {text}"),
        attribution: Attribution {
            name: text.into(),
            url: "https://example.com/".into(),
        },
        installed: true,
        description: Some(text.into()),
        version: None,
    }
}

fn info(text: &str) -> Info {
    let artifact = artifact(text);
    let model = Model {
        artifact: artifact.clone(),
        languages: vec!["en".into(), "de".into()],
    };
    let format = Format {
        rate: 16_000,
        width: 2,
        channels: 1,
    };
    Info {
        asr: vec![AsrProgram {
            artifact: artifact.clone(),
            models: vec![model.clone()],
            supports_transcript_streaming: true,
            requires_external_vad: false,
            prefers_auto_gain_enabled: false,
            prefers_noise_reduction_enabled: false,
        }],
        tts: vec![TtsProgram {
            artifact: artifact.clone(),
            voices: vec![TtsVoice {
                artifact: artifact.clone(),
                languages: vec!["en-US".into()],
                speakers: Some(vec![VoiceSpeaker { name: text.into() }]),
            }],
            supports_synthesize_streaming: true,
        }],
        handle: vec![HandleProgram {
            artifact: artifact.clone(),
            models: vec![model.clone()],
            supports_handled_streaming: true,
            supports_home_control: true,
        }],
        intent: vec![IntentProgram {
            artifact: artifact.clone(),
            models: vec![model],
        }],
        wake: vec![WakeProgram {
            artifact: artifact.clone(),
            models: vec![WakeModel {
                artifact: artifact.clone(),
                languages: vec!["en".into()],
                phrase: Some(text.into()),
            }],
        }],
        mic: vec![MicProgram {
            artifact: artifact.clone(),
            mic_format: format,
        }],
        snd: vec![SndProgram {
            artifact: artifact.clone(),
            snd_format: format,
        }],
        satellite: Some(Satellite {
            artifact,
            area: Some(text.into()),
            has_vad: Some(true),
            active_wake_words: Some(vec!["alexa".into()]),
            max_active_wake_words: Some(1),
            supports_trigger: Some(false),
        }),
    }
}

/// One of each type; `text` stands wherever a text may stand, `audio` is the sound.
pub(crate) fn every_event(text: &str, audio: &[u8]) -> Vec<Event> {
    let words = || Some(text.to_owned());
    let context = || Some(object(text));
    let timer = || TimerId { id: text.into() };
    let only = || Context { context: context() };
    let part = || Text { text: text.into() };
    let answer = || Answer {
        text: words(),
        context: context(),
    };
    let at = || At {
        timestamp: Some(1_234),
    };
    let voice = || {
        Some(Voice {
            name: words(),
            language: None,
            speaker: words(),
        })
    };
    let events = vec![
        Event::Describe,
        Event::TranscriptStop,
        Event::SynthesizeStop,
        Event::SynthesizeStopped,
        Event::HandledStop,
        Event::Played,
        Event::RunSatellite,
        Event::PauseSatellite,
        Event::SatelliteConnected,
        Event::SatelliteDisconnected,
        Event::StreamingStarted,
        Event::StreamingStopped,
        Event::Info(Box::new(info(text))),
        Event::AudioStart(AudioStart {
            rate: 22_050,
            width: 2,
            channels: 1,
            timestamp: Some(0),
        }),
        Event::AudioChunk(AudioChunk {
            rate: 16_000,
            width: 2,
            channels: 1,
            timestamp: Some(-5),
            audio: audio.to_vec(),
        }),
        Event::AudioStop(at()),
        Event::Detect(Detect {
            names: Some(vec![text.into()]),
            context: context(),
        }),
        Event::Detection(Detection {
            name: words(),
            timestamp: Some(77),
            speaker: words(),
            context: context(),
        }),
        Event::NotDetected(only()),
        Event::VoiceStarted(at()),
        Event::VoiceStopped(at()),
        Event::Transcribe(Transcribe {
            name: words(),
            language: Some("en".into()),
            context: context(),
            vad_sensitivity: Some("relaxed".into()),
            transcript_names: Some(vec![text.into()]),
            transcript_terms: Some(vec![]),
        }),
        Event::Transcript(Transcript {
            text: text.into(),
            language: Some("en".into()),
            context: context(),
        }),
        Event::TranscriptStart(TranscriptStart {
            language: Some("en".into()),
            context: context(),
        }),
        Event::TranscriptChunk(part()),
        Event::Synthesize(Synthesize {
            text: text.into(),
            voice: voice(),
            text_format: Some("ssml".into()),
            context: context(),
        }),
        Event::SynthesizeStart(SynthesizeStart {
            voice: voice(),
            text_format: Some("text".into()),
            context: context(),
        }),
        Event::SynthesizeChunk(part()),
        Event::Recognize(Recognize {
            text: text.into(),
            context: context(),
        }),
        Event::Intent(Intent {
            name: text.into(),
            entities: vec![
                Entity {
                    name: "area".into(),
                    value: json!(text),
                },
                Entity {
                    name: "minutes".into(),
                    value: json!(5),
                },
                Entity::default(),
            ],
            text: words(),
            context: context(),
        }),
        Event::NotRecognized(answer()),
        Event::IntentsStart(only()),
        Event::IntentsStop(only()),
        Event::Handled(answer()),
        Event::NotHandled(answer()),
        Event::HandledStart(only()),
        Event::HandledChunk(part()),
        Event::RunPipeline(RunPipeline {
            start_stage: Stage::Asr,
            end_stage: Stage::Tts,
            restart_on_end: true,
            wake_word_name: words(),
            wake_word_names: Some(vec![text.into()]),
            announce_text: words(),
        }),
        Event::TimerStarted(TimerStarted {
            id: text.into(),
            total_seconds: 3_661,
            name: words(),
            start_hours: Some(1),
            start_minutes: Some(1),
            start_seconds: Some(1),
        }),
        Event::TimerUpdated(TimerUpdated {
            id: text.into(),
            is_active: false,
            total_seconds: 9,
        }),
        Event::TimerCancelled(timer()),
        Event::TimerFinished(timer()),
        Event::UserEvent(UserEvent {
            name: text.into(),
            data: context(),
            context: context(),
        }),
        Event::Error(Failure {
            text: text.into(),
            code: words(),
        }),
        Event::Ping(Ping { text: words() }),
        Event::Pong(Ping { text: words() }),
        Event::SelectProgram(SelectProgram { name: text.into() }),
    ];
    let kinds: Vec<&str> = events.iter().map(Event::kind).collect();
    assert_eq!(kinds, KINDS, "one of each");
    events
}
