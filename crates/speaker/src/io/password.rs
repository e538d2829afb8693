//! Passwords of lines: read at the start from a file of their own or the environment, never from the household's file.
//!
//! A password that cannot be read costs the line's password, not the line: it is called without, and when it insists it
//! gives way to the next (DESIGN invariant 3). What is read is overwritten when it is dropped, and no message repeats it.
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use hearthline_emergency::call::Line;
use hearthline_emergency::line::LineCredentials;
use zeroize::Zeroizing;

use crate::config::{ConfigError, Household, LineSettings};

/// Longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// Why a line has no password. Says what to do; never repeats what was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The file cannot be read.
    #[error("{path}: {why}; write the password alone into it, readable by its owner (mode 600)")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The variable is not set, or is no text.
    #[error("the environment variable {0} is not set or is no text")]
    Environment(String),
    /// Nothing, too much, or more than one line.
    #[error("{0} holds no password: one line of at most {PASSWORD_BYTES_MAX} bytes is wanted")]
    Content(String),
}

/// The lines of a household with their credentials, and what a person should know of them.
///
/// # Errors
/// As [`Household::lines`].
pub fn lines(household: &Household) -> Result<(Vec<Line>, Vec<String>), ConfigError> {
    let mut lines = household.lines()?;
    let mut notices = Vec::new();
    for (line, settings) in lines.iter_mut().zip(&household.lines) {
        match credentials(settings) {
            Ok(credentials) => line.credentials = credentials,
            Err(why) => notices.push(format!(
                "line {}: {why}. It is called without a password",
                line.name
            )),
        }
        if settings
            .password_file
            .as_deref()
            .is_some_and(|path| read_by_others(path).unwrap_or(false))
        {
            notices.push(format!(
                "line {}: others on this machine can read its password file; take that from them: chmod 600",
                line.name
            ));
        }
    }
    Ok((lines, notices))
}

/// What a line's challenge is answered with; none when it has no account.
///
/// # Errors
/// [`PasswordError`].
pub fn credentials(settings: &LineSettings) -> Result<Option<LineCredentials>, PasswordError> {
    let Some(username) = &settings.username else {
        return Ok(None);
    };
    let (text, place) = match (&settings.password_file, &settings.password_env) {
        (Some(path), _) => (read(path)?, path.display().to_string()),
        (None, Some(name)) => (
            Zeroizing::new(
                std::env::var(name).map_err(|_| PasswordError::Environment(name.clone()))?,
            ),
            name.clone(),
        ),
        (None, None) => return Ok(None),
    };
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty()
        || password.len() > PASSWORD_BYTES_MAX
        || password.chars().any(char::is_control)
    {
        return Err(PasswordError::Content(place));
    }
    Ok(Some(LineCredentials::new(username.clone(), password)))
}

/// Whether others than the owner may read it.
///
/// # Errors
/// When there is no such file.
pub fn read_by_others(path: &Path) -> std::io::Result<bool> {
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// Whether a secret that stands newly in a file may be taken in place of the one that is known.
///
/// # Errors
/// In words, when others than the owner can read it, or nobody can say.
pub fn may_replace(path: &Path) -> Result<(), &'static str> {
    match read_by_others(path) {
        Ok(false) => Ok(()),
        _ => Err("others on this machine can read what is new in it: chmod 600"),
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, PasswordError> {
    let failed = |why: &dyn std::fmt::Display| PasswordError::File {
        path: path.to_owned(),
        why: why.to_string(),
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    // Room for all of it at once: a string that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(PASSWORD_BYTES_MAX + 4));
    file.take(PASSWORD_BYTES_MAX as u64 + 3)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| failed(&"it is no text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(path: &Path) -> LineSettings {
        LineSettings {
            username: Some("kitchen".into()),
            password_file: Some(path.to_owned()),
            ..LineSettings::new("trunk", "sip:127.0.0.1")
        }
    }

    #[test]
    fn the_first_line_of_the_file_is_the_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trunk.password");
        for text in [
            "only for drills",
            "only for drills\n",
            "only for drills\r\n",
        ] {
            std::fs::write(&path, text).unwrap();
            let read = credentials(&settings(&path)).unwrap().unwrap();
            assert_eq!(read.password(), "only for drills");
            assert_eq!(read.username(), "kitchen");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read_by_others(&path).unwrap());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(!read_by_others(&path).unwrap());
    }

    #[test]
    fn what_is_no_password_is_said_without_repeating_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trunk.password");
        let long = "x".repeat(PASSWORD_BYTES_MAX + 1);
        for bytes in [
            &b""[..],
            b"\n",
            b"secret\nlines",
            b"secret\0",
            b"secret\xff",
            long.as_bytes(),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let error = credentials(&settings(&path)).unwrap_err().to_string();
            assert!(
                error.contains("trunk.password") && !error.contains("secret"),
                "{error}"
            );
        }
        let absent = credentials(&settings(&folder.path().join("absent"))).unwrap_err();
        assert!(absent.to_string().contains("absent"), "{absent}");
        assert!(credentials(&settings(Path::new("/dev/zero"))).is_err());
    }

    #[test]
    fn a_line_without_a_readable_password_stays_a_line() {
        let text = "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[person]\nname = \"Drill\"\n\
            [[line]]\nname = \"trunk\"\nuri = \"sip:127.0.0.1\"\nusername = \"kitchen\"\npassword_file = \"/nowhere/at/all\"\n";
        let (lines, notices) = lines(&Household::parse(text).unwrap()).unwrap();
        assert_eq!((lines.len(), notices.len()), (1, 1));
        assert!(lines[0].credentials.is_none());
        assert!(notices[0].contains("line trunk"), "{notices:?}");
    }
}
