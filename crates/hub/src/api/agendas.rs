//! What speakers keep for later: timers, alarms, reminders, lists. The speakers have the truth; here is their copy.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Caller, Who};
use super::given::Given;
use super::{Answered, Shared};
use crate::agenda::{AGENDA_BYTES_MAX, Agenda, Copy, NewCopy};
use crate::id::DeviceId;
use crate::problem::Problem;

/// What the hub has of a speaker's agenda.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Kept {
    /// The copy; none when there is none.
    copy: Option<Copy>,
}

/// What every speaker keeps for later.
#[utoipa::path(get, path = "/api/v1/agendas", tag = "agendas", responses((status = 200, body = Vec<Agenda>)))]
pub(super) async fn list(State(home): State<Shared>) -> Answered<Vec<Agenda>> {
    Ok(Json(home.store.agendas().await?))
}

/// What the hub has of the agenda of the device that asks: for one whose own storage was lost.
#[utoipa::path(get, path = "/api/v1/me/agenda", tag = "agendas", responses((status = 200, body = Kept)))]
pub(super) async fn own(State(home): State<Shared>, caller: Caller) -> Answered<Kept> {
    let copy = home.store.agenda_of(device_of(&caller)?).await?;
    Ok(Json(Kept { copy }))
}

/// Replace what the hub has of the agenda of the device that asks. A copy that is newer, or of another file that
/// `instead_of` does not name, stays: 409.
#[utoipa::path(put, path = "/api/v1/me/agenda", tag = "agendas", request_body = NewCopy,
    responses((status = 204)))]
pub(super) async fn keep(
    State(home): State<Shared>,
    caller: Caller,
    Given(copy): Given<NewCopy, AGENDA_BYTES_MAX>,
) -> Result<StatusCode, Problem> {
    let device = device_of(&caller)?;
    copy.check()
        .map_err(|why| Problem::invalid_field("items", why))?;
    home.store
        .keep_agenda(device, &copy, home.clock.now())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn device_of(caller: &Caller) -> Result<DeviceId, Problem> {
    match &caller.who {
        Who::Device { device, .. } => Ok(device.id),
        _ => Err(Problem::forbidden("only a speaker has an agenda here")),
    }
}
