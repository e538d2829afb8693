//! What a datagram may look like, and what the answer is when it does not.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use hearthline_sip::validate::validate_request;
use hearthline_sip::{
    HeaderName, Limits, Message, Method, ParseError, ParseErrorKind, Request, Response, StatusCode,
    Uri, parse_datagram,
};

const HEAD: &str = "INVITE sip:b@example.com SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5080;branch=z9hG4bKx1;rport\r\n\
    From: <sip:a@example.com>;tag=a1\r\n\
    To: <sip:b@example.com>\r\n\
    Call-ID: one@192.0.2.1\r\n\
    CSeq: 1 INVITE\r\n";

fn parse(text: &str) -> Result<Message, ParseError> {
    parse_datagram(text.as_bytes(), &Limits::default())
}

fn with(rows: &str) -> Result<Message, ParseError> {
    parse(&format!("{HEAD}{rows}"))
}

#[track_caller]
fn status_of(result: Result<Message, ParseError>) -> u16 {
    let reply = *result.unwrap_err().reply.expect("a reply");
    assert!(reply.headers.top_via().is_ok());
    reply.status.code()
}

#[test]
fn body_follows_content_length_or_the_datagram() {
    assert_eq!(with("\r\nabc").unwrap().body(), b"abc");
    assert_eq!(with("Content-Length: 2\r\n\r\nabc").unwrap().body(), b"ab");
    assert_eq!(with("l:3\r\n\r\nabc").unwrap().body(), b"abc");
    assert_eq!(with("l : \t 0003 \r\n\r\nabc").unwrap().body(), b"abc");
    assert_eq!(
        with("l: 3\r\nContent-Length: 3\r\n\r\nabc").unwrap().body(),
        b"abc"
    );
}

#[test]
fn wrong_content_length_is_400() {
    for value in [
        "4",
        "-1",
        "+3",
        "3.0",
        "0x3",
        "",
        "3, 3",
        "three",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999999999999",
    ] {
        assert_eq!(
            status_of(with(&format!("Content-Length: {value}\r\n\r\nabc"))),
            400,
            "{value}"
        );
    }
    assert_eq!(status_of(with("l: 3\r\nl: 2\r\n\r\nabc")), 400);
}

#[test]
fn line_ends_are_strict() {
    assert_eq!(status_of(with("X-One: a\nX-Two: b\r\n\r\n")), 400);
    assert_eq!(status_of(with("X-One: a\rX-Two: b\r\n\r\n")), 400);
    assert_eq!(status_of(with("X-One: a\r\n")), 400, "no empty line");
    assert_eq!(status_of(parse(&HEAD.replace("\r\n", "\n"))), 400);
    assert!(with("X-One: a\r\n \t folded\r\n\r\n").is_ok());
    assert_eq!(
        status_of(parse(&format!("\u{feff}{HEAD}\r\n"))),
        400,
        "byte order mark"
    );
    assert!(
        parse(&format!("\r\n\r\n{HEAD}\r\n")).is_ok(),
        "empty lines before the start line"
    );
    assert_eq!(parse("\r\n\r\n").unwrap_err().kind, ParseErrorKind::Empty);
    assert_eq!(parse("").unwrap_err().kind, ParseErrorKind::Empty);
}

#[test]
fn folded_lines_join_with_one_space() {
    let message = with("X-One: a \r\n \t b\r\n   \r\n\tc\r\n\r\n").unwrap();
    let name = HeaderName::parse(b"x-one").unwrap();
    assert_eq!(message.headers().get(&name), Some(&b"a b c"[..]));
}

#[test]
fn rows_without_colon_or_name_are_400() {
    assert_eq!(status_of(with("no colon here\r\n\r\n")), 400);
    assert_eq!(status_of(with(": value\r\n\r\n")), 400);
    assert_eq!(status_of(with("two words: value\r\n\r\n")), 400);
    let folded_start = HEAD.replace("\r\nVia", "\r\n Via");
    assert!(parse(&format!("{folded_start}\r\n")).is_err());
}

#[test]
fn limits_have_their_own_status() {
    let limits = Limits {
        start_line_bytes_max: 100,
        uri_bytes_max: 40,
        header_count_max: 10,
        header_line_bytes_max: 120,
        header_bytes_max: 700,
        body_bytes_max: 10,
    };
    let status = |text: String| status_of(parse_datagram(text.as_bytes(), &limits));
    assert!(parse_datagram(format!("{HEAD}\r\n0123456789").as_bytes(), &limits).is_ok());
    assert_eq!(status(format!("{HEAD}\r\n0123456789x")), 413);
    assert_eq!(status(format!("{HEAD}X: {}\r\n\r\n", "y".repeat(120))), 513);
    assert_eq!(status(format!("{HEAD}{}\r\n", "X: y\r\n".repeat(6))), 513);
    assert_eq!(
        status(format!(
            "{HEAD}{}\r\n",
            format!("X: {}\r\n", "y".repeat(110)).repeat(5)
        )),
        513
    );
    let long_uri = |n| {
        HEAD.replace(
            "sip:b@example.com SIP",
            &format!("sip:{}@x SIP", "b".repeat(n)),
        )
    };
    assert_eq!(status(format!("{}\r\n", long_uri(35))), 414);
    assert_eq!(status(format!("{}\r\n", long_uri(200))), 414);
}

#[test]
fn nobody_answers_an_ack_a_response_or_a_request_without_via() {
    let no_reply = |text: &str| assert_eq!(parse(text).unwrap_err().reply, None, "{text}");
    no_reply(&format!("{}l: x\r\n\r\n", HEAD.replace("INVITE", "ACK")));
    no_reply(&format!(
        "{}l: x\r\n\r\n",
        HEAD.replace("INVITE sip:b@example.com SIP/2.0", "SIP/2.0 200 OK")
    ));
    no_reply(&format!("{}l: x\r\n\r\n", HEAD.replace("Via", "Wia")));
    no_reply("hello");
    no_reply("\0\0\0\0");
}

#[test]
fn the_reply_copies_what_the_request_said() {
    let reply = with("Content-Length: x\r\n\r\n")
        .unwrap_err()
        .reply
        .unwrap();
    assert_eq!(
        String::from_utf8(reply.to_bytes()).unwrap(),
        "SIP/2.0 400 Bad Request: not a number of bytes\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5080;branch=z9hG4bKx1;rport\r\n\
         From: <sip:a@example.com>;tag=a1\r\n\
         To: <sip:b@example.com>\r\n\
         Call-ID: one@192.0.2.1\r\n\
         CSeq: 1 INVITE\r\n\
         Content-Length: 0\r\n\r\n"
    );
}

#[test]
fn status_lines() {
    let status = |line: &str| {
        let message = parse(&format!("{line}\r\n\r\n"));
        message.map(|m| m.as_response().map(|r| (r.status.code(), r.reason.clone())))
    };
    assert_eq!(status("SIP/2.0 200 OK"), Ok(Some((200, b"OK".to_vec()))));
    assert_eq!(status("sip/2.0 180 "), Ok(Some((180, Vec::new()))));
    assert_eq!(status("SIP/2.0 180"), Ok(Some((180, Vec::new()))));
    for line in [
        "SIP/2.0 99 x",
        "SIP/2.0 700 x",
        "SIP/2.0 0200 x",
        "SIP/2.0  200 x",
        "SIP/2.0 200x",
        "SIP/2.0",
        "SIP/2.1 200 OK",
        "SIP/ 200 OK",
    ] {
        assert!(status(line).is_err(), "{line}");
    }
}

#[test]
fn no_value_can_end_its_row() {
    let mut request = Request::new(Method::Options, Uri::parse("sip:b@example.com").unwrap());
    request
        .headers
        .push(HeaderName::Subject, "a\r\nX-Evil: yes\r\n\r\nbody");
    request.headers.set(HeaderName::Organization, "b\nc\rd");
    let mut response = Response::new(StatusCode::OK).with_reason("OK\r\nX-Evil: yes");
    response
        .headers
        .push_front(HeaderName::Subject, "x\r\n\r\n");
    for bytes in [request.to_bytes(), response.to_bytes()] {
        let message = parse_datagram(&bytes, &Limits::default()).unwrap();
        assert!(
            message
                .headers()
                .iter()
                .all(|(name, _)| name.as_str() != "X-Evil")
        );
        assert!(message.body().is_empty());
    }
}

#[test]
fn content_length_is_counted_not_believed() {
    let mut request = Request::new(Method::Message, Uri::parse("sip:b@example.com").unwrap());
    request.headers.push(HeaderName::ContentLength, "9999");
    request.set_body("text/plain", b"\xff\x00\r\n\r\nhello".to_vec());
    let bytes = request.to_bytes();
    let message = parse_datagram(&bytes, &Limits::default()).unwrap();
    assert_eq!(message.body(), request.body);
    assert_eq!(
        String::from_utf8_lossy(&bytes)
            .matches("Content-Length")
            .count(),
        1
    );
}

#[test]
fn responses_copy_all_vias_and_tag_the_to() {
    let message =
        with("Via: SIP/2.0/TCP a.example.com;branch=z9hG4bKa, SIP/2.0/UDP b.example.com\r\n\r\n")
            .unwrap();
    let request = message.as_request().unwrap();
    let response = Response::to_request(request, StatusCode::RINGING, Some("t1"));
    assert_eq!(response.headers.vias().unwrap().len(), 3);
    assert_eq!(response.headers.to().unwrap().tag(), Some("t1"));
    assert_eq!(response.headers.cseq().unwrap().method, Method::Invite);
    let again = Response::to_request(request, StatusCode::TRYING, None);
    assert_eq!(again.headers.to().unwrap().tag(), None);
}

#[test]
fn topmost_values_are_taken_off_one_by_one() {
    let message = with(
        "Via: SIP/2.0/TCP a.example.com;branch=z9hG4bKa , SIP/2.0/UDP b.example.com;x=\"a,b\"\r\n\
         Route: \"A, B\" <sip:p1.example.com;lr>, <sip:p2.example.com,x;lr>\r\n\r\n",
    );
    // A comma is legal in a user part only.
    assert!(message.unwrap().headers().routes().is_err());
    let message = with(
        "Via: SIP/2.0/TCP a.example.com;branch=z9hG4bKa , SIP/2.0/UDP b.example.com;x=\"a,b\"\r\n\
         Route: \"A, B\" <sip:x,y@p1.example.com;lr>, <sip:p2.example.com;lr>\r\n\r\n",
    );
    let Message::Request(mut request) = message.unwrap() else {
        panic!("not a request")
    };
    let headers = &mut request.headers;
    let mut via = headers.top_via().unwrap();
    via.set_source("198.51.100.7".parse().unwrap(), 40000);
    headers.set_top_via(&via).unwrap();
    assert_eq!(
        headers.top_via().unwrap().received(),
        Some("198.51.100.7".parse().unwrap())
    );
    assert_eq!(headers.top_via().unwrap().rport(), Some(40000));
    for left in [2, 1, 0] {
        headers.remove_top_via().unwrap();
        assert_eq!(headers.vias().unwrap().len(), left);
    }
    assert!(headers.remove_top_via().is_err());
    headers.remove_first_route().unwrap();
    assert_eq!(
        headers.routes().unwrap()[0].uri.to_string(),
        "sip:p2.example.com;lr"
    );
    headers.remove_first_route().unwrap();
    assert!(headers.routes().unwrap().is_empty());
}

#[test]
fn lists_mean_the_same_in_one_row_or_many() {
    let one = with("Supported: 100rel, timer ,path\r\nAllow: INVITE,ACK\r\n\r\n").unwrap();
    let many =
        with("k: 100rel\r\nSupported: timer,path\r\nAllow: INVITE\r\nAllow: ACK\r\n\r\n").unwrap();
    assert_eq!(one.headers().supported(), many.headers().supported());
    assert_eq!(
        one.headers().supported().unwrap(),
        ["100rel", "timer", "path"]
    );
    assert_eq!(one.headers().allow(), many.headers().allow());
    assert!(one.headers().lists(&HeaderName::Supported, "TIMER"));
    assert_eq!(
        with("Supported:\r\n\r\n")
            .unwrap()
            .headers()
            .supported()
            .unwrap()
            .len(),
        0
    );
    assert!(
        with("Supported: a,,b\r\n\r\n")
            .unwrap()
            .headers()
            .supported()
            .is_err()
    );
}

#[test]
fn typed_values_of_the_smaller_headers() {
    let message = with(
        "Session-Expires: 1800 ;refresher=UAS\r\nMin-SE: 90\r\nRSeq: 4711\r\nRAck: 776656 1 INVITE\r\n\
         Retry-After: 18 (in a (nested) meeting);duration=3600\r\n\
         Warning: 370 devnull \"Choose a bigger pipe\", 399 a.example.com:5060 \"x \\\" y\"\r\n\
         Reason: Q.850;cause=16;text=\"Terminated\", SIP;cause=200\r\n\
         Geolocation: <cid:target@example.com>, <https://lis.example.com/1?a=b>\r\nGeolocation-Routing: yes\r\n\
         Call-Info: <cid:p@example.com>;purpose=EmergencyCallData.ProviderInfo\r\n\
         Expires: 4294967295\r\nContact: <sip:a@192.0.2.1>;q=0.7;expires=99999999999, sip:b@192.0.2.2;x=y\r\n\r\n",
    )
    .unwrap();
    let headers = message.headers();
    let session = headers.session_expires().unwrap().unwrap();
    assert_eq!(session.to_string(), "1800;refresher=uas");
    assert_eq!(headers.min_se(), Ok(Some(90)));
    assert_eq!(headers.rseq(), Ok(Some(4711)));
    assert_eq!(
        headers.rack().unwrap().unwrap().to_string(),
        "776656 1 INVITE"
    );
    assert_eq!(
        headers.retry_after().unwrap().unwrap().to_string(),
        "18;duration=3600"
    );
    let warnings = headers.warnings().unwrap();
    assert_eq!(
        warnings[1].to_string(),
        "399 a.example.com:5060 \"x \\\" y\""
    );
    let reasons = headers.reasons().unwrap();
    assert_eq!(
        (reasons[0].cause(), reasons[0].text()),
        (Some(16), Some("Terminated"))
    );
    assert_eq!(
        headers.geolocation().unwrap()[1].uri.to_string(),
        "https://lis.example.com/1?a=b"
    );
    assert_eq!(headers.geolocation_routing(), Some(true));
    assert_eq!(
        headers.call_info().unwrap()[0].params.get("purpose"),
        Some("EmergencyCallData.ProviderInfo")
    );
    assert_eq!(headers.expires(), Ok(Some(u32::MAX)));
    let contacts = headers.contacts().unwrap();
    assert_eq!(
        (
            contacts.first().unwrap().q(),
            contacts.first().unwrap().expires()
        ),
        (Some(700), Some(3600))
    );
    assert_eq!(validate_request(message.as_request().unwrap()), Ok(()));
}

#[test]
fn errors_say_which_header_and_where() {
    let headers = with("Contact: <sip:a@example.com>, <sip:b@exa mple.com>\r\n\r\n").unwrap();
    assert_eq!(
        headers.headers().contacts().unwrap_err().to_string(),
        "header Contact: not a host name or IP address at byte 28 of its value"
    );
}
