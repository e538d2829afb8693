//! The check of a bundle by a stranger: no network, no trust in anything the bundle says about itself.
//!
//! The four claims of reference/ledger.md 3.3 are answered one by one, because they are not equally
//! strong: order and content (a), time (b), device (c), sound (d).

mod parts;

use std::collections::{HashMap, HashSet};

use crate::body::Body;
use crate::bundle::{BUNDLE_BYTES_MAX, SaltLine, always_shown, commitments, path, wav_name};
use crate::capture::chunk_digest;
use crate::entry::{BootId, Entry};
use crate::key::{PublicKey, read_enrolment};
use crate::manifest::{self, Manifest};
use crate::note::{Checkpoint, Note, NoteError};
use crate::policy::TrustPolicy;
use crate::recover::check_run;
use crate::report::{Claim, Exit, Report, Verdict};
use crate::summary::{self, Facts, utc};
use crate::wav;
use crate::zip::{self, File, ZipError};

use parts::*;

pub(crate) use parts::hidden_leaf;

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

/// [`verify`] for a checker whose anchored devices are simply its own: what another device recorded is checked without
/// them, since its claims are none about them. A quorum of witnesses then proves nothing, as without an anchor.
#[must_use]
pub fn verify_of_any_device(bundle: &[u8], policy: &TrustPolicy) -> Report {
    let report = verify(bundle, policy);
    let another = |claim: &Claim| claim.what == DEVICE && claim.verdict == Verdict::Fails;
    if policy.devices.is_empty() || !report.claims.iter().any(another) {
        return report;
    }
    let mut without = policy.clone();
    without.devices.clear();
    verify(bundle, &without)
}

struct Check<'a> {
    policy: &'a TrustPolicy,
    claims: Vec<Claim>,
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
        let before = read_time_before(file(path::TIME_BEFORE)?, &close)?;
        let bounded = self.check_time(
            &origin,
            before.as_ref(),
            &entries,
            &roots,
            &close,
            witnessed,
        )?;
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
        before: Option<&Entry>,
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
        for entry in before.into_iter().chain(&entries.shown) {
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
