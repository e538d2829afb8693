//! The address book.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::gate::Caller;
use super::given::{Asked, Given, GivenCards, Id};
use super::{Answered, Created, Shared};
use crate::address_book::{self, IMPORT_BYTES_MAX, Imported};
use crate::contact::{
    Contact, ContactFields, ContactName, ContactNumber, NUMBERS_MAX, Screening, SpeedDial,
};
use crate::home::Home;
use crate::id::ContactId;
use crate::number::{ForwardNumber, Number};
use crate::problem::Problem;
use crate::vcard::Version;

/// A child sees whom it may call.
fn shown_to(caller: &Caller, contact: &Contact) -> bool {
    caller.sees_all() || contact.fields.children_may_call
}

/// What may be set about a contact. Numbers are international, or as they are dialled in this home.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ContactWish {
    /// What people say: "call Anna".
    name: ContactName,
    /// At most 16.
    #[schema(max_items = 16)]
    numbers: Vec<NumberWish>,
    /// What happens when they call.
    #[serde(default)]
    screening: Screening,
    /// Whether they may drop in: our speakers answer them by themselves. Off unless the home says so.
    #[serde(default)]
    drop_in: bool,
    /// Whether children may call them.
    #[serde(default)]
    children_may_call: bool,
    /// The digit that calls them.
    #[serde(default)]
    speed_dial: Option<SpeedDial>,
}

/// A number with its place.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NumberWish {
    /// "mobile", "home"; names of emergency services are refused here too.
    label: ContactName,
    /// The number; never one that reaches an emergency service.
    number: ForwardNumber,
}

impl ContactWish {
    /// With whole numbers; a hub without a SIP server knows nothing of how numbers are dialled.
    fn completed(self, home: &Home) -> Result<ContactFields, Problem> {
        if self.numbers.len() > NUMBERS_MAX {
            let why = format!("a contact has at most {NUMBERS_MAX} numbers");
            return Err(Problem::invalid_field("numbers", why));
        }
        let plan = home.sip.get().map(|sip| &sip.plan);
        let whole = |(at, own): (usize, NumberWish)| {
            let text = own.number.as_str();
            let number = Number::new(text).or_else(|why| {
                let here = plan.and_then(|plan| plan.written(text));
                here.ok_or_else(|| {
                    Problem::invalid_field(format!("numbers[{at}].number"), why.to_string())
                })
            });
            let label = own.label;
            number.map(|number| ContactNumber { label, number })
        };
        Ok(ContactFields {
            name: self.name,
            numbers: self
                .numbers
                .into_iter()
                .enumerate()
                .map(whole)
                .collect::<Result<_, _>>()?,
            screening: self.screening,
            drop_in: self.drop_in,
            children_may_call: self.children_may_call,
            speed_dial: self.speed_dial,
        })
    }
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
#[utoipa::path(post, path = "/api/v1/contacts", tag = "contacts", request_body = ContactWish,
    responses((status = 201, body = Contact)))]
pub(super) async fn add(
    State(home): State<Shared>,
    Given(wish): Given<ContactWish>,
) -> Created<Contact> {
    let fields = wish.completed(&home)?;
    let contact = home.store.add_contact(&fields, home.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(contact)))
}

/// Replace a contact.
#[utoipa::path(put, path = "/api/v1/contacts/{id}", tag = "contacts", params(("id" = String, Path)),
    request_body = ContactWish, responses((status = 200, body = Contact)))]
pub(super) async fn change(
    State(home): State<Shared>,
    Id(id): Id<ContactId>,
    Given(wish): Given<ContactWish>,
) -> Answered<Contact> {
    let fields = wish.completed(&home)?;
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
