//! The codecs a call may use, behind one shape: 16 kHz samples on one side, octets on the other.
//!
//! All three send one octet per tick of an 8 kHz RTP clock (RFC 3551 §4.5.2, §4.5.14), so that one
//! octet is always 125 µs and two samples at 16 kHz, whatever the codec.

use crate::g711::{decode_a_law, decode_mu_law, encode_a_law, encode_mu_law};
use crate::g722::{G722Decoder, G722Encoder};
use crate::resample::{Downsampler, Upsampler};

/// Samples a second on the side of microphone and loudspeaker.
pub const SAMPLE_RATE_HZ: u32 = 16_000;
/// Ticks a second of the RTP timestamp of every codec here.
pub const RTP_CLOCK_HZ: u32 = 8_000;
/// Samples at 16 kHz that one octet of payload carries.
pub const SAMPLES_PER_OCTET: usize = 2;

/// An audio codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s.
    G722,
}

impl Codec {
    /// The static payload type (RFC 3551 table 4).
    #[must_use]
    pub fn static_payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
        }
    }

    /// The encoding name for `a=rtpmap` (RFC 3551 table 4).
    #[must_use]
    pub fn encoding_name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
        }
    }

    /// The codec of an encoding name, in any case, if it is one of ours.
    #[must_use]
    pub fn from_encoding_name(name: &str) -> Option<Self> {
        [Self::Pcmu, Self::Pcma, Self::G722]
            .into_iter()
            .find(|codec| codec.encoding_name().eq_ignore_ascii_case(name))
    }

    /// The codec of a static payload type, if it is one of ours.
    #[must_use]
    pub fn from_static_payload_type(payload_type: u8) -> Option<Self> {
        [Self::Pcmu, Self::Pcma, Self::G722]
            .into_iter()
            .find(|codec| codec.static_payload_type() == payload_type)
    }
}

/// From 16 kHz samples to payload octets, with the state the codec needs.
#[derive(Clone, Debug)]
pub struct Encoder {
    codec: Codec,
    downsampler: Downsampler,
    g722: G722Encoder,
    narrow: Vec<i16>,
}

impl Encoder {
    /// An encoder at rest.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        Self {
            codec,
            downsampler: Downsampler::new(),
            g722: G722Encoder::new(),
            narrow: Vec::new(),
        }
    }

    /// Which codec this is.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Appends one octet for every two samples.
    pub fn encode(&mut self, samples: &[i16], octets: &mut Vec<u8>) {
        let law = match self.codec {
            Codec::G722 => return self.g722.encode(samples, octets),
            Codec::Pcmu => encode_mu_law,
            Codec::Pcma => encode_a_law,
        };
        self.narrow.clear();
        self.downsampler.process(samples, &mut self.narrow);
        octets.extend(self.narrow.iter().map(|&sample| law(sample)));
    }
}

/// From payload octets to 16 kHz samples. Any octet string is valid input.
#[derive(Clone, Debug)]
pub struct Decoder {
    codec: Codec,
    upsampler: Upsampler,
    g722: G722Decoder,
    narrow: Vec<i16>,
}

impl Decoder {
    /// A decoder at rest.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        Self {
            codec,
            upsampler: Upsampler::new(),
            g722: G722Decoder::new(),
            narrow: Vec::new(),
        }
    }

    /// Which codec this is.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Appends two samples for every octet.
    pub fn decode(&mut self, octets: &[u8], samples: &mut Vec<i16>) {
        let law = match self.codec {
            Codec::G722 => return self.g722.decode(octets, samples),
            Codec::Pcmu => decode_mu_law,
            Codec::Pcma => decode_a_law,
        };
        self.narrow.clear();
        self.narrow.extend(octets.iter().map(|&octet| law(octet)));
        self.upsampler.process(&self.narrow, samples);
    }
}
