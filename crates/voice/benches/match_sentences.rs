//! What reading one of Home Assistant's sentences costs, with 609 devices, areas and floors: the budget is 0.5 ms at the
//! 95th percentile and 15 MB; a sentence that means nothing costs no more than one that does.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(
    clippy::disallowed_methods,
    reason = "a bench reads files and the clock"
)]
use criterion::{Criterion, criterion_group, criterion_main};
use hearthline_voice::understand::Country;
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::sentences::{Grammar, House, NumberWords, Program};
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

const DEVICES: usize = 600;

fn models() -> Option<PathBuf> {
    std::env::var_os("HEARTH_MODELS")
        .map(PathBuf::from)
        .or_else(|| {
            std::env::var_os("HOME")
                .map(|home| Path::new(&home).join(".local/share/hearthline/models"))
        })
}

fn language(models: &Path) -> Option<Program> {
    let json = std::fs::read(models.join("home-assistant-intents-2026.10.27/en.json")).ok()?;
    let xml = std::fs::read_to_string(models.join("unicode-rbnf-2.4.1/en.xml")).ok()?;
    let mut words = NumberWords::default();
    words.add("en", &xml).ok()?;
    let mut grammar = Grammar::new("en");
    grammar.add_json("en.json", &json);
    Some(Program::compile(&grammar, &words).0)
}

/// 600 devices in six areas on three floors, as the reference measured the original.
fn house() -> serde_json::Value {
    const KINDS: [(&str, &str); 6] = [
        ("Lamp", "light"),
        ("Fan", "fan"),
        ("Switch", "switch"),
        ("Blind", "cover"),
        ("Speaker", "media_player"),
        ("Lock", "lock"),
    ];
    let entities: Vec<_> = (0..DEVICES)
        .map(|n| {
            let (name, domain) = KINDS[n % KINDS.len()];
            serde_json::json!({"name": format!("{name} Number {n}"), "domain": domain})
        })
        .collect();
    let named = |names: &[&str]| {
        names
            .iter()
            .map(|name| serde_json::json!({"name": name}))
            .collect::<Vec<_>>()
    };
    serde_json::json!({
        "entities": entities,
        "areas": named(&["Kitchen", "Living Room", "Bedroom", "Garage", "Office", "Garden"]),
        "floors": named(&["Upstairs", "Basement", "First"]),
        "context_area": "Kitchen",
    })
}

/// The same sentences through hassil, where `HASSIL_PYTHON` or the virtual environment of the test `agrees_with_hassil`
/// has it.
fn hassil(house: &serde_json::Value, commands: &[String], talk: &[String]) {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hassil-3.12.1/bin/python");
    let python = std::env::var_os("HASSIL_PYTHON").map_or(kept, PathBuf::from);
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/hassil_times.py");
    let mut input = house.clone();
    input["commands"] = serde_json::json!(commands);
    input["talk"] = serde_json::json!(talk);
    let started = Command::new(python)
        .arg(program)
        .stdin(Stdio::piped())
        .spawn();
    let done = started.and_then(|mut child| {
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.to_string().as_bytes())?;
        }
        child.wait()
    });
    if !done.is_ok_and(|status| status.success()) {
        println!("hassil: not compared, no Python with it: set HASSIL_PYTHON");
    }
}

fn sentences() -> (Vec<String>, Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rows = std::fs::read_to_string(
        root.join("../../../shared/conformance/ha-intents/en-conformance.jsonl"),
    )
    .unwrap_or_default();
    let commands = rows
        .lines()
        .filter_map(|row| serde_json::from_str::<serde_json::Value>(row).ok())
        .filter_map(|row| row["sentence"].as_str().map(str::to_owned))
        .collect();
    let talk = std::fs::read_to_string(root.join("tests/understanding/sentences/no_commands.txt"))
        .unwrap_or_default();
    (commands, talk.lines().skip(1).map(str::to_owned).collect())
}

fn match_sentences(c: &mut Criterion) {
    let Some(program) = models().and_then(|models| language(&models)) else {
        println!("skipped: run `hearth models install`");
        return;
    };
    let things = house();
    let house = House::from_json(&things).expect("a house of known form");
    let (lists, context) = (house.lists(), house.context());
    println!(
        "memory: {} kB compiled, {} kB for the house",
        program.bytes() / 1_000,
        lists.bytes() / 1_000
    );
    let (mut commands, talk) = sentences();
    commands.extend(
        (0..DEVICES)
            .step_by(7)
            .map(|n| format!("turn on lamp number {n}")),
    );
    for (name, said) in [("commands", &commands), ("talk", &talk)] {
        let mut times: Vec<u128> = Vec::new();
        let mut understood = 0;
        for _ in 0..5 {
            for said in said {
                let start = Instant::now();
                let meant = black_box(program.recognise(black_box(said), &lists, &context));
                times.push(start.elapsed().as_micros());
                understood += usize::from(meant.is_some());
            }
        }
        times.sort_unstable();
        let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or(0);
        println!(
            "{name}: {} sentences, {understood} of {} understood, p50 {} µs, p95 {} µs, p99 {} µs",
            said.len(),
            times.len(),
            at(50),
            at(95),
            at(99)
        );
    }
    let everyday = Everyday::new(Arc::new(program.clone()), house.clone());
    let mut times: Vec<u128> = Vec::new();
    for said in &talk {
        let start = Instant::now();
        black_box(everyday.among(&[(said, 0.0)], Country::UnitedStates));
        times.push(start.elapsed().as_micros());
    }
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or(0);
    println!(
        "second pass over talk: p50 {} µs, p95 {} µs, worst {} µs",
        at(50),
        at(95),
        times.last().copied().unwrap_or(0)
    );
    hassil(&things, &commands, &talk);
    c.bench_function("sentence with 609 names", |b| {
        let mut next = commands.iter().cycle();
        b.iter(|| {
            program.recognise(
                black_box(next.next().map_or("", String::as_str)),
                &lists,
                &context,
            )
        });
    });
}

criterion_group!(benches, match_sentences);
criterion_main!(benches);
