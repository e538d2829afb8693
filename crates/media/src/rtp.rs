//! RTP packets (RFC 3550 §5.1, §5.3.1): read with every length checked, written canonically.

use thiserror::Error;

/// Octets of the fixed header.
pub const HEADER_BYTES: usize = 12;
/// Contributing sources that the 4-bit count can name.
pub const CSRC_COUNT_MAX: usize = 15;

/// What a received packet may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpLimits {
    /// Whole packet, in octets.
    pub packet_bytes_max: usize,
    /// Header extension without its own 4-octet header, in octets.
    pub extension_bytes_max: usize,
    /// Payload after padding is taken off, in octets (1280 is 160 ms of any codec here).
    pub payload_bytes_max: usize,
}

impl Default for RtpLimits {
    fn default() -> Self {
        Self {
            packet_bytes_max: 1500,
            extension_bytes_max: 512,
            payload_bytes_max: 1280,
        }
    }
}

/// Why a datagram is no RTP packet that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RtpError {
    /// Over a limit.
    #[error(
        "RTP {what} of {bytes} octets is over the limit of {bytes_max}; raise the limit if the peer is right"
    )]
    TooLarge {
        /// Which part.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The datagram ends inside a part.
    #[error("RTP packet of {bytes} octets ends inside its {what}; the sender truncated it")]
    Truncated {
        /// Which part.
        what: &'static str,
        /// Octets that came.
        bytes: usize,
    },
    /// Not version 2.
    #[error(
        "RTP version {0} instead of 2 (RFC 3550 §5.1); not RTP at all, or STUN or ZRTP on the media port"
    )]
    Version(u8),
    /// Padding count zero or longer than what is there.
    #[error("RTP padding count {padding} does not fit {bytes} octets of payload (RFC 3550 §5.1)")]
    Padding {
        /// The last octet.
        padding: u8,
        /// Octets behind the header.
        bytes: usize,
    },
    /// A value to be written has no place in the header.
    #[error("RTP {what} {value} cannot be written (largest is {value_max})")]
    Unwritable {
        /// Which field.
        what: &'static str,
        /// Its value.
        value: usize,
        /// The largest that fits.
        value_max: usize,
    },
}

/// Header extension (RFC 3550 §5.3.1): ignored by us, kept for whoever reads a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// "Defined by profile".
    pub profile: u16,
    /// Whole 32-bit words.
    pub data: &'a [u8],
}

/// One RTP packet, borrowing from its datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpPacket<'a> {
    /// First packet after a pause, or of an event.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// One more than the packet before, modulo 2^16.
    pub sequence: u16,
    /// Sampling instant of the first octet, in ticks of the codec's clock.
    pub timestamp: u32,
    /// Synchronization source.
    pub ssrc: u32,
    /// Contributing sources, 15 at most.
    pub csrc: Vec<u32>,
    /// Header extension, if any.
    pub extension: Option<Extension<'a>>,
    /// Payload without padding.
    pub payload: &'a [u8],
    /// Octets of padding that follow the payload, 0 for none; the last of them counts them all.
    pub padding: u8,
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

impl<'a> RtpPacket<'a> {
    /// Reads one datagram.
    ///
    /// # Errors
    /// [`RtpError`] with the part that is wrong; nothing is read past a wrong length.
    pub fn parse(datagram: &'a [u8], limits: &RtpLimits) -> Result<Self, RtpError> {
        let bytes = datagram.len();
        if bytes > limits.packet_bytes_max {
            return Err(too_large("packet", bytes, limits.packet_bytes_max));
        }
        let truncated = |what| RtpError::Truncated { what, bytes };
        let fixed = datagram
            .get(..HEADER_BYTES)
            .ok_or(truncated("fixed header"))?;
        if fixed[0] >> 6 != 2 {
            return Err(RtpError::Version(fixed[0] >> 6));
        }
        let csrc_count = usize::from(fixed[0] & 0x0f);
        let mut at = HEADER_BYTES;
        let mut csrc = Vec::with_capacity(csrc_count);
        for _ in 0..csrc_count {
            csrc.push(word(datagram, at).ok_or(truncated("CSRC list"))?);
            at += 4;
        }
        let mut extension = None;
        if fixed[0] & 0x10 != 0 {
            let head = word(datagram, at).ok_or(truncated("extension header"))?;
            at += 4;
            let length = (head & 0xffff) as usize * 4;
            if length > limits.extension_bytes_max {
                return Err(too_large("extension", length, limits.extension_bytes_max));
            }
            let data = datagram
                .get(at..at + length)
                .ok_or(truncated("extension"))?;
            at += length;
            extension = Some(Extension {
                profile: (head >> 16) as u16,
                data,
            });
        }
        let mut payload = &datagram[at..];
        let mut padding = 0;
        if fixed[0] & 0x20 != 0 {
            padding = payload.last().copied().unwrap_or(0);
            if padding == 0 || usize::from(padding) > payload.len() {
                return Err(RtpError::Padding {
                    padding,
                    bytes: payload.len(),
                });
            }
            payload = &payload[..payload.len() - usize::from(padding)];
        }
        if payload.len() > limits.payload_bytes_max {
            return Err(too_large(
                "payload",
                payload.len(),
                limits.payload_bytes_max,
            ));
        }
        Ok(Self {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7f,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            csrc,
            extension,
            payload,
            padding,
        })
    }

    /// Writes the packet as one datagram.
    ///
    /// # Errors
    /// [`RtpError::Unwritable`] when a field does not fit its place.
    pub fn write(&self) -> Result<Vec<u8>, RtpError> {
        let check = |what, value: usize, value_max| {
            if value > value_max {
                Err(RtpError::Unwritable {
                    what,
                    value,
                    value_max,
                })
            } else {
                Ok(())
            }
        };
        check("payload type", usize::from(self.payload_type), 127)?;
        check("CSRC count", self.csrc.len(), CSRC_COUNT_MAX)?;
        let mut out = Vec::with_capacity(HEADER_BYTES + self.payload.len());
        out.push(
            0x80 | (u8::from(self.padding > 0) << 5)
                | (u8::from(self.extension.is_some()) << 4)
                | self.csrc.len() as u8,
        );
        out.push((u8::from(self.marker) << 7) | self.payload_type);
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.timestamp.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        for source in &self.csrc {
            out.extend(source.to_be_bytes());
        }
        if let Some(extension) = &self.extension {
            check("extension", extension.data.len(), 4 * 0xffff)?;
            check("extension remainder of 4", extension.data.len() % 4, 0)?;
            out.extend(extension.profile.to_be_bytes());
            out.extend(((extension.data.len() / 4) as u16).to_be_bytes());
            out.extend(extension.data);
        }
        out.extend(self.payload);
        if self.padding > 0 {
            out.resize(out.len() + usize::from(self.padding) - 1, 0);
            out.push(self.padding);
        }
        Ok(out)
    }
}

/// Whether a datagram on a port shared by RTP and RTCP is RTCP (RFC 5761 §4: packet types 192 to 223).
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, 192..=223, ..] if first >> 6 == 2)
}

fn too_large(what: &'static str, bytes: usize, bytes_max: usize) -> RtpError {
    RtpError::TooLarge {
        what,
        bytes,
        bytes_max,
    }
}
