//! Bodies of several parts; parts put together again come apart the same.
#![no_main]

use hearthline_sip::media_type::MediaType;
use hearthline_sip::multipart::{MultipartLimits, Part, build, find_by_cid, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = MultipartLimits::default();
    let mixed = MediaType::parse(b"multipart/mixed;boundary=b").expect("a media type");
    if let Ok(parts) = parse(&mixed, bytes, &limits) {
        let _ = find_by_cid(&parts, "cid:a%40b");
        for part in &parts {
            let _ = part.decoded();
        }
    }
    let parts: Vec<Part> = bytes
        .split(|&b| b == 0)
        .take(8)
        .map(|body| Part::new("application/x", body))
        .collect();
    let (content_type, body) = build(&parts);
    let content_type = MediaType::parse(content_type.as_bytes()).expect("our own media type");
    assert_eq!(parse(&content_type, &body, &limits), Ok(parts));
});
