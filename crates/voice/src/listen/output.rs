//! What the listener says: wake words, voices, understood sentences, failures.
use super::HearError;
use crate::clock::SampleIndex;
use crate::endpoint;
use crate::understand::judge::Understanding;
use crate::wake::Wake;

/// Why an utterance ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The sentence was complete and a short pause followed.
    Complete,
    /// A long pause.
    Silence,
    /// The longest utterance.
    TooLong,
    /// The sound broke off: the capture lost samples or the file ended.
    Cut,
}

impl From<endpoint::EndReason> for EndReason {
    fn from(reason: endpoint::EndReason) -> Self {
        match reason {
            endpoint::EndReason::Complete => Self::Complete,
            endpoint::EndReason::Silence => Self::Silence,
            endpoint::EndReason::TooLong => Self::TooLong,
        }
    }
}

/// An utterance and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Text, verdict and evidence.
    pub understanding: Understanding,
    /// The wake word before it; none for a reply.
    pub wake: Option<Wake>,
    /// First sample of the segment that was judged.
    pub start: SampleIndex,
    /// Where the last speech ended.
    pub speech_end: SampleIndex,
    /// The newest sample when the verdict stood: `decided - speech_end` is the pause that it took.
    pub decided: SampleIndex,
    /// Why it ended there.
    pub reason: EndReason,
    /// The samples from `start` to `decided`, for the record of an incident; dropped otherwise.
    pub sound: Vec<i16>,
}

/// What comes out.
#[derive(Debug)]
pub enum Output {
    /// The wake word: heard for sure, or doubtful and confirmed by the recogniser
    /// ([`crate::wake::WakeConfig::is_sure`] tells which).
    Wake(Wake),
    /// The first speech behind the wake word or the question.
    VoiceStarted {
        /// Where it began.
        at: SampleIndex,
    },
    /// Speech paused or ended.
    VoiceStopped {
        /// Where it ended.
        at: SampleIndex,
    },
    /// An utterance that began with the wake word.
    Understood(Box<Heard>),
    /// An answer to the device's question.
    Reply(Box<Heard>),
    /// Nobody said anything behind the wake word or the question.
    NoSpeech {
        /// When waiting ended.
        at: SampleIndex,
    },
    /// Words were heard but could not be understood: the models are missing or broken.
    Failed(HearError),
}
