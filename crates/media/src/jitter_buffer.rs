//! Jitter buffer: puts packets back into the order of their timestamps and says how long to hold them.
//!
//! Kept by extended timestamp in ticks of the 8 kHz clock, so that lost packets, pauses of the sender and
//! any packet length need no special case. The target delay is the 97th percentile of the measured
//! delay variation over the last 256 packets, within bounds.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::codec::{Codec, RTP_CLOCK_HZ};
use crate::reception::ticks;

const TICKS_PER_MS: i64 = (RTP_CLOCK_HZ / 1000) as i64;
/// Transit times remembered: about five seconds.
const TRANSITS: usize = 256;
/// Until so many packets have come, the initial delay is the least.
const TRANSITS_SETTLED: usize = 16;
/// Added to the measured variation, 5 ms.
const MARGIN_TICKS: i64 = 5 * TICKS_PER_MS;
/// So many late or far packets in a row mean that the sender's time base has moved.
const STRAYS_MAX: u32 = 5;
/// Further ahead than this is no jitter, 2 s.
const AHEAD_MAX_TICKS: u64 = 2 * RTP_CLOCK_HZ as u64;

/// Bounds of the adaptive delay and of the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JitterLimits {
    /// Delay never goes below.
    pub delay_min: Duration,
    /// Delay never goes above.
    pub delay_max: Duration,
    /// Delay before anything was measured.
    pub delay_initial: Duration,
    /// Packets held at once.
    pub packets_max: usize,
}

impl Default for JitterLimits {
    fn default() -> Self {
        Self {
            delay_min: Duration::from_millis(20),
            delay_max: Duration::from_millis(200),
            delay_initial: Duration::from_millis(40),
            packets_max: 100,
        }
    }
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// Held for playout.
    Held,
    /// Held, and the sender's time base was found to have moved: whoever plays starts over.
    Resynchronized,
    /// Its time is over.
    Late,
    /// Too far ahead to be believed yet.
    Ahead,
    /// Already here.
    Duplicate,
    /// Empty payload.
    Empty,
}

/// One packet's audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// How to decode it.
    pub codec: Codec,
    /// Encoded audio; one octet is one tick.
    pub payload: Vec<u8>,
}

/// What is next in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A packet; its first `skip` octets are already past.
    Packet {
        /// The audio.
        held: Held,
        /// Octets to leave out.
        skip: usize,
    },
    /// So many octets are missing before the next packet.
    Gap(usize),
    /// Nothing is here.
    Empty,
}

/// The buffer.
#[derive(Clone, Debug)]
pub struct JitterBuffer {
    limits: JitterLimits,
    held: BTreeMap<u64, Held>,
    /// Last timestamp seen, as sent and extended.
    last: Option<(u32, u64)>,
    /// Next tick to hand out, once playout has begun.
    next: Option<u64>,
    strays: u32,
    transits: Vec<i64>,
    transit_at: usize,
    overflowed: u64,
}

impl JitterBuffer {
    /// An empty buffer.
    #[must_use]
    pub fn new(limits: JitterLimits) -> Self {
        Self {
            limits,
            held: BTreeMap::new(),
            last: None,
            next: None,
            strays: 0,
            transits: Vec::with_capacity(TRANSITS),
            transit_at: 0,
            overflowed: 0,
        }
    }

    /// Forgets everything: another source, another time base.
    pub fn reset(&mut self) {
        let overflowed = self.overflowed;
        *self = Self {
            overflowed,
            ..Self::new(self.limits)
        };
    }

    /// Takes in one packet.
    pub fn insert(
        &mut self,
        timestamp: u32,
        codec: Codec,
        payload: &[u8],
        now: Duration,
    ) -> Inserted {
        if payload.is_empty() {
            return Inserted::Empty;
        }
        let at = self.extend(timestamp);
        let late = self
            .next
            .is_some_and(|next| at + payload.len() as u64 <= next);
        let edge = self
            .next
            .unwrap_or_else(|| self.held.keys().next().copied().unwrap_or(at));
        let ahead = at > edge + AHEAD_MAX_TICKS;
        if late || ahead {
            self.strays += 1;
            if self.strays < STRAYS_MAX {
                if late {
                    self.measure(at, now); // lateness is what the target must learn from
                }
                return if late {
                    Inserted::Late
                } else {
                    Inserted::Ahead
                };
            }
            self.reset();
            let at = self.extend(timestamp);
            self.measure(at, now);
            self.held.insert(
                at,
                Held {
                    codec,
                    payload: payload.to_vec(),
                },
            );
            return Inserted::Resynchronized;
        }
        self.strays = 0;
        if self.held.contains_key(&at) {
            return Inserted::Duplicate;
        }
        self.measure(at, now);
        self.last = Some((timestamp, at));
        self.held.insert(
            at,
            Held {
                codec,
                payload: payload.to_vec(),
            },
        );
        while self.held.len() > self.limits.packets_max {
            self.held.pop_first();
            self.overflowed += 1;
        }
        Inserted::Held
    }

    /// Whether playout has begun.
    #[must_use]
    pub fn started(&self) -> bool {
        self.next.is_some()
    }

    /// Begins playout if the first packet has been held long enough.
    pub fn start(&mut self, now: Duration) -> bool {
        if self.next.is_none()
            && let Some(&first) = self.held.keys().next()
            && ticks(now) as i64 - first as i64 - self.transit_min() >= self.target_ticks()
        {
            self.next = Some(first);
        }
        self.next.is_some()
    }

    /// What comes next; a packet handed out is past.
    pub fn take(&mut self) -> Next {
        let Some(next) = self.next else {
            return Next::Empty;
        };
        while let Some(entry) = self.held.first_entry() {
            let at = *entry.key();
            if at > next {
                return Next::Gap((at - next) as usize);
            }
            let held = entry.remove();
            let end = at + held.payload.len() as u64;
            if end > next {
                self.next = Some(end);
                return Next::Packet {
                    held,
                    skip: (next - at) as usize,
                };
            }
        }
        Next::Empty
    }

    /// Lets `octets` of time pass that no packet filled.
    pub fn skip(&mut self, octets: usize) {
        if let Some(next) = &mut self.next {
            *next += octets as u64;
        }
    }

    /// How much later than the fastest packet the next tick would be played now, in milliseconds.
    #[must_use]
    pub fn delay_ms(&self, now: Duration) -> i64 {
        self.next.map_or(0, |next| {
            (ticks(now) as i64 - next as i64 - self.transit_min()) / TICKS_PER_MS
        })
    }

    /// The delay to aim for, in milliseconds.
    #[must_use]
    pub fn target_ms(&self) -> i64 {
        self.target_ticks() / TICKS_PER_MS
    }

    /// Packets thrown away because too many were held.
    #[must_use]
    pub fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// The timestamp with its wraps: the one nearest to the last. The start leaves room downwards.
    fn extend(&mut self, timestamp: u32) -> u64 {
        let (last, extended) = *self
            .last
            .get_or_insert((timestamp, (1 << 33) + u64::from(timestamp)));
        extended.saturating_add_signed(i64::from(timestamp.wrapping_sub(last) as i32))
    }

    fn measure(&mut self, at: u64, now: Duration) {
        let transit = ticks(now) as i64 - at as i64;
        if self.transits.len() < TRANSITS {
            self.transits.push(transit);
        } else {
            self.transits[self.transit_at] = transit;
            self.transit_at = (self.transit_at + 1) % TRANSITS;
        }
    }

    fn transit_min(&self) -> i64 {
        self.transits.iter().copied().min().unwrap_or(0)
    }

    fn target_ticks(&self) -> i64 {
        let bound = |duration| ticks(duration) as i64;
        let mut sorted = self.transits.clone();
        let rank = (sorted.len() * 97 / 100).min(sorted.len().saturating_sub(1));
        let variation = if sorted.is_empty() {
            0
        } else {
            *sorted.select_nth_unstable(rank).1 - self.transit_min()
        };
        let mut target = variation + MARGIN_TICKS;
        if self.transits.len() < TRANSITS_SETTLED {
            target = target.max(bound(self.limits.delay_initial));
        }
        let min = bound(self.limits.delay_min);
        target.clamp(min, bound(self.limits.delay_max).max(min))
    }
}
