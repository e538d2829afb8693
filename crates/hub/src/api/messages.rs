//! Messages: send, fetch, acknowledge.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gate::Caller;
use super::given::{Asked, Given, Id};
use super::{Answered, Created, Shared};
use crate::clock::UnixMs;
use crate::event::StreamId;
use crate::id::MessageId;
use crate::message::{
    ClientId, Delivery, DeliveryState, KEPT_MS, Message, MessageBody, MessageText, NewMessage,
    Recipients, VOICE_BYTES_MAX, VOICE_MS_MAX, Voice, VoiceCodec,
};
use crate::person::Party;
use crate::problem::Problem;

/// Base64 of the longest voice message, and the rest of the body.
const SEND_BYTES_MAX: usize = VOICE_BYTES_MAX / 3 * 4 + 64 * 1024;
/// Most messages of one answer or one acknowledgement.
const BATCH_MAX: u32 = 200;
const EXPIRES_S_MIN: u32 = 60;

/// A message to be sent, from the caller.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Send {
    /// The sender's own name for it: the same again changes nothing.
    client_id: ClientId,
    /// For whom.
    to: Recipients,
    /// What it says.
    body: SendBody,
    /// Whether speakers play it by themselves as it comes.
    #[serde(default)]
    announcement: bool,
    /// When it was due, where it is a reminder: speakers play it however late it comes, and say so.
    #[serde(default)]
    reminder_due_ms: Option<UnixMs>,
    /// How long it waits, in seconds; 90 days when not given and at most.
    #[serde(default)]
    expires_in_s: Option<u32>,
}

/// What a message says.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum SendBody {
    /// Text.
    Text(MessageText),
    /// Recorded voice.
    Voice(SendVoice),
}

/// Recorded voice.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendVoice {
    /// How it is coded.
    codec: VoiceCodec,
    /// How long it is, two minutes at most.
    #[schema(maximum = 120_000)]
    duration_ms: u32,
    /// The coded audio, at most 1,000,000 bytes.
    base64: String,
}

/// A stored message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sent {
    /// Id.
    id: MessageId,
    /// Its place in the order.
    sequence: StreamId,
    /// Whether it was there before, under the same client id.
    repeated: bool,
}

/// A mailbox.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Mailbox {
    /// How many messages wait.
    waiting: u32,
    /// The messages after the place asked for, oldest first.
    messages: Vec<Message>,
}

/// An acknowledgement.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Acknowledge {
    /// Which; at most 200.
    messages: Vec<MessageId>,
    /// How far: `delivered` or `read`.
    state: DeliveryState,
    /// Whose mailbox, when the caller has two: `device` or `person`.
    #[serde(default)]
    mailbox: Option<Whose>,
}

/// Which of the caller's mailboxes.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Whose {
    /// The device's own.
    Device,
    /// The person's.
    Person,
}

impl std::str::FromStr for Whose {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "device" => Ok(Self::Device),
            "person" => Ok(Self::Person),
            _ => Err(()),
        }
    }
}

/// An acknowledgement's effect.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Acknowledged {
    /// How many messages moved on.
    moved: u32,
}

/// What became of a message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Receipts {
    /// Who sent it.
    from: Party,
    /// Each mailbox; all for the sender, the caller's own for others.
    deliveries: Vec<Delivery>,
}

fn mailbox_of(caller: &Caller, whose: Option<Whose>) -> Result<Party, Problem> {
    let fits = |party: &Party| match whose {
        None => true,
        Some(Whose::Device) => matches!(party, Party::Device(_)),
        Some(Whose::Person) => matches!(party, Party::Person(_)),
    };
    caller
        .parties()
        .into_iter()
        .find(fits)
        .ok_or_else(|| Problem::invalid_field("mailbox", "you have no such mailbox"))
}

fn read_voice(voice: &SendVoice) -> Result<Voice, Problem> {
    if voice.duration_ms == 0 || voice.duration_ms > VOICE_MS_MAX {
        return Err(Problem::invalid_field(
            "body.voice.duration_ms",
            format!("a voice message lasts 1 to {VOICE_MS_MAX} ms"),
        ));
    }
    let wrong = |detail: String| Problem::invalid_field("body.voice.base64", detail);
    let bytes = STANDARD
        .decode(&voice.base64)
        .map_err(|_| wrong("not base64".to_owned()))?;
    if bytes.is_empty() || bytes.len() > VOICE_BYTES_MAX {
        return Err(wrong(format!(
            "a voice message has 1 to {VOICE_BYTES_MAX} bytes"
        )));
    }
    Ok(Voice {
        codec: voice.codec,
        duration_ms: voice.duration_ms,
        bytes,
    })
}

/// Send a message. It is stored when this answers.
#[utoipa::path(post, path = "/api/v1/messages", tag = "messages", request_body = Send,
    responses((status = 201, body = Sent)))]
pub(super) async fn send(
    State(home): State<Shared>,
    caller: Caller,
    Given(wish): Given<Send, SEND_BYTES_MAX>,
) -> Created<Sent> {
    let now = home.clock.now();
    let body = match wish.body {
        SendBody::Text(text) => MessageBody::Text(text),
        SendBody::Voice(voice) => MessageBody::Voice(read_voice(&voice)?),
    };
    let kept_ms = wish.expires_in_s.map_or(KEPT_MS, |seconds| {
        (i64::from(seconds.max(EXPIRES_S_MIN)) * 1000).min(KEPT_MS)
    });
    let message = NewMessage {
        client_id: wish.client_id,
        from: mailbox_of(&caller, None)?,
        to: wish.to,
        outside: None,
        body,
        announcement: wish.announcement,
        reminder_due: wish.reminder_due_ms,
        expires_at: now.plus_ms(kept_ms),
    };
    let stored = home.store.send_message(&message, now).await?;
    let sent = Sent {
        id: stored.id,
        sequence: stored.sequence,
        repeated: stored.repeated,
    };
    Ok((StatusCode::CREATED, Json(sent)))
}

/// What a mailbox of the caller holds.
#[utoipa::path(get, path = "/api/v1/messages", tag = "messages",
    params(
        ("after" = Option<i64>, Query, description = "Only what comes after this sequence"),
        ("limit" = Option<u32>, Query, description = "At most so many, 200 at most"),
        ("waiting" = Option<bool>, Query, description = "Only what is still queued"),
        ("unread" = Option<bool>, Query, description = "Only what nobody has read or heard"),
        ("mailbox" = Option<String>, Query, description = "`device` or `person`, when the caller has two"),
    ),
    responses((status = 200, body = Mailbox)))]
pub(super) async fn list(
    State(home): State<Shared>,
    caller: Caller,
    asked: Asked,
) -> Answered<Mailbox> {
    let owner = mailbox_of(&caller, asked.get("mailbox")?)?;
    let after = StreamId(asked.get("after")?.unwrap_or(0));
    let waiting = asked.get("waiting")?.unwrap_or(false);
    let unread = asked.get("unread")?.unwrap_or(false);
    let limit = asked.limit(BATCH_MAX)?;
    let now = home.clock.now();
    let store = &home.store;
    let messages = if unread && !waiting {
        store.unread(owner, after, limit, now).await?
    } else {
        store.mailbox(owner, after, limit, waiting, now).await?
    };
    Ok(Json(Mailbox {
        waiting: store.waiting(owner, now).await?,
        messages,
    }))
}

/// Acknowledge messages: they are not queued any more, and their senders see it.
#[utoipa::path(post, path = "/api/v1/messages/acknowledge", tag = "messages", request_body = Acknowledge,
    responses((status = 200, body = Acknowledged)))]
pub(super) async fn acknowledge(
    State(home): State<Shared>,
    caller: Caller,
    Given(wish): Given<Acknowledge>,
) -> Answered<Acknowledged> {
    if wish.messages.len() > BATCH_MAX as usize {
        return Err(Problem::invalid_field(
            "messages",
            format!("at most {BATCH_MAX} at once"),
        ));
    }
    let owner = mailbox_of(&caller, wish.mailbox)?;
    let now = home.clock.now();
    let moved = home
        .store
        .acknowledge(owner, &wish.messages, wish.state, now)
        .await?;
    Ok(Json(Acknowledged { moved }))
}

/// What became of a message that the caller sent or received.
#[utoipa::path(get, path = "/api/v1/messages/{id}", tag = "messages", params(("id" = String, Path)),
    responses((status = 200, body = Receipts)))]
pub(super) async fn one(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<MessageId>,
) -> Answered<Receipts> {
    let (from, mut deliveries) = home.store.deliveries(id).await?;
    let own = caller.parties();
    if !own.contains(&from) {
        deliveries.retain(|delivery| own.contains(&delivery.to));
        if deliveries.is_empty() {
            return Err(Problem::not_found("there is no such message"));
        }
    }
    Ok(Json(Receipts { from, deliveries }))
}

/// Delete a message in one mailbox of the caller. What no mailbox holds any more is dropped with its voice.
#[utoipa::path(delete, path = "/api/v1/messages/{id}", tag = "messages",
    params(
        ("id" = String, Path),
        ("mailbox" = Option<String>, Query, description = "`device` or `person`, when the caller has two"),
    ),
    responses((status = 204)))]
pub(super) async fn delete(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<MessageId>,
    asked: Asked,
) -> Result<StatusCode, Problem> {
    let owner = mailbox_of(&caller, asked.get("mailbox")?)?;
    let now = home.clock.now();
    home.store.delete_message(owner, id, now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The recorded voice of a message that the caller sent or received.
#[utoipa::path(get, path = "/api/v1/messages/{id}/voice", tag = "messages", params(("id" = String, Path)),
    responses((status = 200, description = "The coded audio", content_type = "audio/*")))]
pub(super) async fn voice(
    State(home): State<Shared>,
    caller: Caller,
    Id(id): Id<MessageId>,
) -> Result<Response, Problem> {
    let voice = home.store.voice(id, &caller.parties()).await?;
    let mut response = voice.bytes.into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(voice.codec.media_type()),
    );
    Ok(response)
}
