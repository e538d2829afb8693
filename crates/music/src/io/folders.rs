//! What folders hold: files of music, with what they say about themselves.
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::adapter::Have;
use crate::library::TRACKS_MAX;
use crate::tags;
use crate::track::{System, Track};

/// Deepest folder.
const DEPTH_MAX: usize = 16;
/// Endings of what may be played; what is inside decides then.
const ENDINGS: [&str; 7] = ["mp3", "flac", "wav", "opus", "ogg", "mp2", "mpga"];

/// Everything in these folders, and what is wrong with them. Links to folders are not followed: they may lead in circles.
pub(super) fn scan(folders: &[PathBuf]) -> Have {
    let (mut tracks, mut missing) = (Vec::new(), Vec::new());
    for root in folders {
        if !root.is_dir() {
            missing.push("A music folder of my configuration is not there.".to_owned());
            continue;
        }
        let mut open = vec![(root.clone(), 0)];
        while let Some((folder, depth)) = open.pop() {
            // A folder that may not be read has nothing for us.
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries.flatten() {
                let Ok(kind) = entry.file_type() else {
                    continue;
                };
                let path = entry.path();
                if kind.is_dir() && depth < DEPTH_MAX {
                    open.push((path, depth + 1));
                } else if kind.is_file() && is_music(&path) && tracks.len() < TRACKS_MAX {
                    tracks.extend(track(root, &path).map(|track| (System::Files, track)));
                }
            }
        }
    }
    (tracks, Vec::new(), missing)
}

fn is_music(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

fn track(root: &Path, path: &Path) -> Option<Track> {
    let mut head = Vec::new();
    let file = fs::File::open(path).ok()?;
    file.take(tags::HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .ok()?;
    let mut track = tags::read(&head);
    tags::fill_from_path(&mut track, path.strip_prefix(root).ok()?);
    path.to_str()?.clone_into(&mut track.key);
    Some(track)
}

/// The file of a key, if it lies in one of the folders.
pub(super) fn file(folders: &[PathBuf], key: &str) -> Option<PathBuf> {
    let path = fs::canonicalize(key).ok()?;
    let inside =
        |folder: &PathBuf| fs::canonicalize(folder).is_ok_and(|folder| path.starts_with(folder));
    folders.iter().any(inside).then_some(path)
}
