//! Lights that routines want switched: the speakers fetch what is theirs and say what became of it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::gate::{Caller, Who};
use super::given::{Given, Id};
use super::{Answered, Shared};
use crate::id::{DeviceId, LightOrderId};
use crate::light_order::{LightOrderShown, WHY_BYTES_MAX, WaitingLightOrder};
use crate::problem::Problem;

/// Most orders of one answer.
const SHOWN_MAX: u32 = 20;

/// What became of an order.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ended {
    /// Why it was not done; none: it was. At most 1000 bytes.
    why: Option<String>,
}

/// The latest light orders of routines and what became of them, the newest first.
#[utoipa::path(get, path = "/api/v1/light-orders", tag = "light_orders",
    responses((status = 200, body = Vec<LightOrderShown>)))]
pub(super) async fn list(State(home): State<Shared>) -> Answered<Vec<LightOrderShown>> {
    let now = home.clock.now();
    Ok(Json(home.store.light_orders(SHOWN_MAX, now).await?))
}

/// The light orders that wait for the device that asks. Whoever comes later than 30 seconds finds none.
#[utoipa::path(get, path = "/api/v1/me/light-orders", tag = "light_orders",
    responses((status = 200, body = Vec<WaitingLightOrder>)))]
pub(super) async fn own(
    State(home): State<Shared>,
    caller: Caller,
) -> Answered<Vec<WaitingLightOrder>> {
    let device = device_of(&caller)?;
    let now = home.clock.now();
    Ok(Json(home.store.light_orders_of(device, now).await?))
}

/// Say what became of a light order. Each is answered once.
#[utoipa::path(put, path = "/api/v1/me/light-orders/{id}", tag = "light_orders", params(("id" = String, Path)),
    request_body = Ended, responses((status = 204)))]
pub(super) async fn end(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<LightOrderId>,
    Given(ended): Given<Ended>,
) -> Result<StatusCode, Problem> {
    let device = device_of(&caller)?;
    let why = ended.why.as_deref();
    if why.is_some_and(|why| why.len() > WHY_BYTES_MAX || why.contains('\0')) {
        let detail = format!("at most {WHY_BYTES_MAX} bytes of text");
        return Err(Problem::invalid_field("why", detail));
    }
    let now = home.clock.now();
    home.store.end_light_order(device, id, why, now).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn device_of(caller: &Caller) -> Result<DeviceId, Problem> {
    match &caller.who {
        Who::Device { device, .. } => Ok(device.id),
        _ => Err(Problem::forbidden("only a speaker switches lights")),
    }
}
