//! Whatever a Wyoming peer sends: no panic, bounded memory, and what was read is written and read again the same.
#![no_main]
use hearthline_satellite::wyoming::{Limits, Reader, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits {
        header_bytes_max: 512,
        data_bytes_max: 512,
        payload_bytes_max: 512,
    };
    let mut reader = Reader::new(limits);
    for part in bytes.chunks(7) {
        reader.push(part);
        loop {
            match reader.next_event() {
                Ok(Some(event)) => {
                    let mut again = Reader::new(Limits::default());
                    again.push(&write(&event));
                    assert_eq!(again.next_event().expect("our own bytes"), Some(event));
                }
                Ok(None) => break,
                Err(hearthline_satellite::wyoming::FrameError::Data { .. }) => {}
                Err(_) => return,
            }
        }
    }
});
