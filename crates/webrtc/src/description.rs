//! A browser's offer, and our answer to it (RFC 9429, RFC 8843 with one stream in the bundle).
use core::time::Duration;
use std::net::SocketAddr;

use hearthline_media as media;
use hearthline_media::secure::{SecureConfigError, SecureDescriptionError, SecureTransport};
use hearthline_sip::offer_answer::{Codec, LocalAudio, Negotiated};
use hearthline_sip::sdp::secure_offer_answer::SecureNegotiationError;
use hearthline_sip::sdp::{SdpError, SessionDescription};

use crate::dtls::{self, DtlsError};

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

impl From<DtlsError> for OfferError {
    fn from(error: DtlsError) -> Self {
        match error {
            DtlsError::Negotiation(error) => Self::Negotiation(error),
            DtlsError::NoDtls | DtlsError::NoFingerprint => Self::NoFingerprint,
            DtlsError::Description(error) => Self::Transport(error),
            DtlsError::Ours(error) => Self::Ours(error),
        }
    }
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
    let (ours, negotiated, _) = dtls::answer(way, &offer, &audio, (session_id, 0), now)?;
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
