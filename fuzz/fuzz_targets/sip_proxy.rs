//! Messages from several peers, decisions of every kind, failing hops, with time passing: the
//! proxy never panics, sends only what can be read again, and comes to rest.
#![no_main]

use std::net::SocketAddr;
use std::time::Duration;

use hearthline_sip::outbound::{Flow, FlowId, FlowTransport, Hop};
use hearthline_sip::proxy::{
    Branch, Decision, Forward, Group, Identity, Input, Output, Proxy, ProxyConfig, Reject, Way,
};
use hearthline_sip::{Host, Limits, StatusCode, Target, Uri, parse_datagram, target};
use libfuzzer_sys::fuzz_target;

fn flow(number: u8) -> Flow {
    let transport = FlowTransport::ALL[usize::from(number) % FlowTransport::ALL.len()];
    Flow {
        id: FlowId(u64::from(number) + 1),
        transport,
        local: SocketAddr::from(([127, 0, 0, 100], 5060)),
        remote: SocketAddr::from(([127, 0, 0, number + 1], 5060)),
    }
}

fn decision(turn: u32, uri: &Uri) -> Decision {
    let way = |number: u8| Way::to(uri.clone()).by(Hop::from(&flow(number)));
    let address = SocketAddr::from(([127, 0, 0, 9], 5060));
    let target = Target::new(target::Transport::Udp, address);
    let group = |branches| Group {
        branches,
        ringing_max: (turn % 3 == 0).then_some(Duration::from_secs(5)),
    };
    let forward = |groups| {
        Decision::Forward(Forward {
            groups,
            record_route: turn % 2 == 0,
            path: turn % 5 == 0,
            ..Forward::default()
        })
    };
    match turn % 7 {
        0 => Decision::Reject(Reject::new(StatusCode::BUSY_HERE)),
        1 => Decision::Spiral(Uri::parse("sip:other@home.example").expect("a URI")),
        2 => forward(vec![group(vec![
            Branch::new(way(0), 0),
            Branch::new(way(1), 1),
        ])]),
        3 => forward(vec![
            group(vec![Branch {
                ways: vec![way(2), way(3)],
                label: 2,
                silence_max: None,
            }]),
            group(vec![Branch::new(Way::to(uri.clone()), 3)]),
        ]),
        4 => forward(vec![group(vec![Branch::new(way(4).at(target), 4)])]),
        5 => Decision::Take,
        _ => forward(Vec::new()),
    }
}

/// Drains and decides; gives what was sent last and the next time.
fn drain(proxy: &mut Proxy, turn: &mut u32, now: Duration) -> (Option<Vec<u8>>, Option<Duration>) {
    let mut sent = None;
    loop {
        match proxy.poll_output(now) {
            Output::Transmit { bytes, .. } => {
                let again = parse_datagram(
                    &bytes,
                    &Limits {
                        header_bytes_max: 1 << 20,
                        header_line_bytes_max: 1 << 20,
                        ..Limits::default()
                    },
                );
                assert!(again.is_ok() || bytes == b"\r\n" || bytes.starts_with(&[1, 1]));
                sent = Some(bytes);
            }
            Output::Decide { id, .. } => {
                *turn += 1;
                let request = proxy.request(id).expect("what is asked about is there");
                let uri = request.uri.clone();
                let service = uri.service().is_some();
                let _ = proxy.decide(id, decision(*turn, &uri), now);
                if let Some(request) = proxy.request(id) {
                    assert!(!service || request.uri == uri, "a service URN was changed");
                    let ok =
                        hearthline_sip::Response::to_request(request, StatusCode::OK, Some("t"));
                    let _ = proxy.respond(id, &ok, now);
                }
            }
            Output::Resolve { id, .. } => {
                let address = SocketAddr::from(([127, 0, 0, 8], 5060));
                let found = [Target::new(target::Transport::Udp, address)];
                proxy.resolved(id, &found[..(*turn % 2) as usize], now);
            }
            Output::Timeout(at) => return (sent, at),
            _ => {}
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let identities = FlowTransport::ALL.map(|transport| Identity {
        transport,
        host: Host::V4([127, 0, 0, 100].into()),
        port: None,
    });
    let domains = vec![Host::parse("home.example").expect("a host")];
    let mut config = ProxyConfig::new([1; 32], [2; 32], identities.to_vec(), domains);
    config.limits.transactions_max = 16;
    let mut proxy = Proxy::new(config);
    let (mut now, mut turn) = (Duration::ZERO, 0);
    let mut last: Option<Vec<u8>> = None;
    // 0xFF begins a new piece; the byte after it says what it is and how long it took.
    for piece in data.split(|byte| *byte == 0xFF) {
        let Some((head, bytes)) = piece.split_first() else {
            continue;
        };
        now += Duration::from_millis(u64::from(head >> 4) * 200);
        let flow = flow(head % 5);
        match head % 16 {
            15 => proxy.handle_input(Input::FlowClosed { flow: flow.id }, now),
            14 => proxy.handle_input(
                Input::TransmitFailed {
                    hop: &Hop::from(&flow),
                },
                now,
            ),
            // What the proxy sent, answered with a status out of the piece, or sent back to it.
            12 | 13 => {
                if let Some(sent) = &last {
                    let code = 100 + u16::from(bytes.first().copied().unwrap_or(0)) * 2;
                    let answer = match parse_datagram(sent, &Limits::default()) {
                        Ok(hearthline_sip::Message::Request(request)) if head % 16 == 12 => {
                            let status = StatusCode::new(code).unwrap_or(StatusCode::OK);
                            hearthline_sip::Response::to_request(&request, status, Some("x"))
                                .to_bytes()
                        }
                        _ => sent.clone(),
                    };
                    let input = Input::Datagram {
                        flow,
                        bytes: &answer,
                    };
                    proxy.handle_input(input, now);
                }
            }
            _ => proxy.handle_input(Input::Datagram { flow, bytes }, now),
        }
        let (sent, _) = drain(&mut proxy, &mut turn, now);
        last = sent.or(last);
        assert!(proxy.transaction_counts().0 <= 16 + 256);
    }
    // Everything must come to rest, and nothing stay behind.
    let mut rounds = 0;
    while let (_, Some(at)) = drain(&mut proxy, &mut turn, now) {
        now = now.max(at);
        proxy.handle_input(Input::Timeout, now);
        rounds += 1;
        assert!(rounds < 100_000, "the timers never end");
    }
    assert_eq!(proxy.transaction_counts(), (0, 0));
});
