//! Messages cut out of a byte stream, however the network slices it.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use hearthline_sip::framer::{Frame, StreamFramer};
use hearthline_sip::{Limits, ParseErrorKind};

fn message(call_id: &str, body: &str) -> String {
    format!(
        "OPTIONS sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKx1\r\n\
         From: <sip:a@example.com>;tag=a1\r\nTo: <sip:b@example.com>\r\nCall-ID: {call_id}\r\n\
         CSeq: 1 OPTIONS\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn drain(framer: &mut StreamFramer) -> Vec<String> {
    std::iter::from_fn(|| framer.next_frame())
        .map(|frame| match frame {
            Frame::Message(m) => {
                format!(
                    "{}:{}",
                    m.headers().call_id().unwrap(),
                    String::from_utf8_lossy(m.body())
                )
            }
            Frame::Ping => "ping".to_owned(),
            Frame::Pong => "pong".to_owned(),
            Frame::Rejected(e) => format!("rejected {}", e.kind.status()),
            Frame::Broken(e) => format!("broken {}", e.kind.status()),
        })
        .collect()
}

#[test]
fn every_way_of_slicing_gives_the_same_messages() {
    let bytes = [
        message("one", "abc\r\n\r\n"),
        "\r\n\r\n".into(),
        message("two", ""),
        message("three", "x"),
    ]
    .concat()
    .into_bytes();
    let expected = ["one:abc\r\n\r\n", "ping", "two:", "three:x"];
    for size in 1..=bytes.len() {
        let mut framer = StreamFramer::new(Limits::default());
        let mut frames = Vec::new();
        for chunk in bytes.chunks(size) {
            framer.push(chunk);
            frames.extend(drain(&mut framer));
        }
        // The first half of a ping that was cut in two looks like a pong.
        frames.retain(|frame| frame != "pong");
        assert_eq!(frames, expected, "slices of {size} bytes");
        assert_eq!(framer.pending_bytes(), 0);
    }
}

#[test]
fn keep_alives() {
    let mut framer = StreamFramer::new(Limits::default());
    framer.push(b"\r\n");
    assert_eq!(drain(&mut framer), ["pong"]);
    framer.push(b"\r\n");
    assert_eq!(drain(&mut framer), ["ping"]);
    framer.push(b"\r\n\r\n\r\n\r\n");
    assert_eq!(drain(&mut framer), ["ping", "ping"]);
}

#[test]
fn a_bad_start_line_costs_one_message_not_the_connection() {
    let mut framer = StreamFramer::new(Limits::default());
    framer.push(
        message("one", "abc")
            .replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia")
            .as_bytes(),
    );
    framer.push(
        message("two", "abc")
            .replace("sip:b@example.com SIP", "<sip:b@x> SIP")
            .as_bytes(),
    );
    framer.push(message("three", "abc").as_bytes());
    assert_eq!(
        drain(&mut framer),
        ["rejected 505", "rejected 400", "three:abc"]
    );
}

#[test]
fn a_length_that_cannot_be_known_breaks_the_stream() {
    for (from, to, status) in [
        ("Content-Length: 3\r\n", "", 400),
        (
            "Content-Length: 3",
            "Content-Length: 18446744073709551615",
            413,
        ),
        (
            "Content-Length: 3",
            "Content-Length: 18446744073709551616",
            400,
        ),
        ("Content-Length: 3", "Content-Length: 3\r\nl: 4", 400),
        ("Content-Length: 3", "Content-Length: -3", 400),
        ("Content-Length: 3", "Content-Length: 300000", 413),
        ("CSeq: 1 OPTIONS", "CSeq 1 OPTIONS", 400),
    ] {
        let mut framer = StreamFramer::new(Limits::default());
        framer.push(message("one", "abc").replace(from, to).as_bytes());
        framer.push(message("two", "abc").as_bytes());
        assert_eq!(drain(&mut framer), [format!("broken {status}")], "{to}");
        framer.push(message("three", "abc").as_bytes());
        assert_eq!(drain(&mut framer), [""; 0]);
        assert_eq!(framer.pending_bytes(), 0);
    }
}

#[test]
fn endless_headers_are_cut_off_at_the_limit() {
    let mut framer = StreamFramer::new(Limits::default());
    let mut pushed = 0;
    framer.push(b"OPTIONS sip:b@example.com SIP/2.0\r\n");
    loop {
        framer.push(b"X-Filler: 0123456789012345678901234567890123456789\r\n");
        pushed += 1;
        match framer.next_frame() {
            None => assert!(pushed < 1000, "{} bytes held", framer.pending_bytes()),
            Some(Frame::Broken(error)) => {
                assert!(matches!(error.kind, ParseErrorKind::TooLarge { .. }));
                break;
            }
            Some(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(framer.pending_bytes(), 0);
}
