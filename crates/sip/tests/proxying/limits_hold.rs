use hearthline_sip::HeaderName;
use hearthline_sip::proxy::{Decision, Reject};

use crate::network::{Network, forward};

fn invite(number: usize, host: u8, uri: &str) -> String {
    format!(
        "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.{host};branch=z9hG4bK{number}\r\n\
         From: <sip:a@home.example>;tag=1\r\nTo: <sip:desk@home.example>\r\n\
         Call-ID: c{number}\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.{host}>\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

#[test]
fn one_source_may_only_try_so_many_calls_at_once() {
    let mut network = Network::with(41, |config| config.limits.calls_per_source_max = 5);
    let (flooder, other) = (network.play(50), network.play(51));
    for number in 0..20 {
        network.inject(flooder, invite(number, 50, "sip:desk@home.example"));
    }
    network.inject(other, invite(100, 51, "sip:desk@home.example"));
    network.run(10);
    assert_eq!(network.received(flooder, "503").len(), 15);
    let refused = network.received(flooder, "503")[0].response();
    assert!(refused.headers.contains(&HeaderName::RetryAfter));
    assert!(network.received(other, "503").is_empty());
    assert_eq!(network.asked.len(), 6);
    // What is answered counts no longer.
    let asked: Vec<_> = network.asked.iter().map(|(id, _)| *id).collect();
    let now = network.now;
    for id in asked {
        let busy = Reject::new(hearthline_sip::StatusCode::BUSY_HERE);
        network
            .proxy
            .decide(id, Decision::Reject(busy), now)
            .unwrap();
    }
    network.inject(flooder, invite(200, 50, "sip:desk@home.example"));
    network.run(10);
    assert_eq!(network.asked.len(), 7);
}

#[test]
fn a_full_proxy_still_has_room_for_an_emergency() {
    let mut network = Network::with(42, |config| {
        config.limits.transactions_max = 8;
        config.limits.calls_per_source_max = 4;
        let numbers = ["112".to_owned(), "911".to_owned()];
        config.privileged = std::sync::Arc::new(move |request| {
            let user = request.uri.as_sip().and_then(|uri| uri.user());
            hearthline_sip::proxy::is_emergency_urn(&request.uri)
                || user.is_some_and(|user| numbers.iter().any(|number| number == user))
        });
    });
    for number in 0..20 {
        let host = 50 + u8::try_from(number).unwrap();
        let from = network.play(host);
        network.inject(from, invite(number, host, "sip:desk@home.example"));
    }
    network.run(10);
    assert_eq!(network.asked.len(), 8);
    let from = network.play(50);
    network.inject(from, invite(899, 50, "sip:112@home.example"));
    network.inject(from, invite(900, 50, "urn:service:sos"));
    network.run(10);
    // 112 is an emergency for whoever knows the country; the service URN is one everywhere.
    assert_eq!(network.asked.len(), 10);
    let (id, _) = *network.asked.last().unwrap();
    let request = network.proxy.request(id).unwrap();
    assert_eq!(request.uri.service(), Some("sos"));
}

#[test]
fn what_is_refused_at_once_fills_nothing_up() {
    let mut network = Network::with(46, |config| config.limits.transactions_max = 4);
    network.decide = Box::new(|_, _, _| {
        let status = hearthline_sip::StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        Some(Decision::Reject(Reject::new(status)))
    });
    let from = network.play(50);
    for number in 0..100 {
        network.inject(from, invite(number, 50, "sip:desk@home.example"));
    }
    network.run(10);
    assert_eq!(network.received(from, "407").len(), 100);
    assert_eq!(network.proxy.transaction_counts(), (0, 0));
    // RFC 3261 section 8.2.7: the same request has the same tag, its ACK ends here, and nothing
    // is repeated by us.
    network.inject(from, invite(7, 50, "sip:desk@home.example"));
    network.run(10);
    let tag = |number: usize| {
        let answer = network.received(from, "407")[number].response();
        answer.headers.to().unwrap().tag().unwrap().to_owned()
    };
    assert_eq!(tag(100), tag(7));
    let ack = invite(7, 50, "sip:desk@home.example").replace("INVITE", "ACK");
    let to = format!("To: <sip:desk@home.example>;tag={}", tag(7));
    network.inject(from, ack.replace("To: <sip:desk@home.example>", &to));
    network.run(60_000);
    assert_eq!(network.received(from, "407").len(), 101);
    assert_eq!(network.proxy.counters().stray_acks, 0);
    assert_eq!(network.asked.len(), 101);
}

#[test]
fn a_refusal_after_a_100_keeps_its_transaction() {
    let mut network = Network::new(47);
    let from = network.play(50);
    network.inject(from, invite(1, 50, "sip:desk@home.example"));
    network.run(300);
    assert_eq!(network.received(from, "100").len(), 1);
    let (id, _) = network.asked[0];
    let busy = Reject::new(hearthline_sip::StatusCode::BUSY_HERE);
    let decision = Decision::Reject(busy);
    network.proxy.decide(id, decision, network.now).unwrap();
    network.run(5_000);
    assert!(
        network.received(from, "486").len() > 1,
        "repeated until the ACK"
    );
}

#[test]
fn everything_of_one_source_counts_answered_or_not() {
    let mut network = Network::with(48, |config| {
        config.limits.transactions_per_source_max = 5;
    });
    network.decide = Box::new(|_, _, _| Some(Decision::Take));
    let (flooder, other) = (network.play(50), network.play(51));
    let message = |number: usize, host: u8| {
        invite(number, host, "sip:desk@home.example").replace("INVITE", "MESSAGE")
    };
    for number in 0..20 {
        network.inject(flooder, message(number, 50));
        network.run(2);
        // Answered, but still held for retransmissions.
        if let Some((id, _)) = network.asked.get(number).copied() {
            let request = network.proxy.request(id).unwrap();
            let ok = hearthline_sip::StatusCode::OK;
            let ok = hearthline_sip::Response::to_request(request, ok, Some("t"));
            network.proxy.respond(id, &ok, network.now).unwrap();
        }
    }
    network.inject(other, message(100, 51));
    network.run(10);
    assert_eq!(network.received(flooder, "503").len(), 15);
    assert_eq!(network.received(flooder, "200").len(), 5);
    assert_eq!(network.asked.len(), 6, "another source has its own share");
    network.until_quiet();
    // And it is given back.
    network.inject(flooder, message(200, 50));
    network.run(10);
    assert_eq!(network.asked.len(), 7);
}

#[test]
fn the_room_for_emergencies_is_for_calls_and_not_for_one_source() {
    let mut network = Network::with(49, |config| {
        config.limits.transactions_max = 0;
        config.limits.privileged_per_source_max = 3;
    });
    let (flooder, other) = (network.play(50), network.play(51));
    let sos = "urn:service:sos";
    for number in 0..10 {
        network.inject(flooder, invite(number, 50, sos));
    }
    network.inject(other, invite(100, 51, sos));
    network.inject(other, invite(101, 51, sos).replace("INVITE", "MESSAGE"));
    // A To tag proves no dialog.
    let tagged = invite(102, 51, "sip:desk@home.example");
    let tagged = tagged.replace("desk@home.example>\r\n", "desk@home.example>;tag=2\r\n");
    network.inject(other, tagged);
    network.run(10);
    assert_eq!(network.received(flooder, "503").len(), 7);
    assert_eq!(network.received(other, "503").len(), 2);
    assert_eq!(network.asked.len(), 4);
}

#[test]
fn beyond_its_share_an_emergency_is_an_ordinary_call_and_not_refused() {
    let mut network = Network::with(50, |config| config.limits.privileged_per_source_max = 3);
    let from = network.play(50);
    for number in 0..10 {
        network.inject(from, invite(number, 50, "urn:service:sos"));
    }
    network.run(10);
    assert_eq!(network.asked.len(), 10);
}

#[test]
fn a_service_urn_leaves_as_it_came_whatever_was_decided() {
    let mut network = Network::home(43, 2, &[&[1]]);
    network.decide = Box::new(|_, _, _| {
        Some(forward(
            &[vec![1]],
            hearthline_sip::endpoint::Transport::Udp,
        ))
    });
    let from = network.play(50);
    network.inject(from, invite(1, 50, "urn:service:sos.fire"));
    network.run(10);
    let device = crate::network::address(1, hearthline_sip::endpoint::Transport::Udp);
    let sent = network.received(device, "INVITE");
    assert_eq!(sent[0].request().uri.to_string(), "urn:service:sos.fire");
}

#[test]
fn every_transaction_ends_however_many_were_begun() {
    let mut network = Network::with(44, |config| config.limits.calls_per_source_max = 1_000);
    let from = network.play(50);
    for number in 0..500 {
        network.inject(from, invite(number, 50, "sip:desk@home.example"));
    }
    network.run(10);
    let asked: Vec<_> = network.asked.iter().map(|(id, _)| *id).collect();
    assert_eq!(asked.len(), 500);
    for id in asked {
        let gone = Reject::new(hearthline_sip::StatusCode::GONE);
        network
            .proxy
            .decide(id, Decision::Reject(gone), network.now)
            .unwrap();
    }
    network.until_quiet();
}

#[test]
fn an_invite_that_nobody_decides_about_is_answered_all_the_same() {
    let mut network = Network::new(45);
    let from = network.play(50);
    network.inject(from, invite(1, 50, "sip:desk@home.example"));
    network.run(29_000);
    assert_eq!(network.received(from, "100").len(), 1);
    network.run(2_000);
    assert!(!network.received(from, "504").is_empty());
    let (id, _) = network.asked[0];
    let late = network.proxy.decide(id, Decision::Take, network.now);
    assert!(late.is_err());
    network.until_quiet();
}
