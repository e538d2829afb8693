//! Whatever the disk gives back as the outbox is read without a panic, within its limits, and what was read is written and
//! read again as the same.
#![no_main]
use core::time::Duration;
use hearthline_sip::tokens::Tokens;
use hearthline_speaker::messages::{Messages, News, OUTBOX_MAX, Outcome, Output, Request};
use libfuzzer_sys::fuzz_target;

fn restored(bytes: &[u8]) -> Messages {
    let mut messages = Messages::new(Tokens::from_seed([1; 32]), 0);
    messages.join();
    messages.restore(bytes);
    messages.news(News::Reachable(true), Duration::ZERO);
    messages
}

/// What is sent, one after the other, and what is kept after the first.
fn sent(mut messages: Messages) -> (Vec<String>, Option<Vec<u8>>) {
    let mut letters = Vec::new();
    let mut kept = None;
    let mut now = Duration::ZERO;
    for _ in 0..=OUTBOX_MAX {
        messages.run(now);
        let mut asked = None;
        while let Some(output) = messages.poll_output() {
            match output {
                Output::Hub(request, Request::Send(letter)) => {
                    letters.push(format!("{letter:?}"));
                    asked = Some(request);
                }
                Output::KeepOutbox(bytes) if kept.is_none() => kept = Some(bytes),
                _ => {}
            }
        }
        let Some(request) = asked else { break };
        let outcome = Outcome::Done;
        messages.news(News::Answer { request, outcome }, now);
        now += Duration::from_secs(1);
    }
    (letters, kept)
}

fuzz_target!(|data: &[u8]| {
    let (first, kept) = sent(restored(data));
    assert!(first.len() <= OUTBOX_MAX);
    // What is kept behind the first is the rest.
    if let Some(bytes) = kept {
        let (again, _) = sent(restored(&bytes));
        assert_eq!(first[1..], again[..]);
    }
});
