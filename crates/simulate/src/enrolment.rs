//! The certificates of a simulated home. Their keys come from the operating system, not from the seed: what depends on
//! them is left out of the digests of a run.
use std::time::Instant;

use hearthline_speaker::telephone::DeviceKeys;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};

/// A home's authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    origin: Instant,
}

impl Authority {
    /// A new one. The calls of its devices count their time from now.
    ///
    /// # Panics
    /// When the system gives no key.
    #[must_use]
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "home");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            certificate_pem: certificate.pem(),
            issuer: Issuer::new(params, key),
            origin: Instant::now(),
        }
    }

    /// A device's new key, with a certificate that this authority signed, for a home whose authority is `home`.
    ///
    /// # Panics
    /// When the system gives no key, or the name cannot stand in a certificate.
    #[must_use]
    pub fn enrol(&self, device: &str, home: &Self) -> DeviceKeys {
        let key = KeyPair::generate().expect("a key");
        let name = format!("{device}.device.hearthline.internal");
        let mut params = CertificateParams::new([name]).expect("a name");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::ServerAuth,
        ];
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        DeviceKeys::from_pem(
            certificate.pem().as_bytes(),
            key.serialize_pem().as_bytes(),
            home.certificate_pem.as_bytes(),
            home.origin,
        )
        .expect("what was just made reads")
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
