//! A real browser with a person in it: a script for Node that drives Debian's Chromium.
//!
//! It needs Node, npm and Chromium; without them it says so and is skipped, unless `CI` is set.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test program uses its own part, and in a test a panic is the answer"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const TIME_MAX: Duration = Duration::from_secs(240);

/// This folder, also for the tests of another crate.
fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../hub/tests/site")
}

/// The folder with the libraries of `package.json`, installed once; or why there is none.
fn libraries() -> Result<PathBuf, String> {
    let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
    if !chromium.iter().any(|path| Path::new(path).exists()) {
        return Err("no Chromium; install chromium".to_owned());
    }
    let here = here();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("site");
    std::fs::create_dir_all(&folder).unwrap();
    let lock = std::fs::read(here.join("package-lock.json")).unwrap();
    if std::fs::read(folder.join("package-lock.json")).is_ok_and(|installed| installed == lock)
        && folder.join("node_modules/playwright-core").exists()
    {
        return Ok(folder);
    }
    std::fs::copy(here.join("package.json"), folder.join("package.json")).unwrap();
    std::fs::write(folder.join("package-lock.json"), lock).unwrap();
    let install = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .stdout(Stdio::null())
        .output();
    match install {
        Ok(output) if output.status.success() => Ok(folder),
        Ok(output) => Err(format!(
            "npm ci: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
        Err(error) => Err(format!("npm cannot be started ({error}); install npm")),
    }
}

/// A script of this folder with the folder of the libraries and these arguments, to be run; `None`: it is skipped.
pub fn script(name: &str, arguments: &[&str]) -> Option<Command> {
    let folder = match libraries() {
        Ok(folder) => folder,
        Err(why) if std::env::var_os("CI").is_none() => {
            println!("skipped: {why}");
            return None;
        }
        Err(why) => panic!("{why}"),
    };
    let mut command = Command::new("node");
    command.arg(here().join(name)).arg(folder).args(arguments);
    Some(command)
}

/// Runs one to its end.
pub async fn person(name: &str, arguments: &[&str]) {
    let Some(command) = script(name, arguments) else {
        return;
    };
    let person = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(TIME_MAX, person)
        .await
        .expect("the browser takes no longer")
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    print!("{}", String::from_utf8_lossy(&output.stdout));
}
