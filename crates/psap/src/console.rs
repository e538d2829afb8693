//! The console: a page at which a person takes drill calls, and what it asks for.
//!
//! ```text
//! page ─ GET /console/events ──► what changed (server-sent events)
//!      ─ POST /calls/1/answer ─► PsapHandle ─► the task that owns the calls
//!      ─ POST /calls/1/audio ──► its offer answered; sound both ways (WebRTC)
//! ```
//! Its files are `web/` of this crate, and those of `../hub/web` that make the one visual language of all pages: they
//! stand there once and are read at build time, so that this crate knows nothing of the hub.

mod assets;
mod audio;
mod events;
mod recording;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hearthline_webrtc::Keys;
use serde_json::json;
use tokio::sync::Semaphore;

pub(crate) use events::{Board, Streams};

use crate::server::PsapHandle;

/// Routes of the page and of what it asks for.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(psap: PsapHandle) -> Router<S> {
    let keys = Keys::generate();
    if let Err(error) = &keys {
        tracing::error!(%error, "the console stays without sound");
    }
    let state = Console {
        psap,
        streams: Streams::default(),
        sounds: Arc::new(Semaphore::new(audio::SOUNDS_MAX)),
        keys: keys.ok().map(Arc::new),
    };
    let api = Router::new()
        .route("/console/events", get(events::events))
        .route("/calls/{id}/answer", post(answer))
        .route("/calls/{id}/hang-up", post(hang_up))
        .route("/calls/{id}/audio", post(audio::audio))
        .route("/calls/{id}/recording", get(recording::recording))
        .route("/calls/{id}/export", get(export))
        .with_state(state);
    assets::router().merge(api)
}

#[derive(Clone)]
struct Console {
    psap: PsapHandle,
    streams: Streams,
    /// Places for pages with sound.
    sounds: Arc<Semaphore>,
    keys: Option<Arc<Keys>>,
}

async fn answer(State(console): State<Console>, Path(call): Path<u32>) -> Response {
    done(console.psap.answer(call).await, "it rings no longer")
}

async fn hang_up(State(console): State<Console>, Path(call): Path<u32>) -> Response {
    done(console.psap.end(call).await, "it is over already")
}

fn done(done: Option<bool>, otherwise: &str) -> Response {
    match done {
        Some(true) => StatusCode::NO_CONTENT.into_response(),
        Some(false) => refusal(StatusCode::CONFLICT, otherwise),
        None => refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "the call-taker has stopped",
        ),
    }
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}

/// Everything that is known of a call, to be kept.
async fn export(State(console): State<Console>, Path(call): Path<u32>) -> Response {
    let Some(report) = console.psap.report(call).await else {
        return refusal(StatusCode::NOT_FOUND, "there is no such call");
    };
    let board = console.psap.board();
    let document = json!({
        "what": "a drill call as the drill call-taker saw it",
        "drill": true,
        "arrived_unix_ms": board.unix_ms(report.arrived_ms),
        "call": report,
    });
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    let name = format!("attachment; filename=\"drill-call-{call}.json\"");
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    (headers, text).into_response()
}
