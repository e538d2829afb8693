//! The mailbox on loopback sockets and the real clock.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hearthline_sip::target::Transport;
use hearthline_transport::{
    BindError, FromNetwork, GuardedUdp, Reach, RtpPair, Sockets, SocketsConfig, ToNetwork,
};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::config::{MailboxConfig, VISITS_MAX};
use crate::deposit::Deposit;
use crate::mailbox::{Mailbox, Output};

/// Largest datagram of media.
const DATAGRAM_BYTES: usize = 2_048;
/// Datagrams that may wait.
const WAITING_MAX: usize = 1_024;
/// Deposits that may wait for their owner; each is 4 MB at most.
const DEPOSITS_MAX: usize = 8;

/// Why the mailbox cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its SIP socket.
    #[error("the mailbox: {0}")]
    Bind(#[from] BindError),
    /// Its media sockets.
    #[error("the mailbox: media ports: {0}")]
    Media(std::io::Error),
}

/// A running mailbox. Dropping it ends it at once; [`Running::stop`] keeps what is being said.
pub struct Running {
    /// Where it listens for SIP, by UDP.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Ends the calls, and hands out what was said so far.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // A task that panicked has been reported.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Binds and starts. `seed` is random.
///
/// # Errors
/// [`StartError`].
pub async fn start(
    config: MailboxConfig,
    seed: [u8; 32],
) -> Result<(Running, mpsc::Receiver<Deposit>), StartError> {
    let mut sockets = SocketsConfig::new(Reach::LoopbackOnly);
    sockets.udp.push(SocketAddr::new(config.address, 0));
    let sockets = Sockets::bind(sockets).await?;
    let missing = || StartError::Media(std::io::ErrorKind::AddrNotAvailable.into());
    let address = sockets.local(Transport::Udp).ok_or_else(missing)?;
    let mut media = HashMap::new();
    let mut ports = Vec::new();
    let mut readers = JoinSet::new();
    let (datagrams, arriving) = mpsc::channel(WAITING_MAX);
    for _ in 0..config.visits_max.min(VISITS_MAX) {
        let pair = RtpPair::bind(config.address, Reach::LoopbackOnly).await;
        let pair = pair.map_err(StartError::Media)?;
        let port = pair.port().map_err(StartError::Media)?;
        ports.push(port);
        for (port, socket) in [(port, pair.rtp), (port + 1, pair.rtcp)] {
            let socket = Arc::new(socket);
            readers.spawn(read(port, socket.clone(), datagrams.clone()));
            media.insert(port, socket);
        }
    }
    let (taken, deposits) = mpsc::channel(DEPOSITS_MAX);
    let (stop, stopped) = watch::channel(false);
    let desk = Desk {
        core: Mailbox::new(config, seed, sockets.local.clone(), ports),
        sockets,
        media,
        taken,
        epoch: Instant::now(),
        _readers: readers,
    };
    let task = tokio::spawn(desk.work(arriving, stopped));
    Ok((
        Running {
            address,
            stop,
            task,
        },
        deposits,
    ))
}

/// A datagram and the port it came to.
type Datagram = (u16, SocketAddr, Vec<u8>);

async fn read(port: u16, socket: Arc<GuardedUdp>, datagrams: mpsc::Sender<Datagram>) {
    let mut buffer = vec![0; DATAGRAM_BYTES];
    loop {
        match socket.recv_from(&mut buffer).await {
            // Full: late audio is worth nothing.
            Ok((length, from)) => {
                let datagram = (port, from, buffer[..length].to_vec());
                if let Err(mpsc::error::TrySendError::Closed(_)) = datagrams.try_send(datagram) {
                    return;
                }
            }
            // A caller that is gone answers by ICMP; the socket stays good.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {}
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// The task that owns the core.
struct Desk {
    core: Mailbox,
    sockets: Sockets,
    media: HashMap<u16, Arc<GuardedUdp>>,
    taken: mpsc::Sender<Deposit>,
    epoch: Instant,
    _readers: JoinSet<()>,
}

impl Desk {
    async fn work(
        mut self,
        mut datagrams: mpsc::Receiver<Datagram>,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            let deadline = self.drain();
            let wake = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until((self.epoch + at).into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                news = self.sockets.receiver.recv() => match news {
                    Some(news) => self.on_network(&news),
                    None => {
                        tracing::error!("the mailbox's sockets are gone");
                        break;
                    }
                },
                Some((port, from, bytes)) = datagrams.recv() => {
                    let now = self.epoch.elapsed();
                    self.core.handle_media(port, from, &bytes, now);
                }
                () = wake => self.core.handle_timeout(self.epoch.elapsed()),
            }
        }
        self.core.close(self.epoch.elapsed());
        self.drain();
        // The goodbyes are in the sockets' queue; give them a moment to leave.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    fn on_network(&mut self, news: &FromNetwork) {
        if let Some(input) = news.as_input() {
            self.core.handle_sip(input, self.epoch.elapsed());
        }
    }

    fn drain(&mut self) -> Option<Duration> {
        loop {
            let now = self.epoch.elapsed();
            match self.core.poll_output(now) {
                Output::Sip { target, bytes } => {
                    // A lost datagram is repeated.
                    let message = ToNetwork::Transmit { target, bytes };
                    let _ = self.sockets.sender.try_send(message);
                }
                Output::CloseStream { transport, remote } => {
                    let close = ToNetwork::Close { transport, remote };
                    let _ = self.sockets.sender.try_send(close);
                }
                Output::Media { port, to, bytes } => {
                    if let Some(socket) = self.media.get(&port) {
                        // Late audio is worth nothing.
                        let _ = socket.try_send_to(&bytes, to);
                    }
                }
                Output::Taken(deposit) => {
                    if self.taken.try_send(*deposit).is_err() {
                        tracing::error!("a message on the mailbox was lost: nobody stores them");
                    }
                }
                Output::Timeout(at) => return at,
            }
        }
    }
}
