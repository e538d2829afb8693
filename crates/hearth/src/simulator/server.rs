//! The page's server, on loopback.
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hearthline_pages::{Askers, with_strict_headers};
use hearthline_webrtc::{Keys, OpenError, open};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::assets;
use super::bridge::Command;
use super::events;
use super::tabs::{Ground, NotOpened, TABS_MAX, Tab, Tabs};

/// Largest request: an offer of a browser has some 3 kB.
const REQUEST_BYTES_MAX: usize = 64 * 1024;
/// Largest bundle that is handed out.
const BUNDLE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The server, running.
pub(crate) struct Simulator {
    address: SocketAddr,
    key: Option<String>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    tabs: Arc<Tabs>,
    keys: Arc<Keys>,
}

/// Starts it on that port of 127.0.0.1; 0 takes a free one.
///
/// # Errors
/// In words.
pub(crate) async fn start(ground: Ground, port: u16) -> Result<Simulator, String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|error| format!("{address}: {error}; give another port"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let key = ground.key.clone();
    let shared = Shared {
        tabs: Arc::new(Tabs::new(ground)),
        keys: Arc::new(Keys::generate().map_err(|error| error.to_string())?),
    };
    let app = router(shared);
    let task = tokio::spawn(async move {
        // It ends with its task alone.
        let _ = axum::serve(listener, app).await;
    });
    Ok(Simulator { address, key, task })
}

impl Simulator {
    /// Where a page is opened, with what it must know.
    pub(crate) fn link(&self) -> String {
        let port = self.address.port();
        match &self.key {
            None => format!("http://localhost:{port}/"),
            // Behind the hash: it stands in no request, and so in no log.
            Some(key) => format!("http://localhost:{port}/#{key}"),
        }
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/simulator/tabs", post(open_tab))
        .route("/simulator/tabs/{tab}/events", get(follow))
        .route("/simulator/tabs/{tab}/sound", post(sound))
        .route("/simulator/tabs/{tab}/hold", post(hold))
        .route("/simulator/tabs/{tab}/release", post(release))
        .route("/simulator/tabs/{tab}/cancel", post(cancel))
        .route("/simulator/tabs/{tab}/typed", post(typed))
        .route("/simulator/tabs/{tab}/incidents/{name}", get(incident))
        .with_state(shared)
        .merge(assets::router())
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .layer(middleware::from_fn_with_state(
            Askers::PageAlone,
            Askers::alone,
        ))
        .layer(middleware::from_fn(with_strict_headers))
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}

async fn open_tab(State(shared): State<Shared>, key: String) -> Response {
    if !shared.tabs.admits(&key) {
        let why = "this page was opened without its key; open the link that `hearth hub` shows";
        return refusal(StatusCode::FORBIDDEN, why);
    }
    match shared.tabs.open().await {
        Ok(name) => (StatusCode::CREATED, Json(json!({ "tab": name }))).into_response(),
        Err(NotOpened::TooMany) => refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            &format!(
                "{TABS_MAX} devices run already; close a tab, and half a minute later its place is free"
            ),
        ),
        Err(NotOpened::Failed(why)) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &why),
    }
}

fn gone() -> Response {
    refusal(StatusCode::NOT_FOUND, "this device has ended")
}

async fn follow(
    State(shared): State<Shared>,
    Path(tab): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(tab) = shared.tabs.get(&tab) else {
        return gone();
    };
    let seen = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    events::stream(&tab.journal, seen)
}

async fn sound(State(shared): State<Shared>, Path(tab): Path<String>, offer: String) -> Response {
    let Some(tab) = shared.tabs.get(&tab) else {
        return gone();
    };
    match open(&offer, &shared.keys).await {
        Ok((answer, sound)) => match takes(&tab, Command::Sound(sound)) {
            true => answer.into_response(),
            false => busy(),
        },
        Err(OpenError::Offer(why)) => refusal(StatusCode::BAD_REQUEST, &why.to_string()),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// Hands it to the tab; false when it takes nothing now.
fn takes(tab: &Tab, command: Command) -> bool {
    tab.commands.try_send(command).is_ok()
}

fn busy() -> Response {
    let why = "this device takes nothing now; try again";
    refusal(StatusCode::SERVICE_UNAVAILABLE, why)
}

fn asked(shared: &Shared, tab: &str, command: Command) -> Response {
    match shared.tabs.get(tab) {
        None => gone(),
        Some(tab) if takes(&tab, command) => StatusCode::NO_CONTENT.into_response(),
        Some(_) => busy(),
    }
}

async fn hold(State(shared): State<Shared>, Path(tab): Path<String>) -> Response {
    asked(&shared, &tab, Command::Hold)
}

async fn release(State(shared): State<Shared>, Path(tab): Path<String>) -> Response {
    asked(&shared, &tab, Command::Release)
}

async fn cancel(State(shared): State<Shared>, Path(tab): Path<String>) -> Response {
    asked(&shared, &tab, Command::Cancel)
}

async fn typed(State(shared): State<Shared>, Path(tab): Path<String>, text: String) -> Response {
    asked(&shared, &tab, Command::Type(text))
}

async fn incident(
    State(shared): State<Shared>,
    Path((tab, name)): Path<(String, String)>,
) -> Response {
    let Some(tab) = shared.tabs.get(&tab) else {
        return gone();
    };
    let plain = name
        .strip_suffix(".zip")
        .is_some_and(|stem| stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    let none = || refusal(StatusCode::NOT_FOUND, "there is no such incident");
    if !plain {
        return none();
    }
    let path = tab.incidents.join(&name);
    let read = tokio::task::spawn_blocking(move || {
        let size = std::fs::metadata(&path)?.len();
        if size > BUNDLE_BYTES_MAX {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        std::fs::read(&path)
    });
    let Ok(Ok(bytes)) = read.await else {
        return none();
    };
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, Bytes::from(bytes)).into_response()
}
