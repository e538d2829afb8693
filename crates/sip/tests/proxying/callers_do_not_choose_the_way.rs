//! Where a request goes is the decision's to say, or a flow's that a token names: never a Route, a
//! Request-URI or a tag that the caller wrote.

use std::net::SocketAddr;

use hearthline_sip::endpoint::{Target, Transport};
use hearthline_sip::outbound::{Direction, FlowTokens, Side};
use hearthline_sip::proxy::{Passage, Way};

use crate::network::{Network, address, by, forward, to_end, udp_flow, uri};

/// A request of the caller at .50.
fn request(method: &str, uri: &str, rows: &str, to: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bK{method}\r\n\
         {rows}From: <sip:guest@home.example>;tag=own\r\nTo: <sip:desk@home.example>{to}\r\n\
         Call-ID: c\r\nCSeq: 1 {method}\r\nContact: <sip:guest@192.0.2.50>\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

/// What the proxy sent to anybody but the caller.
fn sent(network: &Network, caller: SocketAddr) -> Vec<(SocketAddr, String, String)> {
    let all = network.wire.iter();
    let others = all.filter(|seen| seen.to != caller && seen.from != caller);
    others
        .filter_map(|seen| {
            let request = seen.message.as_request()?;
            Some((seen.to, request.method.to_string(), request.uri.to_string()))
        })
        .collect()
}

#[test]
fn a_route_of_the_caller_is_no_route() {
    // A strict router, a loose one, and one that is no SIP URI at all.
    for route in [
        "sip:+15550100@192.0.2.77",
        "sip:192.0.2.77;lr",
        "tel:+15550100",
    ] {
        let mut network = Network::home(101, 2, &[&[1]]);
        let caller = network.play(50);
        let trunk = network.play(77);
        let rows = format!("Route: <sip:192.0.2.100;lr>, <{route}>\r\n");
        network.inject(
            caller,
            request("INVITE", "sip:desk@home.example", &rows, ""),
        );
        network.run(50);
        // Decided: to the desk. Done: to the desk, with the desk's own URI.
        let invite = network.received(address(1, Transport::Udp), "INVITE");
        assert_eq!(invite.len(), 1, "{route}: {}", network.ladder());
        let invite = invite[0].request();
        assert_eq!(invite.uri.to_string(), "sip:desk1@192.0.2.2", "{route}");
        assert!(invite.headers.routes().unwrap().is_empty(), "{route}");
        assert!(network.received(trunk, "INVITE").is_empty(), "{route}");
    }
}

#[test]
fn a_way_by_its_address_is_not_led_elsewhere_by_a_route_of_the_caller() {
    let mut network = Network::home(102, 2, &[&[1]]);
    network.decide = Box::new(|_, _, _| Some(by(Way::to(uri("sip:desk@192.0.2.2")))));
    let (caller, trunk) = (network.play(50), network.play(77));
    let rows = "Route: <sip:192.0.2.100;lr>, <sip:192.0.2.77;lr>\r\n";
    network.inject(caller, request("INVITE", "sip:desk@home.example", rows, ""));
    network.run(50);
    assert_eq!(
        network.received(address(1, Transport::Udp), "INVITE").len(),
        1
    );
    assert!(network.received(trunk, "INVITE").is_empty());
}

#[test]
fn the_decision_still_sees_no_more_than_what_will_be_sent() {
    let mut network = Network::new(103);
    let caller = network.play(50);
    let rows = "Route: <sip:192.0.2.100;lr>, <sip:192.0.2.77;lr>\r\n";
    network.inject(
        caller,
        request("MESSAGE", "sip:desk@home.example", rows, ""),
    );
    network.run(10);
    let (id, passage) = network.asked[0];
    assert_eq!(passage, Passage::Outside);
    let asked = network.proxy.request(id).unwrap();
    assert!(asked.headers.routes().unwrap().is_empty());
}

#[test]
fn a_strict_router_of_the_decision_is_honoured() {
    let mut network = Network::home(104, 2, &[]);
    network.decide = Box::new(|_, _, _| {
        let mut way = Way::to(uri("sip:desk@far.example")).at(to_end(1, Transport::Udp));
        way.route = vec![crate::network::name("<sip:old@192.0.2.2>")];
        Some(by(way))
    });
    let caller = network.play(50);
    network.inject(caller, request("INVITE", "sip:desk@home.example", "", ""));
    network.run(50);
    let invite = network.received(address(1, Transport::Udp), "INVITE")[0].request();
    assert_eq!(invite.uri.to_string(), "sip:old@192.0.2.2");
    let routes = invite.headers.routes().unwrap();
    assert_eq!(routes[0].uri.to_string(), "sip:desk@far.example");
}

/// A guest who pretends that a proxy stands before him (two Vias) gets a Record-Route token of a
/// side without a flow.
fn token_of_a_guest(network: &mut Network, caller: SocketAddr) -> String {
    network.decide = Box::new(|_, _, _| Some(forward(&[vec![1]], Transport::Udp)));
    let rows = "Via: SIP/2.0/UDP 192.0.2.51;branch=z9hG4bKbehind\r\n";
    network.inject(caller, request("INVITE", "sip:desk@home.example", rows, ""));
    network.run(50);
    let invite = network.received(address(1, Transport::Udp), "INVITE")[0].request();
    let route = invite.headers.record_routes().unwrap()[0].uri.to_string();
    network.wire.clear();
    network.asked.clear();
    route
}

#[test]
fn a_token_without_a_flow_sends_nothing_undecided() {
    let mut network = Network::home(105, 2, &[]);
    let caller = network.play(50);
    let route = token_of_a_guest(&mut network, caller);
    network.decide = Box::new(|_, _, _| None);
    network.lets_dialogs_on = false;
    let rows = format!("Route: <{route}>\r\n");
    // His own tag in To: towards "the caller"; in From: towards the desk.
    for (method, from) in [("MESSAGE", "own"), ("REFER", "own"), ("INVITE", "x")] {
        let text = request(method, "sip:+15550100@198.51.100.9", &rows, ";tag=own");
        let text = text.replace(
            "From: <sip:guest@home.example>;tag=own",
            &format!("From: <sip:guest@home.example>;tag={from}"),
        );
        network.inject(caller, text.replace("z9hG4bK", &format!("z9hG4bK{from}2")));
    }
    network.run(1_000);
    assert_eq!(sent(&network, caller), [], "{}", network.ladder());
    assert_eq!(network.asked.len(), 3);
    for (_, passage) in &network.asked {
        assert!(
            matches!(passage, Passage::Dialog { failed: None, .. }),
            "{passage:?}"
        );
    }
}

#[test]
fn let_on_without_a_flow_it_goes_to_the_sealed_address_only() {
    for explicit in [true, false] {
        let mut network = Network::home(106, 2, &[]);
        let caller = network.play(50);
        let route = token_of_a_guest(&mut network, caller);
        network.lets_dialogs_on = explicit;
        // Whoever decides may do no more than repeat the Request-URI.
        network.decide = Box::new(|request, _, _| Some(by(Way::to(request.uri.clone()))));
        let rows = format!("Route: <{route}>, <sip:192.0.2.78;lr>\r\n");
        let elsewhere = "sip:+15550100@198.51.100.9";
        network.inject(caller, request("INFO", elsewhere, &rows, ";tag=2"));
        network.run(50);
        let to = sent(&network, caller);
        let desk = address(1, Transport::Udp);
        assert_eq!(to, [(desk, "INFO".to_owned(), elsewhere.to_owned())]);
    }
}

#[test]
fn an_ack_goes_to_the_sealed_address_or_nowhere() {
    let mut network = Network::home(107, 2, &[]);
    let caller = network.play(50);
    let route = token_of_a_guest(&mut network, caller);
    let rows = format!("Route: <{route}>\r\n");
    // Towards the desk: whatever it asks for, the desk's address gets it.
    let ack = request("ACK", "sip:x@198.51.100.9", &rows, ";tag=2");
    network.inject(caller, ack.replace("z9hG4bK", "z9hG4bKa"));
    let named = request("ACK", "sip:x@elsewhere.example", &rows, ";tag=2");
    network.inject(caller, named.replace("z9hG4bK", "z9hG4bKb"));
    // Another port of the desk is the desk too.
    let port = request("ACK", "sip:desk@192.0.2.2:5070", &rows, ";tag=2");
    network.inject(caller, port.replace("z9hG4bK", "z9hG4bKc"));
    // Towards himself.
    let back = request("ACK", "sip:x@198.51.100.9", &rows, ";tag=own");
    let back = back.replace("guest@home.example>;tag=own", "guest@home.example>;tag=2");
    network.inject(caller, back.replace("z9hG4bK", "z9hG4bKd"));
    network.run(1_000);
    let desk = address(1, Transport::Udp);
    let other = SocketAddr::new(desk.ip(), 5070);
    let to: Vec<_> = sent(&network, caller)
        .into_iter()
        .map(|(to, ..)| to)
        .collect();
    assert_eq!(to, [desk, desk, other], "{}", network.ladder());
    assert_eq!(network.received(caller, "ACK").len(), 1);
    assert!(network.questions.is_empty());
    // Without a dialog there is none.
    network.inject(caller, request("ACK", "sip:x@198.51.100.9", "", ";tag=2"));
    network.run(10);
    assert_eq!(network.proxy.counters().stray_acks, 1);
}

#[test]
fn a_flow_named_by_a_token_is_followed_without_asking() {
    let mut network = Network::home(108, 1, &[]);
    let (caller, callee) = (network.play(50), network.play(60));
    let (near, far) = (udp_flow(caller), udp_flow(callee));
    let tokens = FlowTokens::new(&[8; 32]);
    let side = |flow: hearthline_sip::outbound::Flow| Side::Flow(flow.id, flow.transport);
    let token = tokens.dialog(side(near), side(far), "c", "own");
    let opened = tokens.open_dialog(&token, "c", "own", "2").unwrap();
    assert_eq!(opened.0, Direction::ToCallee);
    let rows = format!("Route: <sip:{token}@192.0.2.100;lr>\r\n");
    network.inject(
        caller,
        request("INFO", "sip:x@198.51.100.9", &rows, ";tag=2"),
    );
    network.run(10);
    assert!(network.asked.is_empty());
    assert_eq!(network.received(callee, "INFO").len(), 1);
}

#[test]
fn a_certificate_is_asked_of_a_name_and_the_address_stays() {
    let mut network = Network::new(109);
    let caller = network.play(50);
    let tokens = FlowTokens::new(&[8; 32]);
    let line = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7], 5061));
    let near = udp_flow(caller);
    let near = Side::Flow(near.id, near.transport);
    let token = tokens.dialog(near, Side::Address(Transport::Tls, line), "c", "own");
    let rows = format!("Route: <sip:{token}@192.0.2.100;lr>\r\n");
    let bye = request(
        "BYE",
        "sip:line@trunk.example;transport=tls",
        &rows,
        ";tag=2",
    );
    network.lets_dialogs_on = false;
    network.inject(caller, bye);
    network.run(10);
    let way = network.proxy.dialog_way(network.asked[0].0).unwrap();
    let mut target = Target::new(Transport::Tls, line);
    target.server_name = Some("trunk.example".to_owned());
    assert_eq!(way.hop, Some(target.into()));
}
