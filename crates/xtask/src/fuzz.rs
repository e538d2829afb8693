//! Builds and runs the fuzz targets on the pinned stable toolchain: coverage feedback without a sanitiser.
use std::process::Command;

use crate::step::{Outcome, call, cargo, root};

/// What cargo-fuzz passes for coverage; it needs no nightly compiler.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1 -Cdebug-assertions";

/// How long each target runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Length {
    /// So many runs from a fixed seed and no corpus: the same on every machine, for CI.
    Runs(u32),
    /// So many seconds on the corpus that grows beside the targets: to find something new.
    Seconds(u32),
}

/// Builds every target.
pub(crate) fn build(length: Length) -> Outcome {
    let profile = profile(length);
    // Naming the target keeps the flags off build scripts and procedural macros.
    call(
        Command::new(cargo())
            .args([
                "build",
                "--profile",
                profile,
                "--manifest-path",
                "fuzz/Cargo.toml",
                "--target",
                &host()?,
            ])
            .env("RUSTFLAGS", FLAGS),
    )
}

/// Builds every target and runs each.
pub(crate) fn run(length: Length) -> Outcome {
    build(length)?;
    let (host, profile) = (host()?, profile(length));
    for target in targets()? {
        println!("-- {target}: {length:?}");
        let corpus = root().join("fuzz/corpus").join(&target);
        let artifacts = root().join("fuzz/artifacts").join(&target);
        for folder in [&corpus, &artifacts] {
            std::fs::create_dir_all(folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let program = root()
            .join("fuzz/target")
            .join(&host)
            .join(profile)
            .join(&target);
        let mut command = Command::new(program);
        match length {
            Length::Runs(runs) => command.args(["-seed=1".to_owned(), format!("-runs={runs}")]),
            Length::Seconds(seconds) => command
                .arg(&corpus)
                .arg(format!("-max_total_time={seconds}")),
        };
        call(
            command
                .arg(format!("-artifact_prefix={}/", artifacts.display()))
                .args(["-rss_limit_mb=2048", "-timeout=10", "-verbosity=0"]),
        )?;
    }
    Ok(())
}

/// What runs for seconds need not be made as fast as what runs for minutes.
fn profile(length: Length) -> &'static str {
    match length {
        Length::Runs(_) => "quick",
        Length::Seconds(_) => "release",
    }
}

/// The names of the targets: one file each.
fn targets() -> Result<Vec<String>, String> {
    let folder = root().join("fuzz/fuzz_targets");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(Result::ok)
        .filter_map(|entry| {
            entry
                .file_name()
                .to_str()?
                .strip_suffix(".rs")
                .map(str::to_owned)
        })
        .collect();
    names.sort();
    Ok(names)
}

fn host() -> Result<String, String> {
    let said = crate::step::read(Command::new("rustc").arg("-vV"))?;
    said.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| "rustc does not say which host it is".to_owned())
}
