//! `/sip`: the door of SIP over WebSocket (RFC 7118). What comes through it is the switchboard's to decide.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hearthline_transport::websocket::accept_key;
use hyper_util::rt::TokioIo;

use super::Shared;
use super::gate::{Caller, Shown, Who, comes_from_elsewhere};
use crate::home::Home;
use crate::id::DeviceId;
use crate::problem::Problem;
use crate::sip::flows::Certified;
use crate::sip::web::{WebLink, carry};

/// The subprotocol (RFC 7118 section 4).
const SUBPROTOCOL: &str = "sip";

/// Opens a WebSocket. A device is known by its certificate or by the session that was opened on it; whoever has only
/// a session of a person proves each call by a phone's account.
pub(super) async fn open(
    State(home): State<Shared>,
    caller: Caller,
    shown: Shown,
    mut request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers();
    // A page of another site can open WebSockets with this site's cookie.
    if comes_from_elsewhere(headers) {
        return Err(Problem::forbidden(
            "the request comes from a page of another site",
        ));
    }
    let accept = match handshake(headers) {
        Ok(accept) => accept,
        Err(problem) => {
            let mut response = problem.into_response();
            // RFC 6455 section 4.2.2: which version would be understood.
            let version = HeaderValue::from_static("13");
            response
                .headers_mut()
                .insert(header::SEC_WEBSOCKET_VERSION, version);
            return Ok(response);
        }
    };
    let entrance = match home.sip.get() {
        Some(sip) => sip.entrance.clone(),
        None => return Err(Problem::not_found("this hub runs without a SIP server")),
    };
    let Some(place) = entrance.enter(caller.peer.source) else {
        return Err(Problem::unavailable("too many SIP connections"));
    };
    let device = device_of(&caller.who);
    let live = device.map(|device| entrance.live.enter(device));
    // Asked again now that a revocation would cut this connection.
    if !is_still(&home, &shown, device).await {
        return Err(Problem::unauthenticated());
    }
    let link = WebLink {
        flow: entrance.flow(caller.peer.local, caller.peer.remote),
        certified: device.map(|device| Certified {
            device,
            certificate: match &caller.who {
                Who::Device { .. } => caller.peer.certificate,
                _ => None,
            },
        }),
        live,
    };
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else {
            return;
        };
        let stop = home.stop.clone();
        let still = move || {
            let (home, shown) = (home.clone(), shown.clone());
            async move { is_still(&home, &shown, device).await }
        };
        carry(TokioIo::new(upgraded), link, stop, entrance.news, still).await;
        drop(place);
    });
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let answers = [
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::CONNECTION, HeaderValue::from_static("Upgrade")),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
        (
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        ),
    ];
    response.headers_mut().extend(answers);
    Ok(response)
}

/// Whose connection it is.
fn device_of(who: &Who) -> Option<DeviceId> {
    match who {
        Who::Device { device, .. } => Some(device.id),
        Who::Person { session, .. } => session.device,
        Who::Nobody => None,
    }
}

/// Whether the same device, or a person still, stands behind what was shown.
async fn is_still(home: &Home, shown: &Shown, device: Option<DeviceId>) -> bool {
    match shown.identify(home).await {
        Ok(Who::Nobody | Who::Device { ended: true, .. }) | Err(_) => false,
        Ok(who) => device_of(&who) == device,
    }
}

/// The answer to the key, when everything that RFC 6455 section 4.2.1 demands is there.
fn handshake(headers: &HeaderMap) -> Result<HeaderValue, Problem> {
    let has = |name: HeaderName, word: &str| {
        let values = headers.get_all(name).into_iter();
        let mut words = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        words.any(|given| given.trim().eq_ignore_ascii_case(word))
    };
    if !has(header::UPGRADE, "websocket") || !has(header::CONNECTION, "upgrade") {
        return Err(Problem::invalid("this is a WebSocket: ask to upgrade"));
    }
    if !has(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(Problem::invalid("WebSocket in version 13 alone"));
    }
    if !has(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return Err(Problem::invalid("ask for the subprotocol sip"));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY);
    let key = key.and_then(|key| key.to_str().ok()).and_then(accept_key);
    key.and_then(|accept| HeaderValue::from_str(&accept).ok())
        .ok_or_else(|| Problem::invalid("sec-websocket-key is not 16 bytes in base64"))
}
