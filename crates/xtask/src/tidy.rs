//! The repository's own rules, as a program: what review would otherwise have to remember.
use std::path::Path;
use std::process::Command;

use crate::step::{Outcome, read, root};

/// A file above this wants splitting.
const LINES_MAX: usize = 800;
/// ARCHITECTURE.md stays readable in one sitting.
const ARCHITECTURE_LINES_MAX: usize = 150;
/// Crates that must not know each other: crate, and the `hearthline-*` crates it may depend on.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("voice", &[]),
    ("sip", &[]),
    ("media", &[]),
    ("ledger", &[]),
    ("skills", &[]),
    ("emergency", &["sip"]),
    ("transport", &["sip"]),
    ("modem", &["sip", "media", "emergency", "transport"]),
    ("pages", &[]),
    ("webrtc", &["sip", "media", "transport"]),
    (
        "speaker",
        &[
            "voice",
            "sip",
            "media",
            "emergency",
            "ledger",
            "skills",
            "transport",
            "webrtc",
        ],
    ),
    (
        "psap",
        &["sip", "media", "emergency", "transport", "pages", "webrtc"],
    ),
    ("mailbox", &["voice", "sip", "media", "transport"]),
    ("music", &["voice", "speaker", "transport"]),
    ("house", &["voice", "speaker", "transport"]),
    ("satellite", &["voice", "speaker"]),
    (
        "hub",
        &["sip", "emergency", "ledger", "transport", "pages", "webrtc"],
    ),
];

/// Checks every tracked file.
pub(crate) fn run() -> Outcome {
    let listed = read(Command::new("git").args(["ls-files"]))?;
    let mut wrong = Vec::new();
    let mut files = 0;
    for name in listed.lines() {
        let Ok(text) = std::fs::read_to_string(root().join(name)) else {
            continue;
        };
        files += 1;
        check_file(name, &text, &mut wrong);
    }
    for (name, allowed) in MAY_DEPEND_ON {
        check_crate(name, allowed, &mut wrong);
    }
    if let Err(why) = crate::reference::check() {
        wrong.push(why);
    }
    if wrong.is_empty() {
        println!("{files} files keep the rules");
        return Ok(());
    }
    Err(format!("\n  {}", wrong.join("\n  ")))
}

fn check_file(name: &str, text: &str, wrong: &mut Vec<String>) {
    let lines = text.lines().count();
    let is_rust = Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "rs");
    if is_rust && lines > LINES_MAX {
        wrong.push(format!(
            "{name}: {lines} lines, at most {LINES_MAX}: split it by nouns"
        ));
    }
    if name == "ARCHITECTURE.md" && lines > ARCHITECTURE_LINES_MAX {
        wrong.push(format!(
            "{name}: {lines} lines, at most {ARCHITECTURE_LINES_MAX}"
        ));
    }
    // Spelled in two parts, so that this file does not break its own rule.
    let stubs = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("FIX", "ME"),
        concat!("#[ign", "ore"),
    ];
    let paths = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        if is_rust && let Some(stub) = stubs.iter().find(|stub| line.contains(**stub)) {
            wrong.push(format!("{name}:{number}: '{stub}' is no finished work"));
        }
        if name != "Cargo.lock"
            && let Some(path) = paths.iter().find(|path| line.contains(**path))
        {
            wrong.push(format!(
                "{name}:{number}: '{path}' is a path of one machine"
            ));
        }
    }
    for word in ["common", "utils", "helpers", "manager"] {
        if is_rust
            && Path::new(name)
                .components()
                .any(|part| part.as_os_str().to_string_lossy().trim_end_matches(".rs") == word)
        {
            wrong.push(format!(
                "{name}: '{word}' says nothing about what lives there"
            ));
        }
    }
}

/// Reads the `[dependencies]` of one crate.
fn check_crate(name: &str, allowed: &[&str], wrong: &mut Vec<String>) {
    let manifest = root().join("crates").join(name).join("Cargo.toml");
    let Ok(text) = std::fs::read_to_string(&manifest) else {
        wrong.push(format!("crates/{name} has no Cargo.toml"));
        return;
    };
    let section = text
        .split("[dependencies]")
        .nth(1)
        .unwrap_or("")
        .split("\n[")
        .next()
        .unwrap_or("");
    for line in section.lines() {
        let Some(ours) = line.strip_prefix("hearthline-") else {
            continue;
        };
        let ours = ours.split(['.', ' ']).next().unwrap_or("");
        if !allowed.contains(&ours) {
            wrong.push(format!(
                "crates/{name} depends on {ours}: dependencies run in the order of the data"
            ));
        }
    }
}
