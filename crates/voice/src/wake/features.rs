//! Audio front end of microWakeWord: 40 numbers for each 10 ms of sound.
//!
//! ```text
//! 30 ms window ─► spectrum ─► 40 mel bands ─► root ─► noise subtraction ─► gain control ─► logarithm
//! ```
//! The steps, constants and roundings are those of TensorFlow Lite Micro's audio front end with microWakeWord's
//! settings, because the networks learned exactly these numbers; `tests/oracle_wake.py` compares bit for bit.
//! All tables are computed: in `f64`, rounded to the `f32` that the original computes with, so that each platform
//! gets the same table.

use super::fft::{Complex, FFT_BINS, FFT_POINTS, RealFft};
use crate::clock::{FRAME_SAMPLES, SAMPLE_RATE};

/// Numbers in one feature vector.
pub const FEATURE_CHANNELS: usize = 40;
/// A feature vector; typical values are 0 to 670.
pub type Features = [u16; FEATURE_CHANNELS];

/// 30 ms.
const WINDOW_SAMPLES: usize = 3 * FRAME_SAMPLES;
/// Fractional bits of the window's coefficients and of the band weights.
const WEIGHT_BITS: u32 = 12;
const BAND_LOW_HZ: f64 = 125.0;
const BAND_HIGH_HZ: f64 = 7_500.0;
/// log2 of the transform's length, less half of the band weights' bits: what the root still carries as scale.
const CORRECTION_BITS: u32 = FFT_POINTS.ilog2() - WEIGHT_BITS / 2;

/// The front end with the state of one microphone.
pub struct FrontEnd {
    window: [i16; WINDOW_SAMPLES],
    held: [i16; WINDOW_SAMPLES],
    /// Samples in `held` that are sound: less than a window until 30 ms have been heard.
    held_len: usize,
    fft: RealFft,
    bands: Bands,
    noise: [u32; FEATURE_CHANNELS],
    gain: GainTable,
    log: LogTable,
}

impl FrontEnd {
    /// A front end that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            window: hann(),
            held: [0; WINDOW_SAMPLES],
            held_len: 0,
            fft: RealFft::new(),
            bands: Bands::new(),
            noise: [0; FEATURE_CHANNELS],
            gain: GainTable::new(),
            log: LogTable::new(),
        }
    }

    /// Forgets all sound and the noise estimate.
    pub fn reset(&mut self) {
        self.held = [0; WINDOW_SAMPLES];
        self.held_len = 0;
        self.noise = [0; FEATURE_CHANNELS];
    }

    /// Takes 10 ms of sound; gives the features of the last 30 ms once there are so many.
    pub fn push(&mut self, frame: &[i16; FRAME_SAMPLES]) -> Option<Features> {
        self.held.copy_within(FRAME_SAMPLES.., 0);
        self.held[WINDOW_SAMPLES - FRAME_SAMPLES..].copy_from_slice(frame);
        self.held_len = (self.held_len + FRAME_SAMPLES).min(WINDOW_SAMPLES);
        (self.held_len == WINDOW_SAMPLES).then(|| self.features())
    }

    fn features(&mut self) -> Features {
        let mut input = [0; FFT_POINTS];
        let mut peak = 0_u16;
        for ((out, &sample), &weight) in input.iter_mut().zip(&self.held).zip(&self.window) {
            *out = ((i32::from(sample) * i32::from(weight)) >> WEIGHT_BITS) as i16;
            peak = peak.max(if *out == i16::MIN {
                0
            } else {
                out.unsigned_abs()
            });
        }
        // The window is scaled up to use all 15 bits of the transform, and the root is scaled down again.
        let shift = 15 - (u16::BITS - peak.leading_zeros());
        for value in &mut input {
            *value = ((*value as u16) << shift) as i16;
        }
        let mut spectrum = [Complex::default(); FFT_BINS];
        self.fft.transform(&input, &mut spectrum);
        let energy = self.bands.energy(&spectrum);
        let mut features = [0; FEATURE_CHANNELS];
        for (channel, feature) in features.iter_mut().enumerate() {
            let root = rounded_root(energy[channel]) >> shift;
            let signal = subtract_noise(channel, root, &mut self.noise[channel]);
            let signal = self.gain.apply(self.noise[channel], signal);
            *feature = self.log.of(signal << CORRECTION_BITS);
        }
        features
    }
}

impl Default for FrontEnd {
    fn default() -> Self {
        Self::new()
    }
}

/// A Hann window with 12 fractional bits, sampled between the points.
fn hann() -> [i16; WINDOW_SAMPLES] {
    let step = core::f32::consts::PI * 2.0 / WINDOW_SAMPLES as f32;
    core::array::from_fn(|i| {
        let cosine = f64::from(step * (i as f32 + 0.5)).cos() as f32;
        ((0.5 - 0.5 * cosine) * (1 << WEIGHT_BITS) as f32 + 0.5).floor() as i16
    })
}

/// Triangular mel bands: each bin belongs to a band with one weight and to the next band with the rest.
struct Bands {
    first_bin: usize,
    /// Band whose rising edge the bin lies on (0 to 40; band 0 is below the first channel), weight for the band
    /// itself, weight for its successor.
    bins: Vec<(usize, u64, u64)>,
}

impl Bands {
    fn new() -> Self {
        // The reference computes in `f32`, with an error that depends on the C library. Two weights lie so close to a
        // tie that it decides; counting ties up to this distance as above gives the reference's table everywhere.
        const NEAR_TIE: f64 = 0.015;
        let mel = |hz: f64| 1127.0 * (hz / 700.0).ln_1p();
        let hz_per_bin = 0.5 * f64::from(SAMPLE_RATE) / (FFT_BINS as f64 - 1.0);
        let low = mel(BAND_LOW_HZ);
        let spacing = (mel(BAND_HIGH_HZ) - low) / (FEATURE_CHANNELS + 1) as f64;
        let one = f64::from(1_u32 << WEIGHT_BITS);
        let first_bin = (1.5 + BAND_LOW_HZ / hz_per_bin) as usize;
        let mut bins = Vec::new();
        let mut bin = first_bin;
        for band in 0..=FEATURE_CHANNELS {
            let centre = low + spacing * (band + 1) as f64;
            while mel(bin as f64 * hz_per_bin) <= centre {
                let weight = (centre - mel(bin as f64 * hz_per_bin)) / spacing * one;
                let rest = (one - weight + 0.5 - NEAR_TIE).floor() as u64;
                bins.push((band, (weight + 0.5 + NEAR_TIE).floor() as u64, rest));
                bin += 1;
            }
        }
        Self { first_bin, bins }
    }

    /// Energy of the 40 channels, with 12 fractional bits.
    fn energy(&self, spectrum: &[Complex; FFT_BINS]) -> [u64; FEATURE_CHANNELS] {
        // Index 0 gathers what lies below the first channel; a bin falls with `weight` and rises with `rest`.
        let mut sums = [0_u64; FEATURE_CHANNELS + 2];
        for (value, &(band, weight, rest)) in spectrum[self.first_bin..].iter().zip(&self.bins) {
            let (re, im) = (i64::from(value.re), i64::from(value.im));
            let energy = (re * re + im * im) as u64;
            sums[band] += weight * energy;
            sums[band + 1] += rest * energy;
        }
        core::array::from_fn(|channel| sums[channel + 1])
    }
}

/// Square root, rounded to nearest; below 2^32 it stays in 16 bits, as the original does.
fn rounded_root(value: u64) -> u32 {
    let root = value.isqrt();
    let top = if value >> 32 == 0 {
        0xFFFF
    } else {
        0xFFFF_FFFF
    };
    let up = value - root * root > root && root != top;
    (root + u64::from(up)) as u32
}

/// Keeps a slow average per channel and gives the signal above it, at least 5 % of the signal.
fn subtract_noise(channel: usize, signal: u32, estimate: &mut u32) -> u32 {
    const SMOOTHING_BITS: u32 = 10;
    const BITS: u32 = 14;
    // 0.025 for even channels, 0.06 for odd ones, 0.05 as the smallest remainder, in 14 bits.
    let smoothing: u64 = if channel.is_multiple_of(2) { 409 } else { 983 };
    const REMAINDER_MIN: u64 = 819;
    let scaled = signal << SMOOTHING_BITS;
    *estimate = ((u64::from(scaled) * smoothing + u64::from(*estimate) * ((1 << BITS) - smoothing))
        >> BITS) as u32;
    let above = (scaled - (*estimate).min(scaled)) >> SMOOTHING_BITS;
    above.max(((u64::from(signal) * REMAINDER_MIN) >> BITS) as u32)
}

/// Per-channel automatic gain control (PCAN): the signal times (noise + 80)^-0.95, then a soft knee.
struct GainTable {
    /// Value, slope and curvature at each power of two.
    parabolas: [(i16, i16, i16); 33],
    /// Gains of 0 and 1.
    smallest: [i16; 2],
}

impl GainTable {
    const GAIN_BITS: u32 = 21;
    const SNR_BITS: u32 = 12;
    const OUTPUT_BITS: u32 = 6;
    /// Fractional bits of the noise estimate.
    const INPUT_BITS: u32 = 10 - CORRECTION_BITS;

    fn new() -> Self {
        let gain = |noise: u32| -> i16 {
            let noise = noise as f32 / (1_u32 << Self::INPUT_BITS) as f32;
            let power = f64::from(noise + 80.0).powf(-f64::from(0.95_f32)) as f32;
            let gain = (1_u32 << Self::GAIN_BITS) as f32 * power;
            if gain > 32_767.0 {
                i16::MAX
            } else {
                (gain + 0.5) as i16
            }
        };
        let mut parabolas = [(0, 0, 0); 33];
        for (interval, parabola) in parabolas.iter_mut().enumerate().skip(2) {
            let start = 1_u32 << (interval - 1);
            let end = if interval == 32 {
                start + (start - 1)
            } else {
                2 * start
            };
            let (y0, y1, y2) = (gain(start), gain(start + start / 2), gain(end));
            let (half, whole) = (i32::from(y1) - i32::from(y0), i32::from(y2) - i32::from(y0));
            let slope = 4 * half - whole;
            *parabola = (y0, slope as i16, (whole - slope) as i16);
        }
        Self {
            parabolas,
            smallest: [gain(0), gain(1)],
        }
    }

    fn of(&self, noise: u32) -> i16 {
        if noise <= 2 {
            return if noise < 2 {
                self.smallest[noise as usize]
            } else {
                self.parabolas[2].0
            };
        }
        let interval = u32::BITS - noise.leading_zeros();
        let fraction = (if interval < 11 {
            noise << (11 - interval)
        } else {
            noise >> (interval - 11)
        }) & 0x3FF;
        let fraction = fraction as i32;
        let (value, slope, curve) = self.parabolas[interval as usize];
        let mut result = (i32::from(curve) * fraction) >> 5;
        result = result
            .wrapping_add(i32::from(slope) << 5)
            .wrapping_mul(fraction);
        result = result.wrapping_add(1 << 14) >> 15;
        result.wrapping_add(i32::from(value)) as i16
    }

    fn apply(&self, noise: u32, signal: u32) -> u32 {
        let gain = i32::from(self.of(noise)) as u32;
        let snr = ((u64::from(signal).wrapping_mul(u64::from(gain)))
            >> (Self::GAIN_BITS - CORRECTION_BITS - Self::SNR_BITS)) as u32;
        if snr < 2 << Self::SNR_BITS {
            snr.wrapping_mul(snr) >> (2 + 2 * Self::SNR_BITS - Self::OUTPUT_BITS)
        } else {
            (snr >> (Self::SNR_BITS - Self::OUTPUT_BITS)) - (1 << Self::OUTPUT_BITS)
        }
    }
}

/// 64 times the natural logarithm, by linear interpolation of log2 between 128 points.
struct LogTable {
    /// What log2(1 + i/128) has above i/128, with 16 fractional bits.
    above: [u16; 129],
}

impl LogTable {
    const BITS: u32 = 16;
    const SEGMENT_BITS: u32 = 7;
    const SCALE_SHIFT: u32 = 6;
    /// ln 2 with 16 fractional bits.
    const LN_2: u64 = 45_426;

    fn new() -> Self {
        let above = core::array::from_fn(|i| {
            let x = i as f64 / 128.0;
            (((1.0 + x).log2() - x) * f64::from(1_u32 << Self::BITS)).round() as u16
        });
        Self { above }
    }

    fn of(&self, value: u32) -> u16 {
        if value <= 1 {
            return 0;
        }
        let whole = value.ilog2();
        let rest = value - (1 << whole);
        let fraction = if whole < Self::BITS {
            rest << (Self::BITS - whole)
        } else {
            rest >> (whole - Self::BITS)
        };
        let segment = (fraction >> (Self::BITS - Self::SEGMENT_BITS)) as usize;
        let (from, to) = (
            i32::from(self.above[segment]),
            i32::from(self.above[segment + 1]),
        );
        let inside = fraction as i32 - ((segment as i32) << (Self::BITS - Self::SEGMENT_BITS));
        let fraction = fraction as i32 + from + (((to - from) * inside) >> Self::BITS);
        let log2 = (whole << Self::BITS).wrapping_add(fraction as u32);
        let half = 1_u32 << (Self::BITS - 1);
        let natural = ((Self::LN_2 * u64::from(log2) + u64::from(half)) >> Self::BITS) as u32;
        let scaled = ((natural << Self::SCALE_SHIFT).wrapping_add(half)) >> Self::BITS;
        scaled.min(u32::from(u16::MAX)) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_zero_and_thirty_milliseconds_are_needed() {
        let mut front = FrontEnd::new();
        assert_eq!(front.push(&[0; 160]), None);
        assert_eq!(front.push(&[0; 160]), None);
        assert_eq!(front.push(&[0; 160]), Some([0; 40]));
        assert_eq!(front.push(&[0; 160]), Some([0; 40]));
        front.reset();
        assert_eq!(front.push(&[0; 160]), None);
    }

    #[test]
    fn extreme_samples_do_not_panic() {
        let mut front = FrontEnd::new();
        for round in 0..400 {
            let frame = core::array::from_fn(|i| match round % 4 {
                0 => i16::MIN,
                1 => i16::MAX,
                2 if i % 2 == 0 => i16::MIN,
                2 => i16::MAX,
                _ => 1,
            });
            front.push(&frame);
        }
    }

    #[test]
    fn root_is_rounded_to_nearest() {
        for value in [0_u64, 1, 2, 3, 6, 7, 99, 110, 111, 65_535 * 65_535] {
            let exact = (value as f64).sqrt();
            assert!(
                (f64::from(rounded_root(value)) - exact).abs() <= 0.5,
                "{value}"
            );
        }
        assert_eq!(
            rounded_root(u64::from(u32::MAX)),
            65_535,
            "16 bits below 2^32"
        );
        assert_eq!(rounded_root(1 << 40), 1 << 20);
    }

    #[test]
    fn logarithm_is_sixty_four_times_natural() {
        let log = LogTable::new();
        for value in [2_u32, 3, 10, 1000, 65_535, 65_536, 1 << 24, u32::MAX] {
            let exact = 64.0 * f64::from(value).ln();
            assert!(
                (f64::from(log.of(value)) - exact).abs() < 1.0,
                "{value}: {} {exact}",
                log.of(value)
            );
        }
    }

    #[test]
    fn every_channel_has_weight() {
        let bands = Bands::new();
        for channel in 1..=FEATURE_CHANNELS {
            assert!(bands.bins.iter().any(|&(band, weight, rest)| {
                (band == channel && weight > 0) || (band + 1 == channel && rest > 0)
            }));
        }
    }
}
