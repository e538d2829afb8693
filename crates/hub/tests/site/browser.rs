//! A real browser with a person in it: a script for Node that drives Debian's Chromium.
//!
//! It needs Node, npm and Chromium; without them it says so and is skipped, unless `CI` is set.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const TIME_MAX: Duration = Duration::from_secs(240);

/// The folder with the libraries of `package.json`, installed once; or why there is none.
fn libraries() -> Result<PathBuf, String> {
    let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
    if !chromium.iter().any(|path| Path::new(path).exists()) {
        return Err("no Chromium; install chromium".to_owned());
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/site");
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

/// Runs a script of this folder with the folder of the libraries and these arguments.
pub async fn person(script: &str, arguments: &[&str]) {
    let folder = match libraries() {
        Ok(folder) => folder,
        Err(why) if std::env::var_os("CI").is_none() => {
            println!("skipped: {why}");
            return;
        }
        Err(why) => panic!("{why}"),
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/site")
        .join(script);
    let person = tokio::process::Command::new("node")
        .arg(script)
        .arg(&folder)
        .args(arguments)
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
