//! The one program: a smart speaker that can call for help and prove what it did.
mod command;
mod compiled;
mod demo_home;
mod drill;
mod ear;
mod enrolment;
mod exit;
mod guests;
mod handing_in;
mod household;
mod models;
mod place;
mod playback;
mod print;
mod readiness;
mod reload;
mod routines;
mod service;
mod simulator;
mod skills;
mod timeline;
mod voice;
mod voicemail;

use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser, Subcommand};

/// Hearthline: a smart speaker that can call for help, and prove which device did.
///
/// Everything in this version is a drill: no command can reach a real emergency service.
#[derive(Debug, Parser)]
#[command(
    name = "hearth",
    version,
    after_help = "Exit codes: 0 yes or done, 1 no, 2 wrong input, 3 something needed is missing.\nEvery command has --help with examples."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure the budgets of the design on this machine.
    Bench(command::bench::Arguments),
    /// Print a shell's completions.
    Completions(command::shell::Completions),
    /// Look at a household's file, or at where it is looked for.
    Config {
        #[command(subcommand)]
        action: command::config::Action,
    },
    /// Is this speaker ready to call for help?
    Doctor(command::doctor::Arguments),
    /// One spoken emergency call, end to end, on this machine; with --page you are the one who speaks.
    Demo(command::demo::Arguments),
    /// Put recordings through the device and show what it does.
    Hear(command::hear::Arguments),
    /// Run the home's server, or ask the running one.
    Hub(Box<command::hub::Arguments>),
    /// Join a home with a code of its hub.
    Join(command::join::Arguments),
    /// Write manual pages.
    Man(command::shell::Pages),
    /// Show what a sentence means, and why.
    Match(command::r#match::Arguments),
    /// Run the drill call-taker and its LoST server alone.
    Psap(command::psap::Arguments),
    /// Install, list or check the speech models.
    Models {
        #[command(subcommand)]
        action: command::models::Action,
    },
    /// Use a mobile modem as a line of the home (drill stand-ins only in this version).
    Modem {
        #[command(subcommand)]
        action: command::modem::Action,
    },
    /// Say a text in the device's own voice.
    Say(command::say::Arguments),
    /// Run this machine as a speaker of the home.
    Speaker(command::speaker::Arguments),
    /// Check the bundle of an incident, offline.
    Verify(command::verify::Arguments),
    /// Offer wake word, recogniser, voice and sentences to Home Assistant (Wyoming).
    Wyoming(command::wyoming::Arguments),
}

fn main() -> ExitCode {
    start_log();
    match Arguments::try_parse()
        .unwrap_or_else(|error| command::verify::refuse(&hinted(error)))
        .command
    {
        Command::Demo(arguments) => command::demo::run(&arguments),
        Command::Psap(arguments) => command::psap::run(&arguments),
        Command::Bench(arguments) => command::bench::run(&arguments),
        Command::Completions(arguments) => {
            command::shell::completions(&arguments, Arguments::command())
        }
        Command::Config { action } => command::config::run(&action),
        Command::Doctor(arguments) => command::doctor::run(&arguments),
        Command::Hear(arguments) => command::hear::run(&arguments),
        Command::Hub(arguments) => command::hub::run(&arguments),
        Command::Join(arguments) => command::join::run(&arguments),
        Command::Man(arguments) => command::shell::pages(&arguments, Arguments::command()),
        Command::Match(arguments) => command::r#match::run(&arguments),
        Command::Models { action } => command::models::run(&action),
        Command::Modem { action } => command::modem::run(&action),
        Command::Say(arguments) => command::say::run(&arguments),
        Command::Speaker(arguments) => command::speaker::run(&arguments),
        Command::Verify(arguments) => command::verify::run(&arguments),
        Command::Wyoming(arguments) => command::wyoming::run(&arguments),
    }
    .into()
}

/// Options of a command that has commands of its own stand behind these: clap says only that they cannot stand before.
fn hinted(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::ArgumentConflict
        && let Some(ContextValue::String(named)) = error.get(ContextKind::InvalidSubcommand)
    {
        let tip = format!("write options behind the command: {named} [OPTIONS]");
        let tips = vec![StyledStr::from(tip)];
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

/// Logs of the adapters, only where `RUST_LOG` asks for them; to standard error, never with personal data (invariant 8).
fn start_log() {
    if std::env::var_os("RUST_LOG").is_some() {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_writer(std::io::stderr)
            .init();
    }
}
