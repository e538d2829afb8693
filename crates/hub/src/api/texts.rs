//! Texts to telephones outside, over a mobile line of the home. None goes to an emergency number: who reads there is not
//! known, and a call is what helps.

use axum::Json;
use axum::extract::State;
use hearthline_emergency::numbers::{Country, DialledDigits, Recognition};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gate::Caller;
use super::given::Given;
use super::{Answered, Shared};
use crate::gateway::text_keeping::TextRefused;
use crate::gateway::{DialPlan, NotSent};
use crate::message::{self, ClientId, MessageText};
use crate::number::Number;
use crate::problem::Problem;
use crate::text::Name;

/// A text to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendText {
    /// The sender's name for it: asked for again by the same, it is not sent twice, for 90 days.
    client_id: ClientId,
    /// The number, as it is dialled here or international.
    to: Name,
    /// What it says; a mobile line takes 1,500 characters.
    text: MessageText,
}

/// What became of it.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum TextOutcome {
    /// The mobile network has it.
    Sent,
    /// The line did not say: perhaps it was sent. It is not sent again by itself.
    Unsure,
    /// It was asked for before and is under way.
    Sending,
}

/// A text that was sent, perhaps.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SentText {
    /// What became of it.
    state: TextOutcome,
}

fn emergency() -> Problem {
    Problem::forbidden(
        "emergency services are called, not written to; say so to a speaker or dial the number on a telephone",
    )
}

fn number(dialled: &str, country: Country, plan: &DialPlan) -> Result<Number, Problem> {
    let wrong = |detail: &dyn std::fmt::Display| Problem::invalid_field("to", detail.to_string());
    let digits = DialledDigits::new(dialled).map_err(|_| wrong(&"it is no telephone number"))?;
    match digits.recognise(country) {
        Recognition::Ordinary(digits) => plan.number(&digits).map_err(|why| wrong(&why)),
        _ => Err(emergency()),
    }
}

/// Send a text to a telephone outside, by the home's mobile lines in their order. It answers when the network has it or
/// no line could send it, after 40 s at most. Emergency numbers are refused.
#[utoipa::path(post, path = "/api/v1/texts", tag = "texts", request_body = SendText,
    responses((status = 200, body = SentText)))]
pub(super) async fn send(
    State(home): State<Shared>,
    caller: Caller,
    Given(wish): Given<SendText>,
) -> Answered<SentText> {
    let from = caller.parties();
    let from = from.first().copied().ok_or_else(Problem::internal)?;
    let Some(sip) = home.sip.get() else {
        return Err(Problem::conflict("this hub runs without lines"));
    };
    let to = number(wish.to.as_str(), sip.plan.country(), &sip.plan)?;
    let sent = sip.texts.send(from, wish.client_id, to, wish.text).await;
    let state = match sent {
        Ok(message::SentText::Sent) => TextOutcome::Sent,
        Ok(message::SentText::Unsure) => TextOutcome::Unsure,
        Ok(message::SentText::Sending) => TextOutcome::Sending,
        Err(TextRefused::Taken) => {
            return Err(Problem::conflict("another text has this client_id"));
        }
        Err(TextRefused::NotSent(why @ NotSent::NoLine)) => {
            return Err(Problem::conflict(why.to_string()));
        }
        Err(TextRefused::NotSent(NotSent::Refused(code))) => {
            let why = NotSent::Refused(code).to_string();
            return Err(Problem::invalid(why));
        }
        Err(TextRefused::NotSent(why)) => return Err(Problem::unavailable(why.to_string())),
    };
    Ok(Json(SentText { state }))
}
