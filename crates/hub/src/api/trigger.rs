//! The addresses that others call, in IFTTT's shape and with its answers. They stand outside the gate: the key in the
//! address is all that is shown, and it opens nothing but the owner's routines.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::json;

use super::Shared;
use crate::home::{Counted, Peer};
use crate::trigger::{EventName, read};

/// Largest body.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// How long it may take.
const BODY_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(10);

/// Routes of the triggers.
pub(super) fn router() -> axum::Router<Shared> {
    axum::Router::new()
        .route("/trigger/{event}/with/key/{key}", get(values).post(values))
        .route("/trigger/{event}/json/with/key/{key}", post(whole))
}

async fn values(
    State(home): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path((event, key)): Path<(String, String)>,
    request: Request,
) -> Response {
    fire(home, peer, event, key, request, false).await
}

async fn whole(
    State(home): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path((event, key)): Path<(String, String)>,
    request: Request,
) -> Response {
    fire(home, peer, event, key, request, true).await
}

/// IFTTT's shape of an error.
fn refusal(status: StatusCode, message: &str) -> Response {
    let errors = json!({"errors": [{"message": message}]});
    (status, Json(errors)).into_response()
}

fn too_many(wait_ms: u32) -> Response {
    let mut response = refusal(StatusCode::TOO_MANY_REQUESTS, "Too many requests.");
    let seconds = wait_ms.div_ceil(1000).max(1);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, seconds.into());
    response
}

async fn fire(
    home: Shared,
    peer: Peer,
    event: String,
    key: String,
    request: Request,
    whole: bool,
) -> Response {
    let now = home.clock.now();
    let source = Counted::source(peer.source);
    if let Err(wait_ms) = home.anonymous.take(&source, now) {
        return too_many(wait_ms);
    }
    match home.triggers.check_key(&home, &key).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) => {
            return match home.triggers.note_wrong_key(&source, now) {
                Ok(()) => refusal(StatusCode::UNAUTHORIZED, "You sent an invalid key."),
                Err(wait_ms) => too_many(wait_ms),
            };
        }
        Err(error) => return failed(&error),
    }
    if let Err(wait_ms) = home.triggers.may_fire(now) {
        return too_many(wait_ms);
    }
    let Ok(event) = EventName::try_from(event) else {
        return refusal(StatusCode::BAD_REQUEST, "The event's name is not valid.");
    };
    let query = request.uri().query().unwrap_or("").to_owned();
    let content_type = content_type(request.headers()).map(str::to_owned);
    let body = to_bytes(request.into_body(), BODY_BYTES_MAX);
    let Ok(body) = tokio::time::timeout(BODY_TIME_MAX, body).await else {
        return refusal(StatusCode::REQUEST_TIMEOUT, "The body did not come.");
    };
    let Ok(body) = body else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large.");
    };
    let given = match read(&query, content_type.as_deref(), &body, whole) {
        Ok(given) => given,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match home.triggers.fire(&home, &event, &given).await {
        Ok(_) => {
            let text = format!("Congratulations! You've fired the {} event", event.as_str());
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
        }
        Err(error) => failed(&error),
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

fn failed(error: &crate::store::StoreError) -> Response {
    tracing::error!(%error, "a trigger could not be taken");
    refusal(StatusCode::SERVICE_UNAVAILABLE, "Not now.")
}
