//! Any bytes as the agenda's journal: read without harm; what was read is written anew and read as the same.
#![no_main]
use core::time::Duration;

use hearthline_skills::agenda::Agenda;
use hearthline_skills::exchange::Output;
use hearthline_skills::journal::{Journal, recover};
use hearthline_skills::zone::Zone;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let found = recover(bytes);
    assert_eq!(found.whole_bytes + found.torn_bytes, bytes.len());
    let mut journal = Journal::behind(&found);
    let anew = recover(&journal.compact(&found.items, found.last_id));
    assert_eq!(anew.items, found.items);
    assert_eq!((anew.torn_bytes, anew.damaged), (0, 0));
    // And whatever it holds, an agenda starts with it and goes on for some days.
    let mut agenda = Agenda::new(Zone::utc(), 1_795_435_200_000);
    let mut now = Duration::ZERO;
    agenda.handle_restored(bytes, now);
    for _ in 0..200 {
        loop {
            match agenda.poll_output() {
                Output::Append { token, .. } | Output::Replace { token, .. } => {
                    agenda.handle_kept(token, now)
                }
                Output::Timeout(Some(at)) => {
                    now = now.max(at) + Duration::from_millis(1);
                    break;
                }
                Output::Timeout(None) => return,
                _ => {}
            }
        }
        agenda.handle_timeout(now);
    }
});
