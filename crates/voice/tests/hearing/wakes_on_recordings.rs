//! The wake word on real recordings: it wakes on its word, at the right moment, once, and on nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test may fail and read files; the crate itself does neither"
)]
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::wake::{Wake, WakeConfig, WakeWord};
use std::path::{Path, PathBuf};

#[test]
fn wakes_on_its_word_and_on_no_other() {
    let (Some(model), Some(folder)) = (model(), recordings()) else {
        return;
    };
    let mut word = WakeWord::new(&model, WakeConfig::default()).unwrap();
    let (mut hits, mut recordings) = (0, 0);
    for (path, samples) in flac_files(&folder.join("wake/alexa"), 40) {
        let wakes = wakes(&mut word, &samples, 0);
        assert!(
            wakes.len() <= 1,
            "{} woke {} times",
            path.display(),
            wakes.len()
        );
        recordings += 1;
        hits += wakes.len();
        for wake in &wakes {
            assert!(wake.score > 0.9 && wake.at > wake.wake_start());
            assert!(wake.at.0 <= samples.len() as u64 + 8_000);
        }
    }
    println!("{hits} of {recordings}");
    assert!(hits * 100 >= recordings * 95, "{hits} of {recordings}");
    for (path, samples) in flac_files(&folder.join("wake/computer"), 60) {
        assert_eq!(wakes(&mut word, &samples, 0), [], "{}", path.display());
    }
}

#[test]
fn a_gap_in_the_sound_starts_anew_and_the_index_is_the_callers() {
    let (Some(model), Some(folder)) = (model(), recordings()) else {
        return;
    };
    let mut word = WakeWord::new(&model, WakeConfig::default()).unwrap();
    let files = flac_files(&folder.join("wake/alexa"), 10);
    let heard = files.iter().find_map(|(_, samples)| {
        let wake = wakes(&mut word, samples, 0).pop()?;
        Some((samples, wake))
    });
    let (samples, wake) = heard.expect("one of ten wakes");
    let shifted = wakes(&mut word, samples, 1_000_003).pop().unwrap();
    assert_eq!(shifted.at, wake.at.plus(1_000_003));
    // The same frames with one missing index in the middle of the word are two streams.
    word.reset();
    let middle = (wake.at.0 / 160 - 30) * 160;
    let torn = samples
        .as_chunks::<160>()
        .0
        .iter()
        .zip(0_u64..)
        .filter_map(|(frame, index)| {
            let jump = if index * 160 >= middle { 16_000 } else { 0 };
            word.handle_frame(frame, SampleIndex(index * 160 + jump))
        });
    assert_eq!(torn.count(), 0);
}

#[test]
fn one_word_wakes_once_and_again_after_the_refractory_time() {
    let (Some(model), Some(folder)) = (model(), recordings()) else {
        return;
    };
    let mut word = WakeWord::new(&model, WakeConfig::default()).unwrap();
    let files = flac_files(&folder.join("wake/alexa"), 10);
    let heard = files
        .iter()
        .find(|(_, samples)| !wakes(&mut word, samples, 0).is_empty());
    let (_, samples) = heard.expect("one of ten wakes");
    let mut twice = samples.clone();
    twice.extend(vec![0; 24_000]);
    twice.extend(samples);
    assert_eq!(wakes(&mut word, &twice, 0).len(), 2);
}

fn wakes(word: &mut WakeWord, samples: &[i16], from: u64) -> Vec<Wake> {
    word.reset();
    let mut samples = samples.to_vec();
    samples.resize(samples.len() + 8_000, 0);
    let frames = samples.as_chunks::<160>().0.iter().zip(0_u64..);
    frames
        .filter_map(|(frame, index)| word.handle_frame(frame, SampleIndex(from + index * 160)))
        .collect()
}

fn flac_files(folder: &Path, count: usize) -> Vec<(PathBuf, Vec<i16>)> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let step = (paths.len() / count).max(1);
    let some = paths.into_iter().step_by(step);
    some.map(|path| {
        let mut reader = claxon::FlacReader::open(&path).unwrap();
        let samples = reader
            .samples()
            .map(|s| i16::try_from(s.unwrap()).unwrap())
            .collect();
        (path, samples)
    })
    .collect()
}

fn recordings() -> Option<PathBuf> {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/audio"
    ))
    .to_owned();
    if folder.join("wake/alexa").exists() {
        return Some(folder);
    }
    println!("skipped: the shared recordings are not here");
    None
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
