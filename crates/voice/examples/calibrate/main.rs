//! Calibrates the emergency judgement: speaks and mixes a set of clips, scores them, chooses the operating point on
//! the calibration voices, and reports what it does on the others.
//!
//! `cargo run --release -p hearthline-voice --example calibrate -- CACHE --date YYYY-MM-DD`
//!
//! Further arguments: `--recordings DIR`, `--models DIR`, `--guard NATS`, `--out NAME` (score file within CACHE),
//! `--every N` (one clip in N), `--part K/N` (the K-th of N shares, from 0), `--skip N` (go on behind the first N
//! clips), `--filter KIND`, `--country CODE` (all five otherwise: they share the encoder and what the decoder said, and
//! the first one's time is the one reported), `--prompt TOKENS` (what the decoder is told for the wake word),
//! `--alike-cost N` (orders that one dialled sound-alike is worth), `--note TEXT` (for the report), `--profile` (where
//! the time goes, nothing else), `--choose-only` (use the scores that are there: what the models said is kept, so that
//! rules and thresholds can be changed without hearing everything again), `--keep-point` (report what the thresholds in
//! use do, and choose no others). Without `--date` nothing but CACHE is
//! written; with it also data/operating_point.toml and docs/calibration.md.
//!
//! Needs the programs `flite` and `espeak-ng`, and takes about twenty minutes of one core.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // A program, not the pure core: files, processes, clock.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]
mod audio;
mod choose;
mod clips;
mod profile;
mod report;
mod voices;
mod wordings;

use hearthline_voice::engine::Engine;
use hearthline_voice::transcribe::{Moonshine, Prefixes};
use hearthline_voice::understand::Country;
use hearthline_voice::understand::judge::{Head, Hearing, Judge, OperatingPoint};
use std::io::Write;
use std::path::PathBuf;

struct Arguments {
    cache: PathBuf,
    recordings: PathBuf,
    models: PathBuf,
    every: usize,
    skip: usize,
    filter: String,
    part: (u64, u64),
    country: Option<Country>,
    prompt: String,
    out: String,
    date: String,
    note: String,
    choose_only: bool,
    keep_point: bool,
    profile: bool,
    guard: f32,
    alike_cost: i64,
}

fn arguments() -> Arguments {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let models = std::env::var_os("HEARTH_MODELS")
        .map_or(home.join(".local/share/hearthline/models"), PathBuf::from);
    let mut all = Arguments {
        cache: PathBuf::new(),
        recordings: root.join("../shared/audio"),
        models,
        every: 1,
        skip: 0,
        filter: String::new(),
        part: (0, 1),
        country: None,
        prompt: "▁Alex a ,".to_owned(),
        out: "scores.jsonl".to_owned(),
        date: "undated".to_owned(),
        note: String::new(),
        choose_only: false,
        keep_point: false,
        profile: false,
        guard: 0.75,
        alike_cost: 1,
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
            "--skip" => all.skip = value().parse().expect("--skip takes a number"),
            "--note" => all.note = value(),
            "--date" => all.date = value(),
            "--guard" => all.guard = value().parse().expect("--guard takes a number"),
            "--alike-cost" => {
                all.alike_cost = value().parse().expect("--alike-cost takes a number");
            }
            "--choose-only" => all.choose_only = true,
            "--keep-point" => all.keep_point = true,
            "--profile" => all.profile = true,
            "--out" => all.out = value(),
            "--prompt" => all.prompt = value(),
            "--filter" => all.filter = value(),
            "--country" => all.country = Some(value().parse().expect("--country takes a code")),
            "--part" => {
                let text = value();
                let (part, of) = text.split_once('/').expect("--part takes K/N");
                all.part = (part.parse().unwrap(), of.parse().unwrap());
            }
            other => all.cache = other.into(),
        }
    }
    assert!(
        !all.cache.as_os_str().is_empty(),
        "say where generated speech is kept: calibrate CACHE"
    );
    all
}

/// CPU time of this thread, which does all the computing; the clock on the wall would measure the neighbours.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|t| t.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1e9
}

fn main() {
    let arguments = arguments();
    let engine = Engine::open(
        &arguments
            .models
            .join("onnxruntime-1.28.0/libonnxruntime.so.1.28.0"),
    )
    .unwrap();
    let file = |name: &str| {
        std::fs::read(arguments.models.join("moonshine-voice-0.0.73").join(name)).unwrap()
    };
    let mut recogniser = Moonshine::load(
        &engine,
        &file("encoder_model.ort"),
        &file("decoder_model_merged.ort"),
        &file("tokenizer.bin"),
    )
    .unwrap();
    if arguments.choose_only {
        return choose(&arguments, &recogniser);
    }
    let speaker = voices::Speaker::new(&arguments.cache.join("speech"), &arguments.models, &engine);
    let mut studio = clips::Studio::new(speaker, &arguments.recordings);
    let point = OperatingPoint {
        ask_nats: -14.0,
        ..OperatingPoint::built_in()
    };
    let wake: Vec<&str> = arguments.prompt.split_whitespace().collect();
    let mut judges: Vec<Judge> = Country::ALL
        .into_iter()
        .filter(|c| arguments.country.is_none_or(|wanted| wanted == *c))
        .map(|country| {
            Judge::new(country, point.clone(), recogniser.vocabulary())
                .unwrap()
                .with_wake_text(&wake, recogniser.vocabulary())
        })
        .collect();
    let mut all = clips::spoken(&voices::all());
    all.extend(clips::recorded(&arguments.recordings));
    all.retain(|c| {
        c.roles
            .iter()
            .any(|r| format!("{:?}", r.1).contains(&arguments.filter))
            && clips::hash(&format!("{} {} {:?}", c.voice, c.said, c.snr_db))
                .is_multiple_of(arguments.every as u64)
    });
    if arguments.profile {
        return profile::profile(&mut recogniser, &mut judges[0], &mut studio, &all);
    }
    let mut out = std::fs::File::create(arguments.cache.join(&arguments.out)).unwrap();
    let (mut done, mut seconds) = (0, 0.0);
    for (index, clip) in all.iter().enumerate() {
        if index < arguments.skip || index as u64 % arguments.part.1 != arguments.part.0 {
            continue;
        }
        let Some(segment) = studio.segment(clip) else {
            continue;
        };
        let start = cpu_seconds();
        let encoded = judges[0]
            .encode(&mut recogniser, &segment, Head::WakeWord)
            .unwrap();
        let mut prefixes = Prefixes::kept(&encoded);
        let mut first = None;
        for judge in &mut judges {
            let role = clip.roles.iter().find(|r| r.0 == judge.country());
            let Some((country, kind)) = role else {
                continue;
            };
            let hearing = judge
                .sense_on(&mut recogniser, &mut prefixes, Head::WakeWord)
                .unwrap();
            let took = *first.get_or_insert_with(|| cpu_seconds() - start);
            let Hearing { transcript, mass } = &hearing;
            let best = mass.best.as_ref();
            let line = serde_json::json!({
                "country": country.code(), "kind": kind.name(), "said": clip.said, "voice": clip.voice,
                "test": clip.half == voices::Half::Test,
                "snr_db": clip.snr_db, "text": transcript.text, "log_prob": transcript.log_prob,
                "alternatives": transcript.alternatives.iter().map(|a| (a.text.clone(), a.log_prob)).collect::<Vec<_>>(),
                "order": mass.order, "ask": mass.ask, "contrary": mass.contrary,
                "best": best.map(|b| (b.text.clone(), b.log_prob, b.payload.service.urn(), b.payload.quiet)),
                "by_service": mass.by_service.iter().map(|s| (s.0.urn(), s.1, s.2)).collect::<Vec<_>>(),
                "nodes": mass.nodes, "cpu_ms": took * 1e3, "seconds": segment.len() as f64 / 16e3,
            });
            writeln!(out, "{line}").unwrap();
        }
        let took = cpu_seconds() - start;
        seconds += took;
        done += 1;
        if done % 200 == 0 {
            eprintln!(
                "{index} of {}, {:.0} ms each",
                all.len(),
                seconds / f64::from(done) * 1e3
            );
        }
    }
    eprintln!(
        "{done} clips, {:.0} ms each",
        seconds / f64::from(done.max(1)) * 1e3
    );
    if arguments.every == 1 && arguments.filter.is_empty() && arguments.part.1 == 1 {
        choose(&arguments, &recogniser);
    }
}

/// Find the operating point on the calibration half and write it down with what it does on the test half.
fn choose(arguments: &Arguments, recogniser: &Moonshine) {
    let start = OperatingPoint {
        ask_nats: -12.0,
        ..OperatingPoint::built_in()
    };
    let judges = Country::ALL
        .map(|country| Judge::new(country, start.clone(), recogniser.vocabulary()).unwrap());
    let all = choose::load(&arguments.cache.join(&arguments.out), &judges);
    let point = if arguments.keep_point {
        OperatingPoint::built_in()
    } else {
        choose::search(&all, &start, arguments.guard, arguments.alike_cost)
    };
    let command =
        "cargo run --release -p hearthline-voice --example calibrate -- CACHE --date YYYY-MM-DD";
    let toml = format!(
        "# Thresholds of the emergency judgement, in natural logarithms. Made by the calibration program, not by hand.\n\
         made_on = \"{}\"\nmade_by = \"{command}\"\naccept_nats = {:?}\naccept_near_nats = {:?}\naccept_agreed_nats = {:?}\nask_nats = {:?}\n\
         veto_margin_nats = {:?}\nother_margin_nats = {:?}\nask_margin_nats = {:?}\nbeam_width = {}\n",
        arguments.date,
        point.accept_nats,
        point.accept_near_nats,
        point.accept_agreed_nats,
        point.ask_nats,
        point.veto_margin_nats,
        point.other_margin_nats,
        point.ask_margin_nats,
        point.beam_width
    );
    let note = if arguments.note.is_empty() {
        String::new()
    } else {
        format!("\n\n{}", arguments.note)
    };
    // Every clip is judged for the United States: as an order, as a foreign number, as what must not call.
    let clips = all
        .iter()
        .filter(|w| w.country == Country::UnitedStates)
        .count();
    let report = format!(
        "# Calibration of the emergency judgement\n\n\
         {} clips, {} judgements (each clip for each country that it concerns), made and scored on {} by `{command}`. One operating point for every country: it comes from \
         the calibration voices alone, the most orders accepted with no false dial among them in any country (sound-alikes \
         apart; one dialled costs as much as {} order) and {} nats of room to the nearest one.\n\n{METHOD}{note}\n\n```toml\n{toml}```\n\n{}",
        clips,
        all.len(),
        arguments.date,
        arguments.alike_cost,
        arguments.guard,
        report::report(&all, &point)
    );
    println!("{report}");
    std::fs::write(
        arguments.cache.join("missed.txt"),
        report::missed(&all, &point),
    )
    .unwrap();
    std::fs::write(arguments.cache.join("nearest.txt"), report::nearest(&all)).unwrap();
    if arguments.date == "undated" {
        return;
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    std::fs::write(root.join("data/operating_point.toml"), toml).unwrap();
    std::fs::write(root.join("../../docs/calibration.md"), report).unwrap();
}

/// What the figures stand on.
const METHOD: &str = "\
Every clip begins with the wake word: \"Alexa\" and the sentence in one breath, half of them without a pause, or a real \
\"Alexa\" before real speech and noise. Voices: flite slt, kal16, rms, awb; espeak-ng en-us, scotland+f2, en-us+steph, \
en-us+f3, rp+m4; Piper joe. -24 dBFS, 0.3 s lead, 0.25 s tail (the pause at which the listener looks), noise from the real \
recordings over the active speech. Real speech (LibriSpeech, speechocean762, other wake words, prompts, digits; stretches \
of up to 8 s) is dealt to the halves by speaker. The same clips are judged for every country that they concern: \"call \
nine one one\" is an order in North America and a foreign number elsewhere, \"call nine nine nine\" the other way round. \
The countries share the encoder and what the decoder said; CPU is that of the first alone.\n\n\
Mind: every order is synthetic, spoken by programs, most of them with an American accent whatever the country; grammar and \
sentences have the same author; no reverberation, no whisper, no shouting, no children. The list of slips that are mended \
(`mishearing.rs`) was written after a look at misses of both halves, and so were the floor under the thresholds (a text \
that has nothing of an order does not call on one chance in a thousand) and the rule for verbs in the past (one test clip, \
\"who called nine one one\", had dialled); so was the room to the nearest false dial: with 0.5 nats one test clip (\"call nine nine nine nine\" in \
Great Britain, 5 dB) dialled. The thresholds were not. Real speech holds almost no sentence about calling.";
