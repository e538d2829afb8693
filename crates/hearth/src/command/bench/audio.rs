//! Labelled recordings through the whole ear: missed and false wake words, what was decided, words wrongly transcribed.
use std::path::{Path, PathBuf};

use hearthline_speaker::io::recording::Recording;
use hearthline_speaker::policy::{Decision, Mode, Policy, Situation};
use hearthline_voice::listen::{Listener, Output};
use hearthline_voice::understand::Country;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;

use super::Row;
use super::transcripts::{self, Transcribed};
use crate::ear;
use crate::models::ModelFolder;

/// Largest manifest, bytes.
const MANIFEST_BYTES_MAX: u64 = 64 << 20;
/// Silence behind each recording: 2 s.
const SILENCE_SAMPLES: usize = 32_000;
/// Sets in which nobody says the wake word.
const WITHOUT: [&str; 4] = ["negatives", "asr", "digits", "noise"];
/// The one among them whose every word is written down.
const TRANSCRIBED: &str = "asr";

/// A line of `manifest.jsonl`; what else it says is not needed here.
#[derive(Deserialize)]
struct Labelled {
    path: PathBuf,
    #[serde(default)]
    keyword: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    source: Option<String>,
}

/// What came of a recording.
#[derive(Default)]
struct Tally {
    seconds: f64,
    wakes: usize,
    dials: usize,
    asks: usize,
    refusals: usize,
    acts: usize,
}

/// All rows.
pub(super) fn rows(audio: &Path, folder: &ModelFolder) -> Result<Vec<Row>, String> {
    let said = |row: &Labelled| {
        row.text
            .as_deref()
            .is_some_and(|text| text.to_ascii_lowercase().contains("alexa"))
    };
    let wake: Vec<PathBuf> = manifest(audio, "wake")?
        .into_iter()
        .filter(|row| row.keyword.as_deref() == Some("alexa") && row.path.starts_with("alexa"))
        .map(|row| audio.join("wake").join(row.path))
        .collect();
    let mut without = Vec::new();
    let mut transcribed = Vec::new();
    for set in WITHOUT {
        let rows = manifest(audio, set)?;
        if set == TRANSCRIBED {
            transcribed.extend(rows.iter().filter_map(|row| {
                Some(Transcribed {
                    path: audio.join(set).join(&row.path),
                    text: row.text.clone()?,
                    source: short(row.source.as_deref().unwrap_or("")),
                })
            }));
        }
        without.extend(
            rows.into_iter()
                .filter(|row| !said(row))
                .map(|row| audio.join(set).join(row.path)),
        );
    }
    if wake.is_empty() || without.is_empty() {
        return Err(format!(
            "{}: no recordings of the wake word, or none without it",
            audio.display()
        ));
    }
    let bar = ProgressBar::new((wake.len() + without.len() + transcribed.len()) as u64);
    bar.set_style(
        ProgressStyle::with_template("listening {bar:32} {pos}/{len} {eta}")
            .expect("the template is well formed"),
    );
    let mut missed = 0;
    for path in &wake {
        if hear(path, folder)?.wakes == 0 {
            missed += 1;
        }
        bar.inc(1);
    }
    let mut rest = Tally::default();
    for path in &without {
        let heard = hear(path, folder)?;
        rest.seconds += heard.seconds;
        rest.wakes += heard.wakes;
        rest.dials += heard.dials;
        rest.asks += heard.asks;
        rest.refusals += heard.refusals;
        rest.acts += heard.acts;
        bar.inc(1);
    }
    let words = transcripts::rows(&transcribed, folder, &bar)?;
    bar.finish_and_clear();
    let hours = rest.seconds / 3_600.0;
    let mut rows = vec![
        Row::new(
            "wake word \"alexa\" missed",
            100.0 * f64::from(missed) / wake.len() as f64,
            None,
            "%",
            wake.len(),
        ),
        Row::new(
            "speech and noise without the wake word",
            hours,
            None,
            "h",
            without.len(),
        ),
        Row::new(
            "false wake words an hour",
            rest.wakes as f64 / hours,
            None,
            "",
            rest.wakes,
        ),
        Row::new(
            "emergency calls from it",
            rest.dials as f64,
            Some(0.0),
            "",
            without.len(),
        ),
        Row::new(
            "questions \"do you need help?\" from it",
            rest.asks as f64,
            None,
            "",
            without.len(),
        ),
        Row::new(
            "refusals by a named class from it",
            rest.refusals as f64,
            None,
            "",
            without.len(),
        ),
        Row::new(
            "other acts from it",
            rest.acts as f64,
            None,
            "",
            without.len(),
        ),
    ];
    rows.extend(words);
    Ok(rows)
}

/// The first words of a source's description, enough for a table.
fn short(source: &str) -> String {
    let words: Vec<&str> = source.split_whitespace().take(2).collect();
    words.join(" ")
}

fn manifest(audio: &Path, set: &str) -> Result<Vec<Labelled>, String> {
    let path = audio.join(set).join("manifest.jsonl");
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let size = std::fs::metadata(&path)
        .map_err(|error| named(&error))?
        .len();
    if size > MANIFEST_BYTES_MAX {
        return Err(named(&format!("larger than {MANIFEST_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| named(&error))?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            serde_json::from_str(line)
                .map_err(|error| named(&format!("line {}: {error}", number + 1)))
        })
        .collect()
}

/// One recording through a fresh ear and the policy that may dial.
fn hear(path: &Path, folder: &ModelFolder) -> Result<Tally, String> {
    let mut listener: Listener = ear::listener(folder, Country::UnitedStates)?;
    let policy = Policy::new(Mode::Immediate);
    let mut recording = Recording::open(path).map_err(|error| error.to_string())?;
    let mut tally = Tally::default();
    loop {
        let block = recording.next_block().map_err(|error| error.to_string())?;
        let ended = block.is_none();
        tally.seconds += block.as_ref().map_or(0, Vec::len) as f64 / 16_000.0;
        listener.handle_samples(&block.unwrap_or_else(|| vec![0; SILENCE_SAMPLES]));
        if ended {
            listener.handle_end();
        }
        while let Some(output) = listener.poll_output() {
            match output {
                Output::Wake(_) => tally.wakes += 1,
                Output::Understood(heard) => match policy
                    .decide(&heard, Situation::Idle, heard.decided.time())
                    .decision
                {
                    Decision::Emergency(_) => tally.dials += 1,
                    Decision::Ask { .. } => tally.asks += 1,
                    Decision::Refuse { .. } => tally.refusals += 1,
                    Decision::Act(_) => tally.acts += 1,
                    Decision::Ignore => {}
                },
                Output::Failed(error) => return Err(error.to_string()),
                Output::Reply(_)
                | Output::VoiceStarted { .. }
                | Output::VoiceStopped { .. }
                | Output::NoSpeech { .. } => {}
            }
        }
        if ended {
            return Ok(tally);
        }
    }
}
