//! From the household's events to the browsers of those whom they concern.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Subscription, encrypt};
use crate::call::{CallState, Direction};
use crate::event::{Audience, Event, EventKind};
use crate::feed::Feed;
use crate::home::Home;
use crate::id::PersonId;
use crate::notify::{Failure, Post, post};
use crate::person::{Party, Role};
use crate::store::Answer;

/// Calls that were told of, so that each rings once.
const TOLD_MAX: usize = 256;
/// An event that is older is not told of any more: the phone was off, the call is over.
const FRESH_MS: i64 = 60_000;

/// What a browser is told: a kind and an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushWord {
    /// A message waits.
    Message,
    /// A call rings.
    Call,
    /// Somebody looks for this phone.
    Ring,
}

impl PushWord {
    fn kind(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Call => "call",
            Self::Ring => "ring",
        }
    }

    /// How long a service keeps it, in seconds: a call is over soon, a message waits.
    fn kept_s(self) -> u32 {
        match self {
            Self::Message => 24 * 3_600,
            Self::Call | Self::Ring => 45,
        }
    }

    /// RFC 8030 section 5.3.
    fn urgency(self) -> &'static str {
        match self {
            Self::Message => "normal",
            Self::Call | Self::Ring => "high",
        }
    }
}

/// Follows until the hub stops.
pub(crate) async fn follow(home: Arc<Home>, mut feed: Feed, mut stop: watch::Receiver<bool>) {
    let mut told: VecDeque<String> = VecDeque::new();
    loop {
        let events = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            events = feed.next() => events,
        };
        let Ok(events) = events else {
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        // Where no browser wants to be told, no call is looked up. One that cannot be asked may want it.
        let subscribed = home.triggers.subscriptions(&home).await;
        if subscribed.is_ok_and(|all| all.is_empty()) {
            continue;
        }
        for event in events {
            if event.at.plus_ms(FRESH_MS) < home.clock.now() {
                continue;
            }
            if let Err(error) = tell(&home, &event, &mut told).await {
                tracing::warn!(%error, "nobody is told of an event");
            }
        }
    }
}

async fn tell(home: &Arc<Home>, event: &Event, told: &mut VecDeque<String>) -> Answer<()> {
    match (event.kind, event.audience) {
        (EventKind::MessageQueued, Audience::Mailbox(Party::Person(person))) => {
            send_to(home, person, PushWord::Message, &event.subject).await?;
        }
        (EventKind::Calls, _) if !told.contains(&event.subject) => {
            let people = rung(home, &event.subject).await?;
            if people.is_empty() {
                return Ok(());
            }
            if told.len() == TOLD_MAX {
                told.pop_front();
            }
            told.push_back(event.subject.clone());
            for person in people {
                send_to(home, person, PushWord::Call, &event.subject).await?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whom a ringing call is for. A call for help is for nobody of the home.
async fn rung(home: &Home, call: &str) -> Answer<Vec<PersonId>> {
    let Ok(id) = call.parse() else {
        return Ok(Vec::new());
    };
    let call = home.store.call(id).await?;
    if call.state != CallState::Early || call.emergency {
        return Ok(Vec::new());
    }
    match (call.direction, call.other_device) {
        (Direction::Incoming, _) => {
            let takes = |role| matches!(role, Role::Owner | Role::Adult);
            let people = home.store.people().await?;
            let people = people.iter().filter(|person| takes(person.fields.role));
            Ok(people.map(|person| person.id).collect())
        }
        (Direction::Inside, Some(device)) => {
            let device = home.store.device(device).await?;
            Ok(device.fields.person.into_iter().collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// Tells a person's browsers. How many there are; what becomes of each is not waited for.
pub(crate) async fn send_to(
    home: &Arc<Home>,
    person: PersonId,
    word: PushWord,
    subject: &str,
) -> Answer<usize> {
    let all = home.triggers.subscriptions(home).await?;
    let text = serde_json::json!({"kind": word.kind(), "id": subject}).to_string();
    let mut sent = 0;
    for subscription in all.of(person) {
        sent += 1;
        let (home, text, subscription) = (home.clone(), text.clone(), subscription.clone());
        let Ok(place) = home.triggers.places.clone().try_acquire_owned() else {
            tracing::warn!("too many pushes at once; one is not sent");
            continue;
        };
        tokio::spawn(async move {
            let _place = place;
            if let Err(why) = send(&home, &subscription, word, &text).await {
                tracing::info!(%why, "a browser was not told");
            }
        });
    }
    Ok(sent)
}

async fn send(
    home: &Arc<Home>,
    subscription: &Subscription,
    word: PushWord,
    text: &str,
) -> Result<(), String> {
    let keys = subscription.keys().map_err(|error| error.to_string())?;
    let body = encrypt(text.as_bytes(), &keys).map_err(|error| error.to_string())?;
    let vapid = home.triggers.vapid(home).await?;
    let to = subscription.endpoint.clone();
    let authorization = vapid
        .authorization(to.origin(), &home.base_url, home.clock.now())
        .ok_or("no signature")?;
    let headers = vec![
        ("content-encoding", "aes128gcm".to_owned()),
        ("content-type", "application/octet-stream".to_owned()),
        ("ttl", word.kept_s().to_string()),
        ("urgency", word.urgency().to_owned()),
        ("authorization", authorization),
    ];
    match post(&Post { to, headers, body }).await {
        Ok(()) => Ok(()),
        // RFC 8030 section 7.3: the browser has gone.
        Err(Failure::Refused(status)) if [404, 410].contains(&status.as_u16()) => {
            let endpoint = subscription.endpoint.clone();
            home.triggers
                .change_subscriptions(home, |all| all.remove(&endpoint))
                .await
                .map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}
