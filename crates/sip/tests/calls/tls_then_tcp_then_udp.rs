//! RFC 3263 with the order of an emergency call (RFC 6881 ED-57, ED-58), and fail-over in a call.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Event, FailureCause, Target, Transport};
use hearthline_sip::resolve::{Answer, Lookup, LookupKind, Naptr, Question, Resolution, Srv};
use hearthline_sip::tokens::Tokens;

use crate::network::{Network, address, answered, failed, incoming, sdp, target};

fn question(host: &str, emergency: bool) -> Question {
    Question {
        host: host.to_owned(),
        port: None,
        transport: None,
        secure: false,
        emergency,
    }
}

/// Answers every lookup from a zone; what it does not hold is nothing.
fn resolve(question: Question, zone: &[(&str, LookupKind, Answer)], seed: u8) -> Vec<String> {
    let mut machine = Resolution::new(question, Tokens::from_seed([seed; 32]));
    let mut lookups = 0;
    while let Some(lookup) = machine.poll_lookup() {
        lookups += 1;
        assert!(lookups <= 32);
        let found = zone
            .iter()
            .find(|(name, kind, _)| *name == lookup.name && *kind == lookup.kind);
        let answer = found.map_or(Answer::Nothing, |(_, _, answer)| answer.clone());
        machine.handle_answer(&lookup, answer);
    }
    let targets = machine.targets().expect("every lookup was answered");
    targets.iter().map(ToString::to_string).collect()
}

fn a(last: u8) -> Answer {
    Answer::Addresses(vec![IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))])
}

fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Srv {
    Srv {
        priority,
        weight,
        port,
        target: target.to_owned(),
    }
}

fn naptr(order: u16, service: &str, replacement: &str) -> Naptr {
    Naptr {
        order,
        preference: 50,
        flags: "s".to_owned(),
        service: service.to_owned(),
        replacement: replacement.to_owned(),
    }
}

#[test]
fn without_naptr_and_srv_an_emergency_call_still_has_three_ways() {
    let zone = [("psap.example.com", LookupKind::A, a(7))];
    assert_eq!(
        resolve(question("psap.example.com", true), &zone, 1),
        [
            "tls:192.0.2.7:5061",
            "tcp:192.0.2.7:5060",
            "udp:192.0.2.7:5060"
        ]
    );
    assert_eq!(
        resolve(question("psap.example.com", false), &zone, 1),
        ["udp:192.0.2.7:5060"]
    );
}

#[test]
fn a_numeric_emergency_target_has_three_ways_too() {
    assert_eq!(
        resolve(question("192.0.2.7", true), &[], 1),
        [
            "tls:192.0.2.7:5061",
            "tcp:192.0.2.7:5060",
            "udp:192.0.2.7:5060"
        ]
    );
}

#[test]
fn naptr_names_the_service_and_the_order() {
    let records = vec![
        naptr(20, "SIP+D2U", "_sip._udp.example.com"),
        naptr(10, "SIPS+D2T", "secure.example.com."),
        naptr(5, "E2U+sip", "other.example.com"),
    ];
    let zone = [
        ("example.com", LookupKind::Naptr, Answer::Naptr(records)),
        (
            "secure.example.com",
            LookupKind::Srv,
            Answer::Srv(vec![srv(1, 0, 5061, "one.example.com")]),
        ),
        (
            "_sip._udp.example.com",
            LookupKind::Srv,
            Answer::Srv(vec![srv(1, 0, 5070, "two.example.com")]),
        ),
        ("one.example.com", LookupKind::A, a(1)),
        ("two.example.com", LookupKind::A, a(2)),
    ];
    assert_eq!(
        resolve(question("example.com", false), &zone, 1),
        ["tls:192.0.2.1:5061", "udp:192.0.2.2:5070"]
    );
    let mut secure = question("example.com", false);
    secure.secure = true;
    assert_eq!(resolve(secure, &zone, 1), ["tls:192.0.2.1:5061"]);
    let emergency = resolve(question("example.com", true), &zone, 1);
    assert_eq!(emergency.first().unwrap(), "tls:192.0.2.1:5061");
    assert_eq!(emergency.last().unwrap(), "udp:192.0.2.2:5070");
}

#[test]
fn srv_priority_is_kept_and_weight_shares() {
    let records = vec![
        srv(2, 0, 5060, "backup.example.com"),
        srv(1, 90, 5060, "big.example.com"),
        srv(1, 10, 5060, "small.example.com"),
    ];
    let zone = [
        (
            "_sip._udp.example.com",
            LookupKind::Srv,
            Answer::Srv(records),
        ),
        ("big.example.com", LookupKind::A, a(1)),
        ("small.example.com", LookupKind::A, a(2)),
        ("backup.example.com", LookupKind::A, a(3)),
    ];
    let mut big_first = 0;
    for seed in 0..200 {
        let targets = resolve(question("example.com", false), &zone, seed);
        assert_eq!(targets.len(), 3);
        assert_eq!(targets[2], "udp:192.0.2.3:5060");
        big_first += u32::from(targets[0] == "udp:192.0.2.1:5060");
        assert_eq!(
            targets,
            resolve(question("example.com", false), &zone, seed)
        );
    }
    assert!((160..=198).contains(&big_first), "{big_first} of 200");
}

#[test]
fn a_port_skips_srv_and_a_transport_skips_naptr() {
    let zone = [("example.com", LookupKind::A, a(7))];
    let mut with_port = question("example.com", false);
    with_port.port = Some(5080);
    assert_eq!(resolve(with_port, &zone, 1), ["udp:192.0.2.7:5080"]);
    let mut with_transport = question("example.com", false);
    with_transport.transport = Some(Transport::Tcp);
    let mut machine = Resolution::new(with_transport, Tokens::from_seed([1; 32]));
    let first = machine.poll_lookup().unwrap();
    let expected = Lookup {
        name: "_sip._tcp.example.com".to_owned(),
        kind: LookupKind::Srv,
    };
    assert_eq!(first, expected);
}

#[test]
fn aliases_that_lead_in_a_circle_end() {
    let zone = [
        (
            "example.com",
            LookupKind::A,
            Answer::Alias("b.example.com".to_owned()),
        ),
        (
            "b.example.com",
            LookupKind::A,
            Answer::Alias("example.com".to_owned()),
        ),
    ];
    assert!(resolve(question("example.com", true), &zone, 1).is_empty());
}

#[test]
fn a_hostile_zone_is_bounded() {
    // Every SRV target is a new name, every name an alias of another new one.
    let mut machine = Resolution::new(question("example.com", true), Tokens::from_seed([1; 32]));
    let mut lookups = 0;
    while let Some(lookup) = machine.poll_lookup() {
        lookups += 1;
        let answer = match lookup.kind {
            LookupKind::Srv => Answer::Srv(
                (0..1_000)
                    .map(|i| srv(i, 0, 5060, &format!("host{i}-{lookups}.example.com")))
                    .collect(),
            ),
            LookupKind::Naptr => Answer::Nothing,
            _ => Answer::Alias(format!("alias{lookups}.{}", lookup.name)),
        };
        machine.handle_answer(&lookup, answer);
    }
    assert_eq!(lookups, 32);
    assert!(machine.targets().is_some());
}

#[test]
fn a_deadline_ends_a_dead_resolver() {
    let mut machine = Resolution::new(question("example.com", true), Tokens::from_seed([1; 32]));
    assert!(machine.targets().is_none());
    machine.give_up();
    assert_eq!(machine.targets(), Some(&[][..]));
    assert_eq!(machine.poll_lookup(), None);
}

fn all_ways() -> Vec<Target> {
    let ways = [Transport::Tls, Transport::Tcp, Transport::Udp];
    ways.map(|transport| target(1, transport)).to_vec()
}

#[test]
fn a_call_falls_back_from_tls_to_tcp_to_udp() {
    let mut network = Network::pair(1);
    for transport in [Transport::Tls, Transport::Tcp] {
        let remote = address(1, transport);
        network.refusing.insert((transport, remote));
    }
    network.call(|request| request.targets = all_ways());
    let call = network.until(1, incoming);
    let failures: Vec<_> = network.events[0]
        .iter()
        .filter_map(|event| match event {
            Event::TargetFailed { target, cause, .. } => Some((target.transport, cause.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(
        failures,
        [
            (Transport::Tls, FailureCause::TransportFailed),
            (Transport::Tcp, FailureCause::TransportFailed)
        ]
    );
    network.with(1, |end, now| end.accept(call, Some(sdp()), now).unwrap());
    network.until(0, answered);
    assert!(network.now < Duration::from_millis(100));
}

#[test]
fn a_dead_target_gives_way_before_timer_b() {
    let mut network = Network::pair(2);
    let dead = SocketAddr::from(([192, 0, 2, 200], 5060));
    network.silent.insert(dead);
    network.call(|request| {
        let dead = Target::new(Transport::Udp, dead);
        request.targets.insert(0, dead);
        request.first_response_max = Some(Duration::from_millis(2_500));
    });
    network.until(1, incoming);
    assert!(network.now < Duration::from_secs(3), "{:?}", network.now);
}

#[test]
fn a_late_answer_of_the_target_given_up_is_acknowledged_and_ended() {
    let mut network = Network::pair(3);
    let late = network.play(9);
    network.call(|request| {
        request.targets.insert(0, Target::new(Transport::Udp, late));
        request.first_response_max = Some(Duration::from_secs(1));
    });
    let call = network.until(1, incoming);
    let (_, us, _, message) = network.mailbox.pop_front().unwrap();
    let invite = message.as_request().unwrap().clone();
    network.with(1, |end, now| end.accept(call, Some(sdp()), now).unwrap());
    network.until(0, answered);
    let mut ok = hearthline_sip::Response::to_request(&invite, StatusCode::OK, Some("late"));
    let contact = "<sip:late@192.0.2.9>";
    ok.headers
        .push(hearthline_sip::HeaderName::Contact, contact);
    network.respond(late, us, &ok);
    network.run(Duration::from_millis(100));
    let to_late: Vec<_> = network
        .wire
        .iter()
        .filter(|seen| seen.to == late && seen.name() != "INVITE")
        .map(crate::network::Seen::name)
        .collect();
    assert_eq!(to_late, ["ACK", "BYE"], "{}", network.ladder());
    assert_eq!(network.ends[0].call_count(), 1);
}

#[test]
fn overload_gives_way_to_the_next_target_and_busy_does_not() {
    for (status, attempts) in [
        (StatusCode::SERVICE_UNAVAILABLE, 2),
        (StatusCode::BUSY_HERE, 1),
    ] {
        let mut network = Network::pair(4);
        network.add(|_| {});
        network.call(|request| request.targets.push(target(2, Transport::Udp)));
        let call = network.until(1, incoming);
        let refusal = hearthline_sip::endpoint::Refusal::new(status);
        network.with(1, |end, now| end.reject(call, refusal, now).unwrap());
        network.run(Duration::from_millis(100));
        assert_eq!(network.requests("INVITE").len(), attempts);
        if attempts == 1 {
            assert_eq!(network.until(0, failed).status(), Some(status));
        }
    }
}

#[test]
fn a_large_request_goes_by_tcp_and_by_udp_only_when_that_fails() {
    for refused in [false, true] {
        let mut network = Network::new(5);
        network.add(|config| config.large_over_tcp = true);
        network.add(|_| {});
        let tcp = Transport::Tcp;
        let remote = address(1, Transport::Udp);
        if refused {
            network.refusing.insert((tcp, remote));
        }
        network.call(|request| {
            request.body = Some(hearthline_sip::endpoint::Body::sdp(vec![b'x'; 4_000]));
        });
        network.until(1, incoming);
        let seen = network.wire.iter().find(|s| s.name() == "INVITE").unwrap();
        let expected = if refused { Transport::Udp } else { tcp };
        assert_eq!(seen.transport, expected);
    }
}
