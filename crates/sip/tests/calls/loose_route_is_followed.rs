//! Record-Route of a proxy becomes our route set (RFC 3261 sections 12.1 and 12.2).

use std::time::Duration;

use hearthline_sip::endpoint::{Endpoint, Transport};
use hearthline_sip::{HeaderName, Message, Request, Response, StatusCode};

use crate::network::{Network, address, answered, confirmed, ended, incoming, name, sdp};

/// Plays a proxy that stays in the path.
fn call_through_proxy(network: &mut Network, record: &str) -> hearthline_sip::endpoint::CallHandle {
    let proxy = network.play(9);
    let ours = network.call(|request| {
        request.targets[0].remote = proxy;
        request.route = vec![name("<sip:192.0.2.9;lr>")];
    });
    network.run(Duration::from_millis(10));
    let (_, us, _, message) = network.mailbox.pop_front().unwrap();
    let Message::Request(invite) = message else {
        panic!("no INVITE");
    };
    assert_eq!(invite.uri.to_string(), "sip:desk@example.com");
    assert_eq!(
        invite.headers.get_str(&HeaderName::Route),
        Some("<sip:192.0.2.9;lr>")
    );
    let mut ok = Response::to_request(&invite, StatusCode::OK, Some("far"));
    ok.headers.push(HeaderName::RecordRoute, record);
    ok.headers
        .push(HeaderName::Contact, "<sip:desk@198.51.100.7:5070>");
    network.respond(proxy, us, &ok);
    network.until(0, answered);
    ours
}

#[test]
fn the_ack_and_the_bye_go_through_the_proxies_in_order() {
    let mut network = Network::new(1);
    network.add(|_| {});
    let ours = call_through_proxy(&mut network, "<sip:198.51.100.1;lr>, <sip:192.0.2.9;lr>");
    network.with(0, |end: &mut Endpoint, now| {
        end.bye(ours, None, now).unwrap();
    });
    network.until(0, ended);
    for method in ["ACK", "BYE"] {
        let request: &Request = network.requests(method)[0];
        assert_eq!(request.uri.to_string(), "sip:desk@198.51.100.7:5070");
        let routes: Vec<_> = request.headers.routes().unwrap();
        let routes: Vec<_> = routes.iter().map(ToString::to_string).collect();
        assert_eq!(routes, ["<sip:192.0.2.9;lr>", "<sip:198.51.100.1;lr>"]);
        let seen = network.wire.iter().find(|s| s.name() == method).unwrap();
        assert_eq!(seen.to.to_string(), "192.0.2.9:5060");
    }
}

#[test]
fn the_callee_keeps_the_order_of_record_route() {
    let mut network = Network::pair(2);
    let proxy = network.play(9);
    let invite = include_str!("invite.sip").replace(
        "Max-Forwards",
        "Record-Route: <sip:192.0.2.9;lr>, <sip:198.51.100.1;lr>\nMax-Forwards",
    );
    let them = address(1, Transport::Udp);
    network.inject(proxy, them, invite.replace('\n', "\r\n"));
    let call = network.until(1, incoming);
    network.with(1, |end, now| end.accept(call, Some(sdp()), now).unwrap());
    network.run(Duration::from_millis(10));
    let (_, _, _, message) = network.mailbox.pop_back().unwrap();
    let Message::Response(ok) = message else {
        panic!("no answer");
    };
    assert_eq!(ok.headers.record_routes().unwrap().len(), 2);
    let tag = ok.headers.to().unwrap().tag().unwrap().to_owned();
    let ack = include_str!("invite.sip")
        .replace("CSeq: 1 INVITE", "CSeq: 1 ACK")
        .replace("INVITE sip", "ACK sip")
        .replace("z9hG4bKplayed", "z9hG4bKack")
        .replace(
            "To: <sip:desk@example.com>",
            &format!("To: <sip:desk@example.com>;tag={tag}"),
        );
    network.inject(proxy, them, ack.replace('\n', "\r\n"));
    network.until(1, confirmed);
    network.with(1, |end, now| end.bye(call, None, now).unwrap());
    network.run(Duration::from_millis(10));
    let bye = network.requests("BYE")[0];
    let routes: Vec<_> = bye.headers.routes().unwrap();
    let routes: Vec<_> = routes.iter().map(ToString::to_string).collect();
    assert_eq!(routes, ["<sip:192.0.2.9;lr>", "<sip:198.51.100.1;lr>"]);
    assert_eq!(bye.uri.to_string(), "sip:kitchen@192.0.2.9");
}
