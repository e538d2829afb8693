//! Messages that sound: played when asked for, announced when they come.
use core::time::Duration;
use std::collections::VecDeque;

use super::exchange::{Envelope, Outcome, Part, Request, TellId};
use super::inbox::Mark;
use super::{Activity, Messages, Purpose, words};

/// An announcement older than this is not played by itself any more: it waits as a message.
const ANNOUNCED_MS_MAX: i64 = 120_000;
/// So long behind a message "next" and "again" are about messages.
const LATELY: Duration = Duration::from_secs(60);
/// Announcements that wait for the room; the others wait as messages.
const DUE_MAX: usize = 8;

/// A message that plays.
pub(super) struct Playing {
    envelope: Envelope,
    /// None while its voice is being fetched.
    tell: Option<TellId>,
    /// What is said before it.
    lead: VecDeque<Part>,
    /// Whether the next of the mailbox follows.
    goes_on: bool,
}

impl Playing {
    pub(super) fn tells(&self, id: TellId) -> bool {
        self.tell == Some(id)
    }
}

impl Messages {
    /// The hub's list of what nobody has heard.
    pub(super) fn arrived(&mut self, unheard: Vec<Envelope>, now: Duration) {
        let (fresh, first) = self.inbox.tell(unheard);
        if fresh.is_empty() {
            return;
        }
        self.step(format!("{} messages came", fresh.len()));
        for envelope in fresh.iter().filter(|fresh| fresh.announcement) {
            if self.is_timely(envelope, now) && self.due.len() < DUE_MAX {
                self.due.push_back(envelope.id.clone());
            }
        }
        let plain = fresh.iter().any(|envelope| !envelope.announcement);
        // Those that wait at the start have come before.
        if plain && !first {
            self.outputs.push_back(super::Output::Arrived);
        }
        let silent = first || self.do_not_disturb || self.engaged || self.emergency;
        if plain && !silent && !self.is_busy() {
            self.tell(vec![Part::Chime]);
        }
    }

    /// The next announcement, when it is not too old by now.
    pub(super) fn announce_due(&mut self, now: Duration) {
        while let Some(id) = self.due.pop_front() {
            let Some(envelope) = self.inbox.get(&id).cloned() else {
                continue;
            };
            if !self.is_timely(&envelope, now) {
                continue;
            }
            let lead = match envelope.reminder_due_ms {
                Some(due_ms) => {
                    let late_ms = self.wall_ms(now).saturating_sub(due_ms);
                    let late_s = u64::try_from(late_ms / 1_000).unwrap_or(0);
                    words::reminder(&envelope.from, late_s)
                }
                None => words::announcement(&envelope.from),
            };
            let lead = vec![Part::Chime, Part::Words(lead)];
            self.step("an announcement is played".into());
            return self.begin(envelope, lead, false);
        }
    }

    /// Whether it is played by itself: a reminder however late it comes, an announcement while it is news.
    fn is_timely(&self, envelope: &Envelope, now: Duration) -> bool {
        let age_ms = self.wall_ms(now).saturating_sub(envelope.sent_at_unix_ms);
        envelope.reminder_due_ms.is_some() || age_ms <= ANNOUNCED_MS_MAX
    }

    /// "Play my messages."
    pub(super) fn play(&mut self, now: Duration) {
        let Some(envelope) = self.inbox.first().cloned() else {
            return self.say(words::NONE);
        };
        let lead = vec![
            Part::Words(words::count(self.inbox.len())),
            self.introduction(&envelope, now),
        ];
        self.begin(envelope, lead, true);
    }

    /// "Next": what was begun counts as heard.
    pub(super) fn play_next(&mut self, now: Duration) {
        if let Some(current) = self.current.take() {
            self.mark(&current, Mark::Read);
        }
        self.go_on(now);
    }

    /// Whether "next", "again" and the like are about a message: one is being told, or was a moment ago.
    #[must_use]
    pub fn told_lately(&self, now: Duration) -> bool {
        let told = self
            .told_at
            .is_some_and(|at| now.saturating_sub(at) < LATELY);
        self.is_busy() || (self.current.is_some() && told)
    }

    /// "Again."
    pub(super) fn play_again(&mut self, now: Duration) {
        let Some(current) = self.current.clone() else {
            return self.say(words::NO_MESSAGE);
        };
        let lead = vec![self.introduction(&current, now)];
        self.begin(current, lead, false);
    }

    /// "Delete it."
    pub(super) fn delete(&mut self) {
        let Some(current) = self.current.take() else {
            return self.say(words::NO_MESSAGE);
        };
        self.mark(&current, Mark::Deleted);
        self.say(words::DELETED);
    }

    /// A message was told to its end.
    pub(super) fn heard(&mut self, now: Duration) {
        let Activity::Playing(playing) = core::mem::replace(&mut self.activity, Activity::Idle)
        else {
            return;
        };
        self.told_at = Some(now);
        self.step("a message was heard".into());
        self.mark(&playing.envelope, Mark::Read);
        if playing.goes_on {
            self.go_on(now);
        }
    }

    /// The voice that was asked for, or why there is none.
    pub(super) fn voice_came(&mut self, outcome: Outcome) {
        let Activity::Playing(playing) = &mut self.activity else {
            return;
        };
        if playing.tell.is_some() {
            return;
        }
        let Outcome::Voice(samples) = outcome else {
            self.activity = Activity::Idle;
            return self.say(words::NOT_FETCHED);
        };
        let mut parts: Vec<Part> = playing.lead.drain(..).collect();
        parts.push(Part::Sound(samples));
        let id = self.tell(parts);
        if let Activity::Playing(playing) = &mut self.activity {
            playing.tell = Some(id);
        }
    }

    /// Tells the hub anew what was heard and deleted while it was away.
    pub(super) fn tell_marks(&mut self) {
        for (message, request) in self.inbox.untold() {
            self.ask(request, Purpose::Mark(message));
        }
    }

    fn go_on(&mut self, now: Duration) {
        match self.inbox.first().cloned() {
            Some(next) => {
                let lead = vec![self.introduction(&next, now)];
                self.begin(next, lead, true);
            }
            None => self.say(words::THAT_WAS_ALL),
        }
    }

    fn begin(&mut self, envelope: Envelope, lead: Vec<Part>, goes_on: bool) {
        self.current = Some(envelope.clone());
        let mut playing = Playing {
            tell: None,
            lead: lead.into(),
            goes_on,
            envelope,
        };
        if playing.envelope.voice {
            let message = playing.envelope.id.clone();
            self.activity = Activity::Playing(playing);
            self.ask(Request::Voice { message }, Purpose::Voice);
            return;
        }
        let text = playing.envelope.text.clone().unwrap_or_default();
        let mut parts: Vec<Part> = playing.lead.drain(..).collect();
        parts.push(Part::Words(text));
        playing.tell = Some(self.tell(parts));
        self.activity = Activity::Playing(playing);
    }

    fn introduction(&self, envelope: &Envelope, now: Duration) -> Part {
        let ago = self.wall_ms(now).saturating_sub(envelope.sent_at_unix_ms) / 1_000;
        let ago = u64::try_from(ago).unwrap_or(0);
        Part::Words(words::from(&envelope.from, ago))
    }

    fn mark(&mut self, envelope: &Envelope, mark: Mark) {
        if let Some(request) = self.inbox.mark(envelope, mark) {
            self.ask(request, Purpose::Mark(envelope.id.clone()));
        }
    }
}
