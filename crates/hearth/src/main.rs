//! The one program: a smart speaker that can call for help and prove what it did.
mod command;
mod exit;
mod models;
mod print;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Hearthline: a smart speaker that can call for help, and prove which device did.
///
/// Everything in this version is a drill: no command can reach a real emergency service.
#[derive(Debug, Parser)]
#[command(name = "hearth", version, after_help = "Exit codes: 0 yes or done, 1 no, 2 wrong input, 3 something needed is missing.\nEvery command has --help with examples.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install, list or check the speech models.
    Models {
        #[command(subcommand)]
        action: command::models::Action,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Models { action } => command::models::run(&action),
    }
    .into()
}
