//! Logging in and out.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gate::{COOKIE, Caller, Shown, Who};
use super::given::{Given, Id};
use super::{Answered, Shared};
use crate::device::{Device, Fingerprint};
use crate::home::{Counted, Home};
use crate::id::{DeviceId, PersonId, TokenId};
use crate::person::Person;
use crate::problem::Problem;
use crate::session::{PASSWORD_BYTES_MAX, PasswordHash, Session, Token, TokenKind};
use crate::text::Login;

/// Who logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    /// Login.
    login: Login,
    /// Password.
    password: String,
    /// `browser` sets a cookie, `app` answers with a bearer token.
    kind: TokenKind,
}

/// An open session.
#[derive(Serialize, ToSchema)]
pub(super) struct LoggedIn {
    /// The session.
    session: Session,
    /// Who that is.
    person: Person,
    /// For apps: the bearer token, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// For browsers: what each change carries as `x-csrf-token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
}

/// Who the caller is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// The person, when one asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<Person>,
    /// The person's session.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Session>,
    /// The device, when one asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Device>,
    /// For browsers: what each change carries as `x-csrf-token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
}

/// Who the hub takes the caller for.
#[utoipa::path(get, path = "/api/v1/me", tag = "sessions", responses((status = 200, body = Me)))]
pub(super) async fn me(caller: Caller, shown: Shown) -> Json<Me> {
    let mut me = Me {
        person: None,
        session: None,
        device: None,
        csrf_token: None,
    };
    match caller.who {
        Who::Person { person, session } => {
            me.person = Some(*person);
            me.session = Some(session);
            me.csrf_token = shown.csrf();
        }
        Who::Device { device, .. } => me.device = Some(*device),
        Who::Nobody => {}
    }
    Json(me)
}

/// The device whose certificate the caller's connection shows, also where a person asks on it.
async fn device_of(home: &Home, caller: &Caller) -> Result<Option<DeviceId>, Problem> {
    let Some(certificate) = &caller.peer.certificate else {
        return Ok(None);
    };
    let found = home.store.device_by_certificate(certificate).await?;
    Ok(found.map(|(device, _)| device.id))
}

/// Log in. On a connection with a device's certificate the session ends when that device is revoked.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "sessions", request_body = LogIn,
    responses((status = 201, body = LoggedIn)))]
pub(super) async fn log_in(
    State(home): State<Shared>,
    caller: Caller,
    Given(wish): Given<LogIn>,
) -> Result<Response, Problem> {
    let now = home.clock.now();
    home.tries_by_source
        .take(&Counted::source(caller.peer.source), now)
        .map_err(Problem::too_many)?;
    let device = device_of(&home, &caller).await?;
    // By account and source, so that whoever only knows a login does not lock its person out. A device with a
    // certificate is a source of its own, whatever else comes from its address.
    let account = Fingerprint::of(wish.login.as_str().as_bytes());
    let source = device.map_or_else(|| Counted::source(caller.peer.source), Counted::Device);
    home.tries_by_account
        .take(&(account, source), now)
        .map_err(Problem::too_many)?;
    home.tries_by_account_anywhere
        .take(&account, now)
        .map_err(Problem::too_many)?;
    let known = home.store.credentials(&wish.login).await?;
    let (person, hash) = match known {
        Some((person, hash)) => (Some(person), hash),
        // As slow as for a login that exists.
        None => (None, PasswordHash::of_nobody()),
    };
    let password = wish.password;
    let matches =
        password.len() <= PASSWORD_BYTES_MAX && home.hash(move || hash.matches(&password)).await?;
    let Some(person) = person.filter(|_| matches) else {
        return Err(Problem::forbidden("login and password do not go together"));
    };
    let token = Token::random()?;
    let expires_at = now.plus_ms(wish.kind.lasts_ms());
    let session = home
        .store
        .open_session(person.id, wish.kind, device, &token.hash(), now, expires_at)
        .await?;
    let browser = wish.kind == TokenKind::Browser;
    let answer = LoggedIn {
        session,
        person,
        token: (!browser).then(|| token.to_text()),
        csrf_token: browser.then(|| token.csrf()),
    };
    let mut response = (StatusCode::CREATED, Json(answer)).into_response();
    if browser {
        let cookie = format!(
            "{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={}",
            token.to_text(),
            wish.kind.lasts_ms() / 1000
        );
        let mut value = HeaderValue::try_from(cookie).map_err(|_| Problem::internal())?;
        value.set_sensitive(true);
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// The caller's sessions.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "sessions", responses((status = 200, body = Vec<Session>)))]
pub(super) async fn sessions(State(home): State<Shared>, caller: Caller) -> Answered<Vec<Session>> {
    let Who::Person { person, .. } = &caller.who else {
        return Err(Problem::internal());
    };
    let now = home.clock.now();
    Ok(Json(home.store.sessions_of(person.id, now).await?))
}

/// A person's sessions, for owners.
#[utoipa::path(get, path = "/api/v1/people/{id}/sessions", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, body = Vec<Session>)))]
pub(super) async fn sessions_of(
    State(home): State<Shared>,
    Id(id): Id<PersonId>,
) -> Answered<Vec<Session>> {
    let person = home.store.person(id).await?;
    let now = home.clock.now();
    Ok(Json(home.store.sessions_of(person.id, now).await?))
}

/// End one of the caller's sessions: log out, here or elsewhere. Owners end anybody's.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses((status = 204)))]
pub(super) async fn end(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<TokenId>,
) -> Result<StatusCode, Problem> {
    let Who::Person { person, .. } = &caller.who else {
        return Err(Problem::internal());
    };
    let now = home.clock.now();
    let own = home.store.sessions_of(person.id, now).await?;
    if !caller.sees_all() && !own.iter().any(|session| session.id == id) {
        return Err(Problem::not_found("you have no such session"));
    }
    home.store.end_session(id, now).await?;
    Ok(StatusCode::NO_CONTENT)
}
