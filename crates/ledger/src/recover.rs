//! The stored log: its lines, and what a restart makes of them.
//!
//! ```text
//! e 0123456789abcdef {"seq":0,…}            an entry
//! c 0123456789abcdef "hub.example/…\n2\n…"   a checkpoint, the signed note as one JSON string
//! ```
//! The digits are the first 8 bytes of SHA-256(tag ‖ payload): they tell a torn line from a whole
//! one. They are no protection against a person; the tree and the signatures are.

use crate::body::{Body, PreviousSegment};
use crate::entry::{BootId, Entry, LINE_BYTES_MAX};
use crate::hash::{Hash, to_hex};
use crate::key::{PublicKey, check_key_entry};
use crate::log::Append;
use crate::note::{Checkpoint, Note, NoteKey};
use crate::tree::{Frontier, leaf_hash};

const SUM_DIGITS: usize = 16;
/// Tag, space, checksum, space.
const PREFIX_BYTES: usize = 2 + SUM_DIGITS + 1;
/// A note of 64 KiB as a JSON string, generously.
const FRAME_BYTES_MAX: usize = PREFIX_BYTES + 2 * LINE_BYTES_MAX;

/// What a restart found, and what it wants written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Entries kept.
    pub entries: u64,
    /// Truncate the stored file to this length before writing.
    pub keep_bytes: u64,
    /// The bytes cut at the end; keep a copy aside.
    pub cut_bytes: Vec<u8>,
    /// Why they were cut; `None` when nothing was.
    pub why: Option<String>,
    /// The boot and key entries to write now, in order.
    pub writes: Vec<Append>,
}

/// A stored log that cannot be continued, and where it stops making sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "stored log is damaged at entry {entry} (byte {byte}): {why}; keep it and start a new segment"
)]
pub struct Damage {
    /// Number of good entries before the damage.
    pub entry: u64,
    /// Offset of the bad line.
    pub byte: u64,
    /// What is wrong.
    pub why: String,
}

impl Damage {
    /// What the next segment's boot entry says about the damaged log.
    #[must_use]
    pub fn previous_segment(&self, origin: &str, stored: &[u8]) -> PreviousSegment {
        PreviousSegment {
            origin: origin.to_owned(),
            bytes: stored.len() as u64,
            digest: Hash::of(&[stored]),
            why: self.to_string(),
        }
    }
}

/// An entry of a stored log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry<'a> {
    /// The line as stored, without frame.
    pub line: &'a [u8],
    /// Its leaf hash.
    pub leaf: Hash,
    /// The incident it belongs to.
    pub incident: Option<crate::entry::IncidentId>,
}

/// A checkpoint of a stored log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// Number of entries under it.
    pub size: u64,
    /// The signed note.
    pub note: Vec<u8>,
}

/// A stored log that was read and found in order: every line, every position, every root, every
/// key entry, and the signature of the last head (which covers all before it).
#[derive(Debug, Clone)]
pub struct StoredLog<'a> {
    /// The entries.
    pub entries: Vec<StoredEntry<'a>>,
    /// The checkpoints, in order.
    pub checkpoints: Vec<StoredCheckpoint>,
    /// Length of the good part, bytes.
    pub keep_bytes: usize,
    /// Why the rest was cut.
    pub cut: Option<String>,
    pub(crate) frontier: Frontier,
    /// Position and public key of each key entry.
    pub(crate) keys: Vec<(u64, PublicKey)>,
    last: Option<Last>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Last {
    pub(crate) boot: BootId,
    mono_ms: u64,
}

impl<'a> StoredLog<'a> {
    /// Reads a stored log of this origin and identity. A torn end is cut, anything else is damage.
    pub fn read(stored: &'a [u8], origin: &str, identity: PublicKey) -> Result<Self, Damage> {
        let mut log = Self {
            entries: Vec::new(),
            checkpoints: Vec::new(),
            keep_bytes: 0,
            cut: None,
            frontier: Frontier::new(),
            keys: Vec::new(),
            last: None,
        };
        let mut at = 0;
        let mut head: Option<(Note, PublicKey, u64)> = None;
        while at < stored.len() {
            let (line, next) = match frame(&stored[at..]) {
                Ok((tag, payload, length)) => ((tag, payload), at + length),
                Err(why) => {
                    if any_frame(&stored[at..]) {
                        return Err(log.damage(at, format!("{why}, and whole lines follow it")));
                    }
                    log.cut = Some(why.to_owned());
                    break;
                }
            };
            match line {
                (b'e', payload) => log.take_entry(payload, origin, identity),
                (_, payload) => log
                    .take_checkpoint(payload, origin)
                    .map(|found| head = Some((found.0, found.1, at as u64))),
            }
            .map_err(|why| log.damage(at, why))?;
            at = next;
        }
        log.keep_bytes = at;
        if let Some((note, key, byte)) = head {
            let key =
                NoteKey::device(origin, key).map_err(|error| log.damage(0, error.to_string()))?;
            let checked = note.verify(&key);
            checked.map_err(|error| {
                log.damage(
                    usize::try_from(byte).unwrap_or(usize::MAX),
                    error.to_string(),
                )
            })?;
        }
        log.drop_keyless(stored)?;
        Ok(log)
    }

    /// A first boot that was cut before its key entry left nothing that anybody could check.
    fn drop_keyless(&mut self, stored: &[u8]) -> Result<(), Damage> {
        if !self.keys.is_empty() || stored.is_empty() {
            return Ok(());
        }
        if stored.len() > 2 * FRAME_BYTES_MAX {
            return Err(self.damage(0, "it has no key entry; is it a ledger?".to_owned()));
        }
        *self = Self {
            entries: Vec::new(),
            checkpoints: Vec::new(),
            keep_bytes: 0,
            cut: Some("it ends before its first key entry".to_owned()),
            frontier: Frontier::new(),
            keys: Vec::new(),
            last: None,
        };
        Ok(())
    }

    pub(crate) fn last_entry(&self) -> Option<Last> {
        self.last
    }

    /// The leaf hashes, for proofs.
    #[must_use]
    pub fn leaves(&self) -> Vec<Hash> {
        self.entries.iter().map(|entry| entry.leaf).collect()
    }

    fn damage(&self, byte: usize, why: String) -> Damage {
        Damage {
            entry: self.frontier.size(),
            byte: byte as u64,
            why,
        }
    }

    fn take_entry(
        &mut self,
        line: &'a [u8],
        origin: &str,
        identity: PublicKey,
    ) -> Result<(), String> {
        let entry = Entry::from_line(line).map_err(|error| error.to_string())?;
        let seq = self.frontier.size();
        if entry.seq != seq {
            return Err(format!("it says that it is entry {}", entry.seq));
        }
        let starts = matches!(entry.body, Body::Boot(_));
        check_run(
            self.last.map(|last| (last.boot, last.mono_ms)),
            &entry,
            starts,
        )?;
        if let Body::Key(key) = &entry.body {
            let expected = self.keys.len() as u64;
            if key.epoch != expected {
                return Err(crate::key::KeyError::Epoch {
                    found: key.epoch,
                    expected,
                }
                .to_string());
            }
            let previous = self.keys.last().map(|(_, key)| *key);
            let public = check_key_entry(key, origin, seq, identity, previous)
                .map_err(|error| error.to_string())?;
            self.keys.push((seq, public));
        }
        let leaf = leaf_hash(line);
        self.frontier.push(leaf);
        self.last = Some(Last {
            boot: entry.boot,
            mono_ms: entry.mono_ms,
        });
        self.entries.push(StoredEntry {
            line,
            leaf,
            incident: entry.incident,
        });
        Ok(())
    }

    fn take_checkpoint(
        &mut self,
        payload: &[u8],
        origin: &str,
    ) -> Result<(Note, PublicKey), String> {
        let bytes: String = serde_json::from_slice(payload)
            .map_err(|_| "a checkpoint is no JSON string".to_owned())?;
        let note = Note::parse(bytes.as_bytes()).map_err(|error| error.to_string())?;
        let head = Checkpoint::parse(note.text()).map_err(|error| error.to_string())?;
        if head.origin != origin {
            return Err("a checkpoint of another log".to_owned());
        }
        if head.size != self.frontier.size() || head.root != self.frontier.root() {
            return Err("the entries before the checkpoint are not those it signed".to_owned());
        }
        let Some((_, key)) = self.keys.last() else {
            return Err("a checkpoint before the first key entry".to_owned());
        };
        self.checkpoints.push(StoredCheckpoint {
            size: head.size,
            note: bytes.into_bytes(),
        });
        Ok((note, *key))
    }
}

/// One run has one boot id, begins with a boot entry, and its clock never goes back.
pub(crate) fn check_run(
    last: Option<(BootId, u64)>,
    entry: &Entry,
    starts: bool,
) -> Result<(), String> {
    match last {
        None if !starts => Err("the log does not begin with a boot entry".to_owned()),
        Some((boot, _)) if starts == (boot == entry.boot) => {
            Err("the boot id changes without a boot entry".to_owned())
        }
        Some((_, mono_ms)) if !starts && entry.mono_ms < mono_ms => {
            Err("the clock since boot goes back".to_owned())
        }
        _ => Ok(()),
    }
}

pub(crate) fn frame_entry(line: &[u8]) -> Vec<u8> {
    framed(b'e', line)
}

pub(crate) fn frame_checkpoint(note: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(note); // a note is UTF-8 by construction
    framed(
        b'c',
        serde_json::Value::from(text.into_owned())
            .to_string()
            .as_bytes(),
    )
}

fn framed(tag: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag, b' '];
    bytes.extend_from_slice(checksum(tag, payload).as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(payload);
    bytes.push(b'\n');
    bytes
}

fn checksum(tag: u8, payload: &[u8]) -> String {
    to_hex(&Hash::of(&[&[tag], payload]).0[..SUM_DIGITS / 2])
}

/// The first framed line of `bytes`: tag, payload, length with line end.
fn frame(bytes: &[u8]) -> Result<(u8, &[u8], usize), &'static str> {
    let window = &bytes[..bytes.len().min(FRAME_BYTES_MAX + 1)];
    let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
        return Err("the last line has no end");
    };
    let line = &bytes[..end];
    let whole = line.len() > PREFIX_BYTES && line[1] == b' ' && line[PREFIX_BYTES - 1] == b' ';
    if !whole || !matches!(line[0], b'e' | b'c') {
        return Err("a line is not framed");
    }
    let payload = &line[PREFIX_BYTES..];
    if line[2..PREFIX_BYTES - 1] != *checksum(line[0], payload).as_bytes() {
        return Err("a line's checksum does not match");
    }
    Ok((line[0], payload, end + 1))
}

/// Whether a whole line stands anywhere after the bad one: then it is no torn end.
fn any_frame(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        rest = &rest[end + 1..];
        if frame(rest).is_ok() {
            return true;
        }
    }
    false
}
