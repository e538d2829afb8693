//! A server's lines are the same however they are cut, and a client bears any of them.
#![no_main]
use core::time::Duration;

use hearthline_music::mpd::client::{Client, Output};
use hearthline_music::mpd::reply::{Line, Lines};
use libfuzzer_sys::fuzz_target;

fn read<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Option<Vec<Line>> {
    let mut lines = Lines::default();
    let mut out = Vec::new();
    for part in parts {
        lines.push(part);
        while let Some(line) = lines.next_line().ok()? {
            out.push(line);
        }
    }
    Some(out)
}

fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else {
        return;
    };
    let whole = read(std::iter::once(text));
    let cut = read(text.chunks(usize::from(*first).max(1)));
    if let (Some(whole), Some(cut)) = (whole, cut) {
        assert_eq!(whole, cut);
    }
    let now = Duration::ZERO;
    let mut client = Client::new(None);
    client.handle_timeout(now);
    client.handle_connected(now);
    client.handle_bytes(b"OK MPD 0.23.5\n", now);
    client.handle_bytes(text, now);
    while !matches!(client.poll_output(), Output::Timeout(_)) {}
});
