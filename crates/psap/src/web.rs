//! HTTP on loopback: the calls as JSON, and LoST.

use std::future::pending;
use std::net::IpAddr;
use std::sync::{Arc, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hearthline_emergency::lost::TYPE_LOST;
use hearthline_emergency::timestamp::Timestamp;

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
        .layer(middleware::from_fn(only_this_machine))
        .with_state(Shared { psap, lost })
}

/// Refuses requests that a page of elsewhere makes a browser send here under its own name, and lets no answer be used
/// for more than it is.
async fn only_this_machine(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let mut response =
        if names_this_machine(headers) && console::comes_from_here(request.method(), headers) {
            next.run(request).await
        } else {
            StatusCode::FORBIDDEN.into_response()
        };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, console::CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
    else {
        return false;
    };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_served() {
        let with = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            names_this_machine(&headers)
        };
        for inside in ["127.0.0.1:8060", "localhost", "[::1]:8060", "127.9.9.9"] {
            assert!(with(inside), "{inside}");
        }
        for outside in [
            "psap.example.com:8060",
            "192.0.2.1",
            "localhost.example.com",
            "",
        ] {
            assert!(!with(outside), "{outside}");
        }
        assert!(!names_this_machine(&HeaderMap::new()));
    }
}
