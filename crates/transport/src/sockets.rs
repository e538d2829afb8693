//! All sockets of one endpoint, behind two channels.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hearthline_sip::endpoint::Input;
use hearthline_sip::target::{Target, Transport};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::connection::{self, ClientTls, Key, Report, Surroundings};
use crate::reach::{OutOfReach, Reach};
use crate::tls::{self, Identity, TlsError, Trust};

/// Largest datagram.
const DATAGRAM_BYTES: usize = 65_535;

/// What to bind, whom to trust, how much to bear.
#[derive(Debug, Clone)]
pub struct SocketsConfig {
    /// How far messages may go.
    pub reach: Reach,
    /// Addresses for UDP; port 0 lets the system choose.
    pub udp: Vec<SocketAddr>,
    /// Addresses to listen on for TCP.
    pub tcp: Vec<SocketAddr>,
    /// Addresses to listen on for TLS; needs an identity.
    pub tls: Vec<SocketAddr>,
    /// Our certificate.
    pub identity: Option<Identity>,
    /// What we show to servers that ask who connects. Every server of these sockets sees it, so lines that must not know
    /// it have sockets of their own.
    pub client_identity: Option<Identity>,
    /// Roots that vouch for servers, PEM; may be empty.
    pub roots_pem: Vec<u8>,
    /// Which servers we talk to over TLS.
    pub trust: Trust,
    /// Bounds.
    pub limits: SocketLimits,
}

impl SocketsConfig {
    /// Nothing bound; TLS only to verified servers.
    pub fn new(reach: Reach) -> Self {
        Self {
            reach,
            udp: Vec::new(),
            tcp: Vec::new(),
            tls: Vec::new(),
            identity: None,
            client_identity: None,
            roots_pem: Vec::new(),
            trust: Trust::Verified,
            limits: SocketLimits::default(),
        }
    }
}

/// Bounds on time and memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketLimits {
    /// TCP connect and TLS handshake of a connection of ours, together.
    pub connect_timeout: Duration,
    /// TLS handshake of a connection to us.
    pub handshake_timeout: Duration,
    /// A peer that connected must say something within this time.
    pub first_byte_timeout: Duration,
    /// A connection without a byte from the peer for this long is closed.
    pub idle_timeout: Duration,
    /// One message must be taken by the peer within this time.
    pub write_timeout: Duration,
    /// Connections at once, both ways.
    pub connections_max: usize,
    /// Messages waiting for one connection.
    pub connection_queue_max: usize,
    /// Messages waiting in each of the two channels.
    pub queue_max: usize,
    /// Bytes per second that one connection may bring, averaged over four seconds.
    pub bytes_per_second_max: usize,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            handshake_timeout: Duration::from_secs(5),
            first_byte_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(3_600),
            write_timeout: Duration::from_secs(5),
            connections_max: 256,
            connection_queue_max: 64,
            queue_max: 1_024,
            bytes_per_second_max: 1 << 20,
        }
    }
}

/// What goes to the network.
#[derive(Debug)]
pub enum ToNetwork {
    /// Send one message.
    Transmit {
        /// Where to.
        target: Target,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Close a connection.
    Close {
        /// Its transport.
        transport: Transport,
        /// The peer's address.
        remote: SocketAddr,
    },
}

/// What comes from the network.
#[derive(Debug)]
pub enum FromNetwork {
    /// A datagram, or the next bytes of a stream.
    Received {
        /// By which transport.
        transport: Transport,
        /// Our address.
        local: SocketAddr,
        /// The peer's address.
        remote: SocketAddr,
        /// The bytes.
        bytes: Vec<u8>,
        /// Over TLS to a server: whether its certificate is good.
        verified: Option<bool>,
    },
    /// A connection of ours stands.
    Connected {
        /// To whom.
        target: Target,
        /// Over TLS: whether the certificate is good. Without TLS always `false`.
        verified: bool,
    },
    /// A connection is gone.
    Closed {
        /// Its transport.
        transport: Transport,
        /// The peer's address.
        remote: SocketAddr,
    },
    /// Something for this target could not be sent.
    Failed {
        /// For whom.
        target: Target,
        /// Why.
        error: SendError,
    },
}

impl FromNetwork {
    /// What an endpoint is told of it; `None`: a connection stands, which it does not ask for.
    #[must_use]
    pub fn as_input(&self) -> Option<Input<'_>> {
        match self {
            Self::Received {
                transport,
                local,
                remote,
                bytes,
                ..
            } => Some(Input::Received {
                transport: *transport,
                local: *local,
                remote: *remote,
                bytes,
            }),
            Self::Closed { transport, remote } => Some(Input::StreamClosed {
                transport: *transport,
                remote: *remote,
            }),
            Self::Failed { target, .. } => Some(Input::TransportFailed { target }),
            Self::Connected { .. } => None,
        }
    }
}

/// Why something could not be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// A refusal of ours.
    #[error(transparent)]
    OutOfReach(#[from] OutOfReach),
    /// The system or the peer refused.
    #[error("not sent: {0}")]
    Io(io::ErrorKind),
    /// The peer did not take it in time.
    #[error("not sent: the peer did not answer in time")]
    Timeout,
    /// The TLS handshake failed.
    #[error("TLS: {0}")]
    Tls(String),
    /// No socket of this transport and address family is bound.
    #[error("not sent: no socket for this transport is bound")]
    NoSocket,
    /// Too many connections, or too many messages waiting for this one.
    #[error("not sent: too much is waiting already")]
    Congested,
}

/// Why sockets could not be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The address is taken, or not ours.
    #[error("cannot bind {transport} {address}: {error}")]
    Io {
        /// Which transport.
        transport: Transport,
        /// Which address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// Listening there would let others reach us.
    #[error("cannot bind {address}: {refusal}")]
    OutOfReach {
        /// Which address.
        address: SocketAddr,
        /// The refusal.
        refusal: OutOfReach,
    },
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// TLS without a certificate.
    #[error("cannot listen for TLS: no certificate is configured")]
    NoIdentity,
}

/// What was refused or given up; numbers only ever rise.
#[derive(Debug, Default)]
pub struct Counters {
    /// Sends and connects beyond reach.
    pub out_of_reach: AtomicU64,
    /// Connections of ours that never stood.
    pub connects_failed: AtomicU64,
    /// TLS handshakes to us that failed or took too long.
    pub handshakes_failed: AtomicU64,
    /// Connections closed because their first byte was no SIP.
    pub garbage_closed: AtomicU64,
    /// Connections closed because they brought too much.
    pub flood_closed: AtomicU64,
    /// Connections closed because they brought nothing.
    pub idle_closed: AtomicU64,
    /// Connections closed because the endpoint asked for it.
    pub closed_on_request: AtomicU64,
    /// Connections refused because there were too many.
    pub connections_refused: AtomicU64,
    /// Messages dropped because a queue was full.
    pub congested: AtomicU64,
    /// Datagrams dropped because nobody took them in time.
    pub datagrams_dropped: AtomicU64,
}

/// All sockets of one endpoint. Dropping it closes them.
#[derive(Debug)]
pub struct Sockets {
    /// Messages to the network.
    pub sender: mpsc::Sender<ToNetwork>,
    /// Bytes and news from the network.
    pub receiver: mpsc::Receiver<FromNetwork>,
    /// The addresses bound.
    pub local: Vec<(Transport, SocketAddr)>,
    /// What was refused.
    pub counters: Arc<Counters>,
    task: JoinHandle<()>,
}

impl Drop for Sockets {
    fn drop(&mut self) {
        // The tasks it started go with it.
        self.task.abort();
    }
}

impl Sockets {
    /// Binds everything and starts.
    ///
    /// # Errors
    /// When an address cannot be bound, is beyond reach, or TLS cannot be set up.
    pub async fn bind(config: SocketsConfig) -> Result<Self, BindError> {
        let (sender, commands) = mpsc::channel(config.limits.queue_max);
        let (up, receiver) = mpsc::channel(config.limits.queue_max);
        let (reports, ended) = mpsc::channel(config.limits.queue_max);
        let counters = Arc::new(Counters::default());
        let mut local = Vec::new();
        let mut udp = Vec::new();
        let mut listeners = Vec::new();
        for address in &config.udp {
            let transport = Transport::Udp;
            check(config.reach, *address)?;
            let socket = UdpSocket::bind(address).await;
            let socket = socket.map_err(|e| cannot_bind(transport, *address, e))?;
            let bound = socket.local_addr();
            let bound = bound.map_err(|e| cannot_bind(transport, *address, e))?;
            local.push((transport, bound));
            udp.push((bound, Arc::new(socket)));
        }
        let acceptor = match &config.identity {
            Some(identity) => Some(TlsAcceptor::from(tls::server(identity)?)),
            None if config.tls.is_empty() => None,
            None => return Err(BindError::NoIdentity),
        };
        let tcp = config.tcp.iter().map(|address| (Transport::Tcp, *address));
        let tls = config.tls.iter().map(|address| (Transport::Tls, *address));
        for (transport, address) in tcp.chain(tls) {
            check(config.reach, address)?;
            let listener = TcpListener::bind(address).await;
            let listener = listener.map_err(|e| cannot_bind(transport, address, e))?;
            let bound = listener.local_addr();
            let bound = bound.map_err(|e| cannot_bind(transport, address, e))?;
            local.push((transport, bound));
            listeners.push((transport, listener));
        }
        let client = ClientTls {
            roots: tls::roots(&config.roots_pem)?,
            trust: config.trust,
            identity: config.client_identity.map(Arc::new),
        };
        // A certificate that does not fit its key is told now, not with the first call.
        tls::client(&client)?;
        let switch = Switch {
            reach: config.reach,
            udp,
            acceptor,
            client,
            connections: HashMap::new(),
            next_serial: 0,
            tasks: JoinSet::new(),
            around: Surroundings {
                limits: config.limits,
                up,
                reports,
                counters: counters.clone(),
            },
        };
        let task = tokio::spawn(switch.run(listeners, commands, ended));
        Ok(Self {
            sender,
            receiver,
            local,
            counters,
            task,
        })
    }

    /// The first address bound for a transport.
    pub fn local(&self, transport: Transport) -> Option<SocketAddr> {
        let found = self.local.iter().find(|(bound, _)| *bound == transport);
        found.map(|(_, address)| *address)
    }
}

fn check(reach: Reach, address: SocketAddr) -> Result<(), BindError> {
    reach
        .check(address)
        .map_err(|refusal| BindError::OutOfReach { address, refusal })
}

fn cannot_bind(transport: Transport, address: SocketAddr, error: io::Error) -> BindError {
    BindError::Io {
        transport,
        address,
        error,
    }
}

struct Connection {
    serial: u64,
    queue: mpsc::Sender<Vec<u8>>,
}

/// The task that owns the table of connections; it never waits for a peer.
struct Switch {
    reach: Reach,
    udp: Vec<(SocketAddr, Arc<UdpSocket>)>,
    acceptor: Option<TlsAcceptor>,
    client: ClientTls,
    connections: HashMap<Key, Connection>,
    next_serial: u64,
    tasks: JoinSet<()>,
    around: Surroundings,
}

impl Switch {
    async fn run(
        mut self,
        listeners: Vec<(Transport, TcpListener)>,
        mut commands: mpsc::Receiver<ToNetwork>,
        mut ended: mpsc::Receiver<Report>,
    ) {
        for (local, socket) in &self.udp {
            let (local, socket) = (*local, socket.clone());
            self.tasks
                .spawn(read_datagrams(local, socket, self.around.clone()));
        }
        let (arrivals, mut arrived) = mpsc::channel(16);
        for (transport, listener) in listeners {
            self.tasks
                .spawn(listen(transport, listener, arrivals.clone()));
        }
        drop(arrivals);
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(ToNetwork::Transmit { target, bytes }) => self.transmit(target, bytes),
                    Some(ToNetwork::Close { transport, remote }) => {
                        // Without its queue the connection shuts down.
                        if self.connections.remove(&(transport, remote)).is_some() {
                            let counter = &self.around.counters.closed_on_request;
                            counter.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    None => return,
                },
                Some(Report::Ended(key, serial)) = ended.recv() => {
                    if self.connections.get(&key).is_some_and(|c| c.serial == serial) {
                        self.connections.remove(&key);
                    }
                }
                Some((transport, stream, remote)) = arrived.recv() => {
                    self.accept(transport, stream, remote);
                }
                Some(_) = self.tasks.join_next() => {}
            }
        }
    }

    fn transmit(&mut self, target: Target, bytes: Vec<u8>) {
        if let Err(error) = self.try_transmit(&target, bytes) {
            let counter = match error {
                SendError::OutOfReach(_) => Some(&self.around.counters.out_of_reach),
                SendError::Congested => Some(&self.around.counters.congested),
                _ => None,
            };
            if let Some(counter) = counter {
                counter.fetch_add(1, Ordering::Relaxed);
            }
            tracing::debug!(transport = %target.transport, %error, "a message was not sent");
            let failed = FromNetwork::Failed { target, error };
            if let Err(mpsc::error::TrySendError::Full(failed)) = self.around.up.try_send(failed) {
                // Never wait here: the user may be waiting for us.
                let up = self.around.up.clone();
                self.tasks.spawn(async move {
                    let _ = up.send(failed).await;
                });
            }
        }
    }

    fn try_transmit(&mut self, target: &Target, bytes: Vec<u8>) -> Result<(), SendError> {
        self.reach.check(target.remote)?;
        if target.transport == Transport::Udp {
            let remote = target.remote;
            let fits = |local: &&(SocketAddr, _)| local.0.is_ipv4() == remote.is_ipv4();
            let (_, socket) = self.udp.iter().find(fits).ok_or(SendError::NoSocket)?;
            return match socket.try_send_to(&bytes, remote) {
                Ok(_) => Ok(()),
                // The system's queue is full: a lost datagram, which is repeated.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let counter = &self.around.counters.datagrams_dropped;
                    counter.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                }
                Err(error) => Err(SendError::Io(error.kind())),
            };
        }
        let key = (target.transport, target.remote);
        let bytes = match self.connections.get(&key) {
            None => bytes,
            Some(connection) => match connection.queue.try_send(bytes) {
                Ok(()) => return Ok(()),
                Err(mpsc::error::TrySendError::Full(_)) => return Err(SendError::Congested),
                // It ended a moment ago.
                Err(mpsc::error::TrySendError::Closed(bytes)) => bytes,
            },
        };
        let (serial, receiver) = self.enter(key).ok_or(SendError::Congested)?;
        if let Some(connection) = self.connections.get(&key) {
            // A fresh queue has room.
            let _ = connection.queue.try_send(bytes);
        }
        self.tasks.spawn(connection::connect(
            target.clone(),
            serial,
            self.client.clone(),
            receiver,
            self.around.clone(),
        ));
        Ok(())
    }

    fn accept(&mut self, transport: Transport, stream: TcpStream, remote: SocketAddr) {
        let key = (transport, remote);
        let acceptor = self
            .acceptor
            .clone()
            .filter(|_| transport == Transport::Tls);
        let allowed = self.reach.check(remote).is_ok();
        let place = if allowed { self.enter(key) } else { None };
        match place {
            Some((serial, queue)) => {
                let around = self.around.clone();
                self.tasks.spawn(connection::accepted(
                    stream, key, serial, acceptor, queue, around,
                ));
            }
            None => {
                let counter = &self.around.counters.connections_refused;
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Makes room for a connection in the table.
    fn enter(&mut self, key: Key) -> Option<(u64, mpsc::Receiver<Vec<u8>>)> {
        let limits = &self.around.limits;
        let known = self.connections.contains_key(&key);
        if !known && self.connections.len() >= limits.connections_max {
            return None;
        }
        let (queue, receiver) = mpsc::channel(limits.connection_queue_max);
        let serial = self.next_serial;
        self.next_serial += 1;
        self.connections.insert(key, Connection { serial, queue });
        Some((serial, receiver))
    }
}

async fn listen(
    transport: Transport,
    listener: TcpListener,
    arrivals: mpsc::Sender<(Transport, TcpStream, SocketAddr)>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                if arrivals.send((transport, stream, remote)).await.is_err() {
                    return;
                }
            }
            // Out of file descriptors, most likely: wait for some to come back.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn read_datagrams(local: SocketAddr, socket: Arc<UdpSocket>, around: Surroundings) {
    let mut buffer = vec![0; DATAGRAM_BYTES];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((count, remote)) => {
                let received = FromNetwork::Received {
                    transport: Transport::Udp,
                    local,
                    remote,
                    bytes: buffer[..count].to_vec(),
                    verified: None,
                };
                match around.up.try_send(received) {
                    Ok(()) => {}
                    // UDP cannot be slowed down, so what does not fit is lost.
                    Err(mpsc::error::TrySendError::Full(_)) => {
                        let counter = &around.counters.datagrams_dropped;
                        counter.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(mpsc::error::TrySendError::Closed(_)) => return,
                }
            }
            // An earlier datagram found nobody (ICMP); which one is not said.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
