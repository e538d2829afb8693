//! A model file is somebody else's input: whatever it holds, it is refused with a reason or it runs.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test may fail and read files; the crate itself does neither"
)]
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::wake::{MODEL_BYTES_MAX, WakeConfig, WakeError, WakeWord};
use proptest::prelude::*;
use std::path::PathBuf;

fn refusal(model: &[u8]) -> WakeError {
    WakeWord::new(model, WakeConfig::default()).unwrap_err()
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

#[test]
fn other_files_are_named_as_such() {
    for bytes in [&b""[..], b"RIFF", b"RIFF....WAVEfmt "] {
        assert_eq!(refusal(bytes), WakeError::NotTflite);
    }
    assert!(matches!(
        refusal(b"\xff\xff\xff\x7fTFL3"),
        WakeError::Flat(_)
    ));
    let large = vec![0; MODEL_BYTES_MAX + 1];
    assert!(refusal(&large).to_string().contains("more than 1048576"));
}

#[test]
fn settings_out_of_range_are_refused() {
    for config in [
        WakeConfig {
            cutoff: 1.5,
            ..WakeConfig::default()
        },
        WakeConfig {
            cutoff: f64::NAN,
            ..WakeConfig::default()
        },
        WakeConfig {
            window: 0,
            ..WakeConfig::default()
        },
        WakeConfig {
            window: 101,
            ..WakeConfig::default()
        },
        WakeConfig {
            refractory_ms: 10_001,
            ..WakeConfig::default()
        },
    ] {
        assert!(matches!(
            WakeWord::new(b"", config),
            Err(WakeError::Config { .. })
        ));
    }
}

#[test]
fn every_truncation_is_refused_or_runs() {
    let Some(model) = model() else { return };
    for length in (0..model.len()).step_by(97) {
        run(&model[..length]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn damage_never_panics(changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..12)) {
        if let Some(mut model) = model() {
            for (place, byte) in changes {
                // The tables lie in the last tenth and the first bytes; damage to weights is uninteresting.
                let place = place.index(model.len());
                let place = if place % 4 == 0 { place } else { model.len() - 1 - place % (model.len() / 4) };
                model[place] = byte;
            }
            run(&model);
        }
    }

    #[test]
    fn noise_behind_the_mark_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 8..400)) {
        bytes[4..8].copy_from_slice(b"TFL3");
        bytes[1..4].fill(0);
        run(&bytes);
    }
}

fn run(model: &[u8]) {
    if let Ok(mut word) = WakeWord::new(model, WakeConfig::default()) {
        for index in 0..8_u64 {
            let frame = core::array::from_fn(|i| (i as i16).wrapping_mul(331 + index as i16));
            word.handle_frame(&frame, SampleIndex(index * 160));
        }
    }
}
