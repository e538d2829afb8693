//! Export of one incident: everything a stranger needs to check it, in one file.
//!
//! From the frontier at the opening checkpoint and all leaves after it the closing root follows;
//! nothing between can be missing (reference/ledger.md 3.4). What does not belong to the incident
//! is there as its leaf hash only.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::body::Body;
use crate::capture::{AudioChunk, Stream};
use crate::entry::{Entry, IncidentId};
use crate::hash::Hash;
use crate::key::{EpochKey, IdentityKey, enrolment_note};
use crate::manifest::{self, Manifest};
use crate::note::{Note, NoteError};
use crate::policy::TrustPolicy;
use crate::recover::{Damage, StoredCheckpoint, StoredLog};
use crate::report::Exit;
use crate::summary::{self, Facts};
use crate::tree::{Frontier, inclusion_proof};
use crate::verify::verify;
use crate::zip::{self, File};
use crate::{ChunkCommitment, wav};

/// Largest bundle, bytes: over an hour of both directions of a call.
pub const BUNDLE_BYTES_MAX: usize = 256 << 20;

/// Names of the files, as the reader knows them too.
pub(crate) mod path {
    pub(crate) const README: &str = "README.txt";
    pub(crate) const SUMMARY: &str = "summary.html";
    pub(crate) const CERTIFICATION: &str = "certification.txt";
    pub(crate) const ENTRIES: &str = "entries.jsonl";
    pub(crate) const SALTS: &str = "audio/salts.jsonl";
    pub(crate) const OPEN: &str = "log/open.note";
    pub(crate) const CLOSE: &str = "log/close.note";
    pub(crate) const FRONTIER: &str = "frontier.txt";
    pub(crate) const ENROLMENT: &str = "keys/enrolment.note";
    pub(crate) const EPOCHS: &str = "keys/epochs.jsonl";
    pub(crate) const TIME_BEFORE: &str = "time/before.jsonl";
}

/// What to export.
#[derive(Debug, Clone, Copy)]
pub struct ExportRequest<'a> {
    /// The incident.
    pub incident: &'a IncidentId,
    /// The chunks that still exist; each must be committed by an entry of the incident.
    pub audio: &'a [AudioChunk],
    /// Checkpoints as witnesses gave them back, with their cosignatures.
    pub cosigned: &'a [Vec<u8>],
    /// Wall clock, milliseconds since 1970-01-01 UTC.
    pub exported_ms: Option<u64>,
}

/// An exported incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// `incident-<id>.zip`
    pub file_name: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// SHA-256 of the file, for an [`crate::Export`] entry.
    pub digest: Hash,
}

/// Why an incident cannot be exported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The stored log is damaged.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The bytes passed in end before the log does.
    #[error("the stored log passed in is older than the log itself; pass all of it")]
    Stale,
    /// No entry names the incident.
    #[error("no entry belongs to incident {0}")]
    NoSuchIncident(IncidentId),
    /// No checkpoint before the incident.
    #[error("no checkpoint stands before the incident; take one at start")]
    NoOpening,
    /// No checkpoint after the incident's last entry.
    #[error(
        "no checkpoint stands after the incident's last entry; take one, write it, then export"
    )]
    NoClosing,
    /// A chunk that no entry of the incident commits, or committed twice.
    #[error("the chunk of {stream} at sample {first_sample} {what}")]
    Audio {
        /// Its stream.
        stream: Stream,
        /// Its first sample.
        first_sample: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A note could not be made or read.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Larger than [`BUNDLE_BYTES_MAX`].
    #[error(
        "the bundle would have {bytes} bytes; at most {BUNDLE_BYTES_MAX} are allowed, pass less audio"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The verifier refuses what was exported: our bug, told before anybody relies on the file.
    #[error("the exported bundle does not verify: {0}")]
    SelfCheck(String),
}

/// A line of keys/epochs.jsonl or time/before.jsonl: an entry from outside the exported range.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlacedLine {
    pub(crate) seq: u64,
    /// The entry, verbatim.
    pub(crate) entry: String,
    /// Its audit path in the tree of the closing checkpoint; empty when it comes after that.
    pub(crate) proof: Vec<Hash>,
}

/// A line of audio/salts.jsonl.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SaltLine {
    pub(crate) file: String,
    pub(crate) first_sample: u64,
    pub(crate) samples: u32,
    pub(crate) salt: Hash,
}

pub(crate) fn hidden_line(leaf: &Hash) -> String {
    format!("{{\"leaf\":\"{leaf}\"}}")
}

/// Entries that every bundle shows: without them nobody can check keys and runs.
pub(crate) fn always_shown(body: &Body) -> bool {
    matches!(
        body,
        Body::Boot(_) | Body::Key(_) | Body::Time(_) | Body::Late(_)
    )
}

pub(crate) fn export(
    origin: &str,
    identity: &IdentityKey,
    epoch: &EpochKey,
    stored: &[u8],
    request: &ExportRequest<'_>,
) -> Result<Bundle, BundleError> {
    let log = StoredLog::read(stored, origin, identity.public())?;
    if log
        .keys
        .last()
        .is_none_or(|(_, key)| *key != epoch.public())
    {
        return Err(BundleError::Stale);
    }
    let belongs = |index: &usize| log.entries[*index].incident.as_ref() == Some(request.incident);
    let first = (0..log.entries.len()).find(belongs);
    let last = (0..log.entries.len()).rfind(belongs);
    let (Some(first), Some(last)) = (first, last) else {
        return Err(BundleError::NoSuchIncident(request.incident.clone()));
    };
    let (open, close) = choose_heads(&log, first as u64, last as u64, request.cosigned)?;
    let leaves = log.leaves();
    let (open_at, close_at) = (index(open.size), index(close.size));

    let mut lines = String::new();
    let mut shown = Vec::new();
    for stored_entry in &log.entries[open_at..close_at] {
        let entry = Entry::from_line(stored_entry.line).expect("the stored log was read already");
        if stored_entry.incident.as_ref() == Some(request.incident)
            || always_shown(&entry.body) && entry.incident.is_none()
        {
            lines.push_str(std::str::from_utf8(stored_entry.line).expect("entries are JSON"));
            shown.push(entry);
        } else {
            lines.push_str(&hidden_line(&stored_entry.leaf));
        }
        lines.push('\n');
    }

    let mut frontier = Frontier::new();
    leaves[..open_at]
        .iter()
        .for_each(|leaf| frontier.push(*leaf));
    let facts = Facts {
        incident: request.incident.as_str(),
        origin,
        device: identity.key_id().to_string(),
        open: open.size,
        close: close.size,
        exported_ms: request.exported_ms,
    };
    let hidden = (close_at - open_at - shown.len()) as u64;
    let mut files: Vec<(String, Vec<u8>)> = vec![
        (
            path::README.to_owned(),
            summary::readme(&facts).into_bytes(),
        ),
        (
            path::SUMMARY.to_owned(),
            summary::html(&facts, &shown, hidden).into_bytes(),
        ),
        (
            path::CERTIFICATION.to_owned(),
            summary::certification(&facts).into_bytes(),
        ),
        (path::ENTRIES.to_owned(), lines.into_bytes()),
    ];
    files.extend(audio_files(&shown, request)?);
    files.push((path::OPEN.to_owned(), open.note.clone()));
    files.push((path::CLOSE.to_owned(), close.note.clone()));
    let peaks: String = frontier
        .peaks()
        .iter()
        .map(|peak| format!("{}\n", peak.to_base64()))
        .collect();
    files.push((
        path::FRONTIER.to_owned(),
        format!("{}\n{peaks}", frontier.size()).into_bytes(),
    ));
    files.push((
        path::ENROLMENT.to_owned(),
        enrolment_note(identity, origin)?.to_bytes(),
    ));
    files.push((
        path::EPOCHS.to_owned(),
        epoch_lines(&log, &leaves[..close_at], open.size),
    ));
    files.push((
        path::TIME_BEFORE.to_owned(),
        time_before(&log, &leaves[..close_at], open_at),
    ));

    let bytes = 1024
        + files
            .iter()
            .map(|(name, bytes)| bytes.len() + 2 * name.len() + 256)
            .sum::<usize>();
    if bytes > BUNDLE_BYTES_MAX {
        return Err(BundleError::TooLarge { bytes });
    }
    let listed: Vec<File<'_>> = files
        .iter()
        .map(|(name, bytes)| File { name, bytes })
        .collect();
    let manifest = Manifest {
        incident: request.incident.to_string(),
        origin: origin.to_owned(),
        open: open.size,
        close: close.size,
        exported_ms: request.exported_ms,
        wording: summary::WORDING,
        files: listed.iter().map(manifest::Line::of).collect(),
    };
    let note = Note::sign(manifest.to_text(), &[(origin, epoch.signing())])?.to_bytes();
    let mut all = listed;
    all.push(File {
        name: manifest::PATH,
        bytes: &note,
    });
    let bytes = zip::write(&all);
    let report = verify(&bytes, &TrustPolicy::none());
    if report.exit != Exit::Unwitnessed {
        return Err(BundleError::SelfCheck(report.to_string()));
    }
    let digest = Hash::of(&[&bytes]);
    Ok(Bundle {
        file_name: format!("incident-{}.zip", request.incident),
        bytes,
        digest,
    })
}

fn index(size: u64) -> usize {
    usize::try_from(size).expect("sizes come from a list in memory")
}

/// The last checkpoint before the incident, and the first after it that a witness cosigned, or else the first.
fn choose_heads(
    log: &StoredLog<'_>,
    first: u64,
    last: u64,
    cosigned: &[Vec<u8>],
) -> Result<(StoredCheckpoint, StoredCheckpoint), BundleError> {
    let with_cosignatures =
        |head: &StoredCheckpoint| -> Result<(StoredCheckpoint, bool), BundleError> {
            let mut note = Note::parse(&head.note)?;
            for bytes in cosigned {
                let other = Note::parse(bytes)?;
                if other.text() == note.text() {
                    for signature in other.signatures() {
                        if !note.signatures().contains(signature) {
                            note.add_signature(signature.clone())?;
                        }
                    }
                }
            }
            let found = note.signatures().len() > 1;
            Ok((
                StoredCheckpoint {
                    size: head.size,
                    note: note.to_bytes(),
                },
                found,
            ))
        };
    let open = log
        .checkpoints
        .iter()
        .rev()
        .find(|head| head.size <= first)
        .ok_or(BundleError::NoOpening)?;
    let mut close = None;
    for head in log.checkpoints.iter().filter(|head| head.size > last) {
        let (head, cosigned) = with_cosignatures(head)?;
        if cosigned {
            close = Some(head);
            break;
        }
        close = close.or(Some(head));
    }
    Ok((
        with_cosignatures(open)?.0,
        close.ok_or(BundleError::NoClosing)?,
    ))
}

/// The key in force at the opening, and all after it up to the one that signs the manifest.
fn epoch_lines(log: &StoredLog<'_>, leaves: &[Hash], open: u64) -> Vec<u8> {
    let in_force = log
        .keys
        .iter()
        .rposition(|(seq, _)| *seq < open)
        .unwrap_or(0);
    let keys = &log.keys[in_force..];
    keys.iter()
        .flat_map(|(seq, _)| placed(log, leaves, index(*seq)))
        .collect()
}

/// The last answer of a witness before the opening: the lower bound for everything after it.
fn time_before(log: &StoredLog<'_>, leaves: &[Hash], open: usize) -> Vec<u8> {
    let signed = |at: &usize| {
        let entry =
            Entry::from_line(log.entries[*at].line).expect("the stored log was read already");
        entry.incident.is_none()
            && matches!(entry.body, Body::Time(time) if time.cosigned.is_some())
    };
    (0..open)
        .rfind(signed)
        .map_or_else(Vec::new, |at| placed(log, leaves, at))
}

fn placed(log: &StoredLog<'_>, leaves: &[Hash], at: usize) -> Vec<u8> {
    let line = PlacedLine {
        seq: at as u64,
        entry: String::from_utf8_lossy(log.entries[at].line).into_owned(),
        proof: inclusion_proof(leaves, at).unwrap_or_default(),
    };
    let mut text = serde_json::to_vec(&line).expect("strings and numbers are JSON");
    text.push(b'\n');
    text
}

/// WAV files, one for each unbroken run of chunks of a stream, and the salts.
fn audio_files(
    shown: &[Entry],
    request: &ExportRequest<'_>,
) -> Result<Vec<(String, Vec<u8>)>, BundleError> {
    let committed = commitments(shown);
    let mut chunks: Vec<(&AudioChunk, ChunkCommitment)> = request
        .audio
        .iter()
        .map(|chunk| (chunk, chunk.commitment()))
        .collect();
    // Entry order first: a second run of the device starts its sample counters again.
    chunks
        .sort_by_key(|(_, commitment)| committed.get(&commitment.digest).map(|found| found.order));
    let mut files: Vec<(String, u32, Vec<u8>)> = Vec::new();
    let mut salts = String::new();
    let mut seen = std::collections::HashSet::new();
    let mut open: HashMap<(&Stream, u32), (usize, u64)> = HashMap::new();
    for (chunk, commitment) in &chunks {
        let wrong = |what| BundleError::Audio {
            stream: chunk.stream.clone(),
            first_sample: chunk.first_sample,
            what,
        };
        let found = committed
            .get(&commitment.digest)
            .ok_or(wrong("is not committed by the incident"))?;
        let same = *found.stream == chunk.stream
            && found.rate_hz == chunk.rate_hz
            && found.commitment == *commitment;
        if !same {
            return Err(wrong("is committed with another place"));
        }
        if !seen.insert(commitment.digest) {
            return Err(wrong("is passed twice"));
        }
        let key = (&chunk.stream, chunk.rate_hz);
        let file = match open.get(&key) {
            Some((file, next)) if *next == chunk.first_sample => *file,
            _ => {
                let name = wav_name(files.len(), &chunk.stream, chunk.first_sample);
                files.push((name, chunk.rate_hz, Vec::new()));
                files.len() - 1
            }
        };
        open.insert(
            key,
            (file, chunk.first_sample + u64::from(commitment.samples)),
        );
        files[file].2.extend_from_slice(&chunk.to_bytes());
        let line = SaltLine {
            file: files[file].0.clone(),
            first_sample: chunk.first_sample,
            samples: commitment.samples,
            salt: Hash(chunk.salt),
        };
        salts.push_str(&serde_json::to_string(&line).expect("strings and numbers are JSON"));
        salts.push('\n');
    }
    let mut written: Vec<(String, Vec<u8>)> = files
        .into_iter()
        .map(|(name, rate_hz, pcm)| (name, wav::write(rate_hz, &pcm)))
        .collect();
    written.push((path::SALTS.to_owned(), salts.into_bytes()));
    Ok(written)
}

/// `audio/01-microphone-16000.wav`: number, stream, first sample.
pub(crate) fn wav_name(number: usize, stream: &Stream, first_sample: u64) -> String {
    format!("audio/{:02}-{stream}-{first_sample}.wav", number + 1)
}

/// A commitment with where it stands.
pub(crate) struct Committed<'a> {
    pub(crate) stream: &'a Stream,
    pub(crate) rate_hz: u32,
    pub(crate) commitment: ChunkCommitment,
    order: usize,
}

/// All commitments of the shown entries, by digest: the salt makes each digest unique.
pub(crate) fn commitments(shown: &[Entry]) -> HashMap<Hash, Committed<'_>> {
    let mut found = HashMap::new();
    for entry in shown.iter().filter(|entry| entry.incident.is_some()) {
        let Body::Capture(capture) = &entry.body else {
            continue;
        };
        for commitment in &capture.chunks {
            let order = found.len();
            found.insert(
                commitment.digest,
                Committed {
                    stream: &capture.stream,
                    rate_hz: capture.rate_hz,
                    commitment: *commitment,
                    order,
                },
            );
        }
    }
    found
}
