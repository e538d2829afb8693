//! Real Fourier transform of 512 points in 16-bit fixed point.
//!
//! The wake-word models were trained on features whose spectrum came from a 16-bit transform (KISS FFT's
//! arithmetic, as TensorFlow Lite Micro's audio front end uses it). Its rounding is part of what the networks
//! learned, so this transform rounds at the same places: each radix-4 stage first divides by 4, each product is
//! rounded to 15 fractional bits, and sums wrap as 16-bit registers do.

use core::f64::consts::PI;

/// Points of the real transform.
pub(super) const FFT_POINTS: usize = 512;
/// Points of the complex transform below it: two real samples make one complex number.
const HALF: usize = FFT_POINTS / 2;
/// Bins from direct current to the Nyquist frequency, both included.
pub(super) const FFT_BINS: usize = HALF + 1;
/// 1.0 in 15 fractional bits.
const ONE: i32 = 32_767;

/// A complex number in 16-bit fixed point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Complex {
    pub(super) re: i16,
    pub(super) im: i16,
}

/// 30 fractional bits to 15, rounded half up.
fn round15(product: i32) -> i16 {
    (product.wrapping_add(1 << 14) >> 15) as i16
}

impl Complex {
    /// The unit vector at `phase` radians.
    fn unit(phase: f64) -> Self {
        let fixed = |value: f64| (0.5 + f64::from(ONE) * value).floor() as i16;
        Self {
            re: fixed(phase.cos()),
            im: fixed(phase.sin()),
        }
    }

    fn add(self, other: Self) -> Self {
        Self {
            re: self.re.wrapping_add(other.re),
            im: self.im.wrapping_add(other.im),
        }
    }

    fn sub(self, other: Self) -> Self {
        Self {
            re: self.re.wrapping_sub(other.re),
            im: self.im.wrapping_sub(other.im),
        }
    }

    fn mul(self, other: Self) -> Self {
        let product = |a: i16, b: i16| i32::from(a) * i32::from(b);
        Self {
            re: round15(product(self.re, other.re).wrapping_sub(product(self.im, other.im))),
            im: round15(product(self.re, other.im).wrapping_add(product(self.im, other.re))),
        }
    }

    /// Divided by `divisor` in the way the fixed-point transform does it: a product with 32767/divisor.
    fn over(self, divisor: i32) -> Self {
        let scale = ONE / divisor;
        Self {
            re: round15(i32::from(self.re) * scale),
            im: round15(i32::from(self.im) * scale),
        }
    }
}

/// Twiddle factors and work space of one transform.
pub(super) struct RealFft {
    twiddles: Box<[Complex; HALF]>,
    /// Twiddles that separate the two interleaved real halves.
    split: Box<[Complex; HALF / 2]>,
    work: Box<[Complex; HALF]>,
}

impl RealFft {
    pub(super) fn new() -> Self {
        let mut twiddles = Box::new([Complex::default(); HALF]);
        for (index, twiddle) in twiddles.iter_mut().enumerate() {
            *twiddle = Complex::unit(-2.0 * PI * index as f64 / HALF as f64);
        }
        let mut split = Box::new([Complex::default(); HALF / 2]);
        for (index, twiddle) in split.iter_mut().enumerate() {
            *twiddle = Complex::unit(-PI * ((index + 1) as f64 / HALF as f64 + 0.5));
        }
        Self {
            twiddles,
            split,
            work: Box::new([Complex::default(); HALF]),
        }
    }

    /// The spectrum of `input`, scaled by 1/512.
    pub(super) fn transform(
        &mut self,
        input: &[i16; FFT_POINTS],
        spectrum: &mut [Complex; FFT_BINS],
    ) {
        self.complex(input);
        let dc = self.work[0].over(2);
        spectrum[0] = Complex {
            re: dc.re.wrapping_add(dc.im),
            im: 0,
        };
        spectrum[HALF] = Complex {
            re: dc.re.wrapping_sub(dc.im),
            im: 0,
        };
        for bin in 1..=HALF / 2 {
            let mirrored = self.work[HALF - bin];
            let here = self.work[bin].over(2);
            let there = Complex {
                re: mirrored.re,
                im: mirrored.im.wrapping_neg(),
            }
            .over(2);
            let even = here.add(there);
            let odd = here.sub(there).mul(self.split[bin - 1]);
            let half = |a: i16, b: i32| ((i32::from(a) + b) >> 1) as i16;
            let (odd_re, odd_im) = (i32::from(odd.re), i32::from(odd.im));
            spectrum[bin] = Complex {
                re: half(even.re, odd_re),
                im: half(even.im, odd_im),
            };
            spectrum[HALF - bin] = Complex {
                re: half(even.re, -odd_re),
                im: ((odd_im - i32::from(even.im)) >> 1) as i16,
            };
        }
    }

    /// Complex transform of 256 points into `work`: inputs in digit-reversed order, then four radix-4 stages.
    fn complex(&mut self, input: &[i16; FFT_POINTS]) {
        for (place, value) in self.work.iter_mut().enumerate() {
            let from = reversed(place);
            *value = Complex {
                re: input[2 * from],
                im: input[2 * from + 1],
            };
        }
        let mut span = 1;
        while span < HALF {
            let stride = HALF / (4 * span);
            for group in self.work.chunks_exact_mut(4 * span) {
                for k in 0..span {
                    let a = group[k].over(4);
                    let b = group[k + span].over(4).mul(self.twiddles[stride * k]);
                    let c = group[k + 2 * span]
                        .over(4)
                        .mul(self.twiddles[2 * stride * k]);
                    let d = group[k + 3 * span]
                        .over(4)
                        .mul(self.twiddles[3 * stride * k]);
                    let (even, odd) = (a.add(c), a.sub(c));
                    let (sum, difference) = (b.add(d), b.sub(d));
                    group[k] = even.add(sum);
                    group[k + span] = Complex {
                        re: odd.re.wrapping_add(difference.im),
                        im: odd.im.wrapping_sub(difference.re),
                    };
                    group[k + 2 * span] = even.sub(sum);
                    group[k + 3 * span] = Complex {
                        re: odd.re.wrapping_sub(difference.im),
                        im: odd.im.wrapping_add(difference.re),
                    };
                }
            }
            span *= 4;
        }
    }
}

/// The four base-4 digits of an index below 256 in reverse order.
fn reversed(index: usize) -> usize {
    (index & 3) << 6 | (index >> 2 & 3) << 4 | (index >> 4 & 3) << 2 | index >> 6 & 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_lands_in_its_bin() {
        let mut fft = RealFft::new();
        let mut spectrum = [Complex::default(); FFT_BINS];
        for bin in [1, 5, 100, 255] {
            let tone: [i16; FFT_POINTS] = core::array::from_fn(|i| {
                (20_000.0 * (2.0 * PI * (i * bin) as f64 / FFT_POINTS as f64).cos()) as i16
            });
            fft.transform(&tone, &mut spectrum);
            for (index, value) in spectrum.iter().enumerate() {
                let expected = if index == bin { 10_000 } else { 0 };
                assert!(
                    (i32::from(value.re) - expected).abs() < 12,
                    "bin {index} of tone {bin}: {value:?}"
                );
                assert!(
                    i32::from(value.im).abs() < 12,
                    "bin {index} of tone {bin}: {value:?}"
                );
            }
        }
    }

    #[test]
    fn full_scale_input_does_not_panic() {
        let mut fft = RealFft::new();
        let mut spectrum = [Complex::default(); FFT_BINS];
        for value in [i16::MIN, i16::MAX] {
            fft.transform(&[value; FFT_POINTS], &mut spectrum);
            let alternating = core::array::from_fn(|i| if i % 2 == 0 { value } else { !value });
            fft.transform(&alternating, &mut spectrum);
        }
    }
}
