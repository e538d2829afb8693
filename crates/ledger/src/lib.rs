//! Append-only signed record of what the device heard and did, its export and its check.
//!
//! ```text
//! append(body) ─► entry line ─► RFC 6962 tree ─► checkpoint (C2SP signed note) ─► witness
//!      │                                              │
//!      └── bytes for the adapter to write             └── bundle ─► verify, by a stranger, offline
//! ```
//!
//! Pure: no clock, no file, no randomness. Bytes to store come out of [`Log::append`] and
//! [`Log::checkpoint`]; the adapter writes them and reports through [`Durability`].
//! Entries are hashed as the bytes stored and never re-encoded, so that there is one reading only.

mod body;
mod bundle;
mod capture;
mod durability;
mod entry;
mod facts;
mod hash;
mod json;
mod key;
mod log;
mod manifest;
mod note;
mod policy;
mod recover;
mod report;
mod summary;
mod tree;
mod verify;
mod wav;
mod zip;

pub use body::{
    Body, Boot, Call, CallEvent, Capture, Cut, Decision, DecisionMode, End, Export, Human, Intent,
    Key, Late, Location, Media, Outcome, PreviousSegment, Private, Reading, Route, Speech,
    Telephone, Time, Transcript, Wake,
};
pub use bundle::{BUNDLE_BYTES_MAX, Bundle, BundleError, ExportRequest};
pub use capture::{AudioChunk, ChunkCommitment, Committer, SALT_BYTES, Stream};
pub use durability::{DURABLE_WITHIN, Durability};
pub use entry::{BootId, Entry, EntryError, IncidentId, LINE_BYTES_MAX};
pub use facts::Facts;
pub use hash::Hash;
pub use json::{JsonError, check_json};
pub use key::{EpochKey, IdentityKey, KeyError, KeyId, PublicKey, enrolment_note};
pub use log::{
    Append, CHECKPOINT_IDLE, CHECKPOINT_INCIDENT, Checkpointed, EPOCH_AGE_MAX, Log, LogError,
    Setup, Stamp,
};
pub use note::{Checkpoint, Note, NoteError, NoteKey, NoteKeyKind, NoteSignature, cosign};
pub use policy::{DeviceAnchor, PolicyError, TrustPolicy};
pub use recover::{Damage, Recovery, StoredCheckpoint, StoredEntry, StoredLog};
pub use report::{Claim, Exit, Report, Verdict};
pub use tree::{
    Frontier, ProofError, consistency_proof, inclusion_proof, leaf_hash, node_hash, root,
    verify_consistency, verify_inclusion,
};
pub use verify::{verify, verify_of_any_device};
