//! Reliable provisional responses (RFC 3262) as caller and as callee.

use std::time::Duration;

use hearthline_sip::endpoint::{EndedBy, Event, Reliable, Transport};
use hearthline_sip::{HeaderName, Message, Response, StatusCode};

use crate::network::{Faults, Network, address, answered, confirmed, ended, incoming, sdp};

fn progress(event: &Event) -> Option<u16> {
    match event {
        Event::Progress { response, .. } => Some(response.status.code()),
        _ => None,
    }
}

#[test]
fn a_reliable_ringing_is_acknowledged_and_the_second_waits_for_it() {
    let mut network = Network::pair(1);
    network.call(|request| request.reliable = Reliable::Required);
    let call = network.until(1, incoming);
    network.with(1, |end, now| {
        // Demanded by the caller, so reliable although not asked for here.
        end.ring(call, StatusCode::RINGING, None, false, now)
            .unwrap();
        let progress = StatusCode::SESSION_PROGRESS;
        end.ring(call, progress, Some(sdp()), true, now).unwrap();
        end.accept(call, None, now).unwrap();
    });
    assert_eq!(network.until(0, progress), 180);
    assert_eq!(network.until(0, progress), 183);
    network.until(0, answered);
    network.until(1, confirmed);
    assert_eq!(
        network.names(),
        [
            "INVITE", "180", "PRACK", "200", "183", "PRACK", "200", "200", "ACK"
        ],
        "{}",
        network.ladder()
    );
    let rseq = |code| network.responses(code)[0].headers.rseq().unwrap().unwrap();
    assert_eq!(rseq(180) + 1, rseq(183));
    let prack = network.requests("PRACK")[0];
    let rack = prack.headers.rack().unwrap().unwrap();
    assert_eq!(rack.rseq, rseq(180));
    network.until_quiet();
}

#[test]
fn it_stands_through_loss() {
    for seed in 0..20 {
        let mut network = Network::pair(seed);
        network.faults = Faults {
            lost: 250,
            doubled: 150,
            jitter_ms: 300,
        };
        let ours = network.call(|_| {});
        let call = network.until(1, incoming);
        network.with(1, |end, now| {
            let status = StatusCode::SESSION_PROGRESS;
            end.ring(call, status, Some(sdp()), true, now).unwrap();
            end.accept(call, None, now).unwrap();
        });
        network.until(0, answered);
        network.run(Duration::from_secs(40));
        network.with(0, |end, now| end.bye(ours, None, now).unwrap());
        network.until(1, ended);
        network.until_quiet();
    }
}

#[test]
fn a_callee_without_prack_gives_up_with_a_5xx() {
    let mut network = Network::pair(3);
    let peer = network.play(9);
    let invite = include_str!("invite.sip").replace('\n', "\r\n");
    network.inject(peer, address(1, Transport::Udp), invite);
    let call = network.until(1, incoming);
    network.with(1, |end, now| {
        end.ring(call, StatusCode::RINGING, None, true, now)
            .unwrap();
    });
    let (by, reason) = network.until(1, ended);
    assert_eq!(by, EndedBy::Timeout);
    assert_eq!(reason.as_deref(), Some("no PRACK"));
    assert_eq!(network.count("180"), 7);
    assert!(network.count("504") >= 1);
}

#[test]
fn a_response_that_comes_early_is_neither_acknowledged_nor_told() {
    let mut network = Network::new(4);
    network.add(|_| {});
    let peer = network.play(9);
    network.call(|request| request.targets[0].remote = peer);
    network.run(Duration::from_millis(10));
    let (_, us, _, message) = network.mailbox.pop_front().unwrap();
    let Message::Request(invite) = message else {
        panic!("no INVITE");
    };
    let reliable = |code: u16, rseq: u32| {
        let status = StatusCode::new(code).unwrap();
        let mut response = Response::to_request(&invite, status, Some("far"));
        response.headers.push(HeaderName::Require, "100rel");
        response.headers.push_display(HeaderName::RSeq, rseq);
        response
            .headers
            .push(HeaderName::Contact, "<sip:desk@192.0.2.9>");
        response
    };
    network.respond(peer, us, &reliable(180, 7));
    network.run(Duration::from_millis(10));
    network.respond(peer, us, &reliable(183, 9));
    network.respond(peer, us, &reliable(180, 7));
    network.run(Duration::from_millis(10));
    assert_eq!(network.requests("PRACK").len(), 1, "{}", network.ladder());
    network.respond(peer, us, &reliable(182, 8));
    network.respond(peer, us, &reliable(183, 9));
    network.run(Duration::from_millis(10));
    let racks: Vec<_> = network
        .requests("PRACK")
        .iter()
        .map(|prack| prack.headers.rack().unwrap().unwrap().rseq)
        .collect();
    assert_eq!(racks, [7, 8, 9]);
    let told: Vec<_> = network.events[0].iter().filter_map(progress).collect();
    assert_eq!(told, [180, 182, 183]);
}

#[test]
fn a_peer_that_cannot_gets_the_call_without_it() {
    // 420 with Unsupported: the call is worth more than reliable ringing.
    let mut network = Network::new(5);
    network.add(|_| {});
    let peer = network.play(9);
    network.call(|request| {
        request.targets[0].remote = peer;
        request.reliable = Reliable::Required;
    });
    network.run(Duration::from_millis(10));
    let (_, us, _, message) = network.mailbox.pop_front().unwrap();
    let Message::Request(invite) = message else {
        panic!("no INVITE");
    };
    let mut refusal = Response::to_request(&invite, StatusCode::BAD_EXTENSION, Some("far"));
    refusal.headers.push(HeaderName::Unsupported, "100rel");
    network.respond(peer, us, &refusal);
    network.run(Duration::from_millis(10));
    let invites = network.requests("INVITE");
    assert_eq!(invites.len(), 2);
    assert!(invites[0].headers.lists(&HeaderName::Require, "100rel"));
    assert!(!invites[1].headers.contains(&HeaderName::Require));
}

#[test]
fn an_extension_nobody_knows_is_420() {
    let mut network = Network::pair(6);
    let peer = network.play(9);
    let invite = include_str!("invite.sip")
        .replace("Supported: 100rel", "Require: teleport")
        .replace('\n', "\r\n");
    network.inject(peer, address(1, Transport::Udp), invite);
    network.run(Duration::from_millis(10));
    let refusal = network.responses(420)[0];
    assert_eq!(
        refusal.headers.get_str(&HeaderName::Unsupported),
        Some("teleport")
    );
}
