//! The machine: models, inference, sound, disk, clock.
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hearthline_voice::engine::Engine;

use super::{Check, State};
use crate::models::{Look, ModelFolder, PACKAGES, PackageState};
use crate::{place, playback};

/// An hour of a call in both directions, 16 kHz, 16 bit, and the log beside it.
const FREE_BYTES_MIN: u64 = 256 << 20;
/// 2026-01-01 UTC: an earlier clock has never been set.
const CLOCK_S_MIN: u64 = 1_767_225_600;
/// 2100-01-01 UTC.
const CLOCK_S_MAX: u64 = 4_102_444_800;
/// How long a sound program may take to list its devices.
const LIST_WITHIN: Duration = Duration::from_secs(3);

/// All of them.
pub(super) fn checks(data: Option<&Path>) -> Vec<Check> {
    let mut checks = models();
    checks.push(sound("microphone", playback::RECORDER, "a microphone"));
    checks.push(sound("loudspeaker", playback::PLAYER, "a loudspeaker"));
    checks.push(record(data));
    checks.push(clock(SystemTime::now()));
    checks
}

fn models() -> Vec<Check> {
    let folder = match ModelFolder::locate() {
        Ok(folder) => folder,
        Err(why) => {
            return vec![Check::not(
                "models",
                State::Missing,
                why,
                "set HEARTH_MODELS",
            )];
        }
    };
    let mend = "hearth models install";
    let states: Vec<_> = PACKAGES
        .iter()
        .map(|package| (package, folder.state(package, Look::Digests)))
        .collect();
    let missing: Vec<&str> = states
        .iter()
        .filter(|(_, state)| *state == PackageState::Missing)
        .map(|(package, _)| package.name)
        .collect();
    let damaged: Vec<String> = states
        .iter()
        .filter_map(|(package, state)| match state {
            PackageState::Damaged { file, why } => Some(format!("{} {file} {why}", package.name)),
            _ => None,
        })
        .collect();
    let models = if !damaged.is_empty() {
        Check::not("models", State::Wrong, damaged.join("; "), mend)
    } else if !missing.is_empty() {
        Check::not("models", State::Missing, missing.join(", "), mend)
    } else {
        Check::ok(
            "models",
            format!("{} packages, every SHA-256 right", states.len()),
        )
    };
    let whole = states
        .iter()
        .any(|(package, state)| package.name == "onnxruntime" && *state == PackageState::Complete);
    // A damaged library is not loaded, not even to look.
    let inference = if !whole {
        Check::not(
            "inference",
            State::Missing,
            "ONNX Runtime is not installed or damaged",
            mend,
        )
    } else {
        match Engine::open(&folder.runtime_library()) {
            Ok(_) => Check::ok("inference", "ONNX Runtime loads"),
            Err(error) => Check::not(
                "inference",
                State::Wrong,
                error.to_string(),
                "install the C++ library: apt-get install libstdc++6",
            ),
        }
    };
    vec![models, inference]
}

fn sound(what: &str, program: &str, device: &str) -> Check {
    let Some(path) = playback::find(program) else {
        return Check::not(
            what,
            State::Missing,
            format!("the program {program} is not on the path"),
            playback::MEND,
        );
    };
    let plug = format!("connect {device}; `{program} -l` must list it");
    match list(&path) {
        Err(why) => Check::not(what, State::Wrong, format!("{program} -l: {why}"), plug),
        Ok(said) => match said
            .lines()
            .filter(|line| line.starts_with("card "))
            .count()
        {
            0 => Check::not(
                what,
                State::Missing,
                format!("{program} lists no device"),
                plug,
            ),
            count => Check::ok(
                what,
                format!(
                    "{program} lists {count} device{}",
                    if count == 1 { "" } else { "s" }
                ),
            ),
        },
    }
}

/// What `PROGRAM -l` prints.
fn list(program: &Path) -> Result<String, String> {
    let mut child = Command::new(program)
        .arg("-l")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(_)) => break,
            Ok(None) if started.elapsed() < LIST_WITHIN => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no answer within {} s", LIST_WITHIN.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn record(data: Option<&Path>) -> Check {
    let folder = match place::device_folder(data) {
        Ok(folder) => folder,
        Err(why) => return Check::not("record", State::Missing, why, "give --data FOLDER"),
    };
    let Some(existing) = folder
        .ancestors()
        .map(|part| {
            if part.as_os_str().is_empty() {
                Path::new(".")
            } else {
                part
            }
        })
        .find(|part| part.exists())
    else {
        return Check::not(
            "record",
            State::Wrong,
            "no part of the folder's path exists",
            "give --data FOLDER",
        );
    };
    if let Err(error) = try_to_write(existing) {
        let found = format!("{} cannot be written: {error}", existing.display());
        return Check::not(
            "record",
            State::Wrong,
            found,
            "make it writable, or give another --data FOLDER",
        );
    }
    match rustix::fs::statvfs(existing) {
        Err(error) => Check::not(
            "record",
            State::Wrong,
            format!("free space is unknown: {error}"),
            "give another --data FOLDER",
        ),
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let megabytes = free >> 20;
            if free < FREE_BYTES_MIN {
                let found = format!(
                    "{megabytes} MiB free; an hour's call needs {} MiB",
                    FREE_BYTES_MIN >> 20
                );
                return Check::not(
                    "record",
                    State::Wrong,
                    found,
                    "free space on this disk, or give another --data FOLDER",
                );
            }
            Check::ok("record", format!("writable, {megabytes} MiB free"))
        }
    }
}

fn try_to_write(folder: &Path) -> io::Result<()> {
    let path: PathBuf = folder.join(format!(".hearth-doctor-{}", std::process::id()));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)?;
    let written = file.write_all(b"doctor").and_then(|()| file.sync_all());
    fs::remove_file(&path)?;
    written
}

fn clock(now: SystemTime) -> Check {
    let seconds = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    if (CLOCK_S_MIN..CLOCK_S_MAX).contains(&seconds) {
        Check::ok("clock", "plausible")
    } else {
        let found = format!(
            "{seconds} s since 1970 cannot be the time: the record would be misdated and TLS would fail"
        );
        Check::not(
            "clock",
            State::Wrong,
            found,
            "set the clock: timedatectl set-ntp true",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_never_set_is_wrong() {
        assert_eq!(clock(UNIX_EPOCH).state, State::Wrong);
        assert_eq!(
            clock(UNIX_EPOCH - Duration::from_secs(1)).state,
            State::Wrong
        );
        assert_eq!(
            clock(UNIX_EPOCH + Duration::from_secs(CLOCK_S_MIN)).state,
            State::Ok
        );
    }
}
