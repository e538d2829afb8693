//! A network of endpoints in one thread: virtual clock, loss, delay, duplication from a seed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use hearthline_sip::endpoint::{
    Body, CallHandle, Endpoint, EndpointConfig, Event, Input, InviteRequest, Output, Target,
    Transport,
};
use hearthline_sip::tokens::Tokens;
use hearthline_sip::{Limits, Message, NameAddr, Request, Response, Uri, parse_datagram};

pub const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 0\r\n";

/// What the network does to datagrams, in thousandths.
#[derive(Clone, Copy, Default)]
pub struct Faults {
    pub lost: u64,
    pub doubled: u64,
    /// Each datagram takes 1 ms and up to this much more, so that some overtake others.
    pub jitter_ms: u64,
}

struct Packet {
    transport: Transport,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

/// One message on the wire.
pub struct Seen {
    pub at: Duration,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub transport: Transport,
    pub message: Message,
}

impl Seen {
    /// `INVITE`, `180`, …
    pub fn name(&self) -> String {
        match &self.message {
            Message::Request(request) => request.method.to_string(),
            Message::Response(response) => response.status.to_string(),
        }
    }
}

pub struct Network {
    pub now: Duration,
    pub faults: Faults,
    pub wire: Vec<Seen>,
    pub ends: Vec<Endpoint>,
    pub events: Vec<VecDeque<Event>>,
    /// What came for addresses that a test plays itself.
    pub mailbox: VecDeque<(Transport, SocketAddr, SocketAddr, Message)>,
    /// Addresses that a test plays itself.
    pub played: BTreeSet<SocketAddr>,
    /// Connections to these fail at once.
    pub refusing: BTreeSet<(Transport, SocketAddr)>,
    /// Everything to these vanishes.
    pub silent: BTreeSet<SocketAddr>,
    flying: BTreeMap<(Duration, u64), Packet>,
    failures: BTreeMap<(Duration, u64), (usize, Target)>,
    /// Ephemeral address of a connection → owner, and the listener it leads to.
    connections: BTreeMap<(Transport, SocketAddr), (usize, SocketAddr)>,
    draws: Tokens,
    serial: u64,
}

pub fn address(end: usize, transport: Transport) -> SocketAddr {
    let port = transport.default_port();
    let host = u8::try_from(end + 1).unwrap();
    SocketAddr::from(([192, 0, 2, host], port))
}

pub fn target(end: usize, transport: Transport) -> Target {
    Target::new(transport, address(end, transport))
}

impl Network {
    pub fn new(seed: u8) -> Self {
        Self {
            now: Duration::ZERO,
            faults: Faults::default(),
            wire: Vec::new(),
            ends: Vec::new(),
            events: Vec::new(),
            mailbox: VecDeque::new(),
            played: BTreeSet::new(),
            refusing: BTreeSet::new(),
            silent: BTreeSet::new(),
            flying: BTreeMap::new(),
            failures: BTreeMap::new(),
            connections: BTreeMap::new(),
            draws: Tokens::from_seed([seed; 32]),
            serial: 0,
        }
    }

    /// Two plain endpoints: 0 calls 1.
    pub fn pair(seed: u8) -> Self {
        let mut network = Self::new(seed);
        network.add(|_| {});
        network.add(|_| {});
        network
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

    /// An address that the test plays itself.
    pub fn play(&mut self, host: u8) -> SocketAddr {
        let address = SocketAddr::from(([192, 0, 2, host], 5060));
        self.played.insert(address);
        address
    }

    /// Sends bytes as if they came from `from`, without faults.
    pub fn inject(&mut self, from: SocketAddr, to: SocketAddr, bytes: impl Into<Vec<u8>>) {
        let transport = Transport::Udp;
        let bytes = bytes.into();
        self.note(transport, from, to, &bytes);
        let packet = Packet {
            transport,
            from,
            to,
            bytes,
        };
        self.fly(packet, Duration::from_millis(1));
    }

    pub fn respond(&mut self, from: SocketAddr, to: SocketAddr, response: &Response) {
        self.inject(from, to, response.to_bytes());
    }

    /// Does something with an endpoint and carries what comes of it.
    pub fn with<T>(&mut self, end: usize, act: impl FnOnce(&mut Endpoint, Duration) -> T) -> T {
        let result = act(&mut self.ends[end], self.now);
        self.drain(end);
        result
    }

    pub fn call(&mut self, change: impl FnOnce(&mut InviteRequest)) -> CallHandle {
        let mut request = invite(target(1, Transport::Udp));
        change(&mut request);
        self.with(0, |endpoint, now| endpoint.invite(request, now).unwrap())
    }

    /// Runs for this long.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }

    /// Runs until the endpoint tells something that `wanted` takes; panics after ten minutes.
    pub fn until<T>(&mut self, end: usize, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let limit = self.now + Duration::from_secs(600);
        loop {
            for end in 0..self.ends.len() {
                self.drain(end);
            }
            while let Some(event) = self.events[end].pop_front() {
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
            assert!(self.step(limit), "nothing more happens; {}", self.ladder());
        }
    }

    /// Runs until no endpoint has anything to wait for.
    pub fn until_quiet(&mut self) {
        let limit = self.now + Duration::from_secs(100_000);
        while self.step(limit) {}
        for end in &mut self.ends {
            let output = end.poll_output(self.now);
            assert!(matches!(output, Output::Timeout(None)), "{output:?}");
            assert_eq!(end.transaction_counts(), (0, 0));
        }
    }

    /// The names of the messages between two ends, in order.
    pub fn names(&self) -> Vec<String> {
        self.wire.iter().map(Seen::name).collect()
    }

    pub fn count(&self, name: &str) -> usize {
        self.wire.iter().filter(|seen| seen.name() == name).count()
    }

    pub fn requests(&self, method: &str) -> Vec<&Request> {
        let requests = self
            .wire
            .iter()
            .filter_map(|seen| seen.message.as_request());
        requests.filter(|r| r.method.as_str() == method).collect()
    }

    pub fn responses(&self, code: u16) -> Vec<&Response> {
        let responses = self.wire.iter().filter_map(|s| s.message.as_response());
        responses.filter(|r| r.status.code() == code).collect()
    }

    pub fn ladder(&self) -> String {
        let mut text = String::new();
        for seen in &self.wire {
            let (at, name) = (seen.at.as_millis(), seen.name());
            text.push_str(&format!(
                "\n{at:>7} {:>21} → {:<21} {name}",
                seen.from, seen.to
            ));
        }
        text
    }

    fn step(&mut self, limit: Duration) -> bool {
        let packet = self.flying.keys().next().map(|key| key.0);
        let failure = self.failures.keys().next().map(|key| key.0);
        let mut next = packet.into_iter().chain(failure).min();
        let mut timers = Vec::new();
        for end in 0..self.ends.len() {
            if let Some(at) = self.drain(end) {
                timers.push((at, end));
            }
        }
        // Draining may have sent something earlier than what was due before.
        next = next
            .into_iter()
            .chain(self.flying.keys().next().map(|k| k.0))
            .min();
        let timer = timers.iter().min().copied();
        next = next.into_iter().chain(timer.map(|(at, _)| at)).min();
        let Some(at) = next.filter(|at| *at <= limit) else {
            return false;
        };
        self.now = self.now.max(at);
        if let Some((&key, _)) = self.flying.first_key_value().filter(|(key, _)| key.0 <= at) {
            let packet = self.flying.remove(&key).unwrap();
            self.deliver(packet);
        } else if let Some((&key, _)) = self.failures.first_key_value().filter(|(k, _)| k.0 <= at) {
            let (end, target) = self.failures.remove(&key).unwrap();
            let input = Input::TransportFailed { target: &target };
            self.ends[end].handle_input(input, self.now);
        } else if let Some((_, end)) = timer {
            self.ends[end].handle_input(Input::Timeout, self.now);
        }
        true
    }

    fn drain(&mut self, end: usize) -> Option<Duration> {
        loop {
            match self.ends[end].poll_output(self.now) {
                Output::Transmit { target, bytes } => self.send(end, target, &bytes),
                Output::Event(event) => self.events[end].push_back(event),
                Output::Close { .. } => {}
                Output::Timeout(at) => return at,
            }
        }
    }

    fn send(&mut self, end: usize, target: Target, bytes: &[u8]) {
        let transport = target.transport;
        let mut from = address(end, transport);
        let to = target.remote;
        if transport.is_reliable() {
            if self.refusing.contains(&(transport, to)) {
                self.serial += 1;
                let at = self.now + Duration::from_millis(1);
                self.failures.insert((at, self.serial), (end, target));
                return;
            }
            if let Some((_, listener)) = self.connections.get(&(transport, to)).copied() {
                // Back along a connection that the other side opened.
                from = listener;
            } else {
                let known = self
                    .connections
                    .iter()
                    .find(|(key, value)| key.0 == transport && **value == (end, to));
                from = match known {
                    Some((key, _)) => key.1,
                    None => {
                        let port = 40_000 + u16::try_from(self.connections.len()).unwrap();
                        let mut ephemeral = from;
                        ephemeral.set_port(port);
                        self.connections.insert((transport, ephemeral), (end, to));
                        ephemeral
                    }
                };
            }
        }
        self.note(transport, from, to, bytes);
        let mut copies = 1;
        if transport == Transport::Udp {
            if self.draws.below(1_000) < self.faults.lost {
                copies = 0;
            } else if self.draws.below(1_000) < self.faults.doubled {
                copies = 2;
            }
        }
        if self.silent.contains(&to) {
            copies = 0;
        }
        for _ in 0..copies {
            let jitter = if transport == Transport::Udp {
                self.draws.below(self.faults.jitter_ms + 1)
            } else {
                0
            };
            let bytes = bytes.to_vec();
            let packet = Packet {
                transport,
                from,
                to,
                bytes,
            };
            self.fly(packet, Duration::from_millis(1 + jitter));
        }
    }

    fn note(&mut self, transport: Transport, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if let Ok(message) = parse_datagram(bytes, &Limits::default()) {
            self.wire.push(Seen {
                at: self.now,
                from,
                to,
                transport,
                message,
            });
        }
    }

    fn fly(&mut self, packet: Packet, time: Duration) {
        self.serial += 1;
        self.flying.insert((self.now + time, self.serial), packet);
    }

    fn deliver(&mut self, packet: Packet) {
        let Packet {
            transport,
            from,
            to,
            bytes,
        } = packet;
        if self.played.contains(&to) {
            let message = parse_datagram(&bytes, &Limits::default()).unwrap();
            self.mailbox.push_back((transport, from, to, message));
            return;
        }
        let owner = self.connections.get(&(transport, to)).map(|owner| owner.0);
        let listener = (0..self.ends.len()).find(|end| address(*end, transport) == to);
        if let Some(end) = owner.or(listener) {
            let input = Input::Received {
                transport,
                local: to,
                remote: from,
                bytes: &bytes,
            };
            self.ends[end].handle_input(input, self.now);
        }
    }
}

pub fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

pub fn name(text: &str) -> NameAddr {
    NameAddr::parse(text).unwrap()
}

pub fn sdp() -> Body {
    Body::sdp(SDP)
}

/// A call with an offer.
pub fn invite(target: Target) -> InviteRequest {
    let mut request = InviteRequest::new(
        uri("sip:desk@example.com"),
        name("<sip:kitchen@example.com>"),
        name("<sip:desk@example.com>"),
        target,
    );
    request.body = Some(sdp());
    request
}

/// The handle of an incoming call.
pub fn incoming(event: &Event) -> Option<CallHandle> {
    match event {
        Event::Incoming { call, .. } => Some(*call),
        _ => None,
    }
}

/// Whether a call was answered.
pub fn answered(event: &Event) -> Option<()> {
    matches!(event, Event::Answered { .. }).then_some(())
}

/// Whether the ACK came.
pub fn confirmed(event: &Event) -> Option<()> {
    matches!(event, Event::Confirmed { .. }).then_some(())
}

/// The end of a call that stood.
pub fn ended(event: &Event) -> Option<(hearthline_sip::endpoint::EndedBy, Option<String>)> {
    match event {
        Event::Ended { by, reason, .. } => Some((*by, reason.clone())),
        _ => None,
    }
}

/// The failure of a call of ours.
pub fn failed(event: &Event) -> Option<hearthline_sip::endpoint::FailureCause> {
    match event {
        Event::Failed { cause, .. } => Some(cause.clone()),
        _ => None,
    }
}

/// End 0 calls end 1, which rings and answers; both stand.
pub fn stand(network: &mut Network) -> (CallHandle, CallHandle) {
    stand_with(network, |_| {})
}

pub fn stand_with(
    network: &mut Network,
    change: impl FnOnce(&mut InviteRequest),
) -> (CallHandle, CallHandle) {
    let ours = network.call(change);
    let theirs = network.until(1, incoming);
    network.with(1, |end, now| end.accept(theirs, Some(sdp()), now).unwrap());
    network.until(0, answered);
    network.until(1, confirmed);
    (ours, theirs)
}
