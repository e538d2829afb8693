//! The home's own certificate authority: made at the start of a drill, vouches for its call-taker, trusted by its device.
//!
//! Its private key lives only as long as the making of the one certificate: nobody can sign another with it later.

use std::net::IpAddr;

use hearthline_transport::Identity;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

/// What the call-taker shows, and what the device trusts.
#[derive(Clone, Debug)]
pub struct HomeCa {
    /// The authority's certificate, PEM: the one root that the device takes.
    pub root_pem: Vec<u8>,
    /// The call-taker's certificate for its address, and its key.
    pub identity: Identity,
}

impl HomeCa {
    /// Makes an authority and the certificate of a call-taker at `address`, which is also `localhost`.
    ///
    /// # Errors
    /// In words, when the system has no randomness for a key.
    pub fn make(address: IpAddr) -> Result<Self, String> {
        make(address).map_err(|error| format!("the home's own certificate: {error}"))
    }
}

fn make(address: IpAddr) -> Result<HomeCa, rcgen::Error> {
    let mut root = CertificateParams::new(Vec::<String>::new())?;
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    root.distinguished_name
        .push(DnType::CommonName, "Hearthline home (drill)");
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::new(vec![address.to_string(), "localhost".to_owned()])?;
    leaf.distinguished_name
        .push(DnType::CommonName, "Hearthline drill call-taker");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let leaf = leaf.signed_by(&key, &root)?;
    Ok(HomeCa {
        root_pem: root.pem().into_bytes(),
        identity: Identity {
            certificates_pem: leaf.pem().into_bytes(),
            key_pem: key.serialize_pem().into_bytes(),
        },
    })
}
