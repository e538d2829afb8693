use hearthline_sip::endpoint::{Body, CallHandle, Target, Transport};
use hearthline_sip::outbound::Hop;
use hearthline_sip::proxy::{Branch, Decision, Forward, Group, Passage, Reject, Way};
use hearthline_sip::{HeaderName, StatusCode};

use crate::network::{
    Network, SDP, address, answered, confirmed, ended, forward, incoming, proxy_address, uri,
};

fn stand(network: &mut Network, transport: Transport) -> (CallHandle, CallHandle) {
    let ours = network.call_with(|request| {
        request.targets = vec![Target::new(transport, proxy_address(transport))];
    });
    let theirs = network.until(1, incoming);
    network.with_end(1, |e, now| {
        e.accept(theirs, Some(Body::sdp(SDP)), now).unwrap();
    });
    network.until(0, answered);
    network.until(1, confirmed);
    (ours, theirs)
}

#[test]
fn every_pair_of_transports_carries_a_call_both_ways() {
    let all = [Transport::Udp, Transport::Tcp, Transport::Tls];
    for caller in all {
        for callee in all {
            for who_ends in [0, 1] {
                let mut network = Network::new(20);
                network.add(|_| {});
                network.add(|_| {});
                network.decide = Box::new(move |_, _, _| Some(forward(&[vec![1]], callee)));
                let (ours, theirs) = stand(&mut network, caller);
                let call = [ours, theirs][who_ends];
                network.with_end(who_ends, |e, now| e.bye(call, None, now).unwrap());
                network.until(1 - who_ends, ended);
                // Through the proxy, not past it.
                let byes = network.wire.iter().filter(|seen| seen.name() == "BYE");
                assert_eq!(byes.count(), 2, "{caller} {callee}: {}", network.ladder());
                let invite = network.received(address(1, callee), "INVITE");
                let routes = invite[0].request().headers.record_routes().unwrap();
                assert_eq!(routes.len(), if caller == callee { 1 } else { 2 });
                network.until_quiet();
            }
        }
    }
}

#[test]
fn a_device_is_reached_by_its_flow_and_by_no_address() {
    let mut network = Network::new(21);
    network.add(|_| {});
    network.add(|_| {});
    network.fork(&[]);
    // End 1 opens a flow by calling; the flow is all that is known of it.
    let probe = with_flow(&mut network);
    let hop = Hop::Flow {
        id: probe.0,
        transport: probe.1,
    };
    network.decide = Box::new(move |_, _, _| {
        let way = Way::to(uri("sip:x@q7.invalid;transport=ws")).by(hop.clone());
        Some(Decision::Forward(Forward {
            groups: vec![Group {
                branches: vec![Branch::new(way, 1)],
                ringing_max: None,
            }],
            record_route: true,
            ..Forward::default()
        }))
    });
    let (ours, _) = stand(&mut network, Transport::Udp);
    network.with_end(0, |e, now| e.bye(ours, None, now).unwrap());
    network.until(1, ended);
    network.until_quiet();
    assert!(network.questions.is_empty());
}

fn with_flow(
    network: &mut Network,
) -> (
    hearthline_sip::outbound::FlowId,
    hearthline_sip::outbound::FlowTransport,
) {
    let before = std::mem::replace(
        &mut network.decide,
        Box::new(|_, _, _| Some(Decision::Reject(Reject::new(StatusCode::NOT_FOUND)))),
    );
    let target = Target::new(Transport::Tls, proxy_address(Transport::Tls));
    let mut request = hearthline_sip::endpoint::InviteRequest::new(
        uri("sip:probe@home.example"),
        crate::network::name("<sip:desk@home.example>"),
        crate::network::name("<sip:probe@home.example>"),
        target,
    );
    request.body = Some(Body::sdp(SDP));
    network.with_end(1, |e, now| e.invite(request, now).unwrap());
    network.until(1, crate::network::failed);
    network.decide = before;
    network.flow_of(1)
}

#[test]
fn a_dead_flow_is_430_and_the_next_way_is_tried() {
    let mut network = Network::new(22);
    network.add(|_| {});
    network.add(|_| {});
    let (id, transport) = with_flow(&mut network);
    network.close_flow(id);
    network.decide = Box::new(move |_, _, _| {
        let dead = Way::to(uri("sip:desk@192.0.2.2")).by(Hop::Flow { id, transport });
        let alive = Way::to(uri("sip:desk@192.0.2.2"))
            .at(Target::new(Transport::Udp, address(1, Transport::Udp)));
        let branch = Branch {
            ways: vec![dead, alive],
            label: 7,
            silence_max: None,
        };
        Some(Decision::Forward(Forward {
            groups: vec![Group {
                branches: vec![branch],
                ringing_max: None,
            }],
            record_route: true,
            ..Forward::default()
        }))
    });
    stand(&mut network, Transport::Udp);
}

#[test]
fn with_its_only_flow_dead_a_device_is_unavailable() {
    let mut network = Network::new(23);
    network.add(|_| {});
    network.add(|_| {});
    let (id, transport) = with_flow(&mut network);
    network.close_flow(id);
    network.decide = Box::new(move |_, _, _| {
        let way = Way::to(uri("sip:desk@x.invalid")).by(Hop::Flow { id, transport });
        let group = Group {
            branches: vec![Branch::new(way, 0)],
            ringing_max: None,
        };
        Some(Decision::Forward(Forward {
            groups: vec![group],
            ..Forward::default()
        }))
    });
    network.call();
    let cause = network.until(0, crate::network::failed);
    assert!(cause.contains("480"), "{cause}");
}

#[test]
fn a_dialog_whose_flow_died_is_asked_about_and_goes_by_the_new_one() {
    let mut network = Network::new(24);
    network.add(|_| {});
    network.add(|_| {});
    let (id, transport) = with_flow(&mut network);
    network.decide = Box::new(move |request, _, passage| {
        let hop = match passage {
            Passage::Dialog { failed, .. } => {
                assert_eq!(failed, Some(id));
                Hop::Target(Target::new(Transport::Udp, address(1, Transport::Udp)))
            }
            _ => Hop::Flow { id, transport },
        };
        let way = Way::to(request.uri.clone()).by(hop);
        let group = Group {
            branches: vec![Branch::new(way, 0)],
            ringing_max: None,
        };
        Some(Decision::Forward(Forward {
            groups: vec![group],
            record_route: true,
            ..Forward::default()
        }))
    });
    let (ours, _) = stand(&mut network, Transport::Udp);
    network.close_flow(id);
    network.with_end(0, |e, now| e.bye(ours, None, now).unwrap());
    network.until(1, ended);
    network.until_quiet();
}

#[test]
fn a_token_of_another_dialog_opens_nothing() {
    let mut network = Network::home(25, 2, &[&[1]]);
    stand(&mut network, Transport::Udp);
    let invite = network.received(address(1, Transport::Udp), "INVITE")[0]
        .request()
        .clone();
    let route = invite.headers.record_routes().unwrap()[0].uri.clone();
    let (from, to) = (network.play(60), address(1, Transport::Udp));
    let bye = |call_id: &str, from_tag: &str, branch: &str| {
        format!(
            "BYE sip:desk@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.60;branch=z9hG4bK{branch}\r\n\
             Route: <{route}>\r\nFrom: <sip:x@home.example>;tag={from_tag}\r\n\
             To: <sip:desk@home.example>;tag=2\r\nCall-ID: {call_id}\r\nCSeq: 9 BYE\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
    };
    network.inject(from, bye("stranger", "1", "a"));
    network.run(50);
    assert_eq!(
        network.received(from, "403").len(),
        1,
        "{}",
        network.ladder()
    );
    assert!(network.received(to, "BYE").is_empty());
    assert_eq!(network.proxy.counters().forged_tokens, 1);
    // With the dialog's own names it passes, and the device judges it.
    let tag = invite.headers.from().unwrap().tag().unwrap().to_owned();
    let call_id = invite.headers.call_id().unwrap().to_owned();
    network.inject(from, bye(&call_id, &tag, "b"));
    network.run(50);
    assert_eq!(network.received(to, "BYE").len(), 1);
    assert!(
        network.received(to, "BYE")[0]
            .request()
            .headers
            .get(&HeaderName::Route)
            .is_none()
    );
}

#[test]
fn a_silent_way_is_left_after_three_seconds_and_cancelled_when_it_wakes() {
    let mut network = Network::new(26);
    for _ in 0..3 {
        network.add(|_| {});
    }
    network.silent.insert(address(1, Transport::Udp));
    network.decide = Box::new(|_, _, _| {
        let way = |end| {
            let target = Target::new(Transport::Udp, address(end, Transport::Udp));
            Way::to(uri("sip:line@trunk.example")).at(target)
        };
        let branch = Branch {
            ways: vec![way(1), way(2)],
            label: 3,
            silence_max: Some(std::time::Duration::from_secs(3)),
        };
        let group = Group {
            branches: vec![branch],
            ringing_max: None,
        };
        Some(Decision::Forward(Forward {
            groups: vec![group],
            record_route: true,
            ..Forward::default()
        }))
    });
    network.call();
    let second = network.until(2, incoming);
    let after = network.now.as_millis();
    assert!((3_000..3_100).contains(&after), "{after} ms");
    let first = address(1, Transport::Udp);
    let sent = network.received(first, "INVITE")[0].bytes.clone();
    // The first line got one of the datagrams after all.
    network.silent.clear();
    network.deliver_to(1, &sent);
    network.until(1, |event| {
        matches!(
            event,
            hearthline_sip::endpoint::Event::IncomingCancel { .. }
        )
        .then_some(())
    });
    network.with_end(2, |e, now| {
        e.accept(second, Some(Body::sdp(SDP)), now).unwrap();
    });
    network.until(0, answered);
    network.until(2, confirmed);
    network.run(60_000);
    assert_eq!(network.proxy.transaction_counts(), (0, 0));
}

/// Found by fuzzing: both sides of a re-INVITE go with one flow.
#[test]
fn a_question_that_was_answered_before_it_was_asked_is_not_asked() {
    let mut network = Network::new(27);
    let from = network.play(50);
    let flow = crate::network::udp_flow(from);
    let tokens = hearthline_sip::outbound::FlowTokens::new(&[8; 32]);
    let side = hearthline_sip::outbound::Side::Flow(flow.id, flow.transport);
    let token = tokens.dialog(side, side, "c", "1");
    network.inject(
        from,
        format!(
            "INVITE sip:x@192.0.2.50 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bKq\r\n\
             Route: <sip:{token}@192.0.2.100;lr>\r\nFrom: <sip:x@home.example>;tag=1\r\n\
             To: <sip:desk@home.example>;tag=2\r\nCall-ID: c\r\nCSeq: 9 INVITE\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ),
    );
    network.run(10);
    assert_eq!(network.received(from, "INVITE").len(), 1);
    let closed = hearthline_sip::proxy::Input::FlowClosed { flow: flow.id };
    network.proxy.handle_input(closed, network.now);
    network.run(10);
    assert!(network.asked.is_empty());
    assert_eq!(network.received(from, "487").len(), 1);
}
