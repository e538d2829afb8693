//! Generated messages survive the wire; damaged ones are errors, never panics.
#![allow(clippy::unwrap_used)] // helpers of tests are tests
#![allow(clippy::disallowed_methods)] // reads the vectors

use std::path::Path;

use hearthline_sip::framer::StreamFramer;
use hearthline_sip::validate::{validate_request, validate_response};
use hearthline_sip::{
    HeaderName, Limits, Message, Method, Request, Response, StatusCode, Uri, parse_datagram,
};
use proptest::prelude::*;

fn header() -> impl Strategy<Value = (HeaderName, Vec<u8>)> {
    let name = prop_oneof![
        Just("Via"),
        Just("v"),
        Just("From"),
        Just("t"),
        Just("m"),
        Just("CSeq"),
        Just("Call-ID"),
        Just("X-Unknown"),
        Just("Route"),
        Just("Authorization"),
        Just("Supported"),
        Just("Date"),
    ];
    let text = "[ -~\t]{0,60}".prop_map(String::into_bytes);
    let any_bytes = proptest::collection::vec(any::<u8>(), 0..60);
    let plausible = prop_oneof![
        Just("<sip:a@example.com>;tag=x, \"B \\\" C\" <tel:+15550100>"),
        Just("SIP/2.0/TCP [2001:db8::1]:5060;branch=z9hG4bKa;received=2001:db8::9;rport=1"),
        Just("4294967295 INVITE"),
        Just("Digest realm=\"a\", nonce=\"b\\\"c\", qop=\"auth,auth-int\""),
    ]
    .prop_map(|text: &str| text.as_bytes().to_vec());
    (name, prop_oneof![text, any_bytes, plausible])
        .prop_map(|(name, value)| (HeaderName::parse(name.as_bytes()).unwrap(), value))
}

fn message() -> impl Strategy<Value = Message> {
    let method = prop_oneof![Just("INVITE"), Just("ACK"), Just("REGISTER"), Just("x-%y")];
    let uri = prop_oneof![
        Just("sip:a%00b@example.com;lr"),
        Just("tel:911"),
        Just("urn:service:sos"),
        Just("x:y"),
    ];
    let headers = proptest::collection::vec(header(), 0..12);
    let body = proptest::collection::vec(any::<u8>(), 0..200);
    let reason = proptest::collection::vec(any::<u8>(), 0..20);
    (
        any::<bool>(),
        method,
        uri,
        100u16..700,
        reason,
        headers,
        body,
    )
        .prop_map(|(is_request, method, uri, code, reason, headers, body)| {
            let mut message = if is_request {
                let method = Method::parse(method).unwrap();
                Message::from(Request {
                    body,
                    ..Request::new(method, Uri::parse(uri).unwrap())
                })
            } else {
                let no_breaks = |b: u8| if matches!(b, b'\r' | b'\n') { b' ' } else { b };
                let reason = reason.into_iter().map(no_breaks).collect();
                let status = StatusCode::new(code).unwrap();
                Message::from(Response {
                    reason,
                    body,
                    ..Response::new(status)
                })
            };
            for (name, value) in headers {
                message.headers_mut().push(name, value);
            }
            message
        })
}

/// Everything that can be read of a message, read.
fn read_all(message: &Message) {
    match message {
        Message::Request(request) => drop(validate_request(request)),
        Message::Response(response) => drop(validate_response(response)),
    }
    let headers = message.headers();
    drop((
        headers.top_via(),
        headers.reasons(),
        headers.warnings(),
        headers.retry_after(),
    ));
    drop((
        headers.expires(),
        headers.min_expires(),
        headers.asserted_identities(),
    ));
    drop((
        headers.call_info(),
        headers.geolocation_routing(),
        headers.flow_timer(),
    ));
    let mut copy = headers.clone();
    while copy.remove_top_via().is_ok() {}
    let limits = hearthline_sip::multipart::MultipartLimits::default();
    let parts = hearthline_sip::multipart::parts_of(headers, message.body(), &limits);
    for part in parts.unwrap_or_default() {
        let _ = part.decoded();
        let _ = hearthline_sip::sdp::SessionDescription::parse(&part.body);
    }
}

fn torture() -> Vec<Vec<u8>> {
    let path = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/conformance/rfc4475"
    ));
    let Ok(entries) = std::fs::read_dir(path) else {
        println!("skipped: the RFC 4475 vectors are not beside this checkout");
        return vec![
            b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\n\r\n".to_vec(),
        ];
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "dat"))
        .map(|p| std::fs::read(p).unwrap())
        .collect()
}

fn feed_everything(bytes: &[u8]) {
    let limits = Limits::default();
    if let Ok(message) = parse_datagram(bytes, &limits) {
        read_all(&message);
        let written = message.to_bytes();
        assert_eq!(parse_datagram(&written, &limits).as_ref(), Ok(&message));
    }
    let mut framer = StreamFramer::new(limits);
    framer.push(bytes);
    while framer.next_frame().is_some() {}
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_messages_are_read_the_same(message in message()) {
        let again = parse_datagram(&message.to_bytes(), &Limits::default());
        prop_assert_eq!(again.as_ref(), Ok(&message));
        read_all(&message);
    }

    #[test]
    fn any_bytes_behind_a_plausible_start(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        feed_everything(&bytes);
        feed_everything(&[b"INVITE sip:a@example.com SIP/2.0\r\n", &bytes[..]].concat());
        feed_everything(&[b"SIP/2.0 200 OK\r\nVia: ", &bytes[..], b"\r\n\r\n"].concat());
    }
}

/// 20,000 damaged torture messages: bytes changed, dropped, doubled, ranges moved.
#[test]
fn damaged_torture_messages_never_panic() {
    let files = torture();
    // xorshift64*: the same damage in every run.
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move |below: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        usize::try_from(state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % below.max(1)
    };
    const SPICE: [&[u8]; 10] = [
        b"\r\n",
        b"\"",
        b"<",
        b">",
        b"%",
        b":",
        b";",
        b",",
        b"\xff",
        b"18446744073709551615",
    ];
    for round in 0..20_000 {
        let mut bytes = files[round % files.len()].clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            let end = (at + random(16)).min(bytes.len());
            match random(5) {
                0 => bytes[at] = u8::try_from(random(256)).unwrap(),
                1 => drop(bytes.drain(at..end)),
                2 => drop(bytes.splice(at..at, SPICE[random(SPICE.len())].iter().copied())),
                3 => bytes.extend_from_within(at..end),
                _ => bytes.truncate(at.max(1)),
            }
            if bytes.is_empty() {
                bytes.push(b'S');
            }
        }
        feed_everything(&bytes);
    }
}
