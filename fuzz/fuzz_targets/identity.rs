//! Identity rows from anybody: read or refused, never believed without the check.
#![no_main]

use hearthline_sip::identity::{Expected, Identities, Passport, sign};
use hearthline_sip::sdp::SessionDescription;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(passport) = Passport::parse(bytes) else {
        return;
    };
    let claims = passport.claims;
    // What was read is written again, unless it is of a length that only fits without our own header.
    if let Ok(row) = sign(&claims, &passport.certificate, |_| Some(vec![7; 64])) {
        assert_eq!(Passport::parse(row.as_bytes()).map(|again| again.claims), Ok(claims.clone()));
    }
    let Ok(description) = SessionDescription::parse(
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 AA\r\n",
    ) else {
        unreachable!("it is right");
    };
    let expected = Expected {
        origin: claims.origin.clone(),
        destination: claims.destination.clone(),
        call_id: &claims.call_id,
        description: &description,
        now_s: claims.issued_at,
    };
    assert!(Identities::new().verify(bytes, &expected, |_| false).is_err());
});
