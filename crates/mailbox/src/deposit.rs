//! What a caller left.

use core::fmt;
use core::time::Duration;

use hearthline_media::{G722Encoder, SAMPLE_RATE_HZ};

/// What ended a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The caller hung up.
    HungUp,
    /// The caller said nothing more.
    Silent,
    /// It became too long.
    Full,
}

/// What a caller left. Never shown in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Deposit {
    /// Whose: the user of the address from which the call was sent on (`Diversion`, else `History-Info`).
    pub whose: String,
    /// The caller's name as the hub knows it; none for a number that is no contact's.
    pub caller_name: Option<String>,
    /// The caller's number, when it was shown.
    pub caller_number: Option<String>,
    /// Call-ID of the call: the same deposit is never stored twice.
    pub call_id: String,
    /// What was said after the tone: 16 kHz, mono.
    pub samples: Vec<i16>,
    /// What ended it.
    pub left: Left,
}

impl Deposit {
    /// How long it is.
    #[must_use]
    pub fn duration(&self) -> Duration {
        let samples = u64::try_from(self.samples.len()).unwrap_or(u64::MAX);
        Duration::from_millis(samples.saturating_mul(1_000) / u64::from(SAMPLE_RATE_HZ))
    }

    /// The sound as G.722, 64 kbit/s.
    #[must_use]
    pub fn to_g722(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.samples.len() / 2);
        // One octet holds two samples; an odd one at the end is an eighth of a millisecond.
        G722Encoder::new().encode(&self.samples, &mut bytes);
        bytes
    }
}

impl fmt::Debug for Deposit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deposit({:?}, {:?})", self.duration(), self.left)
    }
}
