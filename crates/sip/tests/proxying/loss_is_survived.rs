use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Body, Event, Transport};

use crate::network::{Network, SDP, address, answered, ended, incoming};

#[test]
fn calls_come_about_and_end_with_a_tenth_of_all_datagrams_lost() {
    for seed in 0..40 {
        let mut network = Network::home(seed, 3, &[&[1, 2]]);
        network.lost = 100;
        network.jitter_ms = 80;
        let ours = network.call();
        let one = network.until(1, incoming);
        network.with_end(1, |e, now| {
            e.ring(one, StatusCode::RINGING, None, false, now).unwrap();
            e.accept(one, Some(Body::sdp(SDP)), now).unwrap();
        });
        network.until(0, answered);
        // The other device rang or was cancelled before it could; it ends either way.
        network.until(1, |event| {
            matches!(event, Event::Confirmed { .. }).then_some(())
        });
        network.with_end(0, |e, now| e.bye(ours, None, now).unwrap());
        network.until(1, ended);
        network.until_quiet();
    }
}

#[test]
fn repeated_invites_are_absorbed() {
    let mut network = Network::home(50, 2, &[&[1]]);
    network.silent.insert(address(0, Transport::Udp));
    network.call();
    let call = network.until(1, incoming);
    network.run(3_000);
    // The caller hears nothing and repeats itself; the device hears it once.
    let proxy = crate::network::proxy_address(Transport::Udp);
    assert!(network.received(proxy, "INVITE").len() >= 3);
    assert_eq!(
        network.received(address(1, Transport::Udp), "INVITE").len(),
        1
    );
    network.silent.clear();
    network.with_end(1, |e, now| {
        e.accept(call, Some(Body::sdp(SDP)), now).unwrap();
    });
    network.until(0, answered);
}

#[test]
fn a_refusal_is_repeated_until_its_ack_and_the_ack_stops_here() {
    let mut network = Network::home(51, 2, &[&[1]]);
    let call = {
        network.call();
        network.until(1, incoming)
    };
    network.silent.insert(address(0, Transport::Udp));
    network.with_end(1, |e, now| {
        let busy = hearthline_sip::endpoint::Refusal::new(StatusCode::BUSY_HERE);
        e.reject(call, busy, now).unwrap();
    });
    network.run(2_000);
    assert!(network.received(address(0, Transport::Udp), "486").len() >= 2);
    network.silent.clear();
    network.until_quiet();
    // One ACK from the proxy to the device, one from the caller to the proxy.
    assert_eq!(network.received(address(1, Transport::Udp), "ACK").len(), 1);
}

#[test]
fn a_silent_device_is_a_timeout() {
    let mut network = Network::home(52, 2, &[&[1]]);
    network.decide = Box::new(|_, _, _| {
        let mut decision = crate::network::forward(&[vec![1]], Transport::Udp);
        if let hearthline_sip::proxy::Decision::Forward(forward) = &mut decision {
            forward.groups[0].ringing_max = None;
        }
        Some(decision)
    });
    network.silent.insert(address(1, Transport::Udp));
    network.call();
    let cause = network.until(0, crate::network::failed);
    assert!(cause.contains("408"), "{cause}");
    assert_eq!(network.now.as_secs(), 32);
    network.until_quiet();
}
