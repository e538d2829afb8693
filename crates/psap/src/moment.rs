//! A moment of a call: what happened, and how long after the INVITE.

use serde::Serialize;

/// Most moments of one call; what comes later is not noted.
pub const MOMENTS_MAX: usize = 128;

/// One step of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// Milliseconds after the INVITE came.
    pub after_ms: u64,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The INVITE came.
    Arrived,
    /// 180 was sent.
    Ringing,
    /// 200 was sent.
    Answered,
    /// The ACK came.
    Confirmed,
    /// The caller's first packet.
    FirstAudio,
    /// No packet of the caller for a while.
    AudioLost,
    /// The caller is heard again.
    AudioResumed,
    /// Over.
    Ended,
}
