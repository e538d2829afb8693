//! Any bytes as an entry, or put into a stored log: no panic; what is read is written back the same.
#![no_main]

use std::sync::OnceLock;

use hearthline_ledger::{Entry, StoredLog, check_json};
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/ledger/tests/the_record/story/mod.rs"]
mod story;

static STORED: OnceLock<Vec<u8>> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    if let Ok(entry) = Entry::from_line(bytes) {
        check_json(bytes).expect("an entry is strict JSON");
        let line = entry.to_line().expect("what was read can be written");
        assert_eq!(Entry::from_line(&line), Ok(entry));
    }
    let key = story::identity().public();
    let _ = StoredLog::read(bytes, story::ORIGIN, key);
    // A good log with the bytes over some place in it.
    let stored = STORED.get_or_init(|| story::Story::new(0).device.stored);
    if let Some((at, rest)) = bytes.split_first_chunk::<2>() {
        let mut changed = stored.clone();
        let at = usize::from(u16::from_le_bytes(*at)) % changed.len();
        let end = changed.len().min(at + rest.len());
        changed[at..end].copy_from_slice(&rest[..end - at]);
        match StoredLog::read(&changed, story::ORIGIN, key) {
            Ok(log) => assert!(log.keep_bytes <= changed.len()),
            Err(damage) => assert!(damage.byte as usize <= changed.len()),
        }
    }
});
