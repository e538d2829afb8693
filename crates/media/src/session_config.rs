//! What a session is told at its start.

use core::time::Duration;

use thiserror::Error;

use crate::codec::Codec;
use crate::jitter_buffer::JitterLimits;
use crate::rtcp::RtcpLimits;
use crate::rtp::RtpLimits;

/// Bounds of everything that a peer or a microphone can make grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Received RTP.
    pub rtp: RtpLimits,
    /// Received RTCP.
    pub rtcp: RtcpLimits,
    /// Delay and packets of the jitter buffer.
    pub jitter: JitterLimits,
    /// Microphone audio that may wait; the oldest is dropped beyond.
    pub microphone_queue_max: Duration,
    /// A microphone that is silent for longer has stalled; silence is sent in its place.
    pub microphone_stall: Duration,
    /// Without a packet for longer, the media is lost.
    pub media_loss: Duration,
    /// Digits that may wait.
    pub digits_queued_max: usize,
    /// Outputs that may wait to be drained; the oldest is dropped beyond.
    pub outputs_queued_max: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            rtp: RtpLimits::default(),
            rtcp: RtcpLimits::default(),
            jitter: JitterLimits::default(),
            microphone_queue_max: Duration::from_millis(500),
            microphone_stall: Duration::from_millis(60),
            media_loss: Duration::from_secs(1),
            digits_queued_max: 32,
            outputs_queued_max: 1024,
        }
    }
}

/// Configuration of a session, as negotiated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// What we send.
    pub codec: Codec,
    /// Its payload type.
    pub payload_type: u8,
    /// Other payload types of our own SDP that the peer may use at any time (RFC 3264 §6.1).
    pub also_receive: Vec<(u8, Codec)>,
    /// Payload type of telephone-event, if negotiated.
    pub telephone_event_payload_type: Option<u8>,
    /// How long a sent digit lasts.
    pub digit_duration: Duration,
    /// SSRC, first sequence number and first timestamp come from here; from the system's randomness.
    pub seed: u64,
    /// Canonical name for RTCP; random, so that it tells nothing of the household (RFC 7022).
    pub cname: String,
    /// Unix time at `now == 0`, for the NTP field of sender reports; zero when unknown.
    pub unix_time_at_zero: Duration,
    /// Bounds.
    pub limits: SessionLimits,
}

impl SessionConfig {
    /// One codec with its static payload type, telephone-event on 101.
    #[must_use]
    pub fn new(codec: Codec, seed: u64) -> Self {
        Self {
            codec,
            payload_type: codec.static_payload_type(),
            also_receive: Vec::new(),
            telephone_event_payload_type: Some(101),
            digit_duration: Duration::from_millis(100),
            seed,
            cname: format!("{:016x}", crate::random::Random::new(!seed).next_u64()),
            unix_time_at_zero: Duration::ZERO,
            limits: SessionLimits::default(),
        }
    }

    /// The codec of a received payload type.
    #[must_use]
    pub fn codec_of(&self, payload_type: u8) -> Option<Codec> {
        if payload_type == self.payload_type {
            return Some(self.codec);
        }
        self.also_receive
            .iter()
            .find(|(known, _)| *known == payload_type)
            .map(|(_, codec)| *codec)
    }

    /// Refuses what cannot work.
    ///
    /// # Errors
    /// [`SessionConfigError`].
    pub fn check(&self) -> Result<(), SessionConfigError> {
        let mut seen = Vec::new();
        let types = core::iter::once(self.payload_type)
            .chain(
                self.also_receive
                    .iter()
                    .map(|(payload_type, _)| *payload_type),
            )
            .chain(self.telephone_event_payload_type);
        for payload_type in types {
            if payload_type > 127 || (64..=95).contains(&payload_type) {
                return Err(SessionConfigError::PayloadType(payload_type));
            }
            if seen.contains(&payload_type) {
                return Err(SessionConfigError::PayloadTypeTwice(payload_type));
            }
            seen.push(payload_type);
        }
        if self.cname.is_empty() || self.cname.len() > 255 {
            return Err(SessionConfigError::Cname(self.cname.len()));
        }
        Ok(())
    }
}

/// Why a configuration cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SessionConfigError {
    /// Out of range, or in the range that RTCP would be mistaken for.
    #[error("payload type {0} is not 0-63 or 96-127 (RFC 5761 §4); take it from the SDP answer")]
    PayloadType(u8),
    /// Two meanings for one number.
    #[error("payload type {0} is given two meanings; the SDP answer must map each number once")]
    PayloadTypeTwice(u8),
    /// Empty or too long for SDES.
    #[error("CNAME of {0} octets; RTCP takes 1 to 255")]
    Cname(usize),
}
