//! One connection to a broker: who we are, what we follow, what is not acknowledged yet. No socket.
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use zeroize::Zeroizing;

use super::packet::{self, Connect, Fault, PacketReader, Received, Will};

/// Largest packet, in bytes: zigbee2mqtt's list of some thousand devices.
pub const PACKET_BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// How long the broker may take to let us in.
const CONNACK_MAX: Duration = Duration::from_secs(5);
/// Silence of ours after which a PINGREQ is sent.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// How long its answer may take.
const PING_MAX: Duration = Duration::from_secs(8);
/// Most publishes that wait to be acknowledged.
const UNACKNOWLEDGED_MAX: usize = 500;
/// Filters in one SUBSCRIBE.
const FILTERS_MAX: usize = 200;

/// Who connects.
#[derive(Clone)]
pub struct Login {
    /// The client's name.
    pub client: String,
    /// Name and password.
    pub user: Option<(String, Zeroizing<String>)>,
    /// What the broker says when we vanish.
    pub will: Option<Will>,
}

impl core::fmt::Debug for Login {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Login")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// What the session wants or tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes. They may hold the password: never log them.
    Send(Vec<u8>),
    /// The broker let us in.
    Entered,
    /// A message.
    Message {
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Vec<u8>,
        /// The broker kept it from before.
        retained: bool,
    },
    /// The broker has what was published under this token.
    Published(u64),
    /// Close the connection, and why.
    Close(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Closed,
    Entering { until: Duration },
    Open,
}

/// The session.
#[derive(Debug)]
pub struct Session {
    login: Login,
    standing: Standing,
    reader: PacketReader,
    next_id: u16,
    unacknowledged: BTreeMap<u16, u64>,
    sent_at: Duration,
    ping_sent: Option<Duration>,
    outputs: VecDeque<Output>,
}

impl Session {
    /// Not connected yet.
    #[must_use]
    pub fn new(login: Login) -> Self {
        Self {
            login,
            standing: Standing::Closed,
            reader: PacketReader::new(PACKET_BYTES_MAX),
            next_id: 0,
            unacknowledged: BTreeMap::new(),
            sent_at: Duration::ZERO,
            ping_sent: None,
            outputs: VecDeque::new(),
        }
    }

    /// A connection stands.
    pub fn opened(&mut self, now: Duration) {
        self.reader = PacketReader::new(PACKET_BYTES_MAX);
        self.unacknowledged.clear();
        self.ping_sent = None;
        self.standing = Standing::Entering {
            until: now + CONNACK_MAX,
        };
        let login = self.login.user.as_ref();
        let hello = packet::connect(&Connect {
            client: &self.login.client,
            keep_alive_s: 2 * KEEP_ALIVE.as_secs() as u16,
            login: login.map(|(name, password)| (name.as_str(), password.as_bytes())),
            will: self.login.will.as_ref(),
        });
        self.send(hello, now);
    }

    /// The connection is gone.
    pub fn closed(&mut self) {
        self.standing = Standing::Closed;
        self.unacknowledged.clear();
    }

    /// Whether messages can be published.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.standing == Standing::Open
    }

    /// Follows topics.
    pub fn follow(&mut self, filters: &[&str], now: Duration) {
        for some in filters.chunks(FILTERS_MAX) {
            let id = self.id();
            self.send(packet::subscription(id, some), now);
        }
    }

    /// Publishes, at least once. False: too much waits, or there is no broker.
    pub fn publish(
        &mut self,
        topic: &str,
        payload: &[u8],
        retain: bool,
        token: u64,
        now: Duration,
    ) -> bool {
        if !self.is_open() || self.unacknowledged.len() >= UNACKNOWLEDGED_MAX {
            return false;
        }
        let id = self.id();
        self.unacknowledged.insert(id, token);
        self.send(packet::publishing(topic, payload, Some(id), retain), now);
        true
    }

    /// Bytes have come.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Duration) {
        if self.standing == Standing::Closed {
            return;
        }
        self.reader.push(bytes);
        loop {
            match self.reader.next() {
                Ok(Some(received)) => {
                    if let Err(fault) = self.received(received, now) {
                        return self.close(&fault.to_string());
                    }
                }
                Ok(None) => return,
                Err(fault) => return self.close(&fault.to_string()),
            }
            if self.standing == Standing::Closed {
                return;
            }
        }
    }

    /// The time of [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        match self.standing {
            Standing::Entering { until } if until <= now => {
                self.close("the broker does not let us in");
            }
            Standing::Open => match self.ping_sent {
                Some(sent) if sent + PING_MAX <= now => self.close("the broker does not answer"),
                None if self.sent_at + KEEP_ALIVE <= now => {
                    self.send(packet::ping(), now);
                    self.ping_sent = Some(now);
                }
                _ => {}
            },
            Standing::Entering { .. } | Standing::Closed => {}
        }
    }

    /// When [`Self::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        match self.standing {
            Standing::Closed => None,
            Standing::Entering { until } => Some(until),
            Standing::Open => Some(match self.ping_sent {
                Some(sent) => sent + PING_MAX,
                None => self.sent_at + KEEP_ALIVE,
            }),
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn received(&mut self, received: Received, now: Duration) -> Result<(), Fault> {
        match (received, self.standing) {
            (Received::ConnAck { code: 0 }, Standing::Entering { .. }) => {
                self.standing = Standing::Open;
                self.outputs.push_back(Output::Entered);
            }
            (Received::ConnAck { code }, Standing::Entering { .. }) => {
                self.close(match code {
                    1 => "the broker does not speak MQTT 3.1.1",
                    2 => "the broker does not take our name",
                    4 | 5 => "the broker does not accept user name and password",
                    _ => "the broker is not ready",
                });
            }
            (_, Standing::Entering { .. }) => {
                return Err(Fault::Protocol("something before CONNACK"));
            }
            (
                Received::Publish {
                    topic,
                    payload,
                    id,
                    retained,
                },
                _,
            ) => {
                if let Some(id) = id {
                    self.send(packet::acknowledgement(id), now);
                }
                self.outputs.push_back(Output::Message {
                    topic,
                    payload,
                    retained,
                });
            }
            (Received::PubAck { id }, _) => {
                if let Some(token) = self.unacknowledged.remove(&id) {
                    self.outputs.push_back(Output::Published(token));
                }
            }
            (Received::PingResp, _) => self.ping_sent = None,
            (Received::SubAck { .. }, _) => {}
            (Received::ConnAck { .. }, _) => return Err(Fault::Protocol("a second CONNACK")),
        }
        Ok(())
    }

    fn close(&mut self, why: &str) {
        self.standing = Standing::Closed;
        self.outputs.push_back(Output::Close(why.to_owned()));
    }

    fn send(&mut self, bytes: Vec<u8>, now: Duration) {
        self.sent_at = now;
        self.outputs.push_back(Output::Send(bytes));
    }

    /// An identifier that is not under way (section 2.3.1).
    fn id(&mut self) -> u16 {
        loop {
            self.next_id = self.next_id.wrapping_add(1).max(1);
            if !self.unacknowledged.contains_key(&self.next_id) {
                return self.next_id;
            }
        }
    }
}
