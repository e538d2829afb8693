//! Messages between people and devices: stored until fetched, never delivered twice.
//!
//! ```text
//! sender ─ client_id ─► message ─► one delivery per mailbox: Queued ─► Delivered ─► Read
//! ```
//! A sender that is unsure sends again with the same `client_id` and gets the same message back.
//! A reader fetches after the last `sequence` that it keeps, and acknowledges.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::event::StreamId;
use crate::id::MessageId;
use crate::outside_sender::OutsideSender;
use crate::person::Party;
use crate::text::Name;

/// Longest text, in bytes.
pub const TEXT_BYTES_MAX: usize = 4_000;
/// Longest voice message, in bytes: two minutes of G.722.
pub const VOICE_BYTES_MAX: usize = 1_000_000;
/// Longest voice message, in milliseconds.
pub const VOICE_MS_MAX: u32 = 120_000;
/// Most mailboxes of one message.
pub const RECIPIENTS_MAX: usize = 64;
/// Most messages that wait in one mailbox.
pub const MAILBOX_MAX: u32 = 20_000;
/// How long a message waits when the sender does not say: 90 days, so that a month offline loses nothing.
pub const KEPT_MS: i64 = 90 * 24 * 3_600_000;

/// How long after its end a message is remembered without its body: sent again then, it is still the same one.
pub const REMEMBERED_MS: i64 = 90 * 24 * 3_600_000;
/// Most messages of one sender in the database, the remembered ones too: 277 a day.
pub const SENT_MAX: u32 = 50_000;
/// Most bytes that the bodies of one sender's messages take: an hour and a half of G.722 a week.
pub const SENT_BYTES_MAX: i64 = 512 * 1024 * 1024;

/// What a sender names its message by, so that sending again makes no second one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 64)]
pub struct ClientId(String);

/// What became of a text to a telephone outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentText {
    /// It is under way; or it was when the hub ended.
    Sending,
    /// The network has it.
    Sent,
    /// Perhaps: the line did not say.
    Unsure,
}

impl SentText {
    /// The word for the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Unsure => "unsure",
        }
    }

    /// Reads it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Sending, Self::Sent, Self::Unsure];
        all.into_iter().find(|state| state.as_str() == text)
    }
}

/// Not a client id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client id is 1 to 64 letters, digits, '-' and '_'")]
pub struct ClientIdError;

impl ClientId {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClientId {
    type Error = ClientIdError;
    fn try_from(text: String) -> Result<Self, ClientIdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(ClientIdError)
        }
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> String {
        id.0
    }
}

/// What a message says.
#[derive(Clone, PartialEq, Eq)]
pub enum MessageBody {
    /// Text.
    Text(MessageText),
    /// Recorded voice.
    Voice(Voice),
}

impl fmt::Debug for MessageBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(…)",
            Self::Voice(_) => "Voice(…)",
        })
    }
}

/// The text of a message; never shown in logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 4000)]
pub struct MessageText(String);

/// Not a message's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message has 1 to {TEXT_BYTES_MAX} bytes of text")]
pub struct MessageTextError;

impl MessageText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageText(…)")
    }
}

impl TryFrom<String> for MessageText {
    type Error = MessageTextError;
    fn try_from(text: String) -> Result<Self, MessageTextError> {
        if text.is_empty() || text.len() > TEXT_BYTES_MAX || text.contains('\0') {
            Err(MessageTextError)
        } else {
            Ok(Self(text))
        }
    }
}

impl From<MessageText> for String {
    fn from(text: MessageText) -> String {
        text.0
    }
}

/// How the voice is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoiceCodec {
    /// WAV, 16 bits.
    Wav,
    /// G.722, 64 kbit/s.
    G722,
    /// Opus in Ogg.
    OggOpus,
}

impl VoiceCodec {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::G722 => "g722",
            Self::OggOpus => "ogg_opus",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Wav, Self::G722, Self::OggOpus]
            .into_iter()
            .find(|codec| codec.as_str() == text)
    }

    /// The media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::G722 => "audio/G722",
            Self::OggOpus => "audio/ogg",
        }
    }
}

/// Recorded voice.
#[derive(Clone, PartialEq, Eq)]
pub struct Voice {
    /// How it is coded.
    pub codec: VoiceCodec,
    /// How long it is.
    pub duration_ms: u32,
    /// The coded audio.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Voice(…)")
    }
}

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recipients {
    /// Every person of the household but the sender.
    Everyone,
    /// These, at most 64.
    These(Vec<Party>),
    /// Every speaker of the home but the one that sends.
    Speakers,
    /// Who is called so, as calls find them: the other speakers of a room, a person, or a device (its id is a name too).
    Called(Name),
}

/// A message to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// The sender's name for it.
    pub client_id: ClientId,
    /// Who sends.
    pub from: Party,
    /// For whom.
    pub to: Recipients,
    /// Whose words they are, when they came from outside.
    pub outside: Option<OutsideSender>,
    /// What it says.
    pub body: MessageBody,
    /// Whether speakers play it by themselves as it comes.
    pub announcement: bool,
    /// When it was due, where it is a reminder: speakers play it however late it comes, and say so.
    pub reminder_due: Option<UnixMs>,
    /// Until when it waits.
    pub expires_at: UnixMs,
}

/// What became of a message in one mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits.
    Queued,
    /// A reader acknowledged it.
    Delivered,
    /// A person read or heard it.
    Read,
}

impl DeliveryState {
    pub(crate) fn as_number(self) -> i64 {
        match self {
            Self::Queued => 0,
            Self::Delivered => 1,
            Self::Read => 2,
        }
    }

    pub(crate) fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Queued),
            1 => Some(Self::Delivered),
            2 => Some(Self::Read),
            _ => None,
        }
    }
}

/// One mailbox's part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Delivery {
    /// Whose mailbox.
    pub to: Party,
    /// What became of it.
    pub state: DeliveryState,
    /// Since when.
    pub since_ms: UnixMs,
}

/// A message as a reader sees it. Voice comes by its own route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Message {
    /// Id.
    pub id: MessageId,
    /// Its place in the household's order; ask for what comes after the last one you keep.
    pub sequence: StreamId,
    /// Who sent it.
    pub from: Party,
    /// Whose words they are, when they came from outside: by the mailbox, or as a text over a line.
    pub outside: Option<OutsideSender>,
    /// The text, when it is one.
    pub text: Option<MessageText>,
    /// The voice's coding, when it is one.
    pub voice: Option<VoiceCodec>,
    /// The voice's length.
    pub voice_duration_ms: Option<u32>,
    /// Whether speakers play it by themselves as it comes.
    pub announcement: bool,
    /// When it was due, where it is a reminder.
    pub reminder_due_ms: Option<UnixMs>,
    /// When it was sent.
    pub sent_at_ms: UnixMs,
    /// Until when it waits.
    pub expires_at_ms: UnixMs,
    /// What became of it in this mailbox.
    pub state: DeliveryState,
}

/// What storing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The message.
    pub id: MessageId,
    /// Its place in the order.
    pub sequence: StreamId,
    /// Whether it was there before, under the same client id.
    pub repeated: bool,
}
