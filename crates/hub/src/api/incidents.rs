//! Incidents that devices reported.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Caller, Who};
use super::given::{Asked, Given};
use super::{Answered, Created, Shared};
use crate::id::IncidentId;
use crate::incident::{Incident, IncidentReport, IncidentSource};
use crate::problem::Problem;

/// A kept report.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reported {
    /// Id.
    id: IncidentId,
}

/// The newest incidents first.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents",
    params(("limit" = Option<u32>, Query, description = "At most so many, 200 at most")),
    responses((status = 200, body = Vec<Incident>)))]
pub(super) async fn list(State(home): State<Shared>, asked: Asked) -> Answered<Vec<Incident>> {
    Ok(Json(home.store.incidents(asked.limit(200)?).await?))
}

/// A device reports what it recorded. It tells of a call that the device made or did not make; it makes none.
#[utoipa::path(post, path = "/api/v1/incidents", tag = "incidents", request_body = IncidentReport,
    responses((status = 201, body = Reported)))]
pub(super) async fn report(
    State(home): State<Shared>,
    caller: Caller,
    Given(report): Given<IncidentReport>,
) -> Created<Reported> {
    let Who::Device { device, .. } = &caller.who else {
        return Err(Problem::internal());
    };
    let now = home.clock.now();
    let id = home
        .store
        .report_incident(IncidentSource::Device(device.id), &report, now)
        .await?;
    Ok((StatusCode::CREATED, Json(Reported { id })))
}
