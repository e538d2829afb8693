//! G.722 at 64 kbit/s: 16 kHz speech in two sub-bands, each coded by adaptive differential PCM.
//!
//! ```text
//! 16 kHz ─► QMF ─► 0-4 kHz ─► 6 bits ─┐                  ┌─► 0-4 kHz ─► QMF ─► 16 kHz
//!                └► 4-8 kHz ─► 2 bits ─┴─► one octet a pair ┴─► 4-8 kHz ─┘
//! ```
//! The arithmetic is that of ITU-T G.722 sections 3 to 6 with 16-bit saturation, so that both ends keep
//! the same state. Mode 1 only (all eight bits are audio), as RTP carries it. RTP counts it with a
//! clock of 8000 although it samples at 16 kHz (RFC 3551 §4.5.2): one octet is one clock tick.

/// Half of the symmetric 24-tap quadrature mirror filter (G.722 table 11), scaled by 2^13.
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// Decision levels of the 60-level lower-band quantizer (table 14), in units of the scale factor.
const LOW_LEVELS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023,
    1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
/// Output of the 15-level inverse quantizer by the four upper bits (table 17): drives the adaptation.
const LOW_INVERSE_4: [i32; 16] = [
    0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584,
    1200, 0,
];
/// Output of the 60-level inverse quantizer by all six bits (table 19): what is heard in mode 1.
const LOW_INVERSE_6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232,
    -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776,
    -2400, -2032, -1688, -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280,
    11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776,
    2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];
/// Output of the 4-level inverse quantizer of the higher band (table 20).
const HIGH_INVERSE: [i32; 4] = [-7408, -1616, 7408, 1616];
/// Logarithmic step multipliers by magnitude class (tables 13 and 15).
const LOW_MULTIPLIERS: [i32; 8] = [-60, -30, 58, 172, 334, 538, 1198, 3042];
const HIGH_MULTIPLIERS: [i32; 2] = [798, -214];
/// Base-2 antilogarithm of 32 steps an octave (table 16).
const ANTILOG: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];
/// Ceilings of the logarithmic scale factors (blocks LOGSCL and LOGSCH).
const LOW_LOG_MAX: i32 = 18432;
const HIGH_LOG_MAX: i32 = 22528;
/// The one decision level of the higher band's magnitude (table 21).
const HIGH_LEVEL: i32 = 564;

fn saturate(value: i32) -> i32 {
    value.clamp(-32768, 32767)
}

/// `a * b / 2^15`, the 16-bit fractional product of the standard.
fn product(a: i32, b: i32) -> i32 {
    (a * b) >> 15
}

/// The adaptive predictor and scale factor that both ends of one sub-band keep alike.
#[derive(Clone, Debug)]
struct Band {
    /// Prediction of the next sample, and the part of it due to the zeros.
    estimate: i32,
    estimate_zeros: i32,
    /// Last two reconstructed samples, poles, and signs' source (partially reconstructed).
    reconstructed: [i32; 2],
    poles: [i32; 2],
    partial: [i32; 2],
    /// Last six quantized differences and their coefficients.
    differences: [i32; 6],
    zeros: [i32; 6],
    /// Logarithmic and linear scale factor of the quantizer.
    log_scale: i32,
    scale: i32,
}

impl Band {
    fn new(scale: i32) -> Self {
        Self {
            estimate: 0,
            estimate_zeros: 0,
            reconstructed: [0; 2],
            poles: [0; 2],
            partial: [0; 2],
            differences: [0; 6],
            zeros: [0; 6],
            log_scale: 0,
            scale,
        }
    }

    /// Blocks LOGSCL/SCALEL or LOGSCH/SCALEH: leak, add the multiplier, take the antilogarithm.
    fn adapt_scale(&mut self, multiplier: i32, log_max: i32, octave: i32) {
        self.log_scale = (((self.log_scale * 127) >> 7) + multiplier).clamp(0, log_max);
        let mantissa = ANTILOG[((self.log_scale >> 6) & 31) as usize];
        let shift = octave - (self.log_scale >> 11);
        let linear = if shift < 0 {
            mantissa << -shift
        } else {
            mantissa >> shift
        };
        self.scale = linear << 2;
    }

    /// Blocks RECONS to PREDIC (section 3.6.4 and 3.6.5): take in one quantized difference.
    fn adapt_predictor(&mut self, difference: i32) {
        let reconstructed = saturate(self.estimate + difference);
        let partial = saturate(self.estimate_zeros + difference);
        let negative = |value: i32| value < 0;
        let same_as_last = negative(partial) == negative(self.partial[0]);
        let same_as_second = negative(partial) == negative(self.partial[1]);

        // UPPOL2, then UPPOL1 inside the stability triangle.
        let first = saturate(self.poles[0] << 2);
        let turned = if same_as_last {
            saturate(-first)
        } else {
            first
        };
        let second_pole = ((if same_as_second { 128 } else { -128 })
            + (turned >> 7)
            + product(self.poles[1], 32512))
        .clamp(-12288, 12288);
        let bound = saturate(15360 - second_pole);
        let first_pole =
            saturate((if same_as_last { 192 } else { -192 }) + product(self.poles[0], 32640))
                .clamp(-bound, bound);

        // UPZERO: sign-sign gradient with leak; no step when the difference is zero.
        let step = if difference == 0 { 0 } else { 128 };
        for (zero, past) in self.zeros.iter_mut().zip(&self.differences) {
            let signed = if negative(difference) == negative(*past) {
                step
            } else {
                -step
            };
            *zero = saturate(signed + product(*zero, 32640));
        }

        self.differences.rotate_right(1);
        self.differences[0] = difference;
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        self.partial = [partial, self.partial[0]];
        self.poles = [first_pole, second_pole];

        let from_poles: i32 = saturate(
            product(self.poles[0], saturate(2 * self.reconstructed[0]))
                + product(self.poles[1], saturate(2 * self.reconstructed[1])),
        );
        self.estimate_zeros = saturate(
            self.zeros
                .iter()
                .zip(&self.differences)
                .map(|(zero, past)| product(*zero, saturate(2 * past)))
                .sum(),
        );
        self.estimate = saturate(from_poles + self.estimate_zeros);
    }

    /// The lower band takes in its six bits; both ends adapt by the upper four (section 3.3).
    fn adapt_low(&mut self, code: u8) {
        let upper = usize::from(code >> 2);
        let difference = product(self.scale, LOW_INVERSE_4[upper]);
        // Magnitude class: 0 for the two innermost words, 7 for the outermost.
        let class = match upper {
            0 | 15 => 0,
            1..=7 => 8 - upper,
            _ => 15 - upper,
        };
        self.adapt_scale(LOW_MULTIPLIERS[class], LOW_LOG_MAX, 8);
        self.adapt_predictor(difference);
    }

    /// The higher band takes in its two bits.
    fn adapt_high(&mut self, code: u8) {
        let difference = product(self.scale, HIGH_INVERSE[usize::from(code)]);
        self.adapt_scale(HIGH_MULTIPLIERS[usize::from(code & 1)], HIGH_LOG_MAX, 10);
        self.adapt_predictor(difference);
    }
}

/// Encoder of one stream.
#[derive(Clone, Debug)]
pub struct G722Encoder {
    history: [i32; 24],
    low: Band,
    high: Band,
    /// A sample waiting for its pair.
    odd: Option<i16>,
}

impl Default for G722Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl G722Encoder {
    /// An encoder in the reset state of the standard (section 3.4: scale factors 32 and 8).
    #[must_use]
    pub fn new() -> Self {
        Self {
            history: [0; 24],
            low: Band::new(32),
            high: Band::new(8),
            odd: None,
        }
    }

    /// Encodes samples at 16 kHz; every pair appends one octet. An odd last sample waits for the next call.
    pub fn encode(&mut self, samples: &[i16], octets: &mut Vec<u8>) {
        octets.reserve(samples.len() / 2 + 1);
        for &sample in samples {
            match self.odd.take() {
                None => self.odd = Some(sample),
                Some(first) => octets.push(self.encode_pair(first, sample)),
            }
        }
    }

    fn encode_pair(&mut self, first: i16, second: i16) -> u8 {
        self.history.copy_within(2.., 0);
        self.history[22] = i32::from(first);
        self.history[23] = i32::from(second);
        let (mut even, mut odd) = (0, 0);
        for (index, pair) in self.history.chunks_exact(2).enumerate() {
            odd += pair[0] * QMF[index];
            even += pair[1] * QMF[11 - index];
        }
        let low = self.quantize_low((even + odd) >> 14);
        let high = self.quantize_high((even - odd) >> 14);
        self.low.adapt_low(low);
        self.high.adapt_high(high);
        (high << 6) | low
    }

    fn quantize_low(&self, sample: i32) -> u8 {
        let error = saturate(sample - self.low.estimate);
        let magnitude = if error < 0 { !error } else { error };
        let level = LOW_LEVELS
            .iter()
            .position(|level| magnitude < ((level * self.low.scale) >> 12))
            .unwrap_or(LOW_LEVELS.len()) as u8;
        // Table 14 numbers the words downwards: positive 61, 60, ... 32; negative 63, 62, 31, ... 4.
        match (error < 0, level) {
            (false, level) => 61 - level,
            (true, 0) => 63,
            (true, 1) => 62,
            (true, level) => 33 - level,
        }
    }

    fn quantize_high(&self, sample: i32) -> u8 {
        let error = saturate(sample - self.high.estimate);
        let magnitude = if error < 0 { !error } else { error };
        let large = magnitude >= (HIGH_LEVEL * self.high.scale) >> 12;
        match (error < 0, large) {
            (true, false) => 1,
            (true, true) => 0,
            (false, false) => 3,
            (false, true) => 2,
        }
    }
}

/// Decoder of one stream.
#[derive(Clone, Debug)]
pub struct G722Decoder {
    history: [i32; 24],
    low: Band,
    high: Band,
}

impl Default for G722Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl G722Decoder {
    /// A decoder in the reset state of the standard.
    #[must_use]
    pub fn new() -> Self {
        Self {
            history: [0; 24],
            low: Band::new(32),
            high: Band::new(8),
        }
    }

    /// Decodes octets; each appends two samples at 16 kHz. Any octet is a valid word.
    pub fn decode(&mut self, octets: &[u8], samples: &mut Vec<i16>) {
        samples.reserve(octets.len() * 2);
        for &octet in octets {
            let (low_code, high_code) = (octet & 0x3f, octet >> 6);
            let low_difference = product(self.low.scale, LOW_INVERSE_6[usize::from(low_code)]);
            let low = (self.low.estimate + low_difference).clamp(-16384, 16383);
            self.low.adapt_low(low_code);
            let high_difference = product(self.high.scale, HIGH_INVERSE[usize::from(high_code)]);
            let high = (self.high.estimate + high_difference).clamp(-16384, 16383);
            self.high.adapt_high(high_code);

            self.history.copy_within(2.., 0);
            self.history[22] = low + high;
            self.history[23] = low - high;
            let (mut first, mut second) = (0, 0);
            for (index, pair) in self.history.chunks_exact(2).enumerate() {
                second += pair[0] * QMF[index];
                first += pair[1] * QMF[11 - index];
            }
            samples.push(saturate(first >> 11) as i16);
            samples.push(saturate(second >> 11) as i16);
        }
    }
}
