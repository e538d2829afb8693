//! What people and devices want of calls.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::gate::{Caller, Who};
use super::given::{Given, Id};
use super::{Answered, Shared};
use crate::call_settings::{Blocked, CallSettings};
use crate::id::{DeviceId, PersonId};
use crate::number::Number;
use crate::person::Party;
use crate::problem::Problem;
use crate::text::Name;

/// A caller, as the home knows them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Block {
    /// A device of the home.
    Device(DeviceId),
    /// An ordinary telephone of the home, by its account's name: the user part of the address that called.
    Account(Name),
    /// A person of the home, on whatever device.
    Person(PersonId),
    /// A number outside.
    Number(Number),
}

fn own_only(caller: &Caller, asked: Party) -> Result<(), Problem> {
    let own = match (&caller.who, asked) {
        _ if caller.sees_all() => true,
        (Who::Person { person, .. }, Party::Person(id)) => person.id == id,
        (Who::Device { device, .. }, Party::Device(id)) => device.id == id,
        _ => false,
    };
    if own {
        Ok(())
    } else {
        Err(Problem::forbidden("these settings are not yours"))
    }
}

/// What a person wants of calls, on all their devices.
#[utoipa::path(get, path = "/api/v1/people/{id}/call-settings", tag = "call-settings",
    params(("id" = String, Path)), responses((status = 200, body = CallSettings)))]
pub(super) async fn of_person(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<PersonId>,
) -> Answered<CallSettings> {
    let person = home.store.person(id).await?;
    own_only(&caller, Party::Person(id))?;
    let settings = home
        .store
        .call_settings_of(Party::Person(person.id))
        .await?;
    Ok(Json(settings))
}

/// Replace what a person wants of calls. A call-taker's callback after an emergency call rings all the same.
#[utoipa::path(put, path = "/api/v1/people/{id}/call-settings", tag = "call-settings",
    params(("id" = String, Path)), request_body = CallSettings, responses((status = 200, body = CallSettings)))]
pub(super) async fn set_of_person(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<PersonId>,
    Given(settings): Given<CallSettings>,
) -> Answered<CallSettings> {
    own_only(&caller, Party::Person(id))?;
    let now = home.clock.now();
    let party = Party::Person(id);
    home.store.set_call_settings(party, &settings, now).await?;
    Ok(Json(settings))
}

/// What a device wants of calls.
#[utoipa::path(get, path = "/api/v1/devices/{id}/call-settings", tag = "call-settings",
    params(("id" = String, Path)), responses((status = 200, body = CallSettings)))]
pub(super) async fn of_device(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<DeviceId>,
) -> Answered<CallSettings> {
    let device = home.store.device(id).await?;
    own_only(&caller, Party::Device(id))?;
    let settings = home
        .store
        .call_settings_of(Party::Device(device.id))
        .await?;
    Ok(Json(settings))
}

/// Replace what a device wants of calls. A call-taker's callback after an emergency call rings all the same.
#[utoipa::path(put, path = "/api/v1/devices/{id}/call-settings", tag = "call-settings",
    params(("id" = String, Path)), request_body = CallSettings, responses((status = 200, body = CallSettings)))]
pub(super) async fn set_of_device(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<DeviceId>,
    Given(settings): Given<CallSettings>,
) -> Answered<CallSettings> {
    own_only(&caller, Party::Device(id))?;
    let now = home.clock.now();
    let party = Party::Device(id);
    home.store.set_call_settings(party, &settings, now).await?;
    Ok(Json(settings))
}

/// Decline a caller's calls from now on: those to the person who asks or whose device asks; a device that is nobody's
/// declines them for itself. Nothing else of the settings changes. A call-taker's callback rings all the same.
#[utoipa::path(post, path = "/api/v1/me/blocked", tag = "call-settings", request_body = Block,
    responses((status = 200, body = CallSettings)))]
pub(super) async fn block(
    State(home): State<Shared>,
    caller: Caller,
    Given(block): Given<Block>,
) -> Answered<CallSettings> {
    let own = caller.parties();
    let own = own.last().copied().ok_or_else(Problem::internal)?;
    let blocked = match block {
        Block::Device(id) => Blocked::Inside(Party::Device(home.store.device(id).await?.id)),
        Block::Account(name) => {
            let accounts = home.store.sip_accounts().await?;
            let account = accounts
                .into_iter()
                .find(|account| account.username == name.as_str());
            let account =
                account.ok_or_else(|| Problem::not_found("there is no such telephone"))?;
            Blocked::Inside(Party::Device(account.device))
        }
        Block::Person(id) => Blocked::Inside(Party::Person(home.store.person(id).await?.id)),
        Block::Number(number) => Blocked::Number(number),
    };
    let now = home.clock.now();
    Ok(Json(home.store.block(own, blocked, now).await?))
}
