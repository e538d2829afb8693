//! 10,000 sentences, sampled from the templates of 65 languages, mean what Python's hassil says they mean.
//!
//! Needs a Python with `hassil==3.12.1` and `home-assistant-intents==2026.10.27`: `HASSIL_PYTHON` names it, else `python3`.
#![allow(
    clippy::disallowed_methods,
    reason = "tests read files and start programs"
)]
use crate::language_files::{compiled, intents};
use hearthline_voice::understand::sentences::{House, Program, SlotFrom};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Numbers are compared as numbers, whether they are written 5 or 5.0.
fn plain(value: &Value) -> Value {
    value.as_f64().map_or_else(|| value.clone(), Value::from)
}

fn reading(program: &Program, row: &Value) -> Value {
    let house = House::from_json(row).unwrap();
    let said = row["sentence"].as_str().unwrap();
    let Some(meant) = program.recognise(said, &house.lists(), &house.context()) else {
        return Value::Null;
    };
    let slots: Map<String, Value> = meant
        .slots
        .iter()
        .filter(|slot| slot.from != SlotFrom::Context)
        .map(|slot| (slot.name.clone(), plain(&slot.value.to_json())))
        .collect();
    serde_json::json!({
        "intent": meant.intent, "slot_combination": meant.combination, "slots": slots, "template": meant.template,
    })
}

fn same(ours: &Value, theirs: &Value) -> bool {
    let slots = |reading: &Value| -> Option<Map<String, Value>> {
        let slots = reading.get("slots")?.as_object()?;
        Some(
            slots
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect(),
        )
    };
    ours.is_null() == theirs.is_null()
        && ours.get("intent") == theirs.get("intent")
        && ours.get("slot_combination") == theirs.get("slot_combination")
        && slots(ours) == slots(theirs)
}

#[test]
fn ten_thousand_sampled_sentences() {
    let Some(intents) = intents() else { return };
    let python = std::env::var("HASSIL_PYTHON").unwrap_or_else(|_| "python3".into());
    let ready = Command::new(&python)
        .args(["-c", "import hassil, home_assistant_intents"])
        .output();
    if !ready.is_ok_and(|ran| ran.status.success()) {
        println!(
            "skipped: {python} has no hassil; set HASSIL_PYTHON to a Python with hassil and home-assistant-intents"
        );
        return;
    }
    let file = std::env::temp_dir().join(format!("hassil-{}.jsonl", std::process::id()));
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle_sentences.py");
    let count = std::env::var("HASSIL_COUNT").unwrap_or_else(|_| "10000".into());
    let ran = Command::new(&python)
        .arg(oracle)
        .args(["--count", &count, "--keep"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let rows = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let mut programs: BTreeMap<String, Program> = BTreeMap::new();
    let mut different = Vec::new();
    let mut count = 0;
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let language = row["language"].as_str().unwrap();
        let program = programs
            .entry(language.to_owned())
            .or_insert_with(|| compiled(&intents, language).0);
        let ours = reading(program, &row);
        count += 1;
        if !same(&ours, &row["expected"]) {
            different.push(format!(
                "{language} {}\n    ours   {ours}\n    hassil {}",
                row["sentence"], row["expected"]
            ));
        }
    }
    println!("{count} sentences, {} different", different.len());
    assert!(
        different.is_empty(),
        "{} of {count}:\n{}",
        different.len(),
        different.join("\n")
    );
}
