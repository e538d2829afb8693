//! The list of a bundle's files with their digests, signed by the device's epoch key.
//!
//! Entries and audio are covered by the tree already; the manifest covers the rest (README,
//! summary, cosignatures of witnesses that the checker does not know), so that every byte counts.

use crate::hash::Hash;
use crate::note::NoteError;
use crate::zip::File;

/// Where it stands: the last file.
pub(crate) const PATH: &str = "manifest.note";
const FORMAT: &str = "hearthline bundle v1";

/// What the manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) incident: String,
    pub(crate) origin: String,
    pub(crate) open: u64,
    pub(crate) close: u64,
    /// Device's wall clock at export, milliseconds: an annotation.
    pub(crate) exported_ms: Option<u64>,
    /// Version of the derived files' wording.
    pub(crate) wording: u32,
    pub(crate) files: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) digest: Hash,
    pub(crate) bytes: u64,
    pub(crate) path: String,
}

impl Line {
    pub(crate) fn of(file: &File<'_>) -> Self {
        Self {
            digest: Hash::of(&[file.bytes]),
            bytes: file.bytes.len() as u64,
            path: file.name.to_owned(),
        }
    }
}

impl Manifest {
    pub(crate) fn to_text(&self) -> String {
        let exported = self
            .exported_ms
            .map_or("-".to_owned(), |time| time.to_string());
        let mut text = format!(
            "{FORMAT}\nincident {}\norigin {}\nopen {}\nclose {}\nexported_ms {exported}\nwording {}\n",
            self.incident, self.origin, self.open, self.close, self.wording
        );
        for Line {
            digest,
            bytes,
            path,
        } in &self.files
        {
            text.push_str(&format!("file {digest} {bytes} {path}\n"));
        }
        text
    }

    pub(crate) fn parse(text: &str) -> Result<Self, NoteError> {
        let wrong = NoteError::Text("it is not a manifest of this version");
        let mut lines = text.lines();
        if lines.next() != Some(FORMAT) {
            return Err(wrong);
        }
        let mut field = |name: &str| -> Result<&str, NoteError> {
            let line = lines
                .next()
                .and_then(|line| line.strip_prefix(name))
                .and_then(|rest| rest.strip_prefix(' '));
            line.ok_or(NoteError::Text("it is not a manifest of this version"))
        };
        let number = |text: &str| {
            text.parse::<u64>()
                .map_err(|_| NoteError::Text("a number cannot be read"))
        };
        let incident = field("incident")?.to_owned();
        let origin = field("origin")?.to_owned();
        let open = number(field("open")?)?;
        let close = number(field("close")?)?;
        let exported_ms = match field("exported_ms")? {
            "-" => None,
            time => Some(number(time)?),
        };
        let wording = field("wording")?.parse().map_err(|_| wrong.clone())?;
        let mut files = Vec::new();
        for line in lines {
            let mut items = line
                .strip_prefix("file ")
                .ok_or(wrong.clone())?
                .splitn(3, ' ');
            let (Some(digest), Some(bytes), Some(path)) =
                (items.next(), items.next(), items.next())
            else {
                return Err(wrong);
            };
            let digest = digest.parse().map_err(|_| wrong.clone())?;
            files.push(Line {
                digest,
                bytes: number(bytes)?,
                path: path.to_owned(),
            });
        }
        let manifest = Self {
            incident,
            origin,
            open,
            close,
            exported_ms,
            wording,
            files,
        };
        // One spelling: no leading zeros, no carriage returns.
        if manifest.to_text() == text {
            Ok(manifest)
        } else {
            Err(wrong)
        }
    }
}
