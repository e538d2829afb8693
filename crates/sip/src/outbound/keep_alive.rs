//! Keep-alive of flows, both sides (RFC 5626 sections 3.5, 4.4, 5.4 and 8).

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::{FlowId, FlowTransport};
use crate::tokens::Tokens;

/// How long a client waits for the Pong before the flow counts as failed (section 4.4.1).
pub const PONG_WAIT: Duration = Duration::from_secs(10);
/// How much later than Flow-Timer a server still waits (section 5.4: "some grace period").
pub const GRACE: Duration = Duration::from_secs(30);

/// The answer to a datagram or WebSocket message that is a keep-alive and no SIP: CR LF to a
/// double CR LF, the mapped address to a STUN Binding request (section 8, RFC 5389). `None`: it
/// is something else.
#[must_use]
pub fn keep_alive_answer(bytes: &[u8], remote: SocketAddr) -> Option<Vec<u8>> {
    if bytes == b"\r\n\r\n" {
        return Some(b"\r\n".to_vec());
    }
    stun_answer(bytes, remote)
}

const MAGIC: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// A Binding success with XOR-MAPPED-ADDRESS (RFC 5389 section 15.2).
fn stun_answer(bytes: &[u8], remote: SocketAddr) -> Option<Vec<u8>> {
    let header: &[u8; 20] = bytes.first_chunk()?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header[..2] != [0x00, 0x01] || header[4..8] != MAGIC || bytes.len() != 20 + length {
        return None;
    }
    let port = remote.port() ^ u16::from_be_bytes([MAGIC[0], MAGIC[1]]);
    let mut value = vec![0, if remote.is_ipv4() { 1 } else { 2 }];
    value.extend_from_slice(&port.to_be_bytes());
    let pad = &header[4..20];
    match remote.ip() {
        IpAddr::V4(ip) => value.extend(ip.octets().iter().zip(pad).map(|(a, b)| a ^ b)),
        IpAddr::V6(ip) => value.extend(ip.octets().iter().zip(pad).map(|(a, b)| a ^ b)),
    }
    let size = u16::try_from(value.len()).ok()?;
    let mut answer = vec![0x01, 0x01];
    answer.extend_from_slice(&(size + 4).to_be_bytes());
    answer.extend_from_slice(&header[4..20]);
    answer.extend_from_slice(&[0x00, 0x20]);
    answer.extend_from_slice(&size.to_be_bytes());
    answer.extend_from_slice(&value);
    Some(answer)
}

/// The server's side: which flows have been silent for too long.
#[derive(Debug, Default)]
pub struct FlowWatch {
    until: BTreeMap<FlowId, Duration>,
    order: BTreeSet<(Duration, FlowId)>,
}

impl FlowWatch {
    /// Watches no flow.
    #[must_use]
    pub fn new() -> Self {
        FlowWatch::default()
    }

    /// Something came by this flow; it may now be silent for `flow_timer` and a grace. Called
    /// for a flow whose registration was told a Flow-Timer, and again for all that comes by it.
    pub fn heard(&mut self, flow: FlowId, flow_timer: Duration, now: Duration) {
        let until = now.saturating_add(flow_timer).saturating_add(GRACE);
        if let Some(before) = self.until.insert(flow, until) {
            self.order.remove(&(before, flow));
        }
        self.order.insert((until, flow));
    }

    /// Whether the flow is watched.
    #[must_use]
    pub fn watches(&self, flow: FlowId) -> bool {
        self.until.contains_key(&flow)
    }

    /// The flow is gone.
    pub fn forget(&mut self, flow: FlowId) {
        if let Some(until) = self.until.remove(&flow) {
            self.order.remove(&(until, flow));
        }
    }

    /// The next flow that is dead at `now`; call until `None`.
    pub fn next_dead(&mut self, now: Duration) -> Option<FlowId> {
        let (until, flow) = *self.order.first()?;
        if until > now {
            return None;
        }
        self.forget(flow);
        Some(flow)
    }

    /// When `next_dead` is due next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Duration> {
        self.order.first().map(|(until, _)| *until)
    }
}

/// What the client's side of a flow is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAliveStep {
    /// Nothing yet.
    Wait,
    /// Send a double CR LF on a connection, a STUN Binding request on UDP.
    Ping,
    /// The flow is dead: open another and register again (section 4.5).
    FlowFailed,
}

/// The client's side: when to ping, and when the flow counts as failed.
#[derive(Debug, Clone)]
pub struct FlowKeeper {
    longest: Duration,
    ping_at: Duration,
    pong_until: Option<Duration>,
}

impl FlowKeeper {
    /// `flow_timer` as the registrar said; `None`: the defaults of section 4.4, 120 s on a
    /// connection and 29 s on UDP.
    #[must_use]
    pub fn new(
        transport: FlowTransport,
        flow_timer: Option<Duration>,
        tokens: &mut Tokens,
        now: Duration,
    ) -> Self {
        let default = if transport.is_reliable() { 120 } else { 29 };
        let longest = flow_timer.unwrap_or(Duration::from_secs(default));
        let mut keeper = FlowKeeper {
            longest: longest.max(Duration::from_secs(1)),
            ping_at: now,
            pong_until: None,
        };
        keeper.plan(tokens, now);
        keeper
    }

    /// A Pong or a STUN answer came.
    pub fn handle_pong(&mut self, tokens: &mut Tokens, now: Duration) {
        self.pong_until = None;
        self.plan(tokens, now);
    }

    /// What is due at `now`.
    pub fn handle_timeout(&mut self, now: Duration) -> KeepAliveStep {
        match self.pong_until {
            Some(until) if until <= now => KeepAliveStep::FlowFailed,
            Some(_) => KeepAliveStep::Wait,
            None if self.ping_at <= now => {
                self.pong_until = Some(now.saturating_add(PONG_WAIT));
                KeepAliveStep::Ping
            }
            None => KeepAliveStep::Wait,
        }
    }

    /// When `handle_timeout` is due next.
    #[must_use]
    pub fn next_timeout(&self) -> Duration {
        self.pong_until.unwrap_or(self.ping_at)
    }

    /// Between 80 and 100 % of the longest silence (section 4.4).
    fn plan(&mut self, tokens: &mut Tokens, now: Duration) {
        let fifth = self.longest / 5;
        let millis = u64::try_from(fifth.as_millis()).unwrap_or(u64::MAX);
        let early = Duration::from_millis(tokens.below(millis.saturating_add(1)));
        self.ping_at = now.saturating_add(self.longest.saturating_sub(early));
    }
}
