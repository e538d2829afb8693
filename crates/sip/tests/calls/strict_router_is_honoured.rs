//! A proxy of RFC 2543 in the path: its URI stands in the request line (section 12.2.1.1).

use std::time::Duration;

use hearthline_sip::{HeaderName, Message, Response, StatusCode};

use crate::network::{Network, answered, ended};

#[test]
fn the_strict_router_takes_the_request_line_and_the_target_goes_last() {
    let mut network = Network::new(1);
    network.add(|_| {});
    let proxy = network.play(9);
    let ours = network.call(|request| request.targets[0].remote = proxy);
    network.run(Duration::from_millis(10));
    let (_, us, _, message) = network.mailbox.pop_front().unwrap();
    let Message::Request(invite) = message else {
        panic!("no INVITE");
    };
    let mut ok = Response::to_request(&invite, StatusCode::OK, Some("far"));
    ok.headers.push(
        HeaderName::RecordRoute,
        "<sip:198.51.100.1;lr>, <sip:192.0.2.9>",
    );
    ok.headers
        .push(HeaderName::Contact, "<sip:desk@198.51.100.7>");
    network.respond(proxy, us, &ok);
    network.until(0, answered);
    network.with(0, |end, now| end.bye(ours, None, now).unwrap());
    network.until(0, ended);
    for method in ["ACK", "BYE"] {
        let request = network.requests(method)[0];
        assert_eq!(request.uri.to_string(), "sip:192.0.2.9");
        let routes: Vec<_> = request.headers.routes().unwrap();
        let routes: Vec<_> = routes.iter().map(ToString::to_string).collect();
        assert_eq!(routes, ["<sip:198.51.100.1;lr>", "<sip:desk@198.51.100.7>"]);
        let seen = network.wire.iter().find(|s| s.name() == method).unwrap();
        assert_eq!(seen.to.to_string(), "192.0.2.9:5060");
    }
}
