//! As much of X.509 (RFC 5280) as DTLS-SRTP needs: the public key of a certificate that nobody but its
//! fingerprint vouches for.

use ring::digest::{SHA256, digest};

/// Octets of a certificate that is looked at.
pub(super) const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_ID: u8 = 0x06;
/// `[0] EXPLICIT`, the version.
const VERSION: u8 = 0xa0;

/// id-ecPublicKey (RFC 5480 section 2.1.1).
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const SECP256R1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
}

/// An elliptic curve key of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PublicKey<'a> {
    pub(super) curve: Curve,
    /// Uncompressed point.
    pub(super) point: &'a [u8],
}

/// SHA-256 of the whole certificate, as `a=fingerprint` has it.
pub(super) fn fingerprint(certificate: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, certificate).as_ref());
    out
}

/// The key of a certificate. None when it is no certificate, or has another kind of key.
pub(super) fn public_key(certificate: &[u8]) -> Option<PublicKey<'_>> {
    if certificate.len() > CERTIFICATE_BYTES_MAX {
        return None;
    }
    let (whole, rest) = take(certificate, SEQUENCE)?;
    if !rest.is_empty() {
        return None;
    }
    let (mut body, _) = take(whole, SEQUENCE)?;
    if let Some((_, rest)) = take(body, VERSION) {
        body = rest;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        (_, body) = take(body, tag)?;
    }
    let (info, _) = take(body, SEQUENCE)?;
    let (algorithm, key) = take(info, SEQUENCE)?;
    let (kind, parameters) = take(algorithm, OBJECT_ID)?;
    let (curve, _) = take(parameters, OBJECT_ID)?;
    let (bits, _) = take(key, BIT_STRING)?;
    let (unused, point) = bits.split_first()?;
    let curve = match curve {
        SECP256R1 => Curve::P256,
        SECP384R1 => Curve::P384,
        _ => return None,
    };
    (kind == EC_PUBLIC_KEY && *unused == 0).then_some(PublicKey { curve, point })
}

/// The value with this tag at the beginning, and what follows it (X.690 section 8.1, definite lengths).
fn take(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[first, short], rest) = bytes.split_first_chunk::<2>()?;
    if first != tag {
        return None;
    }
    let (length, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        0x81 => {
            let (&[length], rest) = rest.split_first_chunk::<1>()?;
            (usize::from(length), rest)
        }
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
