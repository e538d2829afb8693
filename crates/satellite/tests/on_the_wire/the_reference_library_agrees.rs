//! Each event of ours is read by the reference library into its class, written again by it, and read by us: the same.
use std::io::Write as _;
use std::process::{Command, Stdio};

use hearthline_satellite::wyoming::{Event, Limits, Reader, write};

use crate::oracle::{python, script};
use crate::samples::every_event;

#[test]
fn both_ways_for_every_event() {
    let Some(python) = python() else { return };
    let events = every_event(
        "turn on the “Küche” light \u{1f4a1}",
        &[0, 1, 2, 255, b'\n'],
    );
    let mut child = Command::new(python)
        .arg(script("wyoming_echo.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let bytes: Vec<u8> = events.iter().flat_map(write).collect();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let mut reader = Reader::new(Limits::default());
    reader.push(&output.stdout);
    let mut back: Vec<Event> = Vec::new();
    while let Some(event) = reader.next_event().unwrap() {
        back.push(event);
    }
    assert_eq!(back.len(), events.len());
    for (ours, theirs) in events.iter().zip(&back) {
        assert_eq!(ours, theirs);
    }
}
