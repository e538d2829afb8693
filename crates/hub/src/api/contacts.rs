//! The address book.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::gate::Caller;
use super::given::{Asked, Given, GivenCards, Id};
use super::{Answered, Created, Shared};
use crate::address_book::{self, IMPORT_BYTES_MAX, Imported};
use crate::contact::{Contact, ContactFields};
use crate::id::ContactId;
use crate::problem::Problem;
use crate::vcard::Version;

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

/// Import an address book, vCard 3.0 or 4.0, of at most 8 MiB. A card that is refused does not stop the others; one
/// that was imported before (by `UID`) is brought up to date.
#[utoipa::path(post, path = "/api/v1/contacts/vcard", tag = "contacts",
    request_body(content = String, content_type = "text/vcard"),
    responses((status = 200, body = Imported)))]
pub(super) async fn import(
    State(home): State<Shared>,
    GivenCards(bytes): GivenCards<IMPORT_BYTES_MAX>,
) -> Answered<Imported> {
    let imported = home.import_contacts(bytes).await?;
    Ok(Json(
        imported.map_err(|error| Problem::invalid(error.to_string()))?,
    ))
}

/// The address book as vCard 4.0, or 3.0 with `version=3`; for children those that they may call.
#[utoipa::path(get, path = "/api/v1/contacts/vcard", tag = "contacts",
    params(("version" = Option<u8>, Query, description = "3 or 4; 4 when not given")),
    responses((status = 200, description = "The cards", body = String, content_type = "text/vcard")))]
pub(super) async fn export(
    State(home): State<Shared>,
    caller: Caller,
    asked: Asked,
) -> Result<Response, Problem> {
    let version = match asked.get::<u8>("version")? {
        Some(3) => Version::V3,
        None | Some(4) => Version::V4,
        Some(_) => return Err(Problem::invalid_field("version", "there are 3 and 4")),
    };
    let mut contacts = home.store.contacts_with_cards().await?;
    contacts.retain(|(contact, _)| shown_to(&caller, contact));
    let mut response = address_book::write(&contacts, version).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/vcard; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"contacts.vcf\"",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
