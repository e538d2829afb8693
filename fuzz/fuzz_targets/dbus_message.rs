//! D-Bus messages: any bytes are read or refused, what was read is written and read again; and a connection takes anything.
#![no_main]

use hearthline_modem::dbus::{Connection, Message};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = Message::parse(bytes) {
        let again = Message::parse(&message.to_bytes()).expect("what was read can be written");
        assert_eq!(again.to_bytes(), message.to_bytes());
    }
    let mut connection = Connection::new();
    connection.handle_bytes(b"OK 00\r\n");
    for piece in bytes.chunks(7) {
        connection.handle_bytes(piece);
    }
    while connection.poll_output().is_some() {}
});
