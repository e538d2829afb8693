//! Registrations and calls on their way to the store, and back at the start.

#[cfg(test)]
mod faults;
mod gathered;
mod waiting;
mod writing;

use std::collections::HashMap;
use std::time::Duration;

use hearthline_sip::proxy::AskId;
use hearthline_sip::registrar::{Aor, Binding as Registered};
use hearthline_sip::{NameAddr, Response, Uri};

pub(crate) use gathered::Gathered;
pub(crate) use writing::{BATCHES_MAX, write};

use crate::binding::Binding;
use crate::call::Call;
use crate::clock::UnixMs;
use crate::entropy::{NoEntropy, random};
use crate::id::DeviceId;

/// The only instance of this hub.
pub(crate) const NODE: &str = "hub";

/// A change of a registration's row.
pub(crate) enum RowChange {
    Put(Box<Binding>),
    Remove(RowKey),
}

/// What identifies a registration's row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RowKey {
    pub(crate) aor: String,
    pub(crate) instance_id: String,
    pub(crate) reg_id: u32,
}

/// What is to be written.
pub(crate) enum Batch {
    /// Changes that belong together, and the answer that waits for them.
    Registrations {
        changes: Vec<RowChange>,
        answer: Option<(AskId, Box<Response>)>,
    },
    /// Calls as they are now.
    Calls(Vec<Call>),
}

/// Between the hub's monotonic time and the wall's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wall {
    pub(crate) at_zero: UnixMs,
}

impl Wall {
    fn to_unix(self, at: Duration) -> UnixMs {
        let ms = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
        self.at_zero.plus_ms(ms)
    }

    fn to_monotonic(self, at: UnixMs) -> Duration {
        let ms = at.0.saturating_sub(self.at_zero.0);
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }
}

/// Which row and which device is behind the number of a registration.
#[derive(Default)]
pub(crate) struct RowKeys(HashMap<u64, (RowKey, DeviceId)>);

impl RowKeys {
    /// Whose registration it is.
    pub(crate) fn device(&self, ruid: u64) -> Option<DeviceId> {
        self.0.get(&ruid).map(|(_, device)| *device)
    }

    /// The changes for a registration that is new or refreshed.
    pub(crate) fn put(
        &mut self,
        registered: &Registered,
        device: DeviceId,
        wall: Wall,
    ) -> Vec<RowChange> {
        let row = to_row(registered, device, wall);
        let key = key_of(&row);
        let before = self.0.insert(registered.ruid, (key.clone(), device));
        let moved = before.map(|(before, _)| before).filter(|old| *old != key);
        let mut changes: Vec<RowChange> = moved.map(RowChange::Remove).into_iter().collect();
        changes.push(RowChange::Put(Box::new(row)));
        changes
    }

    /// The change for one that has ended.
    pub(crate) fn remove(&mut self, ruid: u64) -> Option<RowChange> {
        let (key, _) = self.0.remove(&ruid)?;
        // The same row under a newer number: another contact without an instance took it over.
        let taken_over = self.0.values().any(|(other, _)| *other == key);
        (!taken_over).then_some(RowChange::Remove(key))
    }

    /// What the store holds at the start, as far as it leads anywhere after a restart.
    pub(crate) fn load(
        &mut self,
        rows: &[Binding],
        wall: Wall,
    ) -> Result<Vec<Registered>, NoEntropy> {
        let mut all = Vec::new();
        for row in rows {
            let Some(device) = row.device else {
                continue;
            };
            let ruid = u64::from_be_bytes(random()?);
            if let Some(registered) = from_row(row, ruid, wall) {
                self.0.insert(ruid, (key_of(row), device));
                all.push(registered);
            }
        }
        Ok(all)
    }
}

fn key_of(row: &Binding) -> RowKey {
    RowKey {
        aor: row.aor.clone(),
        instance_id: row.instance_id.clone(),
        reg_id: row.reg_id,
    }
}

fn to_row(registered: &Registered, device: DeviceId, wall: Wall) -> Binding {
    let contact = &registered.contact;
    let instance = registered.instance_id.clone();
    Binding {
        aor: registered.aor.as_str().to_owned(),
        instance_id: instance.unwrap_or_else(|| contact.uri.to_string()),
        reg_id: registered.reg_id,
        device: Some(device),
        contact: contact.to_string(),
        path: registered.path.iter().map(NameAddr::to_string).collect(),
        node_id: NODE.to_owned(),
        flow_id: registered.flow.map_or(0, |(id, _)| id.0),
        call_id: registered.call_id.clone(),
        cseq: registered.cseq,
        expires_at: wall.to_unix(registered.expires_at),
    }
}

/// `None`: it led along a connection that the restart broke, or does not read.
fn from_row(row: &Binding, ruid: u64, wall: Wall) -> Option<Registered> {
    let contact = NameAddr::parse(&row.contact).ok()?;
    let transport = match &contact.uri {
        Uri::Sip(uri) if uri.is_secure() => Some("tls"),
        Uri::Sip(uri) => uri.params().get("transport"),
        _ => return None,
    };
    let by_address = match transport {
        None => true,
        Some(transport) => {
            transport.eq_ignore_ascii_case("udp") || transport.eq_ignore_ascii_case("tcp")
        }
    };
    if !by_address {
        return None;
    }
    let path = row.path.iter().map(|hop| NameAddr::parse(hop).ok());
    Some(Registered {
        aor: Aor::from_column(&row.aor)?,
        ruid,
        instance_id: row
            .instance_id
            .starts_with("urn:")
            .then(|| row.instance_id.clone()),
        reg_id: row.reg_id,
        q: contact.q().unwrap_or(1_000),
        contact,
        path: path.collect::<Option<Vec<_>>>()?,
        flow: None,
        call_id: row.call_id.clone(),
        cseq: row.cseq,
        expires_at: wall.to_monotonic(row.expires_at),
        updated_at: Duration::ZERO,
        user_agent: None,
        // Temporary GRUUs end with the process; the next REGISTER brings fresh ones.
        gruu_id: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_reads_back_as_it_was_stored() {
        let wall = Wall {
            at_zero: UnixMs(1_800_000_000_000),
        };
        let registered = Registered {
            aor: Aor::from_column("sip:anna@home.test").unwrap(),
            ruid: 7,
            instance_id: Some("urn:uuid:00000000-0000-1000-8000-000A95A0E128".to_owned()),
            reg_id: 0,
            contact: NameAddr::parse("\"Anna\" <sip:anna@127.0.0.1:5070>;q=0.5").unwrap(),
            path: Vec::new(),
            flow: None,
            call_id: "c1".to_owned(),
            cseq: 3,
            expires_at: Duration::from_secs(600),
            updated_at: Duration::ZERO,
            q: 500,
            user_agent: None,
            gruu_id: 0,
        };
        let device = DeviceId::random().unwrap();
        let mut keys = RowKeys::default();
        let changes = keys.put(&registered, device, wall);
        let [RowChange::Put(row)] = changes.as_slice() else {
            panic!("one row");
        };
        assert_eq!(row.expires_at, UnixMs(1_800_000_600_000));
        assert_eq!(keys.device(7), Some(device));
        let mut again = RowKeys::default();
        let loaded = again.load(&[(**row).clone()], wall).unwrap();
        assert_eq!(loaded[0].aor, registered.aor);
        assert_eq!(
            Registered {
                ruid: 7,
                ..loaded[0].clone()
            },
            registered
        );
        // A contact by TLS was reached by its connection alone.
        let mut tls = (**row).clone();
        tls.contact = "<sip:anna@127.0.0.1:5070;transport=tls>".to_owned();
        assert!(again.load(&[tls], wall).unwrap().is_empty());
        // Another contact text under the same number moves the row.
        let mut moved = registered;
        moved.instance_id = None;
        assert_eq!(keys.put(&moved, device, wall).len(), 2);
        assert!(matches!(keys.remove(7), Some(RowChange::Remove(_))));
        assert!(keys.remove(7).is_none());
    }
}
