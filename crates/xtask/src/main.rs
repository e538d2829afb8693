//! `cargo xtask ci`: everything that must hold before a change lands, in one command.
//!
//! ```text
//! cargo xtask ci         all of it: packages, format, repository rules, dependencies, models, tests, lints, fuzz
//! cargo xtask tidy       the repository's own rules (sizes, stubs, machine paths, who may depend on whom)
//! cargo xtask deny       licences, bans and duplicates of deny.toml
//! cargo xtask reference  write docs/configuration.md from the types that read the file
//! cargo xtask fuzz [S]   build every fuzz target and run each for S seconds (default 600), or as `ci` does
//! cargo xtask ahead      compile what the last steps of `ci` need; `ci` begins it beside the tests
//! ```
mod ahead;
mod deny;
mod fuzz;
mod packages;
mod reference;
mod step;
mod testing;
mod tidy;

use std::process::ExitCode;

use ahead::Ahead;
use fuzz::Length;
use step::{Outcome, Steps};

/// In CI each fuzz target only shows that it builds and survives a short run, the same one each time.
const FUZZ_RUNS_IN_CI: u32 = 5_000;
/// `cargo xtask fuzz` without a number: the ten minutes that a release asks for.
const FUZZ_SECONDS: u32 = 600;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["ci"] => ci(),
        ["ahead"] => ahead(),
        ["tidy"] => tidy::run(),
        ["deny"] => deny::run(),
        ["reference"] => reference::write(),
        ["fuzz", "ci"] => fuzz::run(Length::Runs(FUZZ_RUNS_IN_CI)),
        ["fuzz"] => fuzz::run(Length::Seconds(FUZZ_SECONDS)),
        ["fuzz", seconds] => match seconds.parse() {
            Ok(seconds) => fuzz::run(Length::Seconds(seconds)),
            Err(_) => Err(format!("'{seconds}' is no number of seconds")),
        },
        _ => {
            eprintln!("usage: cargo xtask ci | tidy | deny | reference | fuzz [SECONDS | ci]");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\nxtask: {why}");
            ExitCode::FAILURE
        }
    }
}

const LINTS: [&str; 7] = [
    "clippy",
    "--workspace",
    "--all-targets",
    "--locked",
    "--",
    "-D",
    "warnings",
];

/// The two steps after the tests that only compile, begun beside them.
fn ahead() -> Outcome {
    // The fuzz targets have a folder of their own, so the tests begin before the lints hold the workspace's.
    let fuzz = fuzz::build(Length::Runs(FUZZ_RUNS_IN_CI));
    step::call(std::process::Command::new(step::cargo()).args(LINTS))?;
    fuzz
}

fn ci() -> Outcome {
    let mut steps = Steps::new();
    steps.run("packages for the interop tests", packages::install)?;
    steps.cargo("format", &["fmt", "--all", "--check"])?;
    steps.run("repository rules", tidy::run)?;
    steps.run("licences and duplicates", deny::run)?;
    steps.cargo(
        "build",
        // Without the benchmarks: the lints compile them, nothing here runs them.
        &["test", "--workspace", "--no-run", "--locked"],
    )?;
    // The program that the tests' build has made: `cargo run` would build half of it again with fewer features.
    steps.run("models", || {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let hearth = own.with_file_name("hearth");
        step::call(std::process::Command::new(hearth).args(["models", "install"]))
    })?;
    let mut twice = Vec::new();
    let ahead = Ahead::start();
    steps.run("tests", || {
        twice = testing::run()?;
        Ok(())
    })?;
    steps.run("what began beside the tests", || {
        ahead.wait();
        Ok(())
    })?;
    steps.cargo("lints", &LINTS)?;
    steps.run("fuzz targets", || fuzz::run(Length::Runs(FUZZ_RUNS_IN_CI)))?;
    steps.report();
    testing::tell(&twice);
    Ok(())
}
