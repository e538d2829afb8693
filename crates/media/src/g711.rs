//! G.711: A-law and µ-law (ITU-T G.711, tables 1 and 2), one octet a sample at 8 kHz.
//!
//! Samples are 16-bit linear. The standard's own scales are 13 bits (A-law) and 14 bits (µ-law); both
//! sit left-justified in the 16. The code words are computed from the segment, not looked up, so that
//! the rule can be read; decoding is exact and encoding always picks the standard's decision interval.

/// Added to a µ-law magnitude (14-bit scale) so that every segment starts at a power of two.
const MU_BIAS: i32 = 33;
/// Largest µ-law magnitude (14-bit scale) after the bias: the last decision value of table 2.
const MU_CLIP: i32 = 8191;

/// One 16-bit sample to its µ-law octet (G.711 table 2a, bits inverted as transmitted).
#[must_use]
pub fn encode_mu_law(sample: i16) -> u8 {
    let linear = i32::from(sample);
    // Magnitude on the 14-bit scale; negative values floor, as the standard's decision values are
    // symmetric and the lowest negative interval must be reached by -1.
    let (sign, magnitude) = if linear < 0 {
        (0x80u8, (!linear) >> 2)
    } else {
        (0, linear >> 2)
    };
    let biased = (magnitude + MU_BIAS).min(MU_CLIP);
    let segment = 26 - biased.leading_zeros().min(26); // 33..=63 is segment 0
    let step = (biased >> (segment + 1)) & 0x0f;
    let word = sign | ((segment as u8) << 4) | (step as u8);
    !word
}

/// One µ-law octet to its 16-bit sample (G.711 table 2a, output values y).
#[must_use]
pub fn decode_mu_law(octet: u8) -> i16 {
    let word = !octet;
    let segment = u32::from((word >> 4) & 0x07);
    let step = i32::from(word & 0x0f);
    let magnitude = ((((step << 1) + MU_BIAS) << segment) - MU_BIAS) << 2;
    let value = if word & 0x80 != 0 {
        -magnitude
    } else {
        magnitude
    };
    value as i16 // at most 32124
}

/// One 16-bit sample to its A-law octet (G.711 table 1a, even bits inverted as transmitted).
#[must_use]
pub fn encode_a_law(sample: i16) -> u8 {
    let linear = i32::from(sample);
    let (sign, magnitude) = if linear < 0 {
        (0u8, (!linear) >> 4)
    } else {
        (0x80, linear >> 4)
    };
    // 11-bit magnitude: two linear segments share the first slope, then seven chords.
    let word = if magnitude < 32 {
        magnitude
    } else {
        let shift = 27 - magnitude.leading_zeros() as i32; // 32..=63 is shifted once
        ((shift + 1) << 4) | ((magnitude >> shift) & 0x0f)
    };
    (sign | word as u8) ^ 0x55
}

/// One A-law octet to its 16-bit sample (G.711 table 1a, output values y).
#[must_use]
pub fn decode_a_law(octet: u8) -> i16 {
    let word = octet ^ 0x55;
    let segment = u32::from((word >> 4) & 0x07);
    let step = i32::from(word & 0x0f);
    let magnitude = match segment {
        0 => (step << 1) + 1,
        _ => ((step << 1) + 33) << (segment - 1),
    } << 3;
    let value = if word & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    };
    value as i16 // at most 32256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_corners_are_met() {
        // Positive full scale, the smallest values, negative full scale, as transmitted.
        assert_eq!(encode_mu_law(32767), 0x80);
        assert_eq!(encode_mu_law(0), 0xff);
        assert_eq!(encode_mu_law(-1), 0x7f);
        assert_eq!(encode_mu_law(-32768), 0x00);
        assert_eq!(encode_a_law(32767), 0xaa);
        assert_eq!(encode_a_law(0), 0xd5);
        assert_eq!(encode_a_law(-1), 0x55);
        assert_eq!(encode_a_law(-32768), 0x2a);
        assert_eq!((decode_mu_law(0x80), decode_mu_law(0x00)), (32124, -32124));
        assert_eq!((decode_a_law(0xaa), decode_a_law(0x2a)), (32256, -32256));
        assert_eq!((decode_a_law(0xd5), decode_a_law(0x55)), (8, -8));
    }
}
