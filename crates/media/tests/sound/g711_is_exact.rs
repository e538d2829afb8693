//! ITU-T G.711 over every code word and every 16-bit sample.

use hearthline_media::{decode_a_law, decode_mu_law, encode_a_law, encode_mu_law};

type Law = (fn(i16) -> u8, fn(u8) -> i16, &'static str);
const LAWS: [Law; 2] = [
    (encode_mu_law, decode_mu_law, "µ-law"),
    (encode_a_law, decode_a_law, "A-law"),
];

#[test]
fn every_code_word_survives_decoding_and_encoding() {
    for (encode, decode, name) in LAWS {
        for octet in 0..=255u8 {
            let back = encode(decode(octet));
            // µ-law has two zeros; the negative one (0x7f) comes back as the positive one.
            let expected = if name == "µ-law" && octet == 0x7f {
                0xff
            } else {
                octet
            };
            assert_eq!(back, expected, "{name} {octet:#04x}");
        }
    }
}

#[test]
fn every_sample_falls_into_its_decision_interval() {
    // The output value y is the middle of its interval, so no error is over half a step. The standard's
    // own scale (14 or 13 bits) is coarser than the 16: less than one unit of it is no error. (Nearest is not the rule:
    // at the border of two segments the decision value is not midway between the outputs.)
    for (encode, decode, name) in LAWS {
        let mu = name == "µ-law";
        for sample in i16::MIN..=i16::MAX {
            let octet = encode(sample);
            let segment = ((if mu { !octet } else { octet ^ 0x55 }) >> 4) & 7;
            let (step, unit, last) = if mu {
                (8 << segment, 4, 8159 * 4)
            } else {
                (16 << segment.saturating_sub(1), 16, 4096 * 8)
            };
            let error = (i32::from(decode(octet)) - i32::from(sample)).abs();
            let clipped = i32::from(sample).abs() >= last;
            assert!(
                error < step / 2 + unit || clipped,
                "{name} {sample}: {error} of {step}"
            );
        }
    }
}

#[test]
fn a_larger_sample_never_gets_a_smaller_value() {
    for (encode, decode, name) in LAWS {
        let mut last = i16::MIN;
        for sample in i16::MIN..=i16::MAX {
            let value = decode(encode(sample));
            assert!(value >= last, "{name} {sample}");
            last = value;
        }
    }
}

#[test]
fn the_laws_are_odd_functions() {
    for (_, decode, name) in LAWS {
        for octet in 0..128u8 {
            assert_eq!(decode(octet), -decode(octet | 0x80), "{name} {octet}");
        }
    }
}

/// Tables 1a and 2a: steps double from segment to segment, and the last values are those printed.
#[test]
fn the_segments_have_the_steps_of_the_tables() {
    for segment in 0..8u32 {
        let at = |step: u8| i32::from(decode_mu_law(!((segment as u8) << 4 | step)));
        assert_eq!(at(1) - at(0), 8 << segment, "µ-law segment {segment}");
        let at = |step: u8| i32::from(decode_a_law((0x80 | (segment as u8) << 4 | step) ^ 0x55));
        assert_eq!(
            at(1) - at(0),
            16 << segment.saturating_sub(1),
            "A-law segment {segment}"
        );
    }
}
