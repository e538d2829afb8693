//! No part of the program tells anybody about its owner: not even the libraries that come with the models.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Marks of a reporter inside a library: where it sends to, and how it is switched off.
const MARKS: [&str; 3] = ["OneCollector", "events.data.microsoft", "DISABLE_TELEMETRY"];

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files_below(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

#[test]
fn a_run_leaves_nothing_outside_of_its_own_folder() {
    let Some(models) = crate::scene::models() else {
        crate::scene::models_are_absent();
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let said = home.path().join("said.wav");
    let run = |arguments: &[&str]| {
        let ran = Command::new(crate::scene::HEARTH)
            .args(arguments)
            .arg(&said)
            .env_clear()
            .env("HOME", home.path())
            .env("HEARTH_MODELS", &models)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    run(&["say", "Alexa, what time is it?", "--output"]);
    run(&["hear", "--dry-run", "--json"]);
    assert_eq!(
        files_below(home.path()),
        [said],
        "both models ran, and wrote nothing but the recording that was asked for"
    );
}

#[test]
fn no_installed_library_has_a_reporter_inside() {
    let Some(models) = crate::scene::models() else {
        crate::scene::models_are_absent();
        return;
    };
    let wanted = wanted();
    let libraries: Vec<PathBuf> = files_below(&models)
        .into_iter()
        .filter(|path| path.to_string_lossy().contains(".so"))
        .filter(|path| {
            wanted
                .iter()
                .any(|package| path.starts_with(models.join(package)))
        })
        .collect();
    assert!(!libraries.is_empty());
    for library in libraries {
        let bytes = std::fs::read(&library).unwrap();
        for mark in MARKS {
            assert!(
                !bytes.windows(mark.len()).any(|w| w == mark.as_bytes()),
                "{} holds {mark}",
                library.display()
            );
        }
    }
}

/// The folders that this version installs; those of an older one may lie beside them.
fn wanted() -> Vec<String> {
    let list = crate::scene::hearth(["models", "list", "--json"]);
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
    list.json()
        .iter()
        .map(|row| format!("{}-{}", text(row, "package"), text(row, "version")))
        .collect()
}
