//! RFC 6026: a 2xx that is lost, doubled or late.

use std::time::Duration;

use hearthline_sip::endpoint::Event;

use crate::network::{Network, ended, stand};

#[test]
fn every_repeated_2xx_gets_the_same_ack_and_is_not_told_again() {
    let mut network = Network::pair(1);
    stand(&mut network);
    let seen = network
        .wire
        .iter()
        .find(|seen| seen.name() == "200")
        .unwrap();
    let (from, to, bytes) = (seen.from, seen.to, seen.message.to_bytes());
    for _ in 0..3 {
        network.inject(from, to, bytes.clone());
    }
    network.run(Duration::from_secs(1));
    let acks = network.requests("ACK");
    assert_eq!(acks.len(), 4, "{}", network.ladder());
    assert!(acks.iter().all(|ack| *ack == acks[0]));
    let told = network.events[0].iter();
    assert_eq!(
        told.filter(|e| matches!(e, Event::Answered { .. })).count(),
        0
    );
}

#[test]
fn an_ack_that_is_lost_is_sent_again_for_the_repeated_2xx() {
    let mut network = Network::pair(2);
    let to = crate::network::address(1, hearthline_sip::endpoint::Transport::Udp);
    let ours = network.call(|_| {});
    let theirs = network.until(1, crate::network::incoming);
    network.silent.insert(to);
    network.with(1, |end, now| {
        end.accept(theirs, Some(crate::network::sdp()), now)
            .unwrap();
    });
    network.run(Duration::from_secs(1));
    assert!(network.count("ACK") >= 1);
    network.silent.clear();
    network.until(1, crate::network::confirmed);
    network.with(0, |end, now| end.bye(ours, None, now).unwrap());
    network.until(1, ended);
    network.until_quiet();
}

#[test]
fn a_repeated_2xx_after_the_call_ended_is_still_acknowledged() {
    let mut network = Network::pair(3);
    let (ours, _) = stand(&mut network);
    network.with(0, |end, now| end.bye(ours, None, now).unwrap());
    network.until(1, ended);
    let seen = network
        .wire
        .iter()
        .find(|seen| seen.name() == "200")
        .unwrap();
    let (from, to, bytes) = (seen.from, seen.to, seen.message.to_bytes());
    network.inject(from, to, bytes);
    network.run(Duration::from_secs(1));
    assert_eq!(network.count("ACK"), 2, "{}", network.ladder());
    assert_eq!(network.count("BYE"), 1);
}
