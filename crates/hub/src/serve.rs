//! The HTTPS socket: accepts, shakes hands, serves, and ends what may no longer live.
//!
//! Slow peers are given times, not threads: a handshake 10 s, the head of a request 15 s, its body 20 s, a part of
//! an answer 30 s. Places are counted twice: in all, and more narrowly until somebody is known on the connection.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::authority::RENEWAL_GRACE_MS;
use crate::device::Fingerprint;
use crate::home::{Counted, Home, Peer};
use crate::live::{LiveConnection, LiveConnections};
use crate::write_limit::WriteLimit;

const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
const HEAD_TIME_MAX: Duration = Duration::from_secs(15);
const HEAD_BYTES_MAX: usize = 32 * 1024;
const HEADERS_MAX: usize = 64;
/// A peer that takes nothing for so long gets nothing more.
const WRITE_TIME_MAX: Duration = Duration::from_secs(30);
/// After a stop, what is being answered may finish for so long.
const FINISH_TIME_MAX: Duration = Duration::from_secs(5);
/// After a failed accept (no file descriptors): a rest, so that the loop does not spin.
const REST: Duration = Duration::from_millis(100);

/// Everything that a connection needs.
pub(crate) struct Serving {
    pub(crate) home: Arc<Home>,
    pub(crate) router: Router,
    pub(crate) tls: Arc<ServerConfig>,
    pub(crate) live: LiveConnections,
    pub(crate) connections_max: usize,
    pub(crate) connections_by_source_max: usize,
    pub(crate) unknown_connections_max: usize,
    pub(crate) unknown_connections_by_source_max: usize,
}

/// How many connections are open, by source.
#[derive(Clone, Default)]
pub(crate) struct Open(Arc<Mutex<HashMap<Counted, usize>>>);

pub(crate) struct Place {
    open: Open,
    source: Counted,
}

impl Open {
    pub(crate) fn enter(&self, source: IpAddr, all_max: usize, source_max: usize) -> Option<Place> {
        self.count(Counted::source(source), all_max, source_max)
    }

    /// The same for whatever is counted.
    pub(crate) fn count(
        &self,
        source: Counted,
        all_max: usize,
        source_max: usize,
    ) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(&source).copied().unwrap_or(0);
        if all >= all_max || own >= source_max {
            return None;
        }
        open.insert(source.clone(), own + 1);
        Some(Place {
            open: self.clone(),
            source,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.source);
            }
        }
    }
}

/// The place of a connection on which nobody is known yet; given back as soon as somebody is.
#[derive(Clone)]
pub(crate) struct Stranger(Arc<Mutex<Option<Place>>>);

impl Stranger {
    /// Somebody showed a certificate or a session.
    pub(crate) fn is_known(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Accepts until told to stop.
pub(crate) async fn accept(
    listener: TcpListener,
    serving: Arc<Serving>,
    mut stop: watch::Receiver<bool>,
) {
    let (open, unknown) = (Open::default(), Open::default());
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        let place = open.enter(
            address.ip(),
            serving.connections_max,
            serving.connections_by_source_max,
        );
        let stranger = unknown.enter(
            address.ip(),
            serving.unknown_connections_max,
            serving.unknown_connections_by_source_max,
        );
        // Without a place it is closed at once, before it costs a handshake.
        if let (Some(place), Some(stranger)) = (place, stranger) {
            let (serving, stop) = (serving.clone(), stop.clone());
            let stranger = Stranger(Arc::new(Mutex::new(Some(stranger))));
            tokio::spawn(async move {
                connection(stream, address, &serving, stranger, stop).await;
                drop(place);
            });
        }
    }
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    serving: &Serving,
    stranger: Stranger,
    mut stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let Ok(local) = stream.local_addr() else {
        return;
    };
    let acceptor = TlsAcceptor::from(serving.tls.clone());
    let handshake = tokio::time::timeout(HANDSHAKE_TIME_MAX, acceptor.accept(stream)).await;
    let Ok(Ok(stream)) = handshake else {
        return;
    };
    let certificate = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|chain| chain.first())
        .map(|certificate| Fingerprint::of(certificate));
    let Some(mut live) = admit(serving, certificate).await else {
        return;
    };
    if live.is_some() {
        stranger.is_known();
    }
    let peer = Peer {
        source: address.ip(),
        remote: address,
        local,
        certificate,
    };
    // Not a layer: that would make every route of the router anew for each connection.
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(stranger.clone());
        TowerToHyperService::new(serving.router.clone()).call(request)
    });
    let stream = WriteLimit::new(stream, WRITE_TIME_MAX);
    let serve = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), answer)
        .with_upgrades();
    let mut serve = std::pin::pin!(serve);
    tokio::select! {
        _ = serve.as_mut() => return,
        // Dropping the connection closes it, whatever it was sending.
        () = cut_off(&mut live) => return,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    serve.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(FINISH_TIME_MAX, serve).await;
}

async fn cut_off(live: &mut Option<LiveConnection>) {
    match live {
        Some(live) => live.cut_off().await,
        None => std::future::pending().await,
    }
}

/// Notes a device's connection; `None` refuses a device that is revoked, not of this database, or whose certificate
/// ended too long ago (a resumed session of TLS does not show its certificate again).
async fn admit(
    serving: &Serving,
    certificate: Option<Fingerprint>,
) -> Option<Option<LiveConnection>> {
    let Some(fingerprint) = certificate else {
        return Some(None);
    };
    let store = &serving.home.store;
    let (device, certificate) = store.device_by_certificate(&fingerprint).await.ok()??;
    if certificate.not_after.plus_ms(RENEWAL_GRACE_MS) <= serving.home.clock.now() {
        return None;
    }
    let live = serving.live.enter(device.id);
    // Asked again now that a revocation would cut this connection.
    let device = store.device(device.id).await.ok()?;
    device.revoked_at_ms.is_none().then_some(Some(live))
}
