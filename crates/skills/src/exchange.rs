//! What goes into the agenda and what comes out.
use core::time::Duration;
use std::collections::BTreeMap;

use crate::item::Words;
use crate::mirror::Copy;

/// A sentence that was understood.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Name of the intent, Home Assistant's or our own.
    pub intent: &'a str,
    /// What it names, as text.
    pub slots: &'a BTreeMap<String, String>,
}

/// What is said to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is nothing of the agenda's.
    Other,
    /// It is being done, and nothing is said to it.
    Silent,
    /// It is being done: the words come as [`Output::Answer`] with this token, once it is on disk.
    Later(u64),
    /// In these words.
    Words(String),
    /// Understood, not done, and why.
    Refused(String),
    /// A question back: what is said next goes to [`Agenda::handle_answer`](crate::agenda::Agenda::handle_answer).
    Question(String),
}

/// Who else uses the loudspeaker and the microphone, the most important.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Engaged {
    /// Nobody.
    #[default]
    Free,
    /// Somebody is being heard or answered: a ring waits.
    Talking,
    /// A call: a short sound now and then.
    OnCall,
    /// An emergency call: nothing at all.
    Emergency,
}

/// Why it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bell {
    /// A reminder.
    Reminder,
    /// A timer.
    Timer,
    /// An alarm.
    Alarm,
}

/// What is noted for the record; never a word of a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// One was set, for so many milliseconds from now.
    Set(Bell, u64),
    /// One rings, so many milliseconds after its time.
    Rings(Bell, u64),
    /// It was stopped by a person.
    Stopped(Bell),
    /// It was put off, for so many milliseconds.
    Snoozed(Bell, u64),
    /// Nobody stopped it; it has rung long enough.
    Unheard(Bell),
    /// It was cancelled or changed before it rang.
    Changed(Bell),
    /// A command that was to be done later is done now, so many milliseconds after its time.
    Done(u64),
    /// A command was not done, because its time was over for so many milliseconds.
    NotDone(u64),
    /// The hub has a reminder to somebody else, so many milliseconds after its time.
    Sent(u64),
    /// So many things came back from the hub, and so many whose time was over.
    TakenBack(usize, usize),
    /// The clock was set by so many milliseconds.
    ClockSet(i64),
    /// Bytes that the journal's end lost, and lines that were damaged.
    Recovered {
        /// Bytes of the torn end; they were never acknowledged.
        torn_bytes: usize,
        /// Lines that the disk damaged.
        damaged: usize,
    },
}

/// What is asked of the hub of the home; each gets one [`HubAnswer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToHub {
    /// What copy of this agenda has it?
    Read,
    /// Keep this copy.
    Keep(Box<Copy>),
    /// Remind somebody.
    Remind(Remind),
}

/// A reminder to somebody of the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remind {
    /// The same again is the same reminder.
    pub name: String,
    /// Who is reminded, as the hub knows them; none: every other speaker of the home.
    pub user: Option<Words>,
    /// Of what.
    pub text: Words,
    /// When it was due, in milliseconds since 1970-01-01 UTC.
    pub due_ms: i64,
}

/// What the hub says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubAnswer {
    /// Done.
    Done,
    /// What it has.
    Copy(Option<Box<Copy>>),
    /// It will not; its status.
    Refused(u16),
    /// It could not be asked; nothing is known.
    Away,
}

/// What the agenda wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Write these bytes behind the journal and sync, then report the token.
    Append {
        /// Given back.
        token: u64,
        /// Whole lines.
        bytes: Vec<u8>,
    },
    /// Replace the journal by these bytes in one step, then report the token.
    Replace {
        /// Given back.
        token: u64,
        /// Whole lines.
        bytes: Vec<u8>,
    },
    /// Say this by itself.
    Say(String),
    /// Say this in answer to the sentence that got [`Answer::Later`].
    Answer {
        /// Which.
        token: u64,
        /// The words.
        text: String,
    },
    /// Sound from now on, until none is given.
    Ring(Option<Bell>),
    /// Do this sentence as if it were said now.
    Do(String),
    /// For the record.
    Note(Note),
    /// Ask the hub of the home, then hand in its answer.
    Hub {
        /// Given back.
        token: u64,
        /// What is asked.
        what: ToHub,
    },
    /// What is kept has changed: pages may ask for it.
    Changed,
    /// Nothing more now; hand in the time at this time.
    Timeout(Option<Duration>),
}
