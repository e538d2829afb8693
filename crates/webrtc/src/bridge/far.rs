//! The far side of a bridge: a telephone or a line, in the clear on two ports, or by SRTP with keys in the description
//! (RFC 4568) where it offers or takes that (RFC 8643: our offers are in the clear with keys beside).
use std::net::SocketAddr;

use hearthline_media::srtp::{SrtpProfile, SrtpReceiver, SrtpSender};
use hearthline_sip::Host;
use hearthline_sip::sdp::crypto::{CRYPTO_LINES_MAX, Crypto, CryptoSuite};
use hearthline_sip::sdp::profile::{Profile, Protection};
use hearthline_sip::sdp::{Media, SessionDescription};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::{BridgeError, RTP_HEADER_BYTES};

/// Bytes of the shortest RTCP packet.
const RTCP_HEADER_BYTES: usize = 8;
const SUITES: [CryptoSuite; 2] = [CryptoSuite::AeadAes128Gcm, CryptoSuite::AesCm128HmacSha1_80];

/// Where it is, and how its packets are protected.
#[derive(Debug)]
pub(super) struct Far {
    local: SocketAddr,
    /// Our keys, one for each suite; none where the system has no randomness: then all is in the clear.
    ours: Vec<Crypto>,
    remote: Option<(SocketAddr, SocketAddr)>,
    keys: Option<Keys>,
}

#[derive(Debug)]
struct Keys {
    /// Ours and theirs, to know them again in later descriptions.
    agreed: (Crypto, Crypto),
    sender: SrtpSender,
    receiver: SrtpReceiver,
}

impl Far {
    pub(super) fn new(local: SocketAddr) -> Self {
        let key = |(tag, suite): (u32, CryptoSuite)| {
            let mut bytes = vec![0; suite.key_and_salt_bytes()];
            SystemRandom::new().fill(&mut bytes).ok()?;
            Crypto::new(tag, suite, &bytes).ok()
        };
        Self {
            local,
            ours: (1..).zip(SUITES).filter_map(key).collect(),
            remote: None,
            keys: None,
        }
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(super) fn port(&self) -> u16 {
        self.local.port()
    }

    /// Our offer: in the clear, with keys beside for who takes them.
    pub(super) fn offered(&self, stream: &mut Media) {
        for line in &self.ours {
            stream.attributes.push("crypto", Some(&line.to_string()));
        }
    }

    /// Its answer to that.
    pub(super) fn answered(
        &mut self,
        theirs: &SessionDescription,
        section: &Media,
    ) -> Result<(), BridgeError> {
        let lines = lines_of(section)?;
        let pair = lines.into_iter().find_map(|theirs| {
            let same =
                |ours: &&Crypto| ours.tag() == theirs.tag() && ours.suite() == theirs.suite();
            Some((self.ours.iter().find(same)?.clone(), theirs))
        });
        if pair.is_none() && must_protect(section)? {
            return Err(BridgeError::OtherProtection);
        }
        self.remote = remote_of(theirs, section)?;
        self.agree(pair);
        Ok(())
    }

    /// Its offer is taken: our line in the answer, if it has one that we can do.
    pub(super) fn offer_taken(
        &mut self,
        theirs: &SessionDescription,
        section: &Media,
        answer: &mut Media,
    ) -> Result<(), BridgeError> {
        let pair = lines_of(section)?.into_iter().find_map(|theirs| {
            let ours = self
                .ours
                .iter()
                .find(|ours| ours.suite() == theirs.suite())?;
            // The answer repeats the tag of the line that it takes (RFC 4568 section 5.1.2).
            let ours = Crypto::new(theirs.tag(), ours.suite(), ours.key_and_salt()).ok()?;
            Some((ours, theirs))
        });
        if pair.is_none() && must_protect(section)? {
            return Err(BridgeError::OtherProtection);
        }
        if let Some((ours, _)) = &pair {
            answer.attributes.push("crypto", Some(&ours.to_string()));
        }
        self.remote = remote_of(theirs, section)?;
        self.agree(pair);
        Ok(())
    }

    /// Keys that were agreed before go on counting where they are.
    fn agree(&mut self, pair: Option<(Crypto, Crypto)>) {
        let before = self.keys.as_ref().map(|keys| &keys.agreed);
        if before == pair.as_ref() {
            return;
        }
        self.keys = pair.and_then(|(ours, theirs)| {
            let profile = match ours.suite() {
                CryptoSuite::AesCm128HmacSha1_80 => SrtpProfile::Aes128CmSha1_80,
                CryptoSuite::AeadAes128Gcm => SrtpProfile::AeadAes128Gcm,
            };
            Some(Keys {
                sender: SrtpSender::new(profile, ours.key_and_salt()).ok()?,
                receiver: SrtpReceiver::new(profile, theirs.key_and_salt()).ok()?,
                agreed: (ours, theirs),
            })
        });
    }

    /// An RTP packet of the browser's for the wire, and where it goes.
    pub(super) fn protected_rtp(&mut self, packet: Vec<u8>) -> Option<(SocketAddr, Vec<u8>)> {
        let (rtp, _) = self.remote?;
        let bytes = match &mut self.keys {
            Some(keys) => keys.sender.protect_rtp(&packet).ok()?,
            None => packet,
        };
        Some((rtp, bytes))
    }

    pub(super) fn protected_rtcp(&mut self, packet: Vec<u8>) -> Option<(SocketAddr, Vec<u8>)> {
        let (_, rtcp) = self.remote?;
        let bytes = match &mut self.keys {
            Some(keys) => keys.sender.protect_rtcp(&packet).ok()?,
            None => packet,
        };
        Some((rtcp, bytes))
    }

    /// An RTP packet of its own off the wire. The port may differ (a sender need not send from where it receives), the
    /// host not.
    pub(super) fn received_rtp(&mut self, from: SocketAddr, bytes: &[u8]) -> Option<Vec<u8>> {
        let (rtp, _) = self.remote?;
        if from.ip() != rtp.ip() || bytes.len() < RTP_HEADER_BYTES || bytes[0] >> 6 != 2 {
            return None;
        }
        match &mut self.keys {
            Some(keys) => keys.receiver.unprotect_rtp(bytes).ok(),
            None => Some(bytes.to_vec()),
        }
    }

    pub(super) fn received_rtcp(&mut self, from: SocketAddr, bytes: &[u8]) -> Option<Vec<u8>> {
        let (_, rtcp) = self.remote?;
        if from.ip() != rtcp.ip() || bytes.len() < RTCP_HEADER_BYTES || bytes[0] >> 6 != 2 {
            return None;
        }
        match &mut self.keys {
            Some(keys) => keys.receiver.unprotect_rtcp(bytes).ok(),
            None => Some(bytes.to_vec()),
        }
    }
}

fn must_protect(section: &Media) -> Result<bool, BridgeError> {
    match Profile::parse(&section.protocol).map(Profile::protection) {
        Some(Protection::Plain) => Ok(false),
        Some(Protection::Sdes) => Ok(true),
        _ => Err(BridgeError::OtherProtection),
    }
}

/// Lines of `a=crypto` that we can use, whatever the profile says.
fn lines_of(section: &Media) -> Result<Vec<Crypto>, BridgeError> {
    let mut lines = Vec::new();
    for value in section.attributes.get_all("crypto").take(CRYPTO_LINES_MAX) {
        match Crypto::parse(value) {
            Ok(line) => lines.extend(line),
            // Beside a stream in the clear nobody needs to understand it.
            Err(_) if !must_protect(section)? => {}
            Err(error) => return Err(BridgeError::Security(error.into())),
        }
    }
    Ok(lines)
}

/// Where RTP and RTCP go; none where it wants nothing sent just now (the hold of RFC 2543).
fn remote_of(
    theirs: &SessionDescription,
    section: &Media,
) -> Result<Option<(SocketAddr, SocketAddr)>, BridgeError> {
    let host = section.address(theirs).and_then(Host::ip);
    let ip = host.ok_or(BridgeError::NoAddress)?;
    if ip.is_unspecified() {
        return Ok(None);
    }
    // RFC 3605; only the port, the host is the same.
    let named = section.attributes.get("rtcp");
    let named = named.and_then(|value| value.split(' ').next()?.parse().ok());
    let rtcp = named.unwrap_or(section.port.saturating_add(1));
    Ok(Some((
        SocketAddr::new(ip, section.port),
        SocketAddr::new(ip, rtcp),
    )))
}
