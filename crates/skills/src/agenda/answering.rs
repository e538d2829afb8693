//! Answers to questions of ours, and what is said without the wake word while it rings.
use core::time::Duration;

use super::Agenda;
use super::timing::{Deed, plain};
use crate::exchange::Answer;
use crate::item::{About, Id, Item, Timer};
use crate::spoken::{length, number, token};
use crate::words;

/// How long a question is open.
const QUESTION_MAX: Duration = Duration::from_secs(20);
/// Longest answer that is looked at, in words: what is longer is talk.
const ANSWER_WORDS_MAX: usize = 8;

/// A question that is open.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    wanted: Wanted,
    among: Vec<Id>,
    pub(super) until: Duration,
}

/// What is done once it is answered.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// This, to one of several timers.
    Timer(Deed),
    /// The length of a timer that has all but that.
    Length(Box<Timer>),
    /// The time of an alarm or a reminder.
    Time(About),
}

impl Pending {
    pub(super) fn new(wanted: Wanted, among: Vec<Id>, now: Duration) -> Self {
        let until = now + QUESTION_MAX;
        Self {
            wanted,
            among,
            until,
        }
    }
}

impl Agenda {
    pub(super) fn answered(&mut self, said: &str, now: Duration) -> Answer {
        let said = said.trim();
        if said.split_whitespace().count() > ANSWER_WORDS_MAX {
            return Answer::Other;
        }
        if let Some(pending) = self.pending.take_if(|pending| now < pending.until) {
            let answer = self.chosen(&pending, said, now);
            if answer == Answer::Other {
                self.pending = Some(pending);
            } else {
                return answer;
            }
        }
        if self.is_ringing() {
            self.said_while_ringing(said, now)
        } else {
            Answer::Other
        }
    }

    /// "The pasta one", "the second", "ten minutes", "all of them", "none".
    fn chosen(&mut self, pending: &Pending, said: &str, now: Duration) -> Answer {
        let text = plain(said);
        let never_mind = [
            "none",
            "neither",
            "no",
            "cancel",
            "never mind",
            "nevermind",
            "nothing",
        ];
        if never_mind.contains(&text.as_str()) {
            return Answer::Words(words::LEFT_AS_IT_IS.into());
        }
        let deed = match &pending.wanted {
            Wanted::Timer(deed) => *deed,
            Wanted::Length(timer) => {
                let said = text.strip_prefix("for ").unwrap_or(&text);
                return match length::read(said) {
                    Some(length_ms) => self.start_for(length_ms, (**timer).clone(), now),
                    None => Answer::Other,
                };
            }
            Wanted::Time(about) => return self.set_at(said, about.clone(), now),
        };
        match text.as_str() {
            "all" | "both" | "all of them" | "both of them" if deed == Deed::Cancel => {
                let say = words::timers_cancelled(pending.among.len());
                self.end(&pending.among, Some(say), now);
                return Answer::Silent;
            }
            _ => {}
        }
        let timer = |id: &Id| match self.items.get(id) {
            Some(Item::Timer(timer)) => Some(timer),
            _ => None,
        };
        let tokens = token::tokens(&text).unwrap_or_default();
        let lengths = length::head(&tokens).map(|(ms, _)| ms);
        let place = number::ordinal(&tokens).map(|(place, _)| place as usize);
        let by_name = |id: &&Id| {
            timer(id)
                .and_then(|timer| timer.name.as_ref())
                .is_some_and(|name| {
                    let name = plain(&name.0);
                    text.split(' ').any(|word| word == name)
                        || text.starts_with(&format!("{name} "))
                })
        };
        let by_length = |id: &&Id| timer(id).is_some_and(|timer| Some(timer.length_ms) == lengths);
        let mut among = pending.among.clone();
        among.sort();
        let found = among
            .iter()
            .find(by_name)
            .or_else(|| among.iter().find(by_length))
            .or_else(|| among.get(place?.checked_sub(1)?))
            .copied();
        match found {
            Some(id) => self.do_to(id, deed, now),
            None => Answer::Other,
        }
    }

    fn said_while_ringing(&mut self, said: &str, now: Duration) -> Answer {
        let text = plain(said);
        let rest = match text.as_str() {
            "stop" | "stop it" | "stop ringing" | "stop that" | "be quiet" | "quiet"
            | "silence" | "shut up" | "enough" | "that's enough" | "okay" | "ok" | "okay stop"
            | "thanks" | "thank you" | "turn it off" | "turn that off" | "turn off" | "off"
            | "dismiss" | "cancel" | "cancel it" | "done" | "i'm up" | "i'm awake"
            | "stop alarm" | "turn off alarm" | "stop stop" | "please stop" | "stop please" => {
                return self.stop_ringing(now);
            }
            "snooze" | "snooze it" | "not yet" | "later" | "snooze alarm" | "snooze please" => {
                return self.snooze_for(super::stopping::SNOOZE_MS, now);
            }
            text => text
                .strip_prefix("snooze for ")
                .or_else(|| text.strip_prefix("snooze "))
                .or_else(|| text.strip_prefix("again in "))
                .or_else(|| text.strip_prefix("add "))
                .unwrap_or(text),
        };
        // "Five more minutes", "another five minutes", "ten minutes".
        let asks = rest != text || text.contains("more") || text.starts_with("another");
        let rest = rest.replace(" more", "").replace("another ", "");
        match length::read(&rest) {
            Some(ms) if asks => self.snooze_for(ms, now),
            _ => Answer::Other,
        }
    }
}
