//! What our end of a browser's connection is known by.
use std::net::SocketAddr;
use std::time::Instant;

use hearthline_media::secure::{IceRole, SecureConfig};
use zeroize::Zeroizing;

/// The name in the certificate; nobody looks at it, the fingerprint counts.
const NAME: &str = "hearthline";

/// A key and its self-signed certificate, for as many connections as one likes. `Debug` shows no key.
#[derive(Clone)]
pub struct Keys {
    pub(crate) certificate: Vec<u8>,
    pub(crate) private_key: Zeroizing<Vec<u8>>,
}

/// No key could be made.
#[derive(Debug, thiserror::Error)]
#[error("no key for sound with browsers: {0}")]
pub struct KeysError(#[from] rcgen::Error);

impl Keys {
    /// A fresh pair; browsers believe the fingerprint in our answer, so nobody else needs to know it.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate() -> Result<Self, KeysError> {
        let key = rcgen::KeyPair::generate()?;
        let params = rcgen::CertificateParams::new([NAME.to_owned()])?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            certificate: certificate.der().to_vec(),
            private_key: Zeroizing::new(key.serialize_der()),
        })
    }
}

impl Keys {
    /// What a [`SecureTransport`](hearthline_media::secure::SecureTransport) with these keys is made of. `seed` is 32
    /// octets of the system's randomness, `origin` the instant at which `now` is zero.
    #[must_use]
    pub fn transport(
        self,
        role: IceRole,
        addresses: Vec<SocketAddr>,
        seed: [u8; 32],
        origin: Instant,
    ) -> SecureConfig {
        SecureConfig {
            role,
            certificate: self.certificate,
            private_key: self.private_key,
            addresses,
            seed,
            origin,
        }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}
