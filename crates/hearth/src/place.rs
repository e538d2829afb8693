//! Where device and hub keep their data when nobody says otherwise.
use std::path::{Path, PathBuf};

/// The device's folder: [`folder`] of that name.
///
/// # Errors
/// As [`folder`].
pub(crate) fn device_folder(given: Option<&Path>) -> Result<PathBuf, String> {
    folder("device", given)
}

/// The household's file: `given`, else the first of [`household_places`] that is there.
pub(crate) fn household_file(given: Option<&Path>) -> Option<PathBuf> {
    match given {
        Some(given) => Some(given.to_owned()),
        None => household_places().into_iter().find(|at| at.exists()),
    }
}

/// Where it is looked for: `$XDG_CONFIG_HOME/hearthline/household.toml` (else under `~/.config`), then the same under
/// `/etc`.
pub(crate) fn household_places() -> Vec<PathBuf> {
    let own = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    let folders = own.into_iter().chain([PathBuf::from("/etc")]);
    folders
        .map(|folder| folder.join("hearthline/household.toml"))
        .collect()
}

fn set(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
    Some(PathBuf::from(value))
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
    set("XDG_DATA_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .map(|data| data.join("hearthline").join(name))
        .ok_or_else(|| {
            format!("no place for the {name}'s data: give --data, or set XDG_DATA_HOME or HOME")
        })
}
