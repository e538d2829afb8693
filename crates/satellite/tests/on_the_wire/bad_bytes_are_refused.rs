//! A peer that lies, floods or breaks off.
use hearthline_satellite::wyoming::{Event, FrameError, Limits, Reader};
use proptest::prelude::*;

const SMALL: Limits = Limits {
    header_bytes_max: 64,
    data_bytes_max: 32,
    payload_bytes_max: 16,
};

fn first(bytes: &[u8]) -> Result<Option<Event>, FrameError> {
    let mut reader = Reader::new(SMALL);
    reader.push(bytes);
    reader.next_event()
}

#[test]
fn too_much_of_anything() {
    let told = |bytes: &[u8]| first(bytes).unwrap_err().to_string();
    let flood = vec![b'x'; 65];
    insta::assert_snapshot!(told(&flood), @"an event's line is longer than 64 bytes: this is no Wyoming peer");
    insta::assert_snapshot!(told(b"{\"type\":\"ping\",\"data_length\":33}\n"), @"an event announces 33 bytes of data, at most 32 are taken");
    insta::assert_snapshot!(told(b"{\"type\":\"audio-chunk\",\"payload_length\":17}\n"), @"an event announces 17 bytes of payload, at most 16 are taken");
    insta::assert_snapshot!(told(b"{\"type\":\"a\",\"payload_length\":18446744073709551615}\n"), @"an event announces 18446744073709551615 bytes of payload, at most 16 are taken");
}

#[test]
fn no_json_ends_the_stream_for_good() {
    for bytes in [
        b"GET / HTTP/1.1\r\n".as_slice(),
        b"{\"data\":{}}\n",
        b"[]\n",
        b"{\"type\":\"a\",\"data_length\":-1}\n",
        b"{\"type\":\"a\",\"data\":[]}\n",
        b"{\"type\":\"ping\",\"data_length\":2}\n[]",
        b"{\"type\":\"\xff\"}\n",
    ] {
        let mut reader = Reader::new(SMALL);
        reader.push(bytes);
        let why = reader.next_event().unwrap_err();
        assert!(matches!(why, FrameError::Json { .. }), "{why:?}");
        reader.push(b"{\"type\":\"describe\"}\n");
        assert_eq!(reader.next_event().unwrap_err(), why);
    }
}

#[test]
fn mistaken_data_costs_one_event_and_is_not_quoted() {
    let mut reader = Reader::new(SMALL);
    reader.push(
        b"{\"type\":\"transcript\",\"data\":{\"text\":{\"secret\":1}}}\n{\"type\":\"pong\"}\n",
    );
    let why = reader.next_event().unwrap_err();
    assert!(matches!(&why, FrameError::Data { kind, .. } if kind == "transcript"));
    assert!(!why.to_string().contains("secret"));
    assert_eq!(reader.next_event().unwrap().unwrap().kind(), "pong");
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 1_usize..50) {
        let mut reader = Reader::new(SMALL);
        for part in bytes.chunks(cut) {
            reader.push(part);
            while let Ok(Some(_)) = reader.next_event() {}
        }
    }

    #[test]
    fn any_header(
        kind in "[a-z-]{0,12}",
        data in 0_u64..40,
        payload in 0_u64..20,
        rest in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut bytes =
            format!("{{\"type\":\"{kind}\",\"data_length\":{data},\"payload_length\":{payload}}}\n").into_bytes();
        bytes.extend(rest);
        let mut reader = Reader::new(Limits::default());
        reader.push(&bytes);
        while let Ok(Some(_)) = reader.next_event() {}
    }
}
