//! Where the packages of sentences and number words lie, and how a language is compiled for a test.
#![allow(clippy::disallowed_methods, reason = "tests read files")]
use hearthline_voice::understand::everyday::sentences_of;
use hearthline_voice::understand::sentences::{Complaint, Grammar, NumberWords, Program};
use std::path::{Path, PathBuf};

/// The folder of the package of sentences, or nothing after saying that the test is skipped. Under `CI` the lack is a failure.
pub(crate) fn intents() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|h| Path::new(&h).join(".local/share"));
    let models = std::env::var_os("HEARTH_MODELS")
        .map(PathBuf::from)
        .or_else(|| {
            std::env::var_os("XDG_DATA_HOME")
                .map(PathBuf::from)
                .or_else(home)
                .map(|d| d.join("hearthline/models"))
        })?;
    let folder = models.join("home-assistant-intents-2026.10.27");
    if folder.join("en.json").exists() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "no {}: run `hearth models install`",
        folder.display()
    );
    println!("skipped: run `hearth models install`");
    None
}

/// Every language of the package.
pub(crate) fn languages(intents: &Path) -> Vec<String> {
    let mut out: Vec<String> = std::fs::read_dir(intents)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    out.sort();
    out
}

/// Number words of a language, if there are any.
pub(crate) fn number_words(intents: &Path, language: &str) -> NumberWords {
    let folder = intents.with_file_name("unicode-rbnf-2.4.1");
    let mut words = NumberWords::default();
    for name in NumberWords::names(language) {
        if let Ok(xml) = std::fs::read_to_string(folder.join(format!("{name}.xml"))) {
            words.add(&name, &xml).unwrap();
            break;
        }
    }
    words
}

/// A language of the package, compiled.
pub(crate) fn compiled(intents: &Path, language: &str) -> (Program, Vec<Complaint>) {
    let bytes = std::fs::read(intents.join(format!("{language}.json"))).unwrap();
    let mut grammar = Grammar::new(language);
    grammar.add_json(&format!("{language}.json"), &bytes);
    Program::compile(&grammar, &number_words(intents, language))
}

/// English of the package with our own sentences about lights, devices and the day.
pub(crate) fn english_at_home(intents: &Path) -> Program {
    let (name, yaml) = sentences_of("en").unwrap();
    english_with(intents, &[(name.to_owned(), yaml.to_owned())])
}

/// English of the package with every sentence of our own, as the program has them: each crate keeps its in `data/en`.
pub(crate) fn english_with_ours(intents: &Path) -> Program {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folders = std::fs::read_dir(crates).unwrap().flatten();
    let files = folders.filter_map(|folder| std::fs::read_dir(folder.path().join("data/en")).ok());
    let mut files: Vec<PathBuf> = files.flatten().flatten().map(|file| file.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    assert!(files.len() >= 6, "{files:?}");
    let read = |file: &PathBuf| {
        (
            file.display().to_string(),
            std::fs::read_to_string(file).unwrap(),
        )
    };
    english_with(intents, &files.iter().map(read).collect::<Vec<_>>())
}

fn english_with(intents: &Path, ours: &[(String, String)]) -> Program {
    let mut grammar = Grammar::new("en");
    grammar.add_json("en.json", &std::fs::read(intents.join("en.json")).unwrap());
    for (name, yaml) in ours {
        grammar.add_ours(name, yaml);
    }
    let (program, complaints) = Program::compile(&grammar, &number_words(intents, "en"));
    assert_eq!(complaints, []);
    program
}

/// The folder with the shared conformance suite, or nothing after saying so.
pub(crate) fn suite() -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/conformance/ha-intents/en-conformance.jsonl");
    if file.exists() {
        return Some(file);
    }
    println!("skipped: ../shared is not here");
    None
}
