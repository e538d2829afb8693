//! Tokens and passwords out of files of their own.
use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

/// Longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 4 * 1_024;

/// The one line of a file.
///
/// # Errors
/// In words, without anything of what was read.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, String> {
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
pub(super) fn certificates(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(256 * 1_024)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}
