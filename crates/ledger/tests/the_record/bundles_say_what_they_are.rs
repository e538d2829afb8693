//! A bundle in figures, and that other bytes have none.

use crate::story::*;
use hearthline_ledger::*;

#[test]
fn as_its_entries_say() {
    let story = Story::new(2);
    let bundle = story.bundle();
    assert_ne!(verify(&bundle, &TrustPolicy::none()).exit, Exit::Tampered);
    let facts = Facts::of(&bundle).unwrap();
    assert_eq!(facts.incident, incident().as_str());
    assert_eq!(facts.outcome.as_deref(), Some("answered"));
    assert!(facts.drill);
    let opened = facts.opened_ms.unwrap();
    assert!(opened > WALL && opened < WALL + 60_000, "{opened}");
    // Sound, wake, transcript, decision, two steps of the call, what was late, the end.
    assert_eq!(facts.entries as usize, story.audio.len() + 7);
}

#[test]
fn and_nothing_else_says_anything() {
    let bundle = Story::new(1).bundle();
    for (name, bytes) in [
        ("nothing", &b""[..]),
        ("text", b"PK no bundle"),
        ("half", &bundle[..bundle.len() / 2]),
    ] {
        assert_eq!(Facts::of(bytes), None, "{name}");
    }
}
