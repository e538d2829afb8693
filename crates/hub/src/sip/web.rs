//! SIP over WebSocket (RFC 7118): one SIP message a WebSocket message, on the hub's HTTPS server.
//!
//! ```text
//! /sip ─► gate: who? ─► upgrade ─► carry: frames ─► parse ─► switchboard
//!                                    ▲  └─ ping, silence, flood, the right that ended: Close
//!                                    └──── what the switchboard sends
//! ```

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hearthline_sip::framer::Frame;
use hearthline_sip::outbound::{Flow, FlowTransport};
use hearthline_sip::{Limits, parse_datagram};
use hearthline_transport::websocket::{Fault, FrameReader, Received, closing, message, ping, pong};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout, timeout_at};

use super::flows::{Certified, FlowNumbers};
use super::sockets::Surroundings;
use super::switchboard::News;
use crate::live::{LiveConnection, LiveConnections};
use crate::serve::{Open, Place};

/// Largest message: what UDP could carry.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Small: thousands of connections are silent most of the time.
const READ_BYTES: usize = 4 * 1024;
/// Messages that wait for one connection.
const QUEUE_MAX: usize = 64;
/// What was begun must be whole within this time.
const MESSAGE_TIME_MAX: Duration = Duration::from_secs(30);
/// How often a Ping is sent and the right to be here is looked at again.
const BEAT: Duration = Duration::from_secs(15);
/// A peer that answers no Ping for this long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(50);
const WRITE_TIME_MAX: Duration = Duration::from_secs(5);
/// Frames at once, and one more every so often.
const FRAMES_BURST: u32 = 200;
const FRAME_EVERY: Duration = Duration::from_millis(10);
/// Messages that were no SIP, over the whole life of a connection.
const GARBAGE_MAX: u32 = 16;

/// The part of the SIP server that connections from HTTPS need.
#[derive(Clone)]
pub(crate) struct Entrance {
    pub(crate) live: LiveConnections,
    pub(crate) news: mpsc::Sender<News>,
    pub(crate) numbers: FlowNumbers,
    pub(crate) open: Open,
    pub(crate) connections_max: usize,
    pub(crate) connections_by_source_max: usize,
}

impl Entrance {
    pub(crate) fn of(around: &Surroundings) -> Self {
        Self {
            live: around.live.clone(),
            news: around.news.clone(),
            numbers: around.numbers.clone(),
            open: around.open.clone(),
            connections_max: around.connections_max,
            connections_by_source_max: around.connections_by_source_max,
        }
    }

    /// A place among the SIP connections; `None`: there are too many.
    pub(crate) fn enter(&self, source: IpAddr) -> Option<Place> {
        self.open
            .enter(source, self.connections_max, self.connections_by_source_max)
    }

    /// The flow of a new connection.
    pub(crate) fn flow(&self, local: SocketAddr, remote: SocketAddr) -> Flow {
        Flow {
            id: self.numbers.next(),
            transport: FlowTransport::Wss,
            local,
            remote,
        }
    }
}

/// A connection before it runs.
pub(crate) struct WebLink {
    pub(crate) flow: Flow,
    /// The device behind it; without one every request is proven by digest.
    pub(crate) certified: Option<Certified>,
    pub(crate) live: Option<LiveConnection>,
}

/// How many frames a peer may still send.
struct Allowance {
    full_at: Instant,
}

impl Allowance {
    fn take(&mut self, now: Instant) -> Result<(), Fault> {
        let full_at = self.full_at.max(now) + FRAME_EVERY;
        if full_at > now + FRAME_EVERY * FRAMES_BURST {
            return Err(Fault::Policy("too many frames"));
        }
        self.full_at = full_at;
        Ok(())
    }
}

/// Carries messages until one side is done. `still` says whether whoever opened it may still be here.
pub(crate) async fn carry<S: AsyncRead + AsyncWrite, Still: Future<Output = bool>>(
    stream: S,
    link: WebLink,
    mut stop: watch::Receiver<bool>,
    news: mpsc::Sender<News>,
    still: impl Fn() -> Still,
) {
    let WebLink {
        flow,
        certified,
        mut live,
    } = link;
    let (queue, mut messages) = mpsc::channel(QUEUE_MAX);
    let opened = News::Opened {
        flow,
        certified,
        queue,
    };
    if news.send(opened).await.is_err() {
        return;
    }
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut incoming = Incoming::new(flow, news.clone());
    let mut buffer = vec![0; READ_BYTES];
    let mut beat = interval_at(Instant::now() + BEAT, BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let fault = loop {
        let cut = async {
            match &mut live {
                Some(live) => live.cut_off().await,
                None => std::future::pending().await,
            }
        };
        let stopped = async {
            // An error means that the hub is gone, which is the same.
            let _ = stop.wait_for(|stop| *stop).await;
        };
        tokio::select! {
            read = timeout_at(incoming.until, reader.read(&mut buffer)) => match read {
                Err(_) => break Some(Fault::Slow),
                Ok(Ok(count @ 1..)) => match incoming.take(&buffer[..count], &mut writer).await {
                    Ok(true) => {}
                    Ok(false) => break None,
                    Err(fault) => break Some(fault),
                },
                Ok(_) => break None,
            },
            bytes = messages.recv() => match bytes {
                Some(bytes) => if let Err(fault) = write(&mut writer, &message(&bytes)).await {
                    break Some(fault);
                },
                None => break Some(Fault::Policy("the connection is not wanted any more")),
            },
            _ = beat.tick() => {
                if incoming.heard.elapsed() > SILENCE_MAX {
                    break Some(Fault::Slow);
                }
                if !still().await {
                    break Some(Fault::Policy("whoever opened this may do so no more"));
                }
                if let Err(fault) = write(&mut writer, &ping()).await {
                    break Some(fault);
                }
            },
            () = cut => break Some(Fault::Policy("the device was revoked")),
            () = stopped => break Some(Fault::GoingAway),
        }
    };
    let _ = news.send(News::Closed { flow: flow.id }).await;
    let status = fault.map_or(1000, Fault::status);
    // The peer is to know why; whether it still listens is its own affair.
    let _ = timeout(Duration::from_secs(1), async {
        let _ = writer.write_all(&closing(status)).await;
        let _ = writer.shutdown().await;
    })
    .await;
}

/// What comes from the peer.
struct Incoming {
    flow: Flow,
    news: mpsc::Sender<News>,
    frames: FrameReader,
    limits: Limits,
    allowance: Allowance,
    garbage: u32,
    heard: Instant,
    /// When what was begun must be whole.
    until: Instant,
}

impl Incoming {
    fn new(flow: Flow, news: mpsc::Sender<News>) -> Self {
        let now = Instant::now();
        Self {
            flow,
            news,
            frames: FrameReader::new(MESSAGE_BYTES_MAX),
            limits: Limits::default(),
            allowance: Allowance { full_at: now },
            garbage: 0,
            heard: now,
            until: now + SILENCE_MAX,
        }
    }

    /// `false`: the peer closes.
    async fn take<S: AsyncWrite>(
        &mut self,
        bytes: &[u8],
        writer: &mut WriteHalf<S>,
    ) -> Result<bool, Fault> {
        let was_within = self.frames.is_within();
        let mut whole = false;
        self.frames.push(bytes);
        while let Some(received) = self.frames.next()? {
            let now = Instant::now();
            whole = true;
            self.heard = now;
            self.allowance.take(now)?;
            match received {
                Received::Text(text) => self.message(text.as_bytes()).await?,
                Received::Binary(bytes) => self.message(&bytes).await?,
                Received::Ping(payload) => write(writer, &pong(&payload)).await?,
                Received::Pong => {}
                Received::Close => return Ok(false),
            }
        }
        // Half a message, byte by byte, holds a place for no longer than half a message at once.
        if !self.frames.is_within() {
            self.until = Instant::now() + SILENCE_MAX * 2;
        } else if whole || !was_within {
            self.until = Instant::now() + MESSAGE_TIME_MAX;
        }
        Ok(true)
    }

    async fn message(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let frame = match bytes {
            b"\r\n\r\n" => Frame::Ping,
            b"\r\n" => Frame::Pong,
            bytes => match parse_datagram(bytes, &self.limits) {
                Ok(message) => Frame::Message(message),
                Err(error) => {
                    self.garbage += 1;
                    if self.garbage > GARBAGE_MAX {
                        return Err(Fault::Policy("too many messages that are no SIP"));
                    }
                    Frame::Rejected(error)
                }
            },
        };
        let flow = self.flow;
        let sent = self.news.send(News::Frame { flow, frame }).await;
        sent.map_err(|_| Fault::GoingAway)
    }
}

async fn write<S: AsyncWrite>(writer: &mut WriteHalf<S>, bytes: &[u8]) -> Result<(), Fault> {
    let sent = timeout(WRITE_TIME_MAX, async {
        writer.write_all(bytes).await?;
        writer.flush().await
    });
    match sent.await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Fault::Slow),
    }
}
