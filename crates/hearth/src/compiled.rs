//! Sentences of a language, compiled once and kept beside other caches of the user.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hearthline_speaker::config::Household;
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::sentences::{Grammar, House, NumberWords, Program};
use sha2::{Digest, Sha256};

use crate::exit::Exit;
use crate::models::{INTENTS, ModelFolder, NUMBERS, has_numbers, languages};

/// Most files of own sentences for one language.
const FILES_MAX: usize = 1_000;
/// Largest file of own sentences, in bytes.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// What the recogniser hears: sentences of another language would never be said to it.
const HEARD: &str = "en";

/// The everyday sentences of a speaker. Without them it does all the rest, so what is wrong is told and nothing fails.
pub(crate) fn everyday(folder: &ModelFolder, household: &Household) -> Option<Arc<Everyday>> {
    let spoken = household.person.languages.first().map_or(HEARD, |tag| tag);
    if spoken.split('-').next() != Some(HEARD) {
        eprintln!("hearth: this speaker hears English only yet, not {spoken}");
    }
    match program(folder, HEARD, None) {
        Ok(program) => {
            let mut house = House::default();
            house.set_context_area(&household.device.name);
            Some(Arc::new(Everyday::new(Arc::new(program), house)))
        }
        Err((why, _)) => {
            eprintln!("hearth: everyday sentences are not understood: {why}");
            None
        }
    }
}

/// The compiled sentences of a language with the owner's own. Complaints about files go to standard error.
pub(crate) fn program(
    folder: &ModelFolder,
    language: &str,
    custom: Option<&Path>,
) -> Result<Program, (String, Exit)> {
    if !languages().any(|known| known == language) {
        let known: Vec<&str> = languages().collect();
        let why = format!(
            "there are no sentences for {language}; there are {}",
            known.join(", ")
        );
        return Err((why, Exit::Input));
    }
    let missing = |why| (why, Exit::Missing);
    let package = folder
        .read(INTENTS, &format!("{language}.json"))
        .map_err(missing)?;
    let numbers = NumberWords::names(language)
        .into_iter()
        .find(|name| has_numbers(name));
    let numbers = match numbers {
        Some(name) => {
            let bytes = folder
                .read(NUMBERS, &format!("{name}.xml"))
                .map_err(missing)?;
            Some((name, String::from_utf8_lossy(&bytes).into_owned()))
        }
        None => None,
    };
    let own = own_files(custom, language).map_err(|why| (why, Exit::Input))?;
    let ours = hearthline_speaker::skill::agenda::sentences_of(language);
    let ours = ours.chain(hearthline_music::sentences::of(language));
    let ours = ours.chain(hearthline_house::sentences::of(language));
    let home = hearthline_voice::understand::everyday::sentences_of(language);
    let ours: Vec<(&str, &str)> = ours
        .map(|file| (file.name, file.yaml))
        .chain(home)
        .collect();

    let mut digest = Sha256::new();
    digest.update(env!("CARGO_PKG_VERSION"));
    let mut add = |name: &str, bytes: &[u8]| {
        digest.update((name.len() as u64).to_be_bytes());
        digest.update(name);
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    add(language, &package);
    if let Some((name, xml)) = &numbers {
        add(name, xml.as_bytes());
    }
    for (name, text) in &ours {
        add(name, text.as_bytes());
    }
    for (name, text) in &own {
        add(name, text.as_bytes());
    }
    let digest = digest
        .finalize()
        .iter()
        .take(12)
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
    let kept = cache().map(|cache| cache.join(format!("{language}-{digest}.sentences")));
    if let Some(program) = kept
        .as_ref()
        .and_then(|path| std::fs::read(path).ok())
        .and_then(|bytes| Program::from_bytes(&bytes).ok())
    {
        return Ok(program);
    }

    let mut grammar = Grammar::new(language);
    grammar.add_json(&format!("{language}.json"), &package);
    for (name, text) in &ours {
        grammar.add_ours(name, text);
    }
    for (name, text) in &own {
        grammar.add_yaml(name, text);
    }
    let mut words = NumberWords::default();
    if let Some((name, xml)) = &numbers
        && let Err(error) = words.add(name, xml)
    {
        eprintln!("hearth: {name}.xml: {error}; numbers are understood in digits only");
    }
    let (program, complaints) = Program::compile(&grammar, &words);
    for complaint in &complaints {
        eprintln!("hearth: {complaint}");
    }
    // What is complained about is compiled again each time, so that it is said again each time.
    if let Some(path) = kept.filter(|_| complaints.is_empty()) {
        keep(&path, &program.to_bytes());
    }
    Ok(program)
}

/// The owner's own files, sorted by name.
fn own_files(custom: Option<&Path>, language: &str) -> Result<Vec<(String, String)>, String> {
    let root = match custom {
        Some(root) => root.to_owned(),
        None => match home("XDG_CONFIG_HOME", ".config") {
            Some(root) => root,
            None => return Ok(Vec::new()),
        },
    };
    let folder = root.join("custom_sentences").join(language);
    if !folder.is_dir() {
        return match custom {
            Some(_) => Err(format!("there is no folder {}", folder.display())),
            None => Ok(Vec::new()),
        };
    }
    let named = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .map_err(|error| named(&folder, error))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| ending == "yaml" || ending == "yml")
        })
        .take(FILES_MAX)
        .collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let size = std::fs::metadata(&path)
            .map_err(|error| named(&path, error))?
            .len();
        if size > FILE_BYTES_MAX {
            eprintln!(
                "hearth: {}: {size} bytes, more than 8 MiB: left out",
                path.display()
            );
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|error| named(&path, error))?;
        files.push((
            path.display().to_string(),
            String::from_utf8_lossy(&bytes).into_owned(),
        ));
    }
    Ok(files)
}

fn home(variable: &str, below: &str) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let root = set(variable)
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| Path::new(&home).join(below)))?;
    Some(root.join("hearthline"))
}

fn cache() -> Option<PathBuf> {
    home("XDG_CACHE_HOME", ".cache")
}

/// Keeps bytes; a cache that cannot be written costs time, nothing else.
fn keep(path: &Path, bytes: &[u8]) {
    let Some(folder) = path.parent() else { return };
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let done = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&beside, bytes))
        .and_then(|()| std::fs::rename(&beside, path));
    if done.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
}
