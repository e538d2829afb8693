//! Programs of the sound system, found on the path: no sound library is linked.
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Plays.
pub(crate) const PLAYER: &str = "aplay";
/// Records.
pub(crate) const RECORDER: &str = "arecord";
/// How both come.
pub(crate) const MEND: &str = "apt-get install alsa-utils";

/// Where `program` stands on the path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| is_program(file.as_os_str()))
}

fn is_program(file: &OsStr) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Plays 16 kHz mono samples and waits for their end.
///
/// # Errors
/// Says what to install when there is no player, else what the player said.
pub(crate) fn play(samples: &[i16]) -> Result<(), String> {
    let Some(program) = find(PLAYER) else {
        return Err(format!(
            "no {PLAYER} to play with: {MEND}, or write a file with -o FILE.wav"
        ));
    };
    let mut child = Command::new(program)
        .args(["-q", "-t", "raw", "-r", "16000", "-f", "S16_LE", "-c", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{PLAYER} does not start: {error}"))?;
    let bytes: Vec<u8> = samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    let written = child
        .stdin
        .take()
        .map_or(Ok(()), |mut pipe| pipe.write_all(&bytes));
    let ended = child
        .wait_with_output()
        .map_err(|error| format!("{PLAYER}: {error}"))?;
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stderr);
        return Err(format!(
            "{PLAYER} could not play: {}",
            said.trim().lines().next().unwrap_or("it gave no reason")
        ));
    }
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("{PLAYER}: {error}"))
        }
        _ => Ok(()),
    }
}
