//! Recordings whose words are known: transcription errors, and what would be decided had the wake word come before them.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hearthline_speaker::io::recording::Recording;
use hearthline_voice::engine::Engine;
use hearthline_voice::listen::segment;
use hearthline_voice::transcribe::TranscribeError;
use hearthline_voice::transcribe::moonshine::Moonshine;
use hearthline_voice::understand::Country;
use hearthline_voice::understand::judge::{Head, Judge, OperatingPoint};
use hearthline_voice::understand::verdict::Verdict;
use indicatif::ProgressBar;

use super::Row;
use crate::models::ModelFolder;

/// A recording and what is said in it.
pub(super) struct Transcribed {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) source: String,
}

/// Word errors of one source.
#[derive(Default)]
struct Errors {
    wrong: usize,
    words: usize,
}

/// All rows. Each recording is one step of the bar.
pub(super) fn rows(
    recordings: &[Transcribed],
    folder: &ModelFolder,
    bar: &ProgressBar,
) -> Result<Vec<Row>, String> {
    let (mut recogniser, mut judge) = load(folder)?;
    let mut sources: BTreeMap<&str, Errors> = BTreeMap::new();
    let (mut judged, mut too_long) = (0, 0);
    let (mut dials, mut asks, mut refusals) = (0, 0, 0);
    for recording in recordings {
        let samples = read(&recording.path)?;
        let audio = segment(&samples);
        bar.inc(1);
        // Plain transcription first: nobody said the wake word here.
        let heard = match recogniser.encode(&audio) {
            Ok(encoded) => recogniser.greedy(&encoded),
            Err(error) => Err(error),
        };
        let heard = match heard {
            Ok(heard) => heard,
            Err(TranscribeError::TooLong { .. }) => {
                too_long += 1;
                continue;
            }
            Err(error) => return Err(format!("{}: {error}", recording.path.display())),
        };
        let (said, heard) = (words(&recording.text), words(&heard.text));
        let errors = sources.entry(&recording.source).or_default();
        errors.wrong += distance(&said, &heard);
        errors.words += said.len();
        let understanding = judge
            .hear(&mut recogniser, &audio, Head::WakeWord)
            .map_err(|error| format!("{}: {error}", recording.path.display()))?;
        judged += 1;
        match understanding.verdict {
            Verdict::Emergency { .. } => dials += 1,
            Verdict::Ask { .. } => asks += 1,
            Verdict::Refused { .. } => refusals += 1,
            _ => {}
        }
    }
    let mut rows = Vec::new();
    let all = sources
        .values()
        .fold(Errors::default(), |sum, errors| Errors {
            wrong: sum.wrong + errors.wrong,
            words: sum.words + errors.words,
        });
    let share = |errors: &Errors| 100.0 * errors.wrong as f64 / errors.words.max(1) as f64;
    rows.push(Row::new(
        "words transcribed wrongly, all",
        share(&all),
        None,
        "%",
        all.words,
    ));
    for (source, errors) in &sources {
        rows.push(Row::new(
            format!("words transcribed wrongly, {source}"),
            share(errors),
            None,
            "%",
            errors.words,
        ));
    }
    rows.push(Row::new(
        "transcribed recordings longer than a segment, left out",
        f64::from(too_long),
        None,
        "",
        recordings.len(),
    ));
    let as_order = "real sentences as if behind the wake word:";
    for (what, count, budget) in [
        ("emergency calls", dials, Some(0.0)),
        ("questions \"do you need help?\"", asks, None),
        ("refused by a named class", refusals, None),
    ] {
        rows.push(Row::new(
            format!("{as_order} {what}"),
            f64::from(count),
            budget,
            "",
            judged,
        ));
    }
    Ok(rows)
}

fn load(folder: &ModelFolder) -> Result<(Moonshine, Judge), String> {
    let engine = Engine::open(&folder.runtime_library()).map_err(|error| error.to_string())?;
    let read = |file: &str| folder.read("moonshine-voice", file);
    let recogniser = Moonshine::load(
        &engine,
        &read("encoder_model.ort")?,
        &read("decoder_model_merged.ort")?,
        &read("tokenizer.bin")?,
    )
    .map_err(|error| error.to_string())?;
    let judge = Judge::new(
        Country::UnitedStates,
        OperatingPoint::built_in(),
        recogniser.vocabulary(),
    )
    .map_err(|error| error.to_string())?;
    Ok((recogniser, judge))
}

fn read(path: &Path) -> Result<Vec<i16>, String> {
    Recording::open(path)
        .and_then(|mut recording| recording.read_all())
        .map_err(|error| error.to_string())
}

const SMALL_NUMBERS: [&str; 21] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];

/// Words in small letters without punctuation; small numbers in letters, as the transcripts write them.
fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .replace('\u{2019}', "'")
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(|word| {
            let number = word.parse::<usize>().ok();
            number
                .and_then(|number| SMALL_NUMBERS.get(number))
                .map_or_else(|| word.to_owned(), |name| (*name).to_owned())
        })
        .collect()
}

/// Fewest insertions, deletions and substitutions between two word lists.
fn distance(said: &[String], heard: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (above, word) in said.iter().enumerate() {
        let mut corner = above;
        row[0] = above + 1;
        for (at, other) in heard.iter().enumerate() {
            let best = (corner + usize::from(word != other))
                .min(row[at] + 1)
                .min(row[at + 1] + 1);
            corner = std::mem::replace(&mut row[at + 1], best);
        }
    }
    row[heard.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_in_words() {
        let wrong = |said: &str, heard: &str| distance(&words(said), &words(heard));
        assert_eq!(wrong("Press one, then pound.", "press 1 then pound"), 0);
        assert_eq!(wrong("call the police", "call a police"), 1);
        assert_eq!(wrong("call the police", "call police now"), 2);
        assert_eq!(wrong("don\u{2019}t", "don't"), 0);
        assert_eq!(wrong("", "two words"), 2);
    }
}
