//! An entry is read strictly, written so that it can be read, and hashed as stored.

use crate::story::*;
use hearthline_ledger::*;
use proptest::prelude::*;

fn wake() -> Entry {
    Entry {
        seq: 7,
        boot: BootId([0xab; 16]),
        mono_ms: 1234,
        sample: Some(99),
        wall_ms: None,
        incident: Some(incident()),
        drill: true,
        late: false,
        body: Wake {
            keyword: "alexa".into(),
            score: 0.5,
            threshold: 0.25,
            at_sample: 99,
        }
        .into(),
    }
}

const LINE: &str = r#"{"seq":7,"boot":"abababababababababababababababab","mono_ms":1234,"sample":99,"incident":"2026-11-22-a1","drill":true,"late":false,"kind":"wake","body":{"keyword":"alexa","score":0.5,"threshold":0.25,"at_sample":99}}"#;

#[test]
fn the_line_is_what_it_always_was() {
    assert_eq!(String::from_utf8(wake().to_line().unwrap()).unwrap(), LINE);
    assert_eq!(Entry::from_line(LINE.as_bytes()), Ok(wake()));
}

#[test]
fn other_spellings_are_refused() {
    for (from, to) in [
        ("\"seq\":7", "\"seq\":7,\"seq\":7"),
        ("\"seq\":7", "\"seq\":7.0"),
        ("\"seq\":7", "\"seq\":-7"),
        ("\"seq\":7", "\"seq\": 7"),
        ("\"seq\":7", "\"seq\":7,\"extra\":1"),
        ("\"drill\":true,", ""),
        ("\"late\":false,", ""),
        ("\"score\":0.5", "\"score\":null"),
        ("\"score\":0.5", "\"score\":0.5,\"Score\":1"),
        ("abab", "ABAB"),
        ("a1\"", "../a1\""),
        ("a1\"", "\""),
        ("alexa", "al\u{0}exa"),
        ("alexa", "\\ud800"),
    ] {
        let bad = LINE.replacen(from, to, 1);
        assert_ne!(bad, LINE);
        if to != "\"" {
            assert!(Entry::from_line(bad.as_bytes()).is_err(), "{bad}");
        }
    }
    for bad in [&b""[..], b"\xef\xbb\xbf{}", b"[]", b"{}", b"null"] {
        assert!(Entry::from_line(bad).is_err());
    }
    assert!(Entry::from_line(format!("{LINE}\n").as_bytes()).is_err());
    assert!(matches!(
        Entry::from_line(&[b' '; 65_536]),
        Err(EntryError::TooLong { bytes: 65_536 })
    ));
}

#[test]
fn a_kind_of_a_later_version_is_kept_as_it_is() {
    let line = LINE.replace("\"wake\"", "\"roughtime\"");
    let entry = Entry::from_line(line.as_bytes()).unwrap();
    assert_eq!(entry.body.kind(), "roughtime");
    assert_eq!(entry.to_line().unwrap(), line.as_bytes());
}

#[test]
fn an_error_does_not_repeat_what_the_entry_said() {
    let line = LINE.replace("\"at_sample\":99", "\"at_sample\":\"12 Private Road\"");
    let error = Entry::from_line(line.as_bytes()).unwrap_err();
    assert!(!error.to_string().contains("Private Road"), "{error}");
}

proptest! {
    #[test]
    fn any_words_survive(text in any::<String>(), reading in any::<String>(), log_prob in -1e6..0.0f64, seq: u64, mono_ms: u64) {
        let mut entry = wake();
        (entry.seq, entry.mono_ms) = (seq, mono_ms);
        entry.body = Transcript {
            text: text.into(),
            first_sample: seq,
            end_sample: mono_ms,
            model: "m".into(),
            readings: vec![Reading { text: reading.into(), log_prob }],
        }
        .into();
        let line = entry.to_line().unwrap();
        prop_assert!(!line.contains(&b'\n'));
        prop_assert_eq!(Entry::from_line(&line), Ok(entry));
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Entry::from_line(&bytes);
        let _ = check_json(&bytes);
        let _ = StoredLog::read(&bytes, ORIGIN, identity().public());
        let _ = verify(&bytes, &TrustPolicy::none());
    }

    /// Strict JSON is a subset of what serde_json takes.
    #[test]
    fn strict_json_is_json(text in "[\\[\\]{}\",:a0.eE+\\-\\\\u1truefalsn]{0,40}") {
        if check_json(text.as_bytes()).is_ok() {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
        }
    }
}
