//! Reception statistics of one source (RFC 3550 A.1 sequence, A.3 loss, A.8 jitter).

use core::time::Duration;

use crate::codec::RTP_CLOCK_HZ;
use crate::rtcp::ReportBlock;

/// A jump forward of less than this is loss (A.1).
pub const DROPOUT_MAX: u16 = 3000;
/// A step back of less than this is reordering (A.1).
pub const MISORDER_MAX: u16 = 100;

/// What A.1 says about one sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceJudgement {
    /// In order, with permissible gap, or a little late.
    Valid,
    /// A large jump: believed only when the next packet follows it.
    Suspect,
    /// Two in a row after a large jump: the source restarted its numbering.
    Restarted,
}

/// Counters of one source.
#[derive(Clone, Debug)]
pub struct Reception {
    ssrc: u32,
    max_sequence: u16,
    cycles: u32,
    base_sequence: u32,
    /// One past a suspect jump, if the packet before was one.
    bad_sequence: Option<u16>,
    received: u32,
    expected_prior: u32,
    received_prior: u32,
    transit: Option<u32>,
    /// Scaled by 16, as A.8 keeps it.
    jitter_16: u32,
}

impl Reception {
    /// Starts counting at the first packet of a source.
    #[must_use]
    pub fn new(ssrc: u32, sequence: u16) -> Self {
        Self {
            ssrc,
            max_sequence: sequence,
            cycles: 0,
            base_sequence: u32::from(sequence),
            bad_sequence: None,
            received: 0,
            expected_prior: 0,
            received_prior: 0,
            transit: None,
            jitter_16: 0,
        }
    }

    /// The source.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Judges and counts one sequence number (A.1 `update_seq`; probation is the session's business).
    pub fn on_sequence(&mut self, sequence: u16) -> SequenceJudgement {
        let delta = sequence.wrapping_sub(self.max_sequence);
        if delta < DROPOUT_MAX {
            if sequence < self.max_sequence {
                self.cycles = self.cycles.wrapping_add(0x1_0000);
            }
            self.max_sequence = sequence;
        } else if delta <= u16::MAX - MISORDER_MAX {
            if self.bad_sequence == Some(sequence) {
                let transit = self.transit;
                let jitter_16 = self.jitter_16;
                *self = Self {
                    transit,
                    jitter_16,
                    ..Self::new(self.ssrc, sequence)
                };
                self.received = 1;
                return SequenceJudgement::Restarted;
            }
            self.bad_sequence = Some(sequence.wrapping_add(1));
            return SequenceJudgement::Suspect;
        }
        self.bad_sequence = None;
        self.received = self.received.wrapping_add(1);
        SequenceJudgement::Valid
    }

    /// Takes in the spacing of one packet (A.8). Packets that repeat a timestamp must not come here.
    pub fn on_arrival(&mut self, timestamp: u32, now: Duration) {
        let transit = (ticks(now) as u32).wrapping_sub(timestamp);
        if let Some(last) = self.transit {
            let difference = (transit.wrapping_sub(last) as i32).unsigned_abs();
            // A clock step or a restarted timestamp is no jitter; a second is more than any network's.
            if difference < RTP_CLOCK_HZ {
                self.jitter_16 =
                    (self.jitter_16 + difference).wrapping_sub((self.jitter_16 + 8) >> 4);
            }
        }
        self.transit = Some(transit);
    }

    /// Highest sequence number with its wraps.
    #[must_use]
    pub fn extended_highest_sequence(&self) -> u32 {
        self.cycles.wrapping_add(u32::from(self.max_sequence))
    }

    /// Packets received, duplicates included, as A.3 counts.
    #[must_use]
    pub fn received(&self) -> u32 {
        self.received
    }

    /// Expected less received; negative when duplicates outnumber losses (A.3).
    #[must_use]
    pub fn lost(&self) -> i32 {
        self.expected().wrapping_sub(self.received) as i32
    }

    /// Interarrival jitter in ticks of the RTP clock.
    #[must_use]
    pub fn jitter_ticks(&self) -> u32 {
        self.jitter_16 >> 4
    }

    /// Interarrival jitter in milliseconds.
    #[must_use]
    pub fn jitter_ms(&self) -> f32 {
        self.jitter_16 as f32 / 16.0 / (RTP_CLOCK_HZ / 1000) as f32
    }

    fn expected(&self) -> u32 {
        self.extended_highest_sequence()
            .wrapping_sub(self.base_sequence)
            .wrapping_add(1)
    }

    /// The report block, without its last-SR fields; starts a new interval (A.3).
    pub fn report(&mut self) -> ReportBlock {
        let expected = self.expected();
        let expected_interval = expected.wrapping_sub(self.expected_prior);
        let received_interval = self.received.wrapping_sub(self.received_prior);
        self.expected_prior = expected;
        self.received_prior = self.received;
        let lost_interval = i64::from(expected_interval) - i64::from(received_interval);
        let fraction_lost = if expected_interval == 0 || lost_interval <= 0 {
            0
        } else {
            ((lost_interval << 8) / i64::from(expected_interval)).min(255) as u8
        };
        ReportBlock {
            ssrc: self.ssrc,
            fraction_lost,
            cumulative_lost: self.lost(),
            extended_highest_sequence: self.extended_highest_sequence(),
            jitter: self.jitter_ticks(),
            last_sr: 0,
            delay_since_last_sr: 0,
        }
    }
}

/// A time on the RTP clock.
pub(crate) fn ticks(time: Duration) -> u64 {
    (time.as_nanos() * u128::from(RTP_CLOCK_HZ) / 1_000_000_000) as u64
}

/// NTP short format (middle 32 bits, 65536ths of a second) of a duration.
#[must_use]
pub fn ntp_short(time: Duration) -> u32 {
    ((time.as_nanos() << 16) / 1_000_000_000) as u32
}

/// Round-trip time from a report block about us that arrived at NTP short time `arrival`
/// (RFC 3550 §6.4.1: A - LSR - DLSR). None when the block answers no SR or the clocks disagree.
#[must_use]
pub fn round_trip(arrival: u32, report: &ReportBlock) -> Option<Duration> {
    if report.last_sr == 0 {
        return None;
    }
    let elapsed = arrival.wrapping_sub(report.last_sr);
    let rtt = elapsed.checked_sub(report.delay_since_last_sr)?;
    // More than a minute is a stale or forged block.
    (rtt < 60 << 16).then(|| Duration::from_nanos((u64::from(rtt) * 1_000_000_000) >> 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_follows_the_formula_of_a8() {
        // Transit alternates by 80 ticks: J converges to 80 by (|D| - J)/16 steps.
        let mut reception = Reception::new(1, 0);
        for n in 0..400u32 {
            let wobble = if n % 2 == 0 { 0 } else { 10 };
            let now = Duration::from_millis(u64::from(20 * n + wobble));
            reception.on_arrival(n * 160, now);
        }
        assert!(
            (78..=80).contains(&reception.jitter_ticks()),
            "{}",
            reception.jitter_ticks()
        );
    }

    #[test]
    fn fraction_lost_is_of_the_interval_only() {
        let mut reception = Reception::new(1, 65530);
        for n in 0..20u16 {
            if n != 3 && n != 10 {
                reception.on_sequence(65530u16.wrapping_add(n));
            }
        }
        let report = reception.report();
        assert_eq!(report.cumulative_lost, 2);
        assert_eq!(u32::from(report.fraction_lost), 2 * 256 / 20);
        assert_eq!(report.extended_highest_sequence, 65530 + 19);
        reception.on_sequence(65530u16.wrapping_add(20));
        assert_eq!(reception.report().fraction_lost, 0);
    }

    #[test]
    fn round_trip_is_arrival_less_sr_less_delay() {
        // The figure of RFC 3550 §6.4.1: A 0xb710:8000, LSR 0xb705:2000, DLSR 0x0005:4000, 6.125 s.
        let report = ReportBlock {
            last_sr: 0xb705_2000,
            delay_since_last_sr: 0x0005_4000,
            ..ReportBlock::default()
        };
        let rtt = round_trip(0xb710_8000, &report).unwrap();
        assert_eq!(rtt, Duration::from_millis(6125));
    }
}
