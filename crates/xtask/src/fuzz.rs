//! Builds and runs the fuzz targets on the pinned stable toolchain: coverage feedback without a sanitiser.
use std::process::Command;

use crate::step::{Outcome, call, cargo, root};

/// What cargo-fuzz passes for coverage; it needs no nightly compiler.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1 -Cdebug-assertions";

/// Builds every target and runs each for `seconds`.
pub(crate) fn run(seconds: u32) -> Outcome {
    let host = host()?;
    // Naming the target keeps the flags off build scripts and procedural macros.
    call(
        Command::new(cargo())
            .args([
                "build",
                "--release",
                "--manifest-path",
                "fuzz/Cargo.toml",
                "--target",
                &host,
            ])
            .env("RUSTFLAGS", FLAGS),
    )?;
    for target in targets()? {
        println!("-- {target}: {seconds} s");
        let corpus = root().join("fuzz/corpus").join(&target);
        let artifacts = root().join("fuzz/artifacts").join(&target);
        for folder in [&corpus, &artifacts] {
            std::fs::create_dir_all(folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        call(
            Command::new(
                root()
                    .join("fuzz/target")
                    .join(&host)
                    .join("release")
                    .join(&target),
            )
            .arg(&corpus)
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .args([
                "-rss_limit_mb=2048",
                "-timeout=10",
                "-verbosity=0",
                "-print_final_stats=1",
            ]),
        )?;
    }
    Ok(())
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
