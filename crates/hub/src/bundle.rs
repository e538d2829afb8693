//! Bundles of incidents: handed in by the device that recorded them, checked before they are kept, and never changed.
//!
//! ```text
//! device ─ zip ─► size ─► the ledger's own check ─► file named by its SHA-256 ─► row
//! ```
//! Which devices and witnesses the hub believes stands in a policy that its owner gives it
//! ([`crate::HubConfig::bundle_policy`]), never in a bundle: without one "intact" is all that its check can say. A
//! stranger's check begins anew in any case.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hearthline_ledger::{Exit, Facts, TrustPolicy, verify_of_any_device};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::device::Fingerprint;
use crate::id::{DeviceId, IncidentId};
use crate::incident::{IncidentOutcome, IncidentReport, IncidentSource};
use crate::store::{Store, StoreError};

/// Largest bundle that is taken, in bytes: some eight minutes of a call, both ways.
pub const BUNDLE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// All that are kept together, in bytes.
pub const BUNDLES_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// What the hub's own check said of a bundle. What was changed is not kept at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BundleVerdict {
    /// Nothing in it was changed, and witnesses that the hub knows saw it.
    Witnessed,
    /// Nothing in it was changed.
    Intact,
}

impl BundleVerdict {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Witnessed => "witnessed",
            Self::Intact => "intact",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Witnessed, Self::Intact]
            .into_iter()
            .find(|verdict| verdict.as_str() == text)
    }
}

/// A bundle that the hub keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeptBundle {
    /// Its length.
    #[schema(maximum = 33_554_432_u64)]
    pub bytes: u64,
    /// What the hub's check said when it came.
    pub verdict: BundleVerdict,
    /// When it came.
    pub received_at_ms: UnixMs,
}

/// Why a bundle was not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotKept {
    /// The check found it changed, or no bundle at all.
    #[error("{0}")]
    Refused(String),
    /// Another is being checked.
    #[error("another bundle is being checked; hand this one in again in a moment")]
    Busy,
    /// The place for bundles is used up.
    #[error("the hub keeps {} GB of bundles and has no place for this one", BUNDLES_BYTES_MAX >> 30)]
    Full,
    /// The disk.
    #[error("the bundle cannot be written: {0}")]
    Disk(#[from] io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The folder of bundles.
pub(crate) struct Bundles {
    folder: PathBuf,
    /// Whose word counts here.
    policy: Arc<TrustPolicy>,
    /// One is checked at a time: it takes its size in memory.
    checking: Semaphore,
}

struct Checked {
    bytes: Vec<u8>,
    sha256: Fingerprint,
    verdict: BundleVerdict,
    facts: Facts,
}

impl Bundles {
    /// Beside the database.
    pub(crate) fn beside(hub: &Path, policy: TrustPolicy) -> Self {
        Self {
            folder: hub.join("bundles"),
            policy: Arc::new(policy),
            checking: Semaphore::new(1),
        }
    }

    /// Checks it and keeps it; the same again changes nothing.
    pub(crate) async fn keep(
        &self,
        store: &dyn Store,
        device: DeviceId,
        bytes: Vec<u8>,
        now: UnixMs,
    ) -> Result<IncidentId, NotKept> {
        let _one = self.checking.try_acquire().map_err(|_| NotKept::Busy)?;
        let policy = Arc::clone(&self.policy);
        let checked = tokio::task::spawn_blocking(move || check(bytes, &policy));
        let checked = checked.await.map_err(io::Error::other)??;
        let source = IncidentSource::Device(device);
        let sha256 = checked.sha256;
        if let Some(known) = store.incident_of_bundle(device, &sha256).await? {
            return Ok(known);
        }
        let length = checked.bytes.len() as u64;
        if store.bundle_bytes().await? + length > BUNDLES_BYTES_MAX {
            return Err(NotKept::Full);
        }
        let report = report_of(&checked, now)?;
        let kept = KeptBundle {
            bytes: length,
            verdict: checked.verdict,
            received_at_ms: now,
        };
        let path = self.path(&sha256);
        let fresh = !path.exists();
        let (place, bytes) = (path.clone(), checked.bytes);
        tokio::task::spawn_blocking(move || write(&place, &bytes))
            .await
            .map_err(io::Error::other)??;
        let added = store.keep_bundle(source, &report, kept, now).await;
        if fresh && matches!(added, Err(StoreError::Refused(_))) {
            // Nothing names the file: it would only take up the place.
            let _ = fs::remove_file(&path);
        }
        Ok(added?)
    }

    /// A kept bundle, as it was handed in; an error when the file is no longer that.
    pub(crate) async fn read(&self, sha256: &Fingerprint) -> io::Result<Vec<u8>> {
        let (path, wanted) = (self.path(sha256), *sha256);
        let read = tokio::task::spawn_blocking(move || {
            let bytes = fs::read(path)?;
            if Fingerprint::of(&bytes) == wanted {
                Ok(bytes)
            } else {
                Err(io::Error::other("the file is not the one that was kept"))
            }
        });
        read.await.map_err(io::Error::other)?
    }

    fn path(&self, sha256: &Fingerprint) -> PathBuf {
        self.folder.join(format!("{sha256}.zip"))
    }
}

fn check(bytes: Vec<u8>, policy: &TrustPolicy) -> Result<Checked, NotKept> {
    let report = verify_of_any_device(&bytes, policy);
    let verdict = match report.exit {
        Exit::Witnessed => BundleVerdict::Witnessed,
        Exit::Unwitnessed => BundleVerdict::Intact,
        Exit::Tampered | Exit::CannotTell => {
            let why = report.claims.last().map(|claim| claim.detail.as_str());
            return Err(NotKept::Refused(format!(
                "this bundle is not kept: {}",
                why.unwrap_or("it cannot be read")
            )));
        }
    };
    let unread = || NotKept::Refused("this bundle is not kept: it cannot be read".to_owned());
    Ok(Checked {
        sha256: Fingerprint::of(&bytes),
        verdict,
        facts: Facts::of(&bytes).ok_or_else(unread)?,
        bytes,
    })
}

fn report_of(checked: &Checked, now: UnixMs) -> Result<IncidentReport, NotKept> {
    let facts = &checked.facts;
    let opened = facts.opened_ms.and_then(|ms| i64::try_from(ms).ok());
    let opened_at_ms = opened.map_or(now, UnixMs);
    // A device numbers nothing: its incidents are told apart by the second in which they began.
    let number = u32::try_from(opened_at_ms.seconds())
        .map_err(|_| NotKept::Refused("the incident began at no time that can be".to_owned()))?;
    Ok(IncidentReport {
        number,
        opened_at_ms,
        drill: facts.drill,
        outcome: match facts.outcome.as_deref() {
            None => IncidentOutcome::Open,
            Some("answered" | "called back") => IncidentOutcome::Answered,
            Some("failed") => IncidentOutcome::Unanswered,
            Some("cancelled") => IncidentOutcome::Cancelled,
            Some(_) => IncidentOutcome::NotCalled,
        },
        entries: facts.entries,
        bundle_sha256: checked.sha256,
    })
}

/// Written beside its place and renamed: a reader never sees half a bundle, and a power loss leaves the whole or none.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Some(folder) = path.parent() else {
        return Err(io::ErrorKind::NotFound.into());
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    File::open(folder)?.sync_all()
}
