//! Devices.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::gate::{Caller, Who};
use super::given::{Given, Id};
use super::{Answered, Shared};
use crate::device::{Device, DeviceFields};
use crate::id::DeviceId;
use crate::problem::Problem;

/// Every device, the revoked too.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", responses((status = 200, body = Vec<Device>)))]
pub(super) async fn list(State(home): State<Shared>) -> Answered<Vec<Device>> {
    Ok(Json(home.store.devices().await?))
}

/// One device.
#[utoipa::path(get, path = "/api/v1/devices/{id}", tag = "devices", params(("id" = String, Path)),
    responses((status = 200, body = Device)))]
pub(super) async fn one(State(home): State<Shared>, Id(id): Id<DeviceId>) -> Answered<Device> {
    Ok(Json(home.store.device(id).await?))
}

/// Replace what is set about a device. Whoever is no owner changes their own devices, and not whose they are.
#[utoipa::path(put, path = "/api/v1/devices/{id}", tag = "devices", params(("id" = String, Path)),
    request_body = DeviceFields, responses((status = 200, body = Device)))]
pub(super) async fn change(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<DeviceId>,
    Given(fields): Given<DeviceFields>,
) -> Answered<Device> {
    if !caller.sees_all() {
        let asked = home.store.device(id).await?;
        if !is_theirs(&caller, &asked) {
            return Err(Problem::forbidden("this device is not yours"));
        }
        // A device reads its person's mailbox: giving it to somebody opens theirs.
        if fields.person != asked.fields.person {
            return Err(Problem::forbidden(
                "only owners say whose a device is: leave person as it is",
            ));
        }
    }
    let now = home.clock.now();
    Ok(Json(home.store.change_device(id, &fields, now).await?))
}

fn is_theirs(caller: &Caller, asked: &Device) -> bool {
    match &caller.who {
        Who::Device { device, .. } => device.id == asked.id,
        Who::Person { person, .. } => asked.fields.person == Some(person.id),
        Who::Nobody => false,
    }
}

/// Revoke a device for good: its open connections end, its certificates are worth nothing, and the sessions that
/// people opened on it end.
#[utoipa::path(delete, path = "/api/v1/devices/{id}", tag = "devices", params(("id" = String, Path)),
    responses((status = 204)))]
pub(super) async fn revoke(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<DeviceId>,
) -> Result<StatusCode, Problem> {
    if !caller.sees_all() {
        let asked = home.store.device(id).await?;
        if !is_theirs(&caller, &asked) {
            return Err(Problem::forbidden("this device is not yours"));
        }
    }
    home.store.revoke_device(id, home.clock.now()).await?;
    tracing::info!(device = %id, "a device was revoked");
    Ok(StatusCode::NO_CONTENT)
}
