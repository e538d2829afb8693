//! A proxy forked the call and several phones answered (RFC 3261 section 13.2.2.4).

use hearthline_sip::endpoint::Event;
use hearthline_sip::{HeaderName, Message, Request, Response, StatusCode};
use std::time::Duration;

use crate::network::{Network, address, answered, ended};

fn answer(invite: &Request, status: StatusCode, tag: &str) -> Response {
    let mut response = Response::to_request(invite, status, Some(tag));
    let contact = format!("<sip:{tag}@192.0.2.9>");
    response.headers.push(HeaderName::Contact, contact);
    response
}

#[test]
fn the_first_answer_counts_and_the_others_are_acknowledged_and_ended() {
    let mut network = Network::new(1);
    network.add(|_| {});
    let proxy = network.play(9);
    let us = address(0, hearthline_sip::endpoint::Transport::Udp);
    let ours = network.call(|request| request.targets[0].remote = proxy);
    network.run(Duration::from_millis(10));
    let Some((_, _, _, Message::Request(invite))) = network.mailbox.pop_front() else {
        panic!("no INVITE");
    };
    for tag in ["one", "two", "three"] {
        network.respond(proxy, us, &answer(&invite, StatusCode::RINGING, tag));
    }
    network.run(Duration::from_millis(10));
    for tag in ["two", "one", "three"] {
        network.respond(proxy, us, &answer(&invite, StatusCode::OK, tag));
    }
    network.until(0, answered);
    network.run(Duration::from_millis(100));
    let forks = network.events[0]
        .iter()
        .filter(|event| matches!(event, Event::ForkEnded { .. }));
    assert_eq!(forks.count(), 2);
    let tags = |method: &str| -> Vec<String> {
        let requests = network.requests(method).into_iter();
        let tags = requests.map(|r| r.headers.to().unwrap().tag().unwrap().to_owned());
        tags.collect()
    };
    assert_eq!(tags("ACK"), ["two", "one", "three"]);
    let mut byes = tags("BYE");
    byes.dedup();
    assert_eq!(byes, ["one", "three"]);
    let uris: Vec<_> = network
        .requests("ACK")
        .iter()
        .map(|r| r.uri.to_string())
        .collect();
    assert_eq!(
        uris,
        [
            "sip:two@192.0.2.9",
            "sip:one@192.0.2.9",
            "sip:three@192.0.2.9"
        ]
    );
    // A repeated answer of a fork that was ended gets its ACK again, no second BYE of its own.
    network.respond(proxy, us, &answer(&invite, StatusCode::OK, "three"));
    network.run(Duration::from_millis(10));
    assert_eq!(network.requests("ACK").len(), 4);
    network.with(0, |end, now| end.bye(ours, None, now).unwrap());
    network.until(0, ended);
    network.until_quiet();
}

#[test]
fn a_storm_of_forks_is_bounded() {
    let mut network = Network::new(2);
    network.add(|_| {});
    let proxy = network.play(9);
    let us = address(0, hearthline_sip::endpoint::Transport::Udp);
    network.call(|request| request.targets[0].remote = proxy);
    network.run(Duration::from_millis(10));
    let Some((_, _, _, Message::Request(invite))) = network.mailbox.pop_front() else {
        panic!("no INVITE");
    };
    for fork in 0..100 {
        let tag = format!("fork{fork}");
        network.respond(proxy, us, &answer(&invite, StatusCode::OK, &tag));
    }
    network.run(Duration::from_millis(10));
    assert_eq!(network.requests("ACK").len(), 16);
    assert_eq!(network.ends[0].counters().overload_dropped, 84);
}
