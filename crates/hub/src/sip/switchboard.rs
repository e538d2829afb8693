//! The one task that owns proxy, registrar and authenticator, and what it decides.
//!
//! ```text
//! sockets ─ News ─► switchboard ─► Proxy ─ Decide ─► emergency? ─► who is it? ─► whom does it want?
//!                        │                              503           401, 403, 407     404, 480, fork
//!                        └─ REGISTER ─► device asked of the store ─► Registrar ─► row written ─► answer
//! ```
//! Nothing here waits: what asks the store is a task of its own and comes back as news.

mod awaiting;
mod bridging;
mod deciding;
mod lingering;
mod mailbox;
mod outside;
mod returning;
mod screened;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_sip::digest::{Authenticator, AuthenticatorConfig, Judgement};
use hearthline_sip::framer::Frame;
use hearthline_sip::outbound::{Flow, FlowId, FlowTransport, FlowWatch, Hop};
use hearthline_sip::proxy::{
    AskId, Branch, CallEvent, Decision, Forward, Group, Identity, Input, Output, Passage, Proxy,
    ProxyConfig, Reject, ResolveId, Way,
};
use hearthline_sip::registrar::{
    Aor, Registering, Registrar, RegistrarConfig, RegistrarOutput, Unreachable,
};
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::values::Warning;
use hearthline_sip::{HeaderName, Host, Method, Request, Response, SipUri, StatusCode, Uri};
use hearthline_transport::Reach;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::account::REALM;
use super::bridges::Bridges;
use super::call_log::{CallLog, refused_emergency};
use super::datagrams::{DatagramSocket, Datagrams, Heard};
use super::destination::Destination;
use super::directory::Directory;
use super::flows::{Certified, Flows, OpenFlow};
use super::rows::{Batch, Gathered, RowChange, RowKeys, Wall};
use super::sockets::{Surroundings, connect};
use crate::binding::Binding;
use crate::call::Call;
use crate::device::Fingerprint;
use crate::entropy::{NoEntropy, random};
use crate::gateway::{Between, Door, OnLine};
use crate::home::{Counted, Home};
use crate::id::DeviceId;
use crate::rate::{Rate, RateLimit};
use crate::store::{Answer, StoreError};
use returning::Returning;

/// What may be asked of the hub outside a dialog.
const ALLOWED: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER";
/// Rows of emergency calls that one source may cause.
const EMERGENCY_ROWS: Rate = Rate {
    burst: 30,
    every_ms: 10_000,
};
/// How long a flow that was registered as one may be silent, but for a grace (RFC 5626 section 5.4).
const FLOW_TIMER: Duration = Duration::from_secs(120);
/// Transactions that only absorb repetitions end together: a wake-up for each was a third of all.
const ENDINGS_EVERY: Duration = Duration::from_millis(500);
/// How long the switchboard sleeps when nothing is to be done.
const IDLE: Duration = Duration::from_secs(3_600);
/// Messages that wait for a connection that is being made.
const CONNECTING_MAX: usize = 32;
/// Outstanding checks of registrations.
const VETTING_MAX: usize = 1_024;

/// What happened outside.
pub(crate) enum News {
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
        /// `None`: it could not say.
        allowed: Option<bool>,
    },
    /// The rows of a registration are written, or could not be.
    Written {
        id: AskId,
        response: Box<Response>,
        kept: bool,
    },
    /// Devices, names or accounts have changed.
    Directory(Arc<Directory>),
    /// By which line a call goes.
    OnLine(OnLine),
    /// How a call between two outside parties goes.
    Between(Between),
}

/// What the switchboard is made of.
pub(crate) struct Parts {
    pub(crate) country: Country,
    pub(crate) domain: Host,
    pub(crate) identities: Vec<Identity>,
    pub(crate) secrets: [[u8; 32]; 2],
    pub(crate) directory: Arc<Directory>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) udp: Vec<Arc<DatagramSocket>>,
    pub(crate) rows: mpsc::Sender<Batch>,
    pub(crate) around: Surroundings,
    pub(crate) door: Door,
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
    /// What From calls them.
    display: Option<String>,
}

/// The cores and what they need.
pub(crate) struct Switchboard {
    country: Country,
    domains: Vec<Host>,
    identities: Vec<Identity>,
    proxy: Proxy,
    registrar: Registrar,
    gate: Authenticator,
    directory: Arc<Directory>,
    flows: Flows,
    silence: FlowWatch,
    connecting: HashMap<SocketAddr, Vec<Vec<u8>>>,
    vetting: HashMap<AskId, Vetting>,
    keys: RowKeys,
    calls: CallLog,
    rows_of_calls: Gathered,
    emergency_rows: RateLimit<Counted>,
    udp: Vec<Arc<DatagramSocket>>,
    rows: mpsc::Sender<Batch>,
    around: Surroundings,
    door: Door,
    /// Sound of browsers with telephones.
    bridges: Bridges,
    helped: VecDeque<outside::Helped>,
    /// Whose flows closed, also by a restart, the latest last: calls that were begun on one go on by another.
    left: VecDeque<(FlowId, DeviceId)>,
    /// Requests of standing calls whose device is about to come back.
    returning: Vec<Returning>,
    /// Calls that wait for people whose app is closed.
    awaited: Vec<awaiting::Awaited>,
    /// Connections that broke, and whose devices may be about to come back.
    lingering: lingering::Lingering,
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
            door,
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
        config.endings_every = ENDINGS_EVERY;
        config.only_ours = screened::only_ours();
        config.privileged = Arc::new(move |request: &Request| {
            Destination::read(&request.uri, country, |_| false) == Destination::Emergency
        });
        let proxy = Proxy::new(config);
        let wall = Wall {
            at_zero: around.home.clock.now(),
        };
        let mut keys = RowKeys::default();
        let left = returning::left_behind(&bindings);
        let bindings = keys.load(&bindings, wall)?;
        let mut config = RegistrarConfig::new(random()?, gruu_secret, domains.clone());
        config.own = identities.clone();
        config.flow_timer_s = u32::try_from(FLOW_TIMER.as_secs()).unwrap_or(120);
        let registrar = Registrar::new(config, bindings, Duration::ZERO);
        let gate = Authenticator::new(AuthenticatorConfig::new(REALM, random()?));
        let mut flows = Flows::default();
        flows.opened(door.flow, None, door.queue.clone(), Duration::ZERO);
        Ok(Switchboard {
            country,
            domains,
            identities,
            proxy,
            registrar,
            gate,
            directory,
            flows,
            silence: FlowWatch::new(),
            connecting: HashMap::new(),
            vetting: HashMap::new(),
            keys,
            calls: CallLog::default(),
            rows_of_calls: Gathered::default(),
            emergency_rows: RateLimit::new(EMERGENCY_ROWS),
            udp,
            rows,
            around,
            door,
            bridges: Bridges::new(),
            helped: VecDeque::new(),
            left,
            returning: Vec::new(),
            awaited: Vec::new(),
            lingering: lingering::Lingering::default(),
            stop,
            epoch: Instant::now(),
            wall,
        })
    }

    /// Serves until told to stop. What is registered stays registered.
    ///
    /// Datagrams are read here, not by a task of their own: a hop between tasks for each of them was a fifth of the
    /// processor time of a call. The timer is set anew only where it would come too late or in vain.
    pub(crate) async fn run(mut self, mut news: mpsc::Receiver<News>) {
        let mut stop = self.stop.clone();
        let stopped = stop.wait_for(|stop| *stop);
        tokio::pin!(stopped);
        let sleeping = sleep_until(self.epoch + IDLE);
        tokio::pin!(sleeping);
        let mut datagrams = Datagrams::of(&self.udp);
        loop {
            let wake = self.epoch + self.drain().unwrap_or_else(|| self.now() + IDLE);
            if wake != sleeping.deadline() {
                sleeping.as_mut().reset(wake);
            }
            tokio::select! {
                // First: the connections that end with the hub take no registration with them.
                biased;
                _ = &mut stopped => break,
                heard = datagrams.or(&mut news) => match heard {
                    Heard::News(heard) => self.hear(heard),
                    Heard::Datagram { local, remote, bytes } => self.datagram(local, remote, bytes),
                    Heard::Nothing => break,
                },
                () = &mut sleeping => {
                    let now = self.now();
                    self.proxy.handle_input(Input::Timeout, now);
                }
            }
        }
        let rows = self.rows_of_calls.take();
        self.write_calls(rows);
    }

    fn datagram(&mut self, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) {
        let now = self.now();
        let numbers = &self.around.numbers;
        let (flow, forgotten) = self.flows.datagram(local, remote, numbers, now);
        for flow in forgotten {
            self.flow_gone(flow, now);
        }
        self.heard_on(flow.id, now);
        self.proxy
            .handle_input(Input::Datagram { flow, bytes }, now);
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn hear(&mut self, news: News) {
        let now = self.now();
        match news {
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
            News::Closed { flow } => self.broke(flow, now),
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
            News::OnLine(news) => self.on_line(news, now),
            News::Between(news) => self.between(news, now),
        }
    }

    /// Does everything that the cores want done; answers when they want to be woken.
    fn drain(&mut self) -> Option<Duration> {
        loop {
            let now = self.now();
            self.look_for_returned(now);
            self.look_for_awaited(now);
            self.end_lingering(now);
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
                        if let CallEvent::Failed { call, .. } | CallEvent::Ended { call, .. } =
                            &event
                        {
                            self.bridges.over(call);
                        }
                        let at = self.around.home.clock.now();
                        let keys = &self.keys;
                        let row = self.calls.note(&event, |ruid| keys.device(ruid), at);
                        if let Some(row) = row {
                            self.rows_of_calls.add(row, now);
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
            if let Some(rows) = self.rows_of_calls.due(now) {
                self.write_calls(rows);
            }
            if let Some(dead) = self.silence.next_dead(now) {
                self.close(dead, now);
                continue;
            }
            let returning = self.returning.iter().map(Returning::until).min();
            let all = [
                proxy_at,
                registrar_at,
                self.silence.next_timeout(),
                self.rows_of_calls.next_timeout(),
                returning,
                self.lingering.next_timeout(),
            ];
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
                RegistrarOutput::Left { flow, by } => {
                    self.proxy.flow_moved(flow, &by);
                    self.close(flow, now);
                }
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
        let asked = answer.as_ref().map(|(id, _)| *id);
        let batch = Batch::Registrations { changes, answer };
        if self.rows.try_send(batch).is_err() {
            tracing::error!("the store is too slow: a registration was not stored");
            if let Some(id) = asked {
                self.respond(id, StatusCode::SERVICE_UNAVAILABLE, now);
            }
        }
    }

    fn write_calls(&self, rows: Vec<Call>) {
        let calls = rows.len();
        if self.rows.try_send(Batch::Calls(rows)).is_err() {
            tracing::error!(calls, "the store is too slow: calls were not stored");
        }
    }

    // What goes out.

    fn transmit(&mut self, hop: &Hop, bytes: Vec<u8>, now: Duration) {
        let bytes = self.retold(hop, bytes);
        let ack = bytes.starts_with(b"ACK ").then(|| bytes.clone());
        let sent = match hop {
            Hop::Flow { id, .. } => self.send_on_flow(*id, bytes),
            Hop::Target(target) => self.send_to(target, bytes),
        };
        if !sent && !ack.is_some_and(|ack| self.acknowledge_returned(hop, ack, now)) {
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
        let fits = |own: &&Arc<DatagramSocket>| match local {
            Some(local) => own.local() == local,
            None => own.local().is_ipv4() == remote.is_ipv4(),
        };
        let socket = self.udp.iter().find(fits);
        socket.is_some_and(|socket| socket.send_to(bytes, remote))
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
        let device = self.flows.get(flow).and_then(OpenFlow::device);
        if self.flows.close(flow) {
            self.note_left(flow, device);
            self.flow_gone(flow, now);
        }
    }

    fn flow_gone(&mut self, flow: FlowId, now: Duration) {
        self.silence.forget(flow);
        self.lingering.forget(flow);
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
}
