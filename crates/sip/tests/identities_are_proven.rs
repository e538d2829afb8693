//! Identity and PASSporT: what is signed, what is believed, and what a later change of key says.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hearthline_sip::Uri;
use hearthline_sip::identity::{
    Claims, Expected, Identities, IdentityError, KeyPins, MediaKey, Meeting, Party, Passport,
    header_name, sign,
};
use hearthline_sip::offer_answer::LocalAudio;
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::sdp::fingerprint::{Fingerprint, Setup};
use hearthline_sip::sdp::ice::IceCredentials;
use hearthline_sip::sdp::secure_offer_answer::secure_offer;
use hearthline_sip::sdp::security::{DtlsDescription, Security};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

const CERTIFICATE: &[u8] = b"a certificate of the kitchen";
const NOW: u64 = 1_795_000_000;

/// Stands for ES256, which is not this crate's: a keyed digest of the right length.
fn tag(signed: &[u8]) -> Vec<u8> {
    let half = |salt: u8| Sha256::digest([&[salt][..], b"the kitchen", signed].concat()).to_vec();
    [half(1), half(2)].concat()
}

fn trusted(passport: &Passport) -> bool {
    passport.certificate == CERTIFICATE && passport.signature == tag(&passport.signed)
}

fn description(fingerprint: u8) -> SessionDescription {
    let dtls = DtlsDescription {
        fingerprints: vec![Fingerprint::sha256([fingerprint; 32])],
        setup: Setup::ActPass,
        credentials: IceCredentials::new("frag", &"p".repeat(22)).unwrap(),
        lite: false,
        options: vec![],
        candidates: vec![],
    };
    let local = LocalAudio::new([192, 0, 2, 1].into(), 4000);
    secure_offer(&local, &Security::Dtls(dtls), 1, 1)
}

fn party(uri: &str) -> Party {
    Party::of(&Uri::parse(uri).unwrap()).unwrap()
}

fn row(description: &SessionDescription, at: u64) -> String {
    let (kitchen, anna) = (
        party("sip:kitchen@home.example"),
        party("sip:anna@home.example"),
    );
    let claims = Claims::new(kitchen, anna, at, "call-1@home.example", description).unwrap();
    sign(&claims, CERTIFICATE, |signed| Some(tag(signed))).unwrap()
}

fn expected(description: &SessionDescription) -> Expected<'_> {
    Expected {
        // As the message writes them: other case of the host, port, parameters.
        origin: party("sips:kitchen@HOME.example:5061;transport=tls"),
        destination: party("sip:anna@home.example;user=phone"),
        call_id: "call-1@home.example",
        description,
        now_s: NOW,
    }
}

#[test]
fn what_is_signed_is_believed_once() {
    let description = description(1);
    let row = row(&description, NOW - 5);
    let shown: String = row
        .split(['.', ';'])
        .take(2)
        .fold(String::new(), |text, part| {
            let octets = URL_SAFE_NO_PAD.decode(part).unwrap();
            text + std::str::from_utf8(&octets).unwrap() + "\n"
        });
    insta::assert_snapshot!("passport", shown);
    assert_eq!(header_name().to_string(), "Identity");
    let mut identities = Identities::new();
    let verified = identities
        .verify(row.as_bytes(), &expected(&description), trusted)
        .unwrap();
    assert_eq!(verified.origin, party("sip:kitchen@home.example"));
    assert_eq!(verified.certificate, CERTIFICATE);
    assert!(!verified.same_certificate);
    assert_eq!(
        identities.verify(row.as_bytes(), &expected(&description), trusted),
        Err(IdentityError::Replayed)
    );
}

#[test]
fn the_media_may_use_the_very_certificate() {
    let digest: [u8; 32] = Sha256::digest(CERTIFICATE).into();
    let mut description = description(1);
    let attributes = &mut description.media[0].attributes;
    attributes.remove("fingerprint");
    attributes.push(
        "fingerprint",
        Some(&Fingerprint::sha256(digest).to_string()),
    );
    let row = row(&description, NOW);
    let verified = Identities::new()
        .verify(row.as_bytes(), &expected(&description), trusted)
        .unwrap();
    assert!(verified.same_certificate);
}

#[test]
fn whatever_is_changed_on_the_way_is_refused() {
    let ours = description(1);
    let row = row(&ours, NOW);
    let verify = |row: &str, expected: &Expected<'_>| {
        Identities::new()
            .verify(row.as_bytes(), expected, trusted)
            .map(|_| ())
    };
    assert_eq!(verify(&row, &expected(&ours)), Ok(()));
    // The hub puts its own fingerprint in, or adds one beside ours.
    let theirs = description(2);
    assert_eq!(
        verify(&row, &expected(&theirs)),
        Err(IdentityError::FingerprintChanged)
    );
    let mut beside = ours.clone();
    let weak = format!("sha-1 {}", ["AB"; 20].join(":"));
    beside.attributes.push("fingerprint", Some(&weak));
    assert_eq!(
        verify(&row, &expected(&beside)),
        Err(IdentityError::FingerprintChanged)
    );
    // An old call is repeated, or a clock is wrong.
    for (now_s, away) in [(NOW + 61, 61), (NOW - 100, 100)] {
        let late = Expected {
            now_s,
            ..expected(&ours)
        };
        assert_eq!(verify(&row, &late), Err(IdentityError::Stale(away)));
    }
    let other = Expected {
        origin: party("sip:cellar@home.example"),
        ..expected(&ours)
    };
    assert_eq!(verify(&row, &other), Err(IdentityError::Other("caller")));
    let other = Expected {
        destination: party("tel:+15550100"),
        ..expected(&ours)
    };
    assert_eq!(verify(&row, &other), Err(IdentityError::Other("callee")));
    let other = Expected {
        call_id: "call-2@home.example",
        ..expected(&ours)
    };
    assert_eq!(verify(&row, &other), Err(IdentityError::Other("call")));
    // Signed again by somebody who is not of the home.
    let claims = Passport::parse(row.as_bytes()).unwrap().claims;
    let forged = sign(&claims, b"another certificate", |signed| Some(tag(signed))).unwrap();
    assert_eq!(
        verify(&forged, &expected(&ours)),
        Err(IdentityError::NotTrusted)
    );
    let forged = sign(&claims, CERTIFICATE, |_| Some(vec![0; 64])).unwrap();
    assert_eq!(
        verify(&forged, &expected(&ours)),
        Err(IdentityError::NotTrusted)
    );
}

#[test]
fn a_stranger_does_not_use_up_a_signature() {
    let ours = description(1);
    let row = row(&ours, NOW);
    let mut identities = Identities::new();
    let refused = identities.verify(row.as_bytes(), &expected(&ours), |_| false);
    assert_eq!(refused, Err(IdentityError::NotTrusted));
    identities
        .verify(row.as_bytes(), &expected(&ours), trusted)
        .unwrap();
}

#[test]
fn every_changed_letter_is_refused() {
    let ours = description(1);
    let row = row(&ours, NOW);
    let end = row.find(";info").unwrap();
    for at in 0..end {
        let mut changed = row.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let result = Identities::new().verify(&changed, &expected(&ours), trusted);
        assert!(result.is_err(), "letter {at}");
    }
}

#[test]
fn nothing_is_signed_that_says_nothing() {
    let plain =
        hearthline_sip::offer_answer::offer(&LocalAudio::new([192, 0, 2, 1].into(), 4000), 1, 1);
    assert_eq!(MediaKey::all_of(&plain), Err(IdentityError::NoMediaKey));
    assert_eq!(
        Party::of(&Uri::parse("sip:home.example").unwrap()),
        Err(IdentityError::NoParty)
    );
    let claims = Passport::parse(row(&description(1), NOW).as_bytes())
        .unwrap()
        .claims;
    assert_eq!(
        sign(&claims, CERTIFICATE, |_| None),
        Err(IdentityError::NotSigned)
    );
    assert!(sign(&claims, &[0; 3000], |signed| Some(tag(signed))).is_err());
}

#[test]
fn a_peer_whose_key_changes_is_shown() {
    let mut pins = KeyPins::new();
    assert_eq!(pins.meet("kitchen", [1; 32]), Meeting::First);
    assert_eq!(pins.meet("kitchen", [1; 32]), Meeting::Known);
    assert_eq!(
        pins.meet("kitchen", [2; 32]),
        Meeting::Changed { before: [1; 32] }
    );
    // Asking again does not make it right; a person does.
    assert_eq!(
        pins.meet("kitchen", [2; 32]),
        Meeting::Changed { before: [1; 32] }
    );
    pins.accept("kitchen", [2; 32]);
    assert_eq!(pins.meet("kitchen", [2; 32]), Meeting::Known);
    let stored: Vec<_> = pins
        .iter()
        .map(|(peer, key)| (peer.to_owned(), *key))
        .collect();
    let mut again = KeyPins::load(stored);
    assert_eq!(again, pins);
    again.forget("kitchen");
    assert_eq!(again.meet("kitchen", [3; 32]), Meeting::First);
    for peer in 0..hearthline_sip::identity::PINS_MAX {
        again.meet(&peer.to_string(), [0; 32]);
    }
    assert_eq!(again.meet("one more", [0; 32]), Meeting::Full);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_is_refused(bytes in any::<Vec<u8>>(), header in "[ -~]{0,200}", payload in "[ -~]{0,200}") {
        let _ = Passport::parse(&bytes);
        let text = |part: &str| URL_SAFE_NO_PAD.encode(part);
        let row = format!("{}.{}.{};info=<urn:x:y>", text(&header), text(&payload), text(&"s".repeat(64)));
        prop_assert!(Passport::parse(row.as_bytes()).is_err());
    }

    #[test]
    fn any_text_comes_back(user in "[a-z0-9\"\\\\]{1,20}", call_id in "[ -~]{1,60}", at in any::<u64>()) {
        let claims = Claims {
            origin: Party::Address(format!("sip:{user}@home.example")),
            call_id,
            issued_at: at,
            ..Passport::parse(row(&description(1), NOW).as_bytes()).unwrap().claims
        };
        let row = sign(&claims, CERTIFICATE, |signed| Some(tag(signed))).unwrap();
        prop_assert_eq!(Passport::parse(row.as_bytes()).unwrap().claims, claims);
    }
}
