//! What happens at triggers, and the key of their addresses.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gate::{Caller, Who};
use super::given::{Given, Id};
use super::{Answered, Created, Shared};
use crate::id::PersonId;
use crate::person::Person;
use crate::problem::Problem;
use crate::text::Name;
use crate::trigger::{Found, Routines, find};

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
    /// Ordinary telephones of the person that are registered.
    telephones: usize,
}

/// Whose phone is looked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lost {
    /// What they are called; none: the person of the device that asks, or the only one of the home.
    person: Option<Name>,
}

/// Whose phone rings, and how many of theirs.
#[derive(Serialize, ToSchema)]
pub(super) struct FoundPhone {
    /// What they are called.
    person: Name,
    /// Browsers of the person.
    browsers: usize,
    /// Ordinary telephones of the person that are registered.
    telephones: usize,
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

/// Find a person's phone: their browsers ring, and for half a minute their ordinary telephones of the home.
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
    let Found {
        browsers,
        telephones,
    } = find(&home, id).await?;
    Ok(Json(Rung {
        browsers,
        telephones,
    }))
}

/// "Find my phone", said to a speaker: anybody in the room may look for a phone of the home.
#[utoipa::path(post, path = "/api/v1/me/find-phone", tag = "people", request_body = Lost,
    responses((status = 200, body = FoundPhone)))]
pub(super) async fn find_phone(
    State(home): State<Shared>,
    caller: Caller,
    Given(lost): Given<Lost>,
) -> Answered<FoundPhone> {
    let Who::Device { device, .. } = &caller.who else {
        return Err(Problem::forbidden("this is for the speakers of the home"));
    };
    let people = home.store.people().await?;
    let called = |name: &Name| {
        let same = |own: &&Person| own.fields.name.as_str().eq_ignore_ascii_case(name.as_str());
        let mut all = people.iter().filter(same);
        all.next().filter(|_| all.next().is_none())
    };
    let person = match (&lost.person, device.fields.person) {
        (Some(name), _) => called(name),
        (None, Some(id)) => people.iter().find(|person| person.id == id),
        (None, None) => people.first().filter(|_| people.len() == 1),
    };
    let person = person.ok_or_else(|| Problem::not_found("nobody, or more than one, is meant"))?;
    let Found {
        browsers,
        telephones,
    } = find(&home, person.id).await?;
    Ok(Json(FoundPhone {
        person: person.fields.name.clone(),
        browsers,
        telephones,
    }))
}
