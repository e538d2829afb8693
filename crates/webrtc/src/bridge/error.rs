//! Why a bridge does not carry a description over.
use hearthline_media::secure::SecureConfigError;
use hearthline_sip::sdp::SdpError;
use hearthline_sip::sdp::security::SecurityError;

use crate::dtls::DtlsError;

/// Why a description is not carried over. It then goes on as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// Not SDP.
    #[error("no session description: {0}")]
    Description(#[from] SdpError),
    /// No audio.
    #[error("no audio stream is offered, or it is turned down")]
    NoStream,
    /// Nothing that passes without being decoded.
    #[error("no codec that both sides know: G.711 or G.722")]
    NoCodec,
    /// The stream's protection does not read.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// Another protection than this side's.
    #[error("this side protects its sound in another way")]
    OtherProtection,
    /// An answer to nothing.
    #[error("an answer without an offer")]
    NoOffer,
    /// The far side names no IP address.
    #[error("the stream has no address")]
    NoAddress,
    /// The browser's half.
    #[error(transparent)]
    Dtls(#[from] DtlsError),
    /// Our own half.
    #[error(transparent)]
    Ours(#[from] SecureConfigError),
    /// It has ended.
    #[error("the bridge is over")]
    Over,
}
