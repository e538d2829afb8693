//! Sound of others as ours: any rate, width and number of channels to 16 kHz, 16 bit, mono; and back to bytes.
use core::f64::consts::PI;

/// The only rate inside, in hertz.
pub const RATE_HZ: u32 = 16_000;
/// Rates that are taken, in hertz.
pub const RATES_HZ: [u32; 11] = [
    8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000,
];
/// Most channels that are taken.
pub const CHANNELS_MAX: u8 = 8;
/// Zero crossings of the filter on each side.
const CROSSINGS: usize = 16;

/// Raw sound of somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// In hertz.
    pub rate_hz: u32,
    /// Bytes of a sample, little-endian, signed.
    pub width_bytes: u8,
    /// Channels, side by side.
    pub channels: u8,
}

/// What cannot be converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "sound of {} Hz, {} bytes and {} channels is not taken: send 16000 Hz, 2 bytes, 1 channel",
    .0.rate_hz, .0.width_bytes, .0.channels
)]
pub struct FormatError(pub Format);

/// Converts a stream, piece by piece.
#[derive(Debug)]
pub struct Converter {
    format: Format,
    /// Bytes of a frame that is not whole yet.
    rest: Vec<u8>,
    filter: Option<Filter>,
}

impl Converter {
    /// A converter at the start of a stream.
    ///
    /// # Errors
    /// [`FormatError`] when such sound is not taken.
    pub fn new(format: Format) -> Result<Self, FormatError> {
        let taken = RATES_HZ.contains(&format.rate_hz)
            && (1..=4).contains(&format.width_bytes)
            && (1..=CHANNELS_MAX).contains(&format.channels);
        if !taken {
            return Err(FormatError(format));
        }
        Ok(Self {
            format,
            rest: Vec::new(),
            filter: (format.rate_hz != RATE_HZ).then(|| Filter::new(format.rate_hz)),
        })
    }

    /// What comes in.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Converts the next bytes. A frame that is cut waits for its other part.
    pub fn convert(&mut self, bytes: &[u8]) -> Vec<i16> {
        let width = usize::from(self.format.width_bytes);
        let frame = width * usize::from(self.format.channels);
        self.rest.extend_from_slice(bytes);
        let whole = self.rest.len() / frame * frame;
        let mono: Vec<i16> = self.rest[..whole]
            .chunks_exact(frame)
            .map(|frame| {
                let sum: i32 = frame.chunks_exact(width).map(sample).sum();
                // The mean of values of 16 bits has 16 bits.
                (sum / i32::from(self.format.channels)) as i16
            })
            .collect();
        self.rest.drain(..whole);
        match &mut self.filter {
            Some(filter) => filter.push(&mono),
            None => mono,
        }
    }
}

/// The upper 16 bits of a little-endian sample.
fn sample(bytes: &[u8]) -> i32 {
    match bytes {
        [one] => i32::from(*one as i8) << 8,
        [.., low, high] => i32::from(i16::from_le_bytes([*low, *high])),
        [] => 0,
    }
}

/// Windowed sinc, one row of weights for each place between two samples.
#[derive(Debug)]
struct Filter {
    /// Output samples in `down` input samples.
    up: usize,
    down: usize,
    taps: usize,
    /// `up` rows of `taps` weights.
    weights: Vec<f32>,
    held: Vec<i16>,
    /// Place of the next output sample behind the first held one, in parts of `up`.
    at: usize,
}

impl Filter {
    fn new(rate_hz: u32) -> Self {
        let common = common_divisor(rate_hz, RATE_HZ);
        // Both are at most 96,000.
        let (up, down) = ((RATE_HZ / common) as usize, (rate_hz / common) as usize);
        // Down: the filter is as much longer as its band is narrower.
        let band = (f64::from(RATE_HZ) / f64::from(rate_hz)).min(1.0) * 0.94;
        let half = (CROSSINGS as f64 / band).ceil() as usize;
        let taps = 2 * half;
        let mut weights = Vec::with_capacity(up * taps);
        for place in 0..up {
            let offset = place as f64 / up as f64;
            let row: Vec<f64> = (0..taps)
                .map(|tap| {
                    let x = tap as f64 - (half as f64 - 1.0) - offset;
                    let window = 0.5 + 0.5 * (PI * x / half as f64).clamp(-PI, PI).cos();
                    let sinc = if x == 0.0 {
                        1.0
                    } else {
                        (PI * band * x).sin() / (PI * band * x)
                    };
                    sinc * window
                })
                .collect();
            let sum: f64 = row.iter().sum();
            weights.extend(row.iter().map(|weight| (weight / sum) as f32));
        }
        Self {
            up,
            down,
            taps,
            weights,
            // Silence before the stream, so that its first sample stands in the middle of the filter.
            held: vec![0; half - 1],
            at: 0,
        }
    }

    fn push(&mut self, samples: &[i16]) -> Vec<i16> {
        self.held.extend_from_slice(samples);
        let mut out = Vec::with_capacity(samples.len() * self.up / self.down + 1);
        while self.at / self.up + self.taps <= self.held.len() {
            let from = self.at / self.up;
            let row = (self.at % self.up) * self.taps;
            let sum: f32 = self.held[from..from + self.taps]
                .iter()
                .zip(&self.weights[row..row + self.taps])
                .map(|(sample, weight)| f32::from(*sample) * weight)
                .sum();
            out.push(sum.round().clamp(-32_768.0, 32_767.0) as i16);
            self.at += self.down;
        }
        let done = (self.at / self.up).min(self.held.len());
        self.held.drain(..done);
        self.at -= done * self.up;
        out
    }
}

fn common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// Samples as little-endian bytes.
#[must_use]
pub fn bytes_of(samples: &[i16]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate_hz: u32, hertz: f64, seconds: f64) -> Vec<i16> {
        let count = (f64::from(rate_hz) * seconds) as usize;
        (0..count)
            .map(|at| {
                let turn = 2.0 * PI * hertz * at as f64 / f64::from(rate_hz);
                (turn.sin() * 10_000.0) as i16
            })
            .collect()
    }

    /// Loudness of one frequency and of the whole.
    fn level(samples: &[i16], hertz: f64) -> (f64, f64) {
        let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
        for (at, sample) in samples.iter().enumerate() {
            let turn = 2.0 * PI * hertz * at as f64 / f64::from(RATE_HZ);
            re += f64::from(*sample) * turn.cos();
            im += f64::from(*sample) * turn.sin();
            all += f64::from(*sample).powi(2);
        }
        let count = samples.len() as f64;
        (2.0 * re.hypot(im) / count, (all / count).sqrt())
    }

    #[test]
    fn a_tone_keeps_its_height_and_loudness_at_each_rate_and_however_it_is_cut() {
        for rate_hz in RATES_HZ {
            let format = Format {
                rate_hz,
                width_bytes: 2,
                channels: 1,
            };
            let bytes = bytes_of(&tone(rate_hz, 1_000.0, 1.0));
            let mut whole = Converter::new(format).unwrap();
            let at_once = whole.convert(&bytes);
            let mut pieces = Converter::new(format).unwrap();
            let cut: Vec<i16> = bytes
                .chunks(333)
                .flat_map(|part| pieces.convert(part))
                .collect();
            assert_eq!(at_once, cut, "{rate_hz} Hz");
            assert!(
                at_once.len().abs_diff(16_000) < 200,
                "{rate_hz} Hz: {}",
                at_once.len()
            );
            let (loud, _) = level(&at_once[2_000..14_000], 1_000.0);
            assert!((loud - 10_000.0).abs() < 150.0, "{rate_hz} Hz: {loud}");
        }
    }

    #[test]
    fn what_16_khz_cannot_carry_is_gone_not_folded() {
        for (rate_hz, hertz) in [(48_000, 11_000.0), (44_100, 15_000.0), (22_050, 9_500.0)] {
            let format = Format {
                rate_hz,
                width_bytes: 2,
                channels: 1,
            };
            let mut converter = Converter::new(format).unwrap();
            let out = converter.convert(&bytes_of(&tone(rate_hz, hertz, 1.0)));
            let (_, all) = level(&out[2_000..14_000], 1_000.0);
            assert!(all < 10.0, "{rate_hz} Hz, {hertz} Hz: {all}");
        }
    }

    #[test]
    fn widths_and_channels() {
        let format = |width_bytes, channels| Format {
            rate_hz: 16_000,
            width_bytes,
            channels,
        };
        let convert = |format, bytes: &[u8]| Converter::new(format).unwrap().convert(bytes);
        assert_eq!(convert(format(1, 1), &[0x7f, 0x80]), [0x7f00, -0x8000]);
        assert_eq!(convert(format(2, 2), &[10, 0, 30, 0, 1]), [20]);
        assert_eq!(convert(format(3, 1), &[9, 0x34, 0x12]), [0x1234]);
        assert_eq!(convert(format(4, 1), &[9, 9, 0x34, 0x12]), [0x1234]);
        for wrong in [format(0, 1), format(5, 1), format(2, 0), format(2, 9)] {
            assert!(Converter::new(wrong).is_err());
        }
        let odd = Format {
            rate_hz: 15_999,
            ..format(2, 1)
        };
        insta::assert_snapshot!(Converter::new(odd).unwrap_err(), @"sound of 15999 Hz, 2 bytes and 1 channels is not taken: send 16000 Hz, 2 bytes, 1 channel");
    }
}
