//! The checker's own anchors: a C2SP tlog-policy, with a line for the printed enrolment card.

use crate::story::*;
use hearthline_ledger::*;

fn witness(name: &str, secret: u8) -> String {
    NoteKey::witness(name, public_of(&[secret; 32]))
        .unwrap()
        .to_vkey()
}

#[test]
fn mistakes_are_named_with_their_line() {
    let (a, b) = (witness("a.example", 1), witness("b.example", 2));
    let log = NoteKey::device(ORIGIN, identity().public())
        .unwrap()
        .to_vkey();
    for (text, line, what) in [
        ("\nnonsense x\n".to_owned(), 2, "not known"),
        ("device 12ab\n".to_owned(), 1, "64 lower-case"),
        (format!("witness a {a}\n"), 2, "no quorum line"),
        (
            format!("witness a {a}\nwitness b {a}\nquorum a\n"),
            2,
            "twice",
        ),
        (
            format!("witness a {a}\nwitness a {b}\nquorum a\n"),
            2,
            "taken",
        ),
        (format!("witness none {a}\nquorum none\n"), 1, "taken"),
        ("quorum a\n".to_owned(), 1, "nothing is named a"),
        ("quorum none\nquorum none\n".to_owned(), 2, "second quorum"),
        (
            format!("witness a {a}\ngroup g 2 a\nquorum g\n"),
            2,
            "2 of 1",
        ),
        (
            format!("witness a {a}\ngroup g 0 a\nquorum g\n"),
            2,
            "0 of 1",
        ),
        (
            format!("witness a {a}\ngroup g x a\nquorum g\n"),
            2,
            "any, all or a number",
        ),
        (
            format!("witness a {a}\ngroup g any a a\nquorum g\n"),
            2,
            "already a member",
        ),
        (
            format!("group g any a\nwitness a {a}\nquorum g\n"),
            1,
            "nothing is named a",
        ),
        (format!("witness a {log}\nquorum a\n"), 1, "wrong type"),
        (format!("log {a}\nquorum none\n"), 1, "wrong type"),
        ("quorum none\r\n".to_owned(), 1, "control character"),
    ] {
        let error = TrustPolicy::parse(&text).expect_err(&text);
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.what.contains(what), "{text}: {error}");
    }
}

/// A quorum of groups decides between exit 0 and 1, never between intact and tampered.
#[test]
fn the_quorum_decides_what_is_witnessed() {
    let bundle = Story::new(0).bundle();
    let device = identity().key_id();
    let (hub, other) = (witness_key().to_vkey(), witness("other.example", 3));
    for (rules, exit) in [
        ("quorum hub", Exit::Witnessed),
        ("quorum other", Exit::Unwitnessed),
        ("quorum none", Exit::Unwitnessed),
        ("group g any hub other\nquorum g", Exit::Witnessed),
        ("group g 1 hub other\nquorum g", Exit::Witnessed),
        ("group g all hub other\nquorum g", Exit::Unwitnessed),
        (
            "group g any other\ngroup h any g hub\nquorum h",
            Exit::Witnessed,
        ),
        (
            "group g any other\ngroup h all g hub\nquorum h",
            Exit::Unwitnessed,
        ),
    ] {
        let text = format!(
            "device {device}\n  # comment\n\nwitness hub {hub}\nwitness\tother {other}\n{rules}\n"
        );
        let report = verify(&bundle, &TrustPolicy::parse(&text).unwrap());
        assert_eq!(report.exit, exit, "{rules}: {report}");
    }
}

#[test]
fn a_witness_of_the_same_name_with_another_key_is_a_stranger() {
    let text = format!(
        "device {}\nwitness hub {}\nquorum hub\n",
        identity().key_id(),
        witness(WITNESS, 4)
    );
    let report = verify(&Story::new(0).bundle(), &TrustPolicy::parse(&text).unwrap());
    assert_eq!(report.exit, Exit::Unwitnessed, "{report}");
}
