//! What goes into a secure transport: our key and addresses, and what the other side says of itself.

use core::fmt;
use std::net::SocketAddr;
use std::time::Instant;

use thiserror::Error;
use zeroize::Zeroizing;

use super::certificate;

/// Addresses of our own.
pub const LOCAL_ADDRESSES_MAX: usize = 8;
/// Addresses of the other side.
pub const CANDIDATES_MAX: usize = 64;

/// Which agent decides about the path (RFC 8445 §6.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IceRole {
    /// We made the offer.
    Controlling,
    /// We answered.
    Controlled,
}

/// Which end of the handshake we are; `a=setup` settles it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DtlsRole {
    /// `active`: we begin.
    Client,
    /// `passive`: the other side begins.
    Server,
}

/// What a transport is made of. `Debug` shows no key.
#[derive(Clone)]
pub struct SecureConfig {
    /// Offerer or answerer of the first description.
    pub role: IceRole,
    /// The device's certificate, DER.
    pub certificate: Vec<u8>,
    /// Its P-256 key, PKCS #8 DER; wiped when dropped.
    pub private_key: Zeroizing<Vec<u8>>,
    /// Where our socket is reached: loopback and link addresses included, not `0.0.0.0`.
    pub addresses: Vec<SocketAddr>,
    /// 32 octets of the operating system's randomness, for the names and passwords of the checks.
    pub seed: [u8; 32],
    /// The instant at which `now` is zero.
    pub origin: Instant,
}

impl fmt::Debug for SecureConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecureConfig")
            .field("role", &self.role)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// Why no transport can be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SecureConfigError {
    /// The certificate does not read, or has another key than P-256.
    #[error("the device's certificate is none, or its key is not on P-256; enrol the device again")]
    Certificate,
    /// The key does not read.
    #[error("the device's key is no PKCS #8 key on P-256; enrol the device again")]
    PrivateKey,
    /// They do not belong together.
    #[error("the device's key is not its certificate's; enrol the device again")]
    Mismatch,
    /// No address, too many, or one that no check can come to.
    #[error("{0} is no address for media; give 1 to 8 addresses that others can send to")]
    Address(String),
}

/// What one side tells the other: the SDP attributes, as values. `Debug` shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct SecureDescription {
    /// SHA-256 of the certificate (`a=fingerprint:sha-256`).
    pub fingerprint: [u8; 32],
    /// `a=ice-ufrag`
    pub ufrag: String,
    /// `a=ice-pwd`
    pub pwd: String,
    /// UDP addresses of `a=candidate` lines, best first.
    pub candidates: Vec<SocketAddr>,
    /// `a=ice-lite`: answers checks and makes none.
    pub lite: bool,
}

impl fmt::Debug for SecureDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecureDescription")
            .field("ufrag", &self.ufrag)
            .field("candidates", &self.candidates)
            .finish_non_exhaustive()
    }
}

/// Why the other side's description is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SecureDescriptionError {
    /// Name or password of the checks have no allowed length (RFC 8839 §5.4).
    #[error("ICE name or password of the other side is too short or too long")]
    Credentials,
    /// Too many addresses.
    #[error("the other side names more than 64 addresses")]
    TooManyCandidates,
    /// Another certificate in the middle of a call: that is another peer.
    #[error(
        "the other side's fingerprint changed in the call; make a new transport and check who it is"
    )]
    FingerprintChanged,
    /// New credentials of the other side: it restarts ICE, and we must too.
    #[error("the other side restarts ICE; call restart first and answer with what it gives")]
    NeedsRestart,
    /// The transport has failed or is closed.
    #[error("the transport is over")]
    Over,
}

impl SecureDescription {
    pub(super) fn check(&self) -> Result<(), SecureDescriptionError> {
        if !(4..=256).contains(&self.ufrag.len()) || !(22..=256).contains(&self.pwd.len()) {
            return Err(SecureDescriptionError::Credentials);
        }
        if self.candidates.len() > CANDIDATES_MAX {
            return Err(SecureDescriptionError::TooManyCandidates);
        }
        Ok(())
    }
}

/// SHA-256 of a certificate in DER: what `a=fingerprint:sha-256` and PASSporTs carry.
#[must_use]
pub fn certificate_fingerprint(certificate: &[u8]) -> [u8; 32] {
    certificate::fingerprint(certificate)
}
