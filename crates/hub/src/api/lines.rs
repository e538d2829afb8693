//! Lines to the outside telephone network.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::given::{Given, Id};
use super::{Answered, Created, Shared};
use crate::half_hour::LineDay;
use crate::id::LineId;
use crate::line::{Line, LineFields};
use crate::problem::Problem;

/// Every line with its health, in the order in which they are tried.
#[utoipa::path(get, path = "/api/v1/lines", tag = "lines", responses((status = 200, body = Vec<Line>)))]
pub(super) async fn list(State(home): State<Shared>) -> Answered<Vec<Line>> {
    Ok(Json(home.store.lines().await?))
}

/// How each line was in each half hour of the last day.
#[utoipa::path(get, path = "/api/v1/lines/days", tag = "lines", responses((status = 200, body = Vec<LineDay>)))]
pub(super) async fn days(State(home): State<Shared>) -> Answered<Vec<LineDay>> {
    Ok(Json(home.store.line_days(home.clock.now()).await?))
}

/// Add a line. Emergency numbers are refused as forward.
#[utoipa::path(post, path = "/api/v1/lines", tag = "lines", request_body = LineFields,
    responses((status = 201, body = Line)))]
pub(super) async fn add(
    State(home): State<Shared>,
    Given(fields): Given<LineFields>,
) -> Created<Line> {
    let line = home.store.add_line(&fields, home.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(line)))
}

/// Replace what is set about a line.
#[utoipa::path(put, path = "/api/v1/lines/{id}", tag = "lines", params(("id" = String, Path)),
    request_body = LineFields, responses((status = 200, body = Line)))]
pub(super) async fn change(
    State(home): State<Shared>,
    Id(id): Id<LineId>,
    Given(fields): Given<LineFields>,
) -> Answered<Line> {
    let now = home.clock.now();
    Ok(Json(home.store.change_line(id, &fields, now).await?))
}

/// Remove a line.
#[utoipa::path(delete, path = "/api/v1/lines/{id}", tag = "lines", params(("id" = String, Path)),
    responses((status = 204)))]
pub(super) async fn remove(
    State(home): State<Shared>,
    Id(id): Id<LineId>,
) -> Result<StatusCode, Problem> {
    home.store.remove_line(id, home.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
