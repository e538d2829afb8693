//! A registrar to send text to.

use std::net::SocketAddr;
use std::time::Duration;

use hearthline_sip::outbound::{Flow, FlowId, FlowTransport};
use hearthline_sip::registrar::{
    Aor, Binding, BindingKey, Registering, Registrar, RegistrarConfig, RegistrarOutput,
};
use hearthline_sip::{
    Host, Limits, Message, NameAddr, Request, Response, SipUri, Uri, parse_datagram,
};

pub struct Office {
    pub registrar: Registrar,
    pub now: Duration,
    pub flow: Flow,
    pub owner: Aor,
    pub stored: Vec<Binding>,
    pub removed: Vec<BindingKey>,
    pub left: Vec<FlowId>,
}

pub fn config() -> RegistrarConfig {
    let domains = vec![Host::parse("home.example").unwrap()];
    RegistrarConfig::new([3; 32], [4; 32], domains)
}

pub fn sip(text: &str) -> SipUri {
    match Uri::parse(text).unwrap() {
        Uri::Sip(uri) => uri,
        _ => panic!("not sip"),
    }
}

pub fn flow(id: u64, transport: FlowTransport) -> Flow {
    Flow {
        id: FlowId(id),
        transport,
        local: SocketAddr::from(([192, 0, 2, 100], 5060)),
        remote: SocketAddr::from(([192, 0, 2, 1], 5060)),
    }
}

pub fn request(text: &str) -> Request {
    match parse_datagram(text.as_bytes(), &Limits::default()).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a response"),
    }
}

pub fn register(call_id: &str, cseq: u32, rows: &str) -> Request {
    request(&format!(
        "REGISTER sip:home.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{cseq}\r\n\
         From: <sip:anna@home.example>;tag=1\r\nTo: <sip:anna@home.example>\r\n\
         Call-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\n{rows}Content-Length: 0\r\n\r\n"
    ))
}

impl Office {
    pub fn new() -> Self {
        Office::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut RegistrarConfig)) -> Self {
        let mut config = config();
        change(&mut config);
        let now = Duration::from_secs(1_000);
        Office {
            registrar: Registrar::new(config, Vec::new(), now),
            now,
            flow: flow(7, FlowTransport::Udp),
            owner: Aor::from_column("sip:anna@home.example").unwrap(),
            stored: Vec::new(),
            removed: Vec::new(),
            left: Vec::new(),
        }
    }

    pub fn send(&mut self, request: &Request) -> Response {
        let input = Registering {
            request,
            flow: self.flow,
            owner: &self.owner,
            unix_time_s: Some(784_111_777),
        };
        let response = self.registrar.register(&input, self.now);
        self.drain();
        response
    }

    /// The status and the contacts of the answer.
    pub fn say(&mut self, call_id: &str, cseq: u32, rows: &str) -> (u16, Vec<NameAddr>) {
        let response = self.send(&register(call_id, cseq, rows));
        let contacts = match response.headers.contacts().unwrap() {
            hearthline_sip::typed::Contacts::List(list) => list,
            hearthline_sip::typed::Contacts::Star => panic!("a star in an answer"),
        };
        (response.status.code(), contacts)
    }

    pub fn drain(&mut self) -> Option<Duration> {
        loop {
            match self.registrar.poll_output(self.now) {
                RegistrarOutput::Store(binding) => {
                    self.stored.retain(|row| row.key() != binding.key());
                    self.stored.push(*binding);
                }
                RegistrarOutput::Remove(key) => {
                    let before = self.stored.len();
                    self.stored.retain(|row| row.key() != key);
                    assert_eq!(self.stored.len() + 1, before, "removed what was not there");
                    self.removed.push(key);
                }
                RegistrarOutput::Left { flow, .. } => self.left.push(flow),
                RegistrarOutput::Timeout(at) => {
                    // The store holds exactly what the registrar holds.
                    assert_eq!(self.stored.len(), self.registrar.binding_count());
                    return at;
                }
            }
        }
    }

    /// The labels of the target set, group by group.
    pub fn targets(&self, uri: &str) -> Vec<Vec<String>> {
        let groups = self
            .registrar
            .lookup(&sip(uri), self.now)
            .unwrap_or_default();
        let text = |branch: &hearthline_sip::proxy::Branch| branch.ways[0].uri.to_string();
        groups
            .iter()
            .map(|group| group.branches.iter().map(text).collect())
            .collect()
    }
}
