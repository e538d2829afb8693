//! Events as they come (server-sent events), resumed from SQL by `Last-Event-ID`.
//!
//! `reset` tells a client that its place is gone (dropped after [`crate::run`]'s retention, or from another
//! database): it reads everything anew and goes on from the id that comes with it.

use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use hearthline_pages::event_stream;
use tokio::sync::mpsc;

use super::Shared;
use super::gate::{Caller, Shown, Who};
use super::given::Asked;
use crate::event::{Audience, Event, EventKind, StreamId};
use crate::feed::Feed;
use crate::person::Role;
use crate::problem::Problem;

/// A silent stream says so, and looks whether its reader may still read.
const BEAT: Duration = Duration::from_secs(15);
/// Blocks that wait for a slow reader; then the stream waits, and SQL keeps the rest.
const BLOCKS_MAX: usize = 16;

/// The household's events as far as the caller may see them; they carry ids only.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(
        ("after" = Option<i64>, Query, description = "The last id that the caller has; the header comes first"),
        ("Last-Event-ID" = Option<i64>, Header, description = "The same, as browsers send it"),
    ),
    responses((status = 200, description = "`id`, `event` and `data` with the subject's id and the time", content_type = "text/event-stream")))]
pub(super) async fn events(
    State(home): State<Shared>,
    caller: Caller,
    shown: Shown,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response, Problem> {
    let wrong = || Problem::invalid_field("Last-Event-ID", "not an id of this stream");
    let last = match headers.get("last-event-id") {
        Some(value) => {
            let text = value.to_str().map_err(|_| wrong())?;
            Some(text.trim().parse().map_err(|_| wrong())?)
        }
        None => asked.get("after")?,
    };
    let (oldest, newest) = home.store.event_range().await?;
    let (after, reset) = match last.map(StreamId) {
        None => (newest, false),
        Some(last) if last > newest || last.0 + 1 < oldest.0 => (newest, true),
        Some(last) => (last, false),
    };
    let (blocks, receiver) = mpsc::channel(BLOCKS_MAX);
    let stream = Stream {
        feed: Feed::new(home.store.clone(), home.bus.as_ref(), after),
        home,
        who: caller.who,
        shown,
        after,
        blocks,
    };
    tokio::spawn(stream.run(reset));
    Ok(event_stream(receiver))
}

struct Stream {
    home: Shared,
    feed: Feed,
    who: Who,
    shown: Shown,
    after: StreamId,
    blocks: mpsc::Sender<Bytes>,
}

impl Stream {
    async fn run(mut self, reset: bool) {
        let mut first = String::from("retry: 2000\n\n");
        if reset {
            let _ = write!(first, "id: {}\nevent: reset\ndata: {{}}\n\n", self.after.0);
        }
        if self.blocks.send(first.into()).await.is_err() {
            return;
        }
        let mut stop = self.home.stop.clone();
        loop {
            let events = tokio::select! {
                () = self.blocks.closed() => return,
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(BEAT) => Vec::new(),
                events = self.feed.next() => match events {
                    Ok(events) => events,
                    Err(error) => {
                        tracing::error!(%error, "a stream of events ends");
                        return;
                    }
                },
            };
            // What ended the reader's right may be among the events: look first, then tell.
            if !self.may_still_read(&events).await {
                return;
            }
            let mut text = String::new();
            for event in &events {
                self.after = event.stream_id;
                if sees(&self.who, event) {
                    write_event(&mut text, event);
                }
            }
            if text.is_empty() {
                let _ = write!(text, "id: {}\n: still here\n\n", self.after.0);
            }
            if self.blocks.send(text.into()).await.is_err() {
                return;
            }
        }
    }

    /// Asks the store again at each beat and whenever people, devices or sessions changed.
    async fn may_still_read(&mut self, events: &[Event]) -> bool {
        let concerns = |event: &Event| {
            matches!(
                event.kind,
                EventKind::People
                    | EventKind::Devices
                    | EventKind::DeviceRevoked
                    | EventKind::SessionEnded
            )
        };
        if !events.is_empty() && !events.iter().any(concerns) {
            return true;
        }
        match self.shown.identify(&self.home).await {
            Ok(Who::Nobody | Who::Device { ended: true, .. }) | Err(_) => false,
            Ok(who) => {
                self.who = who;
                true
            }
        }
    }
}

fn sees(who: &Who, event: &Event) -> bool {
    let (role, person, device) = match who {
        Who::Person { person, .. } => (Some(person.fields.role), Some(person.id), None),
        Who::Device { device, role, .. } => {
            let role = role.unwrap_or(Role::Adult);
            (Some(role), device.fields.person, Some(device.id))
        }
        Who::Nobody => (None, None, None),
    };
    match event.audience {
        Audience::Home => match event.kind {
            // What a guest or a child may not list does not concern them either.
            EventKind::Calls => matches!(role, Some(Role::Owner | Role::Adult)),
            EventKind::Contacts | EventKind::Devices | EventKind::DeviceRevoked => {
                role.is_some_and(|role| role != Role::Guest)
            }
            _ => role.is_some(),
        },
        Audience::Adults => matches!(role, Some(Role::Owner | Role::Adult)),
        Audience::Mailbox(crate::person::Party::Person(id)) => person == Some(id),
        Audience::Mailbox(crate::person::Party::Device(id)) => device == Some(id),
    }
}

fn write_event(text: &mut String, event: &Event) {
    // Kinds are our words, subjects our ids: neither needs escaping.
    let _ = write!(
        text,
        "id: {}\nevent: {}\ndata: {{\"id\":\"{}\",\"at_ms\":{}}}\n\n",
        event.stream_id.0,
        event.kind.as_str(),
        event.subject,
        event.at.0
    );
}
