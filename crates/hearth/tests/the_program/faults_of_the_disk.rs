//! Whatever becomes of the disk, the call is placed; what was written is kept, and the new record can be checked.
//!
//! The chains of drills run side by side, because each takes its real time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the answer"
)]
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::scene::{Ran, flite, flite_is_absent, heard_in_a_drill, hearth, models_are_absent};
use serde_json::Value;

#[test]
fn the_call_is_placed_whatever_the_disk_does() {
    if models_are_absent() || flite_is_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("call.wav");
    flite("rms", "Alexa, call nine one one.", &recording);
    let (recording, folder) = (recording.as_path(), folder.path());
    std::thread::scope(|scope| {
        scope.spawn(|| read_only(folder, recording));
        scope.spawn(|| full(folder, recording));
        scope.spawn(|| full_during_the_call(folder, recording));
        scope.spawn(|| damaged_then_torn(folder, recording));
        scope.spawn(|| killed_at_any_moment(folder, recording));
    });
}

/// A small file system of its own.
struct Disk(PathBuf);

impl Disk {
    /// None when this machine does not let us mount.
    fn mount(place: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&place).unwrap();
        let size = format!("size={size},mode=0700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(&place)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(place))
    }

    fn make_read_only(&self) {
        assert!(
            Command::new("mount")
                .args(["-o", "remount,ro"])
                .arg(&self.0)
                .status()
                .unwrap()
                .success()
        );
    }

    /// Takes what is left.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("ballast")).unwrap();
        while std::io::Write::write(&mut file, &[0; 4_096]).is_ok() {}
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Runs the drill with temporary files in a folder of its own.
fn call(recording: &Path, data: &Path, temporary: &Path) -> (Ran, Value) {
    std::fs::create_dir_all(temporary).unwrap();
    let ran = Ran::of(
        &heard_in_a_drill(recording, data)
            .env("TMPDIR", temporary)
            .output()
            .unwrap(),
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let outcome = ran.json().remove(0);
    assert_eq!(outcome["decision"], "emergency", "{ran:?}");
    assert_eq!(outcome["call"]["state"], "answered", "{ran:?}");
    (ran, outcome)
}

fn assert_verifies(outcome: &Value) {
    let bundle = outcome["bundle"]
        .as_str()
        .unwrap_or_else(|| panic!("no bundle: {outcome}"));
    let verified = hearth(["verify", bundle]);
    assert_eq!(verified.code, Some(1), "{verified:?}");
    assert!(!verified.out.contains("FAILS"), "{verified:?}");
}

/// The folder could not be opened: said, and the record is kept among the temporary files.
fn assert_kept_elsewhere(ran: &Ran, outcome: &Value, data: &Path, temporary: &Path) {
    let told = format!("hearth: the record cannot be kept in {}", data.display());
    assert_eq!(
        ran.err
            .lines()
            .filter(|line| line.starts_with(&told))
            .count(),
        1,
        "{ran:?}"
    );
    let bundle = Path::new(outcome["bundle"].as_str().unwrap());
    assert!(bundle.starts_with(temporary), "{outcome}");
    assert_verifies(outcome);
}

fn read_only(folder: &Path, recording: &Path) {
    let (data, temporary) = (folder.join("read-only/device"), folder.join("temporary-1"));
    let disk = Disk::mount(folder.join("read-only"), "1m");
    if let Some(disk) = &disk {
        eprintln!("read-only: a tmpfs, remounted read-only");
        disk.make_read_only();
        let (ran, outcome) = call(recording, &data, &temporary);
        assert_kept_elsewhere(&ran, &outcome, &data, &temporary);
    } else {
        eprintln!("read-only: no mount here; a folder that lies below a file");
        std::fs::write(folder.join("file"), "").unwrap();
        let data = folder.join("file/device");
        let (ran, outcome) = call(recording, &data, &temporary);
        assert_kept_elsewhere(&ran, &outcome, &data, &temporary);
    }
}

fn full(folder: &Path, recording: &Path) {
    let Some(disk) = Disk::mount(folder.join("full"), "64k") else {
        eprintln!("full disk: no mount here, not exercised");
        return;
    };
    eprintln!("full disk: a tmpfs of 64 kB, filled");
    disk.fill();
    let (data, temporary) = (disk.0.join("device"), folder.join("temporary-2"));
    let (ran, outcome) = call(recording, &data, &temporary);
    assert_kept_elsewhere(&ran, &outcome, &data, &temporary);
}

/// The record begins; its sound does not fit.
fn full_during_the_call(folder: &Path, recording: &Path) {
    let Some(disk) = Disk::mount(folder.join("small"), "64k") else {
        eprintln!("disk full during the call: no mount here, not exercised");
        return;
    };
    eprintln!("disk full during the call: a tmpfs of 64 kB");
    let (ran, outcome) = call(
        recording,
        &disk.0.join("device"),
        &folder.join("temporary-3"),
    );
    assert!(ran.err.contains("the record cannot be written"), "{ran:?}");
    assert!(ran.err.contains("No space left"), "{ran:?}");
    if outcome["bundle"].is_null() {
        assert!(ran.err.contains("the incident was not exported"), "{ran:?}");
    } else {
        assert_verifies(&outcome);
    }
}

fn damaged_then_torn(folder: &Path, recording: &Path) {
    let (data, temporary) = (folder.join("damaged"), folder.join("temporary-4"));
    let log = data.join("log");
    let (ran, outcome) = call(recording, &data, &temporary);
    assert_eq!(ran.err, "");
    assert_verifies(&outcome);

    // One byte in the middle.
    let mut bytes = std::fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x01;
    std::fs::write(&log, &bytes).unwrap();
    let (ran, outcome) = call(recording, &data, &temporary);
    assert!(
        ran.err
            .starts_with("hearth: the old record is damaged at entry "),
        "{ran:?}"
    );
    let aside = one_of(&data, "log.damaged-");
    assert!(ran.err.contains(aside.to_str().unwrap()), "{ran:?}");
    assert_eq!(
        std::fs::read(&aside).unwrap(),
        bytes,
        "the old bytes are kept as they were"
    );
    assert_verifies(&outcome);

    // The end torn off.
    let bytes = std::fs::read(&log).unwrap();
    std::fs::write(&log, &bytes[..bytes.len() - 7]).unwrap();
    let (ran, outcome) = call(recording, &data, &temporary);
    assert!(
        ran.err
            .starts_with("hearth: the record broke off in the middle of a write: its last "),
        "{ran:?}"
    );
    let cut = one_of(&data, "log.cut-");
    assert!(ran.err.contains(cut.to_str().unwrap()), "{ran:?}");
    let cut = std::fs::read(&cut).unwrap();
    assert!(
        !cut.is_empty() && bytes[..bytes.len() - 7].ends_with(&cut),
        "what was cut is kept"
    );
    let kept = bytes.len() - 7 - cut.len();
    assert_eq!(
        std::fs::read(&log).unwrap()[..kept],
        bytes[..kept],
        "what was whole stays"
    );
    assert_verifies(&outcome);
}

fn killed_at_any_moment(folder: &Path, recording: &Path) {
    let (data, temporary) = (folder.join("killed"), folder.join("temporary-5"));
    // Moments from the clock; told, so that a failure can be repeated.
    let seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_nanos() as u64;
    let mut random = seed | 1;
    let mut before = Vec::new();
    for number in 0..5 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mut child = heard_in_a_drill(recording, &data)
            .env("TMPDIR", folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // From the first entry of this run on: the first moments are those of the start.
        let started = Instant::now();
        let length = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
        // The last two wait until the call itself is being recorded, however slow the machine.
        let more_bytes = if number < 3 { 1 } else { 4_000 };
        while length(&data.join("log")) < before.len() as u64 + more_bytes {
            assert!(
                started.elapsed() < Duration::from_secs(120),
                "no entry in two minutes"
            );
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::sleep(Duration::from_millis(2));
        }
        let moment = Duration::from_millis(number % 3 * 1_200 + random % 1_200);
        std::thread::sleep(moment);
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        let log = std::fs::read(data.join("log")).unwrap_or_default();
        assert!(!log.is_empty());
        eprintln!(
            "killed {moment:?} after its first {more_bytes} bytes (seed {seed}): the log has {} bytes",
            log.len()
        );
        // Nothing that was whole is ever lost: up to a torn last line, the old log is the beginning of the new.
        let whole = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        assert!(
            log.starts_with(&before[..whole]),
            "run {number}, seed {seed}: the log was rewritten"
        );
        before = log;
    }
    let (_, outcome) = call(recording, &data, &temporary);
    assert_verifies(&outcome);
    assert!(
        outcome["bundle"]
            .as_str()
            .unwrap()
            .starts_with(data.to_str().unwrap()),
        "{outcome}"
    );
    let damaged = std::fs::read_dir(&data).unwrap().filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("log.damaged-")
    });
    assert_eq!(
        damaged.count(),
        0,
        "a kill tears an end, it damages nothing (seed {seed})"
    );
}

fn one_of(folder: &Path, prefix: &str) -> PathBuf {
    let found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(prefix)
        })
        .collect();
    let [one] = &found[..] else {
        panic!("{prefix}: {found:?}")
    };
    one.clone()
}
