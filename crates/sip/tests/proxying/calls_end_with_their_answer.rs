//! That a call ended is said when the other side has answered the BYE, not when somebody sent one.

use hearthline_sip::StatusCode;
use hearthline_sip::proxy::{CallEvent, Decision, Reject};

use crate::network::{Network, udp_flow};

/// A BYE with a genuine token, from .50 to .60.
fn bye(network: &mut Network) -> (std::net::SocketAddr, std::net::SocketAddr) {
    let (caller, callee) = (network.play(50), network.play(60));
    let (near, far) = (udp_flow(caller), udp_flow(callee));
    let side = |flow: hearthline_sip::outbound::Flow| {
        hearthline_sip::outbound::Side::Flow(flow.id, flow.transport)
    };
    let tokens = hearthline_sip::outbound::FlowTokens::new(&[8; 32]);
    let token = tokens.dialog(side(near), side(far), "c", "1");
    network.inject(
        caller,
        format!(
            "BYE sip:desk@192.0.2.60 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bKb\r\n\
             Route: <sip:{token}@192.0.2.100;lr>\r\nFrom: <sip:x@home.example>;tag=1\r\n\
             To: <sip:desk@home.example>;tag=2\r\nCall-ID: c\r\nCSeq: 9 BYE\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ),
    );
    network.run(10);
    (caller, callee)
}

fn ends(network: &Network) -> usize {
    let ended = |event: &&CallEvent| matches!(event, CallEvent::Ended { callee_tag, .. } if callee_tag == "2");
    network.calls.iter().filter(ended).count()
}

#[test]
fn the_answer_says_whether_the_call_ended() {
    for (status, count) in [
        (200, 1),
        (481, 1),
        (408, 1),
        (480, 1),
        (401, 0),
        (403, 0),
        (500, 0),
    ] {
        let mut network = Network::new(111);
        let (caller, callee) = bye(&mut network);
        assert_eq!(ends(&network), 0, "only sent");
        let bye = network.received(callee, "BYE")[0].request().clone();
        let status = StatusCode::new(status).unwrap();
        let answer = hearthline_sip::Response::to_request(&bye, status, None);
        network.inject(callee, answer.to_bytes());
        network.run(10);
        assert_eq!(ends(&network), count, "{status}");
        network.until_quiet();
        assert_eq!(ends(&network), count, "{status}, once");
        assert!(!network.received(caller, &status.to_string()).is_empty());
    }
}

#[test]
fn a_bye_that_nobody_answers_ends_the_call_when_its_time_is_over() {
    let mut network = Network::new(112);
    bye(&mut network);
    network.run(31_000);
    assert_eq!(ends(&network), 0);
    network.until_quiet();
    assert_eq!(ends(&network), 1);
}

#[test]
fn a_bye_that_is_refused_ends_nothing() {
    let mut network = Network::new(113);
    network.decide = Box::new(|_, _, _| {
        let reject = Reject::new(StatusCode::FORBIDDEN);
        Some(Decision::Reject(reject))
    });
    network.lets_dialogs_on = false;
    let caller = network.play(50);
    let near = udp_flow(caller);
    let near = hearthline_sip::outbound::Side::Flow(near.id, near.transport);
    let line = std::net::SocketAddr::from(([192, 0, 2, 77], 5060));
    let line =
        hearthline_sip::outbound::Side::Address(hearthline_sip::target::Transport::Udp, line);
    let token = hearthline_sip::outbound::FlowTokens::new(&[8; 32]).dialog(near, line, "c", "1");
    network.inject(
        caller,
        format!(
            "BYE sip:x@192.0.2.77 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bKb\r\n\
             Route: <sip:{token}@192.0.2.100;lr>\r\nFrom: <sip:x@home.example>;tag=1\r\n\
             To: <sip:desk@home.example>;tag=2\r\nCall-ID: c\r\nCSeq: 9 BYE\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ),
    );
    network.until_quiet();
    assert_eq!(network.received(caller, "403").len(), 1);
    assert_eq!(ends(&network), 0);
}
