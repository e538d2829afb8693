//! Sockets on loopback around the call-taker and the LoST server.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hearthline_sip::target::Transport;
use hearthline_transport::{BindError, Identity, Reach, RtpPair, Sockets, SocketsConfig};
use hearthline_webrtc::Keys;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::behaviour::Behaviour;
use crate::boundaries::{Boundaries, BoundaryError};
use crate::call_taker::{CallTaker, CallTakerConfig, SecureSound};
use crate::config::{ConfigError, PsapConfig};
use crate::console::Board;
use crate::desk::{Command, Desk, Ear, Said, read};
use crate::home_ca::HomeCa;
use crate::lost_server::{LostFault, LostServer};
use crate::recording::read_voice;
use crate::report::CallReport;
use crate::screen::Screen;
use crate::web;

/// Datagrams and commands that may wait.
const WAITING_MAX: usize = 1_024;
/// Free ports tried when the system is to choose one for UDP and TCP together.
const PORT_ATTEMPTS: u32 = 16;

/// Why the call-taker cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A SIP socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The boundary file.
    #[error(transparent)]
    Boundaries(#[from] BoundaryError),
    /// Another socket or file.
    #[error("{what}: {error}")]
    Io {
        /// Which.
        what: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The voice.
    #[error("voice: {0}")]
    Voice(String),
    /// The home's own certificate.
    #[error("{0}")]
    Certificate(String),
}

/// Talks to a running call-taker; cheap to copy.
#[derive(Clone)]
pub struct PsapHandle {
    commands: mpsc::Sender<Command>,
    said: mpsc::Sender<Said>,
    board: Board,
}

impl PsapHandle {
    /// All calls remembered; none when it has stopped.
    pub async fn reports(&self) -> Option<Vec<CallReport>> {
        let (answer, waiting) = oneshot::channel();
        self.commands.send(Command::Reports(answer)).await.ok()?;
        waiting.await.ok()
    }

    /// One call; none when there is no such call, or the call-taker has stopped.
    pub async fn report(&self, call: u32) -> Option<CallReport> {
        let (answer, waiting) = oneshot::channel();
        let command = Command::Report(call, answer);
        self.commands.send(command).await.ok()?;
        waiting.await.ok()?
    }

    /// A person takes a call that rings; false when it rings no longer, none when the call-taker has stopped.
    pub async fn answer(&self, call: u32) -> Option<bool> {
        let (answer, waiting) = oneshot::channel();
        let command = Command::Answer(call, answer);
        self.commands.send(command).await.ok()?;
        waiting.await.ok()
    }

    /// Ends a call from the call-taker's side; false when it is over, none when the call-taker has stopped.
    pub async fn end(&self, call: u32) -> Option<bool> {
        let (answer, waiting) = oneshot::channel();
        let command = Command::HangUp(call, Some(answer));
        self.commands.send(command).await.ok()?;
        waiting.await.ok()
    }

    /// From now on a call's audio goes here too: 20 ms at 16 kHz; what does not fit is dropped. The last page to ask has
    /// it, so that two pages do not take it from each other for ever: one that asks `again` is refused (false) while
    /// another has it.
    pub async fn listen(
        &self,
        call: u32,
        page: String,
        again: bool,
        samples: mpsc::Sender<Vec<i16>>,
    ) -> bool {
        let (answer, had) = oneshot::channel();
        let ear = Ear { page, samples };
        let asked = self
            .commands
            .send(Command::Listen(call, ear, again, answer))
            .await;
        asked.is_ok() && had.await.unwrap_or(false)
    }

    /// What the person at the console says, 16 kHz; dropped when the call-taker is behind.
    pub fn say(&self, call: u32, samples: Vec<i16>) {
        let _ = self.said.try_send(Said { call, samples });
    }

    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    /// Behaves so from the next call on.
    pub async fn set_behaviours(&self, behaviours: Vec<Behaviour>) {
        let _ = self.commands.send(Command::Behaviours(behaviours)).await;
    }

    /// Ends a call from the call-taker's side.
    pub async fn hang_up(&self, call: u32) {
        let _ = self.commands.send(Command::HangUp(call, None)).await;
    }
}

/// A running call-taker with its LoST server. Dropping it ends both at once; [`Running::stop`] says
/// goodbye first.
pub struct Running {
    /// SIP addresses bound.
    pub sip: Vec<(Transport, SocketAddr)>,
    /// Where `/calls` and `/lost` are.
    pub http: SocketAddr,
    handle: PsapHandle,
    lost: Arc<RwLock<LostServer>>,
    task: JoinHandle<()>,
    web: JoinHandle<()>,
}

impl Running {
    /// A handle that may be copied and outlive this.
    #[must_use]
    pub fn handle(&self) -> PsapHandle {
        self.handle.clone()
    }

    /// URL of the LoST server.
    #[must_use]
    pub fn lost_url(&self) -> String {
        format!("http://{}/lost", self.http)
    }

    /// URL of the page at which a person takes calls.
    #[must_use]
    pub fn console_url(&self) -> String {
        format!("http://{}/", self.http)
    }

    /// The LoST server fails so from now on.
    pub fn set_lost_fault(&self, fault: LostFault) {
        self.lost
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .set_fault(fault);
    }

    /// Ends the calls, closes the recordings, and waits for that.
    pub async fn stop(mut self) {
        let _ = self.handle.commands.send(Command::Stop).await;
        let _ = (&mut self.task).await;
    }

    /// Waits until it ends by itself, which it does not.
    pub async fn wait(&mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.web.abort();
        self.task.abort();
    }
}

/// Runs a call-taker until the future is dropped.
///
/// # Errors
/// [`StartError`], when it cannot start.
pub async fn run(config: PsapConfig) -> Result<(), StartError> {
    let mut running = start(config).await?;
    running.wait().await;
    Ok(())
}

/// Binds everything and starts.
///
/// # Errors
/// [`StartError`].
pub async fn start(config: PsapConfig) -> Result<Running, StartError> {
    start_with_identity(config, None).await
}

/// The same with this certificate for TLS, before any that the configuration names.
///
/// # Errors
/// [`StartError`].
pub async fn start_with_identity(
    config: PsapConfig,
    identity: Option<Identity>,
) -> Result<Running, StartError> {
    config.check()?;
    config.check_identity(identity.is_some())?;
    let io = |what: &str| {
        let what = what.to_owned();
        move |error| StartError::Io { what, error }
    };
    let sockets = bind_sip(&config, identity).await?;
    let sip = sockets.local.clone();
    let mut media = HashMap::new();
    let mut ports = Vec::new();
    let (datagrams, arrived) = mpsc::channel(WAITING_MAX);
    let mut readers = JoinSet::new();
    for _ in 0..config.calls_max {
        let pair = RtpPair::bind(config.address, Reach::LoopbackOnly).await;
        let pair = pair.map_err(io("media ports"))?;
        let port = pair.port().map_err(io("media ports"))?;
        ports.push(port);
        for (port, socket) in [(port, pair.rtp), (port + 1, pair.rtcp)] {
            let socket = Arc::new(socket);
            readers.spawn(read(port, socket.clone(), datagrams.clone()));
            media.insert(port, socket);
        }
    }
    let http = tokio::net::TcpListener::bind((config.address, config.http_port)).await;
    let http = http.map_err(io("HTTP port"))?;
    let http_address = http.local_addr().map_err(io("HTTP port"))?;
    let lost = Arc::new(RwLock::new(lost_server(&config, &sip).await?));

    let mut core = CallTakerConfig::new(seed(), sip.clone(), ports);
    core.media_address = config.address;
    core.behaviours.clone_from(&config.behaviours);
    let epoch = Instant::now();
    match Keys::generate() {
        Ok(keys) => {
            let origin = epoch;
            core.secure = Some(SecureSound { keys, origin });
        }
        Err(error) => tracing::error!(%error, "browsers that call are not answered"),
    }
    core.unix_time_at_zero = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    core.person_answers_within = config
        .person_answers_within_s
        .map(|seconds| Duration::from_secs(seconds.into()));
    if let Some(path) = config.voice.clone() {
        let voice = tokio::task::spawn_blocking(move || read_voice(&path)).await;
        let voice = voice.map_err(|error| StartError::Voice(error.to_string()))?;
        core.voice = voice.map_err(StartError::Voice)?.into();
    }
    let (opened, recordings) = mpsc::channel(64);
    let screen = Screen::start(config.recordings.clone(), config.recording_rate_hz, opened);
    let screen = screen.map_err(io("the screen's thread"))?;
    let (commands, asked) = mpsc::channel(WAITING_MAX);
    let (said, hears) = mpsc::channel(WAITING_MAX);
    let (changed, changes) = watch::channel(0);
    let board = Board {
        changes,
        zero_unix_ms: u64::try_from(core.unix_time_at_zero.as_millis()).unwrap_or(u64::MAX),
        waits_for_a_person: core.person_answers_within.is_some(),
        records: config.recordings.is_some(),
    };
    let handle = PsapHandle {
        commands,
        said,
        board,
    };
    let desk = Desk {
        core: CallTaker::new(core),
        sockets,
        media,
        screen,
        records: config.recordings.is_some(),
        print: config.print,
        epoch,
        ears: HashMap::new(),
        changed,
        _readers: readers,
    };
    let router = web::router(handle.clone(), lost.clone());
    Ok(Running {
        sip,
        http: http_address,
        handle,
        lost,
        task: tokio::spawn(desk.work(arrived, asked, hears, recordings)),
        web: tokio::spawn(async move {
            if let Err(error) = axum::serve(http, router).await {
                tracing::error!(%error, "HTTP ended");
            }
        }),
    })
}

/// UDP and TCP on one port, TLS on its own.
async fn bind_sip(config: &PsapConfig, identity: Option<Identity>) -> Result<Sockets, StartError> {
    let files = (&config.tls_certificate, &config.tls_key);
    let identity = match (identity, files, &config.tls_home_root) {
        (given, ..) if given.is_some() || config.tls_port.is_none() => given,
        (_, (Some(certificates), Some(key)), _) => Some(Identity {
            certificates_pem: read_file(certificates).await?,
            key_pem: read_file(key).await?,
        }),
        (_, _, Some(root)) => {
            let home = HomeCa::make(config.address).map_err(StartError::Certificate)?;
            std::fs::write(root, &home.root_pem).map_err(|error| StartError::Io {
                what: root.display().to_string(),
                error,
            })?;
            Some(home.identity)
        }
        _ => None,
    };
    for attempt in 1.. {
        let mut sockets = SocketsConfig::new(Reach::LoopbackOnly);
        let address = match config.sip_port {
            0 => free_port(config.sip_address()).await?,
            _ => config.sip_address(),
        };
        sockets.udp.push(address);
        sockets.tcp.push(address);
        if let Some(port) = config.tls_port {
            let port = match port {
                0 => address.port().saturating_add(1),
                port => port,
            };
            sockets.tls.push(SocketAddr::new(config.address, port));
        }
        sockets.identity.clone_from(&identity);
        match Sockets::bind(sockets).await {
            // Somebody was quicker; only when the port is ours to choose is there another.
            Err(BindError::Io { .. }) if config.sip_port == 0 && attempt < PORT_ATTEMPTS => {}
            bound => return Ok(bound?),
        }
    }
    unreachable!("the last attempt returns")
}

async fn free_port(address: SocketAddr) -> Result<SocketAddr, StartError> {
    let probe = async { tokio::net::TcpListener::bind(address).await?.local_addr() };
    probe.await.map_err(|error| StartError::Io {
        what: "SIP port".to_owned(),
        error,
    })
}

async fn read_file(path: &Path) -> Result<Vec<u8>, StartError> {
    let own = path.to_path_buf();
    let read = tokio::task::spawn_blocking(move || std::fs::read(own)).await;
    let read = read.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    read.map_err(|error| StartError::Io {
        what: path.display().to_string(),
        error,
    })
}

async fn lost_server(
    config: &PsapConfig,
    sip: &[(Transport, SocketAddr)],
) -> Result<LostServer, StartError> {
    let boundaries = match &config.boundaries {
        Some(path) => {
            let text = String::from_utf8_lossy(&read_file(path).await?).into_owned();
            Boundaries::parse(&text)?
        }
        None => {
            let address = sip
                .first()
                .map_or(config.sip_address(), |(_, address)| *address);
            Boundaries::everywhere("lost.drill.test", &format!("sip:psap@{address}"), "911")
        }
    };
    let mut server = LostServer::new(boundaries);
    server.set_fault(config.lost_fault.clone());
    Ok(server)
}

/// Random enough for tokens of a drill: the standard library's own per-process keys.
fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    for (index, word) in seed.chunks_exact_mut(8).enumerate() {
        let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
        hasher.write_usize(index);
        word.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    seed
}
