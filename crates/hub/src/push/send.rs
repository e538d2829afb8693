//! To a person's browsers, each by its own service.

use std::sync::Arc;

use super::{Subscription, encrypt};
use crate::home::Home;
use crate::id::PersonId;
use crate::notify::{Failure, Post, Topic, post};
use crate::store::Answer;

/// What a browser is told: a kind and an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushWord {
    /// A message waits.
    Message,
    /// A call rings.
    Call,
    /// A call was not taken.
    Missed,
    /// A line fails or works again.
    Line,
    /// A call for help was made.
    Incident,
    /// Somebody looks for this phone.
    Ring,
}

impl PushWord {
    /// What one must have chosen to be told; a phone that is looked for is told in any case.
    fn topic(self) -> Option<Topic> {
        match self {
            Self::Message => Some(Topic::Messages),
            Self::Call => Some(Topic::Calls),
            Self::Missed => Some(Topic::MissedCalls),
            Self::Line => Some(Topic::LineHealth),
            Self::Incident => Some(Topic::Incidents),
            Self::Ring => None,
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Call => "call",
            Self::Missed => "missed",
            Self::Line => "line",
            Self::Incident => "incident",
            Self::Ring => "ring",
        }
    }

    /// How long a service keeps it, in seconds: a call is over soon, a message waits.
    fn kept_s(self) -> u32 {
        match self {
            Self::Message | Self::Missed | Self::Line | Self::Incident => 24 * 3_600,
            Self::Call | Self::Ring => 45,
        }
    }

    /// RFC 8030 section 5.3.
    fn urgency(self) -> &'static str {
        match self {
            Self::Message | Self::Missed | Self::Line => "normal",
            Self::Call | Self::Ring | Self::Incident => "high",
        }
    }
}

/// Tells those of a person's browsers that want it. How many; what becomes of each is not waited for.
pub(crate) async fn send_to(
    home: &Arc<Home>,
    person: PersonId,
    word: PushWord,
    subject: &str,
) -> Answer<usize> {
    let all = home.triggers.subscriptions(home).await?;
    let text = serde_json::json!({"kind": word.kind(), "id": subject}).to_string();
    let mut sent = 0;
    let wants = |own: &&Subscription| word.topic().is_none_or(|topic| own.tells.contains(&topic));
    for subscription in all.of(person).filter(wants) {
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
