//! What 200 spoken everyday commands come to: the share that does the right thing, clean and in noise, and how soon after
//! the last word it is known, by class.
//!
//! `cargo run --release -p hearthline-voice --example everyday_speech -- CACHE [VOICE...]`
//!
//! Further arguments: `--before WORDS` (said in front of each command, such as "don't": those that are done all the same
//! are printed), `--typed` (the commands as text, without any sound: what they must mean), `--every N` (one command
//! in N), `--from K` (beginning with number K, from 0), `--urgent` (instead, what orders and near misses of calls for help
//! come to), `--woken` (as if the wake word were noticed each time: recogniser and judge alone, the
//! delay is what they compute), `--talk N` (instead, what N stretches of real talk behind the wake word come to), `--deal K` (other noises for the same sentences), `--recordings DIR`, `--models DIR`, `--wrong` (what went wrong and how it was heard), `--note TEXT`.
//!
//! Each command of `everyday/commands.txt` is spoken behind "Alexa" by `flite`, `espeak-ng` and our own voice (those that
//! are installed), clean and with a real recording at 10 dB, and goes through the listener of the device in frames of
//! 10 ms: wake word, endpoint, recogniser, emergency judgement, sentences. Right is the intent with all slots that the
//! file names. A delay counts from the last sound of the speech, with the processor time that the thread spent since.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measuring program reads files and runs programs; it uses a part of the calibration's voices"
)]
#[path = "calibrate/audio.rs"]
mod audio;
#[path = "everyday/commands.rs"]
mod commands;
#[path = "everyday/ear.rs"]
mod ear;
#[path = "everyday/report.rs"]
mod report;
#[path = "calibrate/voices.rs"]
mod voices;

use commands::{Command, Meant};
use hearthline_voice::understand::{Country, emergency_phrases};
use report::{Outcome, Take};
use std::collections::BTreeMap;
use std::path::PathBuf;

struct Arguments {
    cache: PathBuf,
    voices: Vec<String>,
    recordings: PathBuf,
    models: PathBuf,
    every: usize,
    from: usize,
    urgent: bool,
    woken: bool,
    typed: bool,
    talk: usize,
    deal: usize,
    before: String,
    wrong: bool,
    note: String,
}

/// Voices that are heard when none is named: three engines, American, British and Scottish.
const VOICES: [&str; 6] = ["joe", "slt", "rms", "awb", "en-us", "en-gb-x-rp+m4"];

fn arguments() -> Arguments {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let models = std::env::var_os("HEARTH_MODELS")
        .map_or(home.join(".local/share/hearthline/models"), PathBuf::from);
    let mut all = Arguments {
        cache: PathBuf::new(),
        voices: Vec::new(),
        recordings: root.join("../shared/audio"),
        models,
        every: 1,
        from: 0,
        urgent: false,
        woken: false,
        typed: false,
        talk: 0,
        deal: 0,
        before: String::new(),
        wrong: false,
        note: String::new(),
    };
    let mut rest = std::env::args().skip(1);
    while let Some(argument) = rest.next() {
        let mut value = || {
            rest.next()
                .unwrap_or_else(|| panic!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--recordings" => all.recordings = value().into(),
            "--models" => all.models = value().into(),
            "--every" => all.every = value().parse().expect("--every takes a number"),
            "--from" => all.from = value().parse().expect("--from takes a number"),
            "--urgent" => all.urgent = true,
            "--woken" => all.woken = true,
            "--typed" => all.typed = true,
            "--talk" => all.talk = value().parse().expect("--talk takes a number"),
            "--deal" => all.deal = value().parse().expect("--deal takes a number"),
            "--before" => all.before = value() + " ",
            "--wrong" => all.wrong = true,
            "--note" => all.note = value(),
            other if all.cache.as_os_str().is_empty() => all.cache = other.into(),
            other => all.voices.push(other.to_owned()),
        }
    }
    assert!(
        all.typed || !all.cache.as_os_str().is_empty(),
        "say where generated speech is kept: everyday_speech CACHE"
    );
    if all.voices.is_empty() {
        all.voices = VOICES.map(str::to_owned).to_vec();
    }
    all
}

fn main() {
    let arguments = arguments();
    let commands: Vec<Command> = commands::all()
        .into_iter()
        .skip(arguments.from)
        .step_by(arguments.every)
        .collect();
    let mut ear = ear::Ear::new(&arguments.models);
    if arguments.typed {
        let mut wrong = 0;
        for command in &commands {
            let meant = ear.read(&command.said);
            wrong += usize::from(!command.is_right(&meant));
            println!(
                "{} {} | {} | {meant}",
                if command.is_right(&meant) {
                    "right"
                } else {
                    "WRONG"
                },
                command.class,
                command.said
            );
        }
        println!("{} commands, {wrong} wrong", commands.len());
        return;
    }
    let mut speaker = voices::Speaker::new(
        &arguments.cache.join("speech"),
        &arguments.models,
        ear.engine(),
    );
    if arguments.talk > 0 {
        return talk(&mut ear, &mut speaker, &arguments);
    }
    if arguments.urgent {
        return urgent(&mut ear, &mut speaker, &arguments);
    }
    let mut noises = ear::Noises::new(&arguments.recordings, arguments.deal);
    let mut takes: Vec<Take> = Vec::new();
    for voice in voices::all().into_iter().chain(voices::made()) {
        if !arguments.voices.iter().any(|name| name == voice.name) {
            continue;
        }
        for command in &commands {
            let Some(sound) = speaker.say(
                &voice,
                &format!("Alexa, {}{}.", arguments.before, command.said),
            ) else {
                continue;
            };
            let speech = ear::spoken(&sound);
            for snr_db in [None, Some(10)] {
                let sound = noises.around(&speech, snr_db, voice.name, &command.said);
                let heard = if arguments.woken {
                    ear.hear_woken(&sound)
                } else {
                    ear.hear(&sound)
                };
                let outcome = match &heard.meant {
                    None if heard.woke => Outcome::Silent,
                    None => Outcome::Asleep,
                    Some(meant) if command.is_right(meant) => Outcome::Right,
                    Some(meant) if meant.is_urgent() => Outcome::Urgent,
                    Some(meant) if meant.is_nothing() => Outcome::Nothing,
                    Some(meant) if meant.asks() => Outcome::Asked,
                    Some(_) => Outcome::Wrong,
                };
                let done_all_the_same = !arguments.before.is_empty() && outcome == Outcome::Right;
                if arguments.wrong && outcome != Outcome::Right || done_all_the_same {
                    println!(
                        "{} {} {}: {} | {} | {}",
                        outcome.name(),
                        voice.name,
                        snr_db.map_or("clean".to_owned(), |db| format!("{db} dB")),
                        command.said,
                        heard.text,
                        heard
                            .meant
                            .map(|meant| meant.to_string())
                            .unwrap_or_default(),
                    );
                }
                takes.push(Take {
                    class: command.class.clone(),
                    voice: voice.name,
                    snr_db,
                    outcome,
                    delay_ms: heard.delay_ms,
                });
            }
        }
        eprintln!("{}: {} takes so far", voice.name, takes.len());
    }
    println!(
        "{}",
        report::report(commands.len(), &takes, &arguments.note)
    );
}

/// The wake word in our own voice.
fn wake_word(speaker: &mut voices::Speaker) -> Vec<f32> {
    let joe = voices::all()
        .into_iter()
        .find(|voice| voice.name == "joe")
        .expect("our own voice");
    speaker
        .say(&joe, "Alexa,")
        .expect("our own voice is installed")
}

/// Orders to call for help and what only sounds like one, clean and in noise: whether anything else is done.
fn urgent(ear: &mut ear::Ear, speaker: &mut voices::Speaker, arguments: &Arguments) {
    let mut noises = ear::Noises::new(&arguments.recordings, arguments.deal);
    let sentences = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/understanding/sentences/near_misses.txt"
    );
    let near = std::fs::read_to_string(sentences).expect("the near misses of the tests");
    let is_said = |line: &&str| !line.starts_with('#') && !line.is_empty();
    let phrases = emergency_phrases(Country::UnitedStates);
    let orders = phrases.cores.iter().map(|core| core.text.as_str());
    let (orders, near): (Vec<&str>, Vec<&str>) =
        (orders.collect(), near.lines().filter(is_said).collect());
    for (name, sentences) in [("orders", orders), ("near misses", near)] {
        let mut came = BTreeMap::new();
        for voice in voices::all() {
            if !arguments.voices.iter().any(|name| name == voice.name) {
                continue;
            }
            let every = sentences.iter().skip(arguments.from);
            for said in every.step_by(arguments.every) {
                let Some(sound) = speaker.say(&voice, &format!("Alexa, {said}.")) else {
                    continue;
                };
                let speech = ear::spoken(&sound);
                for snr_db in [None, Some(10)] {
                    let heard = ear.hear(&noises.around(&speech, snr_db, voice.name, said));
                    let what = match &heard.meant {
                        None => "not heard",
                        Some(Meant::Intent(..)) => "something else is done",
                        Some(Meant::Which(_)) => "asked which of several",
                        Some(Meant::Urgent(_)) => "dialled or asked about",
                        Some(Meant::Nothing) => "nothing",
                    };
                    *came.entry(what).or_insert(0) += 1;
                    if let Some(meant @ (Meant::Intent(..) | Meant::Which(_))) = heard.meant {
                        println!("{said} | {} | {meant}", heard.text);
                    }
                }
            }
        }
        println!("{name}: {came:?}");
    }
}

/// Real talk that is no command: how much of it acts.
fn talk(ear: &mut ear::Ear, speaker: &mut voices::Speaker, arguments: &Arguments) {
    let folder = arguments.recordings.join("negatives");
    let manifest = std::fs::read_to_string(folder.join("manifest.jsonl")).expect("the recordings");
    let wake = wake_word(speaker);
    let mut stretches = Vec::new();
    for line in manifest.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let path = folder.join(entry["path"].as_str().unwrap_or_default());
        for segment in entry["segments"].as_array().into_iter().flatten() {
            let at = |key: &str| (segment[key].as_f64().unwrap_or(0.0) * 16e3) as usize;
            stretches.push((path.clone(), at("start"), at("end")));
        }
    }
    let step = (stretches.len() / arguments.talk).max(1);
    let (mut count, mut acts, mut asks) = (0, 0, 0);
    let mut open: Option<(PathBuf, Vec<f32>)> = None;
    for (path, from, to) in stretches.into_iter().step_by(step) {
        if open.as_ref().is_none_or(|open| open.0 != path) {
            open = Some((path.clone(), audio::read(&path)));
        }
        let all = &open.as_ref().expect("it was just read").1;
        let Some(part) = all.get(from..to.min(all.len()).min(from + 80_000)) else {
            continue;
        };
        let mut sound = audio::level(wake.clone());
        sound.extend(audio::level(part.to_vec()));
        let heard = ear.hear(&ear::Sound::of(&audio::pad(&sound, 1_500, 3_000)));
        count += 1;
        acts += usize::from(matches!(heard.meant, Some(commands::Meant::Intent(..))));
        asks += usize::from(heard.meant.as_ref().is_some_and(commands::Meant::asks));
        if let Some(meant) = heard.meant.filter(|meant| !meant.is_nothing()) {
            println!("{} | {meant}", heard.text);
        }
    }
    println!("{count} stretches of real talk: {acts} act, {asks} ask which");
}
