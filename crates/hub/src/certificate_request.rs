//! Certificate requests (PKCS #10, RFC 2986) of joining devices, read strictly.
//!
//! Only what a device of ours makes is accepted: one ECDSA key on P-256, signed with SHA-256 by that key, which
//! proves that the device holds it. Names and attributes in the request are ignored: the hub decides them.

use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

use crate::device::Fingerprint;

/// Longest request, in bytes of DER.
pub const REQUEST_BYTES_MAX: usize = 4_096;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const ATTRIBUTES: u8 = 0xA0;
/// `SEQUENCE { id-ecPublicKey, prime256v1 }` (RFC 5480 section 2.1.1).
const P256_KEY: &[u8] = &[
    0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D,
    0x03, 0x01, 0x07,
];
/// `SEQUENCE { ecdsa-with-SHA256 }` (RFC 5758 section 3.2).
const ECDSA_SHA256: &[u8] = &[0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not a PKCS #10 request in DER.
    #[error("not a certificate request (PKCS #10, DER, at most {REQUEST_BYTES_MAX} bytes)")]
    Malformed,
    /// Another kind of key.
    #[error("the key is not ECDSA on P-256 with SHA-256; make one of that kind")]
    Key,
    /// The signature does not hold.
    #[error("the request is not signed by the key that it holds")]
    Signature,
}

/// A checked request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    der: Vec<u8>,
    /// Uncompressed point.
    point: Vec<u8>,
    key: Fingerprint,
}

impl CertificateRequest {
    /// Reads and checks.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        if der.len() > REQUEST_BYTES_MAX {
            return Err(RequestError::Malformed);
        }
        let (request, end) = element(der, SEQUENCE)?;
        let (info, rest) = element(request, SEQUENCE)?;
        // The signature covers the information with its own tag and length.
        let signed = &request[..request.len() - rest.len()];
        let (algorithm, rest) = element(rest, SEQUENCE)?;
        let (signature, rest) = element(rest, BIT_STRING)?;
        if !end.is_empty() || !rest.is_empty() {
            return Err(RequestError::Malformed);
        }
        let (version, rest) = element(info, INTEGER)?;
        let (_subject, rest) = element(rest, SEQUENCE)?;
        let (spki, after_key) = element(rest, SEQUENCE)?;
        let whole_key = &rest[..rest.len() - after_key.len()];
        let (_attributes, rest) = element(after_key, ATTRIBUTES)?;
        if version != [0] || !rest.is_empty() {
            return Err(RequestError::Malformed);
        }
        let (key_algorithm, rest) = element(spki, SEQUENCE)?;
        let (point, rest) = element(rest, BIT_STRING)?;
        if !rest.is_empty() {
            return Err(RequestError::Malformed);
        }
        if key_algorithm != P256_KEY || algorithm != ECDSA_SHA256 {
            return Err(RequestError::Key);
        }
        // The first byte of a bit string counts its unused bits.
        let (Some((0, point)), Some((0, signature))) =
            (point.split_first(), signature.split_first())
        else {
            return Err(RequestError::Malformed);
        };
        if point.len() != 65 || point[0] != 0x04 {
            return Err(RequestError::Key);
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
            .verify(signed, signature)
            .map_err(|_| RequestError::Signature)?;
        Ok(Self {
            der: der.to_vec(),
            point: point.to_vec(),
            key: Fingerprint::of(whole_key),
        })
    }

    /// The request as it came.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of its SubjectPublicKeyInfo.
    #[must_use]
    pub fn key_fingerprint(&self) -> Fingerprint {
        self.key
    }
}

impl PublicKeyData for CertificateRequest {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// One element of DER with this tag: its content, and what follows.
fn element(input: &[u8], tag: u8) -> Result<(&[u8], &[u8]), RequestError> {
    let malformed = RequestError::Malformed;
    let [found, first, rest @ ..] = input else {
        return Err(malformed);
    };
    if *found != tag {
        return Err(malformed);
    }
    // Lengths below 4096 need at most two further bytes; DER wants the shortest form.
    let (length, rest) = match (first, rest) {
        (0..=0x7F, rest) => (usize::from(*first), rest),
        (0x81, [length @ 0x80..=0xFF, rest @ ..]) => (usize::from(*length), rest),
        (0x82, [high @ 1..=0xFF, low, rest @ ..]) => {
            (usize::from(*high) << 8 | usize::from(*low), rest)
        }
        _ => return Err(malformed),
    };
    rest.split_at_checked(length).ok_or(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    fn request(key: &KeyPair) -> Vec<u8> {
        let params = CertificateParams::new(vec!["device.example.test".to_owned()]).unwrap();
        params.serialize_request(key).unwrap().der().to_vec()
    }

    #[test]
    fn a_request_of_a_p256_key_is_read_and_its_key_is_the_one_that_signed() {
        let key = KeyPair::generate().unwrap();
        let read = CertificateRequest::from_der(&request(&key)).unwrap();
        assert_eq!(read.der_bytes(), key.public_key_raw());
        assert_eq!(
            read.key_fingerprint(),
            Fingerprint::of(&key.subject_public_key_info())
        );
    }

    #[test]
    fn other_keys_and_foreign_signatures_are_refused() {
        for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
            let der = request(&KeyPair::generate_for(algorithm).unwrap());
            assert_eq!(CertificateRequest::from_der(&der), Err(RequestError::Key));
        }
        // Somebody else's key put into the request: the signature no longer fits.
        let (mine, theirs) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut der = request(&mine);
        let place = der
            .windows(65)
            .position(|window| window == mine.public_key_raw())
            .unwrap();
        der[place..place + 65].copy_from_slice(theirs.public_key_raw());
        assert_eq!(
            CertificateRequest::from_der(&der),
            Err(RequestError::Signature)
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_no_flip_goes_unnoticed(
            noise in prop::collection::vec(any::<u8>(), 0..300),
            flip in any::<prop::sample::Index>(), bit in 0_u8..8, cut in any::<prop::sample::Index>(),
        ) {
            let _ = CertificateRequest::from_der(&noise);
            let mut der = request(&KeyPair::generate().unwrap());
            let _ = CertificateRequest::from_der(&der[..cut.index(der.len())]);
            let place = flip.index(der.len());
            der[place] ^= 1 << bit;
            prop_assert!(CertificateRequest::from_der(&der).is_err());
        }
    }
}
