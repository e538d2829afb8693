//! Any bytes as a signed note, checkpoint, verifier key or policy: no panic, one spelling.
#![no_main]

use hearthline_ledger::{Checkpoint, Note, NoteKey, TrustPolicy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_bytes(), bytes);
        if let Ok(head) = Checkpoint::parse(note.text()) {
            assert_eq!(head.to_text(), note.text());
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(key) = NoteKey::parse_vkey(text) {
            assert_eq!(key.to_vkey(), text);
        }
        let _ = TrustPolicy::parse(text);
    }
});
