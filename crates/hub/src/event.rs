//! Events: what has changed, in one order per household. They carry ids only; who wants to know more asks.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::id::{DeviceId, PersonId};
use crate::person::Party;

/// The place of an event in the household's order: from 1, no gaps, in the order of commits.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, ToSchema,
)]
#[serde(transparent)]
#[schema(value_type = i64)]
pub struct StreamId(pub i64);

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A person was added, changed or removed.
    People,
    /// A device joined or was changed.
    Devices,
    /// A device may do nothing any more.
    DeviceRevoked,
    /// The rooms changed.
    Rooms,
    /// The address book changed.
    Contacts,
    /// A line or its health changed.
    Lines,
    /// A call came further.
    Calls,
    /// A message waits.
    MessageQueued,
    /// A mailbox acknowledged or read a message.
    MessageState,
    /// A device reported an incident.
    Incidents,
    /// A session ended.
    SessionEnded,
    /// An invitation was made, used, locked or withdrawn.
    Invitations,
    /// What a speaker keeps for later has changed.
    Agendas,
    /// Lights wait to be switched by a speaker.
    LightOrderQueued,
    /// A routine wants lights switched, or its speaker has answered.
    LightOrders,
}

impl EventKind {
    pub(crate) const ALL: [EventKind; 15] = [
        Self::People,
        Self::Devices,
        Self::DeviceRevoked,
        Self::Rooms,
        Self::Contacts,
        Self::Lines,
        Self::Calls,
        Self::MessageQueued,
        Self::MessageState,
        Self::Incidents,
        Self::SessionEnded,
        Self::Invitations,
        Self::Agendas,
        Self::LightOrderQueued,
        Self::LightOrders,
    ];

    /// The name in the stream.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Devices => "devices",
            Self::DeviceRevoked => "device_revoked",
            Self::Rooms => "rooms",
            Self::Contacts => "contacts",
            Self::Lines => "lines",
            Self::Calls => "calls",
            Self::MessageQueued => "message_queued",
            Self::MessageState => "message_state",
            Self::Incidents => "incidents",
            Self::SessionEnded => "session_ended",
            Self::Invitations => "invitations",
            Self::Agendas => "agendas",
            Self::LightOrderQueued => "light_order_queued",
            Self::LightOrders => "light_orders",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Who may see an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everyone who may read events at all.
    Home,
    /// Owners and adults.
    Adults,
    /// The owner of one mailbox.
    Mailbox(Party),
}

impl Audience {
    pub(crate) fn key(self) -> String {
        match self {
            Self::Home => "home".to_owned(),
            Self::Adults => "adults".to_owned(),
            Self::Mailbox(party) => party.key(),
        }
    }

    pub(crate) fn from_key(text: &str) -> Option<Self> {
        match text {
            "home" => Some(Self::Home),
            "adults" => Some(Self::Adults),
            party => Party::from_key(party).map(Self::Mailbox),
        }
    }

    /// A person's or a device's mailbox.
    #[must_use]
    pub fn person(id: PersonId) -> Self {
        Self::Mailbox(Party::Person(id))
    }

    /// A device's mailbox.
    #[must_use]
    pub fn device(id: DeviceId) -> Self {
        Self::Mailbox(Party::Device(id))
    }
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place.
    pub stream_id: StreamId,
    /// What changed.
    pub kind: EventKind,
    /// Who may see it.
    pub audience: Audience,
    /// The id of what changed.
    pub subject: String,
    /// When.
    pub at: UnixMs,
}
