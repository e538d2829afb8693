//! RFC 3261 section 17 from outside: what is repeated, how often, and until when.

use std::time::Duration;

use hearthline_sip::endpoint::{EndedBy, Event, FailureCause, Transport};

use crate::network::{
    Faults, Network, answered, ended, failed, incoming, sdp, stand, stand_with, target,
};

#[test]
fn an_invite_to_nobody_is_repeated_seven_times_and_fails_with_timer_b() {
    let mut network = Network::pair(1);
    network.silent.insert(target(1, Transport::Udp).remote);
    network.call(|_| {});
    let cause = network.until(0, failed);
    assert_eq!(cause, FailureCause::Timeout);
    assert_eq!(network.now, Duration::from_secs(32));
    let times: Vec<_> = network.wire.iter().map(|s| s.at.as_millis()).collect();
    assert_eq!(times, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    network.until_quiet();
}

#[test]
fn nothing_is_repeated_over_tcp() {
    let mut network = Network::pair(1);
    stand_with(&mut network, |request| {
        request.targets = vec![target(1, Transport::Tcp)];
    });
    network.run(Duration::from_secs(60));
    assert_eq!(network.names(), ["INVITE", "200", "ACK"]);
}

#[test]
fn a_silent_user_is_covered_by_100_and_the_call_stands_through_loss() {
    for seed in 0..20 {
        let mut network = Network::pair(seed);
        network.faults = Faults {
            lost: 300,
            doubled: 200,
            jitter_ms: 300,
        };
        let ours = network.call(|_| {});
        let theirs = network.until(1, incoming);
        network.run(Duration::from_secs(2));
        network.with(1, |end, now| end.accept(theirs, Some(sdp()), now).unwrap());
        network.until(0, answered);
        network.run(Duration::from_secs(40));
        assert!(network.count("100") >= 1, "{}", network.ladder());
        network.with(0, |end, now| end.bye(ours, None, now).unwrap());
        let (by, _) = network.until(1, ended);
        assert_eq!(by, EndedBy::Remote, "{}", network.ladder());
        network.until_quiet();
    }
}

#[test]
fn a_2xx_without_ack_is_repeated_up_to_t2_and_ends_with_bye() {
    let mut network = Network::pair(3);
    let peer = network.play(9);
    let invite = include_str!("invite.sip").replace('\n', "\r\n");
    network.inject(peer, target(1, Transport::Udp).remote, invite);
    let call = network.until(1, incoming);
    network.with(1, |end, now| end.accept(call, Some(sdp()), now).unwrap());
    network.until(1, |event| {
        matches!(event, Event::AckMissing { .. }).then_some(())
    });
    let (by, _) = network.until(1, ended);
    assert_eq!(by, EndedBy::Timeout);
    assert_eq!(network.count("200"), 11, "{}", network.ladder());
    assert_eq!(network.requests("BYE").len(), 1);
    network.until_quiet();
}

#[test]
fn bye_waits_for_the_ack() {
    let mut network = Network::pair(4);
    network.call(|_| {});
    let theirs = network.until(1, incoming);
    network.with(1, |end, now| end.accept(theirs, Some(sdp()), now).unwrap());
    network.with(1, |end, now| end.bye(theirs, None, now).unwrap());
    let (by, _) = network.until(0, ended);
    assert_eq!(by, EndedBy::Remote);
    assert_eq!(network.names(), ["INVITE", "200", "ACK", "BYE", "200"]);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || {
        let mut network = Network::pair(7);
        network.faults = Faults {
            lost: 200,
            doubled: 100,
            jitter_ms: 50,
        };
        let (ours, _) = stand(&mut network);
        network.with(0, |end, now| end.bye(ours, None, now).unwrap());
        network.run(Duration::from_secs(100));
        let bytes = network.wire.iter().map(|seen| seen.message.to_bytes());
        bytes.collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn the_wire_text_of_a_call() {
    let mut network = Network::pair(5);
    let (ours, _) = stand(&mut network);
    network.with(0, |end, now| {
        end.bye(ours, Some("SIP;cause=200;text=\"done\""), now)
            .unwrap();
    });
    network.until(1, ended);
    let text: Vec<String> = network
        .wire
        .iter()
        .map(|seen| String::from_utf8(seen.message.to_bytes()).unwrap())
        .collect();
    insta::assert_snapshot!(text.join("\n--------\n").replace('\r', ""));
}
