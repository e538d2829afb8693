//! Lights that a routine wants switched. The hub knows no lights; a speaker does, and switches them as if it were told so.
//!
//! ```text
//! routine ─► order ─ event ─► its speaker: skill of the house ─► done, or why not ─► shown to adults
//! ```
//! An order is a value of few kinds: it has no words that anybody reads as a sentence, no number and no address, so none
//! can start a call (DESIGN invariant 1).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::id::{DeviceId, LightOrderId};
use crate::text::Name;

/// How long an order counts, in milliseconds: lights that go on by themselves half an hour late help nobody.
pub const COUNTS_MS: i64 = 30_000;
/// Most orders of one speaker that wait.
pub const WAITING_MAX: u32 = 32;
/// Most orders of a home that are remembered.
pub const REMEMBERED_MAX: u32 = 200;
/// Longest reason of a speaker, in bytes.
pub const WHY_BYTES_MAX: usize = 1_000;

/// What lights shall be. Each twice is the same as once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LightSet {
    /// Lit.
    On,
    /// Dark.
    Off,
    /// So bright, in per cent.
    Brightness(Percent),
    /// Of this colour, by a name that the speaker knows, such as "blue".
    Colour(Name),
}

/// 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "u8", into = "u8")]
#[schema(value_type = i32, minimum = 0, maximum = 100)]
pub struct Percent(u8);

/// Not a percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a brightness is 0 to 100 per cent")]
pub struct PercentError;

impl TryFrom<u8> for Percent {
    type Error = PercentError;
    fn try_from(percent: u8) -> Result<Self, PercentError> {
        if percent <= 100 {
            Ok(Self(percent))
        } else {
            Err(PercentError)
        }
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

/// Which lights, and what they shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LightOrder {
    /// A light by its name at the speaker; none: all of the room.
    #[serde(default)]
    pub light: Option<Name>,
    /// In which room; none: where the speaker stands.
    #[serde(default)]
    pub room: Option<Name>,
    /// What they shall be.
    pub set: LightSet,
}

/// An order that waits for its speaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WaitingLightOrder {
    /// Id.
    pub id: LightOrderId,
    /// What is wanted.
    pub order: LightOrder,
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LightOrderState {
    /// The speaker has not answered yet.
    Waiting,
    /// Done.
    Done,
    /// The speaker did not do it, and said why.
    Refused,
    /// The speaker never answered: it was away.
    Missed,
}

/// An order, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LightOrderShown {
    /// Id.
    pub id: LightOrderId,
    /// The speaker.
    pub device: DeviceId,
    /// What was wanted.
    pub order: LightOrder,
    /// When.
    pub at_ms: UnixMs,
    /// What became of it.
    pub state: LightOrderState,
    /// Why it was not done, in the speaker's words.
    pub why: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_four_kinds_and_nothing_beside() {
        let read = |text: &str| serde_json::from_str::<LightOrder>(text);
        for good in [
            r#"{"light": "Desk", "set": "on"}"#,
            r#"{"room": "Hall", "set": "off"}"#,
            r#"{"set": {"brightness": 100}}"#,
            r#"{"set": {"colour": "blue"}}"#,
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            (r#"{"set": {"brightness": 101}}"#, "0 to 100"),
            (r#"{"set": {"brightness": 300}}"#, "u8"),
            (r#"{"set": "toggle"}"#, "unknown variant"),
            (r#"{"set": {"call": "911"}}"#, "unknown variant"),
            (r#"{"set": "on", "say": "call 911"}"#, "unknown field"),
            (r#"{"light": "a\nb", "set": "on"}"#, "control character"),
            (r#"{"light": "Desk"}"#, "missing field"),
        ] {
            assert!(read(bad).unwrap_err().to_string().contains(why), "{bad}");
        }
    }
}
