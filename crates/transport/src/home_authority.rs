//! Signatures of the home's devices: made with a device's key, believed when the home's authority vouches
//! for its certificate. The other half of [`hearthline_sip::identity`].

use std::sync::Arc;
use std::time::Duration;

use hearthline_sip::identity::Passport;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
};
use rustls::RootCertStore;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::tls::{self, Identity, TlsError};

/// Behind a device's id in the name that its certificate holds.
const DEVICE_DOMAIN: &str = ".device.hearthline.internal";
/// Before the point in the SubjectPublicKeyInfo of a P-256 key (RFC 5480 section 2): the sequence, the two
/// object ids and the head of the bit string.
const P256_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The uncompressed point behind it.
const P256_POINT_BYTES: usize = 65;

/// The authority's certificate is unusable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the home's authority is no usable certificate ({0}); join the home again")]
pub struct NoAuthority(String);

/// The home's certificate authority, as a device knows it.
#[derive(Debug, Clone)]
pub struct HomeAuthority {
    verifier: Arc<dyn ClientCertVerifier>,
}

impl HomeAuthority {
    /// From the authority's certificate, DER.
    ///
    /// # Errors
    /// [`NoAuthority`].
    pub fn new(certificate: &[u8]) -> Result<Self, NoAuthority> {
        let unusable = |error: &dyn std::fmt::Display| NoAuthority(error.to_string());
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from(certificate.to_vec()))
            .map_err(|error| unusable(&error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| unusable(&error))?;
        Ok(HomeAuthority { verifier })
    }

    /// From PEM text, its first certificate.
    ///
    /// # Errors
    /// [`NoAuthority`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, NoAuthority> {
        let certificate =
            CertificateDer::from_pem_slice(pem).map_err(|error| NoAuthority(error.to_string()))?;
        Self::new(&certificate)
    }

    /// Whether the authority signed this device's certificate and it is valid at `now_s` (seconds since 1970).
    #[must_use]
    pub fn vouches_for(&self, certificate: &[u8], now_s: u64) -> bool {
        let certificate = CertificateDer::from(certificate);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now_s));
        let verified = self.verifier.verify_client_cert(&certificate, &[], now);
        verified.is_ok()
    }

    /// Whether a device of the home signed this: the check of
    /// [`Identities::verify`](hearthline_sip::identity::Identities::verify).
    #[must_use]
    pub fn signed(&self, passport: &Passport, now_s: u64) -> bool {
        let Some(point) = p256_point(&passport.certificate) else {
            return false;
        };
        self.vouches_for(&passport.certificate, now_s)
            && UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(&passport.signed, &passport.signature)
                .is_ok()
    }
}

/// A device's certificate and its key as DTLS and signatures take them, DER.
pub struct DeviceCertificate {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// The key; wiped when dropped.
    pub private_key: Zeroizing<Vec<u8>>,
}

impl DeviceCertificate {
    /// Out of what joining filed.
    ///
    /// # Errors
    /// [`TlsError`] when either does not read.
    pub fn from_pem(identity: &Identity) -> Result<Self, TlsError> {
        let (chain, key) = tls::chain_and_key(identity)?;
        let certificate = chain.first().expect("a chain that reads is not empty");
        Ok(Self {
            certificate: certificate.to_vec(),
            private_key: Zeroizing::new(key.secret_der().to_vec()),
        })
    }
}

/// Whether a certificate names this device of the home. Who signed it is for [`HomeAuthority`] to say.
#[must_use]
pub fn is_of_device(certificate: &[u8], device: &str) -> bool {
    let certificate = CertificateDer::from(certificate);
    let (Ok(parsed), Ok(name)) = (
        ParsedCertificate::try_from(&certificate),
        ServerName::try_from(format!("{device}{DEVICE_DOMAIN}")),
    ) else {
        return false;
    };
    verify_server_name(&parsed, &name).is_ok()
}

/// ES256 over `message` with a device's key (PKCS #8 DER): the `sign` of
/// [`hearthline_sip::identity::sign`]. None when the key is no P-256 key.
#[must_use]
pub fn sign_es256(private_key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, private_key, &random).ok()?;
    let signature = pair.sign(&random, message).ok()?;
    Some(signature.as_ref().to_vec())
}

/// SHA-256 of a certificate's public key: what [`KeyPins`](hearthline_sip::identity::KeyPins) remembers, because
/// certificates are renewed. None when it is no certificate.
#[must_use]
pub fn public_key_fingerprint(certificate: &[u8]) -> Option<[u8; 32]> {
    let certificate = CertificateDer::from(certificate);
    let parsed = ParsedCertificate::try_from(&certificate).ok()?;
    let key = parsed.subject_public_key_info();
    digest(&SHA256, &key).as_ref().try_into().ok()
}

/// The key of a P-256 certificate.
fn p256_point(certificate: &[u8]) -> Option<[u8; P256_POINT_BYTES]> {
    let certificate = CertificateDer::from(certificate);
    let parsed = ParsedCertificate::try_from(&certificate).ok()?;
    let key = parsed.subject_public_key_info();
    key.strip_prefix(&P256_INFO)?.try_into().ok()
}
