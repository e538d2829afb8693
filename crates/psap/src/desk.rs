//! The task that owns the call-taker's core: everything that happens comes here, one at a time.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hearthline_transport::{FromNetwork, GuardedUdp, Sockets, ToNetwork};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::behaviour::Behaviour;
use crate::call_taker::{CallTaker, Event, Output};
use crate::config::Print;
use crate::report::CallReport;
use crate::screen::{Job, Screen, Written};

/// Largest datagram of media.
const DATAGRAM_BYTES: usize = 2_048;

/// Something asked of the running call-taker.
pub(crate) enum Command {
    Reports(oneshot::Sender<Vec<CallReport>>),
    Report(u32, oneshot::Sender<Option<CallReport>>),
    Behaviours(Vec<Behaviour>),
    Answer(u32, oneshot::Sender<bool>),
    HangUp(u32, Option<oneshot::Sender<bool>>),
    Listen(u32, Ear, bool, oneshot::Sender<bool>),
    Stop,
}

/// The page that hears a call.
pub(crate) struct Ear {
    /// What the page calls itself.
    pub(crate) page: String,
    pub(crate) samples: mpsc::Sender<Vec<i16>>,
}

/// What the person at the console said into a call.
pub(crate) struct Said {
    pub(crate) call: u32,
    pub(crate) samples: Vec<i16>,
}

/// The task that owns the core.
pub(crate) struct Desk {
    pub(crate) core: CallTaker,
    pub(crate) sockets: Sockets,
    pub(crate) media: HashMap<u16, Arc<GuardedUdp>>,
    pub(crate) screen: Screen,
    pub(crate) records: bool,
    pub(crate) print: Print,
    pub(crate) epoch: Instant,
    /// Who listens to a call at the console.
    pub(crate) ears: HashMap<u32, Ear>,
    /// Tells watching pages.
    pub(crate) changed: watch::Sender<u64>,
    pub(crate) _readers: JoinSet<()>,
}

impl Desk {
    pub(crate) async fn work(
        mut self,
        mut datagrams: mpsc::Receiver<Datagram>,
        mut commands: mpsc::Receiver<Command>,
        mut hears: mpsc::Receiver<Said>,
        mut recordings: mpsc::Receiver<Written>,
    ) {
        loop {
            let deadline = self.drain();
            let changes = self.core.changes();
            self.changed
                .send_if_modified(|seen| std::mem::replace(seen, changes) != changes);
            let wake = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until((self.epoch + at).into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(news) = self.sockets.receiver.recv() => self.on_network(&news),
                Some((port, from, bytes)) = datagrams.recv() => {
                    let now = self.epoch.elapsed();
                    self.core.handle_media(port, from, &bytes, now);
                }
                Some(said) = hears.recv() => self.core.handle_person(said.call, &said.samples),
                Some(written) = recordings.recv() => match written {
                    Written::Begun { call, path } => {
                        self.core.set_recording(call, path.display().to_string());
                    }
                    Written::Whole { call } => self.core.set_recorded(call),
                },
                command = commands.recv() => match command {
                    Some(Command::Reports(answer)) => {
                        let _ = answer.send(self.core.reports());
                    }
                    Some(Command::Report(call, answer)) => {
                        let _ = answer.send(self.core.report(call));
                    }
                    Some(Command::Answer(call, answer)) => {
                        let done = self.core.answer_call(call, self.epoch.elapsed());
                        let _ = answer.send(done.is_ok());
                    }
                    Some(Command::Listen(call, ear, again, answer)) => {
                        self.ears.retain(|_, ear| !ear.samples.is_closed());
                        let other = self.ears.get(&call).is_some_and(|now| now.page != ear.page);
                        let has = !(again && other);
                        if has {
                            self.ears.insert(call, ear);
                        }
                        let _ = answer.send(has);
                    }
                    Some(Command::Behaviours(behaviours)) => self.core.set_behaviours(behaviours),
                    Some(Command::HangUp(call, answer)) => {
                        let done = self.core.hang_up(call, self.epoch.elapsed());
                        if let Some(answer) = answer {
                            let _ = answer.send(done.is_ok());
                        }
                    }
                    Some(Command::Stop) | None => break,
                },
                () = wake => self.core.handle_timeout(self.epoch.elapsed()),
            }
        }
        for report in self.core.reports() {
            let _ = self.core.hang_up(report.id, self.epoch.elapsed());
        }
        self.drain();
        // The goodbyes are in the sockets' queue; give them a moment to leave.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    fn on_network(&mut self, news: &FromNetwork) {
        if let Some(input) = news.as_input() {
            self.core.handle_sip(input, self.epoch.elapsed());
        }
    }

    /// Does what the core wants; returns when it wants to be called again.
    fn drain(&mut self) -> Option<Duration> {
        loop {
            let job = match self.core.poll_output(self.epoch.elapsed()) {
                Output::Sip { target, bytes } => {
                    // Full: the message is repeated, or the transaction ends by its timer.
                    let _ = self
                        .sockets
                        .sender
                        .try_send(ToNetwork::Transmit { target, bytes });
                    continue;
                }
                Output::CloseStream { transport, remote } => {
                    let _ = self
                        .sockets
                        .sender
                        .try_send(ToNetwork::Close { transport, remote });
                    continue;
                }
                Output::Media { port, to, bytes } => {
                    if let Some(socket) = self.media.get(&port) {
                        let _ = socket.try_send_to(&bytes, to); // refused beyond loopback, dropped when full
                    }
                    continue;
                }
                Output::Heard { call, samples } => {
                    if let Some(ear) = self.ears.get(&call) {
                        let _ = ear.samples.try_send(samples.clone()); // full or gone: late sound is worth nothing
                    }
                    if !self.records {
                        continue;
                    }
                    Job::Heard { call, samples }
                }
                Output::Event(event) => {
                    if let Event::Ended { call, .. } = event {
                        self.ears.remove(&call);
                        self.screen.put(Job::Finished { call });
                    }
                    match self.line(&event) {
                        Some(line) => Job::Line(line),
                        None => continue,
                    }
                }
                Output::Timeout(next) => return next,
            };
            self.screen.put(job);
        }
    }

    fn line(&self, event: &Event) -> Option<String> {
        if self.print == Print::Nothing {
            return None;
        }
        Some(match event {
            Event::Arrived { call } => format!("call {call}: arrived"),
            Event::Fact { call, fact } if self.print == Print::Facts => {
                format!("call {call}: {fact}")
            }
            Event::Fact { call, fact } => format!("call {call}: {}", fact.without_value()),
            Event::Answered { call } => format!("call {call}: answered"),
            Event::Confirmed { call } => format!("call {call}: confirmed, two-way audio open"),
            Event::Ended { call, by } => format!("call {call}: ended by {by}"),
            Event::Trouble { call, why } => format!("call {call}: trouble: {why}"),
            Event::Media { call, event } => match event {
                hearthline_media::Event::FirstPacketReceived => {
                    format!("call {call}: caller heard")
                }
                hearthline_media::Event::MediaLost => format!("call {call}: caller not heard"),
                hearthline_media::Event::MediaResumed => format!("call {call}: caller heard again"),
                _ => return None,
            },
        })
    }
}

/// A datagram and the port it came to.
pub(crate) type Datagram = (u16, SocketAddr, Vec<u8>);

pub(crate) async fn read(port: u16, socket: Arc<GuardedUdp>, datagrams: mpsc::Sender<Datagram>) {
    let mut buffer = vec![0; DATAGRAM_BYTES];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, from)) => {
                // Full: late audio is worth nothing.
                if let Err(mpsc::error::TrySendError::Closed(_)) =
                    datagrams.try_send((port, from, buffer[..length].to_vec()))
                {
                    return;
                }
            }
            // A caller that is gone answers by ICMP; the socket stays good.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {}
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
