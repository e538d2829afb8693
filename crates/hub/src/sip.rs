//! The home's SIP server: registrar and stateful proxy on UDP, TCP and TLS, on loopback for now.
//!
//! ```text
//! phone (digest) ── UDP, TCP ──┐                         ┌─► Store: devices, accounts, secrets
//! speaker, app ─ TLS, its own ─┼─► sockets ─► switchboard┼─► rows: registrations, calls (written through)
//!            certificate ──────┘                 ▲       └─► Proxy, Registrar, Authenticator (pure cores)
//!                              events ─► Directory ─ who there is, who was revoked
//! ```
//! Whoever calls is known: a device by its certificate, an ordinary phone by digest. Emergencies go before every rule:
//! `urn:service:sos` and the numbers of the home's country, in any spelling, reach no device of the home: they go to the
//! gateway and its drill lines ([`crate::gateway`]). Without such a line they are answered 503 at once, so that the
//! caller takes its own line.

pub mod account;
mod bridges;
mod call_log;
mod datagrams;
pub(crate) mod destination;
mod directory;
pub(crate) mod flows;
mod rows;
mod screening;
mod sockets;
mod switchboard;
mod telephone_incidents;
pub(crate) mod web;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_sip::Host;
use hearthline_sip::outbound::FlowTransport;
use hearthline_sip::proxy::Identity;
use hearthline_sip::target::Transport;
use hearthline_transport::Reach;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::entropy::random;
use crate::event::EventKind;
use crate::feed::Feed;
use crate::gateway::{self, DialPlan, LinesConfig, TextDesk};
use crate::home::{Home, Limits};
use crate::live::LiveConnections;
use crate::run::HubError;
use crate::serve::Open;
use crate::store::{Store, StoreError};
use datagrams::DatagramSocket;
use directory::Directory;
use flows::FlowNumbers;
use sockets::Surroundings;
pub(crate) use switchboard::News;
use switchboard::{Parts, Switchboard};
use web::Entrance;

/// News that wait for the switchboard.
const NEWS_MAX: usize = 4_096;
/// How long changes of the home are collected before the directory is read again.
const SETTLE: Duration = Duration::from_millis(20);

/// How the SIP server runs.
#[derive(Debug, Clone)]
pub struct SipConfig {
    /// Addresses for UDP; port 0 takes a free one. Only loopback for now.
    pub udp: Vec<SocketAddr>,
    /// Addresses for TCP.
    pub tcp: Vec<SocketAddr>,
    /// Addresses for TLS: devices with a certificate of the home need no password there.
    pub tls: Vec<SocketAddr>,
    /// The domain of the home's addresses. Keep it: registrations and addresses hold it.
    pub domain: String,
    /// The home's country: whose emergency numbers are dialled here.
    pub country: Country,
}

impl SipConfig {
    /// All three transports on free ports of 127.0.0.1.
    #[must_use]
    pub fn new(country: Country) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            udp: vec![any],
            tcp: vec![any],
            tls: vec![any],
            domain: "home.hearthline.internal".to_owned(),
            country,
        }
    }
}

/// The SIP server within a running hub.
pub(crate) struct SipServer {
    pub(crate) domain: String,
    pub(crate) addresses: Vec<(FlowTransport, SocketAddr)>,
    /// Where lines reach the hub.
    pub(crate) lines: Vec<(Transport, SocketAddr)>,
    /// Where texts to outside are handed in, and how numbers are dialled.
    pub(crate) texts: TextDesk,
    pub(crate) plan: DialPlan,
    news: mpsc::Sender<News>,
    /// For SIP over WebSocket.
    pub(crate) entrance: Entrance,
}

/// What the hub lends to the SIP server.
pub(crate) struct Lent {
    pub(crate) home: Arc<Home>,
    pub(crate) live: LiveConnections,
    pub(crate) tls: Arc<ServerConfig>,
    pub(crate) feed: Feed,
    /// Where HTTPS listens: the home's name in SIP over WebSocket.
    pub(crate) https: SocketAddr,
    pub(crate) limits: Limits,
    /// The lines, and the hub's folder with their passwords.
    pub(crate) lines: LinesConfig,
    pub(crate) folder: PathBuf,
    pub(crate) stop: watch::Receiver<bool>,
}

impl SipServer {
    /// Binds, reads the store, serves, on a thread of its own: a message goes from its socket to the switchboard and out
    /// again without waking another thread, and no work of HTTP is before it. The task that is handed back ends after
    /// `stop`, the last row written.
    pub(crate) async fn start(
        config: SipConfig,
        lent: Lent,
    ) -> Result<(Self, JoinHandle<()>), HubError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(HubError::Thread)?;
        let (tell, told) = oneshot::channel();
        let (running, ended) = oneshot::channel::<()>();
        let serve = async move {
            match Self::start_here(config, lent).await {
                Ok((server, tasks)) => {
                    if tell.send(Ok(server)).is_ok() {
                        for task in tasks {
                            let _ = task.await;
                        }
                    }
                }
                Err(error) => drop(tell.send(Err(error))),
            }
            drop(running);
        };
        std::thread::Builder::new()
            .name("sip".to_owned())
            .spawn(move || runtime.block_on(serve))
            .map_err(HubError::Thread)?;
        let server = told
            .await
            .map_err(|_| HubError::Thread(std::io::ErrorKind::Other.into()))??;
        let ended = async move { drop(ended.await) };
        Ok((server, tokio::spawn(ended)))
    }

    async fn start_here(
        config: SipConfig,
        lent: Lent,
    ) -> Result<(Self, Vec<JoinHandle<()>>), HubError> {
        let Lent {
            home,
            live,
            tls,
            feed,
            https,
            limits,
            lines,
            folder,
            stop,
        } = lent;
        let Ok(domain @ Host::Name(_)) = Host::parse(&config.domain) else {
            return Err(HubError::SipDomain(config.domain));
        };
        let mut addresses = Vec::new();
        let mut udp = Vec::new();
        for &address in &config.udp {
            check(address)?;
            let socket = DatagramSocket::bind(address);
            let socket = socket.map_err(|source| HubError::Listen { address, source })?;
            addresses.push((FlowTransport::Udp, socket.local()));
            udp.push(Arc::new(socket));
        }
        let mut listeners = Vec::new();
        let tcp = config.tcp.iter().map(|own| (FlowTransport::Tcp, *own));
        let secure = config.tls.iter().map(|own| (FlowTransport::Tls, *own));
        for (transport, address) in tcp.chain(secure) {
            check(address)?;
            let listener = TcpListener::bind(address).await;
            let listener = listener.map_err(|source| HubError::Listen { address, source })?;
            addresses.push((transport, bound(address, listener.local_addr())?));
            listeners.push((transport, listener));
        }
        let web = (FlowTransport::Wss, https);
        let identities = addresses
            .iter()
            .chain([&web])
            .map(|&(transport, address)| Identity {
                transport,
                host: Host::from(address.ip()),
                port: Some(address.port()),
            });
        let (news, arriving) = mpsc::channel(NEWS_MAX);
        let around = Surroundings {
            home: home.clone(),
            live,
            news: news.clone(),
            numbers: FlowNumbers::from(u64::from_be_bytes(random().map_err(StoreError::from)?)),
            open: Open::default(),
            connections_max: limits.connections_max,
            connections_by_source_max: limits.connections_by_source_max,
        };
        let fresh = [
            random().map_err(StoreError::from)?,
            random().map_err(StoreError::from)?,
        ];
        let (rows, batches) = mpsc::channel(rows::BATCHES_MAX);
        let secrets = home.store.sip_secrets(fresh).await?;
        let lent = gateway::Lent {
            home: home.clone(),
            news: news.clone(),
            flow: around.numbers.next(),
            config: lines,
            folder,
            country: config.country,
            domain: domain.clone(),
            secret: secrets[1],
            stop: stop.clone(),
        };
        let (door, lines, gateway) = gateway::open(lent).await?;
        let (texts, plan) = (door.texts.clone(), door.plan.clone());
        let parts = Parts {
            country: config.country,
            domain,
            identities: identities.collect(),
            secrets,
            directory: Directory::read(home.store.as_ref()).await?,
            bindings: home.store.all_bindings(home.clock.now()).await?,
            udp,
            rows,
            around: around.clone(),
            door,
            stop: stop.clone(),
        };
        let switchboard = Switchboard::new(parts).map_err(StoreError::from)?;
        let mut tasks = vec![
            // Ends when the switchboard has, with everything written that it gave.
            tokio::spawn(rows::write(
                home.store.clone(),
                home.clock.clone(),
                batches,
                news.clone(),
            )),
            tokio::spawn(switchboard.run(arriving)),
            tokio::spawn(follow(feed, home.clone(), news.clone(), stop.clone())),
        ];
        tasks.extend(gateway);
        for (transport, listener) in listeners {
            let tls = (transport == FlowTransport::Tls).then(|| tls.clone());
            let accepting = sockets::accept(listener, tls, around.clone(), stop.clone());
            tasks.push(tokio::spawn(accepting));
        }
        let server = SipServer {
            domain: config.domain,
            addresses,
            lines,
            texts,
            plan,
            news,
            entrance: Entrance::of(&around),
        };
        Ok((server, tasks))
    }

    /// Shows the switchboard what has changed before anything that arrives later.
    pub(crate) async fn refresh(&self, store: &dyn Store) -> Result<(), StoreError> {
        let directory = Directory::read(store).await?;
        // A hub that is stopping needs none.
        let _ = self.news.send(News::Directory(directory)).await;
        Ok(())
    }
}

/// Who there is, read anew.
pub(crate) async fn directory_of(store: &dyn Store) -> Result<Arc<Directory>, StoreError> {
    Directory::read(store).await
}

/// Of https, but for SIP: no protocol of HTTP is offered.
pub(crate) fn tls(https: &ServerConfig) -> Arc<ServerConfig> {
    let mut config = https.clone();
    config.alpn_protocols.clear();
    Arc::new(config)
}

fn check(address: SocketAddr) -> Result<(), HubError> {
    Reach::LoopbackOnly
        .check(address)
        .map_err(|reason| HubError::Reach { address, reason })
}

fn bound(address: SocketAddr, bound: std::io::Result<SocketAddr>) -> Result<SocketAddr, HubError> {
    bound.map_err(|source| HubError::Listen { address, source })
}

/// Reads the directory again whenever devices, rooms or people have changed.
async fn follow(
    mut feed: Feed,
    home: Arc<Home>,
    news: mpsc::Sender<News>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let events = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            events = feed.next() => events,
        };
        let (changed, at_once) = match &events {
            Ok(events) => {
                let concerns = |kind| {
                    matches!(
                        kind,
                        EventKind::Devices
                            | EventKind::DeviceRevoked
                            | EventKind::Rooms
                            | EventKind::People
                            | EventKind::Contacts
                            | EventKind::Lines
                    )
                };
                let revoked = |kind| kind == EventKind::DeviceRevoked;
                (
                    events.iter().any(|event| concerns(event.kind)),
                    events.iter().any(|event| revoked(event.kind)),
                )
            }
            Err(error) => {
                tracing::error!(%error, "events cannot be followed");
                tokio::time::sleep(Duration::from_secs(1)).await;
                (true, true)
            }
        };
        if !changed {
            continue;
        }
        if !at_once {
            tokio::time::sleep(SETTLE).await;
        }
        match Directory::read(home.store.as_ref()).await {
            Ok(directory) => {
                if news.send(News::Directory(directory)).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::error!(%error, "who there is cannot be read"),
        }
    }
}
