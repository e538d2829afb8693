//! The recogniser on real recordings: words right, limits kept, the same answer twice.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and may fail"
)]
use hearthline_voice::transcribe::{TranscribeError, Vocabulary};

/// Words in small letters without punctuation.
fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Fewest insertions, deletions and substitutions between two word lists.
fn distance(a: &[String], b: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let best = (corner + usize::from(x != y))
                .min(row[j] + 1)
                .min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[b.len()]
}

#[test]
fn read_speech_has_few_word_errors() {
    let (Some(models), Some(recordings)) = (crate::support::models(), crate::support::recordings())
    else {
        return;
    };
    let mut moonshine = crate::support::moonshine(&models);
    let manifest = std::fs::read_to_string(recordings.join("asr/manifest.jsonl")).unwrap();
    let (mut errors, mut total, mut clips) = (0, 0, 0);
    for line in manifest.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let (path, text) = (
            entry["path"].as_str().unwrap(),
            entry["text"].as_str().unwrap(),
        );
        let seconds = entry["seconds"].as_f64().unwrap();
        if !path.starts_with("libri_") || seconds > 12.0 {
            continue;
        }
        let encoded = moonshine
            .encode(&crate::support::padded(&crate::support::flac(
                &recordings.join("asr").join(path),
            )))
            .unwrap();
        let heard = words(&moonshine.greedy(&encoded).unwrap().text);
        let said = words(text);
        errors += distance(&said, &heard);
        total += said.len();
        clips += 1;
    }
    assert!(clips >= 20, "{clips} clips");
    let rate = 100.0 * errors as f64 / total as f64;
    println!("{clips} clips, {total} words, {rate:.1} % wrong");
    // Old books read aloud ("thou seest awake"): the reference decoder in Python makes the same sort of errors.
    assert!(rate < 20.0, "{rate} % of the words are wrong");
}

#[test]
fn the_best_of_a_beam_is_at_least_as_probable_as_the_greedy_text() {
    let (Some(models), Some(recordings)) = (crate::support::models(), crate::support::recordings())
    else {
        return;
    };
    let mut moonshine = crate::support::moonshine(&models);
    let audio = crate::support::padded(&crate::support::flac(
        &recordings.join("asr/libri_1998-15444-0003.flac"),
    ));
    let encoded = moonshine.encode(&audio).unwrap();
    let greedy = moonshine.greedy(&encoded).unwrap();
    let beam = moonshine.beam(&encoded, 5).unwrap();
    // Rows of one batch share the scale of the model's 8-bit arithmetic, hence the slack.
    assert!(
        beam[0].log_prob > greedy.log_prob - 0.5,
        "{beam:?} {greedy:?}"
    );
    assert!(beam.len() > 1);
    assert!(beam.windows(2).all(|w| w[0].log_prob >= w[1].log_prob));
    assert_eq!(
        moonshine.greedy(&encoded).unwrap(),
        greedy,
        "twice the same audio, another text"
    );
}

#[test]
fn silence_noise_and_odd_lengths_end_with_a_short_text() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let mut moonshine = crate::support::moonshine(&models);
    for length in [0, 1, 127, 128, 16_000, 48_000] {
        for level in [0.0, 1.0, f32::NAN] {
            let audio: Vec<f32> = (0..length)
                .map(|i: u32| (i.wrapping_mul(2_654_435_761) as f32 / 2e9 - 1.0) * level)
                .collect();
            let encoded = moonshine.encode(&audio).unwrap();
            let transcript = moonshine.greedy(&encoded).unwrap();
            assert!(transcript.tokens.len() <= encoded.tokens_max());
            assert!(transcript.tokens.iter().all(|&t| t != Vocabulary::END));
        }
    }
}

#[test]
fn more_than_the_longest_segment_is_refused() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let mut moonshine = crate::support::moonshine(&models);
    let error = moonshine.encode(&vec![0.0; 20 * 16_000 + 1]).unwrap_err();
    assert!(
        matches!(
            error,
            TranscribeError::TooLong {
                samples: 320_001,
                samples_max: 320_000
            }
        ),
        "{error}"
    );
}

#[test]
fn a_wrong_library_or_model_is_an_error_that_says_what_to_do() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let engine = crate::support::engine(&models);
    let error = engine.session("nonsense", b"this is no model").unwrap_err();
    assert!(
        error.to_string().contains("nonsense")
            && error.to_string().contains("hearth models verify"),
        "{error}"
    );
}
