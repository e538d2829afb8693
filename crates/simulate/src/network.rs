//! The network between device and call-takers: delay, loss, reordering and duplication, from one seed.
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use hearthline_sip::endpoint::Transport;
use hearthline_sip::tokens::Tokens;

/// What the network does to datagrams. Streams are only delayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// Shortest delay.
    pub delay_min: Duration,
    /// Longest delay; the difference reorders.
    pub delay_max: Duration,
    /// Lost datagrams in a thousand.
    pub lost_per_mille: u64,
    /// Doubled datagrams in a thousand.
    pub doubled_per_mille: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            delay_min: Duration::from_millis(1),
            delay_max: Duration::from_millis(4),
            lost_per_mille: 0,
            doubled_per_mille: 0,
        }
    }
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// SIP bytes.
    Sip {
        /// By which transport.
        transport: Transport,
        /// From.
        from: SocketAddr,
        /// To.
        to: SocketAddr,
        /// The message.
        bytes: Vec<u8>,
    },
    /// RTP or RTCP, told apart by the port.
    Media {
        /// From.
        from: SocketAddr,
        /// To.
        to: SocketAddr,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// Nobody listens there: the sender learns it (streams only).
    Refused {
        /// By which transport.
        transport: Transport,
        /// Who tried.
        from: SocketAddr,
        /// Where.
        to: SocketAddr,
    },
}

/// Everything on its way.
pub struct Network {
    faults: Faults,
    random: Tokens,
    on_the_way: BTreeMap<(Duration, u64), Arrival>,
    sent: u64,
    last_of_stream: BTreeMap<(SocketAddr, SocketAddr), Duration>,
    listening: BTreeSet<(Transport2, SocketAddr)>,
}

/// A transport that can be ordered.
type Transport2 = &'static str;

impl Network {
    /// An empty network.
    #[must_use]
    pub fn new(faults: Faults, random: Tokens) -> Self {
        Self {
            faults,
            random,
            on_the_way: BTreeMap::new(),
            sent: 0,
            last_of_stream: BTreeMap::new(),
            listening: BTreeSet::new(),
        }
    }

    /// Somebody takes connections of this transport at this address.
    pub fn listen(&mut self, transport: Transport, at: SocketAddr) {
        self.listening.insert((transport.as_param(), at));
    }

    /// Nobody does any more.
    pub fn unlisten(&mut self, at: SocketAddr) {
        self.listening.retain(|(_, other)| *other != at);
    }

    /// Sends something.
    pub fn send(&mut self, arrival: Arrival, now: Duration) {
        match &arrival {
            Arrival::Sip {
                transport,
                from,
                to,
                ..
            } if transport.is_reliable() => {
                let back = self.last_of_stream.contains_key(&(*to, *from));
                let (transport, from, to) = (*transport, *from, *to);
                if !back && !self.listening.contains(&(transport.as_param(), to)) {
                    self.schedule(
                        now + self.faults.delay_max,
                        Arrival::Refused {
                            transport,
                            from,
                            to,
                        },
                    );
                    return;
                }
                // A stream keeps its order.
                let at = (now + self.delay()).max(
                    self.last_of_stream
                        .get(&(from, to))
                        .copied()
                        .unwrap_or_default(),
                );
                self.last_of_stream.insert((from, to), at);
                self.schedule(at, arrival);
            }
            Arrival::Sip { .. } | Arrival::Media { .. } => {
                if self.random.below(1_000) < self.faults.lost_per_mille {
                    return;
                }
                if self.random.below(1_000) < self.faults.doubled_per_mille {
                    let at = now + self.delay();
                    self.schedule(at, arrival.clone());
                }
                let at = now + self.delay();
                self.schedule(at, arrival);
            }
            Arrival::Refused { .. } => self.schedule(now, arrival),
        }
    }

    /// When the next thing arrives.
    #[must_use]
    pub fn next_at(&self) -> Option<Duration> {
        self.on_the_way.keys().next().map(|(at, _)| *at)
    }

    /// What has arrived by now, oldest first.
    pub fn arrived(&mut self, now: Duration) -> Option<Arrival> {
        let (at, _) = *self.on_the_way.keys().next()?;
        (at <= now)
            .then(|| self.on_the_way.pop_first())
            .flatten()
            .map(|(_, arrival)| arrival)
    }

    fn schedule(&mut self, at: Duration, arrival: Arrival) {
        self.sent += 1;
        self.on_the_way.insert((at, self.sent), arrival);
    }

    fn delay(&mut self) -> Duration {
        let spread = self.faults.delay_max.saturating_sub(self.faults.delay_min);
        let us = self
            .random
            .below(u64::try_from(spread.as_micros()).unwrap_or(0) + 1);
        self.faults.delay_min + Duration::from_micros(us)
    }
}
