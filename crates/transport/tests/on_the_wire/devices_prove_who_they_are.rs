//! A PASSporT signed with an enrolled key, checked against the home's authority: real certificates.

use std::time::Duration;

use hearthline_sip::identity::{Claims, Expected, Identities, IdentityError, Party, sign};
use hearthline_sip::sdp::SessionDescription;
use hearthline_transport::home_authority::{HomeAuthority, public_key_fingerprint, sign_es256};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

const NOW: u64 = 1_795_000_000;

/// An authority and devices, as the hub makes them.
struct Home {
    issuer: Issuer<'static, KeyPair>,
    certificate: Vec<u8>,
}

impl Home {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "a home");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).unwrap().der().to_vec();
        Home {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    fn certify(&self, key: &KeyPair, until: u64) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["kitchen.device.example".into()]).unwrap();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::ServerAuth,
        ];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(until);
        params.signed_by(key, &self.issuer).unwrap().der().to_vec()
    }

    fn authority(&self) -> HomeAuthority {
        HomeAuthority::new(&self.certificate).unwrap()
    }
}

fn description() -> SessionDescription {
    let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 AB:CD\r\n";
    SessionDescription::parse(text.as_bytes()).unwrap()
}

fn row(certificate: &[u8], key: &KeyPair) -> Result<String, IdentityError> {
    let claims = Claims::new(
        Party::Address("sip:kitchen@home.example".into()),
        Party::Address("sip:anna@home.example".into()),
        NOW,
        "call-1",
        &description(),
    )
    .unwrap();
    sign(&claims, certificate, |signed| {
        sign_es256(&key.serialize_der(), signed)
    })
}

fn believed(row: &str, home: &Home) -> Result<(), IdentityError> {
    let description = description();
    let expected = Expected {
        origin: Party::Address("sip:kitchen@home.example".into()),
        destination: Party::Address("sip:anna@home.example".into()),
        call_id: "call-1",
        description: &description,
        now_s: NOW,
    };
    let authority = home.authority();
    Identities::new()
        .verify(row.as_bytes(), &expected, |passport| {
            authority.signed(passport, NOW)
        })
        .map(|_| ())
}

#[test]
fn a_device_of_the_home_is_believed_and_nobody_else() {
    let (home, other) = (Home::new(), Home::new());
    let (key, stolen) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let certificate = home.certify(&key, NOW + 1000);
    assert!(certificate.len() < 1000, "{}", certificate.len());
    let signed = row(&certificate, &key).unwrap();
    println!("an Identity row has {} octets", signed.len());
    assert_eq!(believed(&signed, &home), Ok(()));
    assert_eq!(believed(&signed, &other), Err(IdentityError::NotTrusted));
    // The certificate is not secret; without its key it proves nothing.
    let forged = row(&certificate, &stolen).unwrap();
    assert_eq!(believed(&forged, &home), Err(IdentityError::NotTrusted));
    let expired = row(&home.certify(&key, NOW - 1), &key).unwrap();
    assert_eq!(believed(&expired, &home), Err(IdentityError::NotTrusted));
    // The authority itself is no device.
    assert!(!home.authority().vouches_for(b"no certificate", NOW));
    assert!(HomeAuthority::new(b"no certificate").is_err());
}

#[test]
fn a_renewed_certificate_is_the_same_peer() {
    let home = Home::new();
    let key = KeyPair::generate().unwrap();
    let first = public_key_fingerprint(&home.certify(&key, NOW + 1000)).unwrap();
    let renewed = public_key_fingerprint(&home.certify(&key, NOW + 9000)).unwrap();
    assert_eq!(first, renewed);
    let other = home.certify(&KeyPair::generate().unwrap(), NOW);
    assert_ne!(public_key_fingerprint(&other), Some(first));
    assert_eq!(public_key_fingerprint(b"nothing"), None);
}
