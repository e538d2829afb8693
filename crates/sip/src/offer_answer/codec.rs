//! The codecs that we negotiate.

use crate::sdp::{Media, RtpMap};

/// Audio codecs of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s: 16 kHz audio.
    G722,
}

impl Codec {
    /// Static payload type (RFC 3551 section 6).
    #[must_use]
    pub fn payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
            Codec::G722 => 9,
        }
    }

    /// RTP clock in Hz. For G.722 it is 8000 though the audio has 16000 samples a second: an
    /// error of RFC 1890 that RFC 3551 section 4.5.2 keeps.
    #[must_use]
    pub fn clock_rate_hz(self) -> u32 {
        8000
    }

    /// Samples of audio a second.
    #[must_use]
    pub fn sample_rate_hz(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma => 8000,
            Codec::G722 => 16000,
        }
    }

    pub(super) fn rtpmap(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU/8000",
            Codec::Pcma => "PCMA/8000",
            Codec::G722 => "G722/8000",
        }
    }

    pub(super) fn telephone_event_rtpmap(self) -> &'static str {
        "telephone-event/8000"
    }

    /// The codec that a payload type of a section means, if it is one of ours.
    pub(super) fn of(media: &Media, payload_type: u8) -> Option<Codec> {
        let map = media.rtpmap(payload_type)?;
        if map.clock_rate_hz != 8000 || map.channels != 1 {
            return None;
        }
        [
            (Codec::Pcmu, "PCMU"),
            (Codec::Pcma, "PCMA"),
            (Codec::G722, "G722"),
        ]
        .into_iter()
        .find(|(_, name)| map.encoding.eq_ignore_ascii_case(name))
        .map(|(codec, _)| codec)
    }
}

impl RtpMap {
    /// Whether both mean the same encoding.
    pub(super) fn is_same(&self, other: &RtpMap) -> bool {
        self.encoding.eq_ignore_ascii_case(&other.encoding)
            && self.clock_rate_hz == other.clock_rate_hz
            && self.channels == other.channels
    }
}
