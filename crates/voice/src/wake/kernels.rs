//! Arithmetic of the quantised operators, rounding as TensorFlow Lite's kernels round.
//!
//! A quantised number stands for `scale * (value - zero_point)`. Sums of products are 32 bits wide and are brought to
//! the output's scale by a fixed-point multiplier (Jacob et al. 2018, "Quantization and Training of Neural Networks
//! for Efficient Integer-Arithmetic-Only Inference", section 2.2).

/// A positive factor as a 31-bit fraction and a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Multiplier {
    fraction: i32,
    /// Left shift; negative is right.
    shift: i32,
}

impl Multiplier {
    /// `None` for a factor that is not finite and positive, or is 2^30 or more.
    pub(super) fn of(factor: f64) -> Option<Self> {
        if !factor.is_finite() || factor <= 0.0 {
            return None;
        }
        let mut shift = 0;
        let mut fraction = factor;
        while fraction >= 1.0 && shift <= 30 {
            fraction /= 2.0;
            shift += 1;
        }
        while fraction < 0.5 && shift >= -31 {
            fraction *= 2.0;
            shift -= 1;
        }
        if shift > 30 {
            return None;
        }
        if shift < -31 {
            return Some(Self {
                fraction: 0,
                shift: 0,
            });
        }
        let mut fixed = (fraction * f64::from(1_u32 << 31)).round() as i64;
        if fixed == 1 << 31 {
            fixed /= 2;
            shift += 1;
        }
        Some(Self {
            fraction: fixed as i32,
            shift,
        })
    }

    /// The product, rounded twice, half up: to a 31-bit fraction's integer part and again by the right shift. The
    /// first rounding can push a value over the second one's edge; the reference kernels do so too.
    pub(super) fn apply(self, sum: i32) -> i32 {
        let left = self.shift.max(0) as u32;
        let right = (-self.shift).max(0) as u32;
        let product = i64::from(sum.wrapping_shl(left)) * i64::from(self.fraction);
        let high = (product + (1 << 30)) >> 31;
        ((high + ((1_i64 << right) >> 1)) >> right) as i32
    }
}

/// From a 32-bit sum to an output byte.
#[derive(Clone, Debug)]
pub(super) struct Output {
    /// One per channel.
    pub(super) multipliers: Vec<Multiplier>,
    pub(super) zero: i32,
    pub(super) min: i32,
    pub(super) max: i32,
}

impl Output {
    fn byte(&self, sum: i32, channel: usize) -> i8 {
        let scaled = self.multipliers[channel]
            .apply(sum)
            .saturating_add(self.zero);
        scaled.clamp(self.min, self.max) as i8
    }
}

/// Sizes of a convolution: height and width of input, kernel and output, and how the kernel moves.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) input: [usize; 2],
    pub(super) kernel: [usize; 2],
    pub(super) output: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) dilation: [usize; 2],
    /// Rows above and columns left of the input that count as zero.
    pub(super) padding: [usize; 2],
}

impl Window {
    /// Calls `each(kernel position, input position)` for the kernel cells that lie inside the input.
    fn cells(&self, row: usize, column: usize, mut each: impl FnMut(usize, usize)) {
        let inside = |out: usize, cell: usize, axis: usize| {
            (out * self.stride[axis] + cell * self.dilation[axis])
                .checked_sub(self.padding[axis])
                .filter(|&place| place < self.input[axis])
        };
        for y in 0..self.kernel[0] {
            let Some(in_y) = inside(row, y, 0) else {
                continue;
            };
            for x in 0..self.kernel[1] {
                if let Some(in_x) = inside(column, x, 1) {
                    each(y * self.kernel[1] + x, in_y * self.input[1] + in_x);
                }
            }
        }
    }
}

/// A convolution's constants. For a fully connected layer the window is one cell.
#[derive(Clone, Debug)]
pub(super) struct Conv {
    pub(super) window: Window,
    pub(super) channels_in: usize,
    pub(super) channels_out: usize,
    /// Full: `[out][kernel][in]`; depthwise: `[kernel][out]`.
    pub(super) weights: Vec<i8>,
    pub(super) bias: Vec<i32>,
    pub(super) input_zero: i32,
    pub(super) output: Output,
}

impl Conv {
    /// Every output channel sees every input channel.
    pub(super) fn full(&self, input: &[i8], output: &mut [i8]) {
        let cells = self.window.kernel[0] * self.window.kernel[1];
        let columns = self.window.output[1];
        for (place, out) in output.chunks_exact_mut(self.channels_out).enumerate() {
            for (channel, byte) in out.iter_mut().enumerate() {
                let weights =
                    &self.weights[channel * cells * self.channels_in..][..cells * self.channels_in];
                let mut sum = self.bias[channel];
                self.window
                    .cells(place / columns, place % columns, |cell, at| {
                        let values = &input[at * self.channels_in..][..self.channels_in];
                        let weights = &weights[cell * self.channels_in..][..self.channels_in];
                        for (&value, &weight) in values.iter().zip(weights) {
                            sum = sum.wrapping_add(
                                (i32::from(value) - self.input_zero) * i32::from(weight),
                            );
                        }
                    });
                *byte = self.output.byte(sum, channel);
            }
        }
    }

    /// Each output channel sees one input channel. `sums` is work space of one element per output channel.
    pub(super) fn depthwise(&self, input: &[i8], output: &mut [i8], sums: &mut Vec<i32>) {
        let columns = self.window.output[1];
        let copies = self.channels_out / self.channels_in;
        for (place, out) in output.chunks_exact_mut(self.channels_out).enumerate() {
            sums.clear();
            sums.extend_from_slice(&self.bias);
            self.window
                .cells(place / columns, place % columns, |cell, at| {
                    let values = &input[at * self.channels_in..][..self.channels_in];
                    let weights = &self.weights[cell * self.channels_out..][..self.channels_out];
                    for (channel, (sum, &weight)) in sums.iter_mut().zip(weights).enumerate() {
                        let value = if copies == 1 {
                            values[channel]
                        } else {
                            values[channel / copies]
                        };
                        *sum = sum
                            .wrapping_add((i32::from(value) - self.input_zero) * i32::from(weight));
                    }
                });
            for (channel, (byte, &sum)) in out.iter_mut().zip(sums.iter()).enumerate() {
                *byte = self.output.byte(sum, channel);
            }
        }
    }
}

/// One output byte per input byte.
pub(super) type ByteTable = [i8; 256];

/// The logistic function between two quantised scales.
pub(super) fn logistic_table(input: (f32, i32), output: (f32, i32)) -> ByteTable {
    byte_table(|value| {
        let x = input.0 * (value - input.1) as f32;
        let y = 1.0 / (1.0 + f64::from(-x).exp() as f32);
        ((y * (1.0 / output.0)).round() as i32)
            .saturating_add(output.1)
            .clamp(-128, 127)
    })
}

/// A change of scale; `unsigned` says that the output bytes stand for 0 to 255.
pub(super) fn rescale_table(
    multiplier: Multiplier,
    input_zero: i32,
    output_zero: i32,
    unsigned: bool,
) -> ByteTable {
    let (min, max) = if unsigned { (0, 255) } else { (-128, 127) };
    byte_table(|value| {
        multiplier
            .apply(value.saturating_sub(input_zero))
            .saturating_add(output_zero)
            .clamp(min, max)
    })
}

fn byte_table(of: impl Fn(i32) -> i32) -> ByteTable {
    let mut table = [0; 256];
    for value in i8::MIN..=i8::MAX {
        table[usize::from(value as u8)] = of(i32::from(value)) as i8;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplier_is_the_factor_to_one_unit() {
        for factor in [0.001, 0.3, 0.5, 0.999_999_999_99, 1.0, 1.7, 100.0] {
            let multiplier = Multiplier::of(factor).unwrap();
            for sum in [0, 1, -1, 1000, -1000, 1_000_000, -1_000_000] {
                let exact = f64::from(sum) * factor;
                assert!(
                    (f64::from(multiplier.apply(sum)) - exact).abs() <= 0.75,
                    "{sum} * {factor}"
                );
            }
        }
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e12] {
            assert_eq!(Multiplier::of(factor), None);
        }
        assert_eq!(Multiplier::of(1e-300).unwrap().apply(i32::MAX), 0);
    }

    #[test]
    fn extreme_sums_do_not_panic() {
        for factor in [1e-9, 1e-3, 1.0, 1e8] {
            let multiplier = Multiplier::of(factor).unwrap();
            for sum in [i32::MIN, i32::MIN + 1, i32::MAX, 1 << 30] {
                multiplier.apply(sum);
            }
        }
    }
}
