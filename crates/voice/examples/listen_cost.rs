//! What listening costs: memory before and after the first command, processor time always and per command.
//!
//! `cargo run --release -p hearthline-voice --example listen_cost -- COMMAND.wav` with 16 kHz mono sound that begins
//! with the wake word, such as `hearth say` writes. Models are found as by the tests.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a program, not the pure core: files and the process's own account"
)]
#[path = "../tests/hearing/support/mod.rs"]
mod support;
use hearthline_voice::listen::{ListenConfig, ListenModels, Listener, Output};
use hearthline_voice::understand::Country;

fn resident_mb() -> f64 {
    status_mb("VmRSS")
}

fn status_mb(what: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with(what)).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1024.0
}

/// CPU time of this thread, which does all the computing.
fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6
}

/// What people cost who talk about something else: every word of theirs is made a candidate for the wake word.
fn doubt(models: &std::path::Path) {
    let Some(recordings) = support::recordings() else {
        return;
    };
    let folder = models.to_owned();
    let mut config = ListenConfig::new(Country::UnitedStates);
    config.candidate.cutoff = 0.0;
    config.candidate.checks_max = 20;
    let models = ListenModels {
        wake: std::fs::read(models.join("pymicro-wakeword-2.5.0/alexa.tflite")).unwrap(),
        recogniser: Box::new(move || Ok(support::moonshine(&folder))),
    };
    let mut listener = Listener::new(models, config).unwrap();
    let talk = support::flac(&recordings.join("asr/libri_1998-15444-0003.flac"));
    let sound = [&talk[..], &[0; 32_000]].concat();
    listener.load().unwrap();
    let mut longest = Vec::new();
    for _ in 0..6 {
        for chunk in sound.chunks(160) {
            let (before, checks) = (cpu_ms(), listener.checks());
            listener.handle_samples(chunk);
            if listener.checks() > checks {
                longest.push(cpu_ms() - before);
            }
        }
    }
    println!(
        "{} candidates put to the recogniser and forgotten: {:.0} ms CPU each; largest ever resident {:.1} MB",
        listener.checks(),
        longest.iter().sum::<f64>() / longest.len().max(1) as f64,
        status_mb("VmHWM")
    );
}

fn main() {
    let path = std::env::args()
        .nth(1)
        .expect("say which WAV file holds the command");
    let command: Vec<i16> = hound::WavReader::open(path)
        .unwrap()
        .samples()
        .map(Result::unwrap)
        .collect();
    let models = support::models().expect("the models are installed");
    let room = vec![0_i16; 16_000];
    println!("resident at start                {:6.1} MB", resident_mb());
    let mut listener = support::listener(&models);
    let start = cpu_ms();
    let hiss: Vec<i16> = (0..16_000_u32 * 60)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as i16 - 128)
        .collect();
    hiss.chunks(160)
        .for_each(|chunk| listener.handle_samples(chunk));
    println!(
        "always listening                 {:6.2} % of a core",
        (cpu_ms() - start) / 600.0
    );
    println!("resident before the first command{:6.1} MB", resident_mb());
    let start = cpu_ms();
    listener.load().unwrap();
    println!(
        "loading the recogniser           {:6.0} ms CPU",
        cpu_ms() - start
    );
    for turn in 1..=3 {
        let (mut decided, mut longest) = (0, 0.0_f64);
        for chunk in [&room[..], &command, &room, &room].concat().chunks(160) {
            let before = cpu_ms();
            listener.handle_samples(chunk);
            longest = longest.max(cpu_ms() - before);
            while let Some(output) = listener.poll_output() {
                if let Output::Understood(heard) = output {
                    decided = heard.decided.since(heard.speech_end) / 16;
                    println!(
                        "turn {turn}: \"{}\" {:?}",
                        heard.understanding.transcript.text, heard.understanding.verdict
                    );
                }
            }
        }
        println!(
            "  pause until decided {decided} ms of sound, longest call {longest:.0} ms CPU, resident {:.1} MB",
            resident_mb()
        );
    }
    drop(listener);
    doubt(&models);
}
