//! Short messages and the home: SIP MESSAGE both ways (RFC 3428), as a provider of texts has it.
//!
//! What comes is kept on the modem until the home says that it has it; what the home sends is answered when the network
//! has taken it, or has not.

use core::time::Duration;

use hearthline_sip::endpoint::{Body, QueryHandle, QueryRequest, RequestHandle};
use hearthline_sip::{HeaderName, Method, NameAddr, Request, SipUri, StatusCode};

use super::output::{Event, Output};
use super::{ModemLine, outcome};
use crate::text_message::{TextError, TextHandle, TextMessage};

/// What a message's body is.
const PLAIN: &str = "text/plain;charset=utf-8";
/// When the network says that it was sent: the same message told twice is the same.
const SENT: &str = "Hearthline-Sent";
/// Longest of that, in bytes.
const SENT_BYTES_MAX: usize = 40;
/// Pause before the home is told again of what it did not take.
const PAUSE: Duration = Duration::from_secs(60);

impl ModemLine {
    /// A message is whole: the home is told, where there is one; else whoever runs the line.
    pub(super) fn tell_text(&mut self, handle: TextHandle, message: TextMessage, now: Duration) {
        let query = self.message_of(&message);
        let asked = query.and_then(|query| self.endpoint.message(query, now).ok());
        match asked {
            Some(query) => {
                self.texts.passing.insert(query, (handle, message));
            }
            None => self.push(Output::Event(Event::Text { handle, message })),
        }
    }

    /// `None`: nobody at home takes messages.
    fn message_of(&self, message: &TextMessage) -> Option<QueryRequest> {
        let target = self.config.ring.clone()?;
        let to = SipUri::new(target.remote.ip().into())
            .with_port(target.remote.port())
            .with_user("modem");
        let mut from = self.caller(message.number.as_ref());
        if let (None, Some(name)) = (&message.number, &message.name) {
            from = from.with_display(name);
        }
        let sent: String = message
            .sent
            .chars()
            .filter(char::is_ascii_graphic)
            .collect();
        let sent = HeaderName::parse(SENT.as_bytes())
            .map(|name| (name, sent.into_bytes()))
            .filter(|(_, sent)| (1..=SENT_BYTES_MAX).contains(&sent.len()));
        Some(QueryRequest {
            request_uri: to.clone().into(),
            to: NameAddr::new(to),
            from,
            route: Vec::new(),
            headers: sent.into_iter().collect(),
            body: Some(Body::new(PLAIN, message.text.as_bytes())),
            target,
            credentials: Vec::new(),
        })
    }

    /// The home answered, or did not (`None`).
    pub(super) fn on_told(
        &mut self,
        query: QueryHandle,
        status: Option<StatusCode>,
        now: Duration,
    ) {
        let Some((handle, message)) = self.texts.passing.remove(&query) else {
            return;
        };
        match status.map(StatusCode::code) {
            // Kept there; or not wanted from this sender, now or ever.
            Some(200..=299 | 600..=699) => self.take_off(handle, now),
            // It knows no messages: whoever runs the line may.
            Some(405 | 415 | 501) => self.push(Output::Event(Event::Text { handle, message })),
            _ => {
                let at = now.saturating_add(PAUSE);
                self.texts.again_at.get_or_insert(at);
                self.texts.refused.push(handle);
            }
        }
    }

    /// Tells again what the home did not take.
    pub(super) fn tell_again(&mut self, now: Duration) {
        if self.texts.again_at.is_none_or(|at| at > now) {
            return;
        }
        self.texts.again_at = None;
        for handle in core::mem::take(&mut self.texts.refused) {
            // Read anew from the modem: it may be gone by now.
            if let Some(path) = self.texts.told.remove(&handle) {
                self.on_text_added(&path, now);
            }
        }
    }

    /// The home sends a message.
    pub(super) fn on_request(&mut self, asked: RequestHandle, request: &Request, now: Duration) {
        match self.try_message(request, now) {
            Ok(handle) => {
                self.texts.asked.insert(handle, asked);
            }
            Err((status, why)) => {
                // It may have timed out in the same moment.
                let refusal = outcome::refusal(status, &why);
                let _ = self.endpoint.respond(asked, refusal, None, now);
            }
        }
    }

    fn try_message(
        &mut self,
        request: &Request,
        now: Duration,
    ) -> Result<TextHandle, (StatusCode, String)> {
        if request.method != Method::Message {
            return Err((
                StatusCode::METHOD_NOT_ALLOWED,
                "calls and messages only".to_owned(),
            ));
        }
        let (number, _) = self.wanted(&request.uri)?;
        let kind = request.headers.content_type().ok().flatten();
        if !kind.is_some_and(|kind| kind.is("text/plain")) {
            return Err((
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "plain text only".to_owned(),
            ));
        }
        let text = core::str::from_utf8(&request.body)
            .map_err(|_| (StatusCode::BAD_REQUEST, "the text is not UTF-8".to_owned()))?;
        self.begin_text(&number, text, now).map_err(|error| {
            let status = match error {
                TextError::Empty | TextError::Control => StatusCode::BAD_REQUEST,
                TextError::Long => StatusCode::MESSAGE_TOO_LARGE,
                TextError::Emergency => StatusCode::FORBIDDEN,
                TextError::TooMany | TextError::NotReady(_) => StatusCode::SERVICE_UNAVAILABLE,
                TextError::NoMessaging => StatusCode::NOT_IMPLEMENTED,
            };
            (status, error.to_string())
        })
    }

    /// The network took a message of the home's, or did not.
    pub(super) fn answer_home(&mut self, handle: TextHandle, sent: bool, now: Duration) {
        let Some(asked) = self.texts.asked.remove(&handle) else {
            return;
        };
        let (status, why) = match sent {
            true => (StatusCode::OK, "the network has it"),
            false => (StatusCode::BAD_GATEWAY, "the network did not take it"),
        };
        // It may have timed out by now.
        let _ = self
            .endpoint
            .respond(asked, outcome::refusal(status, why), None, now);
    }
}
