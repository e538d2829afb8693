//! How well the wake word does on real recordings: hits, false accepts per hour, share of a core.
//!
//! `wake_rates [MODEL.tflite [AUDIO_FOLDER [CUTOFF]]]`; the audio folder holds `wake`, `negatives` and `asr` with their
//! manifests. Each recording is its own stream; isolated words are followed by half a second of silence.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measuring program reads files and the clock; the crate itself does not"
)]
#[path = "sound/mod.rs"]
mod sound;

use hearthline_voice::clock::SampleIndex;
use hearthline_voice::wake::{Wake, WakeConfig, WakeWord};
use sound::{Failure, models, read};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Tally {
    streams: usize,
    streams_woken: usize,
    wakes: usize,
    samples: usize,
    missed: Vec<String>,
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().map_or_else(
        || models().join("pymicro-wakeword-2.5.0/alexa.tflite"),
        PathBuf::from,
    );
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/audio");
    let audio = arguments.next().unwrap_or_else(|| shared.to_owned());
    let cutoff = arguments.next().map_or(Ok(0.90), |text| text.parse())?;
    let model = std::fs::read(model)?;
    let config = WakeConfig {
        cutoff,
        ..WakeConfig::default()
    };
    let mut word = WakeWord::new(&model, config)?;
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut busy, mut heard) = (Duration::ZERO, 0);
    for set in ["wake", "negatives", "asr"] {
        for entry in manifest(&Path::new(&audio).join(set))? {
            let path = Path::new(&audio).join(set).join(&entry.path);
            let Ok(mut samples) = read(&path) else {
                eprintln!("cannot read {}", entry.path);
                continue;
            };
            samples.resize(samples.len() + 8_000, 0);
            heard += samples.len();
            let start = Instant::now();
            let wakes = wakes(&mut word, &samples);
            busy += start.elapsed();
            let tally = tallies
                .entry(format!("{set}: {}", entry.group))
                .or_default();
            tally.streams += 1;
            tally.streams_woken += usize::from(!wakes.is_empty());
            tally.wakes += wakes.len();
            tally.samples += samples.len();
            if wakes.is_empty() == (entry.group == "alexa") {
                tally.missed.push(entry.path.clone());
            }
        }
    }
    println!("cutoff {cutoff}");
    let hours = |samples: usize| samples as f64 / 16_000.0 / 3_600.0;
    let (mut false_wakes, mut negative) = (0, 0);
    for (name, tally) in &tallies {
        println!(
            "{name}: {} of {} recordings woke, {} wakes in {:.2} h",
            tally.streams_woken,
            tally.streams,
            tally.wakes,
            hours(tally.samples)
        );
        if name != "wake: alexa" {
            false_wakes += tally.wakes;
            negative += tally.samples;
        }
        for path in tally.missed.iter().take(12) {
            println!("    {path}");
        }
    }
    println!(
        "false accepts: {false_wakes} in {:.2} h = {:.2} per hour",
        hours(negative),
        f64::from(false_wakes as u32) / hours(negative)
    );
    let share = busy.as_secs_f64() / (heard as f64 / 16_000.0);
    println!(
        "{:.3} % of a core, {:.1} µs per 10 ms",
        share * 100.0,
        share * 10_000.0
    );
    Ok(())
}

fn wakes(word: &mut WakeWord, samples: &[i16]) -> Vec<Wake> {
    word.reset();
    let frames = samples.as_chunks::<160>().0.iter().zip(0_u64..);
    frames
        .filter_map(|(frame, index)| word.handle_frame(frame, SampleIndex(index * 160)))
        .collect()
}

struct Entry {
    path: String,
    group: String,
}

fn manifest(folder: &Path) -> Result<Vec<Entry>, Failure> {
    let text = std::fs::read_to_string(folder.join("manifest.jsonl"))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    text.lines()
        .map(|line| {
            let entry: serde_json::Value = serde_json::from_str(line)?;
            let text = |key: &str| entry[key].as_str().map(str::to_owned);
            let path = text("path").ok_or("an entry without a path")?;
            let group = text("keyword")
                .or_else(|| text("source"))
                .unwrap_or_default();
            Ok(Entry { path, group })
        })
        .collect()
}
