//! What reading one sentence of the household costs, with the names of 600 people and rooms. The budget is 1 ms at the
//! 95th percentile, the search for whom a name means included.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(
    clippy::disallowed_methods,
    reason = "a bench reads files and the clock"
)]
use criterion::{Criterion, criterion_group, criterion_main};
use hearthline_voice::understand::Country;
use hearthline_voice::understand::household::{Directory, KnownNames, read};
use std::hint::black_box;
use std::time::Instant;

/// Every sentence of the tests, those that mean nothing too.
fn sentences() -> Vec<String> {
    let mut out = Vec::new();
    for folder in ["household", "sentences"] {
        let folder = format!("{}/tests/{folder}", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(folder).expect("the folder of test sentences") {
            let text =
                std::fs::read_to_string(entry.expect("an entry").path()).expect("a text file");
            out.extend(
                text.lines()
                    .filter(|line| !line.starts_with("# ") && !line.starts_with('['))
                    .map(|line| line.split(" => ").next().unwrap_or(line).to_owned()),
            );
        }
    }
    out
}

/// 600 names of two words.
fn names() -> Vec<String> {
    const GIVEN: [&str; 24] = [
        "Anna",
        "Emma",
        "Michael",
        "Robert",
        "Catherine",
        "John",
        "Joan",
        "Stephen",
        "Matthew",
        "Sarah",
        "Philip",
        "Laura",
        "Peter",
        "Paula",
        "George",
        "Helen",
        "Martin",
        "Nora",
        "Oscar",
        "Rachel",
        "Simon",
        "Teresa",
        "Victor",
        "Wendy",
    ];
    const FAMILY: [&str; 25] = [
        "Smith", "Jones", "Miller", "Example", "Sample", "Baker", "Carter", "Dixon", "Evans",
        "Fisher", "Grant", "Hughes", "Irving", "Jackson", "Keller", "Lawson", "Mason", "Norton",
        "Owens", "Parker", "Quinn", "Reed", "Stone", "Turner", "Young",
    ];
    GIVEN
        .iter()
        .flat_map(|given| FAMILY.iter().map(move |family| format!("{given} {family}")))
        .collect()
}

fn read_household(criterion: &mut Criterion) {
    let sentences = sentences();
    let names = names();
    let known = KnownNames::new(names.iter().map(String::as_str));
    let mut directory = Directory::default();
    for (index, name) in names.iter().enumerate() {
        directory
            .add_person(name, index)
            .expect("a name that can be spoken");
    }
    let _ = read("call Anna", Country::UnitedStates, Some(&known));
    let (mut reading, mut whole) = (Vec::new(), Vec::new());
    for sentence in sentences.iter().cycle().take(sentences.len() * 5) {
        let start = Instant::now();
        let intent = black_box(read(
            black_box(sentence),
            Country::UnitedStates,
            Some(&known),
        ));
        reading.push(start.elapsed().as_nanos());
        if let Some(who) = intent.and_then(|intent| intent.slots.get("who").cloned()) {
            black_box(directory.find(&who));
        }
        whole.push(start.elapsed().as_nanos());
    }
    for (what, mut nanoseconds) in [("reading", reading), ("with whom it means", whole)] {
        nanoseconds.sort_unstable();
        let at = |percent: usize| nanoseconds[nanoseconds.len() * percent / 100] / 1_000;
        println!(
            "{what}: {} sentences, {} names: p50 {} µs, p95 {} µs, p99 {} µs",
            sentences.len(),
            names.len(),
            at(50),
            at(95),
            at(99)
        );
    }
    for (name, text) in [
        ("call", "Alexa, call Anna Smith's mobile."),
        ("message", "tell anna smith I'm late for dinner"),
        ("everyday", "turn off the lights in the living room"),
    ] {
        criterion.bench_function(name, |b| {
            b.iter(|| read(black_box(text), Country::UnitedStates, Some(&known)));
        });
    }
}

criterion_group!(benches, read_household);
criterion_main!(benches);
