//! Where a session description's DTLS and ICE (RFC 5763, RFC 8839) meet our transport: what it says of itself as SDP, and
//! what the other side says for it. `sip` knows no transport and `media` no SDP, so the two meet here, once.
use core::time::Duration;

use hearthline_media::secure::{
    DtlsRole, SecureConfigError, SecureDescription, SecureDescriptionError, SecureTransport,
};
use hearthline_sip::offer_answer::{LocalAudio, Negotiated};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::sdp::fingerprint::{Fingerprint, Setup};
use hearthline_sip::sdp::ice::{Candidate, IceCredentials};
use hearthline_sip::sdp::profile::Protection;
use hearthline_sip::sdp::secure_offer_answer::{
    self as negotiation, Agreed, SecureNegotiationError, SecurityPolicy, secure_answer,
};
use hearthline_sip::sdp::security::DtlsDescription;

/// Why two descriptions give no protected stream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DtlsError {
    /// No agreement on the stream, or on its protection.
    #[error(transparent)]
    Negotiation(#[from] SecureNegotiationError),
    /// What was agreed is no DTLS.
    #[error("the other side does not protect its sound by DTLS")]
    NoDtls,
    /// The certificate is named by another digest.
    #[error("the other side names its certificate by no SHA-256 fingerprint")]
    NoFingerprint,
    /// The other side's ICE.
    #[error(transparent)]
    Description(#[from] SecureDescriptionError),
    /// Our own transport.
    #[error(transparent)]
    Ours(#[from] SecureConfigError),
}

/// What our transport says of itself.
///
/// # Panics
/// Never: the transport's own letters are of the grammar.
#[must_use]
pub fn described(way: &SecureTransport, setup: Setup) -> DtlsDescription {
    let ours = way.local();
    let candidates = (0..).zip(&ours.candidates);
    DtlsDescription {
        fingerprints: vec![Fingerprint::sha256(ours.fingerprint)],
        setup,
        credentials: IceCredentials::new(&ours.ufrag, &ours.pwd)
            .expect("the transport's own letters are of the grammar"),
        lite: ours.lite,
        options: Vec::new(),
        candidates: candidates
            .map(|(index, address)| Candidate::host(*address, index))
            .collect(),
    }
}

/// What the other side says of itself, for our transport.
///
/// # Errors
/// [`DtlsError::NoFingerprint`].
pub fn read(theirs: &DtlsDescription) -> Result<SecureDescription, DtlsError> {
    let fingerprint = theirs.fingerprints.iter().find_map(Fingerprint::as_sha256);
    Ok(SecureDescription {
        fingerprint: fingerprint.ok_or(DtlsError::NoFingerprint)?,
        ufrag: theirs.credentials.ufrag().to_owned(),
        pwd: theirs.credentials.pwd().to_owned(),
        candidates: theirs
            .candidates
            .iter()
            .filter_map(Candidate::udp_address)
            .collect(),
        lite: theirs.lite,
    })
}

/// The same of what offer and answer agreed on, and our end of the handshake.
///
/// # Errors
/// [`DtlsError`], when it is no DTLS.
pub fn agreed(agreed: Agreed) -> Result<(SecureDescription, DtlsRole), DtlsError> {
    let Agreed::Dtls { role, theirs } = agreed else {
        return Err(DtlsError::NoDtls);
    };
    let role = match role {
        negotiation::DtlsRole::Client => DtlsRole::Client,
        negotiation::DtlsRole::Server => DtlsRole::Server,
    };
    Ok((read(&theirs)?, role))
}

/// Our answer to a protected offer, the first or a later one, what it settles, and our end of the handshake; the
/// transport looks for the other side from here on. `version` is session id and version of our description.
///
/// # Errors
/// [`DtlsError`]; answer 488 then. The transport goes on as it was.
pub fn answer(
    way: &mut SecureTransport,
    offer: &SessionDescription,
    audio: &LocalAudio,
    version: (u64, u64),
    now: Duration,
) -> Result<(SessionDescription, Negotiated, DtlsRole), DtlsError> {
    // Browsers offer both ends again in each later offer; the one that was agreed stays.
    let setup = match way.role() {
        Some(DtlsRole::Server) => Setup::Passive,
        _ => Setup::Active,
    };
    let answered = |way: &SecureTransport| {
        let policy = SecurityPolicy {
            least: Protection::Dtls,
            dtls: Some(described(way, setup)),
            sdes: Vec::new(),
        };
        secure_answer(offer, audio, &policy, version.0, version.1)
    };
    let (mut ours, mut negotiated, settled) = answered(way)?;
    let (theirs, role) = agreed(settled)?;
    if way.is_restart(&theirs) {
        // They look for a new path: our answer needs new credentials too (RFC 8839 section 4.4.1.1.1).
        way.restart(&way.local().candidates, now)?;
        (ours, negotiated, _) = answered(way)?;
    }
    way.set_remote(theirs, role, now)?;
    Ok((ours, negotiated, role))
}
