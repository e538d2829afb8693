use hearthline_sip::proxy::Passage;

use crate::network::Network;

fn request(method: &str, uri: &str, rows: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bK{method}\r\n\
         From: <sip:a@home.example>;tag=1\r\nTo: <sip:b@elsewhere.example>;tag=2\r\n\
         Call-ID: c\r\nCSeq: 1 {method}\r\n{rows}Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

#[test]
fn nothing_is_relayed_without_a_decision_or_a_token() {
    let mut network = Network::new(61);
    let from = network.play(50);
    let preset = "Route: <sip:192.0.2.100;lr>, <sip:192.0.2.77;lr>\r\n";
    network.inject(from, request("BYE", "sip:b@198.51.100.1", ""));
    network.inject(from, request("MESSAGE", "sip:b@198.51.100.1", preset));
    network.inject(from, request("ACK", "sip:b@198.51.100.1", preset));
    network.run(1_000);
    let passages: Vec<_> = network.asked.iter().map(|(_, passage)| *passage).collect();
    assert_eq!(passages, [Passage::Outside, Passage::Outside]);
    let strangers = network
        .wire
        .iter()
        .filter(|seen| seen.to != from && seen.from != from);
    assert_eq!(strangers.count(), 0);
    assert_eq!(network.proxy.counters().stray_acks, 1);
}

#[test]
fn responses_to_nothing_go_nowhere() {
    let mut network = Network::new(62);
    let from = network.play(50);
    network.inject(
        from,
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.100;branch=z9hG4bK1.2.3\r\n\
         Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKx\r\nFrom: <sip:a@b.example>;tag=1\r\n\
         To: <sip:c@d.example>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
         Content-Length: 0\r\n\r\n",
    );
    network.run(10);
    assert_eq!(network.wire.len(), 1);
    assert_eq!(network.proxy.counters().stray_responses, 1);
}

#[test]
fn what_cannot_be_read_is_answered_where_that_is_possible() {
    let mut network = Network::new(63);
    let from = network.play(50);
    network.inject(
        from,
        "INVITE sip:b@home.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bK1\r\n\
         From: <sip:a@home.example>;tag=1\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
         Content-Length: 0\r\n\r\n",
    );
    network.inject(from, "INVITE nothing\r\n\r\n");
    network.inject(from, "\r\n\r\n");
    network.run(10);
    assert_eq!(network.received(from, "400").len(), 1);
    assert_eq!(network.proxy.counters().malformed_dropped, 1);
}

#[test]
fn the_ack_of_an_answer_without_a_transaction_ends_here() {
    let mut network = Network::new(64);
    let from = network.play(50);
    let tooth = request("INVITE", "sip:b@home.example", "Proxy-Require: x\r\n");
    network.inject(from, tooth);
    network.run(10);
    let refused = network.received(from, "420")[0].response().clone();
    let to = refused.headers.to().unwrap();
    assert_eq!(to.tag(), Some("2"), "a To with a tag keeps it");
    network.inject(from, request("ACK", "sip:b@home.example", ""));
    network.run(10);
    assert_eq!(network.wire.len(), 3);
}
