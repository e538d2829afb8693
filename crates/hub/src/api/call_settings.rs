//! What people and devices want of calls.

use axum::Json;
use axum::extract::State;

use super::gate::{Caller, Who};
use super::given::{Given, Id};
use super::{Answered, Shared};
use crate::call_settings::CallSettings;
use crate::id::{DeviceId, PersonId};
use crate::person::Party;
use crate::problem::Problem;

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
