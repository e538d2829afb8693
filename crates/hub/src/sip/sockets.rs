//! The SIP connections: thin adapters that carry bytes to the switchboard and back. Loopback alone, for now.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hearthline_sip::Limits;
use hearthline_sip::framer::{Frame, StreamFramer};
use hearthline_sip::outbound::{Flow, FlowTransport};
use hearthline_sip::target::Target;
use hearthline_transport::Reach;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;

use super::flows::{Certified, FlowNumbers};
use super::switchboard::News;
use crate::device::Fingerprint;
use crate::home::Home;
use crate::live::{LiveConnection, LiveConnections};
use crate::serve::Open;

/// Small: thousands of connections are silent most of the time.
const READ_BYTES: usize = 4 * 1024;
/// Messages that wait for one connection.
const QUEUE_MAX: usize = 64;
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
const CONNECT_TIME_MAX: Duration = Duration::from_secs(2);
/// A peer that connected must say something, and finish what it began to say, within this time.
const MESSAGE_TIME_MAX: Duration = Duration::from_secs(30);
/// A connection without a byte from its peer for this long is closed.
const IDLE_TIME_MAX: Duration = Duration::from_secs(3_600);
const WRITE_TIME_MAX: Duration = Duration::from_secs(5);

/// What every connection needs.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) home: Arc<Home>,
    pub(crate) live: LiveConnections,
    pub(crate) news: mpsc::Sender<News>,
    pub(crate) numbers: FlowNumbers,
    pub(crate) open: Open,
    pub(crate) connections_max: usize,
    pub(crate) connections_by_source_max: usize,
}

/// Accepts TCP, or TLS where there is a configuration for it, until told to stop.
pub(crate) async fn accept(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    around: Surroundings,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, remote)) = accepted else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let place = around.open.enter(
            remote.ip(),
            around.connections_max,
            around.connections_by_source_max,
        );
        if let (Some(place), Ok(())) = (place, Reach::LoopbackOnly.check(remote)) {
            let (tls, around, stop) = (tls.clone(), around.clone(), stop.clone());
            tokio::spawn(async move {
                accepted_connection(stream, remote, tls, &around, stop).await;
                drop(place);
            });
        }
    }
}

async fn accepted_connection(
    stream: TcpStream,
    remote: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    around: &Surroundings,
    stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let Ok(local) = stream.local_addr() else {
        return;
    };
    let flow = |transport| Flow {
        id: around.numbers.next(),
        transport,
        local,
        remote,
    };
    let Some(tls) = tls else {
        let link = Link::new(flow(FlowTransport::Tcp));
        return run(stream, link, around, stop).await;
    };
    let handshake = TlsAcceptor::from(tls).accept(stream);
    let Ok(Ok(stream)) = timeout(HANDSHAKE_TIME_MAX, handshake).await else {
        return;
    };
    let shown = stream.get_ref().1.peer_certificates();
    let shown = shown
        .and_then(|chain| chain.first())
        .map(|certificate| Fingerprint::of(certificate));
    let mut link = Link::new(flow(FlowTransport::Tls));
    if let Some(certificate) = shown {
        let Some((certified, live)) = admit(around, certificate).await else {
            return;
        };
        link.certified = Some(certified);
        link.live = Some(live);
    }
    run(stream, link, around, stop).await;
}

/// Notes a device's connection; `None`: its certificate is none of ours, ended, or its device was revoked. A resumed
/// session of TLS does not show its certificate again, so SQL is asked each time.
async fn admit(
    around: &Surroundings,
    certificate: Fingerprint,
) -> Option<(Certified, LiveConnection)> {
    let home = &around.home;
    let found = home.store.device_by_certificate(&certificate).await;
    let (device, issued) = found.ok()??;
    if issued.not_after <= home.clock.now() {
        return None;
    }
    let live = around.live.enter(device.id);
    // Asked again now that a revocation would cut this connection.
    let device = home.store.device(device.id).await.ok()?;
    let certified = Certified {
        device: device.id,
        certificate: Some(certificate),
    };
    device.revoked_at_ms.is_none().then_some((certified, live))
}

/// Connects to an address that a device registered, over TCP.
pub(crate) async fn connect(target: Target, around: Surroundings, mut stop: watch::Receiver<bool>) {
    let connecting = timeout(CONNECT_TIME_MAX, TcpStream::connect(target.remote));
    let connected = tokio::select! {
        _ = stop.wait_for(|stop| *stop) => return,
        connected = connecting => connected,
    };
    let Ok(Ok(stream)) = connected else {
        let _ = around.news.send(News::ConnectFailed { target }).await;
        return;
    };
    let _ = stream.set_nodelay(true);
    let Ok(local) = stream.local_addr() else {
        return;
    };
    let link = Link::new(Flow {
        id: around.numbers.next(),
        transport: FlowTransport::Tcp,
        local,
        remote: target.remote,
    });
    run(stream, link, &around, stop).await;
}

/// A connection before it runs.
struct Link {
    flow: Flow,
    certified: Option<Certified>,
    live: Option<LiveConnection>,
}

impl Link {
    fn new(flow: Flow) -> Self {
        Link {
            flow,
            certified: None,
            live: None,
        }
    }
}

/// Carries messages until one side is done, the device is cut off, or the hub stops.
async fn run<S: AsyncRead + AsyncWrite>(
    stream: S,
    link: Link,
    around: &Surroundings,
    mut stop: watch::Receiver<bool>,
) {
    let Link {
        flow,
        certified,
        mut live,
    } = link;
    let (queue, messages) = mpsc::channel(QUEUE_MAX);
    let opened = News::Opened {
        flow,
        certified,
        queue,
    };
    if around.news.send(opened).await.is_err() {
        return;
    }
    let (reader, writer) = tokio::io::split(stream);
    let cut = async {
        match &mut live {
            Some(live) => live.cut_off().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = read(reader, flow, &around.news) => {}
        () = write(writer, messages) => {}
        () = cut => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    let _ = around.news.send(News::Closed { flow: flow.id }).await;
}

async fn read<R: AsyncRead + Unpin>(mut reader: R, flow: Flow, news: &mpsc::Sender<News>) {
    let mut framer = StreamFramer::new(Limits::default());
    let mut buffer = vec![0; READ_BYTES];
    let mut until = Instant::now() + MESSAGE_TIME_MAX;
    loop {
        let Ok(Ok(count @ 1..)) = tokio::time::timeout_at(until, reader.read(&mut buffer)).await
        else {
            return;
        };
        let unfinished = framer.pending_bytes() > 0;
        framer.push(&buffer[..count]);
        let mut whole = false;
        while let Some(frame) = framer.next_frame() {
            whole = true;
            let broken = matches!(frame, Frame::Broken(_));
            if news.send(News::Frame { flow, frame }).await.is_err() {
                return;
            }
            if broken {
                // The switchboard answers and closes.
                until = Instant::now() + WRITE_TIME_MAX;
            }
        }
        // Half a message, byte by byte, holds a place for no longer than half a message at once.
        if framer.pending_bytes() == 0 {
            until = Instant::now() + IDLE_TIME_MAX;
        } else if whole || !unfinished {
            until = Instant::now() + MESSAGE_TIME_MAX;
        }
    }
}

async fn write<W: AsyncWrite + Unpin>(mut writer: W, mut messages: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = messages.recv().await {
        let sent = timeout(WRITE_TIME_MAX, async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        });
        if !matches!(sent.await, Ok(Ok(()))) {
            return;
        }
    }
    // Told to close: the peer is to know that nothing follows.
    let _ = timeout(Duration::from_secs(1), writer.shutdown()).await;
}
