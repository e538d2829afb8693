//! A browser's offer, and our answer to it (RFC 9429, RFC 8843 with one stream in the bundle).
use core::time::Duration;
use std::net::SocketAddr;

use hearthline_media as media;
use hearthline_media::secure::{
    DtlsRole, SecureConfigError, SecureDescription, SecureDescriptionError, SecureTransport,
};
use hearthline_sip::offer_answer::{Codec, LocalAudio, Negotiated};
use hearthline_sip::sdp::fingerprint::{Fingerprint, Setup};
use hearthline_sip::sdp::ice::{Candidate, IceCredentials};
use hearthline_sip::sdp::profile::Protection;
use hearthline_sip::sdp::secure_offer_answer::{
    self as negotiation, Agreed, SecureNegotiationError, SecurityPolicy, secure_answer,
};
use hearthline_sip::sdp::security::DtlsDescription;
use hearthline_sip::sdp::{SdpError, SessionDescription};

/// Why an offer is not answered. The offer is their input: each of these is told to the page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// Not SDP.
    #[error("the offer is no session description: {0}")]
    Description(#[from] SdpError),
    /// No audio stream that we take: G.722 or G.711 over DTLS-SRTP.
    #[error("the offer has no sound that can be taken here: {0}")]
    Negotiation(#[from] SecureNegotiationError),
    /// The certificate is named by another digest.
    #[error("the offer names its certificate by no SHA-256 fingerprint")]
    NoFingerprint,
    /// The offer's ICE.
    #[error("the offer's transport: {0}")]
    Transport(#[from] SecureDescriptionError),
    /// The offer's payload types.
    #[error("the offer's payload types: {0}")]
    Session(#[from] media::SessionConfigError),
    /// Our own side: keys or address.
    #[error("no transport of ours: {0}")]
    Ours(#[from] SecureConfigError),
}

/// Our answer, and the codec that it settles; the transport then looks for the browser.
pub(crate) fn answer(
    offer: &[u8],
    way: &mut SecureTransport,
    local: SocketAddr,
    session_id: u64,
    now: Duration,
) -> Result<(String, Negotiated), OfferError> {
    let offer = SessionDescription::parse(offer)?;
    let mut audio = LocalAudio::new(local.ip(), local.port());
    audio.telephone_event = false;
    let policy = SecurityPolicy {
        least: Protection::Dtls,
        dtls: Some(described(way)),
        sdes: Vec::new(),
    };
    let (ours, negotiated, agreed) = secure_answer(&offer, &audio, &policy, session_id, 0)?;
    let Agreed::Dtls { role, theirs } = agreed else {
        return Err(OfferError::NoFingerprint);
    };
    let fingerprint = theirs.fingerprints.iter().find_map(Fingerprint::as_sha256);
    let theirs = SecureDescription {
        fingerprint: fingerprint.ok_or(OfferError::NoFingerprint)?,
        ufrag: theirs.credentials.ufrag().to_owned(),
        pwd: theirs.credentials.pwd().to_owned(),
        candidates: theirs
            .candidates
            .iter()
            .filter_map(Candidate::udp_address)
            .collect(),
        lite: theirs.lite,
    };
    let role = match role {
        negotiation::DtlsRole::Client => DtlsRole::Client,
        negotiation::DtlsRole::Server => DtlsRole::Server,
    };
    way.set_remote(theirs, role, now)?;
    Ok((ours.to_string(), negotiated))
}

/// The codec as the media crate names it.
pub(crate) fn codec_of(codec: Codec) -> media::Codec {
    match codec {
        Codec::Pcmu => media::Codec::Pcmu,
        Codec::Pcma => media::Codec::Pcma,
        Codec::G722 => media::Codec::G722,
    }
}

/// What our transport says of itself.
fn described(way: &SecureTransport) -> DtlsDescription {
    let ours = way.local();
    let candidates = (0..).zip(&ours.candidates);
    DtlsDescription {
        fingerprints: vec![Fingerprint::sha256(ours.fingerprint)],
        setup: Setup::Active,
        credentials: IceCredentials::new(&ours.ufrag, &ours.pwd)
            .expect("the transport's own letters are of the grammar"),
        lite: ours.lite,
        options: Vec::new(),
        candidates: candidates
            .map(|(index, address)| Candidate::host(*address, index))
            .collect(),
    }
}
