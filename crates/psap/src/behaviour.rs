//! How the call-taker behaves: well, or in one of the ways in which real ones fail.

use core::time::Duration;

use serde::Deserialize;

/// What is done with a call. The default rings at once and answers after 100 ms.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Whether 180 is sent, and how.
    pub ring: Ring,
    /// What the call comes to.
    pub answer: Answer,
    /// After this long, in milliseconds.
    pub answer_after_ms: u64,
    /// A refusal says Retry-After, so many seconds (RFC 3261 §20.33).
    pub retry_after_s: Option<u32>,
    /// Hang up so long after the answer, in milliseconds.
    pub hang_up_after_ms: Option<u64>,
    /// What the answer's session description is like.
    pub session: SessionDefect,
    /// What the caller hears.
    pub voice: Voice,
    /// What becomes of the caller's re-INVITE or UPDATE.
    pub reinvite: Reinvite,
    /// Send a re-INVITE of our own so long after the answer, in milliseconds.
    pub reinvite_after_ms: Option<u64>,
    /// Never send an ACK (to be seen, needs a re-INVITE of ours).
    pub withhold_ack: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            ring: Ring::default(),
            answer: Answer::default(),
            answer_after_ms: 100,
            retry_after_s: None,
            hang_up_after_ms: None,
            session: SessionDefect::default(),
            voice: Voice::default(),
            reinvite: Reinvite::default(),
            reinvite_after_ms: None,
            withhold_ack: false,
        }
    }
}

impl Behaviour {
    /// Well-behaved, answering after so long.
    #[must_use]
    pub fn answering_after(delay: Duration) -> Self {
        Self {
            answer_after_ms: delay.as_millis() as u64,
            ..Self::default()
        }
    }

    /// Well-behaved up to this outcome.
    #[must_use]
    pub fn with_answer(answer: Answer) -> Self {
        Self {
            answer,
            ..Self::default()
        }
    }
}

/// Whether 180 (Ringing) is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ring {
    /// Not at all.
    Never,
    /// Once, unreliably.
    #[default]
    Plain,
    /// Reliably where the caller supports it (RFC 3262).
    Reliable,
}

/// What a call comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// 200.
    #[default]
    Accept,
    /// 100 and never more.
    TryingForever,
    /// 180 and never more.
    RingForever,
    /// Not a single byte comes back.
    Dead,
    /// A refusal: 486, 503 and the like.
    Reject(u16),
    /// 302 to this URI.
    Redirect(String),
    /// 302 to where the call went already.
    RedirectLoop,
}

/// What the answer's session description is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionDefect {
    /// Right.
    #[default]
    None,
    /// No body at all.
    Missing,
    /// Text that is no SDP.
    Garbage,
    /// A codec that was not offered.
    NoCommonCodec,
    /// Port 0: the stream refused.
    RefusedStream,
    /// One media section more than was offered.
    ExtraSection,
}

/// What the caller hears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// The configured voice.
    #[default]
    Speaks,
    /// Packets of silence.
    Silent,
    /// No packets at all.
    Mute,
}

/// What becomes of the caller's re-INVITE or UPDATE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reinvite {
    /// 200 with an answer.
    #[default]
    Answer,
    /// Nothing.
    Never,
    /// 488.
    Refuse,
}
