//! What is written is read again, however the network cuts it.
use hearthline_satellite::wyoming::{Event, Limits, Other, Reader, write};
use proptest::prelude::*;
use serde_json::json;

use crate::samples::every_event;

fn read(bytes: &[u8], cuts: &[usize]) -> Vec<Event> {
    let mut reader = Reader::new(Limits::default());
    let mut events = Vec::new();
    let mut from = 0;
    let mut cuts = cuts.iter().cycle();
    while from < bytes.len() {
        let to = (from + cuts.next().copied().unwrap_or(bytes.len()).max(1)).min(bytes.len());
        reader.push(&bytes[from..to]);
        while let Some(event) = reader.next_event().expect("our own bytes") {
            events.push(event);
        }
        from = to;
    }
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whole_or_in_pieces(
        text in "\\PC{0,40}",
        audio in proptest::collection::vec(any::<u8>(), 0..600),
        cuts in proptest::collection::vec(1_usize..200, 1..8),
    ) {
        let events = every_event(&text, &audio);
        let bytes: Vec<u8> = events.iter().flat_map(write).collect();
        prop_assert_eq!(read(&bytes, &cuts), events);
    }
}

#[test]
fn data_may_stand_in_the_line_behind_it_or_in_both() {
    let inline = b"{\"type\": \"transcript\", \"data\": {\"text\": \"hello\"}}\n".as_slice();
    let behind = b"{\"type\":\"transcript\",\"data_length\":17}\n{\"text\": \"hello\"}".as_slice();
    let both = b"{\"type\":\"transcript\",\"data\":{\"text\":\"no\",\"language\":null},\"data_length\":17}\n{\"text\": \"hello\"}".as_slice();
    for bytes in [inline, behind, both] {
        let events = read(bytes, &[7]);
        let [Event::Transcript(transcript)] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(transcript.text, "hello");
    }
}

#[test]
fn what_we_do_not_know_is_kept_and_the_next_event_is_read() {
    let mut bytes =
        b"{\"type\":\"quantum\",\"future\":1,\"data\":{\"a\":[1]},\"payload_length\":3}\n\0\n{"
            .to_vec();
    bytes.extend(b"\n{\"type\":\"describe\",\"version\":\"99\"}\n");
    let events = read(&bytes, &[5]);
    let [
        Event::Other(Other {
            kind,
            data,
            payload,
        }),
        Event::Describe,
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(
        (kind.as_str(), &data["a"], payload.as_slice()),
        ("quantum", &json!([1]), b"\0\n{".as_slice())
    );
}

#[test]
fn an_event_without_anything_is_one_line() {
    insta::assert_snapshot!(
        String::from_utf8(write(&Event::Describe)).unwrap(),
        @r#"{"type":"describe","version":"1.10.2"}"#
    );
    let ping = hearthline_satellite::wyoming::data::Ping {
        text: Some("a".into()),
    };
    insta::assert_snapshot!(
        String::from_utf8(write(&Event::Ping(ping))).unwrap(),
        @r#"
    {"data_length":12,"type":"ping","version":"1.10.2"}
    {"text":"a"}
    "#
    );
}
