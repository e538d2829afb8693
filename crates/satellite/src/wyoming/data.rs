//! What each event carries. Fields that may be left out are `Option` or empty; unknown ones are passed over.
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A JSON object.
pub type Object = Map<String, Value>;

/// Declares the data of an event: fields as they are called in JSON.
macro_rules! data {
    ($(
        $(#[$about:meta])*
        $name:ident { $( $(#[$field_about:meta])* $field:ident : $kind:ty ),* $(,)? }
    )*) => { $(
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct $name { $( $(#[$field_about])* pub $field: $kind ),* }
    )* };
}

data! {
    /// Sound begins.
    AudioStart {
        /// In hertz.
        rate: u32,
        /// Bytes of a sample.
        width: u8,
        /// Channels.
        channels: u8,
        /// In ms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timestamp: Option<i64>,
    }
    /// A piece of sound.
    AudioChunk {
        /// In hertz.
        rate: u32,
        /// Bytes of a sample.
        width: u8,
        /// Channels.
        channels: u8,
        /// In ms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timestamp: Option<i64>,
        /// Little-endian samples; they travel behind the JSON.
        #[serde(skip)]
        audio: Vec<u8>,
    }
    /// A moment, and nothing else.
    At {
        /// In ms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timestamp: Option<i64>,
    }
    /// Find wake words in the sound that follows.
    Detect {
        /// Which; none: all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        names: Option<Vec<String>>,
        /// Handed on with the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Object>,
    }
    /// A wake word was found.
    Detection {
        /// Which.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Of the piece of sound, in ms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timestamp: Option<i64>,
        /// Who said it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        speaker: Option<String>,
        /// Of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Object>,
    }
    /// Nothing but the context of a request.
    Context {
        /// Of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Object>,
    }
    /// Write down the speech that follows.
    Transcribe {
        /// Of the model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// That is spoken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// Handed on with the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Object>,
        /// `default`, `relaxed` or `aggressive`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vad_sensitivity: Option<String>,
        /// Names that may be said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transcript_names: Option<Vec<String>>,
        /// Words that may be said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transcript_terms: Option<Vec<String>>,
    }
    /// What was said.
    Transcript {
        /// The words.
        text: String,
        /// Their language.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// Of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Object>,
    }
    /// The words of a transcript begin.
    TranscriptStart {
        /// Their language.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// Of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Object>,
    }
    /// A part of a text.
    Text {
        /// The words.
        text: String,
    }
    /// Which voice speaks.
    Voice {
        /// Of the voice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Of the voice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// One of its speakers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        speaker: Option<String>,
    }
    /// Speak this.
    Synthesize {
        /// The words.
        text: String,
        /// In this voice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voice: Option<Voice>,
        /// `text` or `ssml`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text_format: Option<String>,
        /// Handed on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Object>,
    }
    /// Text to speak follows in parts.
    SynthesizeStart {
        /// In this voice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voice: Option<Voice>,
        /// `text` or `ssml`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text_format: Option<String>,
        /// Handed on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Object>,
    }
    /// What does this text mean?
    Recognize {
        /// The words.
        text: String,
        /// Handed on with the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Object>,
    }
    /// One slot of an intent.
    Entity {
        /// Its name.
        name: String,
        /// Anything.
        #[serde(default)]
        value: Value,
    }
    /// What a text means.
    Intent {
        /// Its name.
        name: String,
        /// Its slots.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        entities: Vec<Entity>,
        /// What may be said in answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Object>,
    }
    /// An answer in words, or that there is none.
    Answer {
        /// The words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Object>,
    }
    /// Run stages of a pipeline.
    RunPipeline {
        /// `wake`, `asr`, `intent`, `handle` or `tts`.
        start_stage: Stage,
        /// The last one.
        end_stage: Stage,
        /// Begin anew behind the end.
        #[serde(default)]
        restart_on_end: bool,
        /// What the client heard.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wake_word_name: Option<String>,
        /// What the server wants to be listened for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wake_word_names: Option<Vec<String>>,
        /// What the server wants to be said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        announce_text: Option<String>,
    }
    /// A timer runs.
    TimerStarted {
        /// Names it.
        id: String,
        /// How long.
        total_seconds: u64,
        /// What it is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// As it was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start_hours: Option<u64>,
        /// As it was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start_minutes: Option<u64>,
        /// As it was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start_seconds: Option<u64>,
    }
    /// A timer was changed.
    TimerUpdated {
        /// Names it.
        id: String,
        /// It runs, and does not pause.
        is_active: bool,
        /// How long, from its start.
        total_seconds: u64,
    }
    /// A timer is over.
    TimerId {
        /// Names it.
        id: String,
    }
    /// Something that only the two ends understand.
    UserEvent {
        /// Its kind.
        name: String,
        /// What it says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<Object>,
        /// Handed on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Object>,
    }
    /// Something went wrong.
    Failure {
        /// For people.
        text: String,
        /// For programs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    }
    /// Are you there?
    Ping {
        /// Comes back with the pong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    }
    /// Which of several programs of a kind is meant.
    SelectProgram {
        /// Its name.
        name: String,
    }
}

/// A stage of a pipeline, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Wake word.
    #[default]
    Wake,
    /// Speech to text.
    Asr,
    /// Text to intent.
    Intent,
    /// Doing it.
    Handle,
    /// Text to speech.
    Tts,
}

impl RunPipeline {
    /// Whether its stages are in order.
    #[must_use]
    pub fn is_in_order(&self) -> bool {
        self.start_stage <= self.end_stage
    }
}
