//! Floods of requests, responses, streams: refused or dropped, counted, and memory stays bounded.

use std::net::SocketAddr;
use std::time::Duration;

use hearthline_sip::HeaderName;
use hearthline_sip::endpoint::{CommandError, Credentials, Input, ServerChallenge, Transport};

use crate::network::{Network, address, answered, failed, incoming, invite, sdp, stand, target};

fn text(serial: usize) -> Vec<u8> {
    include_str!("invite.sip")
        .replace("z9hG4bKplayed", &format!("z9hG4bKflood{serial}"))
        .replace("Call-ID: played", &format!("Call-ID: flood{serial}"))
        .replace('\n', "\r\n")
        .into_bytes()
}

#[test]
fn calls_beyond_the_limit_get_503_and_the_standing_one_goes_on() {
    let mut network = Network::pair(1);
    let (ours, _) = stand(&mut network);
    let peer = network.play(9);
    for serial in 0..3_000 {
        network.inject(peer, address(1, Transport::Udp), text(serial));
    }
    network.run(Duration::from_secs(1));
    let end = &network.ends[1];
    assert_eq!(end.call_count(), 64);
    assert!(end.transaction_counts().1 <= 1_024);
    assert!(end.counters().overload_answered > 2_000);
    let refusal = network.responses(503)[0];
    assert!(refusal.headers.contains(&HeaderName::RetryAfter));
    network.with(0, |end, now| {
        end.info(ours, crate::network::sdp(), now).unwrap();
    });
    // Even a request in the standing call may find no room; its BYE comes through in the end.
    network.run(Duration::from_secs(40));
    network.with(0, |end, now| end.bye(ours, None, now).unwrap());
    network.run(Duration::from_secs(40));
    assert_eq!(network.ends[0].call_count(), 0);
    network.until_quiet();
    assert_eq!(network.ends[1].call_count(), 0);
}

#[test]
fn an_undrained_endpoint_does_not_grow() {
    let mut network = Network::pair(2);
    let remote = SocketAddr::from(([192, 0, 2, 9], 5060));
    for serial in 0..20_000 {
        let bytes = text(serial);
        let input = Input::Received {
            transport: Transport::Udp,
            local: address(1, Transport::Udp),
            remote,
            bytes: &bytes,
        };
        network.ends[1].handle_input(input, Duration::ZERO);
    }
    let counters = network.ends[1].counters();
    assert!(counters.overload_dropped > 10_000, "{counters:?}");
    let mut outputs = 0;
    while !matches!(
        network.ends[1].poll_output(Duration::ZERO),
        hearthline_sip::endpoint::Output::Timeout(_)
    ) {
        outputs += 1;
    }
    assert!(outputs < 5_000, "{outputs}");
}

#[test]
fn streams_are_bounded_in_number_and_in_time() {
    let mut network = Network::pair(3);
    let end = &mut network.ends[1];
    let mut closed = 0;
    for port in 0..300_u16 {
        let input = Input::Received {
            transport: Transport::Tcp,
            local: address(1, Transport::Tcp),
            remote: SocketAddr::from(([192, 0, 2, 9], 10_000 + port)),
            bytes: b"INVITE sip:desk@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TCP 192",
        };
        end.handle_input(input, Duration::ZERO);
    }
    let mut next = None;
    loop {
        match end.poll_output(Duration::ZERO) {
            hearthline_sip::endpoint::Output::Close { .. } => closed += 1,
            hearthline_sip::endpoint::Output::Timeout(at) => {
                next = next.or(at);
                break;
            }
            _ => {}
        }
    }
    assert_eq!(closed, 300 - 256);
    assert_eq!(next, Some(Duration::from_secs(30)));
    end.handle_input(Input::Timeout, Duration::from_secs(30));
    while let hearthline_sip::endpoint::Output::Close { .. } =
        end.poll_output(Duration::from_secs(30))
    {
        closed += 1;
    }
    assert_eq!(closed, 300);
}

#[test]
fn a_merged_request_is_482() {
    let mut network = Network::pair(4);
    let peer = network.play(9);
    let us = address(1, Transport::Udp);
    let first = String::from_utf8(text(1)).unwrap();
    let second = first.replace("z9hG4bKflood1", "z9hG4bKother");
    network.inject(peer, us, first);
    network.inject(peer, us, second);
    network.run(Duration::from_millis(10));
    assert_eq!(network.count("482"), 1);
    assert_eq!(network.ends[1].counters().merged, 1);
}

#[test]
fn stray_messages_are_counted_and_not_answered() {
    let mut network = Network::pair(5);
    let peer = network.play(9);
    let us = address(1, Transport::Udp);
    let invite = include_str!("invite.sip").replace('\n', "\r\n");
    let ack = invite
        .replace("1 INVITE", "1 ACK")
        .replace("INVITE sip:", "ACK sip:");
    network.inject(peer, us, ack);
    let response = invite.replace("INVITE sip:desk@192.0.2.2 SIP/2.0", "SIP/2.0 200 OK");
    network.inject(peer, us, response);
    network.run(Duration::from_millis(10));
    let counters = network.ends[1].counters();
    assert_eq!(counters.stray_acks, 1);
    assert_eq!(counters.stray_responses, 1);
    assert_eq!(network.wire.len(), 2);
}

#[test]
fn a_caller_without_room_is_told_and_no_call_hangs() {
    // As a caller does that proves a password over UDP: each call holds two INVITEs for half a minute.
    let mut network = Network::new(6);
    network.add(|config| config.limits.client_transactions_max = 5);
    let challenge = ServerChallenge {
        realm: "home.test".to_owned(),
        users: [("anna".to_owned(), "secret".to_owned())].into(),
        sha256: true,
        md5: false,
        proxy: true,
        nonce_life: Duration::from_secs(60),
    };
    network.add(|config| config.challenge = Some(challenge));
    let own = Credentials {
        username: "anna".to_owned(),
        password: "secret".to_owned(),
        realm: None,
    };
    for _ in 0..2 {
        network.call(|request| request.credentials = vec![own.clone()]);
        let call = network.until(1, incoming);
        network.with(1, |end, now| end.accept(call, Some(sdp()), now).unwrap());
        network.until(0, answered);
    }
    // The third finds room to ask, and none to answer the challenge: it fails with what it was asked.
    network.call(|request| request.credentials = vec![own.clone()]);
    let cause = network.until(0, failed);
    assert_eq!(
        cause.status().map(hearthline_sip::StatusCode::code),
        Some(407)
    );
    // The next one finds none at all.
    let mut request = invite(target(1, Transport::Udp));
    request.credentials = vec![own.clone()];
    let refused = network.with(0, |end, now| end.invite(request, now));
    let (what, max) = ("client transactions", 5);
    assert_eq!(refused, Err(CommandError::TooMany { what, max }));
    assert_eq!(network.ends[0].call_count(), 2);
    // Half a minute later there is room again.
    network.run(Duration::from_secs(33));
    network.call(|request| request.credentials = vec![own]);
    network.until(1, incoming);
}
