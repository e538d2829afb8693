//! People.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::gate::{Caller, Who};
use super::given::{Given, Id};
use super::{Answered, Created, Shared};
use crate::id::PersonId;
use crate::person::{Person, PersonFields, Role};
use crate::problem::Problem;
use crate::session::{PASSWORD_BYTES_MAX, Password};

/// Logins are shown to owners, adults and to oneself.
fn shown_to(caller: &Caller, mut person: Person) -> Person {
    let own = matches!(&caller.who, Who::Person { person: own, .. } if own.id == person.id);
    if !caller.sees_all() && !own {
        person.fields.login = None;
    }
    person
}

/// Everyone in the household.
#[utoipa::path(get, path = "/api/v1/people", tag = "people", responses((status = 200, body = Vec<Person>)))]
pub(super) async fn list(State(home): State<Shared>, caller: Caller) -> Answered<Vec<Person>> {
    let people = home.store.people().await?;
    let shown = people.into_iter().map(|person| shown_to(&caller, person));
    Ok(Json(shown.collect()))
}

/// One person.
#[utoipa::path(get, path = "/api/v1/people/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = Person)))]
pub(super) async fn one(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<PersonId>,
) -> Answered<Person> {
    Ok(Json(shown_to(&caller, home.store.person(id).await?)))
}

/// Add a person.
#[utoipa::path(post, path = "/api/v1/people", tag = "people", request_body = PersonFields,
    responses((status = 201, body = Person)))]
pub(super) async fn add(
    State(home): State<Shared>,
    Given(fields): Given<PersonFields>,
) -> Created<Person> {
    let person = home.store.add_person(&fields, home.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(person)))
}

/// Replace what is set about a person.
#[utoipa::path(put, path = "/api/v1/people/{id}", tag = "people", params(("id" = String, Path)),
    request_body = PersonFields, responses((status = 200, body = Person)))]
pub(super) async fn change(
    State(home): State<Shared>,
    Id(id): Id<PersonId>,
    Given(fields): Given<PersonFields>,
) -> Answered<Person> {
    let now = home.clock.now();
    Ok(Json(home.store.change_person(id, &fields, now).await?))
}

/// Remove a person with their sessions and their mailbox; their devices are revoked.
#[utoipa::path(delete, path = "/api/v1/people/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 204)))]
pub(super) async fn remove(
    State(home): State<Shared>,
    Id(id): Id<PersonId>,
) -> Result<StatusCode, Problem> {
    home.store.remove_person(id, home.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    /// The new one.
    password: Password,
    /// The present one, when it is one's own.
    #[serde(default)]
    current: Option<String>,
}

/// Set a password. Every session of that person ends.
#[utoipa::path(put, path = "/api/v1/people/{id}/password", tag = "people", params(("id" = String, Path)),
    request_body = NewPassword, responses((status = 204)))]
pub(super) async fn set_password(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<PersonId>,
    Given(wish): Given<NewPassword>,
) -> Result<StatusCode, Problem> {
    let Who::Person { person, .. } = &caller.who else {
        return Err(Problem::internal());
    };
    let own = person.id == id;
    if !own && person.fields.role != Role::Owner {
        return Err(Problem::forbidden(
            "only owners set the passwords of others",
        ));
    }
    let now = home.clock.now();
    if own {
        let login = person
            .fields
            .login
            .as_ref()
            .ok_or_else(|| Problem::conflict("you have no login"))?;
        // Apart from log-ins: whoever fails to log in as somebody does not keep them from a new password.
        home.tries_by_person
            .take(&id, now)
            .map_err(Problem::too_many)?;
        let current = wish.current.unwrap_or_default();
        let hash = home.store.credentials(login).await?.map(|(_, hash)| hash);
        let right = match hash {
            Some(hash) if current.len() <= PASSWORD_BYTES_MAX => {
                home.hash(move || hash.matches(&current)).await?
            }
            _ => false,
        };
        if !right {
            return Err(Problem::invalid_field(
                "current",
                "this is not the present password",
            ));
        }
    }
    let hash = home.hash_password(wish.password).await?;
    home.store.set_password(id, &hash, now).await?;
    Ok(StatusCode::NO_CONTENT)
}
