//! Logs put aside: which there are, what the log after them is called, and what its first entry says of them.
//!
//! ```text
//! log.damaged-1498996800000   cannot be continued        log.large-1500000000000   larger than is read at a start
//! ```
//! Two logs of one name would look like a fork, so the log after one put aside has its number in its name. The name follows
//! from the files themselves: whatever a power loss leaves undone, the next start comes to the same name.
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use hearthline_ledger::{Hash, KeyId, PreviousSegment, PublicKey, StoredLog};
use sha2::{Digest as _, Sha256};

use super::LOG_BYTES_MAX;

/// Why a log was put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// It is damaged beyond a torn end.
    Damaged,
    /// It is larger than [`LOG_BYTES_MAX`].
    Large,
}

impl Reason {
    fn prefix(self) -> &'static str {
        match self {
            Reason::Damaged => "log.damaged-",
            Reason::Large => "log.large-",
        }
    }
}

/// A log put aside.
#[derive(Debug, Clone)]
pub(super) struct Aside {
    pub(super) path: PathBuf,
    number: u64,
}

/// All of them, the oldest first.
pub(super) fn all(folder: &Path) -> io::Result<Vec<Aside>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let number = [Reason::Damaged, Reason::Large]
            .iter()
            .find_map(|reason| name.strip_prefix(reason.prefix()))
            .and_then(|number| number.parse().ok());
        if let Some(number) = number {
            found.push(Aside { path, number });
        }
    }
    found.sort_by_key(|aside| aside.number);
    Ok(found)
}

/// Puts the log of `folder` aside. The number is the wall clock, and more than every number before, whatever the clock says;
/// that of the name that the folder remembers counts too, when its file has been moved away.
pub(super) fn put(
    folder: &Path,
    reason: Reason,
    kept: Option<&str>,
    wall_ms: u64,
) -> io::Result<Aside> {
    let newest = all(folder)?.last().map_or(0, |aside| aside.number);
    let newest = newest.max(kept.and_then(number_of).unwrap_or(0));
    let number = wall_ms.max(newest.saturating_add(1));
    let path = folder.join(format!("{}{number}", reason.prefix()));
    fs::rename(folder.join("log"), &path)?;
    // On the disk before anything else is written: the next name follows from it.
    File::open(folder)?.sync_all()?;
    Ok(Aside { path, number })
}

/// What the log that stands after `asides` is called. `kept` is the name that the folder remembers: it counts when files
/// that were put aside have been moved away since.
pub(super) fn origin_after(asides: &[Aside], kept: Option<&str>, key_id: &KeyId) -> String {
    let base = format!("hearthline.local/device/{key_id}");
    let Some(newest) = asides.last() else {
        return kept.map_or(base, str::to_owned);
    };
    match (kept, kept.and_then(number_of)) {
        (Some(kept), Some(number)) if number > newest.number => kept.to_owned(),
        _ => format!("{base}/{}", newest.number),
    }
}

/// The number in the name of a log; none in that of the first.
fn number_of(origin: &str) -> Option<u64> {
    origin.rsplit_once('/')?.1.parse().ok()
}

/// What the first entry of the log after `asides` says of the newest of them. `kept` is the name that the folder remembers:
/// that of the newest, unless it was written for the log after it already.
pub(super) fn previous_segment(
    asides: &[Aside],
    kept: Option<&str>,
    key_id: &KeyId,
    identity: PublicKey,
) -> io::Result<Option<PreviousSegment>> {
    let Some((newest, before)) = asides.split_last() else {
        return Ok(None);
    };
    let of_newest = |kept: &&str| number_of(kept).is_none_or(|number| number < newest.number);
    let origin = origin_after(before, kept.filter(of_newest), key_id);
    let mut file = File::open(&newest.path)?;
    let length = file.metadata()?.len();
    if length <= LOG_BYTES_MAX {
        let mut stored = Vec::new();
        file.take(LOG_BYTES_MAX).read_to_end(&mut stored)?;
        if let Err(damage) = StoredLog::read(&stored, &origin, identity) {
            return Ok(Some(damage.previous_segment(&origin, &stored)));
        }
        let digest = Hash::of(&[&stored]);
        return Ok(Some(PreviousSegment {
            origin,
            bytes: stored.len() as u64,
            digest,
            why: "it was put aside whole".to_owned(),
        }));
    }
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
    Ok(Some(PreviousSegment {
        origin,
        bytes,
        digest: Hash(hasher.finalize().into()),
        why: format!("it has more than the {LOG_BYTES_MAX} bytes that a start reads"),
    }))
}
