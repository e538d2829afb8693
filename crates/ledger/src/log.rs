//! The log of one device: append, sign heads, change keys. Bytes come out, nothing is written here.
//!
//! ```text
//! loop {
//!     write(log.append(body, stamp, incident, false)?.bytes)      then fdatasync, then durable(seq)
//!     if log.poll_timeout() <= now { write(log.checkpoint(stamp)?.bytes) }
//!     if log.epoch_due(now)        { write(log.rotate_epoch(&seed, stamp)?.bytes) }
//! }
//! ```
//! The stored file is only ever appended to; [`crate::StoredLog`] describes its lines.

use core::time::Duration;

use crate::body::{Body, Boot, CallEvent, Cut, Outcome, PreviousSegment, Time};
use crate::bundle::{Bundle, BundleError, ExportRequest};
use crate::entry::{BootId, Entry, EntryError, IncidentId};
use crate::hash::Hash;
use crate::key::{EpochKey, IdentityKey, KeyId};
use crate::note::{Checkpoint, Note, NoteError};
use crate::recover::{Damage, Recovery, StoredLog, frame_checkpoint, frame_entry};
use crate::tree::{Frontier, leaf_hash};

/// Time between checkpoints during an incident (reference/ledger.md 3.3.4).
pub const CHECKPOINT_INCIDENT: Duration = Duration::from_secs(5);
/// Time between checkpoints otherwise, also when nothing happened.
pub const CHECKPOINT_IDLE: Duration = Duration::from_secs(15 * 60);
/// Oldest age of an epoch key outside an incident.
pub const EPOCH_AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What a log needs to start.
#[derive(Debug)]
pub struct Setup {
    /// Name of the log, such as `hub.example/device/7`. A new segment needs a new name.
    pub origin: String,
    /// The identity key.
    pub identity: IdentityKey,
    /// 32 fresh random bytes for the epoch that starts now. The caller wipes its copy.
    pub epoch_seed: [u8; 32],
    /// The seed of the epoch before, when it was kept in sealed form over a restart.
    pub previous_epoch_seed: Option<[u8; 32]>,
    /// 16 fresh random bytes that name this run.
    pub boot: BootId,
    /// Name and version of the program.
    pub software: String,
    /// Digest of the firmware or program image.
    pub firmware: Option<Hash>,
    /// The damaged log that this one follows ([`Damage::previous_segment`]).
    pub previous_segment: Option<PreviousSegment>,
}

/// When something happened, on the axes that the device has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Monotonic clock of the caller.
    pub now: Duration,
    /// Position on the microphone's sample counter.
    pub sample: Option<u64>,
    /// Wall clock, milliseconds since 1970-01-01 UTC: an annotation.
    pub wall_ms: Option<u64>,
}

impl Stamp {
    /// Only the monotonic clock.
    #[must_use]
    pub fn at(now: Duration) -> Self {
        Self {
            now,
            sample: None,
            wall_ms: None,
        }
    }
}

/// An entry that is part of the log from now on, and the bytes to write for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// Its position.
    pub seq: u64,
    /// The framed line: write it, fdatasync it, then say `durable`.
    pub bytes: Vec<u8>,
}

/// A signed head and the bytes to write for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpointed {
    /// Number of entries under it.
    pub size: u64,
    /// The signed note, for a witness.
    pub note: Vec<u8>,
    /// The framed lines: the note, and before it a `time` entry when nothing else had happened.
    pub bytes: Vec<u8>,
}

/// Why the log could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The entry cannot be written.
    #[error("entry {seq} not appended: {source}")]
    Entry {
        /// Where it would have stood.
        seq: u64,
        /// Why.
        source: EntryError,
    },
    /// `boot` and `key` entries are made by the log itself.
    #[error("entries of kind {kind} are made by the log itself")]
    Reserved {
        /// The kind.
        kind: String,
    },
    /// A note could not be made.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The stored log cannot be continued; start a new segment.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The stored log already holds this boot id.
    #[error("the boot id was used by the run before; it must be fresh random bytes")]
    BootReused,
}

/// The log of one device. See the module's loop.
#[derive(Debug)]
pub struct Log {
    origin: String,
    identity: IdentityKey,
    epoch: EpochKey,
    epoch_since: Duration,
    frontier: Frontier,
    boot: BootId,
    boot_at: Duration,
    last_mono_ms: u64,
    head_at: Duration,
    head_size: u64,
    head_due: Option<Duration>,
    incident_open: bool,
    epoch_spent: bool,
}

impl Log {
    /// Starts an empty log. The appends (boot, key) are to be written in order; a checkpoint is due at once.
    pub fn create(setup: Setup, stamp: Stamp) -> Result<(Self, Vec<Append>), LogError> {
        let (log, recovery) = Self::recover(&[], setup, stamp)?;
        Ok((log, recovery.writes))
    }

    /// Goes on with a stored log after a restart. A torn end is cut, kept in the [`Recovery`] and
    /// named in the boot entry. Truncate the file to `keep_bytes` before writing.
    /// Anything else that is wrong is [`LogError::Damaged`]: keep the bytes, start a new segment.
    pub fn recover(
        stored: &[u8],
        setup: Setup,
        stamp: Stamp,
    ) -> Result<(Self, Recovery), LogError> {
        // A name that notes cannot carry must fail here, not at the first checkpoint.
        crate::note::NoteKey::device(&setup.origin, setup.identity.public())?;
        let read = StoredLog::read(stored, &setup.origin, setup.identity.public())?;
        let last = read.last_entry();
        if last.is_some_and(|entry| entry.boot == setup.boot) {
            return Err(LogError::BootReused);
        }
        let number = read.keys.len() as u64;
        let previous = setup.previous_epoch_seed.and_then(|seed| {
            let key = EpochKey::from_seed(number.checked_sub(1)?, &seed);
            read.keys
                .last()
                .is_some_and(|(_, public)| *public == key.public())
                .then_some(key)
        });
        let mut log = Self {
            origin: setup.origin,
            identity: setup.identity,
            epoch: EpochKey::from_seed(number, &setup.epoch_seed),
            epoch_since: stamp.now,
            frontier: read.frontier.clone(),
            boot: setup.boot,
            boot_at: stamp.now,
            last_mono_ms: 0,
            head_at: stamp.now,
            head_size: 0,
            head_due: None,
            incident_open: false,
            epoch_spent: false,
        };
        let cut = &stored[read.keep_bytes..];
        let why = read.cut.clone();
        let boot = Boot {
            software: setup.software,
            firmware: setup.firmware,
            cut: why.clone().map(|why| Cut {
                bytes: cut.len() as u64,
                digest: Hash::of(&[cut]),
                why,
            }),
            previous_segment: setup.previous_segment,
        };
        let mut writes = vec![log.push(boot.into(), stamp, None, false)?];
        let reason = if number == 0 { "first" } else { "restart" };
        let key = log.epoch.commit(
            &log.origin,
            log.frontier.size(),
            reason,
            &log.identity,
            previous.as_ref(),
        );
        writes.push(log.push(key.into(), stamp, None, false)?);
        let recovery = Recovery {
            entries: read.frontier.size(),
            keep_bytes: read.keep_bytes as u64,
            cut_bytes: cut.to_vec(),
            why,
            writes,
        };
        Ok((log, recovery))
    }

    /// Name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Name of the device: its UniqueDeviceID.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.identity.key_id()
    }

    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Root over all entries.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Appends an entry. `late` says that it is known to be written after what it tells of; what
    /// becomes known later is told by a [`crate::Late`] entry.
    pub fn append(
        &mut self,
        body: impl Into<Body>,
        stamp: Stamp,
        incident: Option<&IncidentId>,
        late: bool,
    ) -> Result<Append, LogError> {
        let body = body.into();
        if matches!(body, Body::Boot(_) | Body::Key(_)) {
            return Err(LogError::Reserved {
                kind: body.kind().to_owned(),
            });
        }
        self.push(body, stamp, incident, late)
    }

    fn push(
        &mut self,
        body: Body,
        stamp: Stamp,
        incident: Option<&IncidentId>,
        late: bool,
    ) -> Result<Append, LogError> {
        let seq = self.frontier.size();
        let since_boot = stamp.now.saturating_sub(self.boot_at).as_millis();
        // Order is the log's claim; a caller's stale stamp must not contradict it.
        let mono_ms = u64::try_from(since_boot)
            .unwrap_or(u64::MAX)
            .max(self.last_mono_ms);
        let entry = Entry {
            seq,
            boot: self.boot,
            mono_ms,
            sample: stamp.sample,
            wall_ms: stamp.wall_ms,
            incident: incident.cloned(),
            drill: true, // no live call can be made in this version
            late,
            body,
        };
        let line = entry
            .to_line()
            .map_err(|source| LogError::Entry { seq, source })?;
        self.last_mono_ms = mono_ms;
        self.frontier.push(leaf_hash(&line));
        self.follow(&entry.body, stamp.now);
        Ok(Append {
            seq,
            bytes: frame_entry(&line),
        })
    }

    /// Which entries ask for a checkpoint, and where an incident begins and ends.
    fn follow(&mut self, body: &Body, now: Duration) {
        let at_once = match body {
            Body::Decision(decision) => {
                self.incident_open |= decision.outcome == Outcome::Emergency;
                matches!(
                    decision.outcome,
                    Outcome::Emergency | Outcome::Ask | Outcome::Cancel
                )
            }
            Body::Call(call) => {
                matches!(
                    call.event,
                    CallEvent::Invite | CallEvent::Answered | CallEvent::Failed | CallEvent::Bye
                )
            }
            Body::End(_) => {
                self.epoch_spent |= std::mem::take(&mut self.incident_open);
                true
            }
            Body::Key(_) => true,
            _ => false,
        };
        if at_once {
            self.head_due = self.head_due.or(Some(now));
        }
    }

    /// When [`Log::checkpoint`] is due next: at once after a decision, an INVITE, an answer or an
    /// end, after 5 s in an incident, after 15 min otherwise.
    #[must_use]
    pub fn poll_timeout(&self) -> Duration {
        let pause = if self.incident_open {
            CHECKPOINT_INCIDENT
        } else {
            CHECKPOINT_IDLE
        };
        let regular = self.head_at + pause;
        self.head_due.map_or(regular, |due| due.min(regular))
    }

    /// Signs the head. When nothing was appended since the last one, a `time` entry goes first, so
    /// that silence leaves dated entries too (CVE-2023-31438 in reference/ledger.md 3.1).
    pub fn checkpoint(&mut self, stamp: Stamp) -> Result<Checkpointed, LogError> {
        let mut bytes = Vec::new();
        if self.head_size == self.frontier.size() {
            let time = Time {
                source: "clock".to_owned(),
                wall_ms: stamp.wall_ms.unwrap_or_default(),
                uncertainty_ms: None,
                step_ms: None,
                cosigned: None,
            };
            bytes = self.push(time.into(), stamp, None, false)?.bytes;
        }
        let mut head = self.sign_head(stamp.now)?;
        bytes.append(&mut head.bytes);
        Ok(Checkpointed { bytes, ..head })
    }

    fn sign_head(&mut self, now: Duration) -> Result<Checkpointed, LogError> {
        let size = self.frontier.size();
        let head = Checkpoint {
            origin: self.origin.clone(),
            size,
            root: self.frontier.root(),
            extensions: Vec::new(), // not auditable, and not covered by ML-DSA cosignatures
        };
        let note = Note::sign(head.to_text(), &[(&self.origin, self.epoch.signing())])?.to_bytes();
        let bytes = frame_checkpoint(&note);
        self.head_at = now;
        self.head_size = size;
        self.head_due = None;
        Ok(Checkpointed { size, note, bytes })
    }

    /// Whether an emergency is open: decided and not ended.
    #[must_use]
    pub fn incident_open(&self) -> bool {
        self.incident_open
    }

    /// Whether [`Log::rotate_epoch`] should be called: after 24 h and after each incident, never during one.
    #[must_use]
    pub fn epoch_due(&self, now: Duration) -> bool {
        !self.incident_open
            && (self.epoch_spent || now.saturating_sub(self.epoch_since) >= EPOCH_AGE_MAX)
    }

    /// Closes the epoch: its key signs the head and the key entry of the next epoch, then it is wiped.
    /// The result carries the closing head; a checkpoint by the new key is due at once.
    pub fn rotate_epoch(
        &mut self,
        seed: &[u8; 32],
        stamp: Stamp,
    ) -> Result<Checkpointed, LogError> {
        let mut closing = self.sign_head(stamp.now)?;
        let reason = if self.epoch_spent { "incident" } else { "age" };
        let next = EpochKey::from_seed(self.epoch.number() + 1, seed);
        let entry = next.commit(
            &self.origin,
            self.frontier.size(),
            reason,
            &self.identity,
            Some(&self.epoch),
        );
        let appended = self.push(entry.into(), stamp, None, false)?;
        closing.bytes.extend_from_slice(&appended.bytes);
        self.epoch = next; // drops and wipes the old secret
        self.epoch_since = stamp.now;
        self.epoch_spent = false;
        Ok(closing)
    }

    /// Exports an incident. `stored` is the whole stored log, as it is on disk.
    pub fn export(
        &self,
        stored: &[u8],
        request: &ExportRequest<'_>,
    ) -> Result<Bundle, BundleError> {
        crate::bundle::export(&self.origin, &self.identity, &self.epoch, stored, request)
    }
}
