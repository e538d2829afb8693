//! A home's hub in memory: the product's own proxy and registrar, with a table of names instead of a store.
use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use hearthline_sip::framer::StreamFramer;
use hearthline_sip::outbound::{Flow, FlowId, FlowTransport, Hop};
use hearthline_sip::proxy::{
    AskId, Decision, Forward, Group, Identity, Input, Output, Passage, Proxy, ProxyConfig, Reject,
};
use hearthline_sip::registrar::{Aor, Registering, Registrar, RegistrarConfig, RegistrarOutput};
use hearthline_sip::tokens::Tokens;
use hearthline_sip::{
    HeaderName, Host, Limits, Message, Method, SipUri, StatusCode, Uri, parse_datagram,
};
use hearthline_speaker::telephone::screening::{DROP_IN_ALLOWED, DROP_IN_HEADER};

use crate::meddling::Meddling;

/// The domain of every simulated home.
pub const DOMAIN: &str = "home.test";
/// Where the hub listens by TLS.
pub const HUB: &str = "127.0.0.1:5061";

/// One connection.
struct Link {
    flow: Flow,
    framer: StreamFramer,
}

/// The hub.
pub struct HomeHub {
    proxy: Proxy,
    registrar: Registrar,
    links: BTreeMap<SocketAddr, Link>,
    next_flow: u64,
    /// Users that a name means, beside their own.
    pub names: BTreeMap<String, Vec<String>>,
    /// Whether callers who ask to drop in are vouched for.
    pub lets_drop_in: bool,
    /// What it does to calls when it wants to listen.
    pub meddles: Option<Meddling>,
    /// Whether it is there at all.
    pub is_up: bool,
}

impl HomeHub {
    /// A hub that knows nobody yet.
    #[must_use]
    pub fn new(tokens: &Tokens) -> Self {
        let address: SocketAddr = HUB.parse().expect("an address");
        let domains = vec![Host::parse(DOMAIN).expect("a domain")];
        let identities = vec![Identity {
            transport: FlowTransport::Tls,
            host: Host::from(address.ip()),
            port: Some(address.port()),
        }];
        let proxy = ProxyConfig::new(
            tokens.fork("proxy").next_bytes(),
            tokens.fork("flows").next_bytes(),
            identities,
            domains.clone(),
        );
        let registrar = RegistrarConfig::new(
            tokens.fork("registrar").next_bytes(),
            tokens.fork("gruu").next_bytes(),
            domains,
        );
        Self {
            proxy: Proxy::new(proxy),
            registrar: Registrar::new(registrar, Vec::new(), Duration::ZERO),
            links: BTreeMap::new(),
            next_flow: 1,
            names: BTreeMap::new(),
            lets_drop_in: false,
            meddles: None,
            is_up: true,
        }
    }

    /// Bytes of a connection from `remote`.
    pub fn receive(&mut self, remote: SocketAddr, bytes: &[u8], now: Duration) {
        if !self.is_up {
            return;
        }
        let next_flow = &mut self.next_flow;
        let link = self.links.entry(remote).or_insert_with(|| {
            *next_flow += 1;
            Link {
                flow: Flow {
                    id: FlowId(*next_flow),
                    transport: FlowTransport::Tls,
                    local: HUB.parse().expect("an address"),
                    remote,
                },
                framer: StreamFramer::new(Limits::default()),
            }
        });
        link.framer.push(bytes);
        let flow = link.flow;
        while let Some(frame) = link.framer.next_frame() {
            self.proxy.handle_input(Input::Frame { flow, frame }, now);
        }
    }

    /// It forgets every connection, as after a restart; what is registered stays in its store.
    pub fn restart(&mut self, now: Duration) {
        for link in core::mem::take(&mut self.links).into_values() {
            let flow = link.flow.id;
            self.proxy.handle_input(Input::FlowClosed { flow }, now);
            self.registrar.flow_closed(flow);
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.proxy.handle_input(Input::Timeout, now);
    }

    /// What it sends, and when it wants to be called next.
    pub fn drain(&mut self, now: Duration) -> (Vec<(SocketAddr, Vec<u8>)>, Option<Duration>) {
        let mut sent = Vec::new();
        loop {
            match self.proxy.poll_output(now) {
                Output::Transmit { hop, bytes } => {
                    let to = match hop {
                        Hop::Flow { id, .. } => self
                            .links
                            .values()
                            .find(|link| link.flow.id == id)
                            .map(|link| link.flow.remote),
                        Hop::Target(_) => None,
                    };
                    let to = to.or_else(|| self.returned(&bytes, now));
                    match to {
                        Some(to) => sent.push((
                            to,
                            match self.meddles {
                                Some(meddling) => meddling.meddle(bytes),
                                None => bytes,
                            },
                        )),
                        None => self
                            .proxy
                            .handle_input(Input::TransmitFailed { hop: &hop }, now),
                    }
                }
                Output::Decide { id, flow, passage } => self.decide(id, flow, passage, now),
                Output::Close { .. }
                | Output::Cancelled { .. }
                | Output::Resolve { .. }
                | Output::Call(_) => {}
                Output::Timeout(at) => return (sent, at),
            }
        }
    }

    /// Where a device is now that an ACK means, which nobody is asked about: its flow of then is gone.
    fn returned(&self, ack: &[u8], now: Duration) -> Option<SocketAddr> {
        let Ok(Message::Request(request)) = parse_datagram(ack, &Limits::default()) else {
            return None;
        };
        let to = request.headers.to().ok()?;
        let from = request.headers.from().ok()?;
        let user = to.uri.as_sip()?.user()?.to_owned();
        if request.method != Method::Ack || from.uri == to.uri {
            return None;
        }
        let groups = self.groups(&user, now);
        let mut ways = groups.iter().flat_map(|group| &group.branches);
        let flow = ways.find_map(|branch| branch.ways.first()?.hop.as_ref()?.flow())?;
        let mut links = self.links.values();
        links
            .find(|link| link.flow.id == flow)
            .map(|link| link.flow.remote)
    }

    fn decide(&mut self, id: AskId, flow: Flow, passage: Passage, now: Duration) {
        let Some(request) = self.proxy.request(id).cloned() else {
            return;
        };
        let user = request
            .headers
            .from()
            .ok()
            .and_then(|from| from.uri.as_sip().and_then(SipUri::user).map(str::to_owned));
        let user = user.unwrap_or_default();
        if request.method == Method::Register {
            let owner = Aor::from_column(&format!("sip:{user}@{DOMAIN}")).expect("an address");
            let response = self.registrar.register(
                &Registering {
                    request: &request,
                    flow,
                    owner: &owner,
                    unix_time_s: None,
                },
                now,
            );
            loop {
                match self.registrar.poll_output(now) {
                    RegistrarOutput::Left { flow, by } => {
                        self.proxy.flow_moved(flow, &by);
                        self.links.retain(|_, link| link.flow.id != flow);
                        self.proxy.handle_input(Input::FlowClosed { flow }, now);
                        self.registrar.flow_closed(flow);
                    }
                    RegistrarOutput::Timeout(_) => break,
                    RegistrarOutput::Store(_) | RegistrarOutput::Remove(_) => {}
                }
            }
            let _ = self.proxy.decide(id, Decision::Take, now);
            let _ = self.proxy.respond(id, &response, now);
            return;
        }
        let callee = match (&request.uri, passage) {
            // Its flow is gone: it is where its name says.
            (
                Uri::Sip(uri),
                Passage::Outside
                | Passage::Dialog {
                    failed: Some(_), ..
                },
            ) => uri.user_unescaped(),
            _ => None,
        };
        let callee = callee.and_then(|user| String::from_utf8(user).ok());
        let decision = match callee.map(|callee| self.groups(&callee.to_lowercase(), now)) {
            Some(groups) if !groups.is_empty() => {
                let asks = HeaderName::parse(b"Answer-Mode")
                    .is_some_and(|name| request.headers.get_str(&name) == Some("Auto"));
                let drop_in = HeaderName::parse(DROP_IN_HEADER.as_bytes()).expect("a name");
                let mut set = vec![(
                    HeaderName::PAssertedIdentity,
                    format!("<sip:{user}@{DOMAIN}>").into_bytes(),
                )];
                if asks && self.lets_drop_in {
                    set.push((drop_in.clone(), DROP_IN_ALLOWED.as_bytes().to_vec()));
                }
                Decision::Forward(Forward {
                    groups,
                    record_route: true,
                    remove: vec![HeaderName::PAssertedIdentity, drop_in],
                    set,
                    ..Forward::default()
                })
            }
            Some(_) => Decision::Reject(Reject::new(StatusCode::NOT_FOUND)),
            None => Decision::Reject(Reject::new(StatusCode::CALL_DOES_NOT_EXIST)),
        };
        let _ = self.proxy.decide(id, decision, now);
    }

    fn groups(&self, callee: &str, now: Duration) -> Vec<Group> {
        let own = vec![callee.to_owned()];
        let users = self.names.get(callee).unwrap_or(&own);
        let mut all = Group::default();
        for user in users {
            let uri = SipUri::new(Host::parse(DOMAIN).expect("a domain")).with_user(user);
            for group in self.registrar.lookup(&uri, now).unwrap_or_default() {
                all.branches.extend(group.branches);
            }
        }
        if all.branches.is_empty() {
            Vec::new()
        } else {
            vec![all]
        }
    }
}
