//! Frames of WebSocket peers, read as a server and as a client, and the answer to a handshake: whatever comes, slicing does not change what is read, and no message is larger than
//! allowed. The first byte says how to slice.
#![no_main]

use libfuzzer_sys::fuzz_target;

use hearthline_transport::websocket::client::Handshake;
use hearthline_transport::websocket::{Fault, FrameReader, Received, accept_key};

const MESSAGE_BYTES_MAX: usize = 2_048;

fn read(mut reader: FrameReader, bytes: &[u8], slice: usize) -> (Vec<Received>, Option<Fault>) {
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
    for new in [FrameReader::new, FrameReader::of_server] {
        let whole = read(new(MESSAGE_BYTES_MAX), bytes, bytes.len().max(1));
        let sliced = read(new(MESSAGE_BYTES_MAX), bytes, usize::from(*slice).max(1));
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
    }
    if let Ok(Some(end)) = Handshake::new([7; 16], None).answer(bytes) {
        assert!(end <= bytes.len());
    }
    if let Ok(key) = std::str::from_utf8(bytes) {
        let _ = accept_key(key);
    }
});
