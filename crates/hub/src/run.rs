//! The running hub: `Hub::start` opens everything, the handle steers it, `stop` closes it in order.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hearthline_ledger::TrustPolicy;
use hearthline_sip::outbound::FlowTransport;
use hearthline_sip::target::Transport;
use hearthline_transport::reach::OutOfReach;
use hearthline_transport::{BindError, Reach};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api;
use crate::authority::{Authority, AuthorityError, RENEW_BEFORE_MS};
use crate::bundle::Bundles;
use crate::bus::{Bus, LocalBus};
use crate::carddav;
use crate::clock::Clock;
use crate::control;
use crate::device::{DeviceFields, DeviceKind, Fingerprint};
use crate::event::EventKind;
use crate::feed::Feed;
use crate::gateway::LinesConfig;
use crate::home::{Home, HomeParts, Limits};
use crate::invitation::Invited;
use crate::live::LiveConnections;
use crate::person::{Person, PersonFields};
use crate::serve::{Serving, accept};
use crate::session::Password;
use crate::sip::account::{PhoneDigest, SipAccount};
use crate::sip::{Lent, SipConfig, SipServer};
use crate::store::{SqliteConfig, SqliteStore, Store, StoreError};
use crate::sweep::SweepGuard;
use crate::tls::{OwnCertificate, https};

/// How long events are kept for readers that come back: 40 days, a month offline and some.
pub const EVENTS_KEPT_MS: i64 = 40 * 24 * 3_600_000;
/// How often what has ended is dropped and the own certificate is looked at.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// How the hub runs.
#[derive(Debug, Clone)]
pub struct HubConfig {
    /// Where the database and the authority's key lie; created when it is not there.
    pub folder: PathBuf,
    /// Where HTTPS listens; port 0 takes a free one. Only loopback for now.
    pub https: Vec<SocketAddr>,
    /// Names that stand in the hub's certificate besides `localhost`.
    pub names: Vec<String>,
    /// Largest database, in bytes.
    pub database_bytes_max: Option<u64>,
    /// How much is allowed to whom.
    pub limits: Limits,
    /// The clock; tests move it.
    pub clock: Clock,
    /// The SIP server; none: this hub carries no calls.
    pub sip: Option<SipConfig>,
    /// The lines to the outside telephone network; used with the SIP server alone.
    pub lines: LinesConfig,
    /// Which devices and witnesses the hub believes when it checks a bundle that was handed in; none without it.
    pub bundle_policy: TrustPolicy,
}

impl HubConfig {
    /// On a free port of 127.0.0.1.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            https: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
            names: Vec::new(),
            database_bytes_max: None,
            limits: Limits::default(),
            clock: Clock::default(),
            sip: None,
            lines: LinesConfig::default(),
            bundle_policy: TrustPolicy::none(),
        }
    }
}

/// Why the hub does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The certificate authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// TLS.
    #[error("TLS refuses the configuration: {0}")]
    Tls(#[from] rustls::Error),
    /// An address that is not this machine's.
    #[error("{address} is refused: {reason}")]
    Reach {
        /// Which.
        address: SocketAddr,
        /// Why.
        reason: OutOfReach,
    },
    /// No address to listen on.
    #[error("no address to listen on; give at least one")]
    NoAddress,
    /// The domain of the home's addresses is no name.
    #[error("{0} is no domain name for SIP addresses; write one like home.example")]
    SipDomain(String),
    /// The thread of telephony.
    #[error("no thread for telephony: {0}")]
    Thread(std::io::Error),
    /// The sockets of the lines.
    #[error("lines: {0}")]
    Lines(#[from] BindError),
    /// An address that cannot be listened on.
    #[error("{address}: {source}; is another hub running?")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// The hub.
#[derive(Debug)]
pub struct Hub;

/// A running hub. Dropping it stops it without waiting; [`HubHandle::stop`] waits.
pub struct HubHandle {
    home: Arc<Home>,
    sqlite: Arc<SqliteStore>,
    live: LiveConnections,
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Hub {
    /// Opens database and authority, listens, and answers once requests are served.
    ///
    /// # Errors
    /// [`HubError`], with what to do.
    pub async fn start(config: HubConfig) -> Result<HubHandle, HubError> {
        let mut listeners = Vec::new();
        for &address in &config.https {
            listeners.push(listen(address).await?);
        }
        let addresses: Vec<SocketAddr> = listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .collect();
        let first = *addresses.first().ok_or(HubError::NoAddress)?;
        let bus: Arc<dyn Bus> = Arc::new(LocalBus::default());
        let sqlite = SqliteConfig {
            folder: config.folder.clone(),
            bytes_max: config.database_bytes_max,
        };
        let sqlite = Arc::new(SqliteStore::open(&sqlite, bus.clone()).await?);
        let store: Arc<dyn Store> = sqlite.clone();
        let clock = config.clock;
        // A new authority beside devices of an old one would shut them all out.
        let may_make = store.devices().await?.is_empty();
        let authority = Authority::open(&config.folder, may_make, clock.now())?;
        let mut lines = config.lines;
        if let Some(profile) = &mut lines.profile
            && profile.device.key_id.is_empty()
        {
            // By which a call-taker's report finds this hub.
            profile.device.key_id = authority.fingerprint().to_string();
        }
        let mut names = vec!["localhost".to_owned()];
        names.extend(config.names);
        let mut ips: Vec<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();
        if let Some(sip) = &config.sip {
            if !names.contains(&sip.domain) {
                names.push(sip.domain.clone());
            }
            ips.extend(sip.tls.iter().map(SocketAddr::ip));
            ips.sort_unstable();
            ips.dedup();
        }
        let identity = authority.issue_server(&names, &ips, clock.now())?;
        let mut renew_at = identity.not_after.plus_ms(-RENEW_BEFORE_MS);
        let own = Arc::new(OwnCertificate::new(identity)?);
        let tls = https(&authority, own.clone(), clock.clone())?;
        let (stop, stopped) = watch::channel(false);
        let (_, newest) = store.event_range().await?;
        let parts = HomeParts {
            store: store.clone(),
            bus: bus.clone(),
            authority,
            clock: clock.clone(),
            base_url: format!("https://{first}"),
            stop: stopped.clone(),
            bundles: Bundles::beside(&config.folder, config.bundle_policy),
        };
        let home = Arc::new(Home::new(parts, &config.limits));
        let live = LiveConnections::default();
        let sip_tls = crate::sip::tls(&tls);
        let serving = Arc::new(Serving {
            home: home.clone(),
            router: api::router(home.clone()),
            tls,
            live: live.clone(),
            connections_max: config.limits.connections_max,
            connections_by_source_max: config.limits.connections_by_source_max,
            unknown_connections_max: config.limits.unknown_connections_max,
            unknown_connections_by_source_max: config.limits.unknown_connections_by_source_max,
        });
        let mut tasks = Vec::new();
        let feed = Feed::new(store.clone(), bus.as_ref(), newest);
        tasks.push(tokio::spawn(cut_revoked(
            feed,
            live.clone(),
            stopped.clone(),
        )));
        tasks.push(tokio::spawn(crate::telling::follow(
            home.clone(),
            Feed::new(store.clone(), bus.as_ref(), newest),
            stopped.clone(),
        )));
        if let Some(sip) = config.sip {
            let lent = Lent {
                home: home.clone(),
                live: live.clone(),
                https: first,
                tls: sip_tls,
                feed: Feed::new(store.clone(), bus.as_ref(), newest),
                limits: config.limits,
                lines,
                folder: config.folder.clone(),
                stop: stopped.clone(),
            };
            let (server, running) = SipServer::start(sip, lent).await?;
            tasks.push(running);
            // Empty until here: it is set nowhere else.
            let _ = home.sip.set(server);
        }
        for listener in listeners {
            tasks.push(tokio::spawn(accept(
                listener,
                serving.clone(),
                stopped.clone(),
            )));
        }
        let books = config.folder.clone();
        match control::listen(&config.folder) {
            Ok(listener) => tasks.push(tokio::spawn(control::serve(
                listener,
                config.folder,
                home.clone(),
                sqlite.clone(),
                stopped.clone(),
            ))),
            // A path that is too long for a socket, for one: the home is served all the same.
            Err(error) => tracing::warn!(%error, "`hearth hub invite` cannot reach this hub"),
        }
        tasks.push(tokio::spawn(carddav::accounts::run(
            home.clone(),
            books,
            stopped.clone(),
        )));
        let keeper = home.clone();
        let mut stopping = stopped;
        tasks.push(tokio::spawn(async move {
            let (mut guard, began) = (SweepGuard::default(), Instant::now());
            loop {
                sweep(&keeper, &mut guard, began.elapsed()).await;
                if keeper.clock.now() >= renew_at {
                    match renew(&keeper, &own, &names, &ips) {
                        Ok(at) => renew_at = at,
                        Err(error) => {
                            tracing::error!(%error, "the hub's certificate was not renewed");
                        }
                    }
                }
                tokio::select! {
                    _ = stopping.wait_for(|stop| *stop) => return,
                    () = tokio::time::sleep(SWEEP_EVERY) => {}
                }
            }
        }));
        tracing::info!(listening = addresses.len(), "the hub serves");
        Ok(HubHandle {
            home,
            sqlite,
            live,
            addresses,
            stop,
            tasks,
        })
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, HubError> {
    Reach::LoopbackOnly
        .check(address)
        .map_err(|reason| HubError::Reach { address, reason })?;
    TcpListener::bind(address)
        .await
        .map_err(|source| HubError::Listen { address, source })
}

/// Ends the connections of devices that were revoked, by whichever instance of the hub.
async fn cut_revoked(mut feed: Feed, live: LiveConnections, mut stop: watch::Receiver<bool>) {
    loop {
        let events = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            events = feed.next() => events,
        };
        match events {
            Ok(events) => {
                for event in events {
                    if event.kind == EventKind::DeviceRevoked
                        && let Ok(device) = event.subject.parse()
                    {
                        live.cut(device);
                    }
                }
            }
            Err(error) => {
                // Each request asks the store itself; only the cut of open connections waits.
                tracing::error!(%error, "events cannot be followed");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn sweep(home: &Home, guard: &mut SweepGuard, monotonic: Duration) {
    let now = home.clock.now();
    let last = match home.store.last_sweep().await {
        Ok(last) => last,
        Err(error) => {
            tracing::error!(%error, "what has ended was not dropped");
            return;
        }
    };
    if !guard.may(last, now, monotonic) {
        tracing::info!(
            "the last sweep is long ago or there was none: nothing is dropped until the clock has held for an hour"
        );
        return;
    }
    if let Err(error) = home.store.sweep(now, now.plus_ms(-EVENTS_KEPT_MS)).await {
        tracing::error!(%error, "what has ended was not dropped");
    }
}

fn renew(
    home: &Home,
    own: &OwnCertificate,
    names: &[String],
    ips: &[IpAddr],
) -> Result<crate::clock::UnixMs, HubError> {
    let identity = home.authority.issue_server(names, ips, home.clock.now())?;
    let at = identity.not_after.plus_ms(-RENEW_BEFORE_MS);
    own.replace(identity)?;
    Ok(at)
}

impl HubHandle {
    /// Where HTTPS listens.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.home.base_url
    }

    /// SHA-256 of the home's certificate authority.
    #[must_use]
    pub fn ca_fingerprint(&self) -> Fingerprint {
        self.home.authority.fingerprint()
    }

    /// The truth, for what else runs in this process.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        self.home.store.clone()
    }

    /// Hints that there is more.
    #[must_use]
    pub fn bus(&self) -> Arc<dyn Bus> {
        self.home.bus.clone()
    }

    /// The open connections of devices; other sockets (SIP) enter theirs here, so that revoking ends them too.
    #[must_use]
    pub fn live(&self) -> LiveConnections {
        self.live.clone()
    }

    /// Adds a person who sits at this machine or is named there, with a password when they log in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_person(
        &self,
        fields: &PersonFields,
        password: Option<Password>,
    ) -> Result<Person, StoreError> {
        self.home.add_person(fields, password).await
    }

    /// Invites a device: the code and the QR code to show.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn invite(
        &self,
        kind: DeviceKind,
        fields: DeviceFields,
    ) -> Result<Invited, StoreError> {
        self.home.invite(kind, fields).await
    }

    /// Where SIP listens, by transport.
    #[must_use]
    pub fn sip_addresses(&self) -> &[(FlowTransport, SocketAddr)] {
        self.home.sip.get().map_or(&[], |sip| &sip.addresses)
    }

    /// Where providers and adapters reach the hub, by transport; empty without a SIP server.
    #[must_use]
    pub fn line_addresses(&self) -> &[(Transport, SocketAddr)] {
        self.home.sip.get().map_or(&[], |sip| &sip.lines)
    }

    /// The domain of the home's SIP addresses; none without a SIP server.
    #[must_use]
    pub fn sip_domain(&self) -> Option<&str> {
        self.home.sip.get().map(|sip| sip.domain.as_str())
    }

    /// Adds an ordinary SIP phone. Its password is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Refused`] without a SIP server.
    pub async fn add_sip_account(
        &self,
        fields: DeviceFields,
        digest: PhoneDigest,
    ) -> Result<SipAccount, StoreError> {
        self.home.add_sip_account(fields, digest).await
    }

    /// Writes a whole copy of the database beside it and answers where.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn back_up(&self) -> Result<PathBuf, StoreError> {
        self.sqlite.back_up().await
    }

    /// Accepts nothing more, lets what is being answered finish for 5 s, and closes the database.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            // A task that panicked has been reported; the others still close in order.
            let _ = task.await;
        }
        self.sqlite.close().await;
    }
}

impl Drop for HubHandle {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}
