//! A file that should be a voice's network: parted or left whole, whatever its bytes.
#![no_main]
use hearthline_voice::synthesise::graph::part;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some(parted) = part(data, "a") {
        // Each half is a model again.
        let _ = (part(&parted.before, "a"), part(&parted.behind, "a"));
    }
});
