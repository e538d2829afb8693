//! The seam between an everyday sentence that was understood and what does it: timers, lights, music.
//!
//! ```text
//! ear ─► Recognition ─► Device ─► Skill::take ─► Reply (what is said) ─► loudspeaker
//!                          ▲          │
//!          Event (time, kept bytes,   └─► Deed (ring, keep, say later, read a sentence again) ─► io
//!          who is engaged) ───────────────┘
//! ```
//! A skill is as sans-IO as the device that owns it (`Device::add_skill`): after
//! each call the device drains [`Skill::poll_deed`], and hands in [`Event::Timeout`] at [`Skill::poll_timeout`].
//! Skills are asked in the order in which they were added; the first that does not say [`Reply::Other`] has the sentence.
//! One whose answer lies in another system (lights, music) says [`Reply::Later`], asks by [`Deed::Out`], hears by
//! [`Event::Came`], and answers by [`Deed::Answer`]; its adapter to that system is a pair of channels ([`crate::io::skills`]).
//!
//! **No skill can call anybody.** What reaches one was left by the emergency judge, by calls and by messages; a sentence
//! that a skill gives back ([`Deed::Do`], a delayed command) is read by the same compiled sentences and by nothing else,
//! so no timer, routine or scene comes near a telephone (DESIGN invariant 1).
pub mod absent;
pub mod agenda;
pub mod finding;
pub mod forgetful;
pub mod knowing;
pub mod model;
pub mod readiness;
pub mod routine;
pub mod weather;

use core::time::Duration;

use hearthline_ledger::Body as Entry;
pub use hearthline_skills::happened::{Happened, Own, Range, When};
use hearthline_voice::understand::sentences::{House, Recognition, Timer};
use serde_json::Value;

use crate::messages::{Outcome, Part, Request};
use crate::telephone::Addressee;

/// Something done on the quiet side of the device, from outside or by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// The file of the last run, as it was found; empty when there was none. Comes once, before any sentence.
    Restored(&'a [u8]),
    /// What [`Deed::Keep`] or [`Deed::Append`] gave under this token is on disk, and all that was given before it. A disk
    /// that takes nothing is tried again until it does: then this comes late, or never.
    Kept(u64),
    /// Who else uses the loudspeaker and the microphone from now on.
    Engaged(Engaged),
    /// The wall clock now stands so far from [`Duration::ZERO`] of this run, in milliseconds since 1970-01-01 UTC:
    /// comes before any sentence, and whenever the clock was set.
    Wall {
        /// Wall clock at `now == 0`.
        ms_at_zero: u64,
    },
    /// What this skill's adapter to the outside brings. An answer, a change, or that a system went away: in the words
    /// that the two have agreed on.
    Came(&'a Value),
    /// Something happened that routines may wait for.
    Happened(&'a Happened),
    /// The time of [`Skill::poll_timeout`] has come.
    Timeout,
}

/// Who uses the loudspeaker and the microphone beside a skill, the most important.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Engaged {
    /// Nobody.
    #[default]
    Free,
    /// Somebody said our name, was asked something, or a message plays: a ring waits, or goes on softly.
    Talking,
    /// An ordinary call rings or stands: nothing but a short sound.
    OnCall,
    /// An emergency call: no sound, no word, no light. It is made up for afterwards.
    Emergency,
}

/// Who wants a sentence done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A person, just now, behind the wake word.
    Person,
    /// A skill that gave it back: [`Deed::Do`].
    Later,
}

/// An everyday sentence that was understood.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Intent, slots, which response: as the compiled sentences read it.
    pub meant: &'a Recognition,
    /// The words. Never for a log line.
    pub said: &'a str,
    /// Who wants it.
    pub by: By,
    /// Wall clock, in milliseconds since 1970-01-01 UTC.
    pub wall_ms: u64,
}

/// Who is called how in the home.
#[derive(Clone, Copy)]
pub struct AtHome<'a>(pub &'a dyn Fn(&str) -> Addressee);

impl core::fmt::Debug for AtHome<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("AtHome(…)")
    }
}

/// What the hub of the home says to a skill.
#[derive(Debug, Clone, Copy)]
pub enum FromHub<'a> {
    /// It is there from now on, or is not.
    There(bool),
    /// The answer to [`Deed::Hub`].
    Answer {
        /// Which.
        token: u64,
        /// What it came to.
        outcome: &'a Outcome,
    },
}

/// What a skill says to a sentence.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// It is none of this skill's: the next one is asked.
    Other,
    /// Done, and nothing needs to be said.
    Silent,
    /// Done, or answered, in these words.
    Words(String),
    /// Done: the response that the sentences of the language give for the intent, with what it asks about.
    Response(Box<Facts>),
    /// Understood, not done, and why: a whole sentence.
    Refused(String),
    /// A question back. What is said next, with or without the wake word, comes to [`Skill::answer`].
    Question(String),
    /// Understood, and being done elsewhere: [`Deed::Answer`] with this token follows. The device waits for it as long as
    /// [`LATER_MAX`], then says that nothing answered.
    Later(u64),
}

/// How long a [`Reply::Later`] is waited for. A skill that knows sooner what is wrong says so itself.
pub const LATER_MAX: Duration = Duration::from_secs(4);

/// What the response of an intent may ask about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// Another response of the intent than the one that the sentence asks for, by its key.
    pub key: Option<String>,
    /// Timers, as `{"total_seconds_left", "start_hours", "is_active", "name", …}`.
    pub timers: Vec<Timer>,
    /// Slots beside those of the sentence, or instead of them.
    pub slots: Vec<(String, serde_json::Value)>,
    /// The states that the response is about, as they are now; without it, those of the last [`Deed::House`].
    pub house: Option<Box<House>>,
    /// What is said where the language has no response for the intent.
    pub otherwise: String,
}

/// What a skill wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Say this by itself, not in answer to a sentence: "Your pizza timer is done." Waits while somebody is engaged.
    Say(String),
    /// Sound from now on, until none is given; pauses by itself while an emergency call stands.
    Ring(Option<Ringing>),
    /// Keep these bytes instead of all that was kept before, in one step, then report [`Event::Kept`].
    Keep {
        /// Given back.
        token: u64,
        /// Everything that the next start needs.
        bytes: Vec<u8>,
    },
    /// Write these bytes behind what was kept before and sync, then report [`Event::Kept`]. A power cut in the middle
    /// leaves a part of them.
    Append {
        /// Given back.
        token: u64,
        /// What has changed.
        bytes: Vec<u8>,
    },
    /// Read this sentence as if it were said now, and do it; the words are said before the next deed. Never an emergency,
    /// never a call or message.
    Do(String),
    /// What became of the sentence to which [`Reply::Later`] was said; said at once. Nothing once the wait is over.
    Answer {
        /// The token of the reply.
        token: u64,
        /// What is said now.
        reply: Reply,
    },
    /// Ask the hub of the home; the answer comes to [`Skill::hub`].
    Hub {
        /// Given back.
        token: u64,
        /// What is asked.
        what: Request,
    },
    /// For this skill's adapter to the outside.
    Out(Value),
    /// Play what another system gave, once nobody is engaged, then say so by [`Skill::played`]. It gives way to whoever says
    /// our name, to our own words and to calls.
    Play {
        /// Given back.
        token: u64,
        /// What is played, in order.
        parts: Vec<Part>,
    },
    /// The devices, areas and floors that this skill knows by name have changed: all of them. Names of all skills together
    /// are what the compiled sentences read. States may be old; responses take theirs from [`Facts::house`].
    House(Box<House>),
    /// What this skill holds has changed: tell the hub and the pages. A value that the page shows as it is.
    Show(Value),
    /// An entry of the record.
    Record(Entry),
    /// Something happened that routines may wait for: every skill hears of it.
    Happened(Happened),
    /// Tell whoever watches; without names and numbers.
    Step(String),
}

/// Why it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ringing {
    /// A timer.
    Timer,
    /// An alarm.
    Alarm,
    /// A reminder.
    Reminder,
}

/// One thing that the everyday speaker can do.
pub trait Skill: Send {
    /// Name of the file that it keeps and of its part of the record: lower case, one word.
    fn name(&self) -> &'static str;

    /// Does what a sentence asks for, or says that it is another's.
    fn take(&mut self, asked: &Asked<'_>, now: Duration) -> Reply;

    /// The same on a device that belongs to a home.
    fn take_at_home(&mut self, asked: &Asked<'_>, home: AtHome<'_>, now: Duration) -> Reply {
        let _ = home;
        self.take(asked, now)
    }

    /// Words behind the wake word that no compiled sentence reads, and that speak of no emergency, call or message: a
    /// skill may have sentences of its own ("wake me at seven").
    fn hear(&mut self, said: &str, wall_ms: u64, now: Duration) -> Reply {
        let _ = (said, wall_ms, now);
        Reply::Other
    }

    /// An answer to [`Reply::Question`], or what is said while it rings ("stop", "snooze", "five more minutes"): the bare
    /// words. `Other` when they answer nothing here.
    fn answer(&mut self, said: &str, now: Duration) -> Reply {
        let _ = (said, now);
        Reply::Other
    }

    /// A word or two behind the wake word, while no call stands, no message was told a moment ago and nothing asks or rings:
    /// for one whose sound plays or has paused ("pause", "next", "stop"). `Other` when nothing of its plays, or the words
    /// say more than that.
    fn bare(&mut self, said: &str, now: Duration) -> Reply {
        let _ = (said, now);
        Reply::Other
    }

    /// Whether it takes the sound of sentences that nobody here does: [`Self::overhear`].
    fn wants_sound(&self) -> bool {
        false
    }

    /// The sound of a sentence behind the wake word, 16 kHz, that the emergency judge, calls, messages and every skill have
    /// left: for one that hands it on to another system.
    fn overhear(&mut self, sound: &[i16], now: Duration) -> Reply {
        let _ = (sound, now);
        Reply::Other
    }

    /// What [`Deed::Play`] gave has been played, all of it or not.
    fn played(&mut self, token: u64, whole: bool, now: Duration) {
        let _ = (token, whole, now);
    }

    /// How loud the device is set to be, in per cent, and whether it is muted: told at the start and when that changes. What
    /// an emergency call makes of it is not told.
    fn volume(&mut self, percent: u8, muted: bool, now: Duration) {
        let _ = (percent, muted, now);
    }

    /// The hub of the home says something.
    fn hub(&mut self, said: FromHub<'_>, now: Duration) {
        let _ = (said, now);
    }

    /// Something happened.
    fn handle(&mut self, event: Event<'_>, now: Duration);

    /// The next thing to do; none when there is nothing left.
    fn poll_deed(&mut self) -> Option<Deed>;

    /// When [`Event::Timeout`] is due.
    fn poll_timeout(&self) -> Option<Duration>;

    /// Whether it rings now: then words without the wake word come to [`Self::answer`] first.
    fn is_ringing(&self) -> bool {
        false
    }
}
