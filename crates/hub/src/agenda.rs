//! The copy of what a speaker keeps for later. The speaker has the truth; the copy is shown, and given back to a speaker
//! whose own storage was lost.
//!
//! ```text
//! speaker ─ journal, revision, items ─► copy        a journal's copy never goes back
//! speaker with a new journal ─ asks ─► copy ─ takes it over, then replaces it by name
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::id::DeviceId;

/// Most things in one copy.
pub const ITEMS_MAX: usize = 5_000;
/// Largest copy, in bytes of its JSON.
pub const AGENDA_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest of the speaker's own form of one thing, in bytes.
pub const ITEM_BYTES_MAX: usize = 16 * 1024;
/// Longest text that is shown of one, in bytes.
pub const LABEL_BYTES_MAX: usize = 1_000;

/// Names a speaker's file, for as long as it has that file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 32)]
pub struct Journal(String);

/// Not a journal's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a journal's name is 1 to 32 lower-case letters and digits")]
pub struct JournalError;

impl Journal {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Journal {
    type Error = JournalError;
    fn try_from(text: String) -> Result<Self, JournalError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(JournalError)
        }
    }
}

impl From<Journal> for String {
    fn from(journal: Journal) -> String {
        journal.0
    }
}

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A timer.
    Timer,
    /// An alarm.
    Alarm,
    /// A reminder.
    Reminder,
    /// The stopwatch.
    Stopwatch,
    /// One line of a list.
    Line,
}

impl ItemKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Timer => "timer",
            Self::Alarm => "alarm",
            Self::Reminder => "reminder",
            Self::Stopwatch => "stopwatch",
            Self::Line => "line",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [
            Self::Timer,
            Self::Alarm,
            Self::Reminder,
            Self::Stopwatch,
            Self::Line,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
    }
}

/// What is shown of a thing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemShown {
    /// Its number at its speaker.
    #[schema(minimum = 0)]
    pub id: i64,
    /// What it is.
    pub kind: ItemKind,
    /// Its name or text.
    #[serde(default)]
    pub label: Option<String>,
    /// For whom a reminder is; of which list a line is.
    #[serde(default)]
    pub whom: Option<String>,
    /// When it rings next, by the speaker's clock.
    #[serde(default)]
    pub due_ms: Option<UnixMs>,
    /// What is left of a timer that stands still.
    #[serde(default)]
    pub left_ms: Option<i64>,
    /// Whether it comes again and again.
    #[serde(default)]
    pub repeats: bool,
}

impl fmt::Debug for ItemShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemShown({:?} {})", self.kind, self.id)
    }
}

/// A thing with the speaker's own form of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemCopy {
    /// What is shown of it.
    pub shown: ItemShown,
    /// As the speaker keeps it; handed back as it came.
    #[schema(value_type = Object)]
    pub item: serde_json::Value,
}

impl fmt::Debug for ItemCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fmt(f)
    }
}

/// The copy, as a speaker hands it in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCopy {
    /// The speaker's file.
    pub journal: Journal,
    /// Counts its changes: the copy of one file never goes back.
    #[schema(minimum = 0)]
    pub revision: i64,
    /// The copy that this one replaces, when it is of another file: the speaker has seen it.
    #[serde(default)]
    pub instead_of: Option<Journal>,
    /// What the speaker's clock shows now.
    pub clock_ms: UnixMs,
    /// Everything that it keeps.
    pub items: Vec<ItemCopy>,
}

impl NewCopy {
    /// What makes it too large.
    ///
    /// # Errors
    /// In words.
    pub fn check(&self) -> Result<(), String> {
        if self.items.len() > ITEMS_MAX {
            return Err(format!("at most {ITEMS_MAX} things"));
        }
        let long = |text: &Option<String>| {
            text.as_ref()
                .is_some_and(|text| text.len() > LABEL_BYTES_MAX || text.contains('\0'))
        };
        for ItemCopy { shown, item } in &self.items {
            if long(&shown.label) || long(&shown.whom) {
                return Err(format!("a text of more than {LABEL_BYTES_MAX} bytes"));
            }
            if item.to_string().len() > ITEM_BYTES_MAX {
                return Err(format!("a thing of more than {ITEM_BYTES_MAX} bytes"));
            }
        }
        Ok(())
    }
}

/// The copy, as a speaker gets it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Copy {
    /// Of which file.
    pub journal: Journal,
    /// As of which change of it.
    pub revision: i64,
    /// Whether it is of a revoked speaker of the same name, and not of this one: replaced, it is gone there.
    pub handed_over: bool,
    /// Everything in it.
    pub items: Vec<ItemCopy>,
}

/// The copy, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Agenda {
    /// Whose.
    pub device: DeviceId,
    /// So far the speaker's clock was ahead of the hub's, in milliseconds: what is left of a timer is its `due_ms` less
    /// the present time less this.
    pub clock_ahead_ms: i64,
    /// When the copy was made.
    pub kept_at_ms: UnixMs,
    /// Everything in it.
    pub items: Vec<ItemShown>,
}
