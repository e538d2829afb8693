//! A 500-byte INVITE: parsed, its typed views read, written again.
#![allow(clippy::unwrap_used)] // a failing benchmark may stop
#![allow(missing_docs)] // made by criterion's macros

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hearthline_sip::validate::validate_request;
use hearthline_sip::{Limits, Message, parse_datagram};

const INVITE: &[u8] = b"INVITE sip:bob@biloxi.example.com;transport=udp SIP/2.0\r\n\
    Via: SIP/2.0/UDP pc33.atlanta.example.com:5060;branch=z9hG4bK776asdhds;rport\r\n\
    Max-Forwards: 70\r\n\
    To: \"Bob\" <sip:bob@biloxi.example.com>\r\n\
    From: \"Alice\" <sip:alice@atlanta.example.com>;tag=1928301774\r\n\
    Call-ID: a84b4c76e66710@pc33.atlanta.example.com\r\n\
    CSeq: 314159 INVITE\r\n\
    Contact: <sip:alice@pc33.atlanta.example.com:5060>\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length: 87\r\n\r\n\
    v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

fn benches(c: &mut Criterion) {
    let limits = Limits::default();
    c.bench_function("parse", |b| {
        b.iter(|| parse_datagram(black_box(INVITE), &limits).unwrap());
    });
    c.bench_function("parse, validate with all typed views, write", |b| {
        b.iter(|| {
            let message = parse_datagram(black_box(INVITE), &limits).unwrap();
            let Message::Request(request) = message else {
                unreachable!("an INVITE")
            };
            validate_request(&request).unwrap();
            request.to_bytes()
        });
    });
}

criterion_group!(group, benches);
criterion_main!(group);
