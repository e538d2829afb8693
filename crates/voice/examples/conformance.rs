//! What the everyday sentences hold of Home Assistant's, as a table.
//!
//! `cargo run --release -p hearthline-voice --example conformance`
//!
//! The same checks as the tests of `understanding` make, counted: the English conformance rows of `../shared`, every
//! language's file of the package, talk and near misses that mean nothing; what a sentence costs. How sampled sentences
//! agree with Python's hassil says `cargo test -p hearthline-voice --test understanding agrees_with_hassil`.
#![allow(
    dead_code,
    unused_imports,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measuring program reads files and the clock; it uses a part of the tests"
)]
#[path = "../tests/understanding/home_assistants_sentences.rs"]
mod home_assistants_sentences;
#[path = "../tests/understanding/language_files.rs"]
mod language_files;
#[path = "../tests/understanding/what_is_no_command.rs"]
mod what_is_no_command;

use hearthline_voice::understand::sentences::{House, Responses};
use std::collections::BTreeMap;
use std::time::Instant;

/// Groups of intents, by how their names begin.
const GROUPS: [(&str, &[&str]); 8] = [
    (
        "timers",
        &[
            "HassStartTimer",
            "HassCancel",
            "HassIncreaseTimer",
            "HassDecreaseTimer",
            "HassPauseTimer",
            "HassUnpauseTimer",
            "HassTimer",
        ],
    ),
    ("lights", &["HassLight"]),
    (
        "devices on and off",
        &["HassTurnOn", "HassTurnOff", "HassToggle"],
    ),
    ("questions about states", &["HassGetState"]),
    ("climate and weather", &["HassClimate", "HassGetWeather"]),
    ("media and volume", &["HassMedia", "HassSetVolume"]),
    ("lists", &["HassList", "HassShopping"]),
    ("others", &[""]),
];

fn main() {
    let (Some(intents), Some(suite)) = (language_files::intents(), language_files::suite()) else {
        return;
    };
    println!("| what | right | of |\n|---|---:|---:|");
    let (program, complaints) = language_files::compiled(&intents, "en");
    assert_eq!(complaints, []);
    let responses = Responses::new();
    let rows = std::fs::read_to_string(suite).unwrap();
    let rows: Vec<serde_json::Value> = rows
        .lines()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    let mut groups: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    let mut failures = Vec::new();
    let mut times = Vec::new();
    for row in &rows {
        let intent = row["intent"].as_str().unwrap();
        let group = GROUPS
            .iter()
            .position(|(_, heads)| heads.iter().any(|head| intent.starts_with(head)))
            .unwrap();
        let wrong = home_assistants_sentences::wrong(&program, &responses, row);
        let entry = groups.entry(group).or_default();
        entry.0 += usize::from(wrong.is_none());
        entry.1 += 1;
        failures.extend(wrong.map(|why| format!("{}: {why}", row["sentence"])));
        let house = House::from_json(row).unwrap();
        let (lists, context) = (house.lists(), house.context());
        let start = Instant::now();
        let _ = program.recognise(row["sentence"].as_str().unwrap(), &lists, &context);
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    for (group, (right, of)) in &groups {
        println!(
            "| English test sentences, {}: intent, slots, combination, response | {right} | {of} |",
            GROUPS[*group].0
        );
    }
    println!(
        "| English test sentences, all | {} | {} |",
        rows.len() - failures.len(),
        rows.len()
    );
    let languages = language_files::languages(&intents);
    let (mut whole, mut templates, mut read, mut answers) = (0, 0, 0, 0);
    for language in &languages {
        let (program, complaints) = language_files::compiled(&intents, language);
        whole += usize::from(complaints.is_empty());
        templates += program.templates();
        for (_, _, template) in program.responses() {
            answers += 1;
            read += usize::from(responses.check(template).is_ok());
        }
    }
    println!(
        "| languages whose files compile without a complaint ({templates} templates) | {whole} | {} |",
        languages.len()
    );
    println!("| their response templates that can be rendered | {read} | {answers} |");
    let ours = language_files::english_with_ours(&intents);
    let house = what_is_no_command::house();
    let (lists, context) = (house.lists(), house.context());
    for (name, text) in [
        ("talk", what_is_no_command::NO_COMMANDS),
        (
            "near misses of calls for help",
            what_is_no_command::NEAR_MISSES,
        ),
    ] {
        let all = what_is_no_command::lines(text);
        let nothing = all
            .iter()
            .filter(|said| ours.recognise(said, &lists, &context).is_none())
            .count();
        println!("| {name} that means nothing | {nothing} | {} |", all.len());
    }
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[times.len() * percent / 100];
    println!(
        "\nOne test sentence in its own house: p50 {:.3} ms, p95 {:.3} ms, slowest {:.3} ms; the English program takes {:.1} MB.",
        at(50),
        at(95),
        times[times.len() - 1],
        program.bytes() as f64 / 1e6
    );
    for failure in &failures {
        println!("{failure}");
    }
    if !failures.is_empty() {
        std::process::exit(1);
    }
}
