//! HTTP on loopback: the calls as JSON, and LoST.

use std::future::pending;
use std::sync::{Arc, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hearthline_emergency::lost::TYPE_LOST;
use hearthline_emergency::timestamp::Timestamp;
use hearthline_pages::{Askers, with_strict_headers};

use crate::console;
use crate::lost_server::{LostAnswer, LostServer};
use crate::server::PsapHandle;

/// Largest LoST request.
const REQUEST_BYTES_MAX: usize = 256 * 1024;

#[derive(Clone)]
struct Shared {
    psap: PsapHandle,
    lost: Arc<RwLock<LostServer>>,
}

pub(crate) fn router(psap: PsapHandle, lost: Arc<RwLock<LostServer>>) -> Router {
    let console = console::router(psap.clone());
    Router::new()
        .route("/calls", get(calls))
        .route("/calls/{id}", get(call))
        .route("/lost", post(answer_lost))
        .merge(console)
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .layer(middleware::from_fn_with_state(
            Askers::PageAndPrograms,
            Askers::alone,
        ))
        .layer(middleware::from_fn(with_strict_headers))
        .with_state(Shared { psap, lost })
}

async fn calls(State(shared): State<Shared>) -> Response {
    match shared.psap.reports().await {
        Some(reports) => Json(reports).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn call(State(shared): State<Shared>, Path(id): Path<u32>) -> Response {
    match shared.psap.report(id).await {
        Some(report) => Json(report).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// POST of `application/lost+xml` (RFC 5222 §14); errors of LoST come with status 200.
async fn answer_lost(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case(TYPE_LOST)) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let answer = {
        let lost = shared
            .lost
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        lost.answer(&body, wall())
    };
    match answer {
        LostAnswer::Silence => pending().await,
        LostAnswer::Status(status) => StatusCode::from_u16(status)
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            .into_response(),
        LostAnswer::Document { after, bytes } => {
            tokio::time::sleep(after).await;
            ([(header::CONTENT_TYPE, TYPE_LOST)], bytes).into_response()
        }
    }
}

fn wall() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
