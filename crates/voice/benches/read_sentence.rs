//! What understanding one sentence costs. The budget is 100 µs at the 95th percentile.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(
    clippy::disallowed_methods,
    reason = "a bench reads files and the clock"
)]
use criterion::{Criterion, criterion_group, criterion_main};
use hearthline_voice::understand::{Country, read};
use std::hint::black_box;
use std::time::Instant;

/// Every sentence of the tests, without headings and countries.
fn sentences() -> Vec<String> {
    let mut out = Vec::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sentences");
    for entry in std::fs::read_dir(folder).expect("the folder of test sentences") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a text file");
        out.extend(
            text.lines()
                .filter(|line| !line.starts_with(['#', '[']))
                .map(str::to_owned),
        );
    }
    out
}

fn read_sentence(criterion: &mut Criterion) {
    let sentences = sentences();
    let mut nanoseconds: Vec<u128> = Vec::new();
    for sentence in sentences.iter().cycle().take(sentences.len() * 5) {
        let start = Instant::now();
        black_box(read(black_box(sentence), Country::UnitedStates));
        nanoseconds.push(start.elapsed().as_nanos());
    }
    nanoseconds.sort_unstable();
    let at = |percent: usize| nanoseconds[nanoseconds.len() * percent / 100] / 1_000;
    println!(
        "{} sentences: p50 {} µs, p95 {} µs, p99 {} µs",
        sentences.len(),
        at(50),
        at(95),
        at(99)
    );
    for (name, text) in [
        ("order", "Alexa, call 911."),
        ("everyday", "turn off the lights in the living room"),
        (
            "refused",
            "my neighbor said that I should call the police if it happens again",
        ),
    ] {
        criterion.bench_function(name, |b| {
            b.iter(|| read(black_box(text), Country::UnitedStates));
        });
    }
}

criterion_group!(benches, read_sentence);
criterion_main!(benches);
