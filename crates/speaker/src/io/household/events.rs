//! The hub's stream of events over HTTP.
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::super::api::Client;
pub(super) use super::super::event_stream::Event;
use super::super::event_stream::EventText;

/// A stream that says nothing for so long is dead: the hub's beat is 15 s.
const SILENT_MAX: Duration = Duration::from_secs(45);

/// An open stream.
pub(super) struct Events {
    body: Incoming,
    text: EventText,
}

impl Events {
    /// Opens it, behind `last`.
    pub(super) async fn open(client: &mut Client, last: Option<i64>) -> Result<Self, String> {
        let resumed = last.map(|last| ("Last-Event-ID", last.to_string()));
        let body = client.stream("/api/v1/events", resumed.as_slice()).await?;
        let text = EventText::default();
        Ok(Self { body, text })
    }

    /// The next event. Dropped in the middle it has lost nothing.
    pub(super) async fn next(&mut self) -> Result<Event, String> {
        loop {
            if let Some(event) = self.text.next_event() {
                return Ok(event);
            }
            let frame = tokio::time::timeout(SILENT_MAX, self.body.frame())
                .await
                .map_err(|_| "the hub's events stopped".to_owned())?
                .ok_or("the hub ended its events")?
                .map_err(|error| format!("events: {error}"))?;
            if let Ok(bytes) = frame.into_data() {
                self.text.push(&bytes).map_err(|error| error.to_string())?;
            }
        }
    }
}
