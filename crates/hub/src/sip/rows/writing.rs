//! The one task that writes rows. What the store does not take stays here, bounded, and is tried again.
//!
//! ```text
//! switchboard ─ Batch, never waits ─► waiting ─ one attempt at a time ─► Store
//!      ▲                                 ▲                                 │
//!      └ answer: written, or 503 in time └────── locked, full, read-only ──┘
//! ```
//! A call is carried whether its row is written or not. A registration is answered 200 once it is on the disk; the
//! switchboard knows it before, so a telephone that hears 503 is called all the same.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::waiting::{ANSWERED_WITHIN, Calls, Place, Registrations, Waiting};
use super::{Batch, RowKey};
use crate::call::Call;
use crate::clock::{Clock, UnixMs};
use crate::sip::switchboard::News;
use crate::sip::telephone_incidents;
use crate::store::{Store, StoreError};

/// Batches that wait for this task.
pub(crate) const BATCHES_MAX: usize = 4_096;
/// How soon a store that took nothing is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How long a hub that stops tries to write what is left.
const FAREWELL_MAX: Duration = Duration::from_secs(10);

/// What came of an attempt.
enum Done {
    Calls {
        kept: Vec<Call>,
        trouble: Option<StoreError>,
    },
    Registrations {
        kept: Vec<Place>,
        refused: HashSet<RowKey>,
        trouble: Option<StoreError>,
    },
}

type Attempt = Pin<Box<dyn Future<Output = Done> + Send>>;

/// Whether the store takes rows of one kind.
struct Trouble {
    what: &'static str,
    retry_at: Option<Instant>,
}

impl Trouble {
    fn none(what: &'static str) -> Self {
        let retry_at = None;
        Self { what, retry_at }
    }

    /// What came of an attempt; said once when it begins and once when it ends.
    fn note(&mut self, error: Option<&StoreError>, waiting: usize, lost: &mut u64) {
        let what = self.what;
        match (error, self.retry_at) {
            (Some(error), None) => {
                tracing::error!(%error, what, waiting, "the database takes no rows: they wait in memory, calls go on");
            }
            (None, Some(_)) => {
                let lost = std::mem::take(lost);
                tracing::warn!(what, lost, "the database takes rows again");
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        self.retry_at = error.map(|_| Instant::now() + RETRY);
    }
}

struct Writer {
    store: Arc<dyn Store>,
    clock: Clock,
    news: mpsc::Sender<News>,
    calls: Calls,
    calls_trouble: Trouble,
    registrations: Registrations,
    registrations_trouble: Trouble,
    /// Who waits for the attempt that is being made.
    answering: Vec<Waiting>,
    /// The hub stops: what is not written by then is lost.
    closing: Option<Instant>,
}

/// Writes until nobody sends any more.
pub(crate) async fn write(
    store: Arc<dyn Store>,
    clock: Clock,
    mut batches: mpsc::Receiver<Batch>,
    news: mpsc::Sender<News>,
) {
    let mut writer = Writer {
        store,
        clock,
        news,
        calls: Calls::default(),
        calls_trouble: Trouble::none("calls"),
        registrations: Registrations::default(),
        registrations_trouble: Trouble::none("registrations"),
        answering: Vec::new(),
        closing: None,
    };
    let mut attempt = None;
    loop {
        if attempt.is_none() {
            attempt = writer.begin(Instant::now());
        }
        if attempt.is_none() && writer.closing.is_some() {
            return writer.say_what_is_lost();
        }
        let wake = writer.next_timeout(attempt.is_some());
        tokio::select! {
            biased;
            done = made(&mut attempt) => {
                attempt = None;
                writer.done(done).await;
            }
            batch = batches.recv(), if writer.closing.is_none() => match batch {
                Some(batch) => writer.add(batch, Instant::now()).await,
                None => writer.closing = Some(Instant::now() + FAREWELL_MAX),
            },
            () = slept(wake) => {
                let now = Instant::now();
                if writer.closing.is_some_and(|until| until <= now) {
                    return writer.say_what_is_lost();
                }
                writer.answer_the_late(now).await;
            }
        }
    }
}

async fn made(attempt: &mut Option<Attempt>) -> Done {
    match attempt {
        Some(attempt) => attempt.await,
        None => std::future::pending().await,
    }
}

async fn slept(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

impl Writer {
    async fn add(&mut self, batch: Batch, now: Instant) {
        let (changes, answer) = match batch {
            Batch::Registrations { changes, answer } => (changes, answer),
            Batch::Calls(calls) => {
                return calls.into_iter().for_each(|call| self.calls.add(call, now));
            }
        };
        let (mut keys, mut room) = (Vec::new(), true);
        for change in changes {
            match self.registrations.add(change) {
                Some(key) => keys.push(key),
                None => room = false,
            }
        }
        let Some((id, response)) = answer else {
            return;
        };
        let waiting = Waiting {
            id,
            response,
            keys,
            until: now + ANSWERED_WITHIN,
        };
        match room {
            true => self.registrations.answers.push(waiting),
            false => self.answer(waiting, false).await,
        }
    }

    /// When calls and registrations are to be written.
    fn due(&self, now: Instant) -> [Option<Instant>; 2] {
        let calls = (self.calls.due(), &self.calls_trouble);
        let registrations = (self.registrations.due(now), &self.registrations_trouble);
        [calls, registrations].map(|(due, trouble)| match self.closing {
            // At once, and once.
            Some(_) => due.filter(|_| trouble.retry_at.is_none()).map(|_| now),
            None => Some(due?.max(trouble.retry_at.unwrap_or(now))),
        })
    }

    /// What is due for the longest.
    fn begin(&mut self, now: Instant) -> Option<Attempt> {
        let [calls, registrations] = self.due(now);
        let is_due = |at: &Instant| *at <= now;
        let (calls, registrations) = (calls.filter(is_due), registrations.filter(is_due));
        let (store, at) = (self.store.clone(), self.clock.now());
        match (calls, registrations) {
            (None, None) => None,
            (Some(calls), own) if own.is_none_or(|own| calls <= own) => {
                let calls = self.calls.take(now);
                Some(Box::pin(write_calls(store, calls, at)))
            }
            _ => {
                let (places, answers) = self.registrations.take(now);
                self.answering = answers;
                Some(Box::pin(write_registrations(store, places, at)))
            }
        }
    }

    fn next_timeout(&self, busy: bool) -> Option<Instant> {
        let now = Instant::now();
        let due = self.due(now).into_iter().flatten().filter(|_| !busy);
        let answers = self.answering.iter().chain(&self.registrations.answers);
        let late = answers.map(|waiting| waiting.until);
        due.chain(late).chain(self.closing).min()
    }

    async fn done(&mut self, done: Done) {
        match done {
            Done::Calls { kept, trouble } => {
                self.calls.put_back(kept, Instant::now());
                let (waiting, lost) = (self.calls.len(), &mut self.calls.lost);
                self.calls_trouble.note(trouble.as_ref(), waiting, lost);
            }
            Done::Registrations {
                kept,
                refused,
                trouble,
            } => {
                let mut failed = refused;
                failed.extend(kept.iter().map(|place| place.key.clone()));
                for waiting in std::mem::take(&mut self.answering) {
                    let kept = waiting.keys.iter().all(|key| !failed.contains(key));
                    self.answer(waiting, kept).await;
                }
                self.registrations.put_back(kept);
                let waiting = self.registrations.len();
                let lost = &mut self.registrations.lost;
                self.registrations_trouble
                    .note(trouble.as_ref(), waiting, lost);
            }
        }
    }

    /// Nobody waits for a store in trouble for longer than that.
    async fn answer_the_late(&mut self, now: Instant) {
        let is_late = |waiting: &mut Waiting| waiting.until <= now;
        let mut late: Vec<Waiting> = self.answering.extract_if(.., is_late).collect();
        late.extend(self.registrations.answers.extract_if(.., is_late));
        for waiting in late {
            self.answer(waiting, false).await;
        }
    }

    async fn answer(&self, waiting: Waiting, kept: bool) {
        let Waiting { id, response, .. } = waiting;
        // A hub that is stopping answers nobody any more.
        let _ = self.news.send(News::Written { id, response, kept }).await;
    }

    fn say_what_is_lost(&self) {
        let calls = self.calls.len() as u64 + self.calls.lost;
        let registrations = self.registrations.len() as u64 + self.registrations.lost;
        if calls + registrations > 0 {
            tracing::error!(
                calls,
                registrations,
                "the hub stops, and these rows were not written"
            );
        }
    }
}

async fn write_calls(store: Arc<dyn Store>, calls: Vec<Call>, now: UnixMs) -> Done {
    let (mut kept, mut written, mut trouble) = (Vec::new(), Vec::new(), None);
    match store.note_calls(&calls, now).await {
        Ok(()) => written = calls,
        Err(error) if !error.is_about_the_request() => (kept, trouble) = (calls, Some(error)),
        // One of them is at fault; which one is not said.
        Err(_) => {
            for call in calls {
                match (&trouble, store.note_call(&call, now).await) {
                    (_, Ok(())) => written.push(call),
                    (None, Err(error)) if error.is_about_the_request() => {
                        tracing::error!(%error, "a call was not stored");
                    }
                    (_, Err(error)) => {
                        trouble = trouble.or(Some(error));
                        kept.push(call);
                    }
                }
            }
        }
    }
    if trouble.is_none() {
        (kept, trouble) = telephone_incidents::note(store.as_ref(), &written, now).await;
    }
    Done::Calls { kept, trouble }
}

async fn write_registrations(store: Arc<dyn Store>, mut places: Vec<Place>, now: UnixMs) -> Done {
    let (mut refused, mut trouble) = (HashSet::new(), None);
    for place in places.iter_mut().filter(|place| place.remove) {
        let RowKey {
            aor,
            instance_id,
            reg_id,
        } = &place.key;
        match store.remove_binding(aor, instance_id, *reg_id).await {
            Ok(()) => place.remove = false,
            Err(error) if error.is_about_the_request() => {
                tracing::error!(%error, "a registration was not removed");
                place.remove = false;
                refused.insert(place.key.clone());
            }
            Err(error) => {
                trouble = Some(error);
                break;
            }
        }
    }
    if trouble.is_none() {
        let rows: Vec<_> = places
            .iter()
            .filter_map(|place| place.put.as_deref())
            .collect();
        let one_by_one = match rows.len() {
            0 => false,
            1 => true,
            count => {
                let rows: Vec<_> = rows.into_iter().cloned().collect();
                match store.put_bindings(&rows, now).await {
                    Ok(written) => written != count,
                    // One of them is at fault; which one is not said.
                    Err(error) if error.is_about_the_request() => true,
                    Err(error) => {
                        trouble = Some(error);
                        false
                    }
                }
            }
        };
        for place in &mut places {
            let Some(row) = place.put.as_deref().filter(|_| trouble.is_none()) else {
                continue;
            };
            let done = match one_by_one {
                true => store.put_binding(row, now).await.map(drop),
                false => Ok(()),
            };
            match done {
                Ok(()) => place.put = None,
                Err(error) if error.is_about_the_request() => {
                    tracing::error!(%error, "a registration was not stored");
                    refused.insert(place.key.clone());
                    place.put = None;
                }
                Err(error) => trouble = Some(error),
            }
        }
    }
    places.retain(|place| place.remove || place.put.is_some());
    Done::Registrations {
        kept: places,
        refused,
        trouble,
    }
}
