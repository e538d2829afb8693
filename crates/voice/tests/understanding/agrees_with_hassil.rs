//! Sentences sampled from the templates of 65 languages mean what Python's hassil says they mean: 10,000 each time, in
//! half a minute, and as many as `HASSIL_COUNT` says; 10,000 were compared when this was written.
//!
//! The oracle is a Python with `hassil==3.12.1` and `home-assistant-intents==2026.10.27`: `HASSIL_PYTHON` names one, else
//! the test makes a virtual environment beside its other build products and keeps it. Where that cannot be, it fails under
//! `CI` and says elsewhere that it was skipped, and why.
#![allow(
    clippy::disallowed_methods,
    reason = "tests read files and start programs"
)]
use crate::language_files::{compiled, intents};
use hearthline_voice::understand::sentences::{House, Program, SlotFrom};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
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

const PACKAGES: [&str; 2] = ["hassil==3.12.1", "home-assistant-intents==2026.10.27"];

/// Runs a program and gives what it wrote on standard error where it fails.
fn ran(command: &mut Command) -> Result<(), String> {
    let program = format!("{command:?}");
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

fn has_hassil(python: &Path) -> Result<(), String> {
    ran(Command::new(python).args(["-c", "import hassil, home_assistant_intents"]))
}

/// A Python with the oracle, or why there is none.
fn oracle() -> Result<PathBuf, String> {
    if let Some(python) = std::env::var_os("HASSIL_PYTHON").map(PathBuf::from) {
        return has_hassil(&python).map(|()| python);
    }
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hassil-3.12.1");
    let python = place.join("bin/python");
    if has_hassil(&python).is_ok() {
        return Ok(python);
    }
    ran(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
    ran(Command::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(PACKAGES))?;
    has_hassil(&python).map(|()| python)
}

#[test]
fn sampled_sentences_mean_what_hassil_says() {
    let Some(intents) = intents() else { return };
    let python = match oracle() {
        Ok(python) => python,
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "no oracle: {why}");
            println!("skipped: no Python with {}: {why}", PACKAGES.join(" and "));
            return;
        }
    };
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
