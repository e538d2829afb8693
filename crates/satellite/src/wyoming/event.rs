//! Every event of the protocol as a type.
use serde_json::Value;

use super::data::{
    Answer, At, AudioChunk, AudioStart, Context, Detect, Detection, Failure, Intent, Object, Ping,
    Recognize, RunPipeline, SelectProgram, Synthesize, SynthesizeStart, Text, TimerId,
    TimerStarted, TimerUpdated, Transcribe, Transcript, TranscriptStart, UserEvent,
};
use super::info::Info;

/// An event that we do not know: kept as it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Other {
    /// Its type.
    pub kind: String,
    /// Its data.
    pub data: Object,
    /// What came behind the data.
    pub payload: Vec<u8>,
}

macro_rules! events {
    (
        bare { $( $(#[$bare_about:meta])* $bare:ident = $bare_kind:literal, )* }
        with { $( $(#[$about:meta])* $name:ident($data:ty) = $kind:literal, )* }
    ) => {
        /// An event.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event {
            $( $(#[$bare_about])* $bare, )*
            $( $(#[$about])* $name($data), )*
            /// One that we do not know.
            Other(Other),
        }

        /// The types that we know.
        pub const KINDS: &[&str] = &[$( $bare_kind, )* $( $kind, )*];

        impl Event {
            /// Its type, as it is written.
            #[must_use]
            pub fn kind(&self) -> &str {
                match self {
                    $( Self::$bare => $bare_kind, )*
                    $( Self::$name(_) => $kind, )*
                    Self::Other(other) => &other.kind,
                }
            }

            /// Its data, as it is written; empty when there is none.
            pub(super) fn data(&self) -> Value {
                match self {
                    $( Self::$bare => Value::Null, )*
                    $( Self::$name(data) => serde_json::to_value(data).unwrap_or(Value::Null), )*
                    Self::Other(other) => Value::Object(other.data.clone()),
                }
            }

            /// An event from its parts.
            pub(super) fn of(
                kind: String,
                data: Object,
                payload: Vec<u8>,
            ) -> Result<Self, serde_json::Error> {
                let mut event = match kind.as_str() {
                    $( $bare_kind => Self::$bare, )*
                    $( $kind => Self::$name(serde_json::from_value(Value::Object(data))?), )*
                    _ => return Ok(Self::Other(Other { kind, data, payload })),
                };
                if let Self::AudioChunk(chunk) = &mut event {
                    chunk.audio = payload;
                }
                Ok(event)
            }
        }
    };
}

events! {
    bare {
        /// What do you offer?
        Describe = "describe",
        /// The words of a transcript are over.
        TranscriptStop = "transcript-stop",
        /// No more text to speak.
        SynthesizeStop = "synthesize-stop",
        /// The last sound for it was sent.
        SynthesizeStopped = "synthesize-stopped",
        /// The words of an answer are over.
        HandledStop = "handled-stop",
        /// The sound has been played.
        Played = "played",
        /// The server is ready for the satellite.
        RunSatellite = "run-satellite",
        /// The satellite is to rest.
        PauseSatellite = "pause-satellite",
        /// The satellite has its server.
        SatelliteConnected = "satellite-connected",
        /// The satellite has lost its server.
        SatelliteDisconnected = "satellite-disconnected",
        /// The satellite sends sound.
        StreamingStarted = "streaming-started",
        /// The satellite sends sound no longer.
        StreamingStopped = "streaming-stopped",
    }
    with {
        /// What a server offers.
        Info(Box<Info>) = "info",
        /// Sound begins.
        AudioStart(AudioStart) = "audio-start",
        /// A piece of sound.
        AudioChunk(AudioChunk) = "audio-chunk",
        /// Sound ends.
        AudioStop(At) = "audio-stop",
        /// Find wake words.
        Detect(Detect) = "detect",
        /// A wake word.
        Detection(Detection) = "detection",
        /// No wake word in all that sound.
        NotDetected(Context) = "not-detected",
        /// Speech begins.
        VoiceStarted(At) = "voice-started",
        /// Speech ends.
        VoiceStopped(At) = "voice-stopped",
        /// Write down what is said.
        Transcribe(Transcribe) = "transcribe",
        /// What was said.
        Transcript(Transcript) = "transcript",
        /// What was said begins.
        TranscriptStart(TranscriptStart) = "transcript-start",
        /// A part of what was said.
        TranscriptChunk(Text) = "transcript-chunk",
        /// Speak this.
        Synthesize(Synthesize) = "synthesize",
        /// Text to speak follows.
        SynthesizeStart(SynthesizeStart) = "synthesize-start",
        /// A part of the text to speak.
        SynthesizeChunk(Text) = "synthesize-chunk",
        /// What does this mean?
        Recognize(Recognize) = "recognize",
        /// This it means.
        Intent(Intent) = "intent",
        /// It means nothing here.
        NotRecognized(Answer) = "not-recognized",
        /// Several intents follow.
        IntentsStart(Context) = "intents-start",
        /// Those were the intents.
        IntentsStop(Context) = "intents-stop",
        /// Done, or answered.
        Handled(Answer) = "handled",
        /// Not done.
        NotHandled(Answer) = "not-handled",
        /// An answer follows in parts.
        HandledStart(Context) = "handled-start",
        /// A part of an answer.
        HandledChunk(Text) = "handled-chunk",
        /// Run a pipeline.
        RunPipeline(RunPipeline) = "run-pipeline",
        /// A timer runs.
        TimerStarted(TimerStarted) = "timer-started",
        /// A timer was changed.
        TimerUpdated(TimerUpdated) = "timer-updated",
        /// A timer was given up.
        TimerCancelled(TimerId) = "timer-cancelled",
        /// A timer is over.
        TimerFinished(TimerId) = "timer-finished",
        /// Something between two ends.
        UserEvent(UserEvent) = "user-event",
        /// Something went wrong.
        Error(Failure) = "error",
        /// Are you there?
        Ping(Ping) = "ping",
        /// I am.
        Pong(Ping) = "pong",
        /// Which program is meant.
        SelectProgram(SelectProgram) = "select-program",
    }
}

impl Event {
    /// An `error` event.
    #[must_use]
    pub fn error(code: &str, text: impl Into<String>) -> Self {
        Self::Error(Failure {
            text: text.into(),
            code: Some(code.to_owned()),
        })
    }

    /// What travels behind the data.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match self {
            Self::AudioChunk(chunk) => &chunk.audio,
            Self::Other(other) => &other.payload,
            _ => &[],
        }
    }
}
