//! A speaker of a home hands the bundles of its incidents in at the hub, so that they are not lost with the device.
//!
//! It waits for nobody and nobody waits for it: a hub that is away is asked again later, also after the next start. What
//! the hub has is noted beside the bundle, which stays where it is.
use std::path::{Path, PathBuf};
use std::time::Duration;

use hearthline_hub::hand_in::{Shown, hand_in};
use hearthline_hub::join::JoinError;
use hearthline_speaker::config::HomeSettings;
use tokio::sync::Notify;

/// First and longest pause before a hub that is away is asked again.
const PAUSES: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(3_600));
/// Largest bundle that is read, in bytes: the hub takes no larger one.
const BYTES_MAX: u64 = hearthline_hub::bundle::BUNDLE_BYTES_MAX as u64;

/// Beside a bundle that the hub has.
const KEPT: &str = "kept";
/// Beside a bundle that the hub will never take; why, in words.
const REFUSED: &str = "refused";

/// Hands in whatever lies in the device's folder, and again whenever `exported` says that there is more. Ends never.
pub(crate) async fn run(
    data: PathBuf,
    home: HomeSettings,
    exported: &Notify,
    told: impl Fn(String),
) {
    let mut pause = PAUSES.0;
    loop {
        match all(&data.join("incidents"), &home, &told).await {
            Ok(()) => {
                pause = PAUSES.0;
                exported.notified().await;
            }
            Err(why) => {
                told(format!(
                    "an incident is not at the hub yet ({why}); it is tried again"
                ));
                tokio::select! {
                    () = exported.notified() => {}
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}

/// All that were not handed in yet. An error: later perhaps.
async fn all(folder: &Path, home: &HomeSettings, told: &impl Fn(String)) -> Result<(), String> {
    let Some(hub) = home.api else {
        return Ok(());
    };
    let words = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    for path in waiting(folder) {
        let size = std::fs::metadata(&path).map_err(|error| words(&path, error))?;
        if size.len() > BYTES_MAX {
            note(&path, REFUSED, "too large for a hub").map_err(|error| words(&path, error))?;
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|error| words(&path, error))?;
        let read =
            |path: &PathBuf| std::fs::read_to_string(path).map_err(|error| words(path, error));
        let (authority, certificate, key) = (
            read(&home.authority)?,
            read(&home.certificate)?,
            read(&home.key)?,
        );
        let shown = Shown {
            authority_pem: &authority,
            certificate_pem: &certificate,
            key_pem: &key,
        };
        match hand_in(hub, shown, bytes).await {
            Ok(id) => note(&path, KEPT, &id.to_string()).map_err(|error| words(&path, error))?,
            Err(JoinError::Refused {
                status: 400 | 409 | 413,
                detail,
            }) => {
                told(format!(
                    "the hub does not take {}: {detail}",
                    path.display()
                ));
                note(&path, REFUSED, &detail).map_err(|error| words(&path, error))?;
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

/// Bundles without a note beside them, in the order of their names.
fn waiting(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new(); // there was no incident yet
    };
    let mut found: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zip"))
        .filter(|path| {
            ![KEPT, REFUSED]
                .iter()
                .any(|note| path.with_extension(note).exists())
        })
        .collect();
    found.sort();
    found
}

fn note(bundle: &Path, kind: &str, text: &str) -> std::io::Result<()> {
    std::fs::write(bundle.with_extension(kind), format!("{text}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_waits_until_something_is_noted_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(waiting(&folder.path().join("none")).is_empty());
        let [one, two, three] =
            ["1", "2", "3"].map(|name| folder.path().join(format!("incident-{name}.zip")));
        for path in [&two, &one, &three] {
            std::fs::write(path, b"bundle").unwrap();
        }
        std::fs::write(folder.path().join("incident-4.new"), b"half").unwrap();
        assert_eq!(
            waiting(folder.path()),
            [one.clone(), two.clone(), three.clone()]
        );
        note(&one, KEPT, "id").unwrap();
        note(&two, REFUSED, "why").unwrap();
        assert_eq!(waiting(folder.path()), [three]);
    }
}
