//! The one task that owns proxy, registrar and authenticator, and what it decides.
//!
//! ```text
//! sockets ─ News ─► switchboard ─► Proxy ─ Decide ─► emergency? ─► who is it? ─► whom does it want?
//!                        │                              503           401, 403, 407     404, 480, fork
//!                        └─ REGISTER ─► device asked in SQL ─► Registrar ─► row written ─► answer
//! ```
//! Nothing here waits: what asks the store is a task of its own and comes back as news.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_sip::digest::{Authenticator, AuthenticatorConfig, Judgement};
use hearthline_sip::framer::Frame;
use hearthline_sip::outbound::{Flow, FlowId, FlowTransport, FlowWatch, Hop};
use hearthline_sip::proxy::{
    AskId, Branch, Decision, Forward, Group, Identity, Input, Output, Passage, Proxy, ProxyConfig,
    Reject, ResolveId, Way,
};
use hearthline_sip::registrar::{
    Aor, Registering, Registrar, RegistrarConfig, RegistrarOutput, Unreachable,
};
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::values::Warning;
use hearthline_sip::{HeaderName, Host, Method, Request, Response, SipUri, StatusCode, Uri};
use hearthline_transport::Reach;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::account::REALM;
use super::call_log::{CallLog, refused_emergency};
use super::destination::Destination;
use super::directory::Directory;
use super::flows::{Certified, Flows, OpenFlow};
use super::rows::{Batch, RowChange, RowKeys, Wall};
use super::sockets::{Surroundings, connect};
use crate::binding::Binding;
use crate::entropy::{NoEntropy, random};
use crate::home::Counted;
use crate::id::DeviceId;
use crate::rate::{Rate, RateLimit};

/// What may be asked of the hub outside a dialog.
const ALLOWED: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER";
/// Rows of emergency calls that one source may cause.
const EMERGENCY_ROWS: Rate = Rate {
    burst: 30,
    every_ms: 10_000,
};
/// How long a flow that was registered as one may be silent, but for a grace (RFC 5626 section 5.4).
const FLOW_TIMER: Duration = Duration::from_secs(120);
/// Messages that wait for a connection that is being made.
const CONNECTING_MAX: usize = 32;
/// Outstanding checks of registrations.
const VETTING_MAX: usize = 1_024;

/// What happened outside.
pub(crate) enum News {
    Datagram {
        local: SocketAddr,
        remote: SocketAddr,
        bytes: Vec<u8>,
    },
    Opened {
        flow: Flow,
        certified: Option<Certified>,
        queue: mpsc::Sender<Vec<u8>>,
    },
    Frame {
        flow: Flow,
        frame: Frame,
    },
    Closed {
        flow: FlowId,
    },
    ConnectFailed {
        target: Target,
    },
    /// The store said whether the device may still register.
    Vetted {
        id: AskId,
        allowed: bool,
    },
    /// The rows of a registration are written, or could not be.
    Written {
        id: AskId,
        response: Box<Response>,
        kept: bool,
    },
    /// Devices, names or accounts have changed.
    Directory(Arc<Directory>),
}

/// What the switchboard is made of.
pub(crate) struct Parts {
    pub(crate) country: Country,
    pub(crate) domain: Host,
    pub(crate) identities: Vec<Identity>,
    pub(crate) secrets: [[u8; 32]; 2],
    pub(crate) directory: Arc<Directory>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) udp: Vec<(SocketAddr, Arc<UdpSocket>)>,
    pub(crate) rows: mpsc::Sender<Batch>,
    pub(crate) around: Surroundings,
    pub(crate) stop: watch::Receiver<bool>,
}

/// A REGISTER whose device is being looked up.
struct Vetting {
    flow: Flow,
    device: DeviceId,
    owner: Aor,
}

/// Who sends a request.
struct Caller {
    device: DeviceId,
    user: String,
}

/// The cores and what they need.
pub(crate) struct Switchboard {
    country: Country,
    domains: Vec<Host>,
    identities: Vec<Identity>,
    proxy: Proxy,
    registrar: Registrar,
    door: Authenticator,
    directory: Arc<Directory>,
    flows: Flows,
    silence: FlowWatch,
    connecting: HashMap<SocketAddr, Vec<Vec<u8>>>,
    vetting: HashMap<AskId, Vetting>,
    keys: RowKeys,
    calls: CallLog,
    emergency_rows: RateLimit<Counted>,
    udp: Vec<(SocketAddr, Arc<UdpSocket>)>,
    rows: mpsc::Sender<Batch>,
    around: Surroundings,
    stop: watch::Receiver<bool>,
    epoch: Instant,
    wall: Wall,
}

impl Switchboard {
    pub(crate) fn new(parts: Parts) -> Result<Self, NoEntropy> {
        let Parts {
            country,
            domain,
            identities,
            secrets: [flow_secret, gruu_secret],
            directory,
            bindings,
            udp,
            rows,
            around,
            stop,
        } = parts;
        let mut domains = vec![domain];
        for identity in &identities {
            if !domains.contains(&identity.host) {
                domains.push(identity.host.clone());
            }
        }
        let mut config =
            ProxyConfig::new(random()?, flow_secret, identities.clone(), domains.clone());
        config.server = Some("Hearthline".to_owned());
        config.privileged = Arc::new(move |request: &Request| {
            Destination::read(&request.uri, country, |_| false) == Destination::Emergency
        });
        let proxy = Proxy::new(config);
        let wall = Wall {
            at_zero: around.home.clock.now(),
        };
        let mut keys = RowKeys::default();
        let bindings = keys.load(&bindings, wall)?;
        let mut config = RegistrarConfig::new(random()?, gruu_secret, domains.clone());
        config.own = identities.clone();
        config.flow_timer_s = u32::try_from(FLOW_TIMER.as_secs()).unwrap_or(120);
        let registrar = Registrar::new(config, bindings, Duration::ZERO);
        let door = Authenticator::new(AuthenticatorConfig::new(REALM, random()?));
        Ok(Switchboard {
            country,
            domains,
            identities,
            proxy,
            registrar,
            door,
            directory,
            flows: Flows::default(),
            silence: FlowWatch::new(),
            connecting: HashMap::new(),
            vetting: HashMap::new(),
            keys,
            calls: CallLog::default(),
            emergency_rows: RateLimit::new(EMERGENCY_ROWS),
            udp,
            rows,
            around,
            stop,
            epoch: Instant::now(),
            wall,
        })
    }

    /// Serves until told to stop. What is registered stays registered.
    pub(crate) async fn run(mut self, mut news: mpsc::Receiver<News>) {
        let mut stop = self.stop.clone();
        loop {
            let wake = self.drain();
            let until = wake.map(|at| self.epoch + at);
            let sleeping = async {
                match until {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                heard = news.recv() => match heard {
                    Some(heard) => self.hear(heard),
                    None => return,
                },
                () = sleeping => {
                    let now = self.now();
                    self.proxy.handle_input(Input::Timeout, now);
                }
            }
        }
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn hear(&mut self, news: News) {
        let now = self.now();
        match news {
            News::Datagram {
                local,
                remote,
                bytes,
            } => {
                let numbers = &self.around.numbers;
                let (flow, forgotten) = self.flows.datagram(local, remote, numbers, now);
                for flow in forgotten {
                    self.flow_gone(flow, now);
                }
                self.heard_on(flow.id, now);
                let bytes = &bytes;
                self.proxy
                    .handle_input(Input::Datagram { flow, bytes }, now);
            }
            News::Opened {
                flow,
                certified,
                queue,
            } => {
                if let Some(waiting) = self.connecting.remove(&flow.remote) {
                    for bytes in waiting {
                        // A fresh queue holds more than may wait for it.
                        let _ = queue.try_send(bytes);
                    }
                }
                self.flows.opened(flow, certified, queue, now);
            }
            News::Frame { flow, frame } => {
                // What was on its way when the flow was closed here is nobody's any more.
                if self.flows.get(flow.id).is_some() {
                    self.heard_on(flow.id, now);
                    self.proxy.handle_input(Input::Frame { flow, frame }, now);
                }
            }
            News::Closed { flow } => self.close(flow, now),
            News::ConnectFailed { target } => {
                self.connecting.remove(&target.remote);
                self.transmit_failed(&Hop::Target(target), now);
            }
            News::Vetted { id, allowed } => self.vetted(id, allowed, now),
            News::Written { id, response, kept } => {
                let response = if kept {
                    *response
                } else {
                    let mut refused = Response::new(StatusCode::SERVICE_UNAVAILABLE);
                    refused.headers = response.headers;
                    refused.headers.remove(&HeaderName::Contact);
                    refused.headers.set(HeaderName::RetryAfter, "10");
                    refused
                };
                // It may have timed out in the meantime.
                let _ = self.proxy.respond(id, &response, now);
            }
            News::Directory(directory) => self.directory_changed(directory, now),
        }
    }

    /// Does everything that the cores want done; answers when they want to be woken.
    fn drain(&mut self) -> Option<Duration> {
        loop {
            let now = self.now();
            let proxy_at = loop {
                match self.proxy.poll_output(now) {
                    Output::Transmit { hop, bytes } => self.transmit(&hop, bytes, now),
                    Output::Close { flow } => self.close(flow, now),
                    Output::Decide { id, flow, passage } => self.asked(id, &flow, passage, now),
                    Output::Cancelled { id } => {
                        self.vetting.remove(&id);
                    }
                    Output::Resolve { id, uri } => self.resolve(id, &uri, now),
                    Output::Call(event) => {
                        let at = self.around.home.clock.now();
                        let keys = &self.keys;
                        let row = self.calls.note(&event, |ruid| keys.device(ruid), at);
                        if let Some(row) = row {
                            self.write(vec![RowChange::Call(Box::new(row))], None, now);
                        }
                    }
                    Output::Timeout(at) => break at,
                }
            };
            self.calls.all_decided();
            let (changes, registrar_at) = self.changes(now);
            if !changes.is_empty() {
                self.write(changes, None, now);
            }
            if let Some(dead) = self.silence.next_dead(now) {
                self.close(dead, now);
                continue;
            }
            let all = [proxy_at, registrar_at, self.silence.next_timeout()];
            return all.into_iter().flatten().min();
        }
    }

    /// The rows that the registrar wants written, and when it wants to be woken.
    fn changes(&mut self, now: Duration) -> (Vec<RowChange>, Option<Duration>) {
        let mut changes = Vec::new();
        loop {
            match self.registrar.poll_output(now) {
                RegistrarOutput::Store(binding) => {
                    let uri = binding.aor.to_uri();
                    // Without a device it was revoked a moment ago; its registration is about to go.
                    let device = uri.user().and_then(|user| self.owner_of(user));
                    if let Some(device) = device {
                        changes.extend(self.keys.put(&binding, device, self.wall));
                    }
                }
                RegistrarOutput::Remove(key) => changes.extend(self.keys.remove(key.ruid)),
                RegistrarOutput::Timeout(at) => return (changes, at),
            }
        }
    }

    fn write(
        &mut self,
        changes: Vec<RowChange>,
        answer: Option<(AskId, Box<Response>)>,
        now: Duration,
    ) {
        let Err(full) = self.rows.try_send(Batch { changes, answer }) else {
            return;
        };
        tracing::error!("the store is too slow: a registration or a call was not stored");
        if let Some((id, _)) = full.into_inner().answer {
            self.respond(id, StatusCode::SERVICE_UNAVAILABLE, now);
        }
    }

    // What goes out.

    fn transmit(&mut self, hop: &Hop, bytes: Vec<u8>, now: Duration) {
        let sent = match hop {
            Hop::Flow { id, .. } => self.send_on_flow(*id, bytes),
            Hop::Target(target) => self.send_to(target, bytes),
        };
        if !sent {
            self.transmit_failed(hop, now);
        }
    }

    fn transmit_failed(&mut self, hop: &Hop, now: Duration) {
        self.proxy.handle_input(Input::TransmitFailed { hop }, now);
    }

    fn send_on_flow(&self, id: FlowId, bytes: Vec<u8>) -> bool {
        let Some(open) = self.flows.get(id) else {
            return false;
        };
        match &open.queue {
            Some(queue) => queue.try_send(bytes).is_ok(),
            None => self.send_datagram(Some(open.flow.local), open.flow.remote, &bytes),
        }
    }

    fn send_to(&mut self, target: &Target, bytes: Vec<u8>) -> bool {
        if Reach::LoopbackOnly.check(target.remote).is_err() {
            return false;
        }
        match target.transport {
            Transport::Udp => self.send_datagram(None, target.remote, &bytes),
            // A device that has a certificate comes to us; we go to nobody by TLS.
            Transport::Tls => self
                .flows
                .stream_to(FlowTransport::Tls, target.remote)
                .and_then(|open| open.queue.as_ref())
                .is_some_and(|queue| queue.try_send(bytes).is_ok()),
            Transport::Tcp => {
                let open = self.flows.stream_to(FlowTransport::Tcp, target.remote);
                if let Some(queue) = open.and_then(|open| open.queue.as_ref()) {
                    return queue.try_send(bytes).is_ok();
                }
                if let Some(waiting) = self.connecting.get_mut(&target.remote) {
                    let room = waiting.len() < CONNECTING_MAX;
                    if room {
                        waiting.push(bytes);
                    }
                    return room;
                }
                if self.connecting.len() >= VETTING_MAX {
                    return false;
                }
                self.connecting.insert(target.remote, vec![bytes]);
                let (around, stop) = (self.around.clone(), self.stop.clone());
                tokio::spawn(connect(target.clone(), around, stop));
                true
            }
        }
    }

    fn send_datagram(&self, local: Option<SocketAddr>, remote: SocketAddr, bytes: &[u8]) -> bool {
        let fits = |own: &&(SocketAddr, Arc<UdpSocket>)| match local {
            Some(local) => own.0 == local,
            None => own.0.is_ipv4() == remote.is_ipv4(),
        };
        let Some((_, socket)) = self.udp.iter().find(fits) else {
            return false;
        };
        match socket.try_send_to(bytes, remote) {
            Ok(_) => true,
            // The system's queue is full: a lost datagram, which is repeated.
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }

    fn resolve(&mut self, id: ResolveId, uri: &Uri, now: Duration) {
        let mut targets = Vec::new();
        if let Uri::Sip(uri) = uri
            && uri.host().to_string().eq_ignore_ascii_case("localhost")
        {
            let named = uri.params().get("transport");
            let transport = named.map_or(Some(Transport::Udp), Transport::from_name);
            if let Some(transport) = transport {
                let port = uri.port().unwrap_or(transport.default_port());
                for ip in [
                    IpAddr::V4(Ipv4Addr::LOCALHOST),
                    IpAddr::V6(Ipv6Addr::LOCALHOST),
                ] {
                    targets.push(Target::new(transport, (ip, port).into()));
                }
            }
        }
        // No other name lies on this machine.
        self.proxy.resolved(id, &targets, now);
    }

    // Flows.

    fn heard_on(&mut self, flow: FlowId, now: Duration) {
        if self.silence.watches(flow) {
            let timer = FLOW_TIMER;
            self.silence.heard(flow, timer, now);
        }
    }

    fn close(&mut self, flow: FlowId, now: Duration) {
        if self.flows.close(flow) {
            self.flow_gone(flow, now);
        }
    }

    fn flow_gone(&mut self, flow: FlowId, now: Duration) {
        self.silence.forget(flow);
        self.proxy.handle_input(Input::FlowClosed { flow }, now);
        self.registrar.flow_closed(flow);
    }

    /// Revoked devices lose their registrations and their flows at once.
    fn directory_changed(&mut self, directory: Arc<Directory>, now: Duration) {
        if directory.as_of < self.directory.as_of {
            return; // overtaken on its way here
        }
        let before = std::mem::replace(&mut self.directory, directory);
        for user in before.users_missing_in(&self.directory) {
            for aor in self.addresses(user) {
                self.registrar.unregister(&aor);
            }
        }
        let directory = self.directory.clone();
        let ended = self.flows.of_devices(|device| directory.is_revoked(device));
        for flow in ended {
            self.close(flow, now);
        }
    }

    // Decisions.

    /// A request waits for a decision.
    fn asked(&mut self, id: AskId, flow: &Flow, passage: Passage, now: Duration) {
        let Some(request) = self.proxy.request(id).cloned() else {
            return;
        };
        let destination = Destination::read(&request.uri, self.country, |uri| self.names_us(uri));
        // First, before anything else is looked at: who asks does not matter here.
        if destination == Destination::Emergency {
            self.note_emergency(&request, flow, now);
            return self.decide(id, Decision::Reject(no_emergency_line()), now);
        }
        let decision = match passage {
            Passage::Dialog { .. } => self.within_dialog(&request, &destination, now),
            // We give no Path to anybody.
            Passage::Path { .. } => Decision::Reject(Reject::new(StatusCode::FORBIDDEN)),
            Passage::Outside if request.method == Method::Register => {
                return self.register_asked(id, &request, flow, now);
            }
            Passage::Outside
                if request.method == Method::Options && destination == Destination::Hub =>
            {
                self.decide(id, Decision::Take, now);
                return self.respond(id, StatusCode::OK, now);
            }
            Passage::Outside if request.method != Method::Invite => {
                let reject = Reject::new(StatusCode::METHOD_NOT_ALLOWED);
                Decision::Reject(reject.with(HeaderName::Allow, ALLOWED))
            }
            Passage::Outside => match self.caller(&request, flow, true, now) {
                Err(reject) => Decision::Reject(reject),
                Ok(caller) => {
                    let decision = self.call(&request, &destination, &caller, now);
                    if matches!(decision, Decision::Forward(_)) {
                        self.calls.calls(id, caller.device);
                    }
                    decision
                }
            },
        };
        self.decide(id, decision, now);
    }

    fn decide(&mut self, id: AskId, decision: Decision, now: Duration) {
        // Over: it was cancelled in the meantime, and answered.
        let _ = self.proxy.decide(id, decision, now);
    }

    fn respond(&mut self, id: AskId, status: StatusCode, now: Duration) {
        let Some(request) = self.proxy.request(id) else {
            return;
        };
        let mut response = Response::to_request(request, status, Some("hearthline"));
        response.headers.push(HeaderName::Allow, ALLOWED);
        // It may have timed out in the meantime.
        let _ = self.proxy.respond(id, &response, now);
    }

    fn note_emergency(&mut self, request: &Request, flow: &Flow, now: Duration) {
        let in_dialog = request.headers.to().is_ok_and(|to| to.tag().is_some());
        if request.method != Method::Invite || in_dialog {
            return;
        }
        let at = self.around.home.clock.now();
        let source = Counted::source(flow.remote.ip());
        if self.emergency_rows.take(&source, at).is_err() {
            return;
        }
        let device = self.flows.get(flow.id).and_then(OpenFlow::device);
        tracing::warn!("an emergency call reached the hub, which has no emergency line");
        if let Some(row) = refused_emergency(device, at) {
            self.write(vec![RowChange::Call(Box::new(row))], None, now);
        }
    }

    /// Who sends this, proven by certificate or digest, and under their own name (`proxy`: 407, not 401).
    fn caller(
        &mut self,
        request: &Request,
        flow: &Flow,
        proxy: bool,
        now: Duration,
    ) -> Result<Caller, Reject> {
        let device = self.device(request, flow, proxy, now)?;
        if self.directory.is_revoked(device) {
            return Err(because(StatusCode::FORBIDDEN, "the device was revoked"));
        }
        let user = match self.directory.user_of(device) {
            Some(user) => user.to_owned(),
            // It joined a moment ago: admitted by SQL, the directory is about to know it.
            None => device.to_string(),
        };
        self.flows.prove(flow.id, device);
        if proxy {
            let from = request.headers.from().ok().map(|from| from.uri);
            let own = from.as_ref().and_then(Uri::as_sip).is_some_and(|uri| {
                self.domains.contains(uri.host()) && uri.user() == Some(user.as_str())
            });
            if !own {
                let why = "From is not the caller's own address";
                return Err(because(StatusCode::FORBIDDEN, why));
            }
        }
        Ok(Caller { device, user })
    }

    fn device(
        &mut self,
        request: &Request,
        flow: &Flow,
        proxy: bool,
        now: Duration,
    ) -> Result<DeviceId, Reject> {
        let certified = self.flows.get(flow.id).and_then(|open| open.certified);
        if let Some(certified) = certified {
            return Ok(certified.device);
        }
        let directory = &self.directory;
        let accounts = |name: &str| directory.account(name);
        let source = flow.remote.ip();
        match self.door.judge(request, proxy, source, accounts, now) {
            Judgement::Authenticated(who) => directory
                .device_of(&who.username)
                .ok_or_else(|| Reject::new(StatusCode::FORBIDDEN)),
            Judgement::Challenge {
                status, headers, ..
            } => {
                let mut reject = Reject::new(status);
                reject.headers = headers;
                let named = request.headers.from().ok().map(|from| from.uri);
                let named = named.as_ref().and_then(Uri::as_sip).and_then(SipUri::user);
                let weak = named.is_some_and(|user| directory.is_weak(user));
                reject.headers.retain(|(_, value)| is_md5(value) == weak);
                Err(reject)
            }
            Judgement::Blocked { retry_after } => {
                let seconds = retry_after.as_secs().max(1).to_string();
                let why = "too many wrong passwords from this address";
                Err(because(StatusCode::FORBIDDEN, why).with(HeaderName::RetryAfter, seconds))
            }
        }
    }

    /// Where a call goes that is no emergency.
    fn call(
        &self,
        request: &Request,
        destination: &Destination,
        caller: &Caller,
        now: Duration,
    ) -> Decision {
        let found = match (destination, &request.uri) {
            (Destination::User(name), Uri::Sip(uri)) => self.groups(name, uri, caller, now),
            (Destination::ForeignEmergency, _) => {
                let main = self.country.main_number();
                let text = format!("not an emergency number here; {main} is");
                return Decision::Reject(warned(because(StatusCode::NOT_FOUND, &text), &text));
            }
            (Destination::Number, _) => Err(because(
                StatusCode::NOT_FOUND,
                "the home has no line to the telephone network",
            )),
            _ => Err(Reject::new(StatusCode::NOT_FOUND)),
        };
        match found {
            Err(reject) => Decision::Reject(reject),
            Ok(groups) => {
                let own = &self.domains[0];
                let asserted = format!("<sip:{}@{own}>", caller.user);
                Decision::Forward(Forward {
                    groups,
                    record_route: true,
                    // Credentials were for us; who somebody is, we say.
                    remove: vec![
                        HeaderName::ProxyAuthorization,
                        HeaderName::PAssertedIdentity,
                    ],
                    set: vec![(HeaderName::PAssertedIdentity, asserted.into_bytes())],
                    ..Forward::default()
                })
            }
        }
    }

    /// The devices that a user part means: an address, a GRUU, or a name.
    fn groups(
        &self,
        name: &str,
        uri: &SipUri,
        caller: &Caller,
        now: Duration,
    ) -> Result<Vec<Group>, Reject> {
        let not_registered = || Reject::new(StatusCode::TEMPORARILY_UNAVAILABLE);
        let groups = if uri.params().has("gr") {
            match self.registrar.lookup(uri, now) {
                Ok(groups) => groups,
                Err(Unreachable::NotRegistered) => return Err(not_registered()),
                Err(Unreachable::Unknown) => return Err(Reject::new(StatusCode::NOT_FOUND)),
            }
        } else if let Some(device) = self.directory.device_of(name) {
            self.ways_to(&[device], now)
        } else {
            let called = self.directory.called(name);
            if called.is_empty() {
                return Err(Reject::new(StatusCode::NOT_FOUND));
            }
            // Who stands in the kitchen and calls the kitchen means the others there.
            let others = called.iter().filter(|&&device| device != caller.device);
            self.ways_to(&others.copied().collect::<Vec<_>>(), now)
        };
        let groups = if uri.is_secure() {
            secure_only(groups)
        } else {
            groups
        };
        if groups.is_empty() {
            Err(not_registered())
        } else {
            Ok(groups)
        }
    }

    /// The target sets of some devices as one: what is preferred everywhere rings first.
    fn ways_to(&self, devices: &[DeviceId], now: Duration) -> Vec<Group> {
        let mut all: Vec<Group> = Vec::new();
        for &device in devices {
            let Some(user) = self.directory.user_of(device) else {
                continue;
            };
            for aor in self.addresses(user) {
                let Ok(groups) = self.registrar.lookup(&aor.to_uri(), now) else {
                    continue;
                };
                for (index, group) in groups.into_iter().enumerate() {
                    match all.get_mut(index) {
                        Some(merged) => merged.branches.extend(group.branches),
                        None => all.push(group),
                    }
                }
            }
        }
        all
    }

    /// The addresses of record of a user, one for each of our names: phones know us by either.
    fn addresses(&self, user: &str) -> Vec<Aor> {
        let uri = |domain: &Host| SipUri::new(domain.clone()).with_user(user);
        let domains = self.domains.iter();
        domains
            .filter_map(|domain| Aor::of(&uri(domain), &self.domains))
            .collect()
    }

    /// A request of a dialog of ours whose way is not known: after a restart, or to an address of record.
    fn within_dialog(
        &self,
        request: &Request,
        destination: &Destination,
        now: Duration,
    ) -> Decision {
        let groups = match (destination, &request.uri) {
            (Destination::User(name), Uri::Sip(uri)) if self.is_home_name(name, uri) => {
                let device = self.directory.device_of(name);
                if uri.params().has("gr") {
                    self.registrar.lookup(uri, now).unwrap_or_default()
                } else {
                    self.ways_to(device.as_slice(), now)
                }
            }
            (_, uri) => vec![Group {
                branches: vec![Branch::new(Way::to(uri.clone()), 0)],
                ringing_max: None,
            }],
        };
        if groups.is_empty() {
            return Decision::Reject(Reject::new(StatusCode::CALL_DOES_NOT_EXIST));
        }
        Decision::Forward(Forward {
            groups,
            ..Forward::default()
        })
    }

    /// Whose address this user part is; a device that joined a moment ago is known by its id.
    fn owner_of(&self, user: &str) -> Option<DeviceId> {
        let known = self.directory.device_of(user);
        let device = known.or_else(|| user.parse().ok())?;
        (!self.directory.is_revoked(device)).then_some(device)
    }

    fn is_home_name(&self, name: &str, uri: &SipUri) -> bool {
        uri.params().has("gr") || self.directory.device_of(name).is_some()
    }

    /// Whether host and port of a URI are the home's: its domain, or an address of ours with its port.
    fn names_us(&self, uri: &SipUri) -> bool {
        let by_name = uri.port().is_none() && self.domains.contains(uri.host());
        let by_domain = uri.host() == &self.domains[0];
        by_name || by_domain || self.identities.iter().any(|own| own.is_named_by(uri))
    }

    // Registrations.

    fn register_asked(&mut self, id: AskId, request: &Request, flow: &Flow, now: Duration) {
        let caller = match self.caller(request, flow, false, now) {
            Ok(caller) => caller,
            Err(reject) => return self.decide(id, Decision::Reject(reject), now),
        };
        let to = request.headers.to().ok().map(|to| to.uri);
        let to = to.as_ref().and_then(Uri::as_sip).map(SipUri::host);
        let domain = to.filter(|host| self.domains.contains(host));
        let own = SipUri::new(domain.unwrap_or(&self.domains[0]).clone()).with_user(&caller.user);
        let owner = Aor::of(&own, &self.domains);
        let room = self.vetting.len() < VETTING_MAX;
        let Some(owner) = owner.filter(|_| room) else {
            let reject = Reject::new(StatusCode::SERVICE_UNAVAILABLE);
            let reject = reject.with(HeaderName::RetryAfter, "10");
            return self.decide(id, Decision::Reject(reject), now);
        };
        self.decide(id, Decision::Take, now);
        let vetting = Vetting {
            flow: *flow,
            device: caller.device,
            owner,
        };
        self.vetting.insert(id, vetting);
        let certified = self.flows.get(flow.id).and_then(|open| open.certified);
        let (home, news) = (self.around.home.clone(), self.around.news.clone());
        tokio::spawn(async move {
            let device = home.store.device(caller.device).await;
            let mut allowed = device.is_ok_and(|device| device.revoked_at_ms.is_none());
            if let Some(certified) = certified {
                let found = home.store.device_by_certificate(&certified.certificate);
                let found = found.await.ok().flatten();
                allowed &= found.is_some_and(|(_, issued)| issued.not_after > home.clock.now());
            }
            let _ = news.send(News::Vetted { id, allowed }).await;
        });
    }

    fn vetted(&mut self, id: AskId, allowed: bool, now: Duration) {
        let Some(vetting) = self.vetting.remove(&id) else {
            return;
        };
        let Some(request) = self.proxy.request(id) else {
            return;
        };
        if !allowed || self.directory.is_revoked(vetting.device) {
            self.respond(id, StatusCode::FORBIDDEN, now);
            if vetting.flow.transport.is_reliable() {
                self.close(vetting.flow.id, now);
            }
            return;
        }
        let unix_s = self.around.home.clock.now().seconds();
        let input = Registering {
            request,
            flow: vetting.flow,
            owner: &vetting.owner,
            unix_time_s: u64::try_from(unix_s).ok(),
        };
        let response = self.registrar.register(&input, now);
        if response.headers.contains(&HeaderName::FlowTimer) {
            let timer = FLOW_TIMER;
            self.silence.heard(vetting.flow.id, timer, now);
        }
        let (changes, _) = self.changes(now);
        if changes.is_empty() {
            // It may have timed out in the meantime.
            let _ = self.proxy.respond(id, &response, now);
        } else {
            self.write(changes, Some((id, Box::new(response))), now);
        }
    }
}

fn because(status: StatusCode, why: &str) -> Reject {
    let mut reject = Reject::new(status);
    reject.reason = Some(format!("{}: {why}", status.reason()));
    reject
}

fn warned(reject: Reject, text: &str) -> Reject {
    let warning = Warning {
        code: 399,
        agent: "hearthline".to_owned(),
        text: text.to_owned(),
    };
    reject.with(HeaderName::Warning, warning.to_string())
}

/// Phones that know MD5 alone give up at a challenge by SHA-256 beside it (baresip 1.0.0), and phones that know both
/// must not be led to MD5: each account is asked by its own algorithm alone.
fn is_md5(challenge: &[u8]) -> bool {
    !String::from_utf8_lossy(challenge).contains("algorithm=SHA-256")
}

/// The hub has no line for it: the caller takes its own.
fn no_emergency_line() -> Reject {
    let text = "this hub has no emergency line; call by the device's own line";
    warned(because(StatusCode::SERVICE_UNAVAILABLE, text), text)
}

/// `sips:` reaches nobody over a wire that others can read (RFC 5630 section 3.1.3).
fn secure_only(groups: Vec<Group>) -> Vec<Group> {
    let secure = |way: &Way| {
        way.hop
            .as_ref()
            .is_some_and(|hop| hop.transport().is_secure())
    };
    let mut kept = Vec::new();
    for mut group in groups {
        for branch in &mut group.branches {
            branch.ways.retain(secure);
        }
        group.branches.retain(|branch| !branch.ways.is_empty());
        if !group.branches.is_empty() {
            kept.push(group);
        }
    }
    kept
}
