//! What is remembered of calls. Reading only: no route starts, answers or ends one.

use axum::Json;
use axum::extract::State;

use super::given::{Asked, Id};
use super::{Answered, Shared};
use crate::call::Call;
use crate::id::CallId;

/// The newest calls first.
#[utoipa::path(get, path = "/api/v1/calls", tag = "calls",
    params(("limit" = Option<u32>, Query, description = "At most so many, 200 at most")),
    responses((status = 200, body = Vec<Call>)))]
pub(super) async fn list(State(home): State<Shared>, asked: Asked) -> Answered<Vec<Call>> {
    Ok(Json(home.store.calls(asked.limit(200)?).await?))
}

/// One call.
#[utoipa::path(get, path = "/api/v1/calls/{id}", tag = "calls", params(("id" = String, Path)),
    responses((status = 200, body = Call)))]
pub(super) async fn one(State(home): State<Shared>, Id(id): Id<CallId>) -> Answered<Call> {
    Ok(Json(home.store.call(id).await?))
}
