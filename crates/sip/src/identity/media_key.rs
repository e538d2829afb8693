//! `mky`: the fingerprints of a description as a token carries them (RFC 8225 section 5.2.2).

use sha2::{Digest as _, Sha256};

use super::IdentityError;
use crate::sdp::SessionDescription;

/// Fingerprints of one description.
pub const MEDIA_KEYS_MAX: usize = 16;
/// Letters of the longest digest (SHA-512).
const DIGITS_MAX: usize = 128;

/// One a=fingerprint line. The order is that of "alg" and "dig" written one after the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaKey {
    /// Hash function, small letters.
    pub(super) hash: String,
    /// Digest in hexadecimal, large letters, no colons.
    pub(super) digest: String,
}

impl MediaKey {
    /// All fingerprints of a description, sorted, each once; those of weak functions too, so that none can be
    /// added on the way.
    ///
    /// # Errors
    /// [`IdentityError::NoMediaKey`] when there is none, one that does not read, or too many.
    pub fn all_of(description: &SessionDescription) -> Result<Vec<MediaKey>, IdentityError> {
        let sections = description.media.iter().map(|media| &media.attributes);
        let all = core::iter::once(&description.attributes).chain(sections);
        let mut keys = Vec::new();
        for value in all.flat_map(|attributes| attributes.get_all("fingerprint")) {
            let (hash, digest) = value.split_once(' ').ok_or(IdentityError::NoMediaKey)?;
            let key = MediaKey::new(&hash.to_ascii_lowercase(), &digest.replace(':', ""));
            keys.push(key.ok_or(IdentityError::NoMediaKey)?);
            if keys.len() > MEDIA_KEYS_MAX {
                return Err(IdentityError::NoMediaKey);
            }
        }
        keys.sort();
        keys.dedup();
        if keys.is_empty() {
            return Err(IdentityError::NoMediaKey);
        }
        Ok(keys)
    }

    /// The SHA-256 fingerprint of a certificate (DER).
    #[must_use]
    pub fn of_certificate(certificate: &[u8]) -> MediaKey {
        let digest = Sha256::digest(certificate);
        MediaKey {
            hash: "sha-256".to_owned(),
            digest: digest.iter().map(|octet| format!("{octet:02X}")).collect(),
        }
    }

    pub(super) fn new(hash: &str, digest: &str) -> Option<MediaKey> {
        let is_name = (1..=16).contains(&hash.len())
            && hash
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let is_digest = (2..=DIGITS_MAX).contains(&digest.len())
            && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_name && is_digest).then(|| MediaKey {
            hash: hash.to_owned(),
            digest: digest.to_ascii_uppercase(),
        })
    }
}
