//! A proxy between endpoints in one thread: virtual clock, loss and delay from a seed, streams
//! as flows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use crate::home::Home;

use hearthline_sip::endpoint::{
    Body, CallHandle, Endpoint, EndpointConfig, Event, Input as EndInput, InviteRequest,
    Output as EndOutput, Target, Transport,
};
use hearthline_sip::framer::StreamFramer;
use hearthline_sip::outbound::{Flow, FlowId, FlowTransport, Hop};
use hearthline_sip::proxy::{
    AskId, Branch, CallEvent, Decision, Forward, Group, Identity, Input, Output, Passage, Proxy,
    ProxyConfig, ResolveId, Way,
};
use hearthline_sip::tokens::Tokens;
use hearthline_sip::{Host, Limits, Message, NameAddr, Request, Response, Uri, parse_datagram};

pub const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 0\r\n";

/// The proxy's host; endpoint n is 192.0.2.(n+1).
pub const PROXY: [u8; 4] = [192, 0, 2, 100];

type Decide = Box<dyn FnMut(&Request, &Flow, Passage) -> Option<Decision>>;

struct Packet {
    transport: Transport,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

pub struct Seen {
    pub at: Duration,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub message: Message,
    pub bytes: Vec<u8>,
}

struct Stream {
    end: usize,
    remote: SocketAddr,
    transport: Transport,
    framer: StreamFramer,
    open: bool,
}

pub struct Network {
    pub now: Duration,
    /// In thousandths.
    pub lost: u64,
    pub jitter_ms: u64,
    pub wire: Vec<Seen>,
    pub ends: Vec<Endpoint>,
    pub events: Vec<VecDeque<Event>>,
    pub proxy: Proxy,
    pub calls: Vec<CallEvent>,
    pub asked: Vec<(AskId, Passage)>,
    pub questions: Vec<(ResolveId, Uri)>,
    pub decide: Decide,
    /// Requests of dialogs go where their token leads, and `decide` is not asked.
    pub lets_dialogs_on: bool,
    /// A registrar with accounts; then `decide` is not asked.
    pub home: Option<Home>,
    /// Addresses that the test plays itself, and what came for them.
    pub played: BTreeSet<SocketAddr>,
    pub mailbox: VecDeque<(SocketAddr, Message)>,
    /// Everything to these vanishes.
    pub silent: BTreeSet<SocketAddr>,
    flying: BTreeMap<(Duration, u64), Packet>,
    streams: BTreeMap<FlowId, Stream>,
    draws: Tokens,
    serial: u64,
}

pub fn address(end: usize, transport: Transport) -> SocketAddr {
    let host = u8::try_from(end + 1).unwrap();
    SocketAddr::from(([192, 0, 2, host], transport.default_port()))
}

pub fn proxy_address(transport: Transport) -> SocketAddr {
    SocketAddr::from((PROXY, transport.default_port()))
}

pub fn to_end(end: usize, transport: Transport) -> Target {
    Target::new(transport, address(end, transport))
}

pub fn config() -> ProxyConfig {
    let host = Host::V4(PROXY.into());
    let identities = FlowTransport::ALL
        .into_iter()
        .map(|transport| Identity {
            transport,
            host: host.clone(),
            port: None,
        })
        .collect();
    let domains = vec![Host::parse("home.example").unwrap()];
    ProxyConfig::new([9; 32], [8; 32], identities, domains)
}

/// The flow of a UDP peer: its number says host and port.
pub fn udp_flow(remote: SocketAddr) -> Flow {
    let SocketAddr::V4(v4) = remote else {
        panic!("IPv4 only")
    };
    let id = u64::from(u32::from(*v4.ip())) << 16 | u64::from(v4.port());
    Flow {
        id: FlowId(id),
        transport: FlowTransport::Udp,
        local: proxy_address(Transport::Udp),
        remote,
    }
}

impl Network {
    pub fn new(seed: u8) -> Self {
        Self::with(seed, |_| {})
    }

    pub fn with(seed: u8, change: impl FnOnce(&mut ProxyConfig)) -> Self {
        let mut config = config();
        change(&mut config);
        Self {
            now: Duration::ZERO,
            lost: 0,
            jitter_ms: 0,
            wire: Vec::new(),
            ends: Vec::new(),
            events: Vec::new(),
            proxy: Proxy::new(config),
            calls: Vec::new(),
            asked: Vec::new(),
            questions: Vec::new(),
            decide: Box::new(|_, _, _| None),
            lets_dialogs_on: true,
            home: None,
            played: BTreeSet::new(),
            mailbox: VecDeque::new(),
            silent: BTreeSet::new(),
            flying: BTreeMap::new(),
            streams: BTreeMap::new(),
            draws: Tokens::from_seed([seed; 32]),
            serial: 0,
        }
    }

    pub fn add(&mut self, change: impl FnOnce(&mut EndpointConfig)) -> usize {
        let end = self.ends.len();
        let all = [Transport::Udp, Transport::Tcp, Transport::Tls];
        let local = all.map(|transport| (transport, address(end, transport)));
        let mut config = EndpointConfig::new([u8::try_from(end).unwrap(); 32], local.to_vec());
        config.large_over_tcp = false;
        change(&mut config);
        self.ends.push(Endpoint::new(config));
        self.events.push(VecDeque::new());
        end
    }

    /// So many endpoints; every INVITE forks to all but the first, in these groups.
    pub fn home(seed: u8, ends: usize, groups: &[&[usize]]) -> Self {
        let mut network = Self::new(seed);
        for _ in 0..ends {
            network.add(|_| {});
        }
        network.fork(groups);
        network
    }

    pub fn fork(&mut self, groups: &[&[usize]]) {
        let groups: Vec<Vec<usize>> = groups.iter().map(|group| group.to_vec()).collect();
        self.decide = Box::new(move |_, _, _| Some(forward(&groups, Transport::Udp)));
    }

    pub fn play(&mut self, host: u8) -> SocketAddr {
        let address = SocketAddr::from(([192, 0, 2, host], 5060));
        self.played.insert(address);
        address
    }

    /// A datagram to the proxy from an address that the test plays.
    pub fn inject(&mut self, from: SocketAddr, bytes: impl Into<Vec<u8>>) {
        let to = proxy_address(Transport::Udp);
        let bytes = bytes.into();
        self.note(from, to, &bytes);
        self.fly(Transport::Udp, from, to, bytes, 1);
    }

    /// A datagram of the proxy that arrives late.
    pub fn deliver_to(&mut self, end: usize, bytes: &[u8]) {
        let (from, to) = (proxy_address(Transport::Udp), address(end, Transport::Udp));
        self.fly(Transport::Udp, from, to, bytes.to_vec(), 1);
    }

    pub fn with_end<T>(&mut self, end: usize, f: impl FnOnce(&mut Endpoint, Duration) -> T) -> T {
        let done = f(&mut self.ends[end], self.now);
        self.drain();
        done
    }

    /// End 0 calls the desk through the proxy.
    pub fn call(&mut self) -> CallHandle {
        self.call_with(|_| {})
    }

    pub fn call_with(&mut self, change: impl FnOnce(&mut InviteRequest)) -> CallHandle {
        let target = Target::new(Transport::Udp, proxy_address(Transport::Udp));
        let mut request = InviteRequest::new(
            uri("sip:desk@home.example"),
            name("<sip:kitchen@home.example>"),
            name("<sip:desk@home.example>"),
            target,
        );
        request.body = Some(Body::sdp(SDP));
        change(&mut request);
        self.with_end(0, |end, now| end.invite(request, now).unwrap())
    }

    pub fn run(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while self.step(end) {}
        self.now = end;
    }

    pub fn until<T>(&mut self, end: usize, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let limit = self.now + Duration::from_secs(600);
        loop {
            self.drain();
            while let Some(event) = self.events[end].pop_front() {
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
            assert!(self.step(limit), "nothing more happens; {}", self.ladder());
        }
    }

    /// Runs until nobody waits for anything; then nobody holds anything.
    pub fn until_quiet(&mut self) {
        let limit = self.now + Duration::from_secs(100_000);
        while self.step(limit) {}
        assert_eq!(self.proxy.transaction_counts(), (0, 0), "{}", self.ladder());
        let output = self.proxy.poll_output(self.now);
        assert!(matches!(output, Output::Timeout(None)), "{output:?}");
    }

    /// Messages of this name that this address received.
    pub fn received(&self, to: SocketAddr, name: &str) -> Vec<&Seen> {
        let all = self.wire.iter();
        all.filter(|seen| seen.to.ip() == to.ip() && seen.name() == name)
            .collect()
    }

    pub fn ladder(&self) -> String {
        let mut text = String::new();
        for seen in &self.wire {
            let (at, name) = (seen.at.as_millis(), seen.name());
            text.push_str(&format!("\n{at:>7} {} → {} {name}", seen.from, seen.to));
        }
        text
    }

    /// The flow that an endpoint opened.
    pub fn flow_of(&self, end: usize) -> (FlowId, FlowTransport) {
        let found = self.streams.iter().find(|(_, s)| s.end == end && s.open);
        let (id, stream) = found.expect("the endpoint has a stream");
        (*id, stream.transport.into())
    }

    pub fn close_flow(&mut self, flow: FlowId) {
        let stream = self.streams.get_mut(&flow).unwrap();
        stream.open = false;
        let (end, transport) = (stream.end, stream.transport);
        let remote = proxy_address(transport);
        self.ends[end].handle_input(EndInput::StreamClosed { transport, remote }, self.now);
        self.proxy
            .handle_input(Input::FlowClosed { flow }, self.now);
        self.drain();
    }

    fn step(&mut self, limit: Duration) -> bool {
        let timers = self.drain();
        let next = self.flying.keys().next().map(|key| key.0);
        let timer = timers.iter().min().copied();
        let next = next.into_iter().chain(timer.map(|(at, _)| at)).min();
        let Some(at) = next.filter(|at| *at <= limit) else {
            return false;
        };
        self.now = self.now.max(at);
        if let Some((&key, _)) = self.flying.first_key_value().filter(|(key, _)| key.0 <= at) {
            let packet = self.flying.remove(&key).unwrap();
            self.deliver(packet);
        } else if let Some((_, who)) = timer {
            match who.checked_sub(1) {
                Some(end) => self.ends[end].handle_input(EndInput::Timeout, self.now),
                None => self.proxy.handle_input(Input::Timeout, self.now),
            }
        }
        true
    }

    /// Drains everybody; gives the next times, 0 for the proxy, n+1 for endpoint n.
    pub fn drain(&mut self) -> Vec<(Duration, usize)> {
        let mut timers = Vec::new();
        for end in 0..self.ends.len() {
            loop {
                match self.ends[end].poll_output(self.now) {
                    EndOutput::Transmit { target, bytes } => self.end_sends(end, &target, bytes),
                    EndOutput::Event(event) => self.events[end].push_back(event),
                    EndOutput::Close { .. } => {}
                    EndOutput::Timeout(at) => {
                        timers.extend(at.map(|at| (at, end + 1)));
                        break;
                    }
                }
            }
        }
        loop {
            match self.proxy.poll_output(self.now) {
                Output::Transmit { hop, bytes } => self.proxy_sends(&hop, bytes),
                Output::Decide { id, flow, passage } => {
                    self.asked.push((id, passage));
                    let request = self.proxy.request(id).expect("asked about nothing").clone();
                    if self.lets_dialogs_on
                        && let Some(way) = self.proxy.dialog_way(id)
                    {
                        self.proxy.decide(id, by(way), self.now).unwrap();
                    } else if let Some(home) = &mut self.home {
                        home.serve(&mut self.proxy, id, &request, &flow, self.now);
                    } else if let Some(decision) = (self.decide)(&request, &flow, passage) {
                        self.proxy.decide(id, decision, self.now).unwrap();
                    }
                }
                Output::Call(event) => self.calls.push(event),
                Output::Resolve { id, uri } => self.questions.push((id, uri)),
                Output::Close { flow } => self.close_flow(flow),
                Output::Cancelled { .. } => {}
                Output::Timeout(at) => {
                    timers.extend(at.map(|at| (at, 0)));
                    break;
                }
            }
        }
        timers
    }

    fn end_sends(&mut self, end: usize, target: &Target, bytes: Vec<u8>) {
        let transport = target.transport;
        let (from, to) = (address(end, transport), target.remote);
        self.note(from, to, &bytes);
        if transport == Transport::Udp {
            self.datagram(from, to, bytes);
            return;
        }
        // One stream from an endpoint to the proxy, in both directions.
        let open = self
            .streams
            .iter()
            .find(|(_, s)| s.open && s.end == end && s.transport == transport);
        let from = match open {
            Some((_, stream)) => stream.remote,
            None => {
                let number = u16::try_from(self.streams.len()).unwrap();
                let mut remote = from;
                remote.set_port(40_000 + number);
                let stream = Stream {
                    end,
                    remote,
                    transport,
                    framer: StreamFramer::new(Limits::default()),
                    open: true,
                };
                self.streams.insert(FlowId(u64::from(number) + 1), stream);
                remote
            }
        };
        self.fly(transport, from, to, bytes, 1);
    }

    fn proxy_sends(&mut self, hop: &Hop, bytes: Vec<u8>) {
        match hop {
            Hop::Target(target) => {
                let from = proxy_address(target.transport);
                self.note(from, target.remote, &bytes);
                if target.transport == Transport::Udp {
                    self.datagram(from, target.remote, bytes);
                } else {
                    self.fly(target.transport, from, target.remote, bytes, 1);
                }
            }
            Hop::Flow {
                id,
                transport: FlowTransport::Udp,
            } => {
                let number = u32::try_from(id.0 >> 16).unwrap();
                let port = u16::try_from(id.0 & 0xffff).unwrap();
                let to = SocketAddr::from((number.to_be_bytes(), port));
                let from = proxy_address(Transport::Udp);
                self.note(from, to, &bytes);
                self.datagram(from, to, bytes);
            }
            Hop::Flow { id, .. } => match self.streams.get(id) {
                Some(stream) if stream.open => {
                    let (transport, to) = (stream.transport, stream.remote);
                    let from = proxy_address(transport);
                    self.note(from, to, &bytes);
                    self.fly(transport, from, to, bytes, 1);
                }
                _ => self
                    .proxy
                    .handle_input(Input::TransmitFailed { hop }, self.now),
            },
        }
    }

    fn datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let lost = self.draws.below(1_000) < self.lost || self.silent.contains(&to);
        let jitter = self.draws.below(self.jitter_ms + 1);
        if !lost {
            self.fly(Transport::Udp, from, to, bytes, 1 + jitter);
        }
    }

    fn note(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if let Ok(message) = parse_datagram(bytes, &Limits::default()) {
            let (at, bytes) = (self.now, bytes.to_vec());
            self.wire.push(Seen {
                at,
                from,
                to,
                message,
                bytes,
            });
        }
    }

    fn fly(
        &mut self,
        transport: Transport,
        from: SocketAddr,
        to: SocketAddr,
        bytes: Vec<u8>,
        millis: u64,
    ) {
        self.serial += 1;
        let packet = Packet {
            transport,
            from,
            to,
            bytes,
        };
        let at = self.now + Duration::from_millis(millis);
        self.flying.insert((at, self.serial), packet);
    }

    fn deliver(&mut self, packet: Packet) {
        let Packet {
            transport,
            from,
            to,
            bytes,
        } = packet;
        if self.played.contains(&to) {
            // A Pong is no message.
            if let Ok(message) = parse_datagram(&bytes, &Limits::default()) {
                self.mailbox.push_back((to, message));
            }
        } else if to == proxy_address(transport) {
            self.proxy_receives(transport, from, &bytes);
        } else {
            let stream = self.streams.values().find(|s| s.remote == to && s.open);
            let owner = stream.map(|stream| stream.end);
            let listener = (0..self.ends.len()).find(|end| address(*end, transport) == to);
            if let Some(end) = owner.or(listener) {
                let input = EndInput::Received {
                    transport,
                    local: address(end, transport),
                    remote: from,
                    bytes: &bytes,
                };
                self.ends[end].handle_input(input, self.now);
            }
        }
    }

    fn proxy_receives(&mut self, transport: Transport, from: SocketAddr, bytes: &[u8]) {
        if transport == Transport::Udp {
            let flow = udp_flow(from);
            self.proxy
                .handle_input(Input::Datagram { flow, bytes }, self.now);
            return;
        }
        let found = self.streams.iter_mut().find(|(_, s)| s.remote == from);
        let Some((id, stream)) = found else {
            return;
        };
        let flow = Flow {
            id: *id,
            transport: transport.into(),
            local: proxy_address(transport),
            remote: from,
        };
        stream.framer.push(bytes);
        let mut frames = Vec::new();
        while let Some(frame) = stream.framer.next_frame() {
            frames.push(frame);
        }
        for frame in frames {
            self.proxy
                .handle_input(Input::Frame { flow, frame }, self.now);
        }
    }
}

impl Seen {
    pub fn name(&self) -> String {
        match &self.message {
            Message::Request(request) => request.method.to_string(),
            Message::Response(response) => response.status.to_string(),
        }
    }

    pub fn request(&self) -> &Request {
        self.message.as_request().expect("a request")
    }

    pub fn response(&self) -> &Response {
        self.message.as_response().expect("a response")
    }
}

/// Forwards to endpoints at their addresses, with Record-Route; the label is the endpoint.
pub fn forward(groups: &[Vec<usize>], transport: Transport) -> Decision {
    let branch = |end: &usize| {
        let contact = format!("sip:desk{end}@192.0.2.{}", end + 1);
        let way = Way::to(uri(&contact)).at(to_end(*end, transport));
        Branch::new(way, u64::try_from(*end).unwrap())
    };
    let groups = groups.iter().map(|group| Group {
        branches: group.iter().map(branch).collect(),
        ringing_max: Some(Duration::from_secs(20)),
    });
    Decision::Forward(Forward {
        groups: groups.collect(),
        record_route: true,
        ..Forward::default()
    })
}

/// Forwards by one way, with Record-Route.
pub fn by(way: Way) -> Decision {
    let group = Group {
        branches: vec![Branch::new(way, 0)],
        ringing_max: None,
    };
    Decision::Forward(Forward {
        groups: vec![group],
        record_route: true,
        ..Forward::default()
    })
}

pub fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

pub fn name(text: &str) -> NameAddr {
    NameAddr::parse(text).unwrap()
}

pub fn incoming(event: &Event) -> Option<CallHandle> {
    match event {
        Event::Incoming { call, .. } => Some(*call),
        _ => None,
    }
}

pub fn answered(event: &Event) -> Option<()> {
    matches!(event, Event::Answered { .. }).then_some(())
}

pub fn confirmed(event: &Event) -> Option<()> {
    matches!(event, Event::Confirmed { .. }).then_some(())
}

pub fn ended(event: &Event) -> Option<()> {
    matches!(event, Event::Ended { .. }).then_some(())
}

/// The status that a call of ours failed with.
pub fn failed(event: &Event) -> Option<String> {
    match event {
        Event::Failed { cause, .. } => Some(format!("{cause:?}")),
        _ => None,
    }
}
