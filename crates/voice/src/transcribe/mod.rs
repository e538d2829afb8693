//! Speech to text: Moonshine tiny on 16 kHz audio.
//!
//! ```text
//! samples ─► encoder ─► state ─► decoder, token by token, with a cache ─► text
//!                                   └─► many hypotheses side by side (beam, grammar mass)
//! ```
//! The segment is never trimmed: half a second of room before and after the words makes the model hear better, and a
//! late start turns "don't call" into "call".
pub mod moonshine;
pub mod prefixes;
pub mod search;
pub mod tokenizer;
pub use moonshine::{Cache, Encoded, Logits, Moonshine, Step};
pub use prefixes::Prefixes;
pub use tokenizer::{TokenId, Vocabulary, VocabularyError};

/// What was said, as the model believes.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// The best text, as the model writes it: case, punctuation and digits are its own.
    pub text: String,
    /// The tokens of that text, without start and end.
    pub tokens: Vec<TokenId>,
    /// Natural logarithm of the probability of those tokens and the end after them.
    pub log_prob: f32,
    /// Other texts, best first; empty after greedy decoding.
    pub alternatives: Vec<Alternative>,
}

/// Another text for the same audio.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// The text.
    pub text: String,
    /// Natural logarithm of its probability.
    pub log_prob: f32,
}

/// Why there is no transcript.
#[derive(Debug, thiserror::Error)]
pub enum TranscribeError {
    /// More audio than the model is good for.
    #[error(
        "{samples} samples are too many to transcribe at once, the most is {samples_max}; cut the segment"
    )]
    TooLong {
        /// Length given.
        samples: usize,
        /// Length allowed.
        samples_max: usize,
    },
    /// The vocabulary does not belong to the decoder.
    #[error(
        "the decoder knows {decoder} tokens and the vocabulary {vocabulary}; run `hearth models verify`"
    )]
    Mismatch {
        /// Width of the decoder's output.
        decoder: usize,
        /// Size of the vocabulary.
        vocabulary: usize,
    },
    /// The vocabulary file is damaged.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    /// Below: the runtime.
    #[error(transparent)]
    Engine(#[from] crate::engine::EngineError),
}
