//! What one can be told of while nobody looks at the app.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind of news.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// A call rings.
    Calls,
    /// A message waits.
    Messages,
    /// A call was not taken.
    MissedCalls,
    /// A line of the home fails, or works again.
    LineHealth,
    /// A call for help was made, or begun: a drill, as everything in this version.
    Incidents,
}

impl Topic {
    /// What a browser is told of that chose nothing.
    #[must_use]
    pub fn of_browsers() -> BTreeSet<Self> {
        BTreeSet::from([Self::Calls, Self::Messages])
    }
}
