//! How well the endpointer finds the end of real commands in real noise.
//!
//! `endpoint_rates [CLIPS [AUDIO_FOLDER]]`. Each case is: a second of room, a recorded "alexa", a gap, a recorded
//! sentence, five seconds of room; all of it in noise at a given ratio over the active speech. The end of the sentence
//! is known from the clean recording. "Judged" plays an understanding stage that says `Complete` once it was shown
//! everything, else `Incomplete`; "unjudged" never says anything.
//!
//! With `ENDPOINT_HEARD` set: the whole listener on the same cases instead, its own judgement deciding, for several
//! lengths of `hang_plausible_ms`. What is lost is counted in recordings whose last 300 ms or more are missing.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measuring program reads files; the crate itself does not"
)]
#[path = "sound/mod.rs"]
mod sound;
#[path = "../tests/hearing/support/mod.rs"]
mod support;

use hearthline_voice::clock::SampleIndex;
use hearthline_voice::endpoint::{EndReason, EndpointConfig, EndpointOutput, Endpointer, Sentence};
use hearthline_voice::listen::{ListenConfig, ListenModels, Listener, Output};
use hearthline_voice::understand::Country;
use hearthline_voice::wake::{Wake, WakeConfig, WakeWord};
use sound::{Failure, models, read};
use std::path::{Path, PathBuf};

const MS: usize = 16;

/// The part of a clean recording within 35 dB of its loudest 20 ms.
fn trimmed(samples: &[i16]) -> Vec<f32> {
    let powers: Vec<f32> = samples.chunks_exact(320).map(power).collect();
    let loudest = powers.iter().copied().fold(0.0, f32::max);
    let loud = |p: &f32| *p > loudest * 3e-4;
    let first = powers.iter().position(loud).unwrap_or(0);
    let last = powers.iter().rposition(loud).unwrap_or(0);
    let part = &samples[first * 320..(last + 1) * 320];
    part.iter().map(|&s| f32::from(s)).collect()
}

fn power(samples: &[i16]) -> f32 {
    samples.iter().map(|&s| f32::from(s).powi(2)).sum::<f32>() / samples.len().max(1) as f32
}

fn active_power(samples: &[f32]) -> f32 {
    let powers: Vec<f32> = samples
        .chunks_exact(320)
        .map(|c| c.iter().map(|s| s * s).sum::<f32>() / 320.0)
        .collect();
    let loudest = powers.iter().copied().fold(0.0, f32::max);
    let active: Vec<f32> = powers.into_iter().filter(|&p| p > loudest * 1e-3).collect();
    active.iter().sum::<f32>() / active.len().max(1) as f32
}

fn levelled(mut samples: Vec<f32>) -> Vec<f32> {
    // -26 dB relative to full scale, as from a person across the room.
    let gain = (1_640.0_f32.powi(2) / active_power(&samples).max(1.0)).sqrt();
    samples.iter_mut().for_each(|s| *s *= gain);
    samples
}

struct Case {
    samples: Vec<i16>,
    word_start: usize,
    word_end: usize,
    start: usize,
    end: usize,
}

/// `noise` is looped; `None` is a quiet room at -70 dB.
fn case(
    word: &[f32],
    gap_ms: usize,
    sentence: &[f32],
    noise: Option<(&[i16], usize, f32)>,
) -> Case {
    let word_start = 1_000 * MS;
    let word_end = word_start + word.len();
    let start = word_end + gap_ms * MS;
    let end = start + sentence.len();
    let mut sum = vec![0.0_f32; end + 6_000 * MS];
    for (at, part) in [(word_start, word), (start, sentence)] {
        for (to, &from) in sum[at..].iter_mut().zip(part) {
            *to += from;
        }
    }
    let mut state = 7_u32;
    let room = noise.map_or(1.0, |(noise, ..)| power(noise).max(1.0).sqrt());
    for (i, to) in sum.iter_mut().enumerate() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *to += f32::from((state >> 16) as i16) / 3_276.8;
        if let Some((noise, offset, ratio_db)) = noise {
            let gain = 1_640.0 / room / 10_f32.powf(ratio_db / 20.0);
            *to += f32::from(noise[(i + offset) % noise.len()]) * gain;
        }
    }
    let samples = sum
        .iter()
        .map(|s| s.clamp(-32_768.0, 32_767.0) as i16)
        .collect();
    Case {
        samples,
        word_start,
        word_end,
        start,
        end,
    }
}

#[derive(Default)]
struct Tally {
    cases: usize,
    unheard_wakes: usize,
    ended: usize,
    cut_early: usize,
    capped: usize,
    no_speech: usize,
    late_start: usize,
    delays_ms: Vec<i64>,
}

/// Where the wake word is heard; when it is lost in the noise, the end of the word, for it is not what is measured.
fn wake(case: &Case, detector: &mut WakeWord) -> (Wake, bool) {
    detector.reset();
    let frames = case.samples.as_chunks::<160>().0.iter().zip(0_u64..);
    let heard = frames
        .take(case.word_end / 160 + 30)
        .find_map(|(frame, index)| detector.handle_frame(frame, SampleIndex(index * 160)));
    let lost = heard.is_none();
    let at = SampleIndex((case.word_end / 160 * 160) as u64);
    let given = Wake {
        keyword: "alexa".into(),
        score: 1.0,
        at,
    };
    (heard.unwrap_or(given), lost)
}

fn run(
    case: &Case,
    (wake, lost): &(Wake, bool),
    config: &EndpointConfig,
    judged: bool,
    tally: &mut Tally,
) {
    tally.cases += 1;
    tally.unheard_wakes += usize::from(*lost);
    tally.late_start += usize::from(wake.wake_start() > SampleIndex(case.word_start as u64));
    let mut endpointer = Endpointer::new(config.clone()).expect("settings that fit");
    for (index, frame) in case.samples.as_chunks::<160>().0.iter().enumerate() {
        let at = SampleIndex(index as u64 * 160);
        endpointer.handle_frame(frame, at);
        if at.plus(160) == wake.at {
            endpointer.begin(wake);
        }
        while let Some(output) = endpointer.poll_output() {
            match output {
                EndpointOutput::Pause { speech_end, .. } if judged => {
                    let all = speech_end.0 as usize + 150 * MS >= case.end;
                    let some = speech_end.0 as usize > case.start + 100 * MS;
                    endpointer.set_sentence(match (all, some) {
                        (true, _) => Sentence::Complete,
                        (_, true) => Sentence::Incomplete,
                        _ => Sentence::Empty,
                    });
                }
                EndpointOutput::Ended {
                    at,
                    speech_end,
                    reason,
                    ..
                } => {
                    let delay = (at.0 as i64 - case.end as i64) / MS as i64;
                    if (speech_end.0 as usize) + 300 * MS < case.end {
                        tally.cut_early += 1;
                    } else if reason == EndReason::TooLong || delay > 3_000 {
                        tally.capped += 1;
                    } else {
                        tally.ended += 1;
                    }
                    tally.delays_ms.push(delay);
                    return;
                }
                EndpointOutput::NoSpeech { .. } => {
                    tally.no_speech += 1;
                    return;
                }
                _ => {}
            }
        }
    }
    tally.capped += 1;
}

/// The same case through the whole listener.
fn hear(case: &Case, listener: &mut Listener, tally: &mut Tally) {
    tally.cases += 1;
    let base = listener.now().0;
    let mut woken = false;
    for chunk in case.samples.chunks(160) {
        listener.handle_samples(chunk);
        while let Some(output) = listener.poll_output() {
            match output {
                Output::Wake(_) => woken = true,
                Output::NoSpeech { .. } => tally.no_speech += 1,
                Output::Understood(heard) => {
                    let end = base + case.end as u64;
                    let speech_end = heard.speech_end.0;
                    if speech_end + 300 * (MS as u64) < end {
                        tally.cut_early += 1;
                    } else {
                        tally.ended += 1;
                        // As the budget counts: from where the device believes that the speech ended.
                        tally
                            .delays_ms
                            .push(heard.decided.since(heard.speech_end) as i64 / MS as i64);
                    }
                    listener.stop_listening();
                    listener.handle_lost(16_000 * 600);
                    while listener.poll_output().is_some() {}
                    return;
                }
                _ => {}
            }
        }
    }
    tally.unheard_wakes += usize::from(!woken);
    listener.stop_listening();
    listener.handle_lost(16_000 * 600);
    while listener.poll_output().is_some() {}
}

fn heard(words: &[Vec<f32>], sentences: &[Vec<f32>], noise: &[i16]) -> Result<(), Failure> {
    let folder = support::models().ok_or("the models are installed")?;
    println!(
        "hang_plausible_ms, noise: cases | ended, cut early, no speech | not woken | delay p50 p95 ms"
    );
    for hang_plausible_ms in [500, 600, 700, 800] {
        let place = folder.clone();
        let recogniser = Box::new(move || Ok(support::moonshine(&place)));
        let wake = std::fs::read(folder.join("pymicro-wakeword-2.5.0/alexa.tflite"))?;
        let mut config = ListenConfig::new(Country::UnitedStates);
        config.endpoint.hang_plausible_ms = hang_plausible_ms;
        let mut listener = Listener::new(ListenModels { wake, recogniser }, config)?;
        listener.load()?;
        for (name, ratio) in [("quiet", None), ("10 dB", Some(10.0))] {
            let mut tally = Tally::default();
            for (i, sentence) in sentences.iter().enumerate() {
                let noise = ratio.map(|ratio| (noise, i * 7_919, ratio));
                let case = case(&words[i % words.len()], 300, sentence, noise);
                hear(&case, &mut listener, &mut tally);
            }
            tally.delays_ms.sort_unstable();
            let at = |part: f64| {
                let index = (tally.delays_ms.len() as f64 * part) as usize;
                tally.delays_ms.get(index).copied().unwrap_or(-1)
            };
            println!(
                "{hang_plausible_ms}, {name}: {} | {} {} {} | {} | {} {}",
                tally.cases,
                tally.ended,
                tally.cut_early,
                tally.no_speech,
                tally.unheard_wakes,
                at(0.5),
                at(0.95)
            );
        }
    }
    Ok(())
}

/// WAV, FLAC or Opus files below a folder whose manifest entry passes.
fn pick(
    folder: &Path,
    wanted: impl Fn(&serde_json::Value) -> bool,
) -> Result<Vec<PathBuf>, Failure> {
    let text = std::fs::read_to_string(folder.join("manifest.jsonl"))?;
    let mut paths = Vec::new();
    for line in text.lines() {
        let entry: serde_json::Value = serde_json::from_str(line)?;
        if wanted(&entry) {
            paths.push(folder.join(entry["path"].as_str().ok_or("an entry without a path")?));
        }
    }
    Ok(paths)
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().map_or(Ok(40), |text| text.parse())?;
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/audio");
    let audio = PathBuf::from(arguments.next().unwrap_or_else(|| shared.to_owned()));
    let model = std::fs::read(models().join("pymicro-wakeword-2.5.0/alexa.tflite"))?;
    let mut detector = WakeWord::new(&model, WakeConfig::default())?;

    let load = |paths: Vec<PathBuf>| -> Vec<Vec<f32>> {
        let some = paths
            .iter()
            .step_by((paths.len() / count).max(1))
            .take(count);
        some.filter_map(|path| read(path).ok())
            .map(|s| levelled(trimmed(&s)))
            .collect()
    };
    let words = load(pick(&audio.join("wake"), |e| e["keyword"] == "alexa")?);
    let short = |e: &serde_json::Value| {
        e["seconds"]
            .as_f64()
            .is_some_and(|s| (1.2..4.0).contains(&s))
    };
    let sentences = load(pick(&audio.join("asr"), short)?);
    if std::env::var_os("ENDPOINT_HEARD").is_some() {
        let kitchen = pick(&audio.join("noise"), |e| e["label"] == "kitchen")?;
        let noise = read(kitchen.first().ok_or("a recording of a kitchen")?)?;
        return heard(&words, &sentences, &noise);
    }
    let label = |e: &serde_json::Value| e["label"].as_str().unwrap_or_default().to_owned();
    let noises = [
        "rain",
        "helicopter",
        "sea waves",
        "chainsaw",
        "clock tick",
        "fire crackling",
        "kitchen",
        "background noise",
        "home background between wake-word recordings",
        "dog bark",
        "baby cry",
        "rooster",
        "person sneeze",
    ];

    println!(
        "noise, dB, gap ms: cases | ended, cut early, over 3 s, no speech | start behind the word | wake lost | delay p50 p90 ms"
    );
    let mut conditions: Vec<(String, Vec<Vec<i16>>, f32)> = vec![("quiet".into(), Vec::new(), 0.0)];
    for name in noises {
        let paths = pick(&audio.join("noise"), |e| label(e) == name)?;
        let sounds: Vec<Vec<i16>> = paths
            .iter()
            .take(6)
            .filter_map(|path| read(path).ok())
            .filter(|sound| sound.len() > 16_000)
            .collect();
        if sounds.is_empty() {
            continue;
        }
        for ratio in [10.0, 5.0] {
            conditions.push((name.to_owned(), sounds.clone(), ratio));
        }
    }
    let mut cases = Vec::new();
    for (name, sounds, ratio) in &conditions {
        let gaps: &[usize] = if sounds.is_empty() {
            &[0, 300, 1_000, 3_000]
        } else {
            &[300]
        };
        for &gap in gaps {
            for (i, sentence) in sentences.iter().enumerate() {
                let noise = sounds.get(i % sounds.len().max(1));
                let noise = noise.map(|noise| (noise.as_slice(), i * 7_919, *ratio));
                let case = case(&words[i % words.len()], gap, sentence, noise);
                let wake = wake(&case, &mut detector);
                cases.push((format!("{name}, {ratio}, {gap}"), case, wake));
            }
        }
    }
    let base = EndpointConfig::default();
    let mut configs = vec![base.clone()];
    if std::env::var_os("ENDPOINT_GRID").is_some() {
        for voice_min in [0.4, 0.5, 0.65] {
            for hold in [0.25, 0.35, 0.5] {
                for above_floor_db in [2.0, 4.0, 6.0] {
                    for speaker_range_db in [12.0, 15.0, 18.0, 24.0] {
                        let voice_hold_min = f32::min(hold, voice_min);
                        configs.push(EndpointConfig {
                            voice_min,
                            voice_hold_min,
                            above_floor_db,
                            speaker_range_db,
                            ..base.clone()
                        });
                    }
                }
            }
        }
    }
    for config in &configs {
        if configs.len() > 1 {
            println!(
                "{} {} {} {}",
                config.voice_min,
                config.voice_hold_min,
                config.above_floor_db,
                config.speaker_range_db
            );
        }
        for judged in [true, false] {
            let (mut quiet, mut noisy) = (Tally::default(), Tally::default());
            let mut rows: Vec<(&str, Tally)> = Vec::new();
            for (name, case, wake) in &cases {
                if rows.last().is_none_or(|(last, _)| last != name) {
                    rows.push((name, Tally::default()));
                }
                let (_, tally) = rows.last_mut().expect("just pushed");
                run(case, wake, config, judged, tally);
            }
            let kind = if judged { "judged" } else { "unjudged" };
            for (name, mut tally) in rows {
                if name.starts_with("quiet") {
                    quiet.add(&tally);
                } else {
                    noisy.add(&tally);
                }
                if configs.len() == 1 {
                    print(&format!("{kind}, {name}"), &mut tally);
                }
            }
            print(&format!("{kind}, all quiet"), &mut quiet);
            print(&format!("{kind}, all noise"), &mut noisy);
        }
    }
    Ok(())
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.unheard_wakes += other.unheard_wakes;
        self.ended += other.ended;
        self.cut_early += other.cut_early;
        self.capped += other.capped;
        self.no_speech += other.no_speech;
        self.late_start += other.late_start;
        self.delays_ms.extend(&other.delays_ms);
    }
}

fn print(name: &str, tally: &mut Tally) {
    tally.delays_ms.sort_unstable();
    let at = |part: f64| {
        let index = (tally.delays_ms.len() as f64 * part) as usize;
        tally.delays_ms.get(index).copied().unwrap_or(-1)
    };
    println!(
        "{name}: {} | {} {} {} {} | {} | {} | {} {}",
        tally.cases,
        tally.ended,
        tally.cut_early,
        tally.capped,
        tally.no_speech,
        tally.late_start,
        tally.unheard_wakes,
        at(0.5),
        at(0.9)
    );
}
