//! What happens at triggers, and the key of their addresses.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Caller, Who};
use super::given::{Given, Id};
use super::{Answered, Created, Shared};
use crate::id::PersonId;
use crate::problem::Problem;
use crate::trigger::{Routines, find};

/// A new key, shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct NewKey {
    /// The key.
    key: String,
    /// Where to call, with `EVENT` for the event's name.
    url: String,
    /// The same for any JSON.
    json_url: String,
}

/// How many were asked to ring.
#[derive(Serialize, ToSchema)]
pub(super) struct Rung {
    /// Browsers of the person.
    browsers: usize,
}

/// The routines. Tokens of targets are not shown.
#[utoipa::path(get, path = "/api/v1/routines", tag = "routines", responses((status = 200, body = Routines)))]
pub(super) async fn list(State(home): State<Shared>) -> Answered<Routines> {
    let mut routines = home.triggers.routines(&home).await?;
    for target in &mut routines.targets {
        target.token = None;
    }
    Ok(Json(routines))
}

/// Replace the routines. They send messages in the name of whoever wrote them last; no action reaches a telephone line.
#[utoipa::path(put, path = "/api/v1/routines", tag = "routines", request_body = Routines,
    responses((status = 200, body = Routines)))]
pub(super) async fn set(
    State(home): State<Shared>,
    caller: Caller,
    Given(routines): Given<Routines>,
) -> Answered<Routines> {
    let Who::Person { person, .. } = &caller.who else {
        return Err(Problem::forbidden("a person writes routines"));
    };
    routines
        .check()
        .map_err(|error| Problem::invalid_field("routines", error.to_string()))?;
    if !routines
        .targets
        .iter()
        .all(crate::notify::Target::has_fit_token)
    {
        let detail = "a token is 1 to 200 visible ASCII characters";
        return Err(Problem::invalid_field("targets", detail));
    }
    home.triggers
        .set_routines(&home, person.id, routines)
        .await?;
    list(State(home)).await
}

/// Make a new key for the trigger addresses. The one before opens nothing any more.
#[utoipa::path(post, path = "/api/v1/routines/key", tag = "routines", responses((status = 201, body = NewKey)))]
pub(super) async fn renew_key(State(home): State<Shared>) -> Created<NewKey> {
    let key = home.triggers.renew_key(&home).await?;
    let base = &home.base_url;
    let new = NewKey {
        url: format!("{base}/trigger/EVENT/with/key/{}", key.as_str()),
        json_url: format!("{base}/trigger/EVENT/json/with/key/{}", key.as_str()),
        key: key.as_str().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(new)))
}

/// Find a person's phone: their browsers ring.
#[utoipa::path(post, path = "/api/v1/people/{id}/ring", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = Rung)))]
pub(super) async fn ring(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<PersonId>,
) -> Answered<Rung> {
    home.store.person(id).await?;
    let own = match &caller.who {
        Who::Person { person, .. } => person.id == id,
        Who::Device { device, .. } => device.fields.person == Some(id),
        Who::Nobody => false,
    };
    if !own && !caller.sees_all() {
        return Err(Problem::forbidden("this phone is not yours"));
    }
    let browsers = find(&home, id).await?;
    Ok(Json(Rung { browsers }))
}
