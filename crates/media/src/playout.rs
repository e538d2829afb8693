//! Playout: every 20 ms one frame for the loudspeaker, whatever the network did.
//!
//! ```text
//! packets ─► jitter buffer ─► decode ─► conceal gaps ─► stretch or cut ─► 320 samples
//! ```
//! The delay moves towards its target only where it is heard least: in quiet by whole frames, in sound
//! by repeating or cutting at the best pitch fit, and only when it is far off.

use core::time::Duration;

use crate::codec::{Codec, Decoder, SAMPLES_PER_OCTET};
use crate::concealment::{Concealment, best_cut};
use crate::jitter_buffer::{Inserted, JitterBuffer, JitterLimits, Next};

/// Samples in one frame of 20 ms at 16 kHz.
pub const FRAME_SAMPLES: usize = 320;
/// Length of one frame.
pub const FRAME: Duration = Duration::from_millis(20);
const SAMPLES_PER_MS: usize = 16;
/// A frame below this mean square is quiet: -50 dBFS.
const QUIET_MEAN_SQUARE: i64 = 10_000;
/// Deviation from the target that is mended in quiet, and in sound, in milliseconds.
const SHORT_QUIET_MS: i64 = 10;
const SHORT_SOUND_MS: i64 = 20;
const LONG_QUIET_MS: i64 = 25;
const LONG_SOUND_MS: i64 = 30;
/// Frames between two cuts in sound, 200 ms: speech hurried along at one part in ten.
const CUT_PAUSE_FRAMES: u8 = 10;
/// Blend of a cut, 10 ms.
const CUT_BLEND: usize = 160;

/// What playout had to do, in samples at 16 kHz.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlayoutCounters {
    /// Invented in place of missing audio.
    pub concealed_samples: u64,
    /// Inserted to lengthen the delay.
    pub stretched_samples: u64,
    /// Cut to shorten the delay.
    pub cut_samples: u64,
}

/// Turns packets into frames.
#[derive(Clone, Debug)]
pub struct Playout {
    buffer: JitterBuffer,
    decoder: Decoder,
    concealment: Concealment,
    /// Decoded and not yet played.
    samples: Vec<i16>,
    decoded: Vec<i16>,
    quiet: bool,
    /// Frames until sound may be cut again.
    cut_pause: u8,
    counters: PlayoutCounters,
}

impl Playout {
    /// Nothing received yet.
    #[must_use]
    pub fn new(codec: Codec, limits: JitterLimits) -> Self {
        Self {
            buffer: JitterBuffer::new(limits),
            decoder: Decoder::new(codec),
            concealment: Concealment::new(),
            samples: Vec::with_capacity(4 * FRAME_SAMPLES),
            decoded: Vec::with_capacity(4 * FRAME_SAMPLES),
            quiet: true,
            cut_pause: 0,
            counters: PlayoutCounters::default(),
        }
    }

    /// Takes in one packet's payload.
    pub fn insert(
        &mut self,
        timestamp: u32,
        codec: Codec,
        payload: &[u8],
        now: Duration,
    ) -> Inserted {
        self.buffer.insert(timestamp, codec, payload, now)
    }

    /// Another source or time base: what is held is dropped, what is decoded still plays.
    pub fn reset(&mut self) {
        self.buffer.reset();
        self.decoder = Decoder::new(self.decoder.codec());
    }

    /// The frame of this instant: silence before the first packet, then audio, concealed where missing.
    pub fn pull(&mut self, now: Duration) -> Vec<i16> {
        if !self.buffer.start(now) && self.samples.is_empty() && !self.concealment.in_gap() {
            return vec![0; FRAME_SAMPLES];
        }
        if self.buffer.started() {
            self.steer(now);
        }
        self.fill(FRAME_SAMPLES);
        let frame: Vec<i16> = self.samples.drain(..FRAME_SAMPLES).collect();
        self.quiet = is_quiet(&frame);
        frame
    }

    /// What had to be done so far.
    #[must_use]
    pub fn counters(&self) -> PlayoutCounters {
        self.counters
    }

    /// Present and wanted delay in milliseconds.
    #[must_use]
    pub fn delay_ms(&self, now: Duration) -> (i64, i64) {
        let waiting = (self.samples.len() / SAMPLES_PER_MS) as i64;
        let present = if self.buffer.started() {
            self.buffer.delay_ms(now) + waiting
        } else {
            0
        };
        (present, self.buffer.target_ms())
    }

    /// Packets thrown away because too many were held.
    #[must_use]
    pub fn overflowed(&self) -> u64 {
        self.buffer.overflowed()
    }

    /// Moves the delay one step towards the target.
    fn steer(&mut self, now: Duration) {
        let (delay, target) = self.delay_ms(now);
        let short = if self.quiet {
            SHORT_QUIET_MS
        } else {
            SHORT_SOUND_MS
        };
        self.cut_pause = self.cut_pause.saturating_sub(1);
        let long = if self.quiet {
            LONG_QUIET_MS
        } else {
            LONG_SOUND_MS
        };
        if delay + short <= target {
            self.concealment.conceal(FRAME_SAMPLES, &mut self.samples);
            self.counters.stretched_samples += FRAME_SAMPLES as u64;
        } else if delay >= target + long && (self.quiet || self.cut_pause == 0) {
            self.cut();
        }
    }

    /// Leaves out up to 20 ms at the point of best fit, if that much is there.
    fn cut(&mut self) {
        let needed = 2 * FRAME_SAMPLES;
        while self.samples.len() < needed {
            match self.buffer.take() {
                Next::Packet { held, skip } => self.decode(held.codec, &held.payload, skip),
                _ => return, // nothing real to cut: a gap shortens nothing
            }
        }
        let lag = if is_quiet(&self.samples[..needed]) {
            FRAME_SAMPLES
        } else {
            best_cut(&self.samples, CUT_BLEND, FRAME_SAMPLES)
        };
        for index in 0..CUT_BLEND {
            let after = (index + 1) as f32 / (CUT_BLEND + 1) as f32;
            let blended = f32::from(self.samples[index]) * (1.0 - after)
                + f32::from(self.samples[index + lag]) * after;
            self.samples[index] = blended.round() as i16; // between two samples, so in range
        }
        self.samples.drain(CUT_BLEND..CUT_BLEND + lag);
        self.counters.cut_samples += lag as u64;
        self.cut_pause = CUT_PAUSE_FRAMES;
    }

    /// Makes sure that `count` samples wait.
    fn fill(&mut self, count: usize) {
        while self.samples.len() < count {
            let short = count - self.samples.len();
            let missing = match self.buffer.take() {
                Next::Packet { held, skip } => {
                    self.decode(held.codec, &held.payload, skip);
                    continue;
                }
                Next::Gap(octets) => short.min(octets.saturating_mul(SAMPLES_PER_OCTET)),
                Next::Empty => short,
            };
            // Whole octets of time pass, so that the next packet still fits its tick.
            let octets = missing.div_ceil(SAMPLES_PER_OCTET);
            self.concealment
                .conceal(octets * SAMPLES_PER_OCTET, &mut self.samples);
            self.buffer.skip(octets);
            self.counters.concealed_samples += (octets * SAMPLES_PER_OCTET) as u64;
        }
    }

    fn decode(&mut self, codec: Codec, payload: &[u8], skip: usize) {
        if codec != self.decoder.codec() {
            self.decoder = Decoder::new(codec);
        }
        self.decoded.clear();
        self.decoder.decode(payload, &mut self.decoded);
        let heard = &mut self.decoded[skip * SAMPLES_PER_OCTET..];
        self.concealment.accept(heard);
        self.samples.extend_from_slice(heard);
    }
}

fn is_quiet(samples: &[i16]) -> bool {
    let energy: i64 = samples.iter().map(|&s| i64::from(s) * i64::from(s)).sum();
    energy < QUIET_MEAN_SQUARE * samples.len() as i64
}
