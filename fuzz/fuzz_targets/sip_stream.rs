//! Streams: slicing must not change what comes out. The first byte says how to slice.
#![no_main]

use hearthline_sip::Limits;
use hearthline_sip::framer::{Frame, StreamFramer};
use libfuzzer_sys::fuzz_target;

fn frames(bytes: &[u8], slice: usize) -> Vec<Frame> {
    let mut framer = StreamFramer::new(Limits::default());
    let mut frames = Vec::new();
    for chunk in bytes.chunks(slice) {
        framer.push(chunk);
        frames.extend(std::iter::from_fn(|| framer.next_frame()));
    }
    // Half of a ping that was cut in two shows as a pong, so keep-alives are not compared.
    frames.retain(|frame| !matches!(frame, Frame::Ping | Frame::Pong));
    frames
}

fuzz_target!(|bytes: &[u8]| {
    let Some((slice, bytes)) = bytes.split_first() else {
        return;
    };
    let whole = frames(bytes, bytes.len().max(1));
    let sliced = frames(bytes, usize::from(*slice).max(1));
    // A header section beyond its limit is noticed sooner when it comes in slices.
    if bytes.len() < Limits::default().header_bytes_max {
        assert_eq!(whole, sliced);
    }
});
