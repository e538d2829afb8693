//! A device that comes back by another connection while something is under way (`Proxy::flow_moved`): what waited on the
//! old one goes on by the new one, byte for byte, and what is another's stays where it is.

use std::net::SocketAddr;
use std::time::Duration;

use hearthline_sip::framer::Frame;
use hearthline_sip::outbound::{Flow, FlowId, FlowTransport, Hop};
use hearthline_sip::proxy::{
    Branch, CallEvent, Decision, Forward, Group, Input, Output, Proxy, ProxyConfig, Way,
};
use hearthline_sip::{Limits, Message, Request, Response, StatusCode, Uri, parse_datagram};
use proptest::prelude::*;

use crate::network::{PROXY, config};

const DESK: &str = "sip:desk@203.0.113.2:49002;transport=tls";

/// A connection that a device made.
fn flow(id: u64, host: [u8; 4]) -> Flow {
    let port = 49_000 + u16::try_from(id).unwrap();
    Flow {
        id: FlowId(id),
        transport: FlowTransport::Tls,
        local: SocketAddr::from((PROXY, 5061)),
        remote: SocketAddr::from((host, port)),
    }
}

fn invite(call: &str, from: &Flow) -> String {
    format!(
        "INVITE sip:desk@home.example SIP/2.0\r\nVia: SIP/2.0/TLS {};branch=z9hG4bK{call};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:kitchen@home.example>;tag=k\r\nTo: <sip:desk@home.example>\r\n\
         Call-ID: {call}\r\nCSeq: 1 INVITE\r\nContact: <sip:kitchen@{};transport=tls>\r\nContent-Length: 0\r\n\r\n",
        from.remote, from.remote
    )
}

fn read(bytes: &[u8]) -> Message {
    parse_datagram(bytes, &Limits::default()).unwrap()
}

/// What a message is, for a person.
fn title(bytes: &[u8]) -> String {
    match read(bytes) {
        Message::Request(request) => request.method.as_str().to_owned(),
        Message::Response(response) => {
            let method = response.headers.cseq().unwrap().method;
            format!("{} {}", response.status.code(), method.as_str())
        }
    }
}

struct Hub {
    proxy: Proxy,
    now: Duration,
    desk: Flow,
    calls: Vec<CallEvent>,
}

type Sent = Vec<(Option<FlowId>, Vec<u8>)>;

impl Hub {
    fn new(desk: Flow) -> Self {
        Self::with(desk, |_| {})
    }

    fn with(desk: Flow, change: impl FnOnce(&mut ProxyConfig)) -> Self {
        let mut config = config();
        change(&mut config);
        Self {
            proxy: Proxy::new(config),
            now: Duration::from_secs(1),
            desk,
            calls: Vec::new(),
        }
    }

    /// Everything that goes out, and by which connection. Every call is for the desk.
    fn drain(&mut self) -> Sent {
        let mut sent = Vec::new();
        loop {
            match self.proxy.poll_output(self.now) {
                Output::Transmit { hop, bytes } => sent.push((hop.flow(), bytes)),
                Output::Decide { id, .. } => {
                    let way = Way::to(DESK.parse::<Uri>().unwrap()).by(Hop::from(&self.desk));
                    let forward = Forward {
                        groups: vec![Group {
                            branches: vec![Branch::new(way, 7)],
                            ringing_max: None,
                        }],
                        record_route: true,
                        ..Forward::default()
                    };
                    let decision = Decision::Forward(forward);
                    self.proxy.decide(id, decision, self.now).unwrap();
                }
                Output::Call(event) => self.calls.push(event),
                Output::Timeout(_) => return sent,
                other => panic!("{other:?}"),
            }
        }
    }

    fn heard(&mut self, flow: Flow, text: impl AsRef<[u8]>) -> Sent {
        let frame = Frame::Message(read(text.as_ref()));
        self.proxy
            .handle_input(Input::Frame { flow, frame }, self.now);
        self.drain()
    }

    /// The desk says this to a request.
    fn desk_says(&mut self, by: Flow, request: &Request, status: StatusCode) -> Sent {
        let mut response = Response::to_request(request, status, Some("d"));
        if status.is_success() {
            let name = hearthline_sip::HeaderName::Contact;
            response.headers.push(name, format!("<{DESK}>"));
        }
        self.heard(by, response.to_bytes())
    }

    fn moved(&mut self, from: Flow, to: Flow) -> Sent {
        self.proxy.flow_moved(from.id, &to);
        // Nothing of it is lost when the old one closes.
        self.proxy
            .handle_input(Input::FlowClosed { flow: from.id }, self.now);
        self.drain()
    }

    fn closes(&mut self, flow: Flow) -> Sent {
        self.proxy
            .handle_input(Input::FlowClosed { flow: flow.id }, self.now);
        self.drain()
    }
}

/// What went to a connection, by name.
fn to(sent: &Sent, flow: &Flow) -> Vec<String> {
    let own = sent.iter().filter(|(by, _)| *by == Some(flow.id));
    own.map(|(_, bytes)| title(bytes)).collect()
}

/// The request that went to a connection.
fn request(sent: &Sent, flow: &Flow, method: &str) -> (Request, Vec<u8>) {
    let own = sent.iter().filter(|(by, _)| *by == Some(flow.id));
    let found = own.map(|(_, bytes)| bytes).find(|b| title(b) == method);
    let bytes = found.expect("it was sent").clone();
    match read(&bytes) {
        Message::Request(request) => (request, bytes),
        Message::Response(_) => unreachable!("asked for a request"),
    }
}

const CALLER: [u8; 4] = [203, 0, 113, 1];
const CALLEE: [u8; 4] = [203, 0, 113, 2];
const ELSEWHERE: [u8; 4] = [198, 51, 100, 9];

#[test]
fn answers_go_to_where_the_caller_is_now() {
    let (before, after, desk) = (flow(1, CALLER), flow(3, ELSEWHERE), flow(2, CALLEE));
    let mut hub = Hub::new(desk);
    let sent = hub.heard(before, invite("a", &before));
    let (asked, _) = request(&sent, &desk, "INVITE");
    let sent = hub.desk_says(desk, &asked, StatusCode::RINGING);
    assert_eq!(to(&sent, &before), ["180 INVITE"]);
    let rang = sent[0].1.clone();

    // What it heard last it hears again; the desk rings on.
    let sent = hub.moved(before, after);
    assert!(sent == [(Some(after.id), rang)], "the ringing again");
    let sent = hub.desk_says(desk, &asked, StatusCode::OK);
    assert_eq!(to(&sent, &after), ["200 INVITE"]);
    assert!(to(&sent, &before).is_empty());
    let told: Vec<bool> = hub
        .calls
        .iter()
        .map(|event| matches!(event, CallEvent::Answered { label: 7, .. }))
        .collect();
    assert_eq!(told.iter().filter(|answered| **answered).count(), 1);
}

#[test]
fn requests_go_to_where_the_device_is_now_and_are_the_same_ones() {
    let (caller, before, after) = (flow(1, CALLER), flow(2, CALLEE), flow(4, ELSEWHERE));
    let mut hub = Hub::new(before);
    let sent = hub.heard(caller, invite("a", &caller));
    let (asked, bytes) = request(&sent, &before, "INVITE");
    // The same bytes: by its branch the device knows it for the repetition that it may be.
    let sent = hub.moved(before, after);
    assert!(sent == [(Some(after.id), bytes)], "its INVITE again");
    // Twice, and back.
    let back = flow(5, CALLEE);
    assert_eq!(to(&hub.moved(after, back), &back), ["INVITE"]);
    // The caller hears of nothing but the ringing.
    let sent = hub.desk_says(back, &asked, StatusCode::RINGING);
    assert_eq!(to(&sent, &caller), ["180 INVITE"]);
    // Whoever rings has it, and needs it no more.
    let last = flow(6, ELSEWHERE);
    assert!(hub.moved(back, last).is_empty());
    let sent = hub.desk_says(last, &asked, StatusCode::OK);
    assert_eq!(to(&sent, &caller), ["200 INVITE"]);
}

#[test]
fn a_cancel_follows_the_device_as_well() {
    let (caller, before, after) = (flow(1, CALLER), flow(2, CALLEE), flow(4, ELSEWHERE));
    let mut hub = Hub::new(before);
    let asked = invite("a", &caller);
    let sent = hub.heard(caller, &asked);
    let (rung, _) = request(&sent, &before, "INVITE");
    hub.desk_says(before, &rung, StatusCode::RINGING);
    let cancel = asked
        .replace("INVITE sip:desk", "CANCEL sip:desk")
        .replace("1 INVITE", "1 CANCEL");
    let sent = hub.heard(caller, &cancel);
    assert_eq!(to(&sent, &caller), ["200 CANCEL"]);
    let (taken_back, cancelled) = request(&sent, &before, "CANCEL");
    let sent = hub.moved(before, after);
    assert!(sent == [(Some(after.id), cancelled)], "its CANCEL again");
    hub.desk_says(after, &taken_back, StatusCode::OK);
    let sent = hub.desk_says(after, &rung, StatusCode::REQUEST_TERMINATED);
    assert_eq!(to(&sent, &caller), ["487 INVITE"]);
    assert_eq!(to(&sent, &after), ["ACK"], "and the device is told so");
}

#[test]
fn what_is_another_devices_stays_and_ends_with_its_own_connection() {
    let (one, other, desk) = (flow(1, CALLER), flow(5, [203, 0, 113, 5]), flow(2, CALLEE));
    let after = flow(3, ELSEWHERE);
    let mut hub = Hub::new(desk);
    let (mine, _) = request(&hub.heard(one, invite("a", &one)), &desk, "INVITE");
    let (theirs, _) = request(&hub.heard(other, invite("b", &other)), &desk, "INVITE");
    for asked in [&mine, &theirs] {
        hub.desk_says(desk, asked, StatusCode::RINGING);
    }
    let sent = hub.moved(one, after);
    assert!(to(&sent, &other).is_empty() && to(&sent, &desk).is_empty());
    // A connection that nobody came back for: what was asked on it is taken back at the desk.
    let sent = hub.closes(other);
    let (cancel, _) = request(&sent, &desk, "CANCEL");
    assert_eq!(cancel.headers.call_id().unwrap(), "b");
    // The one that moved is called on.
    let sent = hub.desk_says(desk, &mine, StatusCode::OK);
    assert_eq!(to(&sent, &after), ["200 INVITE"]);
    // A flow that nothing waits on moves nothing.
    let idle = flow(8, CALLER);
    assert!(hub.moved(idle, flow(9, CALLER)).is_empty());
}

#[test]
fn a_call_counts_for_the_network_that_its_caller_is_in_now() {
    let (before, after, desk) = (flow(1, CALLER), flow(3, ELSEWHERE), flow(2, CALLEE));
    let mut hub = Hub::with(desk, |config| config.limits.calls_per_source_max = 1);
    let asked = hub.heard(before, invite("a", &before));
    let (asked, _) = request(&asked, &desk, "INVITE");
    let sent = hub.heard(before, invite("b", &before));
    assert_eq!(to(&sent, &before), ["503 INVITE"]);
    hub.moved(before, after);
    // Who is where it was may call; from where it is now nobody else may, until it is over.
    let again = flow(6, CALLER);
    let sent = hub.heard(again, invite("c", &again));
    assert_eq!(to(&sent, &desk), ["INVITE"]);
    let sent = hub.heard(after, invite("d", &after));
    assert_eq!(to(&sent, &after), ["503 INVITE"]);
    let sent = hub.desk_says(desk, &asked, StatusCode::BUSY_HERE);
    assert_eq!(to(&sent, &after), ["486 INVITE"]);
    let ack = invite("a", &before)
        .replace("INVITE sip:desk", "ACK sip:desk")
        .replace("1 INVITE", "1 ACK");
    hub.heard(after, ack);
    hub.now += Duration::from_secs(60);
    hub.proxy.handle_input(Input::Timeout, hub.now);
    hub.drain();
    let sent = hub.heard(after, invite("e", &after));
    assert_eq!(to(&sent, &desk), ["INVITE"]);
}

proptest! {
    /// However often both sides move, and whenever, the caller gets one final answer, and nothing is left.
    #[test]
    fn whenever_they_move_the_call_is_answered_once(moves in prop::collection::vec((0..3_u8, any::<bool>()), 0..12)) {
        let (mut caller, mut desk) = (flow(1, CALLER), flow(2, CALLEE));
        let mut hub = Hub::new(desk);
        let sent = hub.heard(caller, invite("a", &caller));
        let (asked, _) = request(&sent, &desk, "INVITE");
        let mut finals = 0;
        for (next, (what, far)) in (10..).zip(moves) {
            let place = flow(next, if far { ELSEWHERE } else { CALLER });
            let sent = match what {
                0 => {
                    let from = std::mem::replace(&mut caller, place);
                    hub.moved(from, place)
                }
                1 => {
                    let from = std::mem::replace(&mut desk, place);
                    hub.moved(from, place)
                }
                _ => hub.desk_says(desk, &asked, StatusCode::RINGING),
            };
            for (by, bytes) in &sent {
                let expected = match read(bytes) {
                    Message::Request(_) => desk.id,
                    Message::Response(_) => caller.id,
                };
                prop_assert_eq!(*by, Some(expected), "{}", title(bytes));
            }
        }
        let sent = hub.desk_says(desk, &asked, StatusCode::OK);
        for (by, bytes) in &sent {
            prop_assert_eq!(*by, Some(caller.id));
            finals += usize::from(title(bytes) == "200 INVITE");
        }
        prop_assert_eq!(finals, 1);
        for _ in 0..8 {
            hub.now += Duration::from_secs(40);
            hub.proxy.handle_input(Input::Timeout, hub.now);
            hub.drain();
        }
        prop_assert_eq!(hub.proxy.transaction_counts(), (0, 0));
    }
}
