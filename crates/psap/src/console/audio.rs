//! The sound between one page and one call. The leg to the caller belongs to the call-taker and knows nothing of this:
//! a page that is slow, silent or gone leaves silence there, never a gap.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hearthline_webrtc::{BrowserSound, FromBrowser, OpenError, open};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::{Console, refusal};
use crate::report::{AnsweredBy, CallState};
use crate::server::PsapHandle;

/// Pages whose sound runs at once.
pub(super) const SOUNDS_MAX: usize = 16;
/// Frames of the caller that wait for the page, 200 ms.
const FRAMES_MAX: usize = 10;
/// The content type of an offer and an answer.
const TYPE_SDP: &str = "application/sdp";

/// What the page calls itself: [`PAGE_BYTES_MAX`] characters at most.
const HEADER_PAGE: &str = "hearth-page";
/// The page had this call's sound and lost it: it takes it from no other page.
const HEADER_AGAIN: &str = "hearth-again";
const PAGE_BYTES_MAX: usize = 64;

/// POST of a page's offer; its answer comes back. A page at which somebody asks for the sound takes over from the one
/// before; one that lost it and joins by itself does not.
pub(super) async fn audio(
    State(console): State<Console>,
    Path(call): Path<u32>,
    headers: HeaderMap,
    offer: String,
) -> Response {
    if headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|own| own != TYPE_SDP)
    {
        return refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the offer is application/sdp",
        );
    }
    let page = headers
        .get(HEADER_PAGE)
        .map_or(Ok(""), |name| name.to_str());
    let Some(page) = page.ok().filter(|name| name.len() <= PAGE_BYTES_MAX) else {
        return refusal(
            StatusCode::BAD_REQUEST,
            "hearth-page is what the page calls itself: at most 64 plain characters",
        );
    };
    let page = page.to_owned();
    let report = console.psap.report(call).await;
    let talks = report.is_some_and(|report| {
        report.answered_by == Some(AnsweredBy::Person) && report.state != CallState::Ended
    });
    if !talks {
        return refusal(StatusCode::CONFLICT, "no person is in this call");
    }
    let Ok(place) = console.sounds.clone().try_acquire_owned() else {
        return refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many pages have sound already; close one",
        );
    };
    let Some(keys) = console.keys.as_deref() else {
        return refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            "there are no keys for a page's sound",
        );
    };
    match open(&offer, keys).await {
        Ok((answer, sound)) => {
            let (ear, caller) = mpsc::channel(FRAMES_MAX);
            let again = headers.contains_key(HEADER_AGAIN);
            if !console.psap.listen(call, page, again, ear).await {
                return refusal(StatusCode::CONFLICT, "another page has taken over");
            }
            tokio::spawn(carry(console.psap, call, sound, caller, place));
            ([(header::CONTENT_TYPE, TYPE_SDP)], answer).into_response()
        }
        Err(error @ OpenError::Offer(_)) => refusal(StatusCode::BAD_REQUEST, &error.to_string()),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// Until the page goes, the call ends, or another page takes over (both close `caller`).
async fn carry(
    psap: PsapHandle,
    call: u32,
    mut sound: BrowserSound,
    mut caller: mpsc::Receiver<Vec<i16>>,
    _place: OwnedSemaphorePermit,
) {
    loop {
        tokio::select! {
            news = sound.next() => match news {
                Some(FromBrowser::Heard(samples)) => psap.say(call, samples),
                Some(FromBrowser::Ended(_)) | None => return,
                Some(_) => {}
            },
            heard = caller.recv() => match heard {
                Some(samples) => drop(sound.to_browser.play(samples)),
                None => return,
            },
        }
    }
}
