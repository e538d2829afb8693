//! What a shell and `man` know of this program, made from its own arguments.
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;

use crate::exit::Exit;

/// Whose completions.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hearth completions bash > /etc/bash_completion.d/hearth\n  hearth completions zsh > ~/.zfunc/_hearth\n  hearth completions fish > ~/.config/fish/completions/hearth.fish\n\nExit codes: 0 written, 2 it could not be."
)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

/// Where the pages go.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  hearth man /usr/local/share/man/man1\n\nOne page for the program and one for each of its commands.\n\nExit codes: 0 written, 2 they could not be."
)]
pub(crate) struct Pages {
    /// A folder that exists.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Writes a shell's completions to standard output.
pub(crate) fn completions(arguments: &Completions, mut program: Command) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "hearth", &mut text);
    crate::print::line(format_args!(
        "{}",
        String::from_utf8_lossy(&text).trim_end()
    ));
    Exit::Ok
}

/// Writes a page for each command.
pub(crate) fn pages(arguments: &Pages, program: Command) -> Exit {
    match written(program, &arguments.folder) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            eprintln!("hearth: {}: {error}", arguments.folder.display());
            Exit::Input
        }
    }
}

fn written(program: Command, folder: &Path) -> std::io::Result<()> {
    if !folder.is_dir() {
        return Err(std::io::Error::other("is no folder; make it first"));
    }
    clap_mangen::generate_to(program, folder)
}
