//! Features and probabilities are those of the reference implementation, bit for bit.
//! The expected values come from `oracle_wake.py`, which says how to make them anew.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test may fail and read files; the crate itself does neither"
)]
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::wake::{FrontEnd, WakeConfig, WakeWord};
use std::path::PathBuf;

/// Noise soft and loud, pulses, a sweep, extremes, silence; half a second each, by integers only.
fn synthetic() -> Vec<i16> {
    let (mut state, mut phase) = (1_u32, 0_u16);
    (0..48_000_i32)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 16) as i16;
            let within = i % 8_000;
            phase = phase.wrapping_add(200 + within as u16);
            match i / 8_000 {
                0 => noise >> 6,
                1 => noise >> 2,
                2 if i % (80 + within / 200) == 0 => 20_000,
                2 => noise >> 8,
                3 => ((i32::from(phase) - 32_768).abs() - 16_384) as i16,
                4 if noise >= 0 => i16::MAX,
                4 => i16::MIN,
                _ => 0,
            }
        })
        .collect()
}

fn expected(kind: &str) -> Vec<Vec<u16>> {
    let lines = include_str!("../fixtures/wake_synthetic.txt").lines();
    lines
        .filter_map(|line| line.strip_prefix(kind))
        .map(|numbers| {
            numbers
                .split_whitespace()
                .map(|n| n.parse().unwrap())
                .collect()
        })
        .collect()
}

#[test]
fn features_of_a_synthetic_signal() {
    let mut front = FrontEnd::new();
    let found: Vec<Vec<u16>> = synthetic()
        .as_chunks::<160>()
        .0
        .iter()
        .filter_map(|frame| front.push(frame).map(|features| features.to_vec()))
        .collect();
    let expected = expected("f");
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "feature vector {index}");
    }
}

#[test]
fn features_after_a_reset_are_those_of_a_new_front_end() {
    let signal = synthetic();
    let mut front = FrontEnd::new();
    let mut all = || -> Vec<_> {
        front.reset();
        signal
            .as_chunks::<160>()
            .0
            .iter()
            .map(|frame| front.push(frame))
            .collect()
    };
    assert_eq!(all(), all());
}

#[test]
fn probabilities_of_a_synthetic_signal() {
    let Some(model) = model() else { return };
    let config = WakeConfig {
        window: 1,
        ..WakeConfig::default()
    };
    let mut word = WakeWord::new(&model, config).unwrap();
    for _ in 0..2 {
        let mut found = Vec::new();
        let before = word.inferences();
        for (frame, index) in synthetic().as_chunks::<160>().0.iter().zip(0_u64..) {
            word.handle_frame(frame, SampleIndex(index * 160));
            if word.inferences() - before > found.len() as u64 {
                found.push(vec![(word.probability() * 256.0) as u16]);
            }
        }
        assert_eq!(found, expected("p"));
        word.reset();
    }
}

fn model() -> Option<Vec<u8>> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let folder = variable("HEARTH_MODELS")
        .or_else(|| variable("XDG_DATA_HOME").map(|d| d.join("hearthline/models")))
        .or_else(|| variable("HOME").map(|d| d.join(".local/share/hearthline/models")))
        .unwrap_or_default();
    if let Ok(model) = std::fs::read(folder.join("pymicro-wakeword-2.5.0/alexa.tflite")) {
        return Some(model);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "no wake-word model: run `hearth models install`"
    );
    println!("skipped: run `hearth models install`");
    None
}
