//! How a line was in each half hour of the last day: what the strip on the page of lines shows.

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::id::LineId;
use crate::line::{LineHealth, LineTrouble};

/// Length of one, in milliseconds.
pub const HALF_HOUR_MS: i64 = 30 * 60_000;
/// So many are kept and shown: a day, and the one that goes on.
pub const HALF_HOURS_MAX: i64 = 49;

/// One half hour in which somebody looked whether the line works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct HalfHour {
    /// When it began.
    pub began_at_ms: UnixMs,
    /// It was seen to work.
    pub up: bool,
    /// It was seen not to work.
    pub down: bool,
    /// Why not, what was seen last.
    pub trouble: Option<LineTrouble>,
}

/// A line's last day. A half hour that is missing: nobody looked, because the hub did not run, or the line was switched
/// off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineDay {
    /// Which line.
    pub line: LineId,
    /// The oldest first.
    pub half_hours: Vec<HalfHour>,
}

/// The number of the half hour of this moment, counted from 1970.
#[must_use]
pub(crate) fn number_of(at: UnixMs) -> i64 {
    at.0.div_euclid(HALF_HOUR_MS)
}

/// What a look adds: whether it worked, whether it did not. None: it says neither.
#[must_use]
pub(crate) fn seen(health: LineHealth) -> Option<(bool, bool)> {
    match health {
        LineHealth::Unknown => None,
        LineHealth::Up => Some((true, false)),
        LineHealth::Down => Some((false, true)),
    }
}
