//! How well the ear wakes: real recordings and synthetic sentences, clean and in noise; false wakes per hour; its cost.
//!
//! `wake_rates CACHE [CANDIDATE_CUTOFF ...]`. Every stream goes through the whole listener, a second of room before it.
//! `CACHE` keeps the generated speech (`flite`, `espeak-ng` and the Piper voice, where they are installed). A candidate
//! cutoff of 0.9 or more turns the second stage off: that is how the wake word's network does alone. The start of a
//! segment is compared with the first sound of the clean recording within 30 dB of its loudest.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "a measuring program reads files and the clock; the crate itself does not"
)]
#[allow(dead_code, unreachable_pub)]
#[path = "calibrate/audio.rs"]
mod audio;
#[path = "../tests/hearing/support/mod.rs"]
mod support;
#[allow(dead_code, unreachable_pub)]
#[path = "calibrate/voices.rs"]
mod voices;

use hearthline_voice::clock::SampleIndex;
use hearthline_voice::listen::{ListenConfig, ListenModels, Listener, Output};
use hearthline_voice::understand::Country;
use hearthline_voice::wake::{Wake, WakeConfig};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What follows the wake word in synthetic sentences.
const COMMANDS: &[&str] = &[
    "call nine one one",
    "call the police",
    "call an ambulance",
    "dial nine one one",
    "get me the sheriff",
    "call the fire department",
    "please call nine one one",
    "help me",
    "set a timer for nine minutes",
    "turn on the kitchen lights",
    "what time is it",
    "don't call nine one one",
];
/// How it follows: after a breath, without one, as if it were one word.
const JOINS: &[(&str, &str)] = &[("pause", ", "), ("no pause", " "), ("one word", "")];
const NOISES: &[(&str, Option<f32>)] =
    &[("clean", None), ("10 dB", Some(10.0)), ("5 dB", Some(5.0))];
/// Sound before the word that belongs to every recording, in ms.
const LEAD_MS: usize = 1_000;

/// One stream to listen to.
struct Clip {
    group: String,
    name: String,
    samples: Vec<i16>,
    /// For real recordings: the clean one.
    clean: Option<Rc<[f32]>>,
}

#[derive(Default)]
struct Tally {
    streams: usize,
    sure: usize,
    confirmed: usize,
    late: Vec<String>,
    lead_ms: Vec<u64>,
    seconds: f64,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let cache = PathBuf::from(
        arguments
            .next()
            .expect("say where generated speech is kept"),
    );
    let mut cutoffs: Vec<f64> = arguments.map(|text| text.parse().unwrap()).collect();
    if cutoffs.is_empty() {
        cutoffs = vec![
            0.9,
            ListenConfig::new(Country::UnitedStates).candidate.cutoff,
        ];
    }
    let models = support::models().expect("the models are installed");
    let shared = support::recordings().expect("the recordings are there");
    let positives = positives(&cache, &models, &shared);
    for cutoff in cutoffs {
        println!("candidate cutoff {cutoff}");
        let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
        let mut listener = listener(&models, cutoff);
        listener.load().unwrap();
        for clip in &positives {
            let (wakes, from) = listen(&mut listener, &clip.samples, true);
            let tally = tallies.entry(clip.group.clone()).or_default();
            tally.count(&wakes);
            let (Some(clean), Some((from, at))) = (&clip.clean, from) else {
                continue;
            };
            let onset = onset(clean, at);
            tally.lead_ms.push(onset.saturating_sub(from) / 16);
            if from > onset {
                tally.late.push(clip.name.clone());
            }
        }
        for (group, tally) in &mut tallies {
            tally.print(group);
        }
        if std::env::var_os("WAKE_POSITIVES_ONLY").is_none() {
            negatives(&models, &shared, cutoff);
        }
    }
}

/// Everything that holds no wake word, each recording its own stream, the recogniser loaded for candidates only.
fn negatives(models: &Path, shared: &Path, cutoff: f64) {
    let mut all = Tally::default();
    let (mut checks, mut spent, mut largest) = (0, 0.0, 0.0_f64);
    for set in ["wake", "negatives", "asr"] {
        for entry in manifest(&shared.join(set)) {
            if entry["keyword"] == "alexa" {
                continue;
            }
            let path = shared.join(set).join(entry["path"].as_str().unwrap());
            let samples = integers(&audio::pad(&audio::read(&path), 0, 1_500));
            let mut listener = listener(models, cutoff);
            let start = cpu_seconds();
            let (wakes, _) = listen(&mut listener, &samples, false);
            spent += cpu_seconds() - start;
            checks += listener.checks();
            largest = largest.max(resident_mb());
            for wake in &wakes {
                let second = wake.at.time().as_secs();
                println!(
                    "    woke at {second} s, {:.2}: {}",
                    wake.score,
                    path.display()
                );
            }
            all.count_all(&wakes);
            all.seconds += samples.len() as f64 / 16e3;
        }
    }
    let hours = all.seconds / 3_600.0;
    println!(
        "no wake word in it: {} sure and {} confirmed false wakes in {hours:.2} h; {checks} checks, {:.1} an hour; \
         {:.3} % of a core with them; at most {largest:.0} MB",
        all.sure,
        all.confirmed,
        checks as f64 / hours,
        spent / all.seconds * 100.0
    );
}

impl Tally {
    fn count(&mut self, wakes: &[Wake]) {
        self.streams += 1;
        self.count_all(&wakes[..wakes.len().min(1)]);
    }

    fn count_all(&mut self, wakes: &[Wake]) {
        let sure = WakeConfig::default();
        let sure = wakes.iter().filter(|wake| sure.is_sure(wake)).count();
        self.sure += sure;
        self.confirmed += wakes.len() - sure;
    }

    fn print(&mut self, group: &str) {
        let percent = |part: usize| part as f64 * 100.0 / self.streams as f64;
        print!(
            "{group}: {} | sure {:.1} % | with confirmed {:.1} %",
            self.streams,
            percent(self.sure),
            percent(self.sure + self.confirmed)
        );
        self.lead_ms.sort_unstable();
        if let (Some(least), Some(most)) = (self.lead_ms.first(), self.lead_ms.last()) {
            let middle = self.lead_ms[self.lead_ms.len() / 2];
            print!(
                " | segment begins behind the onset {} of {}, before it {least} to {most} ms, median {middle} {:?}",
                self.late.len(),
                self.lead_ms.len(),
                self.late
            );
        }
        println!();
    }
}

fn listener(models: &Path, cutoff: f64) -> Listener {
    let folder = models.to_owned();
    let recogniser = Box::new(move || Ok(support::moonshine(&folder)));
    let wake = std::fs::read(models.join("pymicro-wakeword-2.5.0/alexa.tflite")).unwrap();
    let mut config = ListenConfig::new(Country::UnitedStates);
    config.candidate.cutoff = cutoff;
    Listener::new(ListenModels { wake, recogniser }, config).unwrap()
}

/// The wake words in a stream, and where the first one's segment begins and where it was spotted; `first` stops at it.
fn listen(
    listener: &mut Listener,
    samples: &[i16],
    first: bool,
) -> (Vec<Wake>, Option<(u64, u64)>) {
    let base = listener.now().0;
    let (mut wakes, mut from) = (Vec::new(), None);
    for chunk in samples.chunks(160) {
        listener.handle_samples(chunk);
        while let Some(output) = listener.poll_output() {
            let Output::Wake(wake) = output else {
                continue;
            };
            if let Some((first, before)) = listener.take_before_wake()
                && from.is_none()
            {
                let segment = (first.0 + before.len() as u64).saturating_sub(base);
                from = Some((segment, wake.at.since(SampleIndex(base))));
            }
            wakes.push(wake);
            // What follows is not what is measured.
            listener.stop_listening();
        }
        if first && !wakes.is_empty() {
            break;
        }
    }
    // A gap: the next stream begins anew.
    listener.stop_listening();
    listener.handle_lost(16_000 * 600);
    while listener.poll_output().is_some() {}
    (wakes, from)
}

fn positives(cache: &Path, models: &Path, shared: &Path) -> Vec<Clip> {
    let usable = |sound: &Vec<f32>| {
        sound.len() > 16_000
            && sound.iter().map(|s| s * s).sum::<f32>() > 1e-3 * sound.len() as f32 / 16e3
    };
    let noises: Vec<Vec<f32>> = manifest(&shared.join("noise"))
        .iter()
        .filter(|entry| entry["kind"] != "rir")
        .map(|entry| audio::read(&shared.join("noise").join(entry["path"].as_str().unwrap())))
        .filter(usable)
        .collect();
    let mut clips = Vec::new();
    let mut add = |group: &str, name: &str, sound: &[f32], clean: Option<Rc<[f32]>>| {
        let key = hash(name) as usize;
        for (label, ratio_db) in NOISES {
            let noise = &noises[key % noises.len()];
            let mixed = ratio_db.map(|ratio| audio::mix(sound, noise, key, ratio));
            clips.push(Clip {
                group: format!("{group}, {label}"),
                name: name.to_owned(),
                samples: integers(mixed.as_deref().unwrap_or(sound)),
                clean: clean.clone(),
            });
        }
    };
    for entry in manifest(&shared.join("wake")) {
        if entry["keyword"] == "alexa" {
            let path = entry["path"].as_str().unwrap();
            let sound = audio::read(&shared.join("wake").join(path));
            let sound = audio::pad(&sound, LEAD_MS, 1_500);
            add("real", path, &sound, Some(sound.as_slice().into()));
        }
    }
    let engine = support::engine(models);
    let mut speaker = voices::Speaker::new(&cache.join("speech"), models, &engine);
    for voice in voices::all() {
        for command in COMMANDS {
            for (group, join) in JOINS {
                let text = format!("Alexa{join}{command}.");
                if let Some(sound) = speaker.say(&voice, &text) {
                    let sound = audio::pad(&audio::level(sound), LEAD_MS, 1_500);
                    add(group, &format!("{}: {text}", voice.name), &sound, None);
                }
            }
        }
    }
    clips
}

/// First sound within 30 dB of the word's loudest, over pauses of up to 250 ms; the word is what was loudest in the
/// 1.5 s before it was spotted.
fn onset(sound: &[f32], spotted: u64) -> u64 {
    let mut powers: Vec<f32> = sound
        .chunks_exact(160)
        .map(|part| part.iter().map(|s| s * s).sum::<f32>() / 160.0)
        .collect();
    powers.truncate(spotted as usize / 160);
    let word = powers.len().saturating_sub(150)..powers.len();
    let loudest = word
        .max_by(|&a, &b| powers[a].total_cmp(&powers[b]))
        .unwrap_or(0);
    let mut first = loudest;
    for place in (0..loudest).rev() {
        if powers[place] > powers[loudest] * 1e-3 {
            if first - place > 25 {
                break;
            }
            first = place;
        }
    }
    first as u64 * 160
}

fn integers(sound: &[f32]) -> Vec<i16> {
    sound.iter().map(|s| (s * 32_767.0) as i16).collect()
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn manifest(folder: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder.join("manifest.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Processor time of this thread, which does all the computing.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    let kilobytes = line.split_whitespace().nth(1).unwrap();
    kilobytes.parse::<f64>().unwrap() / 1024.0
}
