//! Lines to the outside telephone network, in the order in which they are tried.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::id::LineId;
use crate::number::Number;
use crate::text::Name;

/// Most lines of a household.
pub const LINES_MAX: usize = 16;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// A SIP provider.
    SipTrunk,
    /// A landline behind an adapter (ATA, FXO gateway).
    Landline,
    /// A mobile modem.
    Modem,
}

impl LineKind {
    pub(crate) const ALL: [LineKind; 3] = [Self::SipTrunk, Self::Landline, Self::Modem];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::SipTrunk => "sip_trunk",
            Self::Landline => "landline",
            Self::Modem => "modem",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Whether a line works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineHealth {
    /// Nobody has tried yet.
    #[default]
    Unknown,
    /// The last try succeeded.
    Up,
    /// The last try failed.
    Down,
}

impl LineHealth {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Unknown, Self::Up, Self::Down]
            .into_iter()
            .find(|health| health.as_str() == text)
    }
}

/// What may be set about a line. Its secrets are given by file, never here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineFields {
    /// What people call it.
    pub name: Name,
    /// What it is.
    pub kind: LineKind,
    /// Its place in the order, from 0.
    #[schema(maximum = 255)]
    pub position: u8,
    /// The number that calls over it show.
    #[serde(default)]
    pub caller_number: Option<Number>,
    /// Where its incoming calls go when nobody answers; never an emergency number.
    #[serde(default)]
    pub forward_to: Option<Number>,
    /// Whether it is used.
    pub enabled: bool,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Line {
    /// Id.
    pub id: LineId,
    /// What may be set.
    #[serde(flatten)]
    pub fields: LineFields,
    /// Whether it works.
    pub health: LineHealth,
    /// Since when it has been so.
    pub health_since_ms: Option<UnixMs>,
}
