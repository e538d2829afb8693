//! Timers, alarms, reminders, stopwatch and lists of one speaker.
//!
//! ```text
//! ask ─► change ─► Append ─► disk ─► handle_kept ─► Answer "Timer set"
//! time ─► due? ─► Ring, Say ─► "stop" ─► Append ─► disk ─► silence
//! ```
//! **Nothing is said to be set before it is on disk, and nothing falls silent before that is.** So a power cut at any
//! moment loses nothing that was promised, and nothing that was stopped rings again. A disk that takes nothing does not
//! hold up a person: after [`KEEP_MAX`] it is said that it could not be kept, after [`SILENCE_MAX`] it is silent anyway.
//!
//! Timers count elapsed time: setting the clock moves their end by the wall clock, not their length. Alarms are of the
//! clock on the wall: each date rings once, whatever clocks do.
mod alarming;
mod answering;
mod keeping;
mod listing;
mod mirroring;
mod reminding;
mod ringing;
mod stopping;
mod timing;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::exchange::{Answer, Ask, Bell, Engaged, Note, Output};
use crate::item::{Alarm, Id, Item, Timer, TimerState};
use crate::journal::{self, Journal};
use crate::rule::Rule;
use crate::zone::Zone;
pub use alarming::ALARMS_MAX;
use answering::Pending;
use keeping::Waiting;
pub use listing::{LINES_MAX, SHOPPING};
use mirroring::Mirror;
use reminding::Delivery;
use ringing::Ringing;
pub use ringing::{COMMAND_LATE_MS_MAX, REMINDER_MAX, RING_MAX};
pub use stopping::SNOOZE_MS;
pub use timing::{TEXT_CHARS_MAX, TIMERS_MAX};

/// How long "set" waits for the disk.
pub const KEEP_MAX: Duration = Duration::from_secs(2);
/// How long silence waits for the disk.
pub const SILENCE_MAX: Duration = Duration::from_millis(150);
/// A clock that moves less than this is not written down again, in milliseconds.
const STEP_MS_MIN: u64 = 500;

/// The agenda.
pub struct Agenda {
    zone: Zone,
    /// Wall clock at `now == 0`, in milliseconds since 1970-01-01 UTC.
    ms_at_zero: i64,
    /// How far what is on disk is behind the clock's steps, in milliseconds.
    unkept_step_ms: i64,
    items: BTreeMap<Id, Item>,
    /// Set in this run, by this clock.
    fresh: BTreeSet<Id>,
    last_id: u64,
    journal: Journal,
    /// The name of a journal that begins here.
    fresh_journal: u64,
    last_token: u64,
    /// The last that is on disk.
    kept_token: u64,
    /// The copy at the hub, and reminders on their way to others.
    mirror: Mirror,
    deliveries: BTreeMap<Id, Delivery>,
    last_hub_token: u64,
    waiting: VecDeque<Waiting>,
    ringing: BTreeMap<Id, Ringing>,
    engaged: Engaged,
    engaged_since: Duration,
    /// Which turn of the short sounds in a call it is, and whether one sounds.
    shown_on_call: (u32, bool),
    sounds: Option<Bell>,
    pending: Option<Pending>,
    /// The home knows nobody whom the reminder that is being set is for.
    unknown_to: bool,
    /// A sentence is being done that has no answer yet.
    is_asked: bool,
    /// Which change the answer to it waits for.
    answer: Option<u64>,
    outputs: VecDeque<Output>,
}

/// A timer as pages and answers show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown<'a> {
    /// Names it.
    pub id: Id,
    /// The timer.
    pub timer: &'a Timer,
    /// What is left, in milliseconds.
    pub left_ms: u64,
}

impl Agenda {
    /// An empty one. Hand in what the disk has with [`Agenda::handle_restored`] before anything else.
    #[must_use]
    pub fn new(zone: Zone, ms_at_zero: u64) -> Self {
        Self {
            zone,
            ms_at_zero: signed(ms_at_zero),
            unkept_step_ms: 0,
            items: BTreeMap::new(),
            fresh: BTreeSet::new(),
            last_id: 0,
            journal: Journal::default(),
            fresh_journal: 0,
            last_token: 0,
            kept_token: 0,
            mirror: Mirror::default(),
            deliveries: BTreeMap::new(),
            last_hub_token: 0,
            waiting: VecDeque::new(),
            ringing: BTreeMap::new(),
            engaged: Engaged::Free,
            engaged_since: Duration::ZERO,
            shown_on_call: (0, false),
            sounds: None,
            pending: None,
            unknown_to: false,
            is_asked: false,
            answer: None,
            outputs: VecDeque::new(),
        }
    }

    /// The journal of the last run, as it was found. What became due meanwhile rings.
    pub fn handle_restored(&mut self, bytes: &[u8], now: Duration) {
        let found = journal::recover(bytes);
        if found.torn_bytes > 0 || found.damaged > 0 {
            self.note(Note::Recovered {
                torn_bytes: found.torn_bytes,
                damaged: found.damaged,
            });
        }
        self.journal = Journal::behind(&found);
        self.last_id = found.last_id;
        self.items = found.items;
        let unnamed = self.journal.name() == 0 && self.fresh_journal != 0;
        if unnamed {
            self.journal.set_name(self.fresh_journal);
        }
        self.begin_life(found.seq);
        // Behind a torn end nothing can be appended.
        if !bytes.is_empty() || unnamed {
            self.replace();
        }
        self.outputs.push_back(Output::Changed);
        self.run(now);
    }

    /// The bytes given out under this token are on disk, and all before it.
    pub fn handle_kept(&mut self, token: u64, now: Duration) {
        self.kept(token);
        self.run(now);
    }

    /// The wall clock at `now == 0`, in milliseconds since 1970-01-01 UTC: it was set, or drifts.
    pub fn handle_wall(&mut self, ms_at_zero: u64, now: Duration) {
        let step_ms = signed(ms_at_zero) - self.ms_at_zero;
        if step_ms != 0 {
            self.ms_at_zero += step_ms;
            self.step(step_ms, now);
        }
        self.run(now);
    }

    /// The speaker stands in this time zone from now on.
    pub fn handle_zone(&mut self, zone: Zone, now: Duration) {
        self.zone = zone;
        self.set_alarms_anew(now, |_| true);
        self.run(now);
    }

    /// Who uses loudspeaker and microphone from now on.
    pub fn handle_engaged(&mut self, engaged: Engaged, now: Duration) {
        if engaged != self.engaged {
            self.not_heard(now);
            self.engaged = engaged;
            self.engaged_since = now;
            if engaged == Engaged::Free {
                self.tell_again(now);
            }
        }
        self.run(now);
    }

    /// Does what a sentence asks for.
    pub fn handle_ask(&mut self, ask: &Ask<'_>, now: Duration) -> Answer {
        self.pending = None;
        self.unknown_to = false;
        self.is_asked = true;
        let answer = match self.asked_timer(ask, now) {
            Answer::Other => match self.asked_alarm(ask, now) {
                Answer::Other => match self.asked_stopwatch(ask, now) {
                    Answer::Other => self.asked_list(ask, now),
                    answer => answer,
                },
                answer => answer,
            },
            answer => answer,
        };
        let answer = self.settled(answer);
        self.run(now);
        answer
    }

    /// The answer to a question, or what is said while it rings.
    pub fn handle_answer(&mut self, said: &str, now: Duration) -> Answer {
        self.is_asked = true;
        let answer = self.answered(said, now);
        let answer = self.settled(answer);
        self.run(now);
        answer
    }

    /// The time of [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.run(now);
    }

    /// What to do next.
    #[must_use = "a dropped output is a lost alarm"]
    pub fn poll_output(&mut self) -> Output {
        self.outputs
            .pop_front()
            .unwrap_or_else(|| Output::Timeout(self.poll_timeout()))
    }

    /// When [`Agenda::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let items = self
            .items
            .iter()
            .filter(|(id, _)| !self.is_begun(**id))
            .filter_map(|(_, item)| self.due(item));
        let waiting = self.waiting.front().map(|waiting| waiting.until);
        items
            .chain(waiting)
            .chain(self.next_of_ringing())
            .chain(self.next_delivery())
            .chain(self.mirror.poll_timeout())
            .chain(self.pending.as_ref().map(|pending| pending.until))
            .min()
    }

    /// Whether anything rings.
    #[must_use]
    pub fn is_ringing(&self) -> bool {
        self.ringing.values().any(|ringing| !ringing.closing)
    }

    /// Everything that is kept.
    #[must_use]
    pub fn items(&self) -> &BTreeMap<Id, Item> {
        &self.items
    }

    /// The timers, the first to end first.
    #[must_use]
    pub fn timers(&self, now: Duration) -> Vec<Shown<'_>> {
        let wall = self.wall_ms(now);
        let mut all: Vec<Shown<'_>> = self
            .items
            .iter()
            .filter_map(|(id, item)| match item {
                Item::Timer(timer) => Some(Shown {
                    id: *id,
                    timer,
                    left_ms: left_ms(timer, wall),
                }),
                _ => None,
            })
            .collect();
        all.sort_by_key(|shown| shown.left_ms);
        all
    }

    /// Wall clock, in milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn wall_ms(&self, now: Duration) -> i64 {
        self.ms_at_zero.saturating_add(millis(now))
    }

    /// When a thing rings next, by the clock of this run.
    fn due(&self, item: &Item) -> Option<Duration> {
        let at_ms = match item {
            Item::Timer(Timer {
                state: TimerState::Running { due_ms },
                ..
            }) => *due_ms,
            Item::Alarm(alarm) => alarm.rings_ms(),
            _ => return None,
        };
        let ms = at_ms.saturating_sub(self.ms_at_zero);
        Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
    }

    /// Lets everything go on that time allows.
    fn run(&mut self, now: Duration) {
        self.release(now);
        if self
            .pending
            .as_ref()
            .is_some_and(|pending| pending.until <= now)
        {
            self.pending = None;
        }
        let due: Vec<Id> = self
            .items
            .iter()
            .filter(|(id, _)| !self.is_begun(**id))
            .filter(|(_, item)| self.due(item).is_some_and(|due| due <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.begin(id, now);
        }
        self.deliver_on(now);
        self.ring_on(now);
        self.mirror_on(now);
    }

    /// Whether it rings, or is on its way to somebody else.
    fn is_begun(&self, id: Id) -> bool {
        self.ringing.contains_key(&id) || self.deliveries.contains_key(&id)
    }

    /// The clock on the wall was moved: what counts elapsed time keeps its length.
    fn step(&mut self, step_ms: i64, now: Duration) {
        self.unkept_step_ms += step_ms;
        let is_step = self.unkept_step_ms.unsigned_abs() >= STEP_MS_MIN;
        let mut moved = Vec::new();
        for (id, item) in &mut self.items {
            // What was kept by a clock of an earlier run was right; a box without a clock starts in the past, and is
            // set forward later.
            if !self.fresh.contains(id) && step_ms > 0 {
                continue;
            }
            match item {
                Item::Timer(Timer {
                    state: TimerState::Running { due_ms },
                    ..
                }) => *due_ms += step_ms,
                Item::Alarm(Alarm {
                    rule: Rule::At(at_ms),
                    due_ms,
                    snoozed_ms,
                    ..
                }) => {
                    *at_ms += step_ms;
                    *due_ms += step_ms;
                    if let Some(snoozed) = snoozed_ms {
                        *snoozed += step_ms;
                    }
                }
                Item::Alarm(Alarm {
                    snoozed_ms: Some(snoozed),
                    ..
                }) => *snoozed += step_ms,
                Item::Stopwatch(watch) => {
                    if let Some(since) = &mut watch.since_ms {
                        *since += step_ms;
                    }
                }
                _ => continue,
            }
            moved.push(*id);
        }
        if is_step {
            self.unkept_step_ms = 0;
            self.fresh = self.items.keys().copied().collect();
            self.note(Note::ClockSet(step_ms));
            self.keep_again(&moved);
        }
        if step_ms < 0 {
            self.set_alarms_anew(now, Rule::repeats);
        }
    }

    /// Finds the next time of alarms anew, behind the one that rang last.
    fn set_alarms_anew(&mut self, now: Duration, which: impl Fn(&Rule) -> bool) {
        let wall = self.wall_ms(now);
        let mut moved = Vec::new();
        for (id, item) in &mut self.items {
            let Item::Alarm(alarm) = item else { continue };
            if !which(&alarm.rule) || self.ringing.contains_key(id) {
                continue;
            }
            let after = alarm.rung_ms.unwrap_or(i64::MIN).max(wall);
            // One that is over by the new reckoning rings at once.
            let due_ms = alarm.rule.next(&self.zone, after).unwrap_or(wall);
            if due_ms != alarm.due_ms {
                alarm.due_ms = due_ms;
                moved.push(*id);
            }
        }
        self.keep_again(&moved);
    }

    fn note(&mut self, note: Note) {
        self.outputs.push_back(Output::Note(note));
    }
}

/// What is left of a timer, in milliseconds.
fn left_ms(timer: &Timer, wall_ms: i64) -> u64 {
    match timer.state {
        TimerState::Running { due_ms } => {
            u64::try_from(due_ms.saturating_sub(wall_ms)).unwrap_or(0)
        }
        TimerState::Paused { left_ms } => left_ms,
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn signed(ms: u64) -> i64 {
    // Far from the ends, so that sums stay sums: the year 142,000.
    i64::try_from(ms)
        .unwrap_or(i64::MAX)
        .min(i64::MAX / 2_000_000)
}
