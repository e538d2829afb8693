//! Where the device keeps its record when nobody says otherwise.
use std::path::{Path, PathBuf};

/// The device's folder: `given`, else `$XDG_DATA_HOME/hearthline/device`, else `~/.local/share/hearthline/device`.
///
/// # Errors
/// When nothing is given and neither `XDG_DATA_HOME` nor `HOME` is set.
pub(crate) fn device_folder(given: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    set("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| Path::new(&home).join(".local/share")))
        .map(|data| data.join("hearthline/device"))
        .ok_or_else(|| {
            "no place for the device's record: give --data, or set XDG_DATA_HOME or HOME".to_owned()
        })
}
