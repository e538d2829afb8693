//! Bytes from peers, in pieces, by every transport, with time passing and a user that answers.
#![no_main]

use std::net::SocketAddr;
use std::time::Duration;

use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Body, Endpoint, EndpointConfig, Event, Input, Output, Transport};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let local = SocketAddr::from(([127, 0, 0, 1], 5060));
    let remote = SocketAddr::from(([127, 0, 0, 2], 5060));
    let ways = [Transport::Udp, Transport::Tcp, Transport::Tls];
    let mut config = EndpointConfig::new([1; 32], vec![(Transport::Udp, local)]);
    config.transfers = true;
    let mut endpoint = Endpoint::new(config);
    let mut now = Duration::ZERO;
    // 0xFF begins a new piece; the byte after it says by which way and after how long.
    for piece in data.split(|byte| *byte == 0xFF) {
        let Some((head, bytes)) = piece.split_first() else {
            continue;
        };
        now += Duration::from_millis(u64::from(head >> 2) * 50);
        let transport = ways[usize::from(head % 3)];
        let input = Input::Received {
            transport,
            local,
            remote,
            bytes,
        };
        endpoint.handle_input(input, now);
        answer(&mut endpoint, now);
    }
    // Everything must come to rest.
    let mut rounds = 0;
    while let Some(at) = answer(&mut endpoint, now) {
        now = now.max(at);
        endpoint.handle_input(Input::Timeout, now);
        rounds += 1;
        assert!(rounds < 100_000, "the timers never end");
    }
    assert_eq!(endpoint.call_count(), 0);
});

/// Drains; rings, accepts and hangs up by turns. Gives the next time.
fn answer(endpoint: &mut Endpoint, now: Duration) -> Option<Duration> {
    let mut turn = 0_u32;
    loop {
        match endpoint.poll_output(now) {
            Output::Timeout(at) => return at,
            Output::Event(Event::Incoming { call, .. }) => {
                turn += 1;
                let body = Some(Body::sdp("v=0\r\n"));
                if turn % 2 == 0 {
                    let _ = endpoint.ring(call, StatusCode::RINGING, None, true, now);
                }
                let _ = endpoint.accept(call, body, now);
            }
            Output::Event(Event::Confirmed { call, .. } | Event::Acknowledged { call, .. }) => {
                let _ = endpoint.bye(call, None, now);
            }
            Output::Event(Event::Referred { refer, .. }) => {
                turn += 1;
                if turn % 2 == 0 {
                    let _ = endpoint.accept_refer(refer, now);
                    let _ = endpoint.report(refer, StatusCode::OK, now);
                }
            }
            Output::Event(Event::Reinvite { call, .. } | Event::Update { call, .. }) => {
                let _ = endpoint.answer_reinvite(call, None, now);
                let _ = endpoint.bye(call, None, now);
            }
            _ => {}
        }
    }
}
