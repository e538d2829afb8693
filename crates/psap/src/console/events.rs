//! What changed, as server-sent events: the list of calls, in short. The page asks for the whole of one call itself.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hearthline_pages::event_stream;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::{Console, refusal};
use crate::report::{AnsweredBy, CallReport, CallState};
use crate::server::PsapHandle;

/// Pages that may watch at once.
const STREAMS_MAX: usize = 16;
/// Calls told of, the latest.
const CALLS_MAX: usize = 100;
/// A silent stream says that it is there.
const BEAT: Duration = Duration::from_secs(10);
/// Changes within this time go out together.
const TOGETHER: Duration = Duration::from_millis(50);

/// Places for watching pages.
#[derive(Clone)]
pub(crate) struct Streams(Arc<Semaphore>);

impl Default for Streams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(STREAMS_MAX)))
    }
}

/// What the running call-taker shows beside its reports.
#[derive(Clone)]
pub(crate) struct Board {
    /// Counts up with each change.
    pub(crate) changes: watch::Receiver<u64>,
    /// Unix time in milliseconds at the call-taker's zero.
    pub(crate) zero_unix_ms: u64,
    /// Whether a person is waited for.
    pub(crate) waits_for_a_person: bool,
    /// Whether calls are recorded.
    pub(crate) records: bool,
}

impl Board {
    /// Wall clock of a time in a report.
    pub(crate) fn unix_ms(&self, report_ms: u64) -> u64 {
        self.zero_unix_ms.saturating_add(report_ms)
    }
}

#[derive(Serialize)]
struct Told<'a> {
    waits_for_a_person: bool,
    records: bool,
    calls: Vec<Brief<'a>>,
}

#[derive(Serialize)]
struct Brief<'a> {
    id: u32,
    state: CallState,
    service: Option<&'a str>,
    drill: bool,
    sound: bool,
    arrived_unix_ms: u64,
    answered_after_ms: Option<u64>,
    ended_after_ms: Option<u64>,
    answered_by: Option<AnsweredBy>,
    machine_answers_after_ms: Option<u64>,
    ended_by: Option<&'a str>,
    address: Option<&'a str>,
    recorded: bool,
}

pub(super) async fn events(State(console): State<Console>) -> Response {
    let Ok(place) = console.streams.0.clone().try_acquire_owned() else {
        return refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many pages watch already; close one",
        );
    };
    let (blocks, receiver) = mpsc::channel(4);
    tokio::spawn(tell(console.psap, blocks, place));
    event_stream(receiver)
}

async fn tell(psap: PsapHandle, blocks: mpsc::Sender<Bytes>, _place: OwnedSemaphorePermit) {
    let board = psap.board();
    let mut changes = board.changes.clone();
    changes.mark_changed();
    if blocks.send("retry: 1000\n\n".into()).await.is_err() {
        return;
    }
    loop {
        let text = tokio::select! {
            () = blocks.closed() => return,
            () = tokio::time::sleep(BEAT) => ": still here\n\n".to_owned(),
            changed = changes.changed() => {
                if changed.is_err() {
                    return; // the call-taker has stopped
                }
                tokio::time::sleep(TOGETHER).await;
                changes.mark_unchanged();
                let Some(reports) = psap.reports().await else { return };
                block(board, &reports)
            }
        };
        if blocks.send(text.into()).await.is_err() {
            return;
        }
    }
}

fn block(board: &Board, reports: &[CallReport]) -> String {
    let calls = reports.iter().rev().take(CALLS_MAX).map(|report| Brief {
        id: report.id,
        state: report.state,
        service: report.service.as_deref(),
        drill: report.drill,
        sound: report.is_sound(),
        arrived_unix_ms: board.unix_ms(report.arrived_ms),
        answered_after_ms: report.answered_after_ms,
        ended_after_ms: report.ended_after_ms,
        answered_by: report.answered_by,
        machine_answers_after_ms: report.machine_answers_after_ms,
        ended_by: report.ended_by.as_deref(),
        address: report
            .place
            .as_ref()
            .and_then(|place| place.address.as_deref()),
        recorded: report.recorded,
    });
    let state = Told {
        waits_for_a_person: board.waits_for_a_person,
        records: board.records,
        calls: calls.collect(),
    };
    // JSON has no line breaks of its own: one line of data.
    let json = serde_json::to_string(&state).unwrap_or_default();
    format!("event: calls\ndata: {json}\n\n")
}
