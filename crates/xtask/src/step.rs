//! A step of the run: named, timed, stopping at the first that fails.
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Fine, or why not.
pub(crate) type Outcome = Result<(), String>;

/// The steps done so far.
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
}

impl Steps {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { done: Vec::new() }
    }

    /// Runs one step.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> Outcome) -> Outcome {
        println!("\n== {name}");
        let start = Instant::now();
        step().map_err(|why| format!("{name}: {why}"))?;
        self.done.push((name.to_owned(), start.elapsed()));
        Ok(())
    }

    /// Runs one cargo command as a step.
    pub(crate) fn cargo(&mut self, name: &str, arguments: &[&str]) -> Outcome {
        self.run(name, || call(Command::new(cargo()).args(arguments)))
    }

    /// Prints how long each step took.
    pub(crate) fn report(&self) {
        println!("\n== all steps passed");
        for (name, took) in &self.done {
            println!("{:>7.1} s  {name}", took.as_secs_f32());
        }
    }
}

/// The cargo that runs us.
pub(crate) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Runs a command in the repository's root, its output shown.
pub(crate) fn call(command: &mut Command) -> Outcome {
    let status = command
        .current_dir(root())
        .status()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?} ended with {status}"))
    }
}

/// Runs a command in the repository's root and returns what it printed.
pub(crate) fn read(command: &mut Command) -> Result<String, String> {
    let output = command
        .current_dir(root())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{command:?}: {error}"))
}
