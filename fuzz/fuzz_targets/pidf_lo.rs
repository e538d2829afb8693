//! Location objects: no bytes make the reader panic, and what was written is read as the same addresses.
#![no_main]

use hearthline_emergency::pidf::PidfLo;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = PidfLo::parse(bytes) {
        // A device may be written one level deeper than it stood, so the second reading may meet the limit of depth.
        if let Ok(again) = PidfLo::parse(&document.to_bytes()) {
            assert_eq!(document.locations.len(), again.locations.len());
        }
    }
});
