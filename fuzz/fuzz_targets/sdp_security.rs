//! Keys, fingerprints and candidates of hostile descriptions, and what a protected answer makes of them.
#![no_main]

use hearthline_sip::offer_answer::LocalAudio;
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::sdp::crypto::{Crypto, CryptoSuite};
use hearthline_sip::sdp::fingerprint::{Fingerprint, Setup};
use hearthline_sip::sdp::ice::{Candidate, IceCredentials};
use hearthline_sip::sdp::profile::Protection;
use hearthline_sip::sdp::secure_offer_answer::{
    Agreed, SecurityPolicy, secure_answer, secure_answer_received, secure_offer,
};
use hearthline_sip::sdp::security::{DtlsDescription, Security};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(read) = Candidate::parse(text) {
            assert_eq!(Candidate::parse(&read.to_string()), Ok(read));
        }
        if let Ok(Some(read)) = Crypto::parse(text) {
            assert_eq!(Crypto::parse(&read.to_string()), Ok(Some(read)));
        }
        if let Ok(Some(read)) = Fingerprint::parse(text) {
            assert_eq!(Fingerprint::parse(&read.to_string()), Ok(Some(read)));
        }
    }
    let Ok(description) = SessionDescription::parse(bytes) else {
        return;
    };
    let local = LocalAudio::new([192, 0, 2, 1].into(), 4000);
    let (Ok(credentials), Ok(key)) = (
        IceCredentials::new("frag", "pppppppppppppppppppppp"),
        Crypto::new(1, CryptoSuite::AesCm128HmacSha1_80, &[7; 30]),
    ) else {
        unreachable!("both are right");
    };
    let dtls = DtlsDescription {
        fingerprints: vec![Fingerprint::sha256([1; 32])],
        setup: Setup::ActPass,
        credentials,
        lite: false,
        options: Vec::new(),
        candidates: Vec::new(),
    };
    let offer = secure_offer(&local, &Security::Dtls(dtls.clone()), 1, 1);
    let _ = secure_answer_received(&offer, &description);
    for least in [Protection::Plain, Protection::Sdes, Protection::Dtls] {
        let policy = SecurityPolicy {
            least,
            dtls: Some(dtls.clone()),
            sdes: vec![key.clone()],
        };
        if let Ok((answer, _, agreed)) = secure_answer(&description, &local, &policy, 1, 1) {
            let given = match agreed {
                Agreed::Plain => Protection::Plain,
                Agreed::Sdes { .. } => Protection::Sdes,
                Agreed::Dtls { .. } => Protection::Dtls,
            };
            assert!(given >= least);
            assert_eq!(answer.media.len(), description.media.len());
            assert_eq!(SessionDescription::parse(&answer.to_bytes()), Ok(answer));
        }
    }
});
