//! Additional data: what was read is written, and read as the same block.
#![no_main]

use hearthline_emergency::additional::Block;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(block) = Block::parse(bytes) {
        if let Ok(again) = Block::parse(&block.to_bytes()) {
            assert_eq!(block.kind(), again.kind());
            assert_eq!(block.reference(), again.reference());
        }
    }
});
