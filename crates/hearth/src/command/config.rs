//! `hearth config`: is a household's file right, and where does the program look for it?
use std::path::{Path, PathBuf};

use clap::Subcommand;
use hearthline_speaker::config::{ConfigError, Fault, Household};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::print::out;
use crate::{household, place, routines};

/// What to do with it.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Look at a file and tell everything that is wrong, each with line and column.
    #[command(
        after_help = "Examples:\n  hearth config check\n  hearth config check kitchen.toml hall.toml\n  hearth config check kitchen.toml --json\n\nWithout a file, the one that `hearth speaker` and `hearth doctor` would read. Values are never repeated: they may be a name, a number or an address.\n\nExit codes: 0 valid, 1 something is wrong, 2 a file cannot be read, 3 there is none."
    )]
    Check {
        /// The files.
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// One JSON object a file.
        #[arg(long)]
        json: bool,
    },
    /// Show where the program looks for its file, in order, and which are there.
    #[command(
        after_help = "Example:\n  hearth config places\n\nExit codes: 0 one is there, 3 none is."
    )]
    Places,
}

/// Runs the command.
pub(crate) fn run(action: &Action) -> Exit {
    match action {
        Action::Check { files, json } if files.is_empty() => match place::household_file(None) {
            Some(file) => check(&[file], *json),
            None => {
                let places = place::household_places();
                let places: Vec<_> = places.iter().map(|at| at.display().to_string()).collect();
                eprintln!(
                    "hearth: there is no household's file: name one, or put it at {}",
                    places.join(" or ")
                );
                Exit::Missing
            }
        },
        Action::Check { files, json } => check(files, *json),
        Action::Places => places(),
    }
}

fn check(files: &[PathBuf], json: bool) -> Exit {
    let mut exit = Exit::Ok;
    for file in files {
        let outcome = match household::text_of(file) {
            Ok(text) => {
                let mut faults = Household::check(&text);
                if faults.is_empty() {
                    faults = routines::unread(&text);
                }
                if json {
                    out!("{}", told(file, &faults));
                } else {
                    show(file, &faults);
                }
                if faults.is_empty() {
                    Exit::Ok
                } else {
                    Exit::No
                }
            }
            Err(error) => {
                eprintln!("hearth: {}: {error}", file.display());
                Exit::Input
            }
        };
        if outcome as u8 > exit as u8 {
            exit = outcome;
        }
    }
    exit
}

/// As compilers write it, so that editors find the place.
fn show(file: &Path, faults: &[Fault]) {
    let name = file.display();
    for Fault { place, error } in faults {
        match place {
            Some(place) => out!("{name}:{}:{}: {error}", place.line, place.column),
            None => out!("{name}: {error}"),
        }
    }
    match faults.len() {
        0 => out!("{name}: valid"),
        1 => out!("{name}: 1 thing is wrong"),
        count => out!("{name}: {count} things are wrong"),
    }
}

fn told(file: &Path, faults: &[Fault]) -> Value {
    let faults: Vec<Value> = faults
        .iter()
        .map(|Fault { place, error }| {
            let mut told = json!({ "why": error.to_string() });
            if let Some(place) = place {
                told["line"] = json!(place.line);
                told["column"] = json!(place.column);
            }
            if let ConfigError::Value { section, key, why } = error {
                told["section"] = json!(section);
                told["key"] = json!(key);
                told["why"] = json!(why);
            }
            told
        })
        .collect();
    json!({ "file": file.display().to_string(), "valid": faults.is_empty(), "faults": faults })
}

fn places() -> Exit {
    let read = place::household_file(None);
    for at in place::household_places() {
        let note = match &read {
            Some(read) if *read == at => "is read",
            _ if at.exists() => "is there, but one before it is read",
            _ => "is not there",
        };
        out!("{}  {note}", at.display());
    }
    if read.is_some() {
        Exit::Ok
    } else {
        Exit::Missing
    }
}
