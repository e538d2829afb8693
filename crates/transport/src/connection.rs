//! One TCP or TLS connection: connect, handshake, read, write, each within its time.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hearthline_sip::target::{Target, Transport};
use rustls::RootCertStore;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::sockets::{Counters, FromNetwork, SendError, SocketLimits};
use crate::tls::{self, Identity, Trust};

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// Which connection: transport and the peer's address.
pub(crate) type Key = (Transport, SocketAddr);

/// What a connection tells the task that owns all of them.
pub(crate) enum Report {
    /// It is over; the number tells it from a later one with the same peer.
    Ended(Key, u64),
}

/// What every connection needs.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) limits: SocketLimits,
    pub(crate) up: mpsc::Sender<FromNetwork>,
    pub(crate) reports: mpsc::Sender<Report>,
    pub(crate) counters: Arc<Counters>,
}

/// How TLS is asked for.
#[derive(Clone)]
pub(crate) struct ClientTls {
    pub(crate) roots: Arc<RootCertStore>,
    pub(crate) trust: Trust,
    pub(crate) identity: Option<Arc<Identity>>,
}

/// Connects to a target and runs the connection; its queue may hold messages already.
pub(crate) async fn connect(
    target: Target,
    serial: u64,
    tls: ClientTls,
    queue: mpsc::Receiver<Vec<u8>>,
    around: Surroundings,
) {
    let key = (target.transport, target.remote);
    let patience = around.limits.connect_timeout;
    // TCP and TLS together: a peer that accepts and then says nothing is as dead as one that
    // does not accept.
    let made = timeout(patience, open(&target, &tls)).await;
    let made = made.unwrap_or(Err(SendError::Timeout));
    match made {
        Err(error) => {
            around
                .counters
                .connects_failed
                .fetch_add(1, Ordering::Relaxed);
            let failed = FromNetwork::Failed { target, error };
            // Reported before the message, so that a retry finds no dead queue.
            report(&around, key, serial).await;
            let _ = around.up.send(failed).await;
            drop(queue);
        }
        Ok(Made::Plain(stream)) => {
            let local = stream.local_addr().ok();
            let told = FromNetwork::Connected {
                target: target.clone(),
                verified: false,
            };
            let _ = around.up.send(told).await;
            let context = Context {
                key,
                local,
                target: Some(target),
                verified: None,
            };
            run(stream, context, serial, queue, around).await;
        }
        Ok(Made::Tls(stream, verified)) => {
            let local = stream.get_ref().0.local_addr().ok();
            let verified = verified.load(Ordering::Acquire);
            let told = FromNetwork::Connected {
                target: target.clone(),
                verified,
            };
            let _ = around.up.send(told).await;
            let context = Context {
                key,
                local,
                target: Some(target),
                verified: Some(verified),
            };
            run(*stream, context, serial, queue, around).await;
        }
    }
}

enum Made {
    Plain(TcpStream),
    Tls(
        Box<tokio_rustls::client::TlsStream<TcpStream>>,
        Arc<AtomicBool>,
    ),
}

async fn open(target: &Target, tls: &ClientTls) -> Result<Made, SendError> {
    let stream = TcpStream::connect(target.remote)
        .await
        .map_err(|error| SendError::Io(error.kind()))?;
    // Signalling is small and waits for answers.
    let _ = stream.set_nodelay(true);
    if target.transport != Transport::Tls {
        return Ok(Made::Plain(stream));
    }
    let (config, verified) = tls::client(tls).map_err(|error| SendError::Tls(error.to_string()))?;
    let name = tls::server_name(target.server_name.as_deref(), target.remote.ip())
        .map_err(|error| SendError::Tls(error.to_string()))?;
    let stream = TlsConnector::from(config)
        .connect(name, stream)
        .await
        .map_err(|error| SendError::Tls(error.to_string()))?;
    Ok(Made::Tls(Box::new(stream), verified))
}

/// Runs a connection that a peer opened.
pub(crate) async fn accepted(
    stream: TcpStream,
    key: Key,
    serial: u64,
    acceptor: Option<TlsAcceptor>,
    queue: mpsc::Receiver<Vec<u8>>,
    around: Surroundings,
) {
    let _ = stream.set_nodelay(true);
    let context = Context {
        key,
        local: stream.local_addr().ok(),
        target: None,
        verified: None,
    };
    let Some(acceptor) = acceptor else {
        run(stream, context, serial, queue, around).await;
        return;
    };
    let patience = around.limits.handshake_timeout;
    match timeout(patience, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => run(stream, context, serial, queue, around).await,
        Ok(Err(_)) | Err(_) => {
            around
                .counters
                .handshakes_failed
                .fetch_add(1, Ordering::Relaxed);
            report(&around, key, serial).await;
        }
    }
}

struct Context {
    key: Key,
    local: Option<SocketAddr>,
    /// Set where we connected.
    target: Option<Target>,
    verified: Option<bool>,
}

async fn report(around: &Surroundings, key: Key, serial: u64) {
    let _ = around.reports.send(Report::Ended(key, serial)).await;
}

/// Carries bytes until one side is done.
async fn run<S: AsyncRead + AsyncWrite + Send>(
    stream: S,
    context: Context,
    serial: u64,
    mut queue: mpsc::Receiver<Vec<u8>>,
    around: Surroundings,
) {
    let (transport, remote) = context.key;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let reading = pin!(read(&mut reader, &context, &around));
    let writing = pin!(write(&mut writer, &mut queue, &around.limits));
    let failed = tokio::select! {
        () = reading => None,
        failed = writing => failed,
    };
    report(&around, context.key, serial).await;
    if let (Some(error), Some(target)) = (failed, context.target.clone()) {
        let _ = around.up.send(FromNetwork::Failed { target, error }).await;
    }
    // Whoever waits for answers on this connection learns that none will come.
    let closed = FromNetwork::Closed { transport, remote };
    let _ = around.up.send(closed).await;
}

async fn read<R: AsyncRead + Unpin>(reader: &mut R, context: &Context, around: &Surroundings) {
    let (transport, remote) = context.key;
    let local = context.local.unwrap_or(remote);
    let limits = &around.limits;
    let mut buffer = vec![0; READ_BYTES];
    let mut first = true;
    let mut budget = Budget::new(limits.bytes_per_second_max, Instant::now());
    loop {
        // A peer that connects and says nothing holds a place for nothing.
        let patience = if first && context.target.is_none() {
            limits.first_byte_timeout
        } else {
            limits.idle_timeout
        };
        let count = match timeout(patience, reader.read(&mut buffer)).await {
            Ok(Ok(0)) => return,
            Ok(Ok(count)) => count,
            Ok(Err(_)) => return,
            Err(_) => {
                around.counters.idle_closed.fetch_add(1, Ordering::Relaxed);
                return;
            }
        };
        if first && !may_begin_sip(buffer[0]) {
            around
                .counters
                .garbage_closed
                .fetch_add(1, Ordering::Relaxed);
            return;
        }
        first = false;
        if !budget.take(count, Instant::now()) {
            around.counters.flood_closed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let received = FromNetwork::Received {
            transport,
            local,
            remote,
            bytes: buffer[..count].to_vec(),
            verified: context.verified,
        };
        // A full queue stops the reading, and so, by TCP, the peer.
        if around.up.send(received).await.is_err() {
            return;
        }
    }
}

async fn write<W: AsyncWrite + Unpin>(
    writer: &mut W,
    queue: &mut mpsc::Receiver<Vec<u8>>,
    limits: &SocketLimits,
) -> Option<SendError> {
    while let Some(bytes) = queue.recv().await {
        let sent = timeout(limits.write_timeout, async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        });
        match sent.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Some(SendError::Io(error.kind())),
            Err(_) => return Some(SendError::Timeout),
        }
    }
    // Told to close: let the peer know that nothing follows.
    let _ = timeout(Duration::from_secs(1), writer.shutdown()).await;
    None
}

/// A message begins with a letter, a keep-alive with CR or LF; a TLS hello or a binary protocol
/// with neither.
fn may_begin_sip(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'\r' | b'\n')
}

/// Bytes that a connection may still bring: so many a second, four seconds' worth at once.
struct Budget {
    per_second: usize,
    left: usize,
    at: Instant,
}

impl Budget {
    fn new(per_second: usize, now: Instant) -> Self {
        Self {
            per_second,
            left: per_second.saturating_mul(4),
            at: now,
        }
    }

    fn take(&mut self, count: usize, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_millis();
        let earned = passed.saturating_mul(self.per_second as u128) / 1_000;
        if earned > 0 {
            let earned = usize::try_from(earned).unwrap_or(usize::MAX);
            let most = self.per_second.saturating_mul(4);
            self.left = self.left.saturating_add(earned).min(most);
            self.at = now;
        }
        match self.left.checked_sub(count) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

impl From<io::Error> for SendError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}
