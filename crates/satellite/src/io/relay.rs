//! Between the skill and the servers that are connected, by whichever protocol: the newest that serves is the one.
use std::collections::HashMap;

use hearthline_speaker::io::skills::Outside;
use serde::Deserialize as _;
use tokio::sync::mpsc;

use crate::exchange::{FromServer, ToServer};
use crate::hand_on::{Came, Out, decoded};

/// Messages that wait for one server or for the relay.
const MESSAGES_MAX: usize = 64;
/// Things that are played and not reported yet.
const PLAYS_MAX: usize = 256;

/// One connection's end.
#[derive(Debug)]
pub struct Place {
    number: u64,
    to_relay: mpsc::Sender<(u64, Message)>,
    /// What the relay has for the server.
    pub inbox: mpsc::Receiver<ToServer>,
}

#[derive(Debug)]
enum Message {
    Joined(mpsc::Sender<ToServer>),
    News(FromServer),
    Left,
}

impl Place {
    /// Tells the speaker.
    pub async fn tell(&self, news: FromServer) {
        let _ = self.to_relay.send((self.number, Message::News(news))).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (relay, number) = (self.to_relay.clone(), self.number);
        if let Err(mpsc::error::TrySendError::Full(left)) = relay.try_send((number, Message::Left))
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { relay.send(left).await });
        }
    }
}

/// Gives places to connections.
#[derive(Clone, Debug)]
pub struct Places {
    to_relay: mpsc::Sender<(u64, Message)>,
    numbers: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

impl Places {
    /// A place for a new connection.
    pub async fn join(&self) -> Place {
        let number = self
            .numbers
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (to_server, inbox) = mpsc::channel(MESSAGES_MAX);
        let joined = (number, Message::Joined(to_server));
        let _ = self.to_relay.send(joined).await;
        Place {
            number,
            to_relay: self.to_relay.clone(),
            inbox,
        }
    }
}

/// Starts the relay for the skill whose outside this is. It ends with the skill.
#[must_use]
pub fn start(outside: Outside) -> Places {
    let (to_relay, inbox) = mpsc::channel(MESSAGES_MAX);
    let relay = Relay {
        servers: HashMap::new(),
        serving: Vec::new(),
        plays: HashMap::new(),
        last_token: 0,
        busy: false,
        asked: None,
        outside,
        inbox,
    };
    tokio::spawn(relay.run());
    Places {
        to_relay,
        numbers: std::sync::Arc::default(),
    }
}

struct Relay {
    servers: HashMap<u64, mpsc::Sender<ToServer>>,
    /// Those that serve, the newest last.
    serving: Vec<u64>,
    /// Our token to the connection and its own.
    plays: HashMap<u64, (u64, u64)>,
    last_token: u64,
    busy: bool,
    /// What was handed on last, and to whom.
    asked: Option<(u64, u64)>,
    outside: Outside,
    inbox: mpsc::Receiver<(u64, Message)>,
}

impl Relay {
    async fn run(mut self) {
        loop {
            tokio::select! {
                out = self.outside.asked.recv() => match out {
                    Some(value) => {
                        if let Ok(out) = Out::deserialize(value) {
                            self.out(out).await;
                        }
                    }
                    None => return,
                },
                Some((number, message)) = self.inbox.recv() => self.message(number, message).await,
            }
        }
    }

    async fn came(&self, news: FromServer) {
        if let Ok(value) = serde_json::to_value(Came::from(news)) {
            let _ = self.outside.tell.send(value).await;
        }
    }

    async fn out(&mut self, out: Out) {
        match out {
            Out::HandOn { id, sound } => {
                let server = self.serving.last().copied();
                let sound = decoded(&sound).unwrap_or_default();
                let taken = server.and_then(|number| {
                    let to_server = self.servers.get(&number)?;
                    to_server.try_send(ToServer::HandOn { id, sound }).ok()
                });
                match (taken, server) {
                    (Some(()), Some(number)) => self.asked = Some((number, id)),
                    _ => {
                        let how = crate::exchange::Ended::Failed;
                        self.came(FromServer::Ended { id, how }).await;
                    }
                }
            }
            Out::Busy(busy) => {
                self.busy = busy;
                for to_server in self.servers.values() {
                    let _ = to_server.try_send(ToServer::Busy(busy));
                }
            }
            Out::Played { token, whole } => {
                if let Some((number, token)) = self.plays.remove(&token)
                    && let Some(to_server) = self.servers.get(&number)
                {
                    let _ = to_server.try_send(ToServer::Played { token, whole });
                }
            }
        }
    }

    async fn message(&mut self, number: u64, message: Message) {
        match message {
            Message::Joined(to_server) => {
                let _ = to_server.try_send(ToServer::Busy(self.busy));
                self.servers.insert(number, to_server);
            }
            Message::News(FromServer::Serves(true)) => {
                let before = self.serving.last().copied();
                self.serving.retain(|one| *one != number);
                self.serving.push(number);
                if before.is_none() {
                    self.came(FromServer::Serves(true)).await;
                }
            }
            Message::News(FromServer::Serves(false)) => self.rests(number).await,
            // Who no longer serves says nothing in this room.
            Message::News(_) if self.serving.last() != Some(&number) => {
                self.message_of_another(number, message);
            }
            Message::News(FromServer::Play {
                token,
                answers,
                sound,
            }) => {
                if self.plays.len() >= PLAYS_MAX {
                    self.plays.clear();
                }
                self.last_token += 1;
                self.plays.insert(self.last_token, (number, token));
                let token = self.last_token;
                let play = FromServer::Play {
                    token,
                    answers,
                    sound,
                };
                self.came(play).await;
            }
            Message::News(news) => self.came(news).await,
            Message::Left => {
                self.servers.remove(&number);
                self.plays.retain(|_, (of, _)| *of != number);
                self.rests(number).await;
            }
        }
    }

    /// A connection that is not the one that serves: what it wants played is over at once.
    fn message_of_another(&self, number: u64, message: Message) {
        if let (Message::News(FromServer::Play { token, .. }), Some(to_server)) =
            (message, self.servers.get(&number))
        {
            let _ = to_server.try_send(ToServer::Played {
                token,
                whole: false,
            });
        }
    }

    async fn rests(&mut self, number: u64) {
        if !self.serving.contains(&number) {
            return;
        }
        if let Some((_, id)) = self.asked.take_if(|(of, _)| *of == number) {
            let how = crate::exchange::Ended::Failed;
            self.came(FromServer::Ended { id, how }).await;
        }
        self.serving.retain(|one| *one != number);
        if self.serving.is_empty() {
            self.came(FromServer::Serves(false)).await;
        }
    }
}
