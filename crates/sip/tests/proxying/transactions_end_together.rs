//! Transactions that only wait for their end end at multiples of a step, never early, and all end.

use core::time::Duration;

use hearthline_sip::endpoint::{Body, Target, Transport};
use hearthline_sip::proxy::Output;

use crate::network::{Network, SDP, answered, confirmed, ended, incoming, proxy_address};

const STEP: Duration = Duration::from_millis(500);

fn network() -> Network {
    let mut network = Network::with(117, |config| config.endings_every = STEP);
    for _ in 0..2 {
        network.add(|_| {});
    }
    network.fork(&[&[1]]);
    network
}

/// A whole call.
fn talk(network: &mut Network, transport: Transport) {
    let call = network.call_with(|request| {
        request.targets = vec![Target::new(transport, proxy_address(transport))];
    });
    let rung = network.until(1, incoming);
    network.with_end(1, |e, now| {
        e.accept(rung, Some(Body::sdp(SDP)), now).unwrap();
    });
    network.until(0, answered);
    network.until(1, confirmed);
    network.with_end(0, |e, now| e.bye(call, None, now).unwrap());
    network.until(1, ended);
}

#[test]
fn on_a_connection_nothing_is_absorbed_that_need_not_be() {
    let mut network = network();
    talk(&mut network, Transport::Tcp);
    network.run(30);
    // The BYE's is over: the same branch again is another request.
    let (servers, _) = network.proxy.transaction_counts();
    assert_eq!(servers, 1, "{}", network.ladder());
}

#[test]
fn one_wake_up_ends_many() {
    let mut network = network();
    for wait in [10, 20, 30] {
        talk(&mut network, Transport::Udp);
        network.run(wait);
    }
    let (servers, clients) = network.proxy.transaction_counts();
    assert_eq!((servers, clients), (6, 6), "{}", network.ladder());
    let began = network.now;
    let mut wakes = 0;
    while let Output::Timeout(Some(at)) = network.proxy.poll_output(network.now) {
        assert_eq!(at.as_millis() % STEP.as_millis(), 0);
        network.now = at;
        wakes += 1;
        assert!(wakes <= 4, "of the BYEs and of the INVITEs");
    }
    assert_eq!(network.proxy.transaction_counts(), (0, 0));
    // Timers J, L and M of the last call were not cut short.
    assert!(network.now - began >= Duration::from_secs(31));
}
