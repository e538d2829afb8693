//! Tokens and passwords out of files of their own.
use std::io::Read as _;
use std::path::{Path, PathBuf};

use hearthline_speaker::io::password::may_replace;

use zeroize::Zeroizing;

/// Longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 4 * 1_024;

/// The files of a system, as its section names them.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Token, key or password.
    pub(super) secret: Option<PathBuf>,
    /// By which its certificate is known.
    pub(super) certificate: Option<PathBuf>,
}

/// What they hold.
#[derive(PartialEq, Eq)]
pub(super) struct Secrets {
    secret: Option<Zeroizing<String>>,
    certificate: Option<Vec<u8>>,
}

impl Files {
    /// Reads them. In place of what a system runs by, nothing is taken that others on this machine can read.
    ///
    /// # Errors
    /// In words, without anything of what was read.
    pub(super) fn read(&self, before: Option<&Secrets>) -> Result<Secrets, String> {
        let found = Secrets {
            secret: self.secret.as_deref().map(read).transpose()?,
            certificate: self.certificate.as_deref().map(certificates).transpose()?,
        };
        if let (Some(path), Some(before)) = (&self.secret, before)
            && found.secret != before.secret
        {
            may_replace(path).map_err(|why| format!("{}: {why}", path.display()))?;
        }
        Ok(found)
    }
}

impl Secrets {
    /// Token, key or password; empty where there is none.
    pub(super) fn secret(&self) -> Zeroizing<String> {
        self.secret.clone().unwrap_or_default()
    }

    pub(super) fn certificate(&self) -> Option<&[u8]> {
        self.certificate.as_deref()
    }
}

/// The one line of a file.
///
/// # Errors
/// In words, without anything of what was read.
fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let failed = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_BYTES_MAX + 4));
    file.take(SECRET_BYTES_MAX as u64 + 3)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| failed(&"it is no text"))?;
    let text = text.trim_end_matches(['\n', '\r']);
    if text.is_empty() || text.len() > SECRET_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(failed(&format!(
            "one line of at most {SECRET_BYTES_MAX} bytes is wanted"
        )));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// A file of certificates.
///
/// # Errors
/// In words.
fn certificates(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(256 * 1_024)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}
