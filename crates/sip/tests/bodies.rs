//! Bodies: several parts, session descriptions, offers and answers.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use hearthline_sip::media_type::MediaType;
use hearthline_sip::multipart::{
    MultipartError, MultipartLimits, Part, build, find_by_cid, find_by_type, parse, parts_of,
};
use hearthline_sip::offer_answer::{
    Codec, LocalAudio, NegotiationError, answer, answer_received, offer, reoffer,
};
use hearthline_sip::sdp::{Direction, SessionDescription};
use hearthline_sip::{HeaderName, Headers};
use proptest::prelude::*;

fn take_apart(content_type: &str, body: &[u8]) -> Result<Vec<Part>, MultipartError> {
    parse(
        &MediaType::parse(content_type.as_bytes()).unwrap(),
        body,
        &MultipartLimits::default(),
    )
}

#[test]
fn parts_keep_their_bytes_and_are_found_by_reference() {
    let location = b"<presence/>\r\n--x\r\n\xff\x00".to_vec();
    let parts = [
        Part::new("application/sdp", "v=0\r\n"),
        Part::new("application/pidf+xml", location.clone())
            .with_id("target%1@home.example.com")
            .with_disposition("by-reference;handling=optional"),
        Part::new("text/plain", ""),
    ];
    let (content_type, body) = build(&parts);
    let read = take_apart(&content_type, &body).unwrap();
    assert_eq!(read, parts);
    let found = find_by_cid(&read, "cid:target%251@home.example.com").unwrap();
    assert_eq!(found.body, location);
    assert_eq!(find_by_cid(&read, "target%1@home.example.com"), Some(found));
    assert_eq!(find_by_cid(&read, "cid:other@home.example.com"), None);
    assert_eq!(
        find_by_type(&read, "APPLICATION/SDP").unwrap().body,
        b"v=0\r\n"
    );
}

#[test]
fn preamble_epilogue_padding_and_default_type() {
    let body = b"preamble\r\n--b1x\r\n--b1 \t\r\n\r\nfirst\r\n--b1\r\nContent-Type: text/x;\r\n charset=y\r\n\r\n\
        --b1y is not a boundary\r\n\r\n--b1--\r\nepilogue --b1\r\n";
    let parts = take_apart("multipart/mixed;boundary=\"b1\"", body).unwrap();
    assert_eq!(parts.len(), 2);
    assert_eq!(
        (
            parts[0].body.as_slice(),
            parts[0].content_type().unwrap().essence()
        ),
        (&b"first"[..], "text/plain")
    );
    assert_eq!(parts[1].body, b"--b1y is not a boundary\r\n");
    assert_eq!(
        parts[1].content_type().unwrap().params.get("charset"),
        Some("y")
    );
}

#[test]
fn transfer_encodings() {
    let mut part = Part::new("text/plain", "aGVs\r\nbG8=\r\n");
    part.headers
        .push(HeaderName::ContentTransferEncoding, "Base64");
    assert_eq!(part.decoded().unwrap(), b"hello");
    part.body = b"!!".to_vec();
    assert_eq!(part.decoded(), Err(MultipartError::Encoding));
    part.headers
        .set(HeaderName::ContentTransferEncoding, "uuencode");
    assert_eq!(part.decoded(), Err(MultipartError::Encoding));
}

#[test]
fn damaged_multiparts_are_errors() {
    let mixed = "multipart/mixed;boundary=b";
    assert_eq!(
        take_apart("multipart/mixed", b"--b\r\n\r\n--b--"),
        Err(MultipartError::Boundary)
    );
    assert_eq!(take_apart(mixed, b"nothing"), Err(MultipartError::NoParts));
    assert_eq!(
        take_apart(mixed, b"--b\r\n\r\ncut of"),
        Err(MultipartError::Unclosed)
    );
    assert!(matches!(
        take_apart(mixed, b"--b\r\nno colon\r\n\r\nx\r\n--b--"),
        Err(MultipartError::Header(1, _))
    ));
    let many = [&b"--b\r\n\r\n\r\n".repeat(33)[..], b"--b--"].concat();
    assert_eq!(take_apart(mixed, &many), Err(MultipartError::TooManyParts));
    let long = [b"--b\r\nX: ", &b"y".repeat(5000)[..], b"\r\n\r\n\r\n--b--"].concat();
    assert_eq!(
        take_apart(mixed, &long),
        Err(MultipartError::HeaderTooLong(1))
    );
}

#[test]
fn nesting_has_a_limit() {
    let mut part = Part::new("text/plain", "innermost").with_id("deep@x");
    for _ in 0..2 {
        let (content_type, body) = build(std::slice::from_ref(&part));
        part = Part::new(&content_type, body);
    }
    let (content_type, body) = build(std::slice::from_ref(&part));
    let parts = take_apart(&content_type, &body).unwrap();
    assert_eq!(
        find_by_cid(&parts, "cid:deep@x").unwrap().body,
        b"innermost"
    );
    let (content_type, body) = build(&[Part::new(&content_type, body)]);
    assert_eq!(
        take_apart(&content_type, &body),
        Err(MultipartError::TooDeep)
    );
}

#[test]
fn a_single_body_is_its_only_part() {
    let mut headers = Headers::new();
    headers.push(HeaderName::ContentType, "application/sdp");
    let limits = MultipartLimits::default();
    assert_eq!(parts_of(&headers, b"v=0", &limits).unwrap()[0].body, b"v=0");
    assert!(parts_of(&headers, b"", &limits).unwrap().is_empty());
}

fn sdp(text: &str) -> SessionDescription {
    SessionDescription::parse(text.replace('\n', "\r\n").as_bytes()).unwrap()
}

const SESSION: &str = "v=0\no=alice 1 2 IN IP4 192.0.2.9\ns=call\nc=IN IP4 192.0.2.9\nt=0 0\n";

#[test]
fn descriptions_keep_what_they_do_not_know() {
    let text = "v=0\no=- 1 2 IN IP6 2001:db8::1\ns= \ni=about\nu=http://example.com/\nc=IN IP6 2001:db8::1\n\
        b=AS:64\nt=0 0\nr=7d 1h 0\nk=prompt\na=tool:x y:z\na=flag\nm=audio 4000/2 RTP/AVP 0 97\ni=title\n\
        c=IN IP4 pbx.example.com\nb=TIAS:1\na=rtpmap:97 iLBC/8000\na=x-unknown: \u{fc} \nm=video 0 RTP/SAVP 31\n";
    let read = sdp(text);
    assert_eq!(read.to_string(), text.replace('\n', "\r\n"));
    assert_eq!(
        SessionDescription::parse(text.as_bytes()),
        Ok(read),
        "LF alone is read too"
    );
}

#[test]
fn damaged_descriptions_name_their_line() {
    for (text, line) in [
        ("", 1),
        ("o=x\n", 1),
        ("v=1\n", 1),
        ("v=0\nv=0\n", 2),
        ("v=0\no=- 1 1 IN IP4 1.2.3.4\n", 2),
        ("v=0\no=- 1 1 IN IP4\n", 2),
        ("v=0\no=- x 1 IN IP4 1.2.3.4\n", 2),
        ("v=0\no=- 1 1 IN IP6 1.2.3.4\n", 2),
        ("v=0\no=- 1 1 IN IP4 ::1\n", 2),
        ("v=0\no=- 1 1 ATM IP4 1.2.3.4\n", 2),
        ("v=0\nnonsense\n", 2),
        ("v=0\nm=audio x RTP/AVP 0\n", 2),
        ("v=0\nm=audio 70000 RTP/AVP 0\n", 2),
        ("v=0\nm=audio 1 RTP/AVP\n", 2),
        ("v=0\nt=now\n", 2),
        ("v=0\na=\n", 2),
        (
            "v=0\no=- 1 1 IN IP4 1.2.3.4\ns=-\nt=0 0\nm=audio 1 RTP/AVP 0\n",
            5,
        ),
    ] {
        assert_eq!(
            SessionDescription::parse(text.as_bytes()).unwrap_err().line,
            line,
            "{text:?}"
        );
    }
    assert!(SessionDescription::parse(b"v=0\r\ns=\xff\r\n").is_err());
}

fn local(port: u16) -> LocalAudio {
    LocalAudio::new("192.0.2.1".parse().unwrap(), port)
}

#[test]
fn two_of_us_agree_on_the_best_codec() {
    let offered = offer(&local(4000), 1, 1);
    let (answered, ours) = answer(&offered, &local(5000), 2, 1).unwrap();
    let theirs = answer_received(&offered, &answered).unwrap();
    assert_eq!((ours.codec, theirs.codec), (Codec::G722, Codec::G722));
    assert_eq!((ours.remote_port, theirs.remote_port), (4000, 5000));
    assert_eq!(
        (ours.telephone_event, theirs.telephone_event),
        (Some(101), Some(101))
    );
    assert_eq!(
        (ours.direction, theirs.direction),
        (Direction::SendRecv, Direction::SendRecv)
    );
    let text = answered.to_string();
    assert_eq!(SessionDescription::parse(text.as_bytes()), Ok(answered));
}

#[test]
fn the_offerers_order_and_numbers_are_kept() {
    let offered = sdp(&format!(
        "{SESSION}m=audio 4000 RTP/AVP 18 111 120 96 0\na=rtpmap:111 opus/48000/2\na=rtpmap:120 pcma/8000\n\
         a=rtpmap:96 telephone-event/8000\na=fmtp:96 0-15\na=ptime:30\n"
    ));
    let (answered, got) = answer(&offered, &local(5000), 2, 1).unwrap();
    assert_eq!(
        (
            got.codec,
            got.payload_type,
            got.telephone_event,
            got.ptime_ms
        ),
        (Codec::Pcma, 120, Some(96), 30)
    );
    assert_eq!(answered.media[0].formats, ["120", "96"]);
    assert_eq!(answered.media[0].fmtp(96), Some("0-16"));
}

#[test]
fn streams_we_do_not_take_are_refused_in_place() {
    let offered = sdp(&format!(
        "{SESSION}m=video 4002 RTP/AVP 31\nm=audio 4004 RTP/SAVP 0\nm=audio 0 RTP/AVP 0\nm=audio 4000 RTP/AVP 0 8\n\
         m=audio 4006 RTP/AVP 0\nm=text 4008 RTP/AVP 98\na=rtpmap:98 t140/1000\n"
    ));
    let (answered, got) = answer(&offered, &local(5000), 2, 1).unwrap();
    let ports: Vec<_> = answered.media.iter().map(|m| m.port).collect();
    assert_eq!(ports, [0, 0, 0, 5000, 0, 0]);
    assert_eq!(answered.media[5].kind, "text");
    assert_eq!((got.remote_port, got.telephone_event), (4000, None));
    let nothing = sdp(&format!("{SESSION}m=audio 4000 RTP/AVP 18\n"));
    assert_eq!(
        answer(&nothing, &local(5000), 2, 1).unwrap_err(),
        NegotiationError::NothingAcceptable
    );
}

#[test]
fn hold_and_resume() {
    let first = offer(&local(4000), 1, 1);
    let held = reoffer(&first, &local(4000).with_direction(Direction::SendOnly));
    assert_eq!((held.origin.version, held.origin.session_id), (2, 1));
    let (answered, peer) = answer(&held, &local(5000), 2, 1).unwrap();
    assert_eq!(
        answered.media[0].attributes.direction(),
        Some(Direction::RecvOnly)
    );
    assert_eq!(peer.direction, Direction::RecvOnly);
    assert_eq!(
        answer_received(&held, &answered).unwrap().direction,
        Direction::SendOnly
    );
    for (line, expected) in [
        ("a=inactive\n", Direction::Inactive),
        ("a=recvonly\n", Direction::SendOnly),
        ("c=IN IP4 0.0.0.0\n", Direction::RecvOnly),
    ] {
        let offered = sdp(&format!("{SESSION}m=audio 4000 RTP/AVP 0\n{line}"));
        assert_eq!(
            answer(&offered, &local(5000), 2, 1).unwrap().1.direction,
            expected,
            "{line}"
        );
    }
}

#[test]
fn a_later_offer_keeps_places_and_numbers() {
    let offered = sdp(&format!(
        "{SESSION}m=video 4002 RTP/AVP 31\nm=audio 4000 RTP/AVP 120 101\na=rtpmap:120 PCMU/8000\na=rtpmap:101 opus/48000/2\n"
    ));
    let (answered, _) = answer(&offered, &local(5000), 2, 7).unwrap();
    let later = reoffer(&answered, &local(5002));
    assert_eq!(later.origin.version, 8);
    assert_eq!(
        (later.media[0].kind.as_str(), later.media[0].port),
        ("video", 0)
    );
    assert_eq!(later.media[1].rtpmap(120).unwrap().encoding, "PCMU");
    assert_eq!(later.media[1].port, 5002);
}

#[test]
fn answers_that_break_the_rules() {
    let offered = offer(&local(4000), 1, 1);
    let reply =
        |text: &str| answer_received(&offered, &sdp(&format!("{SESSION}{text}"))).unwrap_err();
    assert_eq!(
        reply(""),
        NegotiationError::SectionCount {
            offered: 1,
            answered: 0
        }
    );
    assert_eq!(reply("m=audio 0 RTP/AVP 0\n"), NegotiationError::Rejected);
    assert_eq!(reply("m=video 4 RTP/AVP 0\n"), NegotiationError::Rejected);
    assert_eq!(reply("m=audio 4 RTP/SAVP 0\n"), NegotiationError::Rejected);
    assert_eq!(
        reply("m=audio 4 RTP/AVP 18\n"),
        NegotiationError::NoCommonCodec
    );
}

fn codecs() -> impl Strategy<Value = Vec<Codec>> {
    Just(vec![Codec::Pcmu, Codec::Pcma, Codec::G722])
        .prop_shuffle()
        .prop_flat_map(|all| (1..=3usize).prop_map(move |n| all[..n].to_vec()))
}

fn direction() -> impl Strategy<Value = Direction> {
    (any::<bool>(), any::<bool>()).prop_map(|(sends, receives)| Direction::new(sends, receives))
}

proptest! {
    /// RFC 3264: same number of sections; both ends see the same codec, numbers and mirrored
    /// directions; nobody sends to one who does not receive.
    #[test]
    fn offer_and_answer_agree(
        a in codecs(), b in codecs(), (da, db) in (direction(), direction()), (ea, eb) in any::<(bool, bool)>()
    ) {
        let alice = LocalAudio { codecs: a.clone(), direction: da, telephone_event: ea, ..local(4000) };
        let bob = LocalAudio { codecs: b.clone(), direction: db, telephone_event: eb, ..local(5000) };
        let offered = offer(&alice, 1, 1);
        let expected = a.iter().find(|codec| b.contains(codec));
        match answer(&offered, &bob, 2, 1) {
            Err(error) => {
                prop_assert_eq!(error, NegotiationError::NothingAcceptable);
                prop_assert_eq!(expected, None);
            }
            Ok((answered, at_bob)) => {
                let at_alice = answer_received(&offered, &answered).unwrap();
                prop_assert_eq!(answered.media.len(), offered.media.len());
                prop_assert_eq!(Some(&at_bob.codec), expected);
                prop_assert_eq!(at_alice.codec, at_bob.codec);
                prop_assert_eq!(at_alice.payload_type, at_bob.receive_payload_type);
                prop_assert_eq!(at_bob.payload_type, at_alice.receive_payload_type);
                prop_assert_eq!(at_alice.direction, at_bob.direction.reversed());
                prop_assert_eq!(at_alice.direction.and(da), at_alice.direction);
                prop_assert_eq!(at_bob.direction.and(db), at_bob.direction);
                prop_assert_eq!(at_alice.telephone_event.is_some(), ea && eb);
                prop_assert_eq!(at_alice.telephone_event, at_bob.receive_telephone_event);
                let again = reoffer(&answered, &bob);
                prop_assert_eq!(again.media.len(), answered.media.len());
            }
        }
    }

    #[test]
    fn descriptions_read_and_written_stay_the_same(lines in proptest::collection::vec("[a-z]=[ -~]{0,24}|m=audio [0-9]{1,4} RTP/AVP [0-9 ]{1,8}|a=rtpmap:[0-9]{1,3} [A-Z0-9]{1,5}/[0-9/]{1,6}|c=IN IP4 [0-9.]{7}", 0..8)) {
        let text = format!("{SESSION}{}\n", lines.join("\n"));
        if let Ok(first) = SessionDescription::parse(text.as_bytes()) {
            prop_assert_eq!(SessionDescription::parse(first.to_string().as_bytes()), Ok(first.clone()));
            let _ = answer(&first, &local(5000), 1, 1);
            let _ = answer_received(&offer(&local(4000), 1, 1), &first);
        }
    }

    #[test]
    fn built_bodies_come_apart_again(bodies in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(b'-'), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..80), 1..6)) {
        let parts: Vec<Part> = bodies.iter().map(|body| Part::new("application/x", body.clone())).collect();
        let (content_type, body) = build(&parts);
        prop_assert_eq!(take_apart(&content_type, &body), Ok(parts));
    }

    #[test]
    fn any_body(body in proptest::collection::vec(prop_oneof![Just(b'-'), Just(b'b'), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..200)) {
        let _ = take_apart("multipart/mixed;boundary=b", &body);
        let _ = take_apart("multipart/mixed;boundary=b", &[b"--b\r\n", &body[..], b"\r\n--b--"].concat());
    }
}
