//! What protects a stream, as the protocol field of m= says it.

use std::fmt;

/// An RTP profile over UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// `RTP/AVP` (RFC 3551): in the clear.
    RtpAvp,
    /// `RTP/AVPF` (RFC 4585): in the clear.
    RtpAvpf,
    /// `RTP/SAVP` (RFC 3711), keys by `a=crypto`.
    RtpSavp,
    /// `RTP/SAVPF` (RFC 5124), keys by `a=crypto`.
    RtpSavpf,
    /// `UDP/TLS/RTP/SAVP` (RFC 5764), keys by DTLS.
    UdpTlsRtpSavp,
    /// `UDP/TLS/RTP/SAVPF` (RFC 5764), keys by DTLS.
    UdpTlsRtpSavpf,
}

/// How well a stream is protected; a later one is stronger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// In the clear.
    Plain,
    /// SRTP whose keys stand in the description (RFC 4568): everybody who sees the signalling has them.
    Sdes,
    /// SRTP whose keys only the two ends have (RFC 5763).
    Dtls,
}

const PROFILES: [(Profile, &str); 6] = [
    (Profile::RtpAvp, "RTP/AVP"),
    (Profile::RtpAvpf, "RTP/AVPF"),
    (Profile::RtpSavp, "RTP/SAVP"),
    (Profile::RtpSavpf, "RTP/SAVPF"),
    (Profile::UdpTlsRtpSavp, "UDP/TLS/RTP/SAVP"),
    (Profile::UdpTlsRtpSavpf, "UDP/TLS/RTP/SAVPF"),
];

impl Profile {
    /// Reads the protocol field of m=; its letters are compared exactly, as all implementations write them.
    #[must_use]
    pub fn parse(protocol: &str) -> Option<Profile> {
        let found = PROFILES.iter().find(|(_, text)| *text == protocol);
        found.map(|(profile, _)| *profile)
    }

    /// The protocol field.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let found = PROFILES.iter().find(|(profile, _)| *profile == self);
        found.map_or("RTP/AVP", |(_, text)| text)
    }

    /// How the profile's streams are protected.
    #[must_use]
    pub fn protection(self) -> Protection {
        match self {
            Profile::RtpAvp | Profile::RtpAvpf => Protection::Plain,
            Profile::RtpSavp | Profile::RtpSavpf => Protection::Sdes,
            Profile::UdpTlsRtpSavp | Profile::UdpTlsRtpSavpf => Protection::Dtls,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
