//! D-Bus messages: any bytes are read or refused, what was read is written and read again; and a connection takes anything.
#![no_main]
#![allow(dead_code, unused_imports, unreachable_pub)]

// The modules themselves, without the sockets of their crate.
#[path = "../../crates/modem/src/dbus/connection.rs"]
mod connection;
#[path = "../../crates/modem/src/dbus/message.rs"]
mod message;
#[path = "../../crates/modem/src/dbus/names.rs"]
mod names;
#[path = "../../crates/modem/src/dbus/read.rs"]
mod read;
#[path = "../../crates/modem/src/dbus/signature.rs"]
mod signature;
#[path = "../../crates/modem/src/dbus/value.rs"]
mod value;
#[path = "../../crates/modem/src/dbus/write.rs"]
mod write;

use connection::Connection;
use libfuzzer_sys::fuzz_target;
use message::Message;

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
