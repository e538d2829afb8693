use std::net::SocketAddr;
use std::time::Duration;

use hearthline_sip::endpoint::{
    Body, CallHandle, Credentials, Event, RegisterRequest, RegistrationConfig, Target, Transport,
};
use hearthline_sip::outbound::{Flow, FlowId, FlowTransport, Hop};
use hearthline_sip::proxy::{Input, Output, Passage};
use hearthline_sip::registrar::Aor;
use hearthline_sip::{HeaderName, Method};

use crate::home::Home;
use crate::network::{
    Network, SDP, address, answered, confirmed, ended, failed, incoming, name, proxy_address, uri,
};

fn credentials(user: &str) -> Vec<Credentials> {
    vec![Credentials {
        username: user.to_owned(),
        password: "secret".to_owned(),
        realm: None,
    }]
}

fn register(network: &mut Network, end: usize, user: &str, transport: Transport) {
    let request = RegisterRequest {
        registrar: uri("sip:home.example"),
        address_of_record: name(&format!("<sip:{user}@home.example>")),
        contact: None,
        target: Target::new(transport, proxy_address(transport)),
        route: Vec::new(),
        credentials: credentials(user),
        config: RegistrationConfig {
            expires_s: 600,
            ..RegistrationConfig::default()
        },
    };
    network.with_end(end, |e, now| e.register(request, now).unwrap());
    network.until(end, |event| {
        matches!(event, Event::Registered { .. }).then_some(())
    });
}

fn call(network: &mut Network, transport: Transport) -> (CallHandle, CallHandle) {
    let ours = network.call_with(|request| {
        request.targets = vec![Target::new(transport, proxy_address(transport))];
        request.credentials = credentials("kitchen");
    });
    let theirs = network.until(1, incoming);
    network.with_end(1, |e, now| {
        e.accept(theirs, Some(Body::sdp(SDP)), now).unwrap();
    });
    network.until(0, answered);
    network.until(1, confirmed);
    (ours, theirs)
}

fn home(seed: u8) -> Network {
    let mut network = Network::new(seed);
    network.add(|_| {});
    network.add(|_| {});
    network.home = Some(Home::new());
    network
}

#[test]
fn whoever_registered_with_a_password_is_called_with_a_password() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let mut network = home(81);
        register(&mut network, 1, "desk", transport);
        let (ours, _) = call(&mut network, transport);
        assert_eq!(network.received(address(0, transport), "407").len(), 1);
        network.with_end(0, |e, now| e.bye(ours, None, now).unwrap());
        network.until(1, ended);
        // The dialog's requests need no password: their token proves the way.
        let believed = &network.home.as_ref().unwrap().believed;
        assert_eq!(believed, &["desk", "kitchen"]);
    }
}

#[test]
fn a_device_that_lost_its_connection_registers_again_and_is_reached() {
    let mut network = home(82);
    register(&mut network, 1, "desk", Transport::Tls);
    let (before, _) = network.flow_of(1);
    network.close_flow(before);
    register(&mut network, 1, "desk", Transport::Tls);
    call(&mut network, Transport::Udp);
}

#[test]
fn nobody_at_home_is_unavailable() {
    let mut network = home(83);
    network.call_with(|request| request.credentials = credentials("kitchen"));
    let cause = network.until(0, failed);
    assert!(cause.contains("480"), "{cause}");
}

#[test]
fn a_wrong_password_gets_nowhere() {
    let mut network = home(84);
    register(&mut network, 1, "desk", Transport::Udp);
    network.call_with(|request| {
        let mut wrong = credentials("kitchen");
        wrong[0].password = "guess".to_owned();
        request.credentials = wrong;
    });
    network.until(0, failed);
    assert!(
        network
            .received(address(1, Transport::Udp), "INVITE")
            .is_empty()
    );
}

#[test]
fn registrations_stand_through_loss() {
    for seed in 0..20 {
        let mut network = home(seed);
        network.lost = 150;
        network.jitter_ms = 40;
        register(&mut network, 1, "desk", Transport::Udp);
        network.run(3_000_000);
        let home = network.home.as_ref().unwrap();
        let aor = Aor::from_column("sip:desk@home.example").unwrap();
        assert_eq!(
            home.registrar.bindings(&aor, network.now).count(),
            1,
            "seed {seed}"
        );
    }
}

/// A browser: WebSocket, a Via and a Contact that lead nowhere (RFC 7118 section 5).
#[test]
fn a_browser_is_called_down_its_websocket() {
    let mut network = Network::new(85);
    let now = Duration::from_secs(1);
    let flow = Flow {
        id: FlowId(77),
        transport: FlowTransport::Wss,
        local: SocketAddr::from(([192, 0, 2, 100], 443)),
        remote: SocketAddr::from(([192, 0, 2, 200], 50_000)),
    };
    let proxy = &mut network.proxy;
    let invite = "INVITE sip:desk@home.example SIP/2.0\r\n\
        Via: SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bKw1\r\n\
        From: <sip:web@home.example>;tag=w\r\nTo: <sip:desk@home.example>\r\nCall-ID: ws\r\n\
        CSeq: 1 INVITE\r\nContact: <sip:web@df7jal23ls0d.invalid;transport=ws;ob>\r\n\
        Max-Forwards: 70\r\n\r\n";
    proxy.handle_input(
        Input::Datagram {
            flow,
            bytes: invite.as_bytes(),
        },
        now,
    );
    let Output::Decide {
        id,
        passage: Passage::Outside,
        ..
    } = proxy.poll_output(now)
    else {
        panic!("an INVITE is asked about");
    };
    // To another browser.
    let other = Hop::Flow {
        id: FlowId(78),
        transport: FlowTransport::Wss,
    };
    let decision = {
        let way = hearthline_sip::proxy::Way::to(uri("sip:d@x.invalid;transport=ws")).by(other);
        let branch = hearthline_sip::proxy::Branch::new(way, 0);
        let group = hearthline_sip::proxy::Group {
            branches: vec![branch],
            ringing_max: None,
        };
        hearthline_sip::proxy::Decision::Forward(hearthline_sip::proxy::Forward {
            groups: vec![group],
            record_route: true,
            ..Default::default()
        })
    };
    proxy.decide(id, decision, now).unwrap();
    let sent = loop {
        match proxy.poll_output(now) {
            Output::Transmit { hop, bytes } => break (hop, bytes),
            Output::Timeout(_) => panic!("nothing was sent"),
            _ => {}
        }
    };
    assert_eq!(sent.0.flow(), Some(FlowId(78)));
    let message = hearthline_sip::parse_datagram(&sent.1, &hearthline_sip::Limits::default());
    let message = message.unwrap();
    let via = message.headers().top_via().unwrap();
    assert_eq!(via.transport, hearthline_sip::Transport::Wss);
    let route = message.headers().record_routes().unwrap()[0].clone();
    assert_eq!(
        route.uri.as_sip().unwrap().params().get("transport"),
        Some("ws")
    );
    // The other answers and hangs up: the BYE finds the first browser by the token alone.
    let mut ok = hearthline_sip::Response::to_request(
        message.as_request().unwrap(),
        hearthline_sip::StatusCode::OK,
        Some("d"),
    );
    ok.headers.push_display(HeaderName::RecordRoute, &route);
    let back = Flow {
        id: FlowId(78),
        ..flow
    };
    proxy.handle_input(
        Input::Datagram {
            flow: back,
            bytes: &ok.to_bytes(),
        },
        now,
    );
    let bye = format!(
        "BYE sip:web@df7jal23ls0d.invalid;transport=ws SIP/2.0\r\n\
         Via: SIP/2.0/WSS x.invalid;branch=z9hG4bKb\r\nRoute: {route}\r\n\
         From: <sip:desk@home.example>;tag=d\r\nTo: <sip:web@home.example>;tag=w\r\n\
         Call-ID: ws\r\nCSeq: 1 BYE\r\nMax-Forwards: 70\r\n\r\n"
    );
    proxy.handle_input(
        Input::Datagram {
            flow: back,
            bytes: bye.as_bytes(),
        },
        now,
    );
    let mut down = Vec::new();
    loop {
        match proxy.poll_output(now) {
            Output::Transmit { hop, bytes } => {
                let message =
                    hearthline_sip::parse_datagram(&bytes, &hearthline_sip::Limits::default());
                if let hearthline_sip::Message::Request(request) = message.unwrap() {
                    down.push((hop.flow(), request.method));
                }
            }
            Output::Timeout(_) => break,
            _ => {}
        }
    }
    assert_eq!(down, [(Some(FlowId(77)), Method::Bye)]);
}
