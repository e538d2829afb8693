//! Changes on their way to the disk, and what waits for them.
use core::time::Duration;

use super::{Agenda, KEEP_MAX, SILENCE_MAX};
use crate::exchange::{Answer, Output};
use crate::item::{Id, Item};
use crate::journal::{Change, ITEMS_MAX};
use crate::words;

/// What waits until a change is on disk.
pub(super) struct Waiting {
    token: u64,
    /// It goes on then, whatever the disk does.
    pub(super) until: Duration,
    /// The words are the answer to a sentence.
    answers: bool,
    then: Then,
}

/// What is done once a change is on disk.
pub(super) enum Then {
    /// Say this.
    Say(String),
    /// These stop ringing, then this is said.
    Silence(Vec<Id>, Option<String>),
}

impl Agenda {
    /// Whether there is room for more things.
    pub(super) fn has_room(&self) -> bool {
        self.items.len() < ITEMS_MAX
    }

    pub(super) fn has_room_for(&self, more: usize) -> bool {
        self.items.len() + more <= ITEMS_MAX
    }

    /// A number for a new thing.
    pub(super) fn new_id(&mut self) -> Id {
        self.last_id += 1;
        let id = Id(self.last_id);
        self.fresh.insert(id);
        id
    }

    /// Makes changes, writes them, and goes on once they are on disk.
    pub(super) fn change(&mut self, changes: &[Change], then: Then, now: Duration) {
        for change in changes {
            match change {
                Change::Put(id, item) => drop(self.items.insert(*id, item.clone())),
                Change::Drop(id) => {
                    self.items.remove(id);
                    self.fresh.remove(id);
                }
                Change::Used(_) | Change::Began(_) | Change::Mirrored(_) => {}
            }
        }
        let token = self.append(changes);
        let limit = match then {
            Then::Say(_) => KEEP_MAX,
            Then::Silence(..) => SILENCE_MAX,
        };
        let has_words = !matches!(then, Then::Silence(_, None));
        let answers = has_words && core::mem::take(&mut self.is_asked);
        if answers {
            self.answer = Some(token);
        }
        self.waiting.push_back(Waiting {
            token,
            until: now + limit,
            answers,
            then,
        });
        // The shortest limit first: `poll_timeout` looks at the head.
        self.waiting
            .make_contiguous()
            .sort_by_key(|waiting| waiting.until);
    }

    /// What is said to a sentence: at once, or once the change that it made is on disk.
    pub(super) fn settled(&mut self, answer: Answer) -> Answer {
        self.is_asked = false;
        match (answer, self.answer.take()) {
            (Answer::Silent, Some(token)) => Answer::Later(token),
            (answer, _) => answer,
        }
    }

    /// Puts one thing and says so.
    pub(super) fn put(&mut self, id: Id, item: Item, say: String, now: Duration) {
        self.change(&[Change::Put(id, item)], Then::Say(say), now);
    }

    /// Writes what was changed by the clock; nothing waits for it.
    pub(super) fn keep_again(&mut self, ids: &[Id]) {
        let changes: Vec<Change> = ids
            .iter()
            .filter_map(|id| Some(Change::Put(*id, self.items.get(id)?.clone())))
            .collect();
        if !changes.is_empty() {
            self.append(&changes);
        }
    }

    /// Writes the whole journal anew.
    pub(super) fn replace(&mut self) {
        self.last_token += 1;
        let token = self.last_token;
        let bytes = self.journal.compact(&self.items, self.last_id);
        self.outputs.push_back(Output::Replace { token, bytes });
    }

    pub(super) fn append(&mut self, changes: &[Change]) -> u64 {
        self.last_token += 1;
        let token = self.last_token;
        let bytes = self.journal.append(changes);
        self.outputs.push_back(Output::Append { token, bytes });
        self.outputs.push_back(Output::Changed);
        if self.journal.is_long() {
            self.replace();
        }
        token
    }

    /// Everything up to this token is on disk.
    pub(super) fn kept(&mut self, token: u64) {
        self.kept_token = self.kept_token.max(token);
        let waiting = core::mem::take(&mut self.waiting);
        for one in waiting {
            if one.token > token {
                self.waiting.push_back(one);
                continue;
            }
            match one.then {
                Then::Say(text) => self.tell_kept(one.token, one.answers, text),
                Then::Silence(ids, text) => self.silence(one.token, one.answers, &ids, text),
            }
        }
    }

    /// What has waited too long for the disk goes on.
    pub(super) fn release(&mut self, now: Duration) {
        while let Some(one) = self.waiting.front().filter(|one| one.until <= now) {
            let late = one.until + KEEP_MAX < now;
            let Some(one) = self.waiting.pop_front() else {
                break;
            };
            match one.then {
                // Woken from a sleep of the machine, nobody waits for the answer any more.
                Then::Say(_) if late => {}
                Then::Say(text) => {
                    self.tell_kept(one.token, one.answers, words::not_kept(&text));
                }
                Then::Silence(ids, text) => self.silence(one.token, one.answers, &ids, text),
            }
        }
    }

    fn silence(&mut self, token: u64, answers: bool, ids: &[Id], text: Option<String>) {
        for id in ids {
            self.ringing.remove(id);
        }
        if let Some(text) = text {
            self.tell_kept(token, answers, text);
        }
    }

    fn tell_kept(&mut self, token: u64, answers: bool, text: String) {
        self.outputs.push_back(if answers {
            Output::Answer { token, text }
        } else {
            Output::Say(text)
        });
    }
}
