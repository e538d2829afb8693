//! Where a user or a device is reached: the target set, in order (RFC 3261 section 16.5,
//! RFC 5626 section 7, RFC 5627 section 6.1).

use core::time::Duration;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Registrar;
use super::binding::{Aor, Binding};
use crate::gruu::{Gruu, Gruus};
use crate::proxy::{Branch, Group};
use crate::uri::SipUri;

/// Why a URI leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// Another domain, no user, or a temporary GRUU that is not or no longer valid: 404.
    #[error("no such address here")]
    Unknown,
    /// The user or device has no binding: 480, if there is such a user.
    #[error("nothing is registered for this address")]
    NotRegistered,
}

impl Registrar {
    /// The target set of a URI of ours: an address of record or a GRUU. Groups in order of q,
    /// one branch for each device; the ways of a branch are the flows of the device, the newest
    /// first. A branch's label is the `ruid` of its first way.
    ///
    /// # Errors
    /// When it leads nowhere.
    pub fn lookup(&self, uri: &SipUri, now: Duration) -> Result<Vec<Group>, Unreachable> {
        let (aor, instance) = self.meant(uri)?;
        self.reached(&aor, instance.as_ref(), now)
    }

    /// The target set of an address of record, as [`Registrar::lookup`] says it; empty: nothing is registered for it.
    #[must_use]
    pub fn groups_of(&self, aor: &Aor, now: Duration) -> Vec<Group> {
        self.reached(aor, None, now).unwrap_or_default()
    }

    fn reached(
        &self,
        aor: &Aor,
        instance: Option<&String>,
        now: Duration,
    ) -> Result<Vec<Group>, Unreachable> {
        if !self.bindings.contains_key(aor) {
            return Err(Unreachable::NotRegistered);
        }
        let wanted = |binding: &&Binding| match instance {
            Some(instance) => binding.instance_id.as_ref() == Some(instance),
            None => true,
        };
        let mut devices: BTreeMap<Device<'_>, Vec<&Binding>> = BTreeMap::new();
        for binding in self.bindings(aor, now).filter(wanted) {
            let device = match &binding.instance_id {
                Some(instance) => Device::Instance(instance),
                None => Device::Row(binding.ruid),
            };
            devices.entry(device).or_default().push(binding);
        }
        if devices.is_empty() {
            return Err(Unreachable::NotRegistered);
        }
        let mut groups: BTreeMap<Reverse<u16>, Vec<(Duration, Branch)>> = BTreeMap::new();
        for mut bindings in devices.into_values() {
            bindings.sort_by_key(|binding| (Reverse(binding.updated_at), binding.ruid));
            let q = bindings.iter().map(|b| b.q).max().unwrap_or(1_000);
            // q = 0 is still a contact (RFC 3261 section 20.10), only the last one.
            let branch = Branch {
                ways: bindings.iter().map(|binding| binding.way()).collect(),
                label: bindings[0].ruid,
                silence_max: None,
            };
            let newest = bindings[0].updated_at;
            groups.entry(Reverse(q)).or_default().push((newest, branch));
        }
        let groups = groups.into_values().map(|mut branches| {
            branches.sort_by_key(|(newest, branch)| (Reverse(*newest), branch.label));
            Group {
                branches: branches.into_iter().map(|(_, branch)| branch).collect(),
                ringing_max: None,
            }
        });
        Ok(groups.collect())
    }

    /// The user, and the device where a GRUU names one.
    fn meant(&self, uri: &SipUri) -> Result<(Aor, Option<String>), Unreachable> {
        if !Gruus::is_gruu(uri) {
            let aor = self.aor_of(uri).ok_or(Unreachable::Unknown)?;
            return Ok((aor, None));
        }
        match self.gruus.read(uri) {
            Ok(Gruu::Public { aor, instance_id }) => {
                let aor = self.aor_of(&aor).ok_or(Unreachable::Unknown)?;
                Ok((aor, Some(instance_id)))
            }
            Ok(Gruu::Temporary { gruu_id }) => {
                let aor = self.temporary.get(&gruu_id).ok_or(Unreachable::Unknown)?;
                let rows = self.bindings.get(aor).into_iter().flatten();
                let instance = rows
                    .filter(|row| row.gruu_id == gruu_id)
                    .find_map(|row| row.instance_id.clone());
                Ok((aor.clone(), Some(instance.ok_or(Unreachable::Unknown)?)))
            }
            Err(_) => Err(Unreachable::Unknown),
        }
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Device<'a> {
    Instance(&'a str),
    Row(u64),
}
