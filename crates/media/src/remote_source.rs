//! Which source is believed (RFC 3550 A.1 probation, §8.2 collisions), and how well it is received.
//!
//! The first packet of a call is played at once. After that another source takes over only when three of
//! its packets came in a row while the present one said nothing, so that neither garbage nor a stranger
//! who talks at the same time can cut a call-taker off.

use core::time::Duration;

use crate::reception::{MISORDER_MAX, Reception, SequenceJudgement};

/// Packets in a row by which a new source is believed.
const IN_A_ROW: u8 = 3;

/// What is to be done with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// First packet of the call.
    First,
    /// Play it.
    Play,
    /// Play it after forgetting the time base.
    Restarted,
    /// Play it after forgetting the source before.
    Changed { from: u32 },
    /// Already seen.
    Duplicate,
    /// Wait for a second one.
    Suspect,
    /// Not our call-taker, or not yet.
    Foreign,
}

#[derive(Clone, Debug)]
struct Candidate {
    ssrc: u32,
    next_sequence: u16,
    in_a_row: u8,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct RemoteSource {
    reception: Option<Reception>,
    seen: Seen,
    candidate: Option<Candidate>,
    /// Of sources before.
    lost_before: i64,
}

impl RemoteSource {
    pub(crate) fn ssrc(&self) -> Option<u32> {
        self.reception.as_ref().map(Reception::ssrc)
    }

    pub(crate) fn reception(&mut self) -> Option<&mut Reception> {
        self.reception.as_mut()
    }

    pub(crate) fn lost(&self) -> i64 {
        self.lost_before + self.reception.as_ref().map_or(0, |r| i64::from(r.lost()))
    }

    pub(crate) fn jitter_ms(&self) -> f32 {
        self.reception.as_ref().map_or(0.0, Reception::jitter_ms)
    }

    pub(crate) fn judge(&mut self, ssrc: u32, sequence: u16) -> Verdict {
        let Some(reception) = &mut self.reception else {
            self.adopt(ssrc, sequence);
            return Verdict::First;
        };
        if reception.ssrc() != ssrc {
            return self.judge_candidate(ssrc, sequence);
        }
        self.candidate = None; // the present source lives
        match reception.on_sequence(sequence) {
            SequenceJudgement::Valid if self.seen.insert(sequence) => Verdict::Play,
            SequenceJudgement::Valid => Verdict::Duplicate,
            SequenceJudgement::Suspect => Verdict::Suspect,
            SequenceJudgement::Restarted => {
                self.seen = Seen::default();
                self.seen.insert(sequence);
                Verdict::Restarted
            }
        }
    }

    /// Spacing of a packet that carried audio.
    pub(crate) fn on_arrival(&mut self, timestamp: u32, now: Duration) {
        if let Some(reception) = &mut self.reception {
            reception.on_arrival(timestamp, now);
        }
    }

    fn judge_candidate(&mut self, ssrc: u32, sequence: u16) -> Verdict {
        let in_a_row = match &self.candidate {
            Some(known) if known.ssrc == ssrc && known.next_sequence == sequence => {
                known.in_a_row + 1
            }
            _ => 1,
        };
        if in_a_row < IN_A_ROW {
            let next_sequence = sequence.wrapping_add(1);
            self.candidate = Some(Candidate {
                ssrc,
                next_sequence,
                in_a_row,
            });
            return Verdict::Foreign;
        }
        self.lost_before = self.lost();
        let from = self.ssrc().unwrap_or(ssrc);
        self.adopt(ssrc, sequence);
        Verdict::Changed { from }
    }

    fn adopt(&mut self, ssrc: u32, sequence: u16) {
        let mut reception = Reception::new(ssrc, sequence);
        reception.on_sequence(sequence);
        self.reception = Some(reception);
        self.seen = Seen::default();
        self.seen.insert(sequence);
        self.candidate = None;
    }
}

/// Which of the last 128 sequence numbers have come.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    highest: u16,
    /// Bit n: `highest - n` has come. Zero until the first.
    bits: u128,
}

impl Seen {
    /// False if it had come before.
    fn insert(&mut self, sequence: u16) -> bool {
        if self.bits == 0 {
            *self = Self {
                highest: sequence,
                bits: 1,
            };
            return true;
        }
        let ahead = sequence.wrapping_sub(self.highest);
        if ahead != 0 && ahead < 0x8000 {
            self.bits = self.bits.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
            self.highest = sequence;
            return true;
        }
        let behind = u32::from(self.highest.wrapping_sub(sequence));
        debug_assert!(behind <= u32::from(MISORDER_MAX) || behind >= 0x8000);
        let Some(bit) = 1u128.checked_shl(behind) else {
            return false;
        };
        let fresh = self.bits & bit == 0;
        self.bits |= bit;
        fresh
    }
}
