//! Protected streams: what descriptions say of keys and addresses, who is taken, who is refused.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use hearthline_sip::offer_answer::{Codec, LocalAudio, NegotiationError};
use hearthline_sip::sdp::crypto::{Crypto, CryptoSuite};
use hearthline_sip::sdp::fingerprint::{Fingerprint, Setup};
use hearthline_sip::sdp::ice::{Candidate, CandidateKind, IceCredentials, parse_ice_options};
use hearthline_sip::sdp::profile::{Profile, Protection};
use hearthline_sip::sdp::secure_offer_answer::{
    Agreed, DtlsRole, SecureNegotiationError, SecurityPolicy, secure_answer,
    secure_answer_received, secure_offer, secure_reoffer,
};
use hearthline_sip::sdp::security::{DtlsDescription, Security, SecurityError};
use hearthline_sip::sdp::{Direction, SessionDescription};
use proptest::prelude::*;

fn local(last: u8) -> LocalAudio {
    LocalAudio::new([192, 0, 2, last].into(), 4000 + u16::from(last))
}

fn dtls(last: u8) -> DtlsDescription {
    DtlsDescription {
        fingerprints: vec![Fingerprint::sha256([last; 32])],
        setup: Setup::ActPass,
        credentials: IceCredentials::new(&format!("frag{last}"), &"p".repeat(22)).unwrap(),
        lite: false,
        options: vec!["ice2".to_owned()],
        candidates: vec![Candidate::host(
            ([192, 0, 2, last], 4000 + u16::from(last)).into(),
            0,
        )],
    }
}

fn sdes(last: u8) -> Crypto {
    Crypto::new(1, CryptoSuite::AesCm128HmacSha1_80, &[last; 30]).unwrap()
}

fn device(last: u8) -> SecurityPolicy {
    SecurityPolicy {
        least: Protection::Dtls,
        dtls: Some(dtls(last)),
        sdes: vec![sdes(last)],
    }
}

fn anything(last: u8) -> SecurityPolicy {
    SecurityPolicy {
        least: Protection::Plain,
        ..device(last)
    }
}

/// What arrives after being written and read.
fn sent(description: &SessionDescription) -> SessionDescription {
    let bytes = description.to_bytes();
    let read = SessionDescription::parse(&bytes).unwrap();
    assert_eq!(read.to_bytes(), bytes);
    read
}

#[test]
fn two_devices_agree_on_dtls() {
    let offer = secure_offer(&local(1), &Security::Dtls(dtls(1)), 1, 1);
    insta::assert_snapshot!("offer_with_dtls", offer.to_string());
    let (answer, negotiated, agreed) =
        secure_answer(&sent(&offer), &local(2), &device(2), 2, 1).unwrap();
    insta::assert_snapshot!("answer_with_dtls", answer.to_string());
    assert_eq!(negotiated.codec, Codec::G722);
    let Agreed::Dtls { role, theirs } = agreed else {
        panic!("{agreed:?}");
    };
    assert_eq!((role, theirs), (DtlsRole::Client, dtls(1)));
    let (negotiated, agreed) = secure_answer_received(&offer, &sent(&answer)).unwrap();
    assert_eq!(negotiated.codec, Codec::G722);
    let Agreed::Dtls { role, theirs } = agreed else {
        panic!("{agreed:?}");
    };
    assert_eq!(role, DtlsRole::Server);
    assert_eq!(theirs.fingerprints, dtls(2).fingerprints);
    assert_eq!(
        theirs.candidates[0].udp_address(),
        Some(([192, 0, 2, 2], 4002).into())
    );
}

#[test]
fn a_trunk_is_given_sdes() {
    let offer = secure_offer(&local(1), &Security::Sdes(vec![sdes(1)]), 1, 1);
    insta::assert_snapshot!("offer_with_sdes", offer.to_string());
    let (answer, _, agreed) = secure_answer(&sent(&offer), &local(2), &anything(2), 2, 1).unwrap();
    let both = (sdes(2), sdes(1));
    assert_eq!(
        agreed,
        Agreed::Sdes {
            ours: both.0.clone(),
            theirs: both.1.clone()
        }
    );
    let (_, agreed) = secure_answer_received(&offer, &sent(&answer)).unwrap();
    assert_eq!(
        agreed,
        Agreed::Sdes {
            ours: both.1,
            theirs: both.0
        }
    );
    assert!(
        !format!("{:?}", sdes(7)).contains("Bwc"),
        "a key is printed"
    );
}

#[test]
fn less_than_demanded_is_refused() {
    for (weak, offered) in [
        (Security::Plain, Protection::Plain),
        (Security::Sdes(vec![sdes(1)]), Protection::Sdes),
    ] {
        let offer = secure_offer(&local(1), &weak, 1, 1);
        let refused = secure_answer(&sent(&offer), &local(2), &device(2), 2, 1);
        let least = Protection::Dtls;
        assert_eq!(
            refused.unwrap_err(),
            SecureNegotiationError::TooWeak { offered, least }
        );
        secure_answer(&sent(&offer), &local(2), &anything(2), 2, 1).unwrap();
    }
}

#[test]
fn an_answer_cannot_take_the_protection_away() {
    let offer = secure_offer(&local(1), &Security::Dtls(dtls(1)), 1, 1);
    let (mut answer, ..) = secure_answer(&offer, &local(2), &device(2), 2, 1).unwrap();
    Security::Plain.write(&mut answer.media[0]);
    assert_eq!(
        secure_answer_received(&offer, &answer).unwrap_err(),
        SecureNegotiationError::TooWeak {
            offered: Protection::Plain,
            least: Protection::Dtls
        }
    );
    let mut without = secure_answer(&offer, &local(2), &device(2), 2, 1)
        .unwrap()
        .0;
    without.media[0].attributes.remove("fingerprint");
    assert_eq!(
        secure_answer_received(&offer, &without).unwrap_err(),
        SecureNegotiationError::Security(SecurityError::Missing("fingerprint"))
    );
    let mut undecided = secure_answer(&offer, &local(2), &device(2), 2, 1)
        .unwrap()
        .0;
    undecided.media[0].attributes.remove("setup");
    undecided.media[0].attributes.push("setup", Some("actpass"));
    assert_eq!(
        secure_answer_received(&offer, &undecided).unwrap_err(),
        SecureNegotiationError::Setup(Setup::ActPass)
    );
}

#[test]
fn the_best_of_several_streams_is_taken() {
    let mut offer = secure_offer(&local(1), &Security::Plain, 1, 1);
    let better = secure_offer(&local(1), &Security::Dtls(dtls(1)), 1, 1);
    offer.media.push(better.media[0].clone());
    let (answer, _, agreed) = secure_answer(&sent(&offer), &local(2), &anything(2), 2, 1).unwrap();
    assert!(matches!(agreed, Agreed::Dtls { .. }));
    let ports: Vec<u16> = answer.media.iter().map(|m| m.port).collect();
    assert_eq!(ports, [0, 4002]);
    assert_eq!(answer.media[0].protocol, "RTP/AVP");
    assert_eq!(answer.media[1].protocol, "UDP/TLS/RTP/SAVPF");
}

#[test]
fn a_browser_is_answered_with_its_mid_and_bundle() {
    let text = "v=0\r\no=- 46117 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-options:trickle\r\n\
        a=fingerprint:sha-256 AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB\r\n\
        a=setup:actpass\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8 126\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtcp-mux\r\n\
        a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n\
        a=candidate:1467250027 1 udp 2122260223 5c2a3f60-73e5-4ad1-95c8-000000000000.local 46243 typ host generation 0 network-id 1\r\n\
        a=rtpmap:126 telephone-event/8000\r\n";
    let offer = SessionDescription::parse(text.as_bytes()).unwrap();
    let (answer, negotiated, agreed) = secure_answer(&offer, &local(2), &device(2), 2, 1).unwrap();
    insta::assert_snapshot!("answer_to_a_browser", answer.to_string());
    assert_eq!(
        (negotiated.codec, negotiated.payload_type),
        (Codec::G722, 9)
    );
    let Agreed::Dtls { theirs, .. } = agreed else {
        panic!("{agreed:?}");
    };
    assert_eq!(theirs.candidates.len(), 1);
    assert_eq!(theirs.candidates[0].udp_address(), None);
}

#[test]
fn hold_keeps_the_protection() {
    let offer = secure_offer(&local(1), &Security::Dtls(dtls(1)), 1, 1);
    let (answer, ..) = secure_answer(&offer, &local(2), &device(2), 2, 1).unwrap();
    secure_answer_received(&offer, &answer).unwrap();
    let held = local(1).with_direction(Direction::SendOnly);
    let mut ours = dtls(1);
    ours.setup = Setup::Passive;
    let again = secure_reoffer(&offer, &held, &Security::Dtls(ours));
    assert_eq!(again.origin.version, 2);
    let (answer, negotiated, agreed) =
        secure_answer(&sent(&again), &local(2), &device(2), 2, 2).unwrap();
    assert_eq!(negotiated.direction, Direction::RecvOnly);
    assert!(matches!(
        agreed,
        Agreed::Dtls {
            role: DtlsRole::Client,
            ..
        }
    ));
    let (negotiated, agreed) = secure_answer_received(&again, &answer).unwrap();
    assert_eq!(negotiated.direction, Direction::SendOnly);
    assert!(matches!(
        agreed,
        Agreed::Dtls {
            role: DtlsRole::Server,
            ..
        }
    ));
}

#[test]
fn a_later_offer_of_a_browser_keeps_the_end_of_the_handshake() {
    // The browser answered our first offer and took the active end; its own later offer leaves both to us.
    let later = sent(&secure_offer(&local(1), &Security::Dtls(dtls(1)), 1, 1));
    let mut passive = device(2);
    passive.dtls.as_mut().unwrap().setup = Setup::Passive;
    let (answer, _, agreed) = secure_answer(&later, &local(2), &passive, 2, 2).unwrap();
    assert_eq!(answer.media[0].attributes.get("setup"), Some("passive"));
    assert!(matches!(
        agreed,
        Agreed::Dtls {
            role: DtlsRole::Server,
            ..
        }
    ));
    secure_answer_received(&later, &answer).unwrap();
}

#[test]
fn streams_that_promise_and_do_not_keep_are_errors() {
    let offer = secure_offer(&local(1), &Security::Dtls(dtls(1)), 1, 1);
    let without = |name: &str| {
        let mut offer = offer.clone();
        offer.media[0].attributes.remove(name);
        secure_answer(&offer, &local(2), &anything(2), 2, 1).unwrap_err()
    };
    assert_eq!(without("rtcp-mux"), SecurityError::NoRtcpMux.into());
    for name in ["fingerprint", "setup", "ice-ufrag", "ice-pwd"] {
        assert_eq!(without(name), SecurityError::Missing(name).into());
    }
    let mut weak = offer.clone();
    weak.media[0].attributes.remove("fingerprint");
    let sha1 = format!("sha-1 {}", ["AB"; 20].join(":"));
    weak.media[0].attributes.push("fingerprint", Some(&sha1));
    assert_eq!(
        secure_answer(&weak, &local(2), &anything(2), 2, 1).unwrap_err(),
        SecurityError::Missing("fingerprint").into()
    );
    let mut many = offer.clone();
    for _ in 0..70 {
        let one = Candidate::host(([192, 0, 2, 1], 9).into(), 1).to_string();
        many.media[0].attributes.push("candidate", Some(&one));
    }
    assert_eq!(
        secure_answer(&many, &local(2), &anything(2), 2, 1).unwrap_err(),
        SecurityError::TooMany("candidate").into()
    );
    let mut unknown = offer;
    "TCP/DTLS/RTP/SAVP".clone_into(&mut unknown.media[0].protocol);
    assert_eq!(
        secure_answer(&unknown, &local(2), &anything(2), 2, 1).unwrap_err(),
        SecurityError::UnknownProfile.into()
    );
    let rejected = secure_offer(&local(1), &Security::Plain, 1, 1);
    let mut gone = rejected.clone();
    gone.media[0].port = 0;
    assert_eq!(
        secure_answer_received(&rejected, &gone).unwrap_err(),
        NegotiationError::Rejected.into()
    );
}

#[test]
fn crypto_lines_by_the_rfc() {
    let key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
    let read = |text: &str| Crypto::parse(&text.replace("KEY", key));
    let taken = |text: &str| read(text).unwrap().is_some();
    assert!(taken("1 AES_CM_128_HMAC_SHA1_80 inline:KEY"));
    assert!(taken("1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20"));
    assert!(taken(
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|1048576 WSH=64 -new=1"
    ));
    // Well formed and not for us.
    for other in [
        "1 AES_CM_128_HMAC_SHA1_32 inline:KEY",
        "1 F8_128_HMAC_SHA1_80 inline:KEY",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20|1:4",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|1:4",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20;inline:KEY",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY UNENCRYPTED_SRTP",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY KDR=1",
    ] {
        assert!(!taken(other), "{other}");
    }
    for broken in [
        "",
        "x AES_CM_128_HMAC_SHA1_80 inline:KEY",
        "01 AES_CM_128_HMAC_SHA1_80 inline:KEY",
        "1234567890 AES_CM_128_HMAC_SHA1_80 inline:KEY",
        "1 AES_CM_128_HMAC_SHA1_80",
        "1 AES_CM_128_HMAC_SHA1_80 KEY",
        "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        "1 AES_CM_128_HMAC_SHA1_80 inline:!!!!",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^49",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|0",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|x:4",
    ] {
        assert!(read(broken).is_err(), "{broken}");
    }
}

#[test]
fn candidates_by_the_rfc() {
    let nat =
        "2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998 generation 0";
    let read = Candidate::parse(nat).unwrap();
    assert_eq!(read.kind, CandidateKind::ServerReflexive);
    assert_eq!(read.to_string(), nat.replace("UDP", "udp"));
    let six = Candidate::parse("1 1 udp 2130706431 2001:db8::8a2e:370:7334 8998 typ host").unwrap();
    assert_eq!(
        six.udp_address(),
        Some("[2001:db8::8a2e:370:7334]:8998".parse().unwrap())
    );
    let tcp = Candidate::parse("1 1 TCP 99 192.0.2.3 9 typ host tcptype active").unwrap();
    assert_eq!(tcp.udp_address(), None);
    for broken in [
        "",
        "1 1 udp 1 192.0.2.3 9 typ",
        "1 0 udp 1 192.0.2.3 9 typ host",
        "1 257 udp 1 192.0.2.3 9 typ host",
        "1 1 udp 0 192.0.2.3 9 typ host",
        "1 1 udp 2147483648 192.0.2.3 9 typ host",
        "1 1 udp 1 192.0.2.3 65536 typ host",
        "1 1 udp 1 [2001:db8::1] 9 typ host",
        "1 1 udp 1 192.0.2.3 9 typ other",
        "1 1 udp 1 192.0.2.3 9 typ host name",
        "- 1 udp 1 192.0.2.3 9 typ host",
        "1 1  udp 1 192.0.2.3 9 typ host",
    ] {
        assert!(Candidate::parse(broken).is_err(), "{broken}");
    }
    assert!(IceCredentials::new("abc", &"p".repeat(22)).is_err());
    assert!(IceCredentials::new("abcd", &"p".repeat(21)).is_err());
    assert!(IceCredentials::new("abcd", &"p".repeat(257)).is_err());
    assert!(IceCredentials::new("ab d", &"p".repeat(22)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_is_read_or_refused(text in "[ -~]{0,120}", bytes in any::<Vec<u8>>()) {
        let text = [text, String::from_utf8_lossy(&bytes).into_owned()];
        for text in &text {
            if let Ok(Some(read)) = Fingerprint::parse(text) {
                prop_assert_eq!(Fingerprint::parse(&read.to_string()), Ok(Some(read)));
            }
            if let Ok(read) = Candidate::parse(text) {
                prop_assert_eq!(Candidate::parse(&read.to_string()), Ok(read));
            }
            if let Ok(Some(read)) = Crypto::parse(text) {
                prop_assert_eq!(Crypto::parse(&read.to_string()), Ok(Some(read)));
            }
            let _ = (Setup::parse(text), parse_ice_options(text), Profile::parse(text));
        }
    }

    #[test]
    fn nearly_right_candidates(
        words in proptest::collection::vec(prop_oneof![
            Just("1"), Just("256"), Just("udp"), Just("2130706431"), Just("192.0.2.1"), Just("2001:db8::1"),
            Just("x.local"), Just("9"), Just("typ"), Just("host"), Just("raddr"), Just("rport"), Just("")
        ], 0..14)
    ) {
        let head = "1 1 udp 2130706431 192.0.2.1 9 typ host";
        for text in [words.join(" "), format!("{head} {}", words.join(" "))] {
            if let Ok(read) = Candidate::parse(&text) {
                prop_assert_eq!(Candidate::parse(&read.to_string()), Ok(read));
            }
        }
    }

    #[test]
    fn every_key_and_digest_comes_back(digest in any::<[u8; 32]>(), key in any::<[u8; 30]>(), tag in 0u32..1_000_000_000) {
        let fingerprint = Fingerprint::sha256(digest);
        let text = fingerprint.to_string();
        prop_assert_eq!(Fingerprint::parse(&text.to_lowercase()), Ok(Some(fingerprint)));
        let crypto = Crypto::new(tag, CryptoSuite::AesCm128HmacSha1_80, &key).unwrap();
        prop_assert_eq!(Crypto::parse(&crypto.to_string()), Ok(Some(crypto)));
    }
}
