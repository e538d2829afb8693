//! What the hub remembers of a call, for "who called?" and for the household page. Rows only: nothing
//! here can place, answer or end one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::id::{CallId, ContactId, DeviceId, LineId};
use crate::number::Number;

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From outside.
    Incoming,
    /// To outside.
    Outgoing,
    /// Between devices of the home.
    Inside,
    /// Between two outside parties whom a device of the home has joined.
    Outside,
}

impl Direction {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
            Self::Inside => "inside",
            Self::Outside => "outside",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Incoming, Self::Outgoing, Self::Inside, Self::Outside]
            .into_iter()
            .find(|direction| direction.as_str() == text)
    }
}

/// How far a call has come (RFC 3261 section 13: a dialog is early, then confirmed, then ended).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// Ringing.
    Early,
    /// Answered.
    Confirmed,
    /// Over after it was answered.
    Ended,
    /// Over without having been answered.
    Missed,
}

impl CallState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Early => "early",
            Self::Confirmed => "confirmed",
            Self::Ended => "ended",
            Self::Missed => "missed",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Early, Self::Confirmed, Self::Ended, Self::Missed]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// How a call over lines ended, where the hub knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The first of them hung up.
    HungUp,
    /// The second of them hung up.
    OtherHungUp,
    /// The second was called, and did not take it, or the first had gone by then.
    NotJoined,
    /// It lasted for as long as such a call may.
    TimeUp,
    /// A line did not answer any more (RFC 4028).
    LineLost,
    /// The hub was stopped, or has started again: the end is no later than what the row says.
    HubStopped,
}

impl Ending {
    const ALL: [Self; 6] = [
        Self::HungUp,
        Self::OtherHungUp,
        Self::NotJoined,
        Self::TimeUp,
        Self::LineLost,
        Self::HubStopped,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::HungUp => "hung_up",
            Self::OtherHungUp => "other_hung_up",
            Self::NotJoined => "not_joined",
            Self::TimeUp => "time_up",
            Self::LineLost => "line_lost",
            Self::HubStopped => "hub_stopped",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|ending| ending.as_str() == text)
    }
}

/// Somebody at the other end of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutsideEnd {
    /// The line.
    pub line: LineId,
    /// Their number, where the line said it.
    pub number: Option<Number>,
    /// The contact whose number it is.
    pub contact: Option<ContactId>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Call {
    /// Id.
    pub id: CallId,
    /// Who called whom.
    pub direction: Direction,
    /// Our device that calls, or that answered; of a call between two outside parties, the one that joined them.
    pub device: Option<DeviceId>,
    /// Of a call for help, the device that the caller claims to be where nothing proves it: nobody is asked for a
    /// password then.
    pub claimed_device: Option<DeviceId>,
    /// The other device, when the call stays inside.
    pub other_device: Option<DeviceId>,
    /// The contact at the other end.
    pub contact: Option<ContactId>,
    /// The number at the other end.
    pub number: Option<Number>,
    /// The line that it went over.
    pub line: Option<LineId>,
    /// Of a call between two outside parties, the second; the first stands in `contact`, `number` and `line`.
    pub other_end: Option<OutsideEnd>,
    /// How a call between two outside parties ended; of others over a line only that the hub was stopped under them.
    pub ending: Option<Ending>,
    /// Whether it was a call for help. Always a drill until a live line has been configured.
    pub emergency: bool,
    /// How far it has come.
    pub state: CallState,
    /// When it began to ring.
    pub started_at_ms: UnixMs,
    /// When it was answered.
    pub answered_at_ms: Option<UnixMs>,
    /// When it ended.
    pub ended_at_ms: Option<UnixMs>,
}

impl Call {
    /// A call that begins to ring, of whose ends nothing is known yet.
    #[must_use]
    pub fn beginning(id: CallId, direction: Direction, started_at_ms: UnixMs) -> Self {
        Self {
            id,
            direction,
            device: None,
            claimed_device: None,
            other_device: None,
            contact: None,
            number: None,
            line: None,
            other_end: None,
            ending: None,
            emergency: false,
            state: CallState::Early,
            started_at_ms,
            answered_at_ms: None,
            ended_at_ms: None,
        }
    }
}
