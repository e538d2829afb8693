//! Any bytes as a bundle; and an honest bundle with edits, packed and sealed anew by a stolen key, so
//! that the edits reach the readers behind the checksums. No panic; no edit is accepted as honest.
#![no_main]

use std::sync::OnceLock;

use hearthline_ledger::{Exit, TrustPolicy, verify};
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/ledger/tests/the_record/story/mod.rs"]
mod story;

static HONEST: OnceLock<(Vec<u8>, story::Parts)> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let exit = verify(bytes, &TrustPolicy::none()).exit;
    assert_ne!(exit, Exit::Witnessed);
    let (honest, parts) = HONEST.get_or_init(|| {
        let bundle = story::Story::new(0).bundle();
        let parts = story::Parts::of(&bundle);
        (bundle, parts)
    });
    let Some(([file, at0, at1], rest)) = bytes.split_first_chunk::<3>() else {
        return;
    };
    let mut parts = parts.clone();
    let count = parts.0.len() - 1; // the manifest is made anew
    let (name, content) = &mut parts.0[usize::from(*file) % count];
    // A seal thief may add a stranger's signature or turn JSON keys around; that tells nothing else.
    let exact = !(name.ends_with(".note")
        || name == "audio/salts.jsonl"
        || name.contains("s/")
        || name.contains("time/"));
    if content.is_empty() {
        return;
    }
    let at = usize::from(u16::from_le_bytes([*at0, *at1])) % content.len();
    let end = content.len().min(at + rest.len());
    content.splice(at..end, rest.iter().copied());
    parts.reseal(&story::epoch_seed(2));
    let packed = parts.pack();
    let exit = verify(&packed, &story::county_policy()).exit;
    if exact && packed != *honest {
        assert!(matches!(exit, Exit::Tampered | Exit::CannotTell));
    }
});
