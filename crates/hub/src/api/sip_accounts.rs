//! Accounts of ordinary SIP phones.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gate::{Caller, Who};
use super::given::{Given, Id};
use super::{Answered, Created, Shared};
use crate::clock::UnixMs;
use crate::device::{Device, DeviceFields, DeviceKind};
use crate::id::{DeviceId, PersonId, RoomId};
use crate::problem::Problem;
use crate::sip::account::PhoneDigest;
use crate::text::Name;

/// A phone to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddPhone {
    /// What people will call it.
    name: Name,
    /// Where it stands.
    #[serde(default)]
    room: Option<RoomId>,
    /// Whose it is.
    #[serde(default)]
    person: Option<PersonId>,
    /// `md5` only for a phone that knows nothing better: its account is marked weak.
    #[serde(default)]
    digest: PhoneDigest,
}

/// An account, without its password.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Account {
    /// The phone, as a device of the home.
    device: DeviceId,
    /// What people call it.
    name: Name,
    /// Where it stands.
    room: Option<RoomId>,
    /// Whose it is.
    person: Option<PersonId>,
    /// User name.
    username: String,
    /// Whether it is proven by MD5.
    weak: bool,
    /// When it was added.
    created_at_ms: UnixMs,
}

/// What is typed into the phone.
#[derive(Serialize, ToSchema)]
pub(super) struct AddedPhone {
    /// The phone, as a device of the home.
    device: DeviceId,
    /// User name, also the user part of its address.
    username: String,
    /// Password, shown this once.
    password: String,
    /// The domain of its address.
    domain: String,
    /// Where it registers: `udp:ADDRESS:PORT`, `tcp:…`, `tls:…`.
    servers: Vec<String>,
    /// Whether it is proven by MD5.
    weak: bool,
}

/// Every account of a phone that is not revoked.
#[utoipa::path(get, path = "/api/v1/sip-accounts", tag = "sip-accounts",
    responses((status = 200, body = Vec<Account>)))]
pub(super) async fn list(State(home): State<Shared>) -> Answered<Vec<Account>> {
    let devices = home.store.devices().await?;
    let mut accounts = Vec::new();
    for account in home.store.sip_accounts().await? {
        // A phone that was revoked between the two is not shown.
        let device = devices.iter().find(|device| device.id == account.device);
        if let Some(device) = device {
            accounts.push(Account {
                device: device.id,
                name: device.fields.name.clone(),
                room: device.fields.room,
                person: device.fields.person,
                weak: account.ha1_md5.is_some(),
                username: account.username,
                created_at_ms: device.created_at_ms,
            });
        }
    }
    Ok(Json(accounts))
}

/// Add an ordinary SIP phone. Its password is in this answer and nowhere else. Adults add their own.
#[utoipa::path(post, path = "/api/v1/sip-accounts", tag = "sip-accounts", request_body = AddPhone,
    responses((status = 201, body = AddedPhone)))]
pub(super) async fn add(
    State(home): State<Shared>,
    caller: Caller,
    Given(wish): Given<AddPhone>,
) -> Created<AddedPhone> {
    if !caller.sees_all() && !is_own(&caller, wish.person) {
        return Err(Problem::forbidden(
            "adults add phones of their own: set person to yourself",
        ));
    }
    let fields = DeviceFields {
        name: wish.name,
        room: wish.room,
        person: wish.person,
    };
    let shown = home.add_sip_account(fields, wish.digest).await?;
    let added = AddedPhone {
        device: shown.device,
        username: shown.username,
        password: shown.password,
        domain: shown.domain,
        servers: home.sip_servers(),
        weak: shown.weak,
    };
    Ok((StatusCode::CREATED, Json(added)))
}

/// Revoke a phone by its device id, for good: it is registered no more and its calls are refused.
#[utoipa::path(delete, path = "/api/v1/sip-accounts/{id}", tag = "sip-accounts", params(("id" = String, Path)),
    responses((status = 204)))]
pub(super) async fn revoke(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<DeviceId>,
) -> Result<StatusCode, Problem> {
    let asked: Device = home.store.device(id).await?;
    if asked.kind != DeviceKind::SipPhone {
        return Err(Problem::not_found("there is no such SIP account"));
    }
    if !caller.sees_all() && !is_own(&caller, asked.fields.person) {
        return Err(Problem::forbidden("this phone is not yours"));
    }
    home.store.revoke_device(id, home.clock.now()).await?;
    tracing::info!(device = %id, "a SIP phone was revoked");
    Ok(StatusCode::NO_CONTENT)
}

fn is_own(caller: &Caller, person: Option<PersonId>) -> bool {
    match &caller.who {
        Who::Person { person: own, .. } => person == Some(own.id),
        _ => false,
    }
}
