use hearthline_sip::HeaderName;
use hearthline_sip::endpoint::{Body, Transport};
use hearthline_sip::outbound::FlowTransport;
use hearthline_sip::proxy::Decision;

use crate::network::{Network, SDP, address, answered, confirmed, ended, forward, incoming};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n")
}

#[test]
fn the_forwarded_messages_of_a_call() {
    let mut network = Network::new(71);
    network.add(|_| {});
    network.add(|_| {});
    network.decide = Box::new(|_, _, _| Some(forward(&[vec![1]], Transport::Tcp)));
    let ours = network.call();
    let theirs = network.until(1, incoming);
    network.with_end(1, |e, now| {
        e.accept(theirs, Some(Body::sdp(SDP)), now).unwrap();
    });
    network.until(0, answered);
    network.until(1, confirmed);
    network.with_end(0, |e, now| e.bye(ours, None, now).unwrap());
    network.until(1, ended);
    let device = address(1, Transport::Tcp);
    for name in ["INVITE", "ACK", "BYE"] {
        let seen = &network.received(device, name)[0];
        insta::assert_snapshot!(format!("forwarded_{name}"), text(&seen.bytes));
    }
    let ok = &network.received(address(0, Transport::Udp), "200")[0];
    insta::assert_snapshot!("forwarded_200", text(&ok.bytes));
}

#[test]
fn the_cancel_to_the_devices_that_did_not_answer() {
    let mut network = Network::home(74, 3, &[&[1, 2]]);
    network.call();
    let calls = [network.until(1, incoming), network.until(2, incoming)];
    network.run(300);
    network.with_end(2, |e, now| {
        e.accept(calls[1], Some(Body::sdp(SDP)), now).unwrap();
    });
    network.until(1, ended);
    let seen = &network.received(address(1, Transport::Udp), "CANCEL")[0];
    insta::assert_snapshot!("cancel_elsewhere", text(&seen.bytes));
}

#[test]
fn rows_that_only_the_proxy_writes_come_from_nobody_and_from_is_named_by_the_decision() {
    let mut network = Network::with(75, |config| config.only_ours = vec![HeaderName::Allow]);
    network.add(|_| {});
    network.add(|_| {});
    network.decide = Box::new(|_, _, _| {
        let Decision::Forward(mut on) = forward(&[vec![1]], Transport::Udp) else {
            unreachable!("forward() makes no other");
        };
        on.from_display = Some("The \"kitchen\"".to_owned());
        Some(Decision::Forward(on))
    });
    let ours = network.call_with(|invite| invite.from.display = Some("Another".to_owned()));
    let theirs = network.until(1, incoming);
    network.with_end(1, |e, now| {
        e.accept(theirs, Some(Body::sdp(SDP)), now).unwrap();
    });
    network.until(0, answered);
    network.until(1, confirmed);
    network.with_end(0, |e, now| e.reinvite(ours, Body::sdp(SDP), now).unwrap());
    network.run(50);
    let (device, caller) = (address(1, Transport::Udp), address(0, Transport::Udp));
    let came = network.received(device, "INVITE");
    let (first, later) = (came[0].request(), came[1].request());
    assert!(first.headers.contains(&HeaderName::Allow), "the decision's");
    assert!(!later.headers.contains(&HeaderName::Allow));
    let answer = network.received(caller, "200");
    assert!(!answer[0].response().headers.contains(&HeaderName::Allow));
    let (named, said) = (first.headers.from().unwrap(), later.headers.from().unwrap());
    assert_eq!(named.display.as_deref(), Some("The \"kitchen\""));
    assert_eq!((&named.uri, named.tag()), (&said.uri, said.tag()));
}

#[test]
fn bodies_and_unknown_rows_pass_byte_for_byte() {
    let mut network = Network::home(72, 2, &[&[1]]);
    let from = network.play(50);
    let body: Vec<u8> = (0..=255).collect();
    let mut bytes = format!(
        "MESSAGE sip:desk@home.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bKm;rport\r\n\
         From: <sip:a@home.example>;tag=1\r\nTo: <sip:desk@home.example>\r\nCall-ID: c\r\n\
         CSeq: 1 MESSAGE\r\nX-Odd:   a,b ;c=\"\\\"\" , d\r\nx-Empty:\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {}\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(b"X-Bytes: \xff\xfe\x80\r\n\r\n");
    bytes.extend_from_slice(&body);
    network.inject(from, bytes);
    network.run(50);
    let sent = network.received(address(1, Transport::Udp), "MESSAGE");
    let request = sent[0].request();
    assert_eq!(request.body, body);
    let row = |name: &[u8]| {
        let name = hearthline_sip::HeaderName::parse(name).unwrap();
        request.headers.get(&name).unwrap().to_vec()
    };
    assert_eq!(row(b"X-Odd"), b"a,b ;c=\"\\\"\" , d");
    assert_eq!(row(b"x-empty"), b"");
    assert_eq!(row(b"X-Bytes"), b"\xff\xfe\x80");
    assert!(text(&sent[0].bytes).contains("\nx-Empty: \n"));
}

#[test]
fn an_edge_puts_a_signed_path_into_a_registration() {
    let mut network = Network::new(73);
    let registrar = network.play(90);
    network.decide = Box::new(move |request, _, _| {
        let target = hearthline_sip::Target::new(Transport::Udp, registrar);
        let way = hearthline_sip::proxy::Way::to(request.uri.clone()).at(target);
        let branch = hearthline_sip::proxy::Branch::new(way, 0);
        let group = hearthline_sip::proxy::Group {
            branches: vec![branch],
            ringing_max: None,
        };
        Some(Decision::Forward(hearthline_sip::proxy::Forward {
            groups: vec![group],
            path: true,
            ..Default::default()
        }))
    });
    let from = network.play(50);
    network.inject(
        from,
        "REGISTER sip:home.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bKr;rport\r\n\
         From: <sip:a@home.example>;tag=1\r\nTo: <sip:a@home.example>\r\nCall-ID: c\r\n\
         CSeq: 1 REGISTER\r\nSupported: path, outbound\r\n\
         Contact: <sip:a@192.0.2.50>;reg-id=1;+sip.instance=\"<urn:uuid:0>\"\r\n\
         Content-Length: 0\r\n\r\n",
    );
    network.run(10);
    let (_, message) = network.mailbox.pop_front().unwrap();
    let paths = message.headers().paths().unwrap();
    let uri = paths[0].uri.as_sip().unwrap().clone();
    assert!(uri.params().has("ob") && uri.is_loose_router());
    // A request along the Path goes down the flow, once it is decided so.
    let tokens = hearthline_sip::outbound::FlowTokens::new(&[8; 32]);
    let (id, transport) = tokens.open_path(uri.user().unwrap()).unwrap();
    assert_eq!(
        (id, transport),
        (crate::network::udp_flow(from).id, FlowTransport::Udp)
    );
    network.inject(
        registrar,
        format!(
            "OPTIONS sip:a@192.0.2.50 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.90;branch=z9hG4bKp\r\n\
             Route: <{uri}>\r\nFrom: <sip:r@home.example>;tag=1\r\nTo: <sip:a@home.example>\r\n\
             Call-ID: d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ),
    );
    network.run(10);
    let passage = network.asked.last().unwrap().1;
    assert_eq!(
        passage,
        hearthline_sip::proxy::Passage::Path {
            flow: (id, transport)
        }
    );
}
