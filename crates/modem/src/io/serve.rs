//! The line on real sockets.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hearthline_emergency::numbers::Country;
use hearthline_sip::target::{Target, Transport};
use hearthline_transport::{
    BindError, FromNetwork, GuardedUdp, Reach, RtpPair, Sockets, SocketsConfig, ToNetwork,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::address::BusAddress;
use super::bus::{BusNews, BusSocket};
use super::sound::{Sound, SoundCommands, SoundNews};
use crate::line::{Event, ModemConfig, ModemLine, Output};
use crate::number::PhoneNumber;
use crate::service::{Health, ModemFacts};
use crate::text_message::{TextError, TextHandle};

const DATAGRAM_BYTES: usize = 2_048;
/// News of each kind that may wait.
const WAITING_MAX: usize = 1_024;
/// Pause before a lost bus is connected again.
const BUS_PAUSE: Duration = Duration::from_secs(1);
/// Time that goodbyes have to leave.
const LEAVE_TIME: Duration = Duration::from_millis(50);

/// How the line runs.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// The bus with the modem.
    pub bus: BusAddress,
    /// Where the line is reached by SIP, by UDP and TCP; port 0 takes a free one.
    pub sip: SocketAddr,
    /// Where calls and texts that come in are sent, by UDP; `None`: calls are left to ring, texts are told as events.
    pub ring: Option<SocketAddr>,
    /// Whose emergency numbers `urn:service:sos` means.
    pub country: Country,
    /// Commands for sound that goes to a sound card.
    pub sound: Option<SoundCommands>,
    /// Whether short messages are taken off the modem, once somebody has them.
    pub take_texts: bool,
}

impl ServeConfig {
    /// On this bus, at a free port, for the United States.
    #[must_use]
    pub fn new(bus: BusAddress) -> Self {
        Self {
            bus,
            sip: SocketAddr::from(([127, 0, 0, 1], 0)),
            ring: None,
            country: Country::UnitedStates,
            sound: None,
            take_texts: true,
        }
    }
}

/// Why the line cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A SIP socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Another address than one of this machine.
    #[error("the line stays on this machine: use an address such as 127.0.0.1:5070")]
    OutOfReach,
    /// A socket, or randomness.
    #[error("{what}: {error}")]
    Io {
        /// For what.
        what: &'static str,
        /// What the system says.
        error: io::Error,
    },
}

/// Why a message is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextRefused {
    /// The line says no.
    #[error(transparent)]
    Line(#[from] TextError),
    /// The line does not run any more.
    #[error("the line has stopped")]
    Stopped,
}

type Answer = oneshot::Sender<Result<TextHandle, TextError>>;

enum Order {
    Text(PhoneNumber, String, Answer),
    Kept(TextHandle),
    Facts(oneshot::Sender<(Health, Option<ModemFacts>)>),
    Stop,
}

/// A running line. Dropping it ends it at once; [`Running::stop`] says goodbye first.
pub struct Running {
    /// Where it is reached by SIP.
    pub sip: SocketAddr,
    /// What it has to tell. When nobody reads, the newest is dropped; a message is then told after the next start.
    pub events: mpsc::Receiver<Event>,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<()>,
}

impl Running {
    /// Sends a short message; what becomes of it comes as an event.
    ///
    /// # Errors
    /// [`TextRefused`].
    pub async fn send_text(
        &self,
        number: PhoneNumber,
        text: impl Into<String>,
    ) -> Result<TextHandle, TextRefused> {
        let (answer, waiting) = oneshot::channel();
        let order = Order::Text(number, text.into(), answer);
        let sent = self.orders.send(order).await;
        sent.map_err(|_| TextRefused::Stopped)?;
        Ok(waiting.await.map_err(|_| TextRefused::Stopped)??)
    }

    /// A message that came is kept elsewhere now, and may be taken off the modem.
    pub async fn text_kept(&self, handle: TextHandle) {
        let _ = self.orders.send(Order::Kept(handle)).await;
    }

    /// Whether it works, and what is known of the modem; `None`: it has stopped.
    pub async fn facts(&self) -> Option<(Health, Option<ModemFacts>)> {
        let (answer, waiting) = oneshot::channel();
        self.orders.send(Order::Facts(answer)).await.ok()?;
        waiting.await.ok()
    }

    /// Ends its call and itself.
    pub async fn stop(mut self) {
        let _ = self.orders.send(Order::Stop).await;
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts the line.
///
/// # Errors
/// [`StartError`]. A bus that is not there is no error: the line says so and goes on trying.
pub async fn start(config: ServeConfig) -> Result<Running, StartError> {
    let io = |what| move |error| StartError::Io { what, error };
    let within = |address: SocketAddr| Reach::LoopbackOnly.check(address).is_ok();
    if !within(config.sip) || config.ring.is_some_and(|ring| !within(ring)) {
        return Err(StartError::OutOfReach);
    }
    let mut sockets = SocketsConfig::new(Reach::LoopbackOnly);
    let mut address = config.sip;
    if address.port() == 0 {
        let probe = tokio::net::UdpSocket::bind(address).await;
        let probe = probe.and_then(|socket| socket.local_addr());
        address = probe.map_err(io("SIP port"))?;
    }
    sockets.udp.push(address);
    sockets.tcp.push(address);
    let sockets = Sockets::bind(sockets).await?;
    let media = RtpPair::bind(address.ip(), Reach::LoopbackOnly)
        .await
        .map_err(io("media ports"))?;
    let media_port = media.port().map_err(io("media ports"))?;
    let mut seed = [0; 32];
    rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty())
        .map_err(|error| io("randomness")(error.into()))?;
    let mut own = ModemConfig::new(seed, sockets.local.clone(), media_port);
    own.media_address = address.ip();
    own.ring = config.ring.map(|ring| Target::new(Transport::Udp, ring));
    own.country = config.country;
    own.sound_by_command = config.sound.is_some();
    own.take_texts = config.take_texts;
    own.unix_time_at_zero = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();

    let (media_news, datagrams) = mpsc::channel(WAITING_MAX);
    let mut readers = JoinSet::new();
    let media = [Arc::new(media.rtp), Arc::new(media.rtcp)];
    for (rtcp, socket) in [(false, &media[0]), (true, &media[1])] {
        readers.spawn(read(rtcp, socket.clone(), media_news.clone()));
    }
    let (told, events) = mpsc::channel(WAITING_MAX);
    let (orders, asked) = mpsc::channel(WAITING_MAX);
    let (bus_news, from_bus) = mpsc::channel(WAITING_MAX);
    let (sound_news, from_sound) = mpsc::channel(WAITING_MAX);
    let desk = Desk {
        line: ModemLine::new(own),
        config,
        sockets,
        media,
        told,
        bus: None,
        bus_at: Some(Duration::ZERO),
        buses: 0,
        bus_news,
        sound: None,
        sounds: 0,
        sound_news,
        epoch: Instant::now(),
        _readers: readers,
    };
    Ok(Running {
        sip: address,
        events,
        orders,
        task: tokio::spawn(desk.work(datagrams, from_bus, from_sound, asked)),
    })
}

type Datagram = (bool, SocketAddr, Vec<u8>);

async fn read(rtcp: bool, socket: Arc<GuardedUdp>, news: mpsc::Sender<Datagram>) {
    let mut buffer = vec![0; DATAGRAM_BYTES];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, from)) => {
                // Full: late audio is worth nothing.
                if let Err(mpsc::error::TrySendError::Closed(_)) =
                    news.try_send((rtcp, from, buffer[..length].to_vec()))
                {
                    return;
                }
            }
            // A caller that is gone answers by ICMP; the socket stays good.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// The task that owns the line.
struct Desk {
    line: ModemLine,
    config: ServeConfig,
    sockets: Sockets,
    media: [Arc<GuardedUdp>; 2],
    told: mpsc::Sender<Event>,
    bus: Option<BusSocket>,
    /// When the bus is connected (again).
    bus_at: Option<Duration>,
    buses: u64,
    bus_news: mpsc::Sender<BusNews>,
    sound: Option<Sound>,
    sounds: u64,
    sound_news: mpsc::Sender<SoundNews>,
    epoch: Instant,
    _readers: JoinSet<()>,
}

impl Desk {
    async fn work(
        mut self,
        mut datagrams: mpsc::Receiver<Datagram>,
        mut from_bus: mpsc::Receiver<BusNews>,
        mut from_sound: mpsc::Receiver<SoundNews>,
        mut orders: mpsc::Receiver<Order>,
    ) {
        loop {
            let line_at = self.drain();
            let wake_at = [line_at, self.bus_at].into_iter().flatten().min();
            let wake = async {
                match wake_at {
                    Some(at) => tokio::time::sleep_until((self.epoch + at).into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(news) = self.sockets.receiver.recv() => self.on_network(&news),
                Some((rtcp, from, bytes)) = datagrams.recv() => {
                    self.line.handle_media(rtcp, from, &bytes, self.epoch.elapsed());
                }
                Some(news) = from_bus.recv() => self.on_bus(news),
                Some(news) = from_sound.recv() => self.on_sound(news),
                order = orders.recv() => match order {
                    Some(Order::Text(number, text, answer)) => {
                        let now = self.epoch.elapsed();
                        let _ = answer.send(self.line.send_text(&number, &text, now));
                    }
                    Some(Order::Kept(handle)) => self.line.text_kept(handle, self.epoch.elapsed()),
                    Some(Order::Facts(answer)) => {
                        let _ = answer.send((self.line.health(), self.line.modem().cloned()));
                    }
                    Some(Order::Stop) | None => break,
                },
                () = wake => {
                    let now = self.epoch.elapsed();
                    if self.bus_at.is_some_and(|at| at <= now) {
                        self.connect();
                    }
                    self.line.handle_timeout(now);
                }
            }
        }
        self.line.hang_up(self.epoch.elapsed());
        self.drain();
        // The goodbyes are in queues; give them a moment to leave.
        tokio::time::sleep(LEAVE_TIME).await;
    }

    fn connect(&mut self) {
        self.bus_at = None;
        self.buses += 1;
        let address = self.config.bus.clone();
        self.bus = Some(BusSocket::open(address, self.buses, self.bus_news.clone()));
    }

    fn lose_bus(&mut self) {
        self.bus = None;
        self.bus_at = Some(self.epoch.elapsed() + BUS_PAUSE);
    }

    fn on_bus(&mut self, news: BusNews) {
        let now = self.epoch.elapsed();
        let current = self.bus.as_ref().map(|bus| bus.number);
        match news {
            BusNews::Opened(number) if Some(number) == current => self.line.handle_bus_opened(now),
            BusNews::Bytes(number, bytes) if Some(number) == current => {
                self.line.handle_bus_bytes(&bytes, now);
            }
            BusNews::Closed(number) if Some(number) == current => {
                self.line.handle_bus_closed(now);
                self.lose_bus();
            }
            _ => {} // of a connection that was given up
        }
    }

    fn on_sound(&mut self, news: SoundNews) {
        let now = self.epoch.elapsed();
        match news {
            SoundNews::Samples(number, samples) if number == self.sounds => {
                self.line.handle_sound(&samples, now);
            }
            SoundNews::Failed(number) if number == self.sounds && self.sound.is_some() => {
                self.sound = None;
                self.line.handle_sound_failed(now);
            }
            _ => {}
        }
    }

    fn on_network(&mut self, news: &FromNetwork) {
        if let Some(input) = news.as_input() {
            self.line.handle_sip(input, self.epoch.elapsed());
        }
    }

    /// Does what the line wants; returns when it wants to be called again.
    fn drain(&mut self) -> Option<Duration> {
        loop {
            match self.line.poll_output(self.epoch.elapsed()) {
                // Full queues: a message is repeated, or its transaction ends by its timer.
                Output::Sip { target, bytes } => {
                    let message = ToNetwork::Transmit { target, bytes };
                    let _ = self.sockets.sender.try_send(message);
                }
                Output::CloseStream { transport, remote } => {
                    let message = ToNetwork::Close { transport, remote };
                    let _ = self.sockets.sender.try_send(message);
                }
                Output::Media { rtcp, to, bytes } => {
                    // Refused beyond loopback, dropped when full.
                    let _ = self.media[usize::from(rtcp)].try_send_to(&bytes, to);
                }
                Output::Bus(bytes) => {
                    let taken = self.bus.as_ref().is_some_and(|bus| bus.send(bytes));
                    if !taken && self.bus.is_some() {
                        self.lose_bus();
                        self.line.handle_bus_closed(self.epoch.elapsed());
                    }
                }
                Output::CloseBus => self.lose_bus(),
                Output::OpenSound(place) => {
                    self.sounds += 1;
                    let commands = self.config.sound.clone();
                    let news = self.sound_news.clone();
                    self.sound = Some(Sound::open(place, commands, self.sounds, news));
                }
                Output::Play(samples) => {
                    if let Some(sound) = &self.sound {
                        sound.play(samples);
                    }
                }
                Output::CloseSound => self.sound = None,
                Output::Event(event) => {
                    let _ = self.told.try_send(event);
                }
                Output::Timeout(next) => return next,
            }
        }
    }
}
