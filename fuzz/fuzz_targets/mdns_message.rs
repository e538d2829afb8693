//! Datagrams of anybody on this machine: read, answered, never a panic; what is written is read again.
#![no_main]
use core::time::Duration;
use std::net::{Ipv4Addr, SocketAddr};

use hearthline_satellite::mdns::message::Message;
use hearthline_satellite::mdns::{Output, Responder, Service};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagrams: Vec<Vec<u8>>| {
    let service = Service {
        kind: "_wyoming",
        instance: "Kitchen".into(),
        host: "hearth".into(),
        address: Ipv4Addr::LOCALHOST,
        port: 10_700,
        text: vec![("version", "1".into())],
    };
    let mut now = Duration::ZERO;
    let mut responder = Responder::new(service, 1, now);
    for (at, datagram) in datagrams.iter().take(32).enumerate() {
        let from = SocketAddr::from(([127, 0, 0, 1], if at % 2 == 0 { 5353 } else { 4000 }));
        responder.handle_datagram(datagram, from, now);
        now += Duration::from_millis(300);
        responder.handle_timeout(now);
        while let Output::Send(_, bytes) = responder.poll_output() {
            Message::read(&bytes).expect("what we write is a message");
        }
    }
});
