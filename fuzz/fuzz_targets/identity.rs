//! Identity rows from anybody: read or refused, never believed without the check.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hearthline_sip::identity::{Expected, Identities, Passport, sign};
use hearthline_sip::sdp::SessionDescription;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    // The same octets as header and payload of a token, which mutations of base64 hardly reach.
    let middle = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(bytes.len());
    let (header, payload) = bytes.split_at(middle);
    let parts = [header, payload, &[7; 64]].map(|part| URL_SAFE_NO_PAD.encode(part));
    check(format!("{};info=<urn:x:y>", parts.join(".")).as_bytes());
    let known = r#"{"alg":"ES256","typ":"passport","x5c":["AAAA"],"x5u":"urn:x:y"}"#;
    let parts = [known.as_bytes(), bytes, &[7; 64]].map(|part| URL_SAFE_NO_PAD.encode(part));
    check(format!("{};info=<urn:x:y>", parts.join(".")).as_bytes());
});

fn check(bytes: &[u8]) {
    let Ok(passport) = Passport::parse(bytes) else {
        return;
    };
    let claims = passport.claims;
    // What was read is written again, unless it is of a length that only fits without our own header.
    if let Ok(row) = sign(&claims, &passport.certificate, |_| Some(vec![7; 64])) {
        assert_eq!(
            Passport::parse(row.as_bytes()).map(|again| again.claims),
            Ok(claims.clone())
        );
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
    assert!(
        Identities::new()
            .verify(bytes, &expected, |_| false)
            .is_err()
    );
}
