//! Invitations.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gate::{Caller, Who};
use super::given::{Given, Id};
use super::{Answered, Created, Shared};
use crate::device::{DeviceFields, DeviceKind};
use crate::id::{InvitationId, PersonId, RoomId};
use crate::invitation::Invitation;
use crate::problem::Problem;
use crate::text::Name;

/// A wish to invite a device.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Invite {
    /// What may join.
    kind: DeviceKind,
    /// What people will call it.
    name: Name,
    /// Where it will stand.
    #[serde(default)]
    room: Option<RoomId>,
    /// Whose it will be.
    #[serde(default)]
    person: Option<PersonId>,
}

/// An invitation with its code, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WithCode {
    /// The invitation.
    invitation: Invitation,
    /// The code to type.
    code: String,
    /// The same as a link, for a QR code.
    url: String,
    /// The QR code of the link: a row of modules a text, `1` is dark.
    qr: Vec<String>,
}

/// The invitations of the last day.
#[utoipa::path(get, path = "/api/v1/invitations", tag = "invitations",
    responses((status = 200, body = Vec<Invitation>)))]
pub(super) async fn list(State(home): State<Shared>) -> Answered<Vec<Invitation>> {
    Ok(Json(home.store.invitations(home.clock.now()).await?))
}

/// Invite a device: a code for ten minutes and one use. Adults invite their own.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "invitations", request_body = Invite,
    responses((status = 201, body = WithCode)))]
pub(super) async fn invite(
    State(home): State<Shared>,
    caller: Caller,
    Given(wish): Given<Invite>,
) -> Created<WithCode> {
    let own = match &caller.who {
        Who::Person { person, .. } => Some(person.id),
        _ => None,
    };
    if !caller.sees_all() && (own.is_none() || wish.person != own) {
        return Err(Problem::forbidden(
            "adults invite devices of their own: set person to yourself",
        ));
    }
    let fields = DeviceFields {
        name: wish.name,
        room: wish.room,
        person: wish.person,
    };
    let invited = home.invite(wish.kind, fields).await?;
    let answer = WithCode {
        code: invited.code.to_string(),
        qr: invited.qr_modules(),
        url: invited.url,
        invitation: invited.invitation,
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Take an open invitation back.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", tag = "invitations", params(("id" = String, Path)),
    responses((status = 204)))]
pub(super) async fn withdraw(
    State(home): State<Shared>,
    Id(id): Id<InvitationId>,
) -> Result<StatusCode, Problem> {
    home.store.withdraw_invitation(id, home.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
