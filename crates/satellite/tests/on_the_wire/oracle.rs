//! A Python with the reference libraries.
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is installed, all at once.
const PACKAGES: [&str; 4] = [
    "wyoming==1.10.2",
    "wyoming-bench==2026.10.0",
    "aioesphomeapi==46.23",
    "zeroconf>=0.150",
];
/// What shows that it is there.
const IMPORTS: &str = "import wyoming, wyoming_bench, aioesphomeapi, zeroconf";

/// Runs a program and gives what it wrote on standard error where it fails.
pub(crate) fn ran(command: &mut Command) -> Result<Vec<u8>, String> {
    let program = format!("{command:?}");
    match command.output() {
        Ok(output) if output.status.success() => Ok(output.stdout),
        Ok(output) => Err(format!(
            "{program}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

/// One of our scripts.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/on_the_wire/python")
        .join(name)
}

/// The interpreter; none where it cannot be had, which is said. `SATELLITE_PYTHON` names one.
pub(crate) fn python() -> Option<PathBuf> {
    static FOUND: std::sync::OnceLock<Result<PathBuf, String>> = std::sync::OnceLock::new();
    match FOUND.get_or_init(find) {
        Ok(python) => Some(python.clone()),
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "no oracle: {why}");
            println!("skipped: no Python with {}: {why}", PACKAGES.join(", "));
            None
        }
    }
}

fn find() -> Result<PathBuf, String> {
    let works = |python: &Path| ran(Command::new(python).args(["-c", IMPORTS]));
    if let Some(python) = std::env::var_os("SATELLITE_PYTHON").map(PathBuf::from) {
        return works(&python).map(|_| python);
    }
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("voice-peers-2026.11");
    let python = place.join("bin/python");
    if works(&python).is_ok() {
        return Ok(python);
    }
    ran(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
    ran(Command::new(&python)
        .args(["-m", "pip", "install", "-q", "--disable-pip-version-check"])
        .args(PACKAGES))?;
    works(&python).map(|_| python)
}
