//! SRTP and SRTCP (RFC 3711, RFC 7714): packets go in and come out, authentic or not at all.
//!
//! ```text
//! Session ─► SrtpSender::protect_rtp ─► network ─► SrtpReceiver::unprotect_rtp ─► Session
//! ```
//! One master key for each direction; the keys come from DTLS ([`secure`](crate::secure)) or from
//! `a=crypto` lines. There is no master key index, no key derivation rate and no way to switch
//! encryption off.

mod cipher;
mod keys;
mod replay;

use core::fmt;

use thiserror::Error;

use crate::rtp::HEADER_BYTES;
use cipher::Cipher;
use keys::{MasterKey, Purpose};
use replay::ReplayWindow;

/// Sources of one direction; a call has one, and a few more after collisions.
pub const SRTP_SOURCES_MAX: usize = 16;
/// Octets that protection adds at most (SRTCP with GCM: tag and index).
pub const SRTP_OVERHEAD_BYTES_MAX: usize = 20;
/// Octets of a packet at most, before and after.
const PACKET_BYTES_MAX: usize = 2048;
/// SRTCP counts with 31 bits (RFC 3711 §3.4).
const RTCP_INDEX_MAX: u32 = 0x7fff_ffff;
/// "E": the packet is encrypted.
const ENCRYPTED: u32 = 0x8000_0000;
/// Header and SSRC of the first RTCP packet stay in the clear.
const RTCP_HEADER_BYTES: usize = 8;

/// Protection profiles (RFC 5764 §4.1.2, RFC 7714 §14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SrtpProfile {
    /// AES-128 in counter mode, HMAC-SHA1 of 80 bits: what everybody has.
    Aes128CmSha1_80,
    /// AES-128 in Galois/counter mode, tag of 128 bits.
    AeadAes128Gcm,
    /// AES-256 in Galois/counter mode, tag of 128 bits: what two of ours agree on.
    AeadAes256Gcm,
}

impl SrtpProfile {
    /// Octets of a master key.
    #[must_use]
    pub fn key_bytes(self) -> usize {
        match self {
            SrtpProfile::Aes128CmSha1_80 | SrtpProfile::AeadAes128Gcm => 16,
            SrtpProfile::AeadAes256Gcm => 32,
        }
    }

    /// Octets of a master salt.
    #[must_use]
    pub fn salt_bytes(self) -> usize {
        match self {
            SrtpProfile::Aes128CmSha1_80 => 14,
            SrtpProfile::AeadAes128Gcm | SrtpProfile::AeadAes256Gcm => 12,
        }
    }

    /// Octets of both, one after the other, as `a=crypto` has them.
    #[must_use]
    pub fn key_and_salt_bytes(self) -> usize {
        self.key_bytes() + self.salt_bytes()
    }

    fn tag_bytes(self) -> usize {
        match self {
            SrtpProfile::Aes128CmSha1_80 => 10,
            SrtpProfile::AeadAes128Gcm | SrtpProfile::AeadAes256Gcm => 16,
        }
    }
}

/// Why a packet is not protected, or not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SrtpError {
    /// Master key and salt do not have the profile's length.
    #[error("SRTP master key and salt have {bytes} octets instead of {wanted}")]
    KeyLength {
        /// What came.
        bytes: usize,
        /// What the profile needs.
        wanted: usize,
    },
    /// Not RTP or RTCP of version 2, cut short or longer than 2048 octets.
    #[error("no whole RTP or RTCP packet of up to 2048 octets")]
    Malformed,
    /// The tag is wrong: changed on the way, made with another key, or not SRTP.
    #[error("SRTP authentication failed: changed on the way or protected with another key")]
    Authentication,
    /// Seen before.
    #[error("SRTP packet came again")]
    Replayed,
    /// Too far behind the newest to tell whether it was seen.
    #[error("SRTP packet is behind the replay window")]
    TooOld,
    /// To be sent with a number that was used: the key stream would repeat.
    #[error("RTP sequence number was used before with this key")]
    SequenceReused,
    /// More sources than a call has.
    #[error("more than 16 SRTP sources in one direction")]
    TooManySources,
    /// 2^48 RTP or 2^31 RTCP packets: new keys are needed.
    #[error("SRTP key is used up; negotiate a new one")]
    KeyUsedUp,
}

/// What a receiver let through and refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SrtpCounters {
    /// Let through.
    pub accepted: u64,
    /// Wrong tag.
    pub unauthentic: u64,
    /// Came again, or too old to tell.
    pub replayed: u64,
    /// No packet at all, or one source too many.
    pub malformed: u64,
}

/// Two ciphers of one direction.
struct Keys {
    profile: SrtpProfile,
    rtp: Cipher,
    rtcp: Cipher,
}

impl Keys {
    fn new(profile: SrtpProfile, key_and_salt: &[u8]) -> Result<Self, SrtpError> {
        let master = MasterKey::new(profile, key_and_salt)?;
        Ok(Keys {
            profile,
            rtp: Cipher::new(&master, Purpose::Rtp),
            rtcp: Cipher::new(&master, Purpose::Rtcp),
        })
    }
}

/// Protects what we send. `Debug` shows no key.
pub struct SrtpSender {
    keys: Keys,
    sources: Vec<SentSource>,
}

struct SentSource {
    ssrc: u32,
    /// Index of the last RTP packet: roll-over counter and sequence number.
    rtp: Option<u64>,
    /// Index of the next SRTCP packet.
    rtcp: u32,
}

impl fmt::Debug for SrtpSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SrtpSender({:?})", self.keys.profile)
    }
}

impl SrtpSender {
    /// With master key and salt, one after the other.
    ///
    /// # Errors
    /// [`SrtpError::KeyLength`].
    pub fn new(profile: SrtpProfile, key_and_salt: &[u8]) -> Result<Self, SrtpError> {
        Ok(SrtpSender {
            keys: Keys::new(profile, key_and_salt)?,
            sources: Vec::new(),
        })
    }

    /// The packet as it may travel.
    ///
    /// # Errors
    /// [`SrtpError`]; in particular when a sequence number comes again, because then two packets
    /// would be readable from each other.
    pub fn protect_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
        let header = rtp_header_bytes(packet).ok_or(SrtpError::Malformed)?;
        let (sequence, ssrc) = (u16_at(packet, 2), u32_at(packet, 8));
        let source = self.source(ssrc)?;
        let index = match source.rtp {
            None => u64::from(sequence),
            Some(last) => {
                let index = estimate(last, sequence).ok_or(SrtpError::SequenceReused)?;
                if index <= last {
                    return Err(SrtpError::SequenceReused);
                }
                index
            }
        };
        if index >> 48 != 0 {
            return Err(SrtpError::KeyUsedUp);
        }
        source.rtp = Some(index);
        let mut out = Vec::with_capacity(packet.len() + SRTP_OVERHEAD_BYTES_MAX);
        out.extend_from_slice(packet);
        self.keys.rtp.seal_rtp(&mut out, header, ssrc, index);
        Ok(out)
    }

    /// The compound packet as it may travel.
    ///
    /// # Errors
    /// [`SrtpError`].
    pub fn protect_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
        if packet.len() < RTCP_HEADER_BYTES
            || packet.len() > PACKET_BYTES_MAX
            || packet[0] >> 6 != 2
        {
            return Err(SrtpError::Malformed);
        }
        let ssrc = u32_at(packet, 4);
        let source = self.source(ssrc)?;
        let index = source.rtcp;
        if index > RTCP_INDEX_MAX {
            return Err(SrtpError::KeyUsedUp);
        }
        source.rtcp += 1;
        let mut out = Vec::with_capacity(packet.len() + SRTP_OVERHEAD_BYTES_MAX);
        out.extend_from_slice(packet);
        self.keys.rtcp.seal_rtcp(&mut out, ssrc, index | ENCRYPTED);
        Ok(out)
    }

    fn source(&mut self, ssrc: u32) -> Result<&mut SentSource, SrtpError> {
        let known = self.sources.iter().position(|source| source.ssrc == ssrc);
        let at = match known {
            Some(at) => at,
            None if self.sources.len() >= SRTP_SOURCES_MAX => {
                return Err(SrtpError::TooManySources);
            }
            None => {
                self.sources.push(SentSource {
                    ssrc,
                    rtp: None,
                    rtcp: 0,
                });
                self.sources.len() - 1
            }
        };
        Ok(&mut self.sources[at])
    }
}

/// Lets through what the peer protected, once. `Debug` shows no key.
pub struct SrtpReceiver {
    keys: Keys,
    sources: Vec<ReceivedSource>,
    counters: SrtpCounters,
}

struct ReceivedSource {
    ssrc: u32,
    rtp: ReplayWindow,
    rtcp: ReplayWindow,
}

impl fmt::Debug for SrtpReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (profile, counters) = (self.keys.profile, self.counters);
        write!(f, "SrtpReceiver({profile:?}, {counters:?})")
    }
}

impl SrtpReceiver {
    /// With the peer's master key and salt, one after the other.
    ///
    /// # Errors
    /// [`SrtpError::KeyLength`].
    pub fn new(profile: SrtpProfile, key_and_salt: &[u8]) -> Result<Self, SrtpError> {
        Ok(SrtpReceiver {
            keys: Keys::new(profile, key_and_salt)?,
            sources: Vec::new(),
            counters: SrtpCounters::default(),
        })
    }

    /// What was let through and refused so far.
    #[must_use]
    pub fn counters(&self) -> SrtpCounters {
        self.counters
    }

    /// The RTP packet that the peer sent.
    ///
    /// # Errors
    /// [`SrtpError`]; the packet is counted and nothing of it is known to be true.
    pub fn unprotect_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
        let result = self.open_rtp(packet);
        self.count(result)
    }

    /// The compound RTCP packet that the peer sent.
    ///
    /// # Errors
    /// [`SrtpError`]; the packet is counted and nothing of it is known to be true.
    pub fn unprotect_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
        let result = self.open_rtcp(packet);
        self.count(result)
    }

    fn open_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
        let tag = self.keys.profile.tag_bytes();
        let header = rtp_header_bytes(packet).ok_or(SrtpError::Malformed)?;
        if packet.len() < header + tag {
            return Err(SrtpError::Malformed);
        }
        let (sequence, ssrc) = (u16_at(packet, 2), u32_at(packet, 8));
        let known = self.position(ssrc)?;
        let newest = known.and_then(|at| self.sources[at].rtp.newest());
        let index = match newest {
            None => u64::from(sequence),
            Some(newest) => estimate(newest, sequence).ok_or(SrtpError::TooOld)?,
        };
        if let Some(at) = known {
            self.sources[at].rtp.check(index)?;
        }
        let mut out = packet.to_vec();
        self.keys.rtp.open_rtp(&mut out, header, ssrc, index)?;
        self.known(known, ssrc).rtp.insert(index);
        Ok(out)
    }

    fn open_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
        let least = RTCP_HEADER_BYTES + 4 + self.keys.profile.tag_bytes();
        if packet.len() < least || packet.len() > PACKET_BYTES_MAX || packet[0] >> 6 != 2 {
            return Err(SrtpError::Malformed);
        }
        let ssrc = u32_at(packet, 4);
        let known = self.position(ssrc)?;
        let word = self.keys.rtcp.rtcp_index(packet);
        let index = u64::from(word & RTCP_INDEX_MAX);
        if let Some(at) = known {
            self.sources[at].rtcp.check(index)?;
        }
        let mut out = packet.to_vec();
        self.keys.rtcp.open_rtcp(&mut out, ssrc, word)?;
        // We never send RTCP in the clear and take none, though its tag is right.
        if word & ENCRYPTED == 0 {
            return Err(SrtpError::Malformed);
        }
        self.known(known, ssrc).rtcp.insert(index);
        Ok(out)
    }

    /// The source, if it was heard before. A new one is kept only after its first authentic packet.
    fn position(&self, ssrc: u32) -> Result<Option<usize>, SrtpError> {
        let known = self.sources.iter().position(|source| source.ssrc == ssrc);
        if known.is_none() && self.sources.len() >= SRTP_SOURCES_MAX {
            return Err(SrtpError::TooManySources);
        }
        Ok(known)
    }

    fn known(&mut self, at: Option<usize>, ssrc: u32) -> &mut ReceivedSource {
        let at = at.unwrap_or_else(|| {
            self.sources.push(ReceivedSource {
                ssrc,
                rtp: ReplayWindow::default(),
                rtcp: ReplayWindow::default(),
            });
            self.sources.len() - 1
        });
        &mut self.sources[at]
    }

    fn count(&mut self, result: Result<Vec<u8>, SrtpError>) -> Result<Vec<u8>, SrtpError> {
        let counters = &mut self.counters;
        match &result {
            Ok(_) => counters.accepted += 1,
            Err(SrtpError::Authentication) => counters.unauthentic += 1,
            Err(SrtpError::Replayed | SrtpError::TooOld) => counters.replayed += 1,
            Err(_) => counters.malformed += 1,
        }
        result
    }
}

/// The index that a sequence number most likely means after `newest` (RFC 3711 §3.3.1, appendix A).
/// None when that would be before the first roll-over.
fn estimate(newest: u64, sequence: u16) -> Option<u64> {
    let (roc, last) = (newest >> 16, newest as u16);
    let guess = if last < 0x8000 {
        if u32::from(sequence) > u32::from(last) + 0x8000 {
            roc.checked_sub(1)?
        } else {
            roc
        }
    } else if u32::from(last) - 0x8000 > u32::from(sequence) {
        roc + 1
    } else {
        roc
    };
    Some((guess << 16) | u64::from(sequence))
}

/// Octets of the header with CSRC list and extension, which are authenticated and not encrypted.
fn rtp_header_bytes(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    if first >> 6 != 2 || packet.len() < HEADER_BYTES || packet.len() > PACKET_BYTES_MAX {
        return None;
    }
    let mut bytes = HEADER_BYTES + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = packet.get(bytes + 2..bytes + 4)?;
        bytes += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    (bytes <= packet.len()).then_some(bytes)
}

/// Callers have checked the length.
fn u16_at(packet: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([packet[at], packet[at + 1]])
}

fn u32_at(packet: &[u8], at: usize) -> u32 {
    u32::from(u16_at(packet, at)) << 16 | u32::from(u16_at(packet, at + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_follows_the_roll_over() {
        assert_eq!(estimate(5, 6), Some(6));
        assert_eq!(estimate(0xfffe, 1), Some(0x1_0001));
        assert_eq!(estimate(0x1_0001, 0xffff), Some(0xffff));
        assert_eq!(estimate(1, 0xffff), None);
        assert_eq!(estimate(0x7fff, 0xffff), Some(0xffff));
        assert_eq!(estimate(0x3_8000, 0x7fff), Some(0x3_7fff));
        assert_eq!(estimate(0x3_9000, 0x0fff), Some(0x4_0fff));
    }
}
