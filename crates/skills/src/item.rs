//! What is kept: timers, alarms, reminders, the stopwatch, lists.
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::rule::Rule;

/// Names a thing that is kept; never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(pub u64);

/// Words of a person: kept and spoken, never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(pub String);

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(…)")
    }
}

/// Anything that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A timer.
    Timer(Timer),
    /// An alarm or a reminder.
    Alarm(Alarm),
    /// The stopwatch.
    Stopwatch(Stopwatch),
    /// One line of a list.
    Line(Line),
}

/// A timer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timer {
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Words>,
    /// The room that was named with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Words>,
    /// How long it was set for, in milliseconds: "the five minute timer".
    pub length_ms: u64,
    /// How it stands.
    pub state: TimerState,
    /// A sentence that is done when it ends, in place of ringing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Words>,
}

/// How a timer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerState {
    /// It runs.
    Running {
        /// Until then, by the wall clock, in milliseconds since 1970-01-01 UTC.
        due_ms: i64,
    },
    /// It stands still.
    Paused {
        /// What was left, in milliseconds.
        left_ms: u64,
    },
}

/// An alarm or a reminder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// When it rings.
    pub rule: Rule,
    /// The next time that the rule gives, in milliseconds since 1970-01-01 UTC. Kept, so that one that was missed is known.
    pub due_ms: i64,
    /// It rang and was put off until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_ms: Option<i64>,
    /// The last of its times at which it rang.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rung_ms: Option<i64>,
    /// What it rings for.
    pub about: About,
}

impl Alarm {
    /// When it rings next, in milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn rings_ms(&self) -> i64 {
        self.snoozed_ms.unwrap_or(self.due_ms)
    }

    /// The same, having rung here: the rest of the home is still to hear of it.
    #[must_use]
    pub(crate) fn for_the_others(&self) -> Self {
        self.with_everyone(Everyone::Others)
    }

    /// The same for its next time: where it is for every room, for this one again.
    #[must_use]
    pub(crate) fn for_all(&self) -> Self {
        self.with_everyone(Everyone::All)
    }

    fn with_everyone(&self, how: Everyone) -> Self {
        let mut alarm = self.clone();
        if let About::Reminder {
            everyone: Some(everyone),
            ..
        } = &mut alarm.about
        {
            *everyone = how;
        }
        alarm
    }

    /// Whether it is a reminder.
    #[must_use]
    pub fn is_reminder(&self) -> bool {
        matches!(self.about, About::Reminder { .. })
    }
}

/// What an alarm rings for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// To wake somebody.
    Waking,
    /// To remind somebody.
    Reminder {
        /// Of what.
        text: Words,
        /// A person or room; none: whoever hears it here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Words>,
        /// Who that is for the hub of the home, which takes it there; none: it rings here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Words>,
        /// It is for every room of the home, this one too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        everyone: Option<Everyone>,
    },
}

/// How far a reminder to every room is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Everyone {
    /// It rings here, and the hub of the home takes it to the others.
    All,
    /// It has rung here; the others still are to hear of it.
    Others,
}

/// The stopwatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stopwatch {
    /// What it counted before it was last started, in milliseconds.
    pub counted_ms: u64,
    /// It runs since then, by the wall clock.
    pub since_ms: Option<i64>,
    /// Laps so far.
    pub laps: u32,
    /// What it showed at the last lap, in milliseconds.
    pub lap_ms: u64,
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which list: "shopping".
    pub list: Words,
    /// What stands on it.
    pub text: Words,
    /// Done.
    #[serde(default)]
    pub done: bool,
}
