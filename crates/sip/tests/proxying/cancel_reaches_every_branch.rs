use std::time::Duration;

use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Body, Transport};

use crate::network::{Network, SDP, address, answered, ended, failed, incoming};

#[test]
fn the_caller_gives_up_and_every_device_stops() {
    let mut network = Network::home(11, 3, &[&[1, 2]]);
    let ours = network.call();
    for end in [1, 2] {
        let call = network.until(end, incoming);
        network.with_end(end, |e, now| {
            e.ring(call, StatusCode::RINGING, None, false, now).unwrap();
        });
    }
    network.run(100);
    network.with_end(0, |e, now| {
        e.cancel(ours, Some("SIP;cause=487;text=\"Changed my mind\""), now)
            .unwrap();
    });
    let cause = network.until(0, failed);
    assert!(cause.contains("487") || cause.contains("Cancel"), "{cause}");
    for end in [1, 2] {
        network.until(end, ended);
        let cancel = network.received(address(end, Transport::Udp), "CANCEL");
        let reason = cancel[0].request().headers.reasons().unwrap();
        assert_eq!(reason[0].text(), Some("Changed my mind"));
    }
    network.until_quiet();
}

#[test]
fn an_answer_that_crosses_the_cancel_goes_up() {
    let mut network = Network::home(12, 2, &[&[1]]);
    let ours = network.call();
    let theirs = network.until(1, incoming);
    network.with_end(1, |e, now| {
        e.ring(theirs, StatusCode::RINGING, None, false, now)
            .unwrap();
    });
    network.run(100);
    network.with_end(0, |e, now| e.cancel(ours, None, now).unwrap());
    network.with_end(1, |e, now| {
        e.accept(theirs, Some(Body::sdp(SDP)), now).unwrap();
    });
    network.until(1, ended);
    let caller = address(0, Transport::Udp);
    // The 200 to the INVITE was passed on; the caller acknowledged it and hung up.
    let ok = network.received(caller, "200");
    assert!(ok.iter().any(|seen| {
        seen.response().headers.cseq().unwrap().method == hearthline_sip::Method::Invite
    }));
    assert_eq!(network.received(address(1, Transport::Udp), "BYE").len(), 1);
    network.until_quiet();
}

#[test]
fn two_devices_answer_at_once_and_the_caller_ends_one() {
    let mut network = Network::home(13, 3, &[&[1, 2]]);
    network.call();
    let calls = [network.until(1, incoming), network.until(2, incoming)];
    network.run(10);
    for end in [1, 2] {
        network.with_end(end, |e, now| {
            e.accept(calls[end - 1], Some(Body::sdp(SDP)), now).unwrap();
        });
    }
    network.until(0, answered);
    network.run(1_000);
    let byes = (1..3).map(|end| network.received(address(end, Transport::Udp), "BYE").len());
    assert_eq!(byes.sum::<usize>(), 1, "{}", network.ladder());
}

#[test]
fn a_cancel_waits_for_a_provisional_response() {
    let mut network = Network::home(14, 2, &[&[1]]);
    network.silent.insert(address(1, Transport::Udp));
    let ours = network.call();
    network.run(300);
    network.with_end(0, |e, now| e.cancel(ours, None, now).unwrap());
    network.run(5_000);
    assert!(
        network
            .received(address(1, Transport::Udp), "CANCEL")
            .is_empty()
    );
    // The device wakes up and hears the next retransmission.
    network.silent.clear();
    network.until(1, ended);
    assert_eq!(
        network.received(address(1, Transport::Udp), "CANCEL").len(),
        1
    );
    network.until_quiet();
}

#[test]
fn a_cancel_of_nothing_is_told_so() {
    let mut network = Network::home(15, 2, &[&[1]]);
    let from = network.play(50);
    network.inject(
        from,
        "CANCEL sip:desk@home.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bKx\r\n\
         From: <sip:a@home.example>;tag=1\r\nTo: <sip:desk@home.example>\r\nCall-ID: c\r\n\
         CSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n",
    );
    network.run(10);
    assert_eq!(network.received(from, "481").len(), 1);
}

#[test]
fn a_cancel_from_somebody_else_ends_nothing() {
    let mut network = Network::home(17, 2, &[&[1]]);
    let (caller, other) = (network.play(50), network.play(51));
    let request = |method: &str| {
        format!(
            "{method} sip:desk@home.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bKk\r\n\
             From: <sip:a@home.example>;tag=1\r\nTo: <sip:desk@home.example>\r\nCall-ID: c\r\n\
             CSeq: 1 {method}\r\nContact: <sip:a@192.0.2.50>\r\nContent-Length: 0\r\n\r\n"
        )
    };
    network.inject(caller, request("INVITE"));
    network.until(1, incoming);
    network.run(100);
    // He read the Via, and sends from his own address.
    network.inject(other, request("CANCEL"));
    network.run(100);
    let device = address(1, Transport::Udp);
    assert!(
        network.received(device, "CANCEL").is_empty(),
        "{}",
        network.ladder()
    );
    // The answer goes where the request came from, to the port that its Via names.
    assert_eq!(network.received(other, "481").len(), 1);
    assert!(network.received(caller, "487").is_empty());
    // From another port of the caller's address it counts.
    let port = std::net::SocketAddr::new(caller.ip(), 6060);
    network.inject(port, request("CANCEL"));
    network.until(1, ended);
    assert_eq!(network.received(device, "CANCEL").len(), 1);
    network.run(100);
    assert!(!network.received(caller, "487").is_empty());
}

#[test]
fn an_emergency_call_waits_in_its_queue_beyond_timer_c() {
    for privileged in [true, false] {
        let mut network = Network::new(18);
        let queue = network.play(90);
        network.decide = Box::new(move |request, _, _| {
            let way = hearthline_sip::proxy::Way::to(request.uri.clone());
            Some(crate::network::by(
                way.at(hearthline_sip::Target::new(Transport::Udp, queue)),
            ))
        });
        let caller = network.play(50);
        let uri = if privileged {
            "urn:service:sos"
        } else {
            "sip:queue@far.example"
        };
        network.inject(
            caller,
            format!(
                "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bKq\r\n\
                 From: <sip:a@home.example>;tag=1\r\nTo: <{uri}>\r\nCall-ID: c\r\n\
                 CSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.50>\r\nContent-Length: 0\r\n\r\n"
            ),
        );
        network.run(10);
        let invite = network.received(queue, "INVITE")[0].request().clone();
        let answer =
            |status| hearthline_sip::Response::to_request(&invite, status, Some("q")).to_bytes();
        network.inject(queue, answer(StatusCode::new(182).unwrap()));
        // Twenty minutes without another word.
        network.run(1_200_000);
        let cancels = network.received(queue, "CANCEL").len();
        assert_eq!(cancels == 0, privileged, "{}", network.ladder());
        if privileged {
            network.inject(queue, answer(StatusCode::OK));
            network.run(10);
            assert_eq!(network.received(caller, "200").len(), 1);
        }
        network.until_quiet();
    }
}

#[test]
fn even_an_emergency_call_is_not_kept_for_ever() {
    let mut network = Network::new(19);
    let queue = network.play(90);
    network.decide = Box::new(move |request, _, _| {
        let way = hearthline_sip::proxy::Way::to(request.uri.clone());
        Some(crate::network::by(
            way.at(hearthline_sip::Target::new(Transport::Udp, queue)),
        ))
    });
    let caller = network.play(50);
    network.inject(
        caller,
        "INVITE urn:service:sos SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bKq\r\n\
         From: <sip:a@home.example>;tag=1\r\nTo: <urn:service:sos>\r\nCall-ID: c\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.50>\r\nContent-Length: 0\r\n\r\n",
    );
    network.run(10);
    let invite = network.received(queue, "INVITE")[0].request().clone();
    let queued = StatusCode::new(182).unwrap();
    let answer = hearthline_sip::Response::to_request(&invite, queued, Some("q"));
    network.inject(queue, answer.to_bytes());
    network.until_quiet();
    assert!(network.now >= Duration::from_secs(6 * 3_600));
    assert!(
        !network.received(caller, "408").is_empty() || !network.received(caller, "487").is_empty()
    );
}

#[test]
fn a_device_that_rings_for_ever_is_given_up_after_timer_c() {
    let mut network = Network::new(16);
    network.add(|_| {});
    network.add(|config| config.ringing_max = Duration::from_secs(10_000));
    network.decide = Box::new(|_, _, _| {
        let mut decision = crate::network::forward(&[vec![1]], Transport::Udp);
        if let hearthline_sip::proxy::Decision::Forward(forward) = &mut decision {
            forward.groups[0].ringing_max = None;
        }
        Some(decision)
    });
    network.call();
    let device = address(1, Transport::Udp);
    network.until(1, incoming);
    network.run(200);
    // It has sent 100 only (timer C is not started anew by 100) and then vanishes.
    network.silent.insert(device);
    let cause = network.until(0, failed);
    let after = Duration::from_secs(181);
    assert!(network.now >= after, "{:?}", network.now);
    assert!(cause.contains("408"), "{cause}");
    assert!(!network.received(device, "CANCEL").is_empty());
}
