//! A call that waits for a device that was told of it: nobody rings yet, or others do.

use std::time::Duration;

use hearthline_sip::endpoint::{Body, Reliable, Transport};
use hearthline_sip::proxy::{AskId, CallEvent, Decision, Over};
use hearthline_sip::{HeaderName, StatusCode};

use crate::network::{
    Network, SDP, address, answered, confirmed, ended, failed, forward, incoming,
};

const OPEN: Duration = Duration::from_secs(30);

/// A home whose calls ring these at once, and are open for others.
fn open_home(seed: u8, groups: &[&[usize]]) -> Network {
    let mut network = Network::new(seed);
    for _ in 0..4 {
        network.add(|_| {});
    }
    let groups: Vec<Vec<usize>> = groups.iter().map(|group| group.to_vec()).collect();
    network.decide = Box::new(move |_, _, _| {
        let Decision::Forward(mut forward) = forward(&groups, Transport::Udp) else {
            unreachable!()
        };
        forward.open_for = Some(OPEN);
        Some(Decision::Forward(forward))
    });
    network
}

fn join(network: &mut Network, end: usize) -> Result<(), Over> {
    let Decision::Forward(mut forward) = forward(&[vec![end]], Transport::Udp) else {
        unreachable!()
    };
    let branch = forward.groups.remove(0).branches.remove(0);
    let id: AskId = network.asked[0].0;
    let joined = network.proxy.join(id, branch, network.now);
    network.drain();
    joined
}

#[test]
fn who_comes_after_ten_seconds_rings_and_answers() {
    let mut network = open_home(1, &[]);
    let ours = network.call();
    network.run(10_000);
    let caller = address(0, Transport::Udp);
    {
        let ringing = network.received(caller, "180");
        assert_eq!(ringing.len(), 1, "{}", network.ladder());
        let headers = &ringing[0].response().headers;
        assert!(headers.to().unwrap().tag().is_some());
        let contact = headers.contacts().unwrap();
        assert_eq!(contact.first().unwrap().uri.to_string(), "sip:192.0.2.100");
    }
    join(&mut network, 2).unwrap();
    let theirs = network.until(2, incoming);
    network.with_end(2, |e, now| {
        e.ring(theirs, StatusCode::RINGING, None, false, now)
            .unwrap();
    });
    // Longer than a call is open: who rings is not cut off.
    network.run(40_000);
    assert_eq!(join(&mut network, 3), Err(Over));
    network.with_end(2, |e, now| {
        e.accept(theirs, Some(Body::sdp(SDP)), now).unwrap();
    });
    network.until(0, answered);
    network.until(2, confirmed);
    network.with_end(0, |e, now| e.bye(ours, None, now).unwrap());
    network.until(2, ended);
    network.until_quiet();
    let labels: Vec<u64> = network
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
fn where_nobody_comes_the_caller_is_told_in_the_end() {
    let mut network = open_home(2, &[]);
    network.call();
    let why = network.until(0, failed);
    assert!(why.contains("480"), "{why}");
    assert!(network.now >= OPEN && network.now < OPEN + Duration::from_secs(1));
    let failed = network.calls.iter().any(
        |event| matches!(event, CallEvent::Failed { status, .. } if *status == StatusCode::TEMPORARILY_UNAVAILABLE),
    );
    assert!(failed, "{:?}", network.calls);
    network.until_quiet();
    assert_eq!(join(&mut network, 1), Err(Over));
}

#[test]
fn who_hangs_up_while_nobody_has_come_is_not_called_for() {
    let mut network = open_home(3, &[]);
    let ours = network.call();
    network.run(5_000);
    network.with_end(0, |e, now| e.cancel(ours, None, now).unwrap());
    network.run(1_000);
    assert_eq!(network.received(address(0, Transport::Udp), "487").len(), 1);
    assert_eq!(join(&mut network, 1), Err(Over));
    network.until_quiet();
    assert!(
        network
            .received(address(1, Transport::Udp), "INVITE")
            .is_empty()
    );
}

#[test]
fn who_joins_rings_beside_the_others_and_the_first_answer_wins() {
    let mut network = open_home(4, &[&[1]]);
    network.call();
    let first = network.until(1, incoming);
    network.with_end(1, |e, now| {
        e.ring(first, StatusCode::RINGING, None, false, now)
            .unwrap();
    });
    network.run(3_000);
    join(&mut network, 2).unwrap();
    let second = network.until(2, incoming);
    network.run(500);
    network.with_end(2, |e, now| {
        e.accept(second, Some(Body::sdp(SDP)), now).unwrap();
    });
    network.until(0, answered);
    network.until(1, ended);
    // The hub said nothing of its own: somebody rang.
    assert_eq!(network.received(address(0, Transport::Udp), "180").len(), 1);
    assert_eq!(join(&mut network, 3), Err(Over));
}

#[test]
fn one_who_declines_for_all_ends_it_and_one_who_is_busy_does_not() {
    for (status, goes_on) in [(StatusCode::DECLINE, false), (StatusCode::BUSY_HERE, true)] {
        let mut network = open_home(5, &[&[1]]);
        network.call();
        let first = network.until(1, incoming);
        network.with_end(1, |e, now| {
            e.reject(first, hearthline_sip::endpoint::Refusal::new(status), now)
                .unwrap();
        });
        network.run(2_000);
        assert_eq!(join(&mut network, 2).is_ok(), goes_on, "{status}");
        if !goes_on {
            let why = network.until(0, failed);
            assert!(why.contains("603"), "{why}");
        } else {
            let second = network.until(2, incoming);
            network.with_end(2, |e, now| {
                e.accept(second, Some(Body::sdp(SDP)), now).unwrap();
            });
            network.until(0, answered);
        }
        network.run(1);
    }
}

#[test]
fn one_who_must_acknowledge_every_ring_hears_none_of_ours() {
    let mut network = open_home(6, &[]);
    network.call_with(|request| request.reliable = Reliable::Required);
    network.run(5_000);
    let caller = address(0, Transport::Udp);
    assert!(network.received(caller, "180").is_empty());
    assert_eq!(network.received(caller, "100").len(), 1);
    let invite = &network.wire[0];
    assert!(
        invite
            .request()
            .headers
            .lists(&HeaderName::Require, "100rel")
    );
    join(&mut network, 1).unwrap();
    network.until(1, incoming);
}
