//! The gateway on real sockets and the real clock. Nothing that it waits for is a store: lines and contacts are read by
//! a task of their own, health is written by another, so a call is never held up by a disk.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_sip::endpoint::{self, Endpoint, SessionTimerConfig};
use hearthline_sip::framer::Frame;
use hearthline_sip::outbound::{Flow, FlowId, FlowTransport};
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::{Host, Limits, Method, parse_datagram};
use hearthline_transport::{FromNetwork, Reach, Sockets, SocketsConfig, ToNetwork, Trust};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::text_keeping::{self, TextOrder};
use super::{
    CALLBACK_WINDOW, ComingText, DialPlan, Gateway, GatewayConfig, GoingText, Input, Keeping,
    Known, LineSetup, LinesConfig, NotSent, Output, Setup, TextDesk, VOICEMAIL_AFTER,
    endpoint_config,
};
use crate::call::{CallState, Ending};
use crate::entropy::random;
use crate::event::EventKind;
use crate::feed::Feed;
use crate::home::Home;
use crate::id::{DeviceId, LineId};
use crate::line::{LineHealth, LineTrouble};
use crate::run::HubError;
use crate::sip::News;
use crate::store::{Answer, StoreError};

/// The two ends of the connection within this process. No socket has them; they give the home's side an address of its
/// own, so that its calls are counted apart from those of the phones.
const GATEWAY_END: SocketAddr = SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 255, 255, 254)),
    1,
);
const SWITCHBOARD_END: SocketAddr = SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 255, 255, 253)),
    1,
);
/// Messages that wait for the gateway.
const QUEUE_MAX: usize = 1_024;
/// Texts that wait, each way.
const TEXTS_MAX: usize = 64;
/// Telephones that wait to be looked for.
const FINDINGS_MAX: usize = 16;
/// Changes of health that wait for the store.
const HEALTH_MAX: usize = 256;
/// How often what was noted of a line is noted again: its half hours are those in which somebody looked.
const STANDS_EVERY: Duration = Duration::from_secs(5 * 60);
/// How long changes of the home are collected before lines and contacts are read again.
const SETTLE: Duration = Duration::from_millis(20);
/// How long lines are given to hear that the hub stops.
const LEAVE_TIME_MAX: Duration = Duration::from_millis(500);
const LAST_WORDS: Duration = Duration::from_millis(50);
/// Calls that are looked at for emergencies of an earlier process.
const CALLS_READ_MAX: u32 = 200;

/// The switchboard's end of the connection.
pub(crate) struct Door {
    /// By which the switchboard knows the gateway.
    pub(crate) flow: Flow,
    /// Messages to the gateway.
    pub(crate) queue: mpsc::Sender<Vec<u8>>,
    ready: Arc<AtomicBool>,
    /// How numbers are dialled here.
    pub(crate) plan: DialPlan,
    /// Where the mailbox is.
    pub(crate) voicemail: Option<SocketAddr>,
    /// How long a line's calls ring in the home before nobody counts as having answered.
    pub(crate) unanswered_after: Duration,
    /// Where texts to outside are handed in.
    pub(crate) texts: TextDesk,
}

impl Door {
    /// Whether a call for help would find a line.
    pub(crate) fn is_ready_for_help(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }
}

/// What the hub lends to the gateway.
pub(crate) struct Lent {
    pub(crate) home: Arc<Home>,
    pub(crate) news: mpsc::Sender<News>,
    /// The number of the flow between switchboard and gateway.
    pub(crate) flow: FlowId,
    pub(crate) config: LinesConfig,
    /// The hub's folder.
    pub(crate) folder: PathBuf,
    pub(crate) country: Country,
    pub(crate) domain: Host,
    /// Names each line's contact, the same over restarts.
    pub(crate) secret: [u8; 32],
    pub(crate) stop: watch::Receiver<bool>,
}

/// Binds the lines' sockets, reads the lines, and starts.
pub(crate) async fn open(
    lent: Lent,
) -> Result<(Door, Vec<(Transport, SocketAddr)>, Vec<JoinHandle<()>>), HubError> {
    let Lent {
        home,
        news,
        flow,
        config,
        folder,
        country,
        domain,
        secret,
        stop,
    } = lent;
    let address = config.listen;
    Reach::LoopbackOnly
        .check(address)
        .map_err(|reason| HubError::Reach { address, reason })?;
    let voicemail = config.voicemail.map(|own| own.address);
    if let Some(address) = voicemail {
        Reach::LoopbackOnly
            .check(address)
            .map_err(|reason| HubError::Reach { address, reason })?;
    }
    let mut sockets = SocketsConfig::new(Reach::LoopbackOnly);
    sockets.udp.push(address);
    sockets.tcp.push(address);
    sockets.trust = Trust::Verified;
    sockets.roots_pem = roots(config.tls_roots.as_deref());
    let sockets = Sockets::bind(sockets).await?;
    let mut local = sockets.local.clone();
    if let Some(tcp) = sockets.local(Transport::Tcp) {
        // We listen for nobody by TLS: a TLS line calls over the connection that we made.
        local.push((Transport::Tls, tcp));
    }
    let bound = sockets.local.clone();
    let seed = || random().map_err(StoreError::from);
    let mut outside = endpoint_config(seed()?, local);
    // Also of a line that asks for none: one that lost the end of a call is found out (RFC 4028).
    outside.session_timer = Some(SessionTimerConfig::default());
    // Texts of mobile lines (RFC 3428).
    outside.methods.push(Method::Message);
    let outside = Endpoint::new(outside);
    let mut inside = endpoint_config(seed()?, vec![(Transport::Tcp, GATEWAY_END)]);
    // Devices of the home move their calls; lines move nothing.
    inside.transfers = true;
    inside.contact_user = Some("gateway".to_owned());
    // A body of any size goes up the connection; nothing is fragmented there.
    inside.large_over_tcp = false;
    let plan = DialPlan::new(country, config.area_code.as_deref());
    let unanswered_after = config.voicemail.map_or(VOICEMAIL_AFTER, |own| own.after);
    let gateway = GatewayConfig {
        domain,
        plan: plan.clone(),
        profile: config.profile.clone(),
        timers: config.timers,
        voicemail_after: config.voicemail.map(|own| own.after),
        secret,
        wall: home.clock.now(),
        switchboard: Target::new(Transport::Tcp, SWITCHBOARD_END),
    };
    let mut gateway = Gateway::new(gateway, Endpoint::new(inside), outside);
    let epoch = Instant::now();
    let (_, newest) = home.store.event_range().await?;
    let mut setup = setup_of(&home, &config, &folder).await?;
    setup.helped = helped(&home).await?;
    end_left_behind(&home).await?;
    gateway.handle_input(Input::Setup(Box::new(setup)), Duration::ZERO);
    let ready = Arc::new(AtomicBool::new(gateway.ready));
    let flow = Flow {
        id: flow,
        transport: FlowTransport::Tcp,
        local: SWITCHBOARD_END,
        remote: GATEWAY_END,
    };
    let (queue, from_home) = mpsc::channel(QUEUE_MAX);
    let (setups, changed) = mpsc::channel(1);
    let (health, notes) = mpsc::channel(HEALTH_MAX);
    let (orders, texts) = mpsc::channel(TEXTS_MAX);
    let (finder, findings) = mpsc::channel(FINDINGS_MAX);
    home.triggers.telephones_ring_by(finder);
    let texts_home = home.clone();
    let (coming, texts_coming) = mpsc::channel(TEXTS_MAX);
    let (keeping, kept) = mpsc::channel(TEXTS_MAX);
    let feed = Feed::new(home.store.clone(), home.bus.as_ref(), newest);
    let running = Running {
        gateway,
        sockets,
        epoch,
        flow,
        news,
        from_home,
        changed,
        health,
        ready: ready.clone(),
        texts,
        findings,
        going: HashMap::new(),
        last_text: 0,
        coming,
        kept,
    };
    let tasks = vec![
        tokio::spawn(run(running, stop.clone())),
        tokio::spawn(text_keeping::keep(home.clone(), texts_coming, keeping)),
        tokio::spawn(note_health(home.clone(), notes)),
        tokio::spawn(follow(home, config, folder, feed, setups, stop)),
    ];
    let door = Door {
        flow,
        queue,
        ready,
        plan,
        voicemail,
        unanswered_after,
        texts: TextDesk::new(orders, texts_home),
    };
    Ok((door, bound, tasks))
}

/// Without them no TLS line stands; the home is served all the same.
fn roots(path: Option<&Path>) -> Vec<u8> {
    let Some(path) = path else {
        return Vec::new();
    };
    super::config::roots(path).unwrap_or_else(|error| {
        tracing::error!(%error, path = %path.display(), "the roots of TLS lines cannot be read");
        Vec::new()
    })
}

/// The lines with their passwords, and the contacts by number.
pub(crate) async fn setup_of(home: &Home, config: &LinesConfig, folder: &Path) -> Answer<Setup> {
    let lines = home.store.lines().await?;
    let contacts = home.store.contacts().await?;
    let (config, folder) = (config.clone(), folder.to_owned());
    let lines = tokio::task::spawn_blocking(move || {
        let all = lines.into_iter().map(|line| {
            let credentials = config.credentials(&folder, &line);
            let credentials = credentials.map_err(|error| {
                tracing::error!(%error, "a line has no password");
            });
            LineSetup { line, credentials }
        });
        all.collect()
    });
    let lines = lines
        .await
        .map_err(|_| StoreError::Refused("the hub is stopping"))?;
    let mut setup = Setup {
        lines,
        ..Setup::default()
    };
    for contact in contacts {
        let fields = contact.fields;
        for number in fields.numbers {
            let known = Known {
                contact: contact.id,
                name: fields.name.as_str().to_owned(),
                screening: fields.screening,
            };
            setup.book.entry(number.number).or_insert(known);
        }
    }
    Ok(setup)
}

/// Emergency calls of an earlier process that may still be called back.
async fn helped(home: &Home) -> Answer<Vec<(LineId, DeviceId, Duration)>> {
    let now = home.clock.now();
    let window = i64::try_from(CALLBACK_WINDOW.as_millis()).unwrap_or(i64::MAX);
    let mut all = Vec::new();
    for call in home.store.calls(CALLS_READ_MAX).await?.into_iter().rev() {
        let (true, Some(line), Some(device)) = (call.emergency, call.line, call.device) else {
            continue;
        };
        let over = call.ended_at_ms.or(call.answered_at_ms);
        let until = over.unwrap_or(call.started_at_ms).plus_ms(window);
        if let Ok(left @ 1..) = u64::try_from(until.0.saturating_sub(now.0)) {
            all.push((line, device, Duration::from_millis(left)));
        }
    }
    Ok(all)
}

/// Calls over lines of an earlier process: what was between device and line is gone with it, so they are over. Of a call
/// for help that is not ours to say: its sound goes on without us.
async fn end_left_behind(home: &Home) -> Answer<()> {
    let now = home.clock.now();
    let mut over = home.store.calls(CALLS_READ_MAX).await?;
    over.retain(|call| call.line.is_some() && !call.emergency && call.ended_at_ms.is_none());
    for call in &mut over {
        call.state = match call.state {
            CallState::Confirmed => CallState::Ended,
            _ => CallState::Missed,
        };
        call.ended_at_ms = Some(now);
        call.ending = Some(Ending::HubStopped);
    }
    home.store.note_calls(&over, now).await
}

struct Running {
    gateway: Gateway,
    sockets: Sockets,
    epoch: Instant,
    flow: Flow,
    news: mpsc::Sender<News>,
    from_home: mpsc::Receiver<Vec<u8>>,
    changed: mpsc::Receiver<Setup>,
    health: mpsc::Sender<(LineId, LineHealth, Option<LineTrouble>)>,
    ready: Arc<AtomicBool>,
    /// Texts that are to go out, and who waits for those that are under way.
    texts: mpsc::Receiver<TextOrder>,
    /// Telephones that are looked for.
    findings: mpsc::Receiver<DeviceId>,
    going: HashMap<u64, oneshot::Sender<Result<LineId, NotSent>>>,
    last_text: u64,
    /// Texts that came, to be stored; and what became of them.
    coming: mpsc::Sender<Box<ComingText>>,
    kept: mpsc::Receiver<(u64, Keeping)>,
}

/// Carries bytes and time until told to stop; then the lines are left in order.
async fn run(mut own: Running, mut stop: watch::Receiver<bool>) {
    serve(&mut own, &mut stop).await;
    let now = own.epoch.elapsed();
    if !own.gateway.leave(now) {
        return;
    }
    let leaving = async {
        loop {
            let wake = own.drain_lines();
            if own.gateway.has_left() {
                return;
            }
            let until = wake.map_or(LEAVE_TIME_MAX, |at| at.saturating_sub(own.epoch.elapsed()));
            tokio::select! {
                news = own.sockets.receiver.recv() => match news {
                    Some(news) => own.heard(&news),
                    None => return,
                },
                () = tokio::time::sleep(until) => {
                    let now = own.epoch.elapsed();
                    own.gateway.handle_input(Input::Timeout, now);
                }
            }
        }
    };
    // A line that does not answer any more forgets us by itself.
    let _ = tokio::time::timeout(LEAVE_TIME_MAX, leaving).await;
    // The last messages are on their way to the sockets, which end with this.
    tokio::time::sleep(LAST_WORDS).await;
}

async fn serve(own: &mut Running, stop: &mut watch::Receiver<bool>) {
    loop {
        let Some(wake) = own.drain().await else {
            return;
        };
        let until = wake.map(|at| own.epoch + at);
        let sleeping = async {
            match until {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            bytes = own.from_home.recv() => match bytes {
                Some(bytes) => {
                    let now = own.epoch.elapsed();
                    own.gateway.handle_input(Input::Home(&bytes), now);
                }
                None => return,
            },
            news = own.sockets.receiver.recv() => match news {
                Some(news) => own.heard(&news),
                None => {
                    tracing::error!("the sockets of the lines are gone");
                    return;
                }
            },
            Some(order) = own.texts.recv() => own.send_text(order),
            Some(device) = own.findings.recv() => {
                let now = own.epoch.elapsed();
                own.gateway.handle_input(Input::Find(device), now);
            }
            Some((id, keeping)) = own.kept.recv() => {
                let now = own.epoch.elapsed();
                own.gateway.handle_input(Input::TextKept(id, keeping), now);
            }
            setup = own.changed.recv() => if let Some(setup) = setup {
                let now = own.epoch.elapsed();
                own.gateway.handle_input(Input::Setup(Box::new(setup)), now);
            },
            () = sleeping => {
                let now = own.epoch.elapsed();
                own.gateway.handle_input(Input::Timeout, now);
            }
        }
    }
}

impl Running {
    /// Does everything that the gateway wants; when it wants to be woken. `None`: the switchboard has stopped.
    async fn drain(&mut self) -> Option<Option<Duration>> {
        loop {
            let now = self.epoch.elapsed();
            match self.gateway.poll_output(now) {
                Output::Home(bytes) => {
                    let Ok(message) = parse_datagram(&bytes, &Limits::default()) else {
                        tracing::error!("a message of the gateway's own does not read");
                        continue;
                    };
                    let frame = Frame::Message(message);
                    let flow = self.flow;
                    self.news.send(News::Frame { flow, frame }).await.ok()?;
                }
                Output::OnLine(on_line) => {
                    self.news.send(News::OnLine(on_line)).await.ok()?;
                }
                Output::Between(between) => {
                    self.news.send(News::Between(between)).await.ok()?;
                }
                Output::Transmit { target, bytes } => {
                    let message = ToNetwork::Transmit { target, bytes };
                    if let Err(TrySendError::Full(ToNetwork::Transmit { target, .. })) =
                        self.sockets.sender.try_send(message)
                    {
                        self.failed(&target);
                    }
                }
                Output::Close { transport, remote } => {
                    let close = ToNetwork::Close { transport, remote };
                    // A connection that is not closed now is closed when it is silent.
                    let _ = self.sockets.sender.try_send(close);
                }
                Output::Health {
                    line,
                    health,
                    trouble,
                } => {
                    tracing::info!(%line, health = health.as_str(), trouble = trouble.map(LineTrouble::as_str), "line");
                    // What is not noted now is noted with the next change.
                    let _ = self.health.try_send((line, health, trouble));
                }
                Output::Ready(ready) => self.ready.store(ready, Ordering::Relaxed),
                Output::TextCame(text) => {
                    let id = text.id;
                    if self.coming.try_send(text).is_err() {
                        // Too many at once: its line keeps it.
                        let now = self.epoch.elapsed();
                        let not_now = Input::TextKept(id, Keeping::NotNow);
                        self.gateway.handle_input(not_now, now);
                    }
                }
                Output::TextOver { id, outcome } => {
                    if let Some(answer) = self.going.remove(&id) {
                        // Whoever waited may have given up.
                        let _ = answer.send(outcome);
                    }
                }
                Output::Timeout(at) => return Some(at),
            }
        }
    }

    fn send_text(&mut self, order: TextOrder) {
        let TextOrder { to, text, answer } = order;
        self.last_text += 1;
        let id = self.last_text;
        self.going.insert(id, answer);
        let now = self.epoch.elapsed();
        let going = Input::SendText(GoingText { id, to, text });
        self.gateway.handle_input(going, now);
    }

    /// The same without the switchboard, which has stopped.
    fn drain_lines(&mut self) -> Option<Duration> {
        loop {
            match self.gateway.poll_output(self.epoch.elapsed()) {
                Output::Transmit { target, bytes } => {
                    let message = ToNetwork::Transmit { target, bytes };
                    let _ = self.sockets.sender.try_send(message);
                }
                Output::Timeout(at) => return at,
                _ => {}
            }
        }
    }

    fn failed(&mut self, target: &Target) {
        let now = self.epoch.elapsed();
        let failed = endpoint::Input::TransportFailed { target };
        self.gateway.handle_input(Input::Outside(failed), now);
    }

    fn heard(&mut self, news: &FromNetwork) {
        if let Some(input) = news.as_input() {
            let now = self.epoch.elapsed();
            self.gateway.handle_input(Input::Outside(input), now);
        }
    }
}

async fn note_health(
    home: Arc<Home>,
    mut notes: mpsc::Receiver<(LineId, LineHealth, Option<LineTrouble>)>,
) {
    // What was noted last of each line holds until the next note, in the half hours after it as well.
    let mut standing = HashMap::new();
    loop {
        let fresh = tokio::select! {
            note = notes.recv() => match note {
                Some((line, health, trouble)) => {
                    standing.insert(line, (health, trouble));
                    vec![line]
                }
                None => return,
            },
            () = tokio::time::sleep(STANDS_EVERY) => standing.keys().copied().collect(),
        };
        for line in fresh {
            let Some(&(health, trouble)) = standing.get(&line) else {
                continue;
            };
            let now = home.clock.now();
            match home
                .store
                .note_line_health(line, health, trouble, now)
                .await
            {
                Ok(()) => {}
                // It was removed a moment ago.
                Err(StoreError::NotFound(_)) => {
                    standing.remove(&line);
                }
                Err(error) => tracing::error!(%error, "the health of a line was not stored"),
            }
        }
    }
}

/// Reads lines and contacts again whenever one has changed.
async fn follow(
    home: Arc<Home>,
    config: LinesConfig,
    folder: PathBuf,
    mut feed: Feed,
    setups: mpsc::Sender<Setup>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let events = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            events = feed.next() => events,
        };
        let concerns = |kind| matches!(kind, EventKind::Lines | EventKind::Contacts);
        match events {
            Ok(events) if !events.iter().any(|event| concerns(event.kind)) => continue,
            Ok(_) => tokio::time::sleep(SETTLE).await,
            Err(error) => {
                tracing::error!(%error, "events cannot be followed");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        match setup_of(&home, &config, &folder).await {
            Ok(setup) => {
                if setups.send(setup).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::error!(%error, "the lines cannot be read"),
        }
    }
}
