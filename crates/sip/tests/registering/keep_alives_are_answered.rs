use std::net::SocketAddr;
use std::time::Duration;

use hearthline_sip::outbound::{
    FlowId, FlowKeeper, FlowTransport, FlowWatch, GRACE, KeepAliveStep, PONG_WAIT,
    keep_alive_answer,
};
use hearthline_sip::tokens::Tokens;

#[test]
fn a_ping_gets_a_pong_and_stun_the_mapped_address() {
    let v4 = SocketAddr::from(([192, 0, 2, 1], 32_853));
    assert_eq!(keep_alive_answer(b"\r\n\r\n", v4).unwrap(), b"\r\n");
    // The request and the mapped address of RFC 5769 section 2.2 (without its other attributes).
    let mut request = vec![0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42];
    request.extend_from_slice(&[
        0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
    ]);
    let answer = keep_alive_answer(&request, v4).unwrap();
    assert_eq!(answer[..4], [0x01, 0x01, 0x00, 0x0c]);
    assert_eq!(answer[4..20], request[4..20]);
    let mapped = [
        0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    ];
    assert_eq!(answer[20..], mapped);
    let v6 = SocketAddr::from((
        [0x2001, 0xdb8, 0x1234, 0x5678, 0x11, 0x2233, 0x4455, 0x6677],
        32_853,
    ));
    let answer = keep_alive_answer(&request, v6).unwrap();
    let mapped = [
        0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1,
        0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
    ];
    assert_eq!(answer[20..], mapped);
    for other in [
        &b"\r\n"[..],
        b"",
        b"OPTIONS sip:a SIP/2.0\r\n\r\n",
        &request[..19],
    ] {
        assert_eq!(keep_alive_answer(other, v4), None);
    }
}

#[test]
fn a_silent_flow_is_dead_after_its_timer_and_a_grace() {
    let mut watch = FlowWatch::new();
    let timer = Duration::from_secs(120);
    watch.heard(FlowId(1), timer, Duration::ZERO);
    watch.heard(FlowId(2), timer, Duration::ZERO);
    watch.heard(FlowId(2), timer, Duration::from_secs(60));
    let first = timer + GRACE;
    assert_eq!(watch.next_timeout(), Some(first));
    assert_eq!(watch.next_dead(first - Duration::from_millis(1)), None);
    assert_eq!(watch.next_dead(first), Some(FlowId(1)));
    assert_eq!(watch.next_dead(first), None);
    watch.forget(FlowId(2));
    assert_eq!(watch.next_timeout(), None);
}

#[test]
fn a_device_pings_in_the_last_fifth_and_gives_up_without_a_pong() {
    for seed in 0..50 {
        let mut tokens = Tokens::from_seed([seed; 32]);
        let timer = Some(Duration::from_secs(100));
        let start = Duration::from_secs(5);
        let mut keeper = FlowKeeper::new(FlowTransport::Tls, timer, &mut tokens, start);
        let at = keeper.next_timeout();
        assert!((85..=105).contains(&at.as_secs()), "{at:?}");
        assert_eq!(keeper.handle_timeout(at), KeepAliveStep::Ping);
        keeper.handle_pong(&mut tokens, at + Duration::from_secs(1));
        let at = keeper.next_timeout();
        assert_eq!(keeper.handle_timeout(at), KeepAliveStep::Ping);
        assert_eq!(keeper.next_timeout(), at + PONG_WAIT);
        assert_eq!(keeper.handle_timeout(at), KeepAliveStep::Wait);
        assert_eq!(
            keeper.handle_timeout(at + PONG_WAIT),
            KeepAliveStep::FlowFailed
        );
    }
}
