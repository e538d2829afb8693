//! Where device and hub keep their data when nobody says otherwise.
use std::path::{Path, PathBuf};

/// The device's folder: [`folder`] of that name.
///
/// # Errors
/// As [`folder`].
pub(crate) fn device_folder(given: Option<&Path>) -> Result<PathBuf, String> {
    folder("device", given)
}

/// What a joined device knows of its home, within [`home_folder`]: the section `[household]` of a configuration.
pub(crate) const HOME_FILE: &str = "home.toml";

/// Where a device keeps what joining a home gave it.
pub(crate) fn home_folder(device: &Path) -> PathBuf {
    device.join("home")
}

/// `given`, else `$XDG_DATA_HOME/hearthline/NAME`, else `~/.local/share/hearthline/NAME`.
///
/// # Errors
/// When nothing is given and neither `XDG_DATA_HOME` nor `HOME` is set.
pub(crate) fn folder(name: &str, given: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    set("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| Path::new(&home).join(".local/share")))
        .map(|data| data.join("hearthline").join(name))
        .ok_or_else(|| {
            format!("no place for the {name}'s data: give --data, or set XDG_DATA_HOME or HOME")
        })
}
