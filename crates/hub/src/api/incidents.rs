//! Incidents that devices reported, and the bundles that they handed in.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Caller, Who};
use super::given::{Asked, Given, GivenZip, Id};
use super::{Answered, Created, Shared};
use crate::bundle::{BUNDLE_BYTES_MAX, NotKept};
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

/// A device hands in the bundle of an incident. It is checked first, and what was changed is refused; the incident is
/// reported by it as well. The same again changes nothing.
#[utoipa::path(post, path = "/api/v1/incidents/bundles", tag = "incidents",
    request_body(content = Vec<u8>, content_type = "application/zip", description = "The bundle as its device exported it, at most 32 MiB"),
    responses((status = 201, body = Reported)))]
pub(super) async fn hand_in(
    State(home): State<Shared>,
    caller: Caller,
    GivenZip(bytes): GivenZip<BUNDLE_BYTES_MAX>,
) -> Created<Reported> {
    let Who::Device { device, .. } = &caller.who else {
        return Err(Problem::internal());
    };
    let now = home.clock.now();
    let kept = home
        .bundles
        .keep(home.store.as_ref(), device.id, bytes, now)
        .await;
    match kept {
        Ok(id) => Ok((StatusCode::CREATED, Json(Reported { id }))),
        Err(NotKept::Refused(why)) => Err(Problem::invalid(why)),
        Err(NotKept::Store(error)) => Err(error.into()),
        Err(error @ (NotKept::Busy | NotKept::Full)) => {
            Err(Problem::unavailable(error.to_string()))
        }
        Err(error @ NotKept::Disk(_)) => {
            tracing::error!(%error, "a bundle was not kept");
            Err(Problem::unavailable("the hub's disk does not take it now"))
        }
    }
}

/// The bundle of an incident, byte by byte as its device handed it in.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/bundle", tag = "incidents", params(("id" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/zip")))]
pub(super) async fn bundle(
    State(home): State<Shared>,
    Id(id): Id<IncidentId>,
) -> Result<Response, Problem> {
    let incident = home.store.incident(id).await?;
    if incident.bundle.is_none() {
        return Err(Problem::not_found(
            "the hub has no bundle of this incident; it lies on the device",
        ));
    }
    let sha256 = incident.report.bundle_sha256;
    let bytes = home.bundles.read(&sha256).await.map_err(|error| {
        tracing::error!(%error, "a kept bundle cannot be read");
        Problem::internal()
    })?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"incident-{id}.zip\""),
        ),
    ];
    Ok((headers, bytes).into_response())
}
