//! The files of a bundle, read and checked one by one; and the tree they make together.

use crate::body::Body;
use crate::bundle::{PlacedLine, hidden_line, path};
use crate::entry::Entry;
use crate::hash::Hash;
use crate::json::check_json;
use crate::key::{PublicKey, check_key_entry};
use crate::manifest::Manifest;
use crate::note::{Checkpoint, Note, NoteError, NoteKey};
use crate::tree::{Frontier, leaf_hash, verify_inclusion};

/// Most entries between the checkpoints of a bundle.
pub(super) const ENTRIES_MAX: usize = 1_000_000;
/// Most lines of the smaller lists.
pub(super) const LINES_MAX: usize = 100_000;

pub(super) const FILES: &str = "files";
pub(super) const ORDER: &str = "(a) order";
pub(super) const KEYS: &str = "keys";
pub(super) const AUDIO: &str = "audio";
pub(super) const WITNESS: &str = "witness";
pub(super) const TIME: &str = "(b) time";
pub(super) const DEVICE: &str = "(c) device";
pub(super) const SOUND: &str = "(d) sound";

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Tampered,
    Unreadable,
}

/// The first thing that is wrong ends the check: what follows would rest on it.
pub(super) struct Stop {
    pub(super) what: &'static str,
    pub(super) kind: Kind,
    pub(super) why: String,
}

pub(super) fn fails<T>(what: &'static str, why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop {
        what,
        kind: Kind::Tampered,
        why: why.into(),
    })
}

pub(super) fn unreadable<T>(what: &'static str, why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop {
        what,
        kind: Kind::Unreadable,
        why: why.into(),
    })
}

/// A note that does not parse is unreadable; one whose signature does not hold was changed.
pub(super) fn note_stop(what: &'static str, name: &str, error: &NoteError) -> Stop {
    let kind = match error {
        NoteError::Forged { .. } | NoteError::Unsigned { .. } => Kind::Tampered,
        _ => Kind::Unreadable,
    };
    Stop {
        what,
        kind,
        why: format!("{name}: {error}"),
    }
}

/// What the epochs file says, checked.
pub(super) struct EpochKeyEntry {
    pub(super) seq: u64,
    pub(super) line: Vec<u8>,
    pub(super) proof: Vec<Hash>,
    pub(super) public: PublicKey,
    pub(super) number: u64,
    pub(super) orphan: bool,
}

/// What stands between the checkpoints.
pub(super) struct Entries {
    pub(super) leaves: Vec<Hash>,
    pub(super) shown: Vec<Entry>,
}

/// A head signed by the log, with its note.
pub(super) struct Head {
    pub(super) note: Note,
    pub(super) checkpoint: Checkpoint,
}

/// The tree between the checkpoints, for its root at any size there.
pub(super) struct Roots {
    pub(super) open: Frontier,
    pub(super) leaves: Vec<Hash>,
}

impl Roots {
    /// Asked only for heads that a known witness signed, so that nobody else can make it work.
    pub(super) fn at(&self, size: u64) -> Option<Hash> {
        let more = usize::try_from(size.checked_sub(self.open.size())?).ok()?;
        let mut frontier = self.open.clone();
        self.leaves
            .get(..more)?
            .iter()
            .for_each(|leaf| frontier.push(*leaf));
        Some(frontier.root())
    }
}

pub(super) fn known_file(name: &str) -> bool {
    let fixed = [
        path::README,
        path::SUMMARY,
        path::CERTIFICATION,
        path::ENTRIES,
        path::SALTS,
        path::OPEN,
        path::CLOSE,
        path::FRONTIER,
        path::ENROLMENT,
        path::EPOCHS,
        path::TIME_BEFORE,
    ];
    fixed.contains(&name) || name.starts_with("audio/") && name.ends_with(".wav")
}

pub(super) fn device_key(origin: &str, public: PublicKey) -> Result<NoteKey, Stop> {
    NoteKey::device(origin, public).or_else(|error| unreadable(KEYS, error.to_string()))
}

pub(super) fn parse_note(what: &'static str, name: &str, bytes: &[u8]) -> Result<Note, Stop> {
    Note::parse(bytes).map_err(|error| note_stop(what, name, &error))
}

/// Lines with their ends, at most `max` of them.
pub(super) fn lines<'a>(
    what: &'static str,
    name: &str,
    bytes: &'a [u8],
    max: usize,
) -> Result<Vec<&'a [u8]>, Stop> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let Some(body) = bytes.strip_suffix(b"\n") else {
        return unreadable(what, format!("{name}: the last line has no end"));
    };
    let lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').take(max + 1).collect();
    if lines.len() > max {
        return unreadable(what, format!("{name}: more than {max} lines"));
    }
    Ok(lines)
}

pub(super) fn json_line<T: serde::de::DeserializeOwned>(
    what: &'static str,
    name: &str,
    line: &[u8],
) -> Result<T, Stop> {
    check_json(line).or_else(|error| unreadable(what, format!("{name}: {error}")))?;
    serde_json::from_slice(line)
        .or_else(|_| unreadable(what, format!("{name}: a line has other fields")))
}

/// The chain of epoch keys: each signed by the identity, contiguous, each by the one before it unless lost.
pub(super) fn read_epochs(
    bytes: &[u8],
    origin: &str,
    identity: PublicKey,
) -> Result<Vec<EpochKeyEntry>, Stop> {
    let mut epochs: Vec<EpochKeyEntry> = Vec::new();
    for line in lines(KEYS, path::EPOCHS, bytes, LINES_MAX)? {
        let PlacedLine { seq, entry, proof } = json_line(KEYS, path::EPOCHS, line)?;
        let parsed = Entry::from_line(entry.as_bytes())
            .or_else(|error| unreadable(KEYS, format!("{}: {error}", path::EPOCHS)))?;
        let Body::Key(body) = &parsed.body else {
            return fails(KEYS, format!("entry {seq} is no key entry"));
        };
        let before = epochs.last();
        if parsed.seq != seq
            || before.is_some_and(|before| before.seq >= seq || before.number + 1 != body.epoch)
        {
            return fails(
                KEYS,
                format!("the key of epoch {} is out of turn", body.epoch),
            );
        }
        let public = check_key_entry(
            body,
            origin,
            seq,
            identity,
            before.map(|before| before.public),
        )
        .or_else(|error| fails(KEYS, error.to_string()))?;
        let (number, orphan) = (body.epoch, body.epoch > 0 && body.by_previous.is_none());
        epochs.push(EpochKeyEntry {
            seq,
            line: entry.into_bytes(),
            proof,
            public,
            number,
            orphan,
        });
    }
    if epochs.is_empty() {
        unreadable(KEYS, "no epoch key")
    } else {
        Ok(epochs)
    }
}

/// A checkpoint signed by the key of its own epoch and no other (CVE-2023-31439 in reference/ledger.md 3.1).
pub(super) fn read_head(
    name: &str,
    bytes: &[u8],
    origin: &str,
    size: u64,
    epochs: &[EpochKeyEntry],
) -> Result<Head, Stop> {
    let note = parse_note(ORDER, name, bytes)?;
    let checkpoint =
        Checkpoint::parse(note.text()).map_err(|error| note_stop(ORDER, name, &error))?;
    if checkpoint.origin != origin || checkpoint.size != size {
        return fails(
            ORDER,
            format!("{name} is not the checkpoint that the manifest names"),
        );
    }
    let Some(epoch) = epochs.iter().rev().find(|key| key.seq < size) else {
        return fails(KEYS, format!("no epoch key was in force at {name}"));
    };
    let key = device_key(origin, epoch.public)?;
    note.verify(&key)
        .map_err(|error| note_stop(ORDER, name, &error))?;
    Ok(Head { note, checkpoint })
}

pub(super) fn read_frontier(bytes: &[u8], open: &Head) -> Result<Frontier, Stop> {
    let text = lines(ORDER, path::FRONTIER, bytes, 65)?;
    let mut peaks = Vec::new();
    for line in text.iter().skip(1) {
        let Some(peak) = std::str::from_utf8(line).ok().and_then(Hash::from_base64) else {
            return unreadable(ORDER, format!("{}: a line is no hash", path::FRONTIER));
        };
        peaks.push(peak);
    }
    let size = open.checkpoint.size;
    let frontier = Frontier::from_peaks(size, peaks).filter(|_| {
        text.first()
            .is_some_and(|line| *line == size.to_string().as_bytes())
    });
    match frontier {
        Some(frontier) if frontier.root() == open.checkpoint.root => Ok(frontier),
        _ => fails(ORDER, "the frontier is not that of the opening checkpoint"),
    }
}

pub(super) fn read_entries(bytes: &[u8], manifest: &Manifest) -> Result<Entries, Stop> {
    let text = lines(ORDER, path::ENTRIES, bytes, ENTRIES_MAX)?;
    if manifest.close.checked_sub(manifest.open) != Some(text.len() as u64) {
        return fails(
            ORDER,
            format!(
                "{} entries between checkpoints at {} and {}",
                text.len(),
                manifest.open,
                manifest.close
            ),
        );
    }
    let mut entries = Entries {
        leaves: Vec::with_capacity(text.len()),
        shown: Vec::new(),
    };
    for (seq, line) in (manifest.open..).zip(text) {
        if let Some(leaf) = hidden_leaf(line) {
            entries.leaves.push(leaf);
            continue;
        }
        let entry = Entry::from_line(line)
            .or_else(|error| unreadable(ORDER, format!("entry {seq}: {error}")))?;
        if entry.seq != seq {
            return fails(
                ORDER,
                format!("entry {seq} says that it is entry {}", entry.seq),
            );
        }
        entries.leaves.push(leaf_hash(line));
        entries.shown.push(entry);
    }
    Ok(entries)
}

/// `{"leaf":"…"}`, spelled exactly so.
pub(crate) fn hidden_leaf(line: &[u8]) -> Option<Hash> {
    let digits = line.strip_prefix(b"{\"leaf\":\"")?.strip_suffix(b"\"}")?;
    let leaf = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (hidden_line(&leaf).as_bytes() == line).then_some(leaf)
}

pub(super) fn check_roots(open: Frontier, entries: &Entries, close: &Head) -> Result<Roots, Stop> {
    let roots = Roots {
        open,
        leaves: entries.leaves.clone(),
    };
    if roots.at(close.checkpoint.size) != Some(close.checkpoint.root) {
        return fails(
            ORDER,
            "the entries are not those that the closing checkpoint signed",
        );
    }
    Ok(roots)
}

/// An earlier entry of the log that carries a witness's answer, at its place in the closing tree.
pub(super) fn read_time_before(bytes: &[u8], close: &Head) -> Result<Option<Entry>, Stop> {
    let text = lines(TIME, path::TIME_BEFORE, bytes, 1)?;
    let Some(line) = text.first() else {
        return Ok(None);
    };
    let PlacedLine { seq, entry, proof } = json_line(TIME, path::TIME_BEFORE, line)?;
    let leaf = leaf_hash(entry.as_bytes());
    let close = &close.checkpoint;
    let Ok(parsed) = Entry::from_line(entry.as_bytes()) else {
        return unreadable(TIME, format!("{}: no entry", path::TIME_BEFORE));
    };
    if parsed.seq != seq || verify_inclusion(&leaf, seq, close.size, &proof, &close.root).is_err() {
        return fails(
            TIME,
            format!("the time evidence does not stand in the log at entry {seq}"),
        );
    }
    Ok(Some(parsed))
}

/// The key entries stand in the tree where they say, and no other is shown.
pub(super) fn check_epoch_positions(
    epochs: &[EpochKeyEntry],
    entries: &Entries,
    open: &Head,
    close: &Head,
) -> Result<(), Stop> {
    let (open, close) = (&open.checkpoint, &close.checkpoint);
    for key in epochs {
        let leaf = leaf_hash(&key.line);
        let placed = if key.seq >= close.size {
            key.proof.is_empty()
        } else {
            verify_inclusion(&leaf, key.seq, close.size, &key.proof, &close.root).is_ok()
        };
        if !placed {
            return fails(
                KEYS,
                format!(
                    "the key of epoch {} does not stand in the log at entry {}",
                    key.number, key.seq
                ),
            );
        }
    }
    let listed: Vec<u64> = epochs
        .iter()
        .map(|key| key.seq)
        .filter(|seq| (open.size..close.size).contains(seq))
        .collect();
    let shown: Vec<u64> = entries
        .shown
        .iter()
        .filter(|entry| matches!(entry.body, Body::Key(_)))
        .map(|entry| entry.seq)
        .collect();
    if listed != shown {
        return fails(
            KEYS,
            "the key entries among the entries are not those in keys/epochs.jsonl",
        );
    }
    Ok(())
}
