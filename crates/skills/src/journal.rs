//! The journal: every change as one line, appended and synced before it is said to be done.
//!
//! ```text
//! 8 hex digits CRC-32 of the rest ─┐
//!                                  3f2a91c4 {"seq":17,"put":[4,{"timer":{…}}]}\n
//!                                  9b00e1d2 {"seq":18,"drop":4}\n
//! ```
//! A line says all about one thing, so that reading lines twice, or the end of an older file again, changes nothing.
//! A line without its end, at the end, is torn: the power went. It was never acknowledged, so it is cut off. A damaged
//! line before others is the disk's doing: it is left out and counted, the others stand.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::item::{Id, Item};

/// Largest journal that is read, in bytes.
pub const JOURNAL_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest line, in bytes.
pub const LINE_BYTES_MAX: usize = 16 * 1024;
/// Most things that are kept at once.
pub const ITEMS_MAX: usize = 5_000;
/// Before a journal is worth being written anew, in bytes.
const COMPACT_BYTES_MIN: usize = 32 * 1024;

/// A change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// This thing is now so.
    Put(Id, Item),
    /// This thing is gone.
    Drop(Id),
    /// Every number up to this one was given away.
    Used(Id),
    /// The journal's name at the hub.
    Began(u64),
    /// The hub's copy has been this journal's: it is never taken back for a lost one any more.
    Mirrored(bool),
}

#[derive(Serialize, Deserialize)]
struct Row {
    seq: u64,
    #[serde(flatten)]
    change: Change,
}

/// What a journal says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recovered {
    /// Everything that is kept.
    pub items: BTreeMap<Id, Item>,
    /// The last number of a line.
    pub seq: u64,
    /// The highest number of a thing that was ever given.
    pub last_id: u64,
    /// The journal's name at the hub; 0: it has none.
    pub name: u64,
    /// Whether the hub's copy has been this journal's.
    pub mirrored: bool,
    /// So many bytes from the start are whole lines; what follows is torn.
    pub whole_bytes: usize,
    /// Bytes behind them.
    pub torn_bytes: usize,
    /// Lines that could not be read, and things beyond the limit.
    pub damaged: usize,
}

/// The journal as it stands: numbers its lines, and knows when it is worth being written anew.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    seq: u64,
    bytes: usize,
    compact_bytes: usize,
    name: u64,
    mirrored: bool,
}

impl Journal {
    /// Goes on behind what was recovered.
    #[must_use]
    pub fn behind(recovered: &Recovered) -> Self {
        Self {
            seq: recovered.seq,
            bytes: recovered.whole_bytes,
            compact_bytes: 0,
            name: recovered.name,
            mirrored: recovered.mirrored,
        }
    }

    /// Its name at the hub; 0: it has none.
    #[must_use]
    pub fn name(&self) -> u64 {
        self.name
    }

    /// Whether the hub's copy has been this journal's.
    #[must_use]
    pub fn was_mirrored(&self) -> bool {
        self.mirrored
    }

    /// Gives it a name; to be written by [`Change::Began`].
    pub fn set_name(&mut self, name: u64) {
        self.name = name;
    }

    /// The hub's copy is this journal's; to be written by [`Change::Mirrored`].
    pub fn set_mirrored(&mut self) {
        self.mirrored = true;
    }

    /// Lines up to this number were written once, and are lost.
    pub fn go_beyond(&mut self, seq: u64) {
        self.seq = self.seq.max(seq);
    }

    /// Number of the last line.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The lines of some changes, to be appended.
    #[must_use]
    pub fn append(&mut self, changes: &[Change]) -> Vec<u8> {
        let mut out = Vec::new();
        for change in changes {
            self.seq += 1;
            line(self.seq, change, &mut out);
        }
        self.bytes += out.len();
        out
    }

    /// Whether most of it is of the past.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.bytes > COMPACT_BYTES_MIN.max(self.compact_bytes.saturating_mul(4))
    }

    /// Everything that is kept, and nothing of the past: to replace the whole journal.
    #[must_use]
    pub fn compact(&mut self, items: &BTreeMap<Id, Item>, last_id: u64) -> Vec<u8> {
        let mut out = Vec::new();
        self.seq += 1;
        line(self.seq, &Change::Used(Id(last_id)), &mut out);
        if self.name != 0 {
            self.seq += 1;
            line(self.seq, &Change::Began(self.name), &mut out);
        }
        if self.mirrored {
            self.seq += 1;
            line(self.seq, &Change::Mirrored(true), &mut out);
        }
        for (id, item) in items {
            self.seq += 1;
            line(self.seq, &Change::Put(*id, item.clone()), &mut out);
        }
        self.bytes = out.len();
        self.compact_bytes = out.len();
        out
    }
}

/// Reads a journal. Whatever the bytes are, what is whole in them comes out.
#[must_use]
pub fn recover(bytes: &[u8]) -> Recovered {
    let mut found = Recovered::default();
    let bytes = &bytes[..bytes.len().min(JOURNAL_BYTES_MAX)];
    let mut at = 0;
    while let Some(length) = bytes[at..].iter().position(|byte| *byte == b'\n') {
        let row = read_line(&bytes[at..at + length]);
        at += length + 1;
        match row {
            Some(row) => {
                found.take(row);
                found.whole_bytes = at;
            }
            // Lines behind it decide whether it is the torn end.
            None => found.damaged += 1,
        }
    }
    found.torn_bytes = bytes.len() - found.whole_bytes;
    if found.torn_bytes > 0 && found.whole_bytes < at {
        // Whole-looking lines at the very end that do not add up: the torn end of one append, not damage.
        let ends = bytes[found.whole_bytes..at]
            .iter()
            .filter(|byte| **byte == b'\n');
        found.damaged -= ends.count().min(found.damaged);
    }
    found
}

impl Recovered {
    fn take(&mut self, row: Row) {
        self.seq = self.seq.max(row.seq);
        match row.change {
            Change::Put(id, item) => {
                self.last_id = self.last_id.max(id.0);
                if self.items.len() < ITEMS_MAX || self.items.contains_key(&id) {
                    self.items.insert(id, item);
                } else {
                    self.damaged += 1;
                }
            }
            Change::Drop(id) => {
                self.last_id = self.last_id.max(id.0);
                self.items.remove(&id);
            }
            Change::Used(id) => self.last_id = self.last_id.max(id.0),
            Change::Began(name) => self.name = name,
            Change::Mirrored(mirrored) => self.mirrored = mirrored,
        }
    }
}

fn line(seq: u64, change: &Change, out: &mut Vec<u8>) {
    let change = change.clone();
    let text = serde_json::to_string(&Row { seq, change })
        .expect("every key is a string and every number finite");
    out.extend(format!("{:08x} {text}\n", crc32(text.as_bytes())).into_bytes());
}

fn read_line(line: &[u8]) -> Option<Row> {
    if line.len() > LINE_BYTES_MAX {
        return None;
    }
    let (sum, text) = (line.get(..8)?, line.get(9..)?);
    let sum = core::str::from_utf8(sum).ok()?;
    let lower = sum
        .bytes()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if line[8] != b' ' || !lower || u32::from_str_radix(sum, 16).ok()? != crc32(text) {
        return None;
    }
    let row: Row = serde_json::from_slice(text).ok()?;
    // A number at the very end of its range would leave none for what comes.
    let id = match &row.change {
        Change::Put(id, _) | Change::Drop(id) | Change::Used(id) => id.0,
        Change::Began(_) | Change::Mirrored(_) => 0,
    };
    (row.seq < u64::MAX / 2 && id < u64::MAX / 2).then_some(row)
}

/// CRC-32 (ISO 3309, as in Ethernet and gzip).
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_well_known_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
