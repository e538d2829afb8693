//! Texts over lines: SIP MESSAGE both ways (RFC 3428), with a mobile modem as the line that carries them.
//!
//! What comes is answered when it is stored, so that the modem keeps it until then; what goes is said to be sent when the
//! network has it. A text never starts a call, and none goes to an emergency number: no [`Number`] is one.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use hearthline_sip::endpoint::{
    Body, FailureCause, QueryHandle, QueryRequest, Refusal, RequestHandle, Source,
};
use hearthline_sip::{HeaderName, Method, NameAddr, Request, StatusCode};

use super::voicemail::UNWANTED;
use super::{Gateway, Output, Trunk};
use crate::contact::Screening;
use crate::device::Fingerprint;
use crate::id::LineId;
use crate::line::{LineHealth, LineKind};
use crate::message::MessageText;
use crate::number::Number;
use crate::outside_sender::OutsideSender;

/// When the line's network says that a text was sent: the same text told twice is the same one.
const SENT: &str = "Hearthline-Sent";
/// Texts that are under way at once, each way.
const TEXTS_MAX: usize = 256;

/// A text that came over a line.
#[derive(Debug)]
pub(crate) struct ComingText {
    /// By which its sender's line is answered.
    pub(crate) id: u64,
    pub(crate) line: LineId,
    pub(crate) from: Option<OutsideSender>,
    pub(crate) text: MessageText,
    /// The same for the same text told again.
    pub(crate) mark: Fingerprint,
}

/// What became of a text that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    Kept,
    /// Whoever it is for has blocked its sender.
    Unwanted,
    /// The store is in trouble.
    NotNow,
}

/// A text that is to go out.
pub(crate) struct GoingText {
    pub(crate) id: u64,
    pub(crate) to: Number,
    pub(crate) text: MessageText,
}

/// Why a text did not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotSent {
    #[error("the home has no mobile line that works; add a line of kind modem")]
    NoLine,
    #[error("no mobile line could send it now")]
    Failed,
    #[error("the line refuses this text or this number ({0})")]
    Refused(u16),
    #[error("the line did not say whether it was sent")]
    Unsure,
}

/// Texts under way.
#[derive(Default)]
pub(super) struct Texts {
    coming: BTreeMap<u64, RequestHandle>,
    going: BTreeMap<QueryHandle, Going>,
}

struct Going {
    text: GoingText,
    line: LineId,
    remaining: VecDeque<LineId>,
}

impl Gateway {
    /// A request outside a call came to the lines' sockets.
    pub(super) fn text_came(
        &mut self,
        asked: RequestHandle,
        request: &Request,
        source: &Source,
        now: Duration,
    ) {
        match self.read_text(request, source) {
            Ok(mut text) => {
                let id = self.next_id();
                text.id = id;
                self.texts.coming.insert(id, asked);
                self.outputs.push_back(Output::TextCame(Box::new(text)));
            }
            Err(status) => self.answer_text(asked, status, now),
        }
    }

    fn answer_text(&mut self, asked: RequestHandle, status: StatusCode, now: Duration) {
        // It may have timed out by now.
        let _ = self.outside.respond(asked, Refusal::new(status), None, now);
    }

    fn read_text(&self, request: &Request, source: &Source) -> Result<ComingText, StatusCode> {
        if request.method != Method::Message {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        let line = self.line_of(request, source).map(Trunk::id);
        let line = line.ok_or(StatusCode::FORBIDDEN)?;
        if self.texts.coming.len() >= TEXTS_MAX {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        let kind = request.headers.content_type().ok().flatten();
        if !kind.is_some_and(|kind| kind.is("text/plain")) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let text = String::from_utf8(request.body.clone()).map_err(|_| StatusCode::BAD_REQUEST)?;
        let plain = |character: &char| !character.is_control() || matches!(character, '\n' | '\t');
        let text: String = text.chars().filter(plain).collect();
        let text = MessageText::try_from(text).map_err(|_| StatusCode::BAD_REQUEST)?;
        let number = self.caller_of(request);
        let known = number.as_ref().and_then(|number| self.book.get(number));
        if known.is_some_and(|known| known.screening == Screening::Block) {
            return Err(UNWANTED);
        }
        let from = request
            .headers
            .from()
            .map_err(|_| StatusCode::BAD_REQUEST)?;
        // A name is a contact's; of a sender without a number it is what the network says.
        let name = match (&number, known) {
            (Some(_), known) => known.map(|known| known.name.as_str()),
            (None, _) => from.display.as_deref(),
        };
        let sender = OutsideSender::known(name, number.as_ref().map(Number::as_str));
        let sent = HeaderName::parse(SENT.as_bytes());
        let sent = sent.and_then(|sent| request.headers.get_str(&sent));
        let call_id = request.headers.call_id().unwrap_or_default();
        let told = format!(
            "{line} {from} {}\n{}",
            sent.unwrap_or(call_id),
            text.as_str()
        );
        Ok(ComingText {
            id: 0,
            line,
            from: sender,
            text,
            mark: Fingerprint::of(told.as_bytes()),
        })
    }

    /// It is stored, or is not.
    pub(super) fn text_kept(&mut self, id: u64, keeping: Keeping, now: Duration) {
        let Some(asked) = self.texts.coming.remove(&id) else {
            return;
        };
        let status = match keeping {
            Keeping::Kept => StatusCode::OK,
            Keeping::Unwanted => UNWANTED,
            Keeping::NotNow => StatusCode::SERVICE_UNAVAILABLE,
        };
        self.answer_text(asked, status, now);
    }

    /// A text of the home's goes by its mobile lines, in their order.
    pub(super) fn send_text(&mut self, text: GoingText, now: Duration) {
        let mut lines: Vec<&Trunk> = self
            .trunks
            .iter()
            .filter(|trunk| trunk.setup.line.fields.kind == LineKind::Modem && trunk.is_usable())
            .collect();
        lines.sort_by_key(|trunk| trunk.health == LineHealth::Down);
        let remaining: VecDeque<LineId> = lines.into_iter().map(Trunk::id).collect();
        let none = match remaining.is_empty() {
            true => NotSent::NoLine,
            false => NotSent::Failed,
        };
        self.text_by_next(text, remaining, none, now);
    }

    fn text_by_next(
        &mut self,
        text: GoingText,
        mut remaining: VecDeque<LineId>,
        none: NotSent,
        now: Duration,
    ) {
        while let Some(line) = remaining.pop_front() {
            let query = self.text_query(line, &text);
            let room = self.texts.going.len() < TEXTS_MAX;
            let asked = query.filter(|_| room);
            let Some(Ok(asked)) = asked.map(|query| self.outside.message(query, now)) else {
                continue;
            };
            let going = Going {
                text,
                line,
                remaining,
            };
            self.texts.going.insert(asked, going);
            return;
        }
        self.text_over(text.id, Err(none));
    }

    fn text_query(&self, line: LineId, text: &GoingText) -> Option<QueryRequest> {
        let trunk = self.trunk(line)?;
        let server = trunk.server()?;
        let uri = trunk.number_uri(server, &text.to, &self.config.plan)?;
        Some(QueryRequest {
            to: NameAddr::new(uri.clone()),
            request_uri: uri,
            from: NameAddr::new(trunk.identity(server)),
            route: Vec::new(),
            headers: Vec::new(),
            body: Some(Body::new("text/plain;charset=utf-8", text.text.as_str())),
            target: server.target().clone(),
            credentials: trunk.credentials(),
        })
    }

    /// A line said what became of a text; `false`: the question was none of ours.
    pub(super) fn text_told(
        &mut self,
        query: QueryHandle,
        outcome: Result<StatusCode, &FailureCause>,
        now: Duration,
    ) -> bool {
        let Some(going) = self.texts.going.remove(&query) else {
            return false;
        };
        let Going {
            text,
            line,
            remaining,
        } = going;
        match outcome.map(StatusCode::code) {
            Ok(200..=299) => self.text_over(text.id, Ok(line)),
            // Not sent by this line: the next may.
            Ok(401 | 403 | 407 | 500..=503) => {
                self.text_by_next(text, remaining, NotSent::Failed, now);
            }
            Err(FailureCause::TransportFailed) => {
                self.text_by_next(text, remaining, NotSent::Failed, now);
            }
            // Perhaps it was sent: it is not sent twice.
            Ok(408 | 504) | Err(_) => self.text_over(text.id, Err(NotSent::Unsure)),
            Ok(code) => self.text_over(text.id, Err(NotSent::Refused(code))),
        }
        true
    }

    fn text_over(&mut self, id: u64, outcome: Result<LineId, NotSent>) {
        self.outputs.push_back(Output::TextOver { id, outcome });
    }
}
