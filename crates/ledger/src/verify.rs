//! The check of a bundle by a stranger: no network, no trust in anything the bundle says about itself.
//!
//! The four claims of reference/ledger.md 3.3 are answered one by one, because they are not equally
//! strong: order and content (a), time (b), device (c), sound (d).

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::body::Body;
use crate::bundle::{
    BUNDLE_BYTES_MAX, EpochLine, SaltLine, always_shown, commitments, hidden_line, path, wav_name,
};
use crate::capture::chunk_digest;
use crate::entry::{BootId, Entry};
use crate::hash::Hash;
use crate::json::check_json;
use crate::key::{PublicKey, check_key_entry, read_enrolment};
use crate::manifest::{self, Manifest};
use crate::note::{Checkpoint, Note, NoteError, NoteKey};
use crate::policy::TrustPolicy;
use crate::recover::check_run;
use crate::summary::{self, Facts, utc};
use crate::tree::{Frontier, leaf_hash, verify_inclusion};
use crate::wav;
use crate::zip::{self, File, ZipError};

/// Most entries between the checkpoints of a bundle.
const ENTRIES_MAX: usize = 1_000_000;
/// Most lines of the smaller lists.
const LINES_MAX: usize = 100_000;

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Checked and true.
    Holds,
    /// Neither shown nor contradicted by what the checker has.
    Unproven,
    /// No software can show it.
    NotProvable,
    /// Checked and false.
    Fails,
    /// The check could not be made.
    CannotTell,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Holds => "holds",
            Self::Unproven => "unproven",
            Self::NotProvable => "not provable",
            Self::Fails => "FAILS",
            Self::CannotTell => "cannot tell",
        })
    }
}

/// One claim of the report. Without words, addresses or numbers of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What is claimed, in one word or two.
    pub what: &'static str,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, for a person.
    pub detail: String,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12} {:<12} {}", self.what, self.verdict, self.detail)
    }
}

/// Exit status of the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Intact, of a known device, cosigned by enough known witnesses, and bounded in time.
    Witnessed = 0,
    /// Intact, but one of those is missing.
    Unwitnessed = 1,
    /// Something was changed, or contradicts the checker's own anchors.
    Tampered = 2,
    /// Not a bundle that this version can read.
    CannotTell = 3,
}

impl Exit {
    /// The number for the operating system.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// All claims and the exit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One for each line.
    pub claims: Vec<Claim>,
    /// What it comes to.
    pub exit: Exit,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for claim in &self.claims {
            writeln!(f, "{claim}")?;
        }
        f.write_str(match self.exit {
            Exit::Witnessed => "intact and witnessed",
            Exit::Unwitnessed => {
                "intact, but unwitnessed, without time bounds or of an unknown device"
            }
            Exit::Tampered => "TAMPERED",
            Exit::CannotTell => "cannot tell",
        })
    }
}

/// Checks a bundle against the checker's own anchors. Never panics, whatever the bytes.
#[must_use]
pub fn verify(bundle: &[u8], policy: &TrustPolicy) -> Report {
    let mut check = Check {
        policy,
        claims: Vec::new(),
    };
    match check.run(bundle) {
        Ok(witnessed) => {
            let exit = if witnessed {
                Exit::Witnessed
            } else {
                Exit::Unwitnessed
            };
            Report {
                claims: check.claims,
                exit,
            }
        }
        Err(stop) => {
            let (verdict, exit) = match stop.kind {
                Kind::Tampered => (Verdict::Fails, Exit::Tampered),
                Kind::Unreadable => (Verdict::CannotTell, Exit::CannotTell),
            };
            check.claims.push(Claim {
                what: stop.what,
                verdict,
                detail: stop.why,
            });
            Report {
                claims: check.claims,
                exit,
            }
        }
    }
}

const FILES: &str = "files";
const ORDER: &str = "(a) order";
const KEYS: &str = "keys";
const AUDIO: &str = "audio";
const WITNESS: &str = "witness";
const TIME: &str = "(b) time";
const DEVICE: &str = "(c) device";
const SOUND: &str = "(d) sound";

#[derive(Debug, Clone, Copy)]
enum Kind {
    Tampered,
    Unreadable,
}

/// The first thing that is wrong ends the check: what follows would rest on it.
struct Stop {
    what: &'static str,
    kind: Kind,
    why: String,
}

fn fails<T>(what: &'static str, why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop {
        what,
        kind: Kind::Tampered,
        why: why.into(),
    })
}

fn unreadable<T>(what: &'static str, why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop {
        what,
        kind: Kind::Unreadable,
        why: why.into(),
    })
}

/// A note that does not parse is unreadable; one whose signature does not hold was changed.
fn note_stop(what: &'static str, name: &str, error: &NoteError) -> Stop {
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

struct Check<'a> {
    policy: &'a TrustPolicy,
    claims: Vec<Claim>,
}

/// What the epochs file says, checked.
struct EpochKeyEntry {
    seq: u64,
    line: Vec<u8>,
    proof: Vec<Hash>,
    public: PublicKey,
    number: u64,
    orphan: bool,
}

/// What stands between the checkpoints.
struct Entries {
    leaves: Vec<Hash>,
    shown: Vec<Entry>,
}

/// A head signed by the log, with its note.
struct Head {
    note: Note,
    checkpoint: Checkpoint,
}

impl Check<'_> {
    fn claim(&mut self, what: &'static str, verdict: Verdict, detail: impl Into<String>) {
        self.claims.push(Claim {
            what,
            verdict,
            detail: detail.into(),
        });
    }

    fn run(&mut self, bundle: &[u8]) -> Result<bool, Stop> {
        if bundle.len() > BUNDLE_BYTES_MAX {
            return unreadable(
                FILES,
                format!(
                    "{} bytes; at most {BUNDLE_BYTES_MAX} are read",
                    bundle.len()
                ),
            );
        }
        let files = zip::read(bundle).map_err(|error| {
            let kind = match error {
                ZipError::Checksum { .. } | ZipError::Twice { .. } => Kind::Tampered,
                _ => Kind::Unreadable,
            };
            Stop {
                what: FILES,
                kind,
                why: error.to_string(),
            }
        })?;
        let by_name: HashMap<&str, &[u8]> =
            files.iter().map(|file| (file.name, file.bytes)).collect();
        let file = |name: &str| match by_name.get(name) {
            Some(bytes) => Ok(*bytes),
            None => unreadable(FILES, format!("{name} is missing")),
        };
        let enrolment = parse_note(KEYS, path::ENROLMENT, file(path::ENROLMENT)?)?;
        let (origin, identity) =
            read_enrolment(&enrolment).map_err(|error| note_stop(KEYS, path::ENROLMENT, &error))?;
        let epochs = read_epochs(file(path::EPOCHS)?, &origin, identity)?;
        let manifest = self.check_files(&files, &origin, &epochs)?;
        let open = read_head(
            path::OPEN,
            file(path::OPEN)?,
            &origin,
            manifest.open,
            &epochs,
        )?;
        let close = read_head(
            path::CLOSE,
            file(path::CLOSE)?,
            &origin,
            manifest.close,
            &epochs,
        )?;
        let frontier = read_frontier(file(path::FRONTIER)?, &open)?;
        let entries = read_entries(file(path::ENTRIES)?, &manifest)?;
        let roots = check_roots(frontier, &entries, &close)?;
        check_epoch_positions(&epochs, &entries, &open, &close)?;
        self.check_content(&manifest, &entries, &epochs)?;
        self.check_audio(&files, &file, &entries)?;
        self.check_derived(&manifest, &origin, identity, &entries, &file)?;

        let witnessed = self.check_witnesses(&origin, &open, &close, &roots)?;
        let bounded = self.check_time(&origin, &entries, &roots, &close, witnessed)?;
        let known = self.check_device(&origin, identity)?;
        self.claim(
            SOUND,
            Verdict::NotProvable,
            "whether the microphone heard it rather than a cable or a loudspeaker: compare the \
             call-taker's own recording and the carrier's call records",
        );
        Ok(witnessed && bounded && known)
    }

    /// Every byte is covered: the container is the only spelling of its files, the files are those
    /// of the manifest, and the manifest is signed by an epoch key, once.
    fn check_files(
        &mut self,
        files: &[File<'_>],
        origin: &str,
        epochs: &[EpochKeyEntry],
    ) -> Result<Manifest, Stop> {
        let Some((last, rest)) = files.split_last() else {
            return unreadable(FILES, "it is empty");
        };
        if last.name != manifest::PATH {
            return unreadable(FILES, format!("the last file must be {}", manifest::PATH));
        }
        let note = parse_note(FILES, manifest::PATH, last.bytes)?;
        let manifest = Manifest::parse(note.text())
            .map_err(|error| note_stop(FILES, manifest::PATH, &error))?;
        let signer = epochs.last().expect("read_epochs wants one");
        let key = device_key(origin, signer.public)?;
        note.verify(&key)
            .map_err(|error| note_stop(FILES, manifest::PATH, &error))?;
        if note.signatures().len() != 1 {
            return fails(FILES, "the manifest has signatures that nothing covers");
        }
        if manifest.origin != origin {
            return fails(FILES, "the manifest is about another log");
        }
        let found: Vec<manifest::Line> = rest.iter().map(manifest::Line::of).collect();
        if found != manifest.files {
            let changed = found
                .iter()
                .zip(&manifest.files)
                .find(|(a, b)| a != b)
                .map(|(a, _)| a.path.clone());
            return fails(
                FILES,
                format!(
                    "{} is not as the manifest lists it",
                    changed.unwrap_or_else(|| "the list of files".to_owned())
                ),
            );
        }
        for file in rest {
            if !known_file(file.name) {
                return fails(FILES, format!("{} is no file of a bundle", file.name));
            }
        }
        self.claim(
            FILES,
            Verdict::Holds,
            format!(
                "{} files, each byte covered by the manifest; signed by the key of epoch {}",
                files.len(),
                signer.number
            ),
        );
        Ok(manifest)
    }

    /// One incident, runs in order, nothing shown that does not belong.
    fn check_content(
        &mut self,
        manifest: &Manifest,
        entries: &Entries,
        epochs: &[EpochKeyEntry],
    ) -> Result<(), Stop> {
        let mut last: Option<(BootId, u64)> = None;
        let (mut own, mut runs, mut late, mut not_drill) = (0u64, 0u64, 0usize, 0u64);
        for entry in &entries.shown {
            let starts = matches!(entry.body, Body::Boot(_));
            if last.is_some() || starts {
                check_run(last, entry, starts)
                    .or_else(|why| fails(ORDER, format!("entry {}: {why}", entry.seq)))?;
            }
            last = Some((entry.boot, entry.mono_ms));
            runs += u64::from(starts);
            match &entry.incident {
                Some(incident) if incident.as_str() == manifest.incident => own += 1,
                None if always_shown(&entry.body) => {}
                _ => {
                    return fails(
                        ORDER,
                        format!("entry {} belongs to something else", entry.seq),
                    );
                }
            }
            if let Body::Late(body) = &entry.body {
                late += body.entries.len();
            }
            late += usize::from(entry.late);
            not_drill += u64::from(!entry.drill);
        }
        if own == 0 {
            return fails(ORDER, "no entry belongs to the incident");
        }
        let hidden = entries.leaves.len() - entries.shown.len();
        self.claim(
            ORDER,
            Verdict::Holds,
            format!(
                "entries {} to {} are complete, unchanged and in order: {own} of incident {}, {} about the log itself, {hidden} as hashes only",
                manifest.open,
                manifest.close - 1,
                manifest.incident,
                entries.shown.len() as u64 - own,
            ),
        );
        let orphans: Vec<String> = epochs
            .iter()
            .filter(|key| key.orphan)
            .map(|key| key.number.to_string())
            .collect();
        let mut detail = format!(
            "epochs {} to {} follow each other and are signed by the identity key",
            epochs[0].number,
            epochs[epochs.len() - 1].number
        );
        if !orphans.is_empty() {
            detail.push_str(&format!(
                "; not by the epoch before, whose key was lost in a restart: {}",
                orphans.join(", ")
            ));
        }
        self.claim(KEYS, Verdict::Holds, detail);
        if runs > 0 {
            self.claim(
                "restarts",
                Verdict::Holds,
                format!("{runs} start(s) of the device between the checkpoints"),
            );
        }
        if late > 0 {
            self.claim(
                "late",
                Verdict::Holds,
                format!("{late} entries were not on disk in time, and say so"),
            );
        }
        let drill = if not_drill == 0 {
            "every entry says that it is a drill".to_owned()
        } else {
            format!("{not_drill} entries do NOT say that they are a drill")
        };
        self.claim("drill", Verdict::Holds, drill);
        Ok(())
    }

    fn check_audio<'b>(
        &mut self,
        files: &[File<'b>],
        file: &dyn Fn(&str) -> Result<&'b [u8], Stop>,
        entries: &Entries,
    ) -> Result<(), Stop> {
        let committed = commitments(&entries.shown);
        let mut seen = HashSet::new();
        let mut used: HashMap<String, (u32, usize, u64)> = HashMap::new();
        for line in lines(AUDIO, path::SALTS, file(path::SALTS)?, LINES_MAX)? {
            let salt: SaltLine = json_line(AUDIO, path::SALTS, line)?;
            let wav = file(&salt.file)?;
            let at = used.get(&salt.file).map_or(0, |(_, at, _)| *at);
            let length = salt.samples as usize * 2;
            let pcm = wav.get(wav::HEADER_BYTES + at..wav::HEADER_BYTES + at + length);
            let Some(pcm) = pcm else {
                return fails(AUDIO, format!("{} is too short", salt.file));
            };
            let Some(found) = committed.get(&chunk_digest(&salt.salt.0, pcm)) else {
                return fails(
                    AUDIO,
                    format!(
                        "the sound at sample {} of {} is not what was committed",
                        salt.first_sample, salt.file
                    ),
                );
            };
            let place = found.commitment.first_sample == salt.first_sample
                && found.commitment.samples == salt.samples;
            let follows = match used.get(&salt.file) {
                Some((rate, _, next)) => *rate == found.rate_hz && *next == salt.first_sample,
                None => salt.file == wav_name(used.len(), found.stream, salt.first_sample),
            };
            if !place || !follows || !seen.insert(found.commitment.digest) {
                return fails(
                    AUDIO,
                    format!(
                        "the sound at sample {} of {} is out of place",
                        salt.first_sample, salt.file
                    ),
                );
            }
            let next = salt.first_sample.saturating_add(u64::from(salt.samples));
            used.insert(salt.file, (found.rate_hz, at + length, next));
        }
        for wav_file in files.iter().filter(|file| file.name.ends_with(".wav")) {
            let whole = used.get(wav_file.name).is_some_and(|(rate_hz, bytes, _)| {
                wav::read(wav_file.bytes, *rate_hz).is_some_and(|pcm| pcm.len() == *bytes)
            });
            if !whole {
                return fails(
                    AUDIO,
                    format!("{} holds sound that nothing commits", wav_file.name),
                );
            }
        }
        let detail = match (seen.len(), committed.len()) {
            (_, 0) => "the incident committed no sound".to_owned(),
            (here, all) => {
                format!("{here} of {all} committed chunks are here and are what was committed")
            }
        };
        let verdict = if seen.len() == committed.len() {
            Verdict::Holds
        } else {
            Verdict::Unproven
        };
        self.claim(AUDIO, verdict, detail);
        Ok(())
    }

    fn check_derived<'b>(
        &mut self,
        manifest: &Manifest,
        origin: &str,
        identity: PublicKey,
        entries: &Entries,
        file: &dyn Fn(&str) -> Result<&'b [u8], Stop>,
    ) -> Result<(), Stop> {
        if manifest.wording != summary::WORDING {
            self.claim(
                "summary",
                Verdict::Unproven,
                "README, summary and certification were worded by another version; read entries.jsonl",
            );
            return Ok(());
        }
        let facts = Facts {
            incident: &manifest.incident,
            origin,
            device: identity.id().to_string(),
            open: manifest.open,
            close: manifest.close,
            exported_ms: manifest.exported_ms,
        };
        let hidden = (entries.leaves.len() - entries.shown.len()) as u64;
        for (name, text) in [
            (path::README, summary::readme(&facts)),
            (path::SUMMARY, summary::html(&facts, &entries.shown, hidden)),
            (path::CERTIFICATION, summary::certification(&facts)),
        ] {
            if file(name)? != text.as_bytes() {
                return fails(
                    "summary",
                    format!("{name} tells something else than the entries"),
                );
            }
        }
        self.claim(
            "summary",
            Verdict::Holds,
            "README, summary and certification follow from the entries",
        );
        Ok(())
    }

    /// Cosignatures by the checker's own witnesses, and heads it has from elsewhere.
    fn check_witnesses(
        &mut self,
        origin: &str,
        open: &Head,
        close: &Head,
        roots: &Roots,
    ) -> Result<bool, Stop> {
        for bytes in &self.policy.heads {
            let Ok(note) = Note::parse(bytes) else {
                continue;
            };
            let Ok(head) = Checkpoint::parse(note.text()) else {
                continue;
            };
            if head.origin == origin && !self.cosigners(WITNESS, &note)?.is_empty() {
                self.check_head(&head, roots)?;
            }
        }
        self.cosigners(WITNESS, &open.note)?;
        let cosigned = self.cosigners(WITNESS, &close.note)?;
        let names: HashSet<&str> = cosigned.iter().map(|(name, _)| name.as_str()).collect();
        let enough = self.policy.witnessed(&names);
        let strangers = close.note.signatures().len()
            - 1
            - cosigned.len().min(close.note.signatures().len() - 1);
        let detail = match (cosigned.is_empty(), self.policy.witnesses.is_empty()) {
            (true, true) => format!(
                "no witness is named by your policy; the closing checkpoint has {strangers} cosignature(s) that you have no key for"
            ),
            (true, false) => "none of your witnesses cosigned the closing checkpoint".to_owned(),
            (false, _) => {
                let list: Vec<String> = cosigned
                    .iter()
                    .map(|(name, time)| format!("{name} at {}", utc(time.saturating_mul(1000))))
                    .collect();
                let rest = if enough {
                    ""
                } else {
                    "; your policy asks for more"
                };
                format!("closing checkpoint cosigned by {}{rest}", list.join(", "))
            }
        };
        self.claim(
            WITNESS,
            if enough {
                Verdict::Holds
            } else {
                Verdict::Unproven
            },
            detail,
        );
        Ok(enough)
    }

    /// Known witnesses whose cosignature stands on the note and holds, with its time.
    fn cosigners(&self, what: &'static str, note: &Note) -> Result<Vec<(String, u64)>, Stop> {
        let mut found = Vec::new();
        for (name, key) in &self.policy.witnesses {
            match note.verify(key) {
                Ok(time) => found.push((name.clone(), time.unwrap_or_default())),
                Err(NoteError::Unsigned { .. }) => {}
                Err(error) => return fails(what, error.to_string()),
            }
        }
        Ok(found)
    }

    /// A head that a witness cosigned and that this bundle's tree contradicts is a fork.
    fn check_head(&self, head: &Checkpoint, roots: &Roots) -> Result<(), Stop> {
        match roots.at(head.size) {
            Some(root) if root != head.root => fails(
                WITNESS,
                format!(
                    "a witness cosigned another log of the same name at size {}: a fork",
                    head.size
                ),
            ),
            _ => Ok(()),
        }
    }

    fn check_time(
        &mut self,
        origin: &str,
        entries: &Entries,
        roots: &Roots,
        close: &Head,
        witnessed: bool,
    ) -> Result<bool, Stop> {
        let first_own = entries
            .shown
            .iter()
            .find(|entry| entry.incident.is_some())
            .map_or(0, |entry| entry.seq);
        let mut after: Option<u64> = None;
        for entry in &entries.shown {
            let Body::Time(time) = &entry.body else {
                continue;
            };
            let Some(cosigned) = &time.cosigned else {
                continue;
            };
            let Ok(note) = Note::parse(cosigned.as_bytes()) else {
                continue;
            };
            let Ok(head) = Checkpoint::parse(note.text()) else {
                continue;
            };
            if head.origin != origin || head.size > entry.seq {
                continue;
            }
            for (_, seconds) in self.cosigners(TIME, &note)? {
                self.check_head(&head, roots)?;
                if entry.seq < first_own {
                    after = after.max(Some(seconds));
                }
            }
        }
        // The latest of the witnesses' times: the weakest of the bounds, and true if any of them is honest.
        let before = self
            .cosigners(TIME, &close.note)?
            .iter()
            .map(|(_, time)| *time)
            .max()
            .filter(|_| witnessed);
        let said: Vec<u64> = entries
            .shown
            .iter()
            .filter(|entry| entry.incident.is_some())
            .filter_map(|entry| entry.wall_ms)
            .collect();
        let device = match (said.iter().min(), said.iter().max()) {
            (Some(first), Some(last)) => {
                format!("the device said {} to {}", utc(*first), utc(*last))
            }
            _ => "the device knew no time".to_owned(),
        };
        let second = |time: u64| utc(time.saturating_mul(1000));
        let (verdict, detail) = match (after, before) {
            (Some(after), Some(before)) if after > before => {
                return fails(TIME, "the witnesses' times contradict each other");
            }
            (Some(after), Some(before)) => (
                Verdict::Holds,
                format!(
                    "between {} and {}, by witnesses; {device}",
                    second(after),
                    second(before)
                ),
            ),
            (None, Some(before)) => (
                Verdict::Unproven,
                format!(
                    "before {}, by witnesses; nothing bounds it from below; {device}",
                    second(before)
                ),
            ),
            (Some(after), None) => (
                Verdict::Unproven,
                format!(
                    "after {}, by a witness; nothing bounds it from above; {device}",
                    second(after)
                ),
            ),
            (None, None) => (
                Verdict::Unproven,
                format!("no outside time; {device}, by its own clock"),
            ),
        };
        self.claim(TIME, verdict, detail);
        Ok(verdict == Verdict::Holds)
    }

    fn check_device(&mut self, origin: &str, identity: PublicKey) -> Result<bool, Stop> {
        let id = identity.id();
        if self.policy.devices.is_empty() {
            self.claim(
                DEVICE,
                Verdict::Unproven,
                format!(
                    "the key is the bundle's own: compare {id} with the device's enrolment card"
                ),
            );
            return Ok(false);
        }
        if !self
            .policy
            .devices
            .iter()
            .any(|anchor| anchor.is(origin, identity))
        {
            return fails(
                DEVICE,
                format!(
                    "the bundle is signed by device {id}, which is none of those in your policy"
                ),
            );
        }
        self.claim(
            DEVICE,
            Verdict::Holds,
            format!("key {id} is in your policy; that it was in this very device is as certain as its enrolment and its storage"),
        );
        Ok(true)
    }
}

/// The tree between the checkpoints, for its root at any size there.
struct Roots {
    open: Frontier,
    leaves: Vec<Hash>,
}

impl Roots {
    /// Asked only for heads that a known witness signed, so that nobody else can make it work.
    fn at(&self, size: u64) -> Option<Hash> {
        let more = usize::try_from(size.checked_sub(self.open.size())?).ok()?;
        let mut frontier = self.open.clone();
        self.leaves
            .get(..more)?
            .iter()
            .for_each(|leaf| frontier.push(*leaf));
        Some(frontier.root())
    }
}

fn known_file(name: &str) -> bool {
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
    ];
    fixed.contains(&name) || name.starts_with("audio/") && name.ends_with(".wav")
}

fn device_key(origin: &str, public: PublicKey) -> Result<NoteKey, Stop> {
    NoteKey::device(origin, public).or_else(|error| unreadable(KEYS, error.to_string()))
}

fn parse_note(what: &'static str, name: &str, bytes: &[u8]) -> Result<Note, Stop> {
    Note::parse(bytes).map_err(|error| note_stop(what, name, &error))
}

/// Lines with their ends, at most `max` of them.
fn lines<'a>(
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

fn json_line<T: serde::de::DeserializeOwned>(
    what: &'static str,
    name: &str,
    line: &[u8],
) -> Result<T, Stop> {
    check_json(line).or_else(|error| unreadable(what, format!("{name}: {error}")))?;
    serde_json::from_slice(line)
        .or_else(|_| unreadable(what, format!("{name}: a line has other fields")))
}

/// The chain of epoch keys: each signed by the identity, contiguous, each by the one before it unless lost.
fn read_epochs(
    bytes: &[u8],
    origin: &str,
    identity: PublicKey,
) -> Result<Vec<EpochKeyEntry>, Stop> {
    let mut epochs: Vec<EpochKeyEntry> = Vec::new();
    for line in lines(KEYS, path::EPOCHS, bytes, LINES_MAX)? {
        let EpochLine { seq, entry, proof } = json_line(KEYS, path::EPOCHS, line)?;
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
fn read_head(
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

fn read_frontier(bytes: &[u8], open: &Head) -> Result<Frontier, Stop> {
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

fn read_entries(bytes: &[u8], manifest: &Manifest) -> Result<Entries, Stop> {
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
fn hidden_leaf(line: &[u8]) -> Option<Hash> {
    let digits = line.strip_prefix(b"{\"leaf\":\"")?.strip_suffix(b"\"}")?;
    let leaf = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (hidden_line(&leaf).as_bytes() == line).then_some(leaf)
}

fn check_roots(open: Frontier, entries: &Entries, close: &Head) -> Result<Roots, Stop> {
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

/// The key entries stand in the tree where they say, and no other is shown.
fn check_epoch_positions(
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
