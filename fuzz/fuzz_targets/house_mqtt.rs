//! Packets of a broker: whatever comes, slicing does not change what is read. The first byte says how to slice.
#![no_main]

use std::time::Duration;

use hearthline_house::mqtt::packet::{Fault, PacketReader, Received};
use hearthline_house::mqtt::session::Login;
use hearthline_house::mqtt::{Client, Prefixes};
use libfuzzer_sys::fuzz_target;

fn read(bytes: &[u8], slice: usize) -> (Vec<Received>, Option<Fault>) {
    let mut reader = PacketReader::new(2_048);
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
    let slice = usize::from(*slice).max(1);
    assert_eq!(read(bytes, bytes.len().max(1)), read(bytes, slice));
    let login = Login {
        client: "c".into(),
        user: None,
        will: None,
    };
    let prefixes = Prefixes {
        discovery: "h".into(),
        zigbee: "z".into(),
    };
    let mut client = Client::new(login, prefixes);
    client.opened(Duration::ZERO);
    client.handle_bytes(&[0x20, 2, 0, 0], Duration::ZERO);
    for chunk in bytes.chunks(slice) {
        client.handle_bytes(chunk, Duration::ZERO);
    }
    client.handle_timeout(Duration::from_secs(1));
    while client.poll_output().is_some() {}
});
