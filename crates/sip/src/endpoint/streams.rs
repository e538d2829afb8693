//! Framing of TCP and TLS streams: one framer a connection, bounded in number and in time.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::Limits;
use crate::framer::{Frame, StreamFramer};
use crate::target::Transport;

#[derive(Debug)]
struct Stream {
    framer: StreamFramer,
    /// When half a message has been there for too long.
    give_up_at: Option<Duration>,
}

/// The streams that bring messages.
#[derive(Debug)]
pub(super) struct Streams {
    limits: Limits,
    streams_max: usize,
    streams: BTreeMap<(Transport, SocketAddr), Stream>,
}

impl Streams {
    pub(super) fn new(limits: Limits, streams_max: usize) -> Self {
        Self {
            limits,
            streams_max,
            streams: BTreeMap::new(),
        }
    }

    /// The messages that `bytes` complete; `false`: there are too many streams. `until`: when
    /// what is left over must be complete.
    pub(super) fn push(
        &mut self,
        transport: Transport,
        remote: SocketAddr,
        bytes: &[u8],
        until: Duration,
    ) -> (Vec<Frame>, bool) {
        let key = (transport, remote);
        if !self.streams.contains_key(&key) {
            if self.streams.len() >= self.streams_max {
                return (Vec::new(), false);
            }
            let framer = StreamFramer::new(self.limits.clone());
            let give_up_at = None;
            self.streams.insert(key, Stream { framer, give_up_at });
        }
        let Some(stream) = self.streams.get_mut(&key) else {
            return (Vec::new(), false);
        };
        let mut frames = Vec::new();
        // In pieces, so that the framer never holds more than one message and a piece.
        for piece in bytes.chunks(16 * 1024) {
            stream.framer.push(piece);
            while let Some(frame) = stream.framer.next_frame() {
                frames.push(frame);
            }
        }
        if stream.framer.pending_bytes() == 0 {
            stream.give_up_at = None;
        } else if stream.give_up_at.is_none() || !frames.is_empty() {
            stream.give_up_at = Some(until);
        }
        (frames, true)
    }

    pub(super) fn close(&mut self, transport: Transport, remote: SocketAddr) {
        self.streams.remove(&(transport, remote));
    }

    /// The streams that waited too long; they are forgotten.
    pub(super) fn expired(&mut self, now: Duration) -> Vec<(Transport, SocketAddr)> {
        let due = |stream: &Stream| stream.give_up_at.is_some_and(|at| at <= now);
        let expired: Vec<_> = self
            .streams
            .iter()
            .filter(|(_, stream)| due(stream))
            .map(|(key, _)| *key)
            .collect();
        for key in &expired {
            self.streams.remove(key);
        }
        expired
    }

    pub(super) fn next_timeout(&self) -> Option<Duration> {
        self.streams.values().filter_map(|s| s.give_up_at).min()
    }
}
