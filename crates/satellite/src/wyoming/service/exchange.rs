//! What goes between a session, its client and the engines.
use core::time::Duration;
use std::sync::Arc;

use hearthline_voice::wake::WakeConfig;
use serde_json::Value;

use crate::wyoming::info::Info;
use crate::wyoming::{Event, Limits};

/// How much one client may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceLimits {
    /// Of its bytes.
    pub frame: Limits,
    /// Longest utterance to write down, in seconds.
    pub utterance_s_max: u32,
    /// Longest text to speak or to read, in characters.
    pub text_chars_max: usize,
    /// How long an event may take from its first byte to its last.
    pub stalled_max: Duration,
    /// How long nothing may come while nothing is being done.
    pub idle_max: Duration,
}

impl Default for ServiceLimits {
    /// A minute of speech, 10,000 characters, 10 s for an event, 10 minutes of silence.
    fn default() -> Self {
        Self {
            frame: Limits::default(),
            utterance_s_max: 60,
            text_chars_max: 10_000,
            stalled_max: Duration::from_secs(10),
            idle_max: Duration::from_secs(600),
        }
    }
}

/// What a server offers, shared by all its clients.
#[derive(Clone, Debug)]
pub struct Offer {
    /// As it is described.
    pub info: Info,
    /// The wake word's model and settings.
    pub wake: Option<(Arc<[u8]>, WakeConfig)>,
    /// Rate of the voice, in hertz; none without a voice.
    pub speech_rate_hz: Option<u32>,
    /// How much each may ask for.
    pub limits: ServiceLimits,
}

/// What the engines are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// What is said in this sound, 16 kHz?
    Transcribe(Vec<i16>),
    /// Speak this.
    Speak(String),
    /// What does this mean?
    Understand(String),
}

/// What the engines answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// The words.
    Transcript(String),
    /// Samples at the rate of the voice.
    Speech(Vec<i16>),
    /// The meaning.
    Meaning(Meaning),
}

/// What a text means to us.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// Something to be done.
    Intent {
        /// Its name.
        name: String,
        /// Its slots.
        slots: Vec<(String, Value)>,
        /// What is said when it is done, where that needs no state of the home.
        response: Option<String>,
        /// The response is the whole answer: a question that we can answer by ourselves.
        answers: bool,
    },
    /// It speaks of an emergency in some way.
    Emergency,
    /// No sentence reads it, or several do.
    Nothing,
}

/// What a session wants.
#[derive(Debug, PartialEq)]
#[must_use = "a dropped output is a lost event"]
pub enum Output {
    /// Send this to the client.
    Send(Event),
    /// Do this, then report `Session::handle_done`.
    Job(Job),
    /// The connection is over.
    Close,
    /// Nothing more now; call `Session::handle_timeout` then.
    Timeout(Duration),
}
