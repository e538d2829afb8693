//! A sans-IO client on a TCP connection of its own: connects when it is told to, and again.
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hearthline_transport::Reach;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::http::spoken;
use crate::mpd;
use crate::order::{Order, Told};
use crate::snapcast;
use crate::track::{Playlist, Track};

/// How long a server may take nothing.
const WRITE_MAX: Duration = Duration::from_secs(1);

/// What a client tells.
#[derive(Debug)]
pub(super) enum News {
    Told(Told),
    Library(Vec<Track>, Vec<Playlist>),
    Away(String),
}

/// What a client wants.
pub(super) enum Want {
    Connect,
    Close,
    Send(Vec<u8>),
    News(News),
    Timeout(Option<Duration>),
}

/// A client of a server.
pub(super) trait Core: Send + 'static {
    fn order(&mut self, token: u64, order: &Order, now: Duration);
    fn connected(&mut self, now: Duration);
    fn closed(&mut self, why: &str, now: Duration);
    fn bytes(&mut self, bytes: &[u8], now: Duration);
    fn timeout(&mut self, now: Duration);
    fn poll(&mut self) -> Want;
}

impl Core for mpd::client::Client {
    fn order(&mut self, token: u64, order: &Order, now: Duration) {
        self.handle_order(token, order, now);
    }

    fn connected(&mut self, now: Duration) {
        self.handle_connected(now);
    }

    fn closed(&mut self, why: &str, now: Duration) {
        self.handle_closed(why, now);
    }

    fn bytes(&mut self, bytes: &[u8], now: Duration) {
        self.handle_bytes(bytes, now);
    }

    fn timeout(&mut self, now: Duration) {
        self.handle_timeout(now);
    }

    fn poll(&mut self) -> Want {
        use mpd::client::Output;
        match self.poll_output() {
            Output::Connect => Want::Connect,
            Output::Close => Want::Close,
            Output::Send(bytes) => Want::Send(bytes),
            Output::Told(told) => Want::News(News::Told(told)),
            Output::Library { tracks, playlists } => Want::News(News::Library(tracks, playlists)),
            Output::Away(why) => Want::News(News::Away(why)),
            Output::Timeout(at) => Want::Timeout(at),
        }
    }
}

impl Core for snapcast::Rooms {
    fn order(&mut self, token: u64, order: &Order, now: Duration) {
        if let Order::Room { room, only } = order {
            self.handle_room(token, room, *only, now);
        }
    }

    fn connected(&mut self, now: Duration) {
        self.handle_connected(now);
    }

    fn closed(&mut self, why: &str, now: Duration) {
        self.handle_closed(why, now);
    }

    fn bytes(&mut self, bytes: &[u8], now: Duration) {
        self.handle_bytes(bytes, now);
    }

    fn timeout(&mut self, now: Duration) {
        self.handle_timeout(now);
    }

    fn poll(&mut self) -> Want {
        use snapcast::Output;
        match self.poll_output() {
            Output::Connect => Want::Connect,
            Output::Close => Want::Close,
            Output::Send(bytes) => Want::Send(bytes),
            Output::Told(told) => Want::News(News::Told(told)),
            Output::Timeout(at) => Want::Timeout(at),
        }
    }
}

/// An order on its way.
pub(super) type Ordered = (u64, Order);

/// Runs a client until nobody orders any more.
pub(super) async fn drive(
    mut core: impl Core,
    address: SocketAddr,
    mut orders: mpsc::Receiver<Ordered>,
    news: mpsc::Sender<News>,
) {
    let started = Instant::now();
    let mut stream: Option<TcpStream> = None;
    let mut opening: Option<JoinHandle<std::io::Result<TcpStream>>> = None;
    let mut buffer = vec![0; 16 * 1_024];
    loop {
        let until = loop {
            match core.poll() {
                Want::Connect => {
                    stream = None;
                    if let Some(opening) = opening.take() {
                        opening.abort();
                    }
                    match Reach::LoopbackOnly.check(address) {
                        Ok(()) => opening = Some(tokio::spawn(TcpStream::connect(address))),
                        Err(_) => core.closed("it is beyond this machine", started.elapsed()),
                    }
                }
                Want::Close => stream = None,
                Want::Send(bytes) => {
                    let Some(open) = &mut stream else { continue };
                    let sent = tokio::time::timeout(WRITE_MAX, open.write_all(&bytes)).await;
                    let why = match sent {
                        Ok(Ok(())) => continue,
                        Ok(Err(error)) => spoken(&error),
                        Err(_) => "it takes nothing".to_owned(),
                    };
                    stream = None;
                    core.closed(&why, started.elapsed());
                }
                Want::News(told) => {
                    if news.send(told).await.is_err() {
                        return;
                    }
                }
                Want::Timeout(at) => break at,
            }
        };
        let wait = until.map_or(Duration::from_secs(3_600), |at| {
            at.saturating_sub(started.elapsed())
        });
        tokio::select! {
            order = orders.recv() => match order {
                Some((token, order)) => core.order(token, &order, started.elapsed()),
                None => return,
            },
            opened = async { opening.as_mut().expect("guarded").await }, if opening.is_some() => {
                opening = None;
                match opened {
                    Ok(Ok(open)) => {
                        // Short commands must not wait for more.
                        let _ = open.set_nodelay(true);
                        stream = Some(open);
                        core.connected(started.elapsed());
                    }
                    Ok(Err(error)) => core.closed(&spoken(&error), started.elapsed()),
                    Err(_) => core.closed("the connection failed", started.elapsed()),
                }
            }
            read = async { stream.as_mut().expect("guarded").read(&mut buffer).await }, if stream.is_some() => {
                match read {
                    Ok(0) => {
                        stream = None;
                        core.closed("it hung up", started.elapsed());
                    }
                    Ok(count) => core.bytes(&buffer[..count], started.elapsed()),
                    Err(error) => {
                        stream = None;
                        core.closed(&spoken(&error), started.elapsed());
                    }
                }
            }
            () = tokio::time::sleep(wait) => core.timeout(started.elapsed()),
        }
    }
}
