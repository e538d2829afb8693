//! What the hub holds of triggers, and the one place where a routine runs.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, OnceCell, Semaphore, mpsc};

use super::key::matches;
use super::{Action, EventName, Given, Routines, TriggerKey};
use crate::clock::UnixMs;
use crate::device::DeviceKind;
use crate::home::{Counted, Home};
use crate::id::{DeviceId, MessageId, PersonId};
use crate::message::{ClientId, KEPT_MS, MessageBody, NewMessage, Recipients};
use crate::notify::{Topic, post_patiently};
use crate::person::Party;
use crate::push::{PushWord, Subscriptions, Vapid, send_to};
use crate::rate::{Rate, RateLimit};
use crate::store::{Answer, StoreError};

/// Requests outwards at once.
const PLACES: usize = 16;
/// Firings of the home.
const FIRES: Rate = Rate {
    burst: 20,
    every_ms: 2_000,
};
/// Wrong keys of one source; apart from log-ins, which a forgotten key elsewhere must not lock out.
const WRONG_KEYS: Rate = Rate {
    burst: 10,
    every_ms: 6_000,
};
/// Searches for one person's phone.
const RINGS: Rate = Rate {
    burst: 5,
    every_ms: 5_000,
};
/// Names of the documents in the store.
const ROUTINES: &str = "routines";
const KEY: &str = "trigger-key";
const SUBSCRIPTIONS: &str = "push-subscriptions";
const VAPID: &str = "push-key";

/// The hub's part in triggers and notifications.
pub(crate) struct Triggers {
    /// One change of a document at a time.
    changing: Mutex<()>,
    pub(crate) places: Arc<Semaphore>,
    fires: RateLimit<()>,
    wrong_keys: RateLimit<Counted>,
    pub(crate) rings: RateLimit<PersonId>,
    vapid: OnceCell<Vapid>,
    /// By which telephones of the home ring, where there is a SIP server.
    telephones: OnceLock<mpsc::Sender<DeviceId>>,
    /// What any service or browser is told of, as the documents have it; none: they are to be read.
    told: std::sync::Mutex<Option<BTreeSet<Topic>>>,
    /// Whose browsers are told of calls while the app is closed.
    called: std::sync::Mutex<BTreeSet<PersonId>>,
}

impl Default for Triggers {
    fn default() -> Self {
        Self {
            changing: Mutex::new(()),
            places: Arc::new(Semaphore::new(PLACES)),
            fires: RateLimit::new(FIRES),
            wrong_keys: RateLimit::new(WRONG_KEYS),
            rings: RateLimit::new(RINGS),
            vapid: OnceCell::new(),
            telephones: OnceLock::new(),
            told: std::sync::Mutex::default(),
            called: std::sync::Mutex::default(),
        }
    }
}

/// The routines and whose messages they send.
#[derive(Serialize, Deserialize)]
struct Kept {
    by: PersonId,
    routines: Routines,
}

/// A key that is not this home's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrongKey;

async fn read<T: DeserializeOwned>(home: &Home, name: &'static str) -> Answer<Option<T>> {
    let text = home.store.document(name).await?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| StoreError::Unreadable(name)))
        .transpose()
}

async fn write<T: Serialize>(home: &Home, name: &str, value: &T) -> Answer<()> {
    let text = serde_json::to_string(value)
        .map_err(|_| StoreError::Refused("the document cannot be written"))?;
    home.store.set_document(name, &text).await
}

impl Triggers {
    /// The routines, with their tokens.
    pub(crate) async fn routines(&self, home: &Home) -> Answer<Routines> {
        let kept: Option<Kept> = read(home, ROUTINES).await?;
        Ok(kept.map(|kept| kept.routines).unwrap_or_default())
    }

    /// Replaces them; a target without a token keeps the one that it had.
    pub(crate) async fn set_routines(
        &self,
        home: &Home,
        by: PersonId,
        mut routines: Routines,
    ) -> Answer<()> {
        let _alone = self.changing.lock().await;
        let before = self.routines(home).await?;
        for target in &mut routines.targets {
            if target.token.is_none() {
                let same = before
                    .target(&target.name)
                    .filter(|before| before.kind == target.kind && before.url == target.url);
                target.token = same.and_then(|same| same.token.clone());
            }
        }
        let written = write(home, ROUTINES, &Kept { by, routines }).await;
        *self.told() = None;
        written
    }

    /// Whether a browser or a service of the home is told of this. Asked at each call: it reads the documents once.
    pub(crate) async fn is_told(&self, home: &Home, topic: Topic) -> Answer<bool> {
        if let Some(told) = &*self.told() {
            return Ok(told.contains(&topic));
        }
        let _alone = self.changing.lock().await;
        let targets = self.routines(home).await?.targets;
        let mut told = self.subscriptions(home).await?.topics();
        told.extend(targets.into_iter().flat_map(|target| target.tells));
        let is = told.contains(&topic);
        *self.told() = Some(told);
        Ok(is)
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Option<BTreeSet<Topic>>> {
        self.told
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A new key; the one before opens nothing any more.
    pub(crate) async fn renew_key(&self, home: &Home) -> Answer<TriggerKey> {
        let key = TriggerKey::random().map_err(StoreError::from)?;
        write(home, KEY, &key.hash()).await?;
        Ok(key)
    }

    /// By this, telephones of the home ring. There is one SIP server.
    pub(crate) fn telephones_ring_by(&self, finder: mpsc::Sender<DeviceId>) {
        let _ = self.telephones.set(finder);
    }

    /// Whether this is the home's key.
    pub(crate) async fn check_key(&self, home: &Home, given: &str) -> Answer<Result<(), WrongKey>> {
        let kept: Option<String> = read(home, KEY).await?;
        Ok(if matches(given, kept.as_deref()) {
            Ok(())
        } else {
            Err(WrongKey)
        })
    }

    /// Milliseconds to wait, when a source has shown too many wrong keys.
    pub(crate) fn note_wrong_key(&self, source: &Counted, now: UnixMs) -> Result<(), u32> {
        self.wrong_keys.take(source, now)
    }

    /// Milliseconds to wait, when the home has been called too often.
    pub(crate) fn may_fire(&self, now: UnixMs) -> Result<(), u32> {
        self.fires.take(&(), now)
    }

    /// Runs the routines of an event. How many actions began; one that fails leaves the others.
    pub(crate) async fn fire(
        &self,
        home: &Arc<Home>,
        event: &EventName,
        given: &Given,
    ) -> Answer<usize> {
        let Some(kept) = read::<Kept>(home, ROUTINES).await? else {
            return Ok(0);
        };
        let own = kept
            .routines
            .routines
            .iter()
            .filter(|routine| routine.event == *event);
        let mut begun = 0;
        for action in own.flat_map(|routine| &routine.actions) {
            match act(home, &kept, action, event, given).await {
                Ok(()) => begun += 1,
                Err(error) => tracing::warn!(%error, "an action of a routine was not done"),
            }
        }
        Ok(begun)
    }

    /// The browsers that want to be told.
    pub(crate) async fn subscriptions(&self, home: &Home) -> Answer<Subscriptions> {
        Ok(read(home, SUBSCRIPTIONS).await?.unwrap_or_default())
    }

    /// Changes them; those of people who are gone go.
    pub(crate) async fn change_subscriptions(
        &self,
        home: &Home,
        change: impl FnOnce(&mut Subscriptions),
    ) -> Answer<()> {
        let _alone = self.changing.lock().await;
        let mut all = self.subscriptions(home).await?;
        change(&mut all);
        let people = home.store.people().await?;
        let people: Vec<PersonId> = people.iter().map(|person| person.id).collect();
        all.keep(&people);
        let written = write(home, SUBSCRIPTIONS, &all).await;
        *self.told() = None;
        self.note_called(&all);
        written
    }

    /// Reads whose browsers are told of calls: once, when the hub starts.
    pub(crate) async fn read_called(&self, home: &Home) -> Answer<()> {
        let all = self.subscriptions(home).await?;
        self.note_called(&all);
        Ok(())
    }

    fn note_called(&self, all: &Subscriptions) {
        let people = all.told_of(Topic::Calls).collect();
        *self.called_now() = people;
    }

    /// Whether a person is told of a call while their app is closed, and so may come. Asked for each call: nothing is
    /// read for it.
    pub(crate) fn may_be_called(&self, person: PersonId) -> bool {
        self.called_now().contains(&person)
    }

    fn called_now(&self) -> std::sync::MutexGuard<'_, BTreeSet<PersonId>> {
        self.called
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The key by which browsers know this hub, made at the first need.
    pub(crate) async fn vapid(&self, home: &Home) -> Result<&Vapid, String> {
        let make = || async {
            let _alone = self.changing.lock().await;
            let failed = |error: StoreError| error.to_string();
            let kept: Option<String> = read(home, VAPID).await.map_err(failed)?;
            let kept = match kept {
                Some(kept) => kept,
                None => {
                    let fresh = Vapid::generate().ok_or("no randomness")?;
                    write(home, VAPID, &fresh).await.map_err(failed)?;
                    fresh
                }
            };
            Vapid::read(&kept).ok_or_else(|| "the key for pushing does not read".to_owned())
        };
        self.vapid.get_or_try_init(make).await
    }
}

/// One action. Whoever adds one that could reach a telephone line meets the test that walks them all.
async fn act(
    home: &Arc<Home>,
    kept: &Kept,
    action: &Action,
    event: &EventName,
    given: &Given,
) -> Answer<()> {
    match action {
        Action::Announce(announce) => {
            let text = announce.text.message(event, given);
            send(home, kept.by, Recipients::Speakers, text, true).await
        }
        Action::Message(message) => {
            let text = message.text.message(event, given);
            let to = Recipients::These(vec![Party::Person(message.person)]);
            send(home, kept.by, to, text, false).await
        }
        Action::Light(switch) => {
            let now = home.clock.now();
            let ordered = home.store.order_light(switch.speaker, &switch.order, now);
            ordered.await.map(drop)
        }
        Action::Ring(ring) => find(home, ring.person).await.map(drop),
        Action::Notify(notice) => {
            let target = kept.routines.target(&notice.target);
            let target = target.ok_or(StoreError::NotFound("target"))?;
            let title = notice.title.as_ref().map(|title| title.with(event, given));
            let text = notice.text.with(event, given);
            let post = target.post(event.as_str(), title.as_deref(), &text);
            let place = home.triggers.places.clone().try_acquire_owned();
            let place = place.map_err(|_| StoreError::Refused("too many notifications at once"))?;
            tokio::spawn(async move {
                let _place = place;
                if let Err(error) = post_patiently(&post).await {
                    tracing::warn!(%error, "a notification did not get there");
                }
            });
            Ok(())
        }
    }
}

/// What was asked to ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) browsers: usize,
    pub(crate) telephones: usize,
}

/// Lets a person's browsers and ordinary telephones ring, so that they are found.
pub(crate) async fn find(home: &Arc<Home>, person: PersonId) -> Answer<Found> {
    if home.triggers.rings.take(&person, home.clock.now()).is_err() {
        return Err(StoreError::Refused("this phone was looked for just now"));
    }
    let browsers = send_to(home, person, PushWord::Ring, "").await?;
    let telephones = ring_telephones(home, person).await?;
    Ok(Found {
        browsers,
        telephones,
    })
}

/// The registered telephones of a person that ring now.
async fn ring_telephones(home: &Home, person: PersonId) -> Answer<usize> {
    let Some(finder) = home.triggers.telephones.get() else {
        return Ok(0);
    };
    let devices = home.store.devices().await?;
    let own: BTreeSet<DeviceId> = devices
        .iter()
        .filter(|device| device.kind == DeviceKind::SipPhone)
        .filter(|device| device.revoked_at_ms.is_none() && device.fields.person == Some(person))
        .map(|device| device.id)
        .collect();
    if own.is_empty() {
        return Ok(0);
    }
    let bindings = home.store.all_bindings(home.clock.now()).await?;
    let standing = bindings.iter().filter_map(|binding| binding.device);
    let standing: BTreeSet<DeviceId> = standing.filter(|device| own.contains(device)).collect();
    // More than can wait are looked for when they are asked for again.
    let rung = standing
        .into_iter()
        .filter(|device| finder.try_send(*device).is_ok());
    Ok(rung.count())
}

async fn send(
    home: &Home,
    by: PersonId,
    to: Recipients,
    text: Option<crate::message::MessageText>,
    announcement: bool,
) -> Answer<()> {
    let Some(text) = text else {
        return Err(StoreError::Refused("nothing is left of its words"));
    };
    let now = home.clock.now();
    let name = MessageId::random().map_err(StoreError::from)?.to_string();
    let client_id =
        ClientId::try_from(name).map_err(|_| StoreError::Refused("no name for a message"))?;
    let message = NewMessage {
        client_id,
        from: Party::Person(by),
        to,
        outside: None,
        body: MessageBody::Text(text),
        announcement,
        reminder_due: None,
        expires_at: now.plus_ms(KEPT_MS),
    };
    home.store.send_message(&message, now).await.map(drop)
}
