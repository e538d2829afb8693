//! CANCEL and the answer that may be on its way (RFC 3261 section 9).

use std::time::Duration;

use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{EndedBy, Event, FailureCause, Transport};

use crate::network::{Faults, Network, ended, failed, incoming, sdp, target};

fn ringing(
    network: &mut Network,
) -> (
    hearthline_sip::endpoint::CallHandle,
    hearthline_sip::endpoint::CallHandle,
) {
    let ours = network.call(|_| {});
    let theirs = network.until(1, incoming);
    network.with(1, |end, now| {
        end.ring(theirs, StatusCode::RINGING, None, false, now)
            .unwrap();
    });
    network.until(0, |event| {
        matches!(event, Event::Progress { .. }).then_some(())
    });
    (ours, theirs)
}

#[test]
fn a_ringing_call_is_cancelled_with_487() {
    let mut network = Network::pair(1);
    let (ours, _) = ringing(&mut network);
    network.with(0, |end, now| {
        end.cancel(ours, Some("SIP;cause=200"), now).unwrap();
    });
    assert_eq!(network.until(0, failed), FailureCause::Cancelled);
    let (by, reason) = network.until(1, ended);
    assert_eq!(by, EndedBy::Remote);
    assert_eq!(reason.as_deref(), Some("SIP;cause=200"));
    assert_eq!(
        network.names(),
        ["INVITE", "180", "CANCEL", "200", "487", "ACK"]
    );
    network.until_quiet();
}

#[test]
fn when_the_answer_crosses_the_call_is_acknowledged_and_ended() {
    let mut network = Network::pair(2);
    let (ours, theirs) = ringing(&mut network);
    network.with(1, |end, now| end.accept(theirs, Some(sdp()), now).unwrap());
    network.with(0, |end, now| end.cancel(ours, None, now).unwrap());
    let (by, _) = network.until(0, ended);
    assert_eq!(by, EndedBy::Local);
    let (by, _) = network.until(1, ended);
    assert_eq!(by, EndedBy::Remote);
    assert_eq!(network.count("ACK"), 1);
    assert_eq!(network.count("BYE"), 1);
    assert_eq!(network.count("487"), 0);
    network.until_quiet();
}

#[test]
fn cancel_waits_for_the_first_provisional_response() {
    let mut network = Network::pair(3);
    let ours = network.call(|_| {});
    network.with(0, |end, now| end.cancel(ours, None, now).unwrap());
    network.run(Duration::from_millis(150));
    assert_eq!(network.names(), ["INVITE"]);
    assert_eq!(network.until(0, failed), FailureCause::Cancelled);
    assert_eq!(
        network.names(),
        ["INVITE", "100", "CANCEL", "200", "487", "ACK"]
    );
}

#[test]
fn a_cancel_of_nothing_is_481() {
    let mut network = Network::pair(4);
    let peer = network.play(9);
    let cancel = include_str!("invite.sip")
        .replace("INVITE", "CANCEL")
        .replace('\n', "\r\n");
    network.inject(peer, target(1, Transport::Udp).remote, cancel);
    network.run(Duration::from_secs(1));
    assert_eq!(network.names(), ["CANCEL", "481"]);
}

#[test]
fn whenever_it_is_cancelled_both_sides_end_and_agree() {
    for seed in 0..40_u8 {
        let mut network = Network::pair(seed);
        network.faults = Faults {
            lost: 150,
            doubled: 100,
            jitter_ms: 400,
        };
        let ours = network.call(|_| {});
        let theirs = network.until(1, incoming);
        network.run(Duration::from_millis(u64::from(seed) * 20));
        network.with(0, |end, now| end.cancel(ours, None, now).unwrap());
        network.run(Duration::from_millis(200));
        // Perhaps too late already.
        network.with(1, |end, now| {
            let _ = end.accept(theirs, Some(sdp()), now);
        });
        network.until(1, ended);
        network.until_quiet();
        assert_eq!(network.ends[0].call_count(), 0);
        assert_eq!(network.ends[1].call_count(), 0);
    }
}

#[test]
fn a_call_that_nobody_answers_is_given_up() {
    let mut network = Network::pair(6);
    network.call(|request| request.ringing_max = Some(Duration::from_secs(20)));
    network.until(1, incoming);
    assert_eq!(network.until(0, failed), FailureCause::NotAnswered);
    network.until(1, ended);
    network.until_quiet();
}
