//! Bad requests get the answer the RFC prescribes; bad responses and ACKs get none.

use std::time::Duration;

use hearthline_sip::HeaderName;
use hearthline_sip::endpoint::{Event, Transport};

use crate::network::{Network, address};

fn after(change: impl Fn(String) -> String) -> Network {
    let mut network = Network::pair(1);
    let peer = network.play(9);
    let text = change(include_str!("invite.sip").to_owned());
    network.inject(peer, address(1, Transport::Udp), text.replace('\n', "\r\n"));
    network.run(Duration::from_millis(10));
    network
}

fn answer(change: impl Fn(String) -> String) -> Vec<String> {
    let network = after(change);
    let us = address(1, Transport::Udp);
    let from_us = network.wire.iter().filter(|seen| seen.from == us);
    from_us.map(crate::network::Seen::name).collect()
}

#[test]
fn each_fault_has_its_status() {
    let cases: [(&str, &str, &str); 10] = [
        ("SIP/2.0\nVia", "SIP/3.0\nVia", "505"),
        ("CSeq: 1 INVITE", "CSeq: 1 BYE", "400"),
        ("CSeq: 1 INVITE\n", "", "400"),
        ("Content-Length: 0", "Content-Length: 9999", "400"),
        ("Content-Length: 0", "Content-Length: -1", "400"),
        ("INVITE sip:desk@192.0.2.2", "INVITE http:desk", "416"),
        (
            "INVITE sip:desk@192.0.2.2",
            "INVITE sip:de sk@192.0.2.2",
            "400",
        ),
        ("Contact: <sip:kitchen@192.0.2.9>\n", "", "400"),
        ("Supported: 100rel", "Require: x", "420"),
        ("Supported: 100rel", "Content-Encoding: gzip", "415"),
    ];
    for (from, to, status) in cases {
        assert_eq!(answer(|text| text.replace(from, to)), [status], "{to}");
    }
}

#[test]
fn methods_are_405_and_dialogs_that_are_not_there_481() {
    let method = |name: &'static str| answer(move |text| text.replace("INVITE", name));
    assert_eq!(method("SUBSCRIBE"), ["405"]);
    assert_eq!(method("FROBNICATE"), ["405"]);
    assert_eq!(method("BYE"), ["481"]);
    assert_eq!(method("PRACK"), ["481"]);
    let reinvite = |text: String| text.replace("desk@example.com>", "desk@example.com>;tag=gone");
    assert_eq!(answer(reinvite), ["481"]);
}

#[test]
fn options_is_answered_by_itself() {
    let network = after(|text| text.replace("INVITE", "OPTIONS"));
    let ok = network.responses(200)[0];
    for name in [
        HeaderName::Allow,
        HeaderName::Accept,
        HeaderName::Supported,
        HeaderName::Contact,
    ] {
        assert!(ok.headers.contains(&name), "{name}");
    }
    assert!(matches!(
        network.events[1][0],
        Event::OptionsReceived { .. }
    ));
}

#[test]
fn the_answer_goes_where_rport_says() {
    let mut network = Network::pair(2);
    let nat = std::net::SocketAddr::from(([192, 0, 2, 50], 34_567));
    network.played.insert(nat);
    let text = include_str!("invite.sip")
        .replace("INVITE", "OPTIONS")
        .replace('\n', "\r\n");
    network.inject(nat, address(1, Transport::Udp), text);
    network.run(Duration::from_millis(10));
    let ok = network.responses(200)[0];
    let via = ok.headers.top_via().unwrap();
    assert_eq!(via.rport(), Some(34_567));
    assert_eq!(via.received(), Some(nat.ip()));
    assert_eq!(network.mailbox.len(), 1);
}

#[test]
fn without_rport_it_goes_to_the_port_of_sent_by() {
    let mut network = Network::pair(3);
    let from = std::net::SocketAddr::from(([192, 0, 2, 9], 34_567));
    network.play(9);
    let text = include_str!("invite.sip")
        .replace("INVITE", "OPTIONS")
        .replace(";rport", "")
        .replace('\n', "\r\n");
    network.inject(from, address(1, Transport::Udp), text);
    network.run(Duration::from_millis(10));
    let (_, _, to, _) = network.mailbox.pop_front().unwrap();
    assert_eq!(to.port(), 5060);
}

#[test]
fn rfc_2543_clients_without_cookie_are_served() {
    let mut network = Network::pair(4);
    let peer = network.play(9);
    let us = address(1, Transport::Udp);
    let invite = include_str!("invite.sip")
        .replace(";branch=z9hG4bKplayed", "")
        .replace('\n', "\r\n");
    network.inject(peer, us, invite.clone());
    network.inject(peer, us, invite);
    let call = network.until(1, crate::network::incoming);
    let refusal = hearthline_sip::endpoint::Refusal::new(hearthline_sip::StatusCode::BUSY_HERE);
    network.with(1, |end, now| end.reject(call, refusal, now).unwrap());
    network.run(Duration::from_millis(10));
    let tag = network.responses(486)[0].headers.to().unwrap();
    let tag = tag.tag().unwrap().to_owned();
    let ack = include_str!("invite.sip")
        .replace(";branch=z9hG4bKplayed", "")
        .replace("1 INVITE", "1 ACK")
        .replace("INVITE sip:", "ACK sip:")
        .replace("desk@example.com>", &format!("desk@example.com>;tag={tag}"))
        .replace('\n', "\r\n");
    network.inject(peer, us, ack);
    network.run(Duration::from_secs(3));
    // Once for each INVITE; the ACK stopped the repetition.
    assert_eq!(network.count("486"), 2, "{}", network.ladder());
    assert_eq!(network.ends[1].counters().stray_acks, 0);
}
