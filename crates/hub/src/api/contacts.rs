//! The address book.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::gate::Caller;
use super::given::{Given, Id};
use super::{Answered, Created, Shared};
use crate::contact::{Contact, ContactFields};
use crate::id::ContactId;
use crate::problem::Problem;

/// A child sees whom it may call.
fn shown_to(caller: &Caller, contact: &Contact) -> bool {
    caller.sees_all() || contact.fields.children_may_call
}

/// Every contact; for children those that they may call.
#[utoipa::path(get, path = "/api/v1/contacts", tag = "contacts", responses((status = 200, body = Vec<Contact>)))]
pub(super) async fn list(State(home): State<Shared>, caller: Caller) -> Answered<Vec<Contact>> {
    let mut contacts = home.store.contacts().await?;
    contacts.retain(|contact| shown_to(&caller, contact));
    Ok(Json(contacts))
}

/// One contact.
#[utoipa::path(get, path = "/api/v1/contacts/{id}", tag = "contacts", params(("id" = String, Path)),
    responses((status = 200, body = Contact)))]
pub(super) async fn one(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<ContactId>,
) -> Answered<Contact> {
    let contact = home.store.contact(id).await?;
    if !shown_to(&caller, &contact) {
        return Err(Problem::not_found("there is no such contact"));
    }
    Ok(Json(contact))
}

/// Add a contact. Emergency numbers and services are refused.
#[utoipa::path(post, path = "/api/v1/contacts", tag = "contacts", request_body = ContactFields,
    responses((status = 201, body = Contact)))]
pub(super) async fn add(
    State(home): State<Shared>,
    Given(fields): Given<ContactFields>,
) -> Created<Contact> {
    let contact = home.store.add_contact(&fields, home.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(contact)))
}

/// Replace a contact.
#[utoipa::path(put, path = "/api/v1/contacts/{id}", tag = "contacts", params(("id" = String, Path)),
    request_body = ContactFields, responses((status = 200, body = Contact)))]
pub(super) async fn change(
    State(home): State<Shared>,
    Id(id): Id<ContactId>,
    Given(fields): Given<ContactFields>,
) -> Answered<Contact> {
    let now = home.clock.now();
    Ok(Json(home.store.change_contact(id, &fields, now).await?))
}

/// Remove a contact.
#[utoipa::path(delete, path = "/api/v1/contacts/{id}", tag = "contacts", params(("id" = String, Path)),
    responses((status = 204)))]
pub(super) async fn remove(
    State(home): State<Shared>,
    Id(id): Id<ContactId>,
) -> Result<StatusCode, Problem> {
    home.store.remove_contact(id, home.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
