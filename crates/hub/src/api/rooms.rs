//! Rooms.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::given::{Given, Id};
use super::{Answered, Created, Shared};
use crate::id::RoomId;
use crate::problem::Problem;
use crate::room::{Room, RoomFields};

/// Every room.
#[utoipa::path(get, path = "/api/v1/rooms", tag = "rooms", responses((status = 200, body = Vec<Room>)))]
pub(super) async fn list(State(home): State<Shared>) -> Answered<Vec<Room>> {
    Ok(Json(home.store.rooms().await?))
}

/// Add a room.
#[utoipa::path(post, path = "/api/v1/rooms", tag = "rooms", request_body = RoomFields,
    responses((status = 201, body = Room)))]
pub(super) async fn add(
    State(home): State<Shared>,
    Given(fields): Given<RoomFields>,
) -> Created<Room> {
    let room = home.store.add_room(&fields, home.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(room)))
}

/// Replace what is set about a room.
#[utoipa::path(put, path = "/api/v1/rooms/{id}", tag = "rooms", params(("id" = String, Path)),
    request_body = RoomFields, responses((status = 200, body = Room)))]
pub(super) async fn change(
    State(home): State<Shared>,
    Id(id): Id<RoomId>,
    Given(fields): Given<RoomFields>,
) -> Answered<Room> {
    let now = home.clock.now();
    Ok(Json(home.store.change_room(id, &fields, now).await?))
}

/// Remove a room; its devices stand in none.
#[utoipa::path(delete, path = "/api/v1/rooms/{id}", tag = "rooms", params(("id" = String, Path)),
    responses((status = 204)))]
pub(super) async fn remove(
    State(home): State<Shared>,
    Id(id): Id<RoomId>,
) -> Result<StatusCode, Problem> {
    home.store.remove_room(id, home.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
