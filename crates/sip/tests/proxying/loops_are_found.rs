use hearthline_sip::endpoint::{Target, Transport};
use hearthline_sip::proxy::{Branch, Decision, Forward, Group, Way};
use hearthline_sip::{HeaderName, StatusCode};

use crate::network::{Network, answered, failed, forward, incoming, proxy_address, uri};

fn to_ourselves(user: &str) -> Decision {
    let way = Way::to(uri(&format!("sip:{user}@home.example")))
        .at(Target::new(Transport::Udp, proxy_address(Transport::Udp)));
    let group = Group {
        branches: vec![Branch::new(way, 0)],
        ringing_max: None,
    };
    Decision::Forward(Forward {
        groups: vec![group],
        ..Forward::default()
    })
}

#[test]
fn a_request_that_comes_back_unchanged_is_a_loop() {
    let mut network = Network::home(31, 1, &[]);
    network.decide = Box::new(|_, _, _| Some(to_ourselves("desk")));
    network.call();
    let cause = network.until(0, failed);
    assert!(cause.contains("482"), "{cause}");
    assert_eq!(network.proxy.counters().loops, 1);
    network.until_quiet();
}

#[test]
fn a_request_that_comes_back_for_another_user_is_a_spiral_and_passes() {
    let mut network = Network::home(32, 2, &[]);
    network.decide = Box::new(|request, _, _| {
        Some(match request.uri.as_sip().and_then(|uri| uri.user()) {
            Some("desk") => to_ourselves("forwarded"),
            _ => forward(&[vec![1]], Transport::Udp),
        })
    });
    network.call();
    let call = network.until(1, incoming);
    network.with_end(1, |e, now| e.accept(call, None, now).unwrap());
    network.until(0, answered);
    network.until_quiet();
}

#[test]
fn a_spiral_without_the_network_asks_again_and_not_for_ever() {
    let mut network = Network::home(33, 2, &[]);
    network.decide = Box::new(|_, _, _| Some(Decision::Spiral(uri("sip:round@home.example"))));
    network.call();
    let cause = network.until(0, failed);
    assert!(cause.contains("482"), "{cause}");
    assert_eq!(network.asked.len(), 1 + 8);
    let mut network = Network::home(34, 2, &[]);
    network.decide = Box::new(|request, _, _| {
        Some(match request.uri.as_sip().and_then(|uri| uri.user()) {
            Some("desk") => Decision::Spiral(uri("sip:office@home.example")),
            _ => forward(&[vec![1]], Transport::Udp),
        })
    });
    network.call();
    network.until(1, incoming);
    assert_eq!(network.asked.len(), 2);
}

fn options(rows: &str) -> String {
    format!(
        "OPTIONS sip:desk@home.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bKo\r\n\
         From: <sip:a@home.example>;tag=1\r\nTo: <sip:desk@home.example>\r\nCall-ID: c\r\n\
         CSeq: 1 OPTIONS\r\n{rows}Content-Length: 0\r\n\r\n"
    )
}

/// The status that a played peer gets for an OPTIONS with these rows.
fn answer_to(rows: &str, groups: &[&[usize]]) -> (StatusCode, Network) {
    let mut network = Network::home(35, 5, groups);
    let from = network.play(50);
    network.inject(from, options(rows));
    network.run(1_000);
    let (_, answer) = network.mailbox.pop_front().expect("an answer");
    (answer.as_response().unwrap().status, network)
}

#[test]
fn no_hop_left_is_too_many_hops() {
    assert_eq!(answer_to("Max-Forwards: 0\r\n", &[&[1]]).0.code(), 483);
    let (status, network) = answer_to("Max-Forwards: 1\r\n", &[&[1]]);
    assert_eq!(status.code(), 200);
    let sent = network.received(crate::network::address(1, Transport::Udp), "OPTIONS");
    assert_eq!(sent[0].request().headers.max_forwards(), Ok(Some(0)));
    let (_, network) = answer_to("", &[&[1]]);
    let sent = network.received(crate::network::address(1, Transport::Udp), "OPTIONS");
    assert_eq!(sent[0].request().headers.max_forwards(), Ok(Some(70)));
}

#[test]
fn an_extension_that_proxies_must_know_is_refused_by_name() {
    let (status, mut network) = answer_to("Proxy-Require: sec-agree, blue\r\n", &[&[1]]);
    assert_eq!(status.code(), 420);
    let from = network.play(50);
    let answer = &network.received(from, "420")[0];
    let named = answer.response().headers.get_str(&HeaderName::Unsupported);
    assert_eq!(named, Some("sec-agree, blue"));
}

#[test]
fn the_breadth_is_shared_and_never_exceeded() {
    let (status, network) = answer_to("Max-Breadth: 9\r\n", &[&[1, 2, 3, 4]]);
    assert_eq!(status.code(), 200);
    let shares: Vec<_> = (1..5)
        .map(|end| {
            let to = crate::network::address(end, Transport::Udp);
            let sent = network.received(to, "OPTIONS")[0].request();
            sent.headers
                .get_str(&HeaderName::MaxBreadth)
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(shares, ["2", "2", "2", "2"]);
    assert_eq!(
        answer_to("Max-Breadth: 3\r\n", &[&[1, 2, 3, 4]]).0.code(),
        440
    );
    assert_eq!(
        answer_to("Max-Breadth: 2\r\n", &[&[1, 2], &[3, 4]])
            .0
            .code(),
        200
    );
}
