//! The copy of an agenda that the hub of the home keeps, as it goes there and comes back.
use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::item::{About, Alarm, Item, TimerState};
use crate::journal::ITEMS_MAX;

/// Everything that an agenda keeps, as of one change of its journal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// Which journal.
    pub journal: String,
    /// As of which of its changes.
    pub revision: u64,
    /// The copy at the hub that this one replaces, when it is of another journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<String>,
    /// What the clock here shows, in milliseconds since 1970-01-01 UTC. Missing where the copy comes back.
    #[serde(default)]
    pub clock_ms: i64,
    /// Everything.
    pub items: Vec<CopiedItem>,
}

impl fmt::Debug for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Copy({} #{}, {} things)",
            self.journal,
            self.revision,
            self.items.len()
        )
    }
}

/// One thing: what the hub shows of it, and the thing itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedItem {
    /// What is shown of it.
    pub shown: Shown,
    /// As the journal has it.
    pub item: Value,
}

impl fmt::Debug for CopiedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CopiedItem({})", self.shown.id)
    }
}

/// What the hub shows of a thing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Its number here.
    pub id: u64,
    /// `timer`, `alarm`, `reminder`, `stopwatch` or `line`.
    pub kind: String,
    /// Its name or text.
    pub label: Option<String>,
    /// For whom a reminder is; of which list a line is.
    pub whom: Option<String>,
    /// When it rings next, in milliseconds since 1970-01-01 UTC.
    pub due_ms: Option<i64>,
    /// What is left of a timer that stands still, in milliseconds.
    pub left_ms: Option<i64>,
    /// Whether it comes again and again.
    pub repeats: bool,
}

impl CopiedItem {
    /// A thing under its number; none when it cannot be written down.
    #[must_use]
    pub fn of(id: u64, item: &Item) -> Option<Self> {
        let mut shown = Shown {
            id,
            kind: String::new(),
            label: None,
            whom: None,
            due_ms: None,
            left_ms: None,
            repeats: false,
        };
        match item {
            Item::Timer(timer) => {
                shown.kind = "timer".into();
                let named = timer.name.as_ref().or(timer.command.as_ref());
                shown.label = named.map(|name| name.0.clone());
                match timer.state {
                    TimerState::Running { due_ms } => shown.due_ms = Some(due_ms),
                    TimerState::Paused { left_ms } => shown.left_ms = i64::try_from(left_ms).ok(),
                }
            }
            Item::Alarm(alarm) => show_alarm(alarm, &mut shown),
            Item::Stopwatch(_) => shown.kind = "stopwatch".into(),
            Item::Line(line) => {
                shown.kind = "line".into();
                shown.label = Some(line.text.0.clone());
                shown.whom = Some(line.list.0.clone());
            }
        }
        let item = serde_json::to_value(item).ok()?;
        Some(Self { shown, item })
    }
}

fn show_alarm(alarm: &Alarm, shown: &mut Shown) {
    shown.due_ms = Some(alarm.rings_ms());
    shown.repeats = alarm.rule.repeats();
    match &alarm.about {
        About::Waking => shown.kind = "alarm".into(),
        About::Reminder { text, to, .. } => {
            shown.kind = "reminder".into();
            shown.label = Some(text.0.clone());
            shown.whom = to.as_ref().map(|to| to.0.clone());
        }
    }
}

/// What the hub says it has: `{"copy": {…}}`, or null in its place. `None` when it is nothing of that kind.
#[must_use]
pub fn read(said: &Value) -> Option<Option<Copy>> {
    let copy = said.get("copy")?;
    if copy.is_null() {
        return Some(None);
    }
    let mut copy: Copy = serde_json::from_value(copy.clone()).ok()?;
    copy.items.truncate(ITEMS_MAX);
    // A number at the very end of its range would leave none for what comes.
    (copy.revision < u64::MAX / 4).then_some(Some(copy))
}
