//! Registrations and calls on their way to the store, one after the other, and back at the start.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hearthline_sip::proxy::AskId;
use hearthline_sip::registrar::{Aor, Binding as Registered};
use hearthline_sip::{NameAddr, Response, Uri};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::switchboard::News;
use super::telephone_incidents;
use crate::binding::Binding;
use crate::call::Call;
use crate::clock::UnixMs;
use crate::entropy::{NoEntropy, random};
use crate::home::Home;
use crate::id::{CallId, DeviceId};
use crate::store::StoreError;

/// Batches that wait for the store.
pub(crate) const BATCHES_MAX: usize = 4_096;
/// How long rows of calls are gathered, so that many are written in one transaction.
const GATHER: Duration = Duration::from_millis(250);
/// Most calls of one transaction.
const GATHERED_MAX: usize = 256;
/// Writes of registrations that may follow each other at once, and how soon the next one may.
const PACE_BURST: u32 = 50;
const PACE: Duration = Duration::from_millis(25);
/// Most registrations, and answers that wait for them, of one write.
const GROUP_MAX: usize = 64;
/// The only instance of this hub.
pub(crate) const NODE: &str = "hub";

/// A change of a row.
pub(crate) enum RowChange {
    Put(Box<Binding>),
    Remove(RowKey),
    Call(Box<Call>),
}

/// What identifies a registration's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowKey {
    pub(crate) aor: String,
    pub(crate) instance_id: String,
    pub(crate) reg_id: u32,
}

/// Changes that belong together, and the answer that waits for them.
pub(crate) struct Batch {
    pub(crate) changes: Vec<RowChange>,
    pub(crate) answer: Option<(AskId, Box<Response>)>,
}

/// Rows of calls that wait to be written at once: what a call is in the end counts, not each step of a quick one.
#[derive(Default)]
struct Gathered {
    calls: HashMap<CallId, Call>,
    /// In the order in which they began to wait.
    order: Vec<CallId>,
    until: Option<Instant>,
}

impl Gathered {
    fn add(&mut self, call: Call) {
        let id = call.id;
        if self.calls.insert(id, call).is_none() {
            self.order.push(id);
        }
        self.until.get_or_insert_with(|| Instant::now() + GATHER);
    }

    async fn write(&mut self, home: &Home) {
        self.until = None;
        let order = self.order.drain(..);
        let calls: Vec<Call> = order.filter_map(|id| self.calls.remove(&id)).collect();
        if calls.is_empty() {
            return;
        }
        if let Err(error) = home.store.note_calls(&calls, home.clock.now()).await {
            tracing::error!(%error, "calls were not stored");
        }
        telephone_incidents::note(home, &calls).await;
    }
}

/// How often registrations are written: a few at once, then at this pace, so that those of a busy moment share a write.
#[derive(Default)]
struct Pace {
    paid_until: Option<Instant>,
}

impl Pace {
    /// When the next one may be.
    fn next(&self, now: Instant) -> Instant {
        let ahead = PACE * PACE_BURST;
        self.paid_until
            .and_then(|paid| paid.checked_sub(ahead))
            .map_or(now, |free| free.max(now))
    }

    fn spend(&mut self, now: Instant) {
        let paid = self.paid_until.unwrap_or(now).max(now);
        self.paid_until = Some(paid + PACE);
    }
}

/// Registrations that are written at once, and who waits for them.
#[derive(Default)]
struct Group {
    /// One a place, the latest.
    rows: Vec<Binding>,
    answers: Vec<Waiting>,
    pace: Pace,
}

/// An answer that waits for its rows.
struct Waiting {
    id: AskId,
    response: Box<Response>,
    /// Where they stand in the group.
    rows: Vec<usize>,
    /// Whether what is done already was done.
    kept: bool,
}

impl Group {
    fn add(&mut self, row: Binding) -> usize {
        let same = |own: &Binding| {
            own.reg_id == row.reg_id && own.instance_id == row.instance_id && own.aor == row.aor
        };
        match self.rows.iter().position(same) {
            Some(at) => {
                self.rows[at] = row;
                at
            }
            None => {
                self.rows.push(row);
                self.rows.len() - 1
            }
        }
    }

    /// When it is to be written.
    fn until(&self, now: Instant) -> Option<Instant> {
        let waits = !self.rows.is_empty() || !self.answers.is_empty();
        waits.then(|| self.pace.next(now))
    }

    /// Writes all, and answers which rows were kept.
    async fn write(&mut self, home: &Home, news: &mpsc::Sender<News>) -> Vec<bool> {
        let rows = std::mem::take(&mut self.rows);
        let mut kept = vec![true; rows.len()];
        if !rows.is_empty() {
            self.pace.spend(Instant::now());
            let now = home.clock.now();
            let one_by_one = match rows.len() {
                1 => true,
                count => match home.store.put_bindings(&rows, now).await {
                    Ok(written) => written != count,
                    // One of them is at fault; which one is not said.
                    Err(StoreError::Dangling | StoreError::Limit { .. }) => true,
                    Err(error) => {
                        kept.fill(false);
                        tracing::error!(%error, "registrations were not stored");
                        false
                    }
                },
            };
            if one_by_one {
                for (row, kept) in rows.iter().zip(&mut kept) {
                    if let Err(error) = home.store.put_binding(row, now).await {
                        *kept = false;
                        tracing::error!(%error, "a registration was not stored");
                    }
                }
            }
        }
        for waiting in self.answers.drain(..) {
            let Waiting { id, response, .. } = waiting;
            let kept = waiting.kept && waiting.rows.iter().all(|at| kept[*at]);
            // A hub that is stopping answers nobody any more.
            let _ = news.send(News::Written { id, response, kept }).await;
        }
        kept
    }
}

/// Writes until nobody sends any more.
pub(crate) async fn write(
    home: Arc<Home>,
    mut batches: mpsc::Receiver<Batch>,
    news: mpsc::Sender<News>,
) {
    let mut gathered = Gathered::default();
    let mut group = Group::default();
    loop {
        let until = [gathered.until, group.until(Instant::now())];
        let next = match until.into_iter().flatten().min() {
            None => batches.recv().await,
            // What has arrived in the meantime comes first, and goes into the same write.
            Some(until) => match timeout_at(until, batches.recv()).await {
                Ok(next) => next,
                Err(_) => {
                    let now = Instant::now();
                    if group.until(now).is_some_and(|until| until <= now) {
                        group.write(&home, &news).await;
                    }
                    if gathered.until.is_some_and(|until| until <= now) {
                        gathered.write(&home).await;
                    }
                    continue;
                }
            },
        };
        let Some(Batch { changes, answer }) = next else {
            group.write(&home, &news).await;
            return gathered.write(&home).await;
        };
        let (mut rows, mut kept) = (Vec::<usize>::new(), true);
        for change in changes {
            match change {
                RowChange::Call(call) => {
                    // What a call for help leaves behind waits for nothing.
                    let at_once = call.emergency;
                    gathered.add(*call);
                    if at_once || gathered.order.len() >= GATHERED_MAX {
                        gathered.write(&home).await;
                    }
                }
                RowChange::Put(row) => rows.push(group.add(*row)),
                RowChange::Remove(key) => {
                    // In their order.
                    let written = group.write(&home, &news).await;
                    kept &= rows.drain(..).all(|at| written[at]);
                    let RowKey {
                        aor,
                        instance_id,
                        reg_id,
                    } = key;
                    let done = home.store.remove_binding(&aor, &instance_id, reg_id).await;
                    if let Err(error) = done {
                        kept = false;
                        tracing::error!(%error, "a registration was not removed");
                    }
                }
            }
        }
        if let Some((id, response)) = answer {
            let waiting = Waiting {
                id,
                response,
                rows,
                kept,
            };
            group.answers.push(waiting);
        }
        if group.rows.len() >= GROUP_MAX || group.answers.len() >= GROUP_MAX {
            group.write(&home, &news).await;
        }
    }
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

    #[test]
    fn a_few_writes_follow_each_other_then_they_are_shared() {
        let (mut pace, began) = (Pace::default(), Instant::now());
        for _ in 0..PACE_BURST {
            assert_eq!(pace.next(began), began);
            pace.spend(began);
        }
        let mut now = began;
        for _ in 0..20 {
            now = pace.next(now);
            pace.spend(now);
        }
        let waited = now - began;
        assert!(
            (PACE * 18..=PACE * 20).contains(&waited),
            "{waited:?} for twenty more"
        );
        // After a quiet time there is no wait again.
        now += PACE * (PACE_BURST + 1);
        assert_eq!(pace.next(now), now);
    }

    #[test]
    fn of_a_place_only_the_latest_is_written() {
        let row = |reg_id, cseq| Binding {
            aor: "sip:anna@home.test".to_owned(),
            instance_id: "urn:uuid:1".to_owned(),
            reg_id,
            device: None,
            contact: "<sip:anna@127.0.0.1>".to_owned(),
            path: Vec::new(),
            node_id: NODE.to_owned(),
            flow_id: 0,
            call_id: "c".to_owned(),
            cseq,
            expires_at: UnixMs(0),
        };
        let mut group = Group::default();
        let places = [row(1, 1), row(2, 1), row(1, 2)].map(|row| group.add(row));
        assert_eq!(places, [0, 1, 0]);
        assert_eq!(group.rows, [row(1, 2), row(2, 1)]);
    }
}
