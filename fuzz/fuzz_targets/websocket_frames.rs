//! Frames of WebSocket clients: whatever comes, slicing does not change what is read, and no message is larger than
//! allowed. The first byte says how to slice. The file is taken by its path: the hub around it has nothing to do here.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../crates/hub/src/websocket.rs"]
mod websocket;

use websocket::{Fault, FrameReader, Received};

const MESSAGE_BYTES_MAX: usize = 2_048;

fn read(bytes: &[u8], slice: usize) -> (Vec<Received>, Option<Fault>) {
    let mut reader = FrameReader::new(MESSAGE_BYTES_MAX);
    let mut all = Vec::new();
    for chunk in bytes.chunks(slice) {
        reader.push(chunk);
        loop {
            match reader.next() {
                Ok(Some(received)) => all.push(received),
                Ok(None) => break,
                Err(fault) => return (all, Some(fault)),
            }
        }
    }
    (all, None)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((slice, bytes)) = bytes.split_first() else {
        return;
    };
    let whole = read(bytes, bytes.len().max(1));
    let sliced = read(bytes, usize::from(*slice).max(1));
    assert_eq!(whole, sliced);
    for received in &whole.0 {
        let length = match received {
            Received::Text(text) => text.len(),
            Received::Binary(bytes) | Received::Ping(bytes) => bytes.len(),
            Received::Pong | Received::Close => 0,
        };
        assert!(length <= MESSAGE_BYTES_MAX);
    }
    if let Some(fault) = whole.1 {
        assert!((1001..=1009).contains(&fault.status()));
    }
    if let Ok(key) = std::str::from_utf8(bytes) {
        let _ = websocket::accept_key(key);
    }
});
