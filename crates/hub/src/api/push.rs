//! Web Push: a browser asks to be told.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gate::{Caller, Who};
use super::given::Given;
use super::{Answered, Shared};
use crate::id::PersonId;
use crate::notify::{LocalUrl, Topic};
use crate::problem::Problem;
use crate::push::{BrowserKeys, Subscription};

/// By which browsers know this hub.
#[derive(Serialize, ToSchema)]
pub(super) struct PushKey {
    /// The `applicationServerKey`, base64url.
    public_key: String,
    /// The caller's own browsers that are told.
    browsers: Vec<ToldBrowser>,
}

/// A browser that is told.
#[derive(Serialize, ToSchema)]
pub(super) struct ToldBrowser {
    /// Where its service takes pushes.
    #[schema(value_type = String)]
    endpoint: LocalUrl,
    /// What it is told of.
    tells: BTreeSet<Topic>,
}

/// A browser's subscription, as `PushSubscription.toJSON()` has it.
#[derive(Deserialize, ToSchema)]
pub(super) struct Subscribe {
    /// Where its service takes pushes; this machine's only.
    #[schema(value_type = String, max_length = 1000)]
    endpoint: LocalUrl,
    /// What is encrypted with.
    keys: SubscriptionKeys,
    /// What it is told of; left out: as before, and calls and messages for a new one. Lines and calls for help are told to
    /// owners and adults alone.
    tells: Option<BTreeSet<Topic>>,
}

/// What is encrypted with.
#[derive(Deserialize, ToSchema)]
pub(super) struct SubscriptionKeys {
    /// A point of P-256, base64url.
    p256dh: String,
    /// 16 bytes, base64url.
    auth: String,
}

/// A browser that is told no more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unsubscribe {
    /// Which.
    #[schema(value_type = String, max_length = 1000)]
    endpoint: LocalUrl,
}

fn person_of(caller: &Caller) -> Result<PersonId, Problem> {
    match &caller.who {
        Who::Person { person, .. } => Ok(person.id),
        _ => Err(Problem::forbidden("a person is told, not a device")),
    }
}

/// The key for a subscription, and what the caller's browsers are told of.
#[utoipa::path(get, path = "/api/v1/push", tag = "push", responses((status = 200, body = PushKey)))]
pub(super) async fn key(State(home): State<Shared>, caller: Caller) -> Answered<PushKey> {
    let vapid = home.triggers.vapid(&home).await.map_err(|error| {
        tracing::error!(%error, "no key for pushing");
        Problem::internal()
    })?;
    let public_key = vapid.public_key();
    let all = home.triggers.subscriptions(&home).await?;
    let own = person_of(&caller).ok();
    let told = |own: &Subscription| ToldBrowser {
        endpoint: own.endpoint.clone(),
        tells: own.tells.clone(),
    };
    let browsers = own.map(|person| all.of(person).map(told).collect());
    Ok(Json(PushKey {
        public_key,
        browsers: browsers.unwrap_or_default(),
    }))
}

/// Tell this browser of what is chosen; the same endpoint again changes its keys and the choice.
#[utoipa::path(post, path = "/api/v1/push", tag = "push", request_body = Subscribe, responses((status = 204)))]
pub(super) async fn subscribe(
    State(home): State<Shared>,
    caller: Caller,
    Given(wish): Given<Subscribe>,
) -> Result<StatusCode, Problem> {
    let person = person_of(&caller)?;
    BrowserKeys::read(&wish.keys.p256dh, &wish.keys.auth)
        .map_err(|error| Problem::invalid_field("keys", error.to_string()))?;
    home.triggers
        .change_subscriptions(&home, |all| {
            let before = all.of(person).find(|own| own.endpoint == wish.endpoint);
            let before = before.map(|own| own.tells.clone());
            let tells = wish.tells.or(before);
            all.add(Subscription {
                person,
                endpoint: wish.endpoint,
                p256dh: wish.keys.p256dh,
                auth: wish.keys.auth,
                tells: tells.unwrap_or_else(Topic::of_browsers),
            });
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tell this browser no more.
#[utoipa::path(delete, path = "/api/v1/push", tag = "push", request_body = Unsubscribe, responses((status = 204)))]
pub(super) async fn unsubscribe(
    State(home): State<Shared>,
    caller: Caller,
    Given(wish): Given<Unsubscribe>,
) -> Result<StatusCode, Problem> {
    let person = person_of(&caller)?;
    let all = home.triggers.subscriptions(&home).await?;
    if all.of(person).any(|own| own.endpoint == wish.endpoint) {
        home.triggers
            .change_subscriptions(&home, |all| all.remove(&wish.endpoint))
            .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
