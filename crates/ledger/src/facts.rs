//! What a bundle that was checked says of itself, for whoever lists incidents: none of its words.

use crate::body::Body;
use crate::bundle::path;
use crate::entry::Entry;
use crate::manifest::{self, Manifest};
use crate::note::Note;
use crate::verify::hidden_leaf;
use crate::zip;

/// A bundle in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The incident's name.
    pub incident: String,
    /// When it was opened, milliseconds since 1970-01-01 UTC by the device's clock; none: the device knew no time.
    pub opened_ms: Option<u64>,
    /// How many entries the incident has.
    pub entries: u32,
    /// Whether each of them is of a drill.
    pub drill: bool,
    /// How it ended, as the last end entry has it ([`crate::End::outcome`]); none: it goes on.
    pub outcome: Option<String>,
}

impl Facts {
    /// Of a bundle that [`crate::verify()`] found intact. It checks nothing itself; none: it is no bundle.
    #[must_use]
    pub fn of(bundle: &[u8]) -> Option<Self> {
        let files = zip::read(bundle).ok()?;
        let file = |name: &str| files.iter().find(|file| file.name == name);
        let note = Note::parse(file(manifest::PATH)?.bytes).ok()?;
        let manifest = Manifest::parse(note.text()).ok()?;
        let mut facts = Self {
            incident: manifest.incident,
            opened_ms: None,
            entries: 0,
            drill: true,
            outcome: None,
        };
        let lines = file(path::ENTRIES)?.bytes.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.is_empty() && hidden_leaf(line).is_none()) {
            let entry = Entry::from_line(line).ok()?;
            let own = |incident: &crate::IncidentId| incident.as_str() == facts.incident;
            if !entry.incident.as_ref().is_some_and(own) {
                continue;
            }
            facts.entries = facts.entries.checked_add(1)?;
            facts.drill &= entry.drill;
            facts.opened_ms = facts.opened_ms.or(entry.wall_ms);
            if let Body::End(end) = entry.body {
                facts.outcome = Some(end.outcome);
            }
        }
        Some(facts)
    }
}
