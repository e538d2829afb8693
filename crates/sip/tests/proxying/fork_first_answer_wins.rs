use std::time::Duration;

use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Body, Event, Refusal, Transport};
use hearthline_sip::proxy::CallEvent;

use crate::network::{
    Network, SDP, address, answered, confirmed, ended, failed, incoming, proxy_address,
};

fn sdp() -> Option<Body> {
    Some(Body::sdp(SDP))
}

#[test]
fn the_first_answer_wins_and_the_others_are_told_why_they_stop() {
    let mut network = Network::home(1, 4, &[&[1, 2, 3]]);
    network.call();
    let calls: Vec<_> = (1..4).map(|end| network.until(end, incoming)).collect();
    for (end, call) in (1..4).zip(&calls) {
        network.with_end(end, |e, now| {
            e.ring(*call, StatusCode::RINGING, None, false, now)
                .unwrap();
        });
    }
    network.run(100);
    network.with_end(2, |e, now| e.accept(calls[1], sdp(), now).unwrap());
    network.until(0, answered);
    network.until(2, confirmed);
    for end in [1, 3] {
        let reason = network.until(end, |event| match event {
            Event::IncomingCancel { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        let reason = reason.unwrap();
        assert!(reason.contains("cause=200"), "{reason}");
        assert!(reason.contains("Call completed elsewhere"), "{reason}");
    }
    assert!(
        network
            .received(address(2, Transport::Udp), "CANCEL")
            .is_empty()
    );
    // The caller saw all rings, one answer, no 487.
    let caller = address(0, Transport::Udp);
    assert_eq!(network.received(caller, "180").len(), 3);
    assert_eq!(network.received(caller, "200").len(), 1);
    assert!(network.received(caller, "487").is_empty());
    let labels: Vec<_> = network
        .calls
        .iter()
        .filter_map(|event| match event {
            CallEvent::Answered { label, .. } => Some(*label),
            _ => None,
        })
        .collect();
    assert_eq!(labels, [2]);
}

#[test]
fn groups_ring_one_after_the_other() {
    let mut network = Network::home(2, 4, &[&[1], &[2, 3]]);
    network.call();
    let first = network.until(1, incoming);
    network.with_end(1, |e, now| {
        e.ring(first, StatusCode::RINGING, None, false, now)
            .unwrap();
    });
    network.run(1_000);
    assert!(
        network
            .received(address(2, Transport::Udp), "INVITE")
            .is_empty()
    );
    // Nobody answers there for the 20 s of its group; then the others ring.
    let second = network.until(2, incoming);
    assert!(network.now >= Duration::from_secs(20));
    let cancel = network.received(address(1, Transport::Udp), "CANCEL");
    let reason = cancel[0]
        .request()
        .headers
        .get_str(&hearthline_sip::HeaderName::Reason);
    assert!(reason.unwrap().contains("No answer"));
    network.with_end(2, |e, now| e.accept(second, sdp(), now).unwrap());
    network.until(0, answered);
    assert!(
        network
            .received(address(0, Transport::Udp), "487")
            .is_empty()
    );
}

#[test]
fn a_busy_device_leads_to_the_next_group_at_once() {
    let mut network = Network::home(3, 3, &[&[1], &[2]]);
    network.call();
    let first = network.until(1, incoming);
    network.with_end(1, |e, now| {
        e.reject(first, Refusal::new(StatusCode::BUSY_HERE), now)
            .unwrap();
    });
    let second = network.until(2, incoming);
    assert!(network.now < Duration::from_secs(1));
    network.with_end(2, |e, now| {
        e.reject(second, Refusal::new(StatusCode::NOT_FOUND), now)
            .unwrap();
    });
    let cause = network.until(0, failed);
    assert!(cause.contains("404"), "{cause}");
    network.until_quiet();
}

#[test]
fn a_decline_everywhere_ends_the_search() {
    let mut network = Network::home(4, 4, &[&[1, 2], &[3]]);
    network.call();
    let (one, two) = (network.until(1, incoming), network.until(2, incoming));
    network.with_end(2, |e, now| {
        e.ring(two, StatusCode::RINGING, None, false, now).unwrap();
    });
    network.run(50);
    network.with_end(1, |e, now| {
        e.reject(one, Refusal::new(StatusCode::DECLINE), now)
            .unwrap();
    });
    let cause = network.until(0, failed);
    assert!(cause.contains("603"), "{cause}");
    network.until(2, ended);
    assert!(
        network
            .received(address(3, Transport::Udp), "INVITE")
            .is_empty()
    );
    network.until_quiet();
}

#[test]
fn the_dialog_goes_through_the_proxy_and_its_end_is_noted() {
    let mut network = Network::home(5, 2, &[&[1]]);
    let ours = network.call();
    let theirs = network.until(1, incoming);
    network.with_end(1, |e, now| e.accept(theirs, sdp(), now).unwrap());
    network.until(0, answered);
    network.until(1, confirmed);
    network.run(60_000);
    // Between the 2xx and the BYE nothing is remembered.
    assert_eq!(network.proxy.transaction_counts(), (0, 0));
    network.with_end(0, |e, now| e.bye(ours, None, now).unwrap());
    network.until(1, ended);
    let to_proxy = network.received(proxy_address(Transport::Udp), "BYE");
    assert_eq!(to_proxy.len(), 1);
    network.until_quiet();
    let kinds: Vec<_> = network
        .calls
        .iter()
        .map(|event| match event {
            CallEvent::Started { .. } => "started",
            CallEvent::Ringing { .. } => "ringing",
            CallEvent::Answered { .. } => "answered",
            CallEvent::Failed { .. } => "failed",
            CallEvent::Ended { .. } => "ended",
        })
        .collect();
    assert_eq!(kinds, ["started", "answered", "ended"]);
    assert_eq!(network.calls[0].call(), network.calls[2].call());
}
