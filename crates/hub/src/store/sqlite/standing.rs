//! Which devices were found to stand, in memory, so that a registration that is only refreshed asks the database nothing.
//!
//! Only what was read after the latest change of a device stands here, and no other process writes: the folder is locked.
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::UnixMs;
use crate::device::Fingerprint;
use crate::id::DeviceId;

/// Most devices, and most certificates, that are remembered.
const KEPT_MAX: usize = 4_096;

#[derive(Default)]
pub(super) struct Standing(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Counts changes: what was read before one says nothing after it.
    changes: u64,
    /// Commits on their way. One whose outcome nobody waited for stays here, and nothing is remembered any more.
    changing: u64,
    devices: HashSet<DeviceId>,
    certificates: HashMap<Fingerprint, (DeviceId, UnixMs)>,
}

/// Taken before the database is asked.
#[derive(Clone, Copy)]
pub(super) struct Before(u64);

/// A commit that changes devices.
#[must_use]
pub(super) struct Changing<'a>(&'a Standing);

impl Changing<'_> {
    /// It is committed, or failed.
    pub(super) fn done(self) {
        let mut known = self.0.forget();
        known.changing -= 1;
    }
}

impl Standing {
    /// A commit that changes devices is about to begin.
    pub(super) fn changing(&self) -> Changing<'_> {
        self.forget().changing += 1;
        Changing(self)
    }

    /// What is read from here on may be remembered.
    pub(super) fn before(&self) -> Before {
        Before(self.lock().changes)
    }

    /// A device was read that is not revoked.
    pub(super) fn device(&self, before: Before, device: DeviceId) {
        if let Some(mut known) = self.open(before) {
            if known.devices.len() >= KEPT_MAX {
                known.devices.clear();
            }
            known.devices.insert(device);
        }
    }

    /// A certificate was read of a device that is not revoked.
    pub(super) fn certificate(
        &self,
        before: Before,
        certificate: Fingerprint,
        device: DeviceId,
        not_after: UnixMs,
    ) {
        if let Some(mut known) = self.open(before) {
            if known.certificates.len() >= KEPT_MAX {
                known.certificates.clear();
            }
            known.certificates.insert(certificate, (device, not_after));
        }
    }

    /// Whether a device, and the certificate that it showed, are known to stand. `false` says nothing.
    pub(super) fn holds(
        &self,
        device: DeviceId,
        certificate: Option<&Fingerprint>,
        now: UnixMs,
    ) -> bool {
        let known = self.lock();
        let shown = match certificate {
            None => true,
            Some(certificate) => known
                .certificates
                .get(certificate)
                .is_some_and(|(own, not_after)| *own == device && *not_after > now),
        };
        shown && known.devices.contains(&device)
    }

    fn open(&self, before: Before) -> Option<MutexGuard<'_, Known>> {
        let known = self.lock();
        (known.changes == before.0 && known.changing == 0).then_some(known)
    }

    fn forget(&self) -> MutexGuard<'_, Known> {
        let mut known = self.lock();
        known.changes += 1;
        known.devices.clear();
        known.certificates.clear();
        known
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_says_nothing() {
        let (standing, device) = (Standing::default(), DeviceId::random().unwrap());
        let holds = || standing.holds(device, None, UnixMs(0));
        let before = standing.before();
        assert!(!holds());
        standing.device(before, device);
        assert!(holds());
        let changing = standing.changing();
        assert!(!holds(), "it may be revoked any moment");
        standing.device(standing.before(), device);
        assert!(!holds());
        changing.done();
        standing.device(before, device);
        assert!(!holds(), "read before it was revoked");
        standing.device(standing.before(), device);
        assert!(holds());
        // Nobody waited for this one.
        let _ = standing.changing();
        standing.device(standing.before(), device);
        assert!(!holds());
    }

    #[test]
    fn a_certificate_is_of_one_device_and_ends() {
        let (standing, device) = (Standing::default(), DeviceId::random().unwrap());
        let certificate = Fingerprint::of(b"certificate");
        let holds = |device, now| standing.holds(device, Some(&certificate), UnixMs(now));
        let before = standing.before();
        standing.certificate(before, certificate, device, UnixMs(100));
        assert!(!holds(device, 0), "the device was not read");
        standing.device(before, device);
        assert!(holds(device, 99) && !holds(device, 100));
        let other = DeviceId::random().unwrap();
        standing.device(before, other);
        assert!(!holds(other, 0));
    }
}
