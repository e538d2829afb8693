//! Timers: set, changed, cancelled, asked about.
use core::time::Duration;

use super::answering::{Pending, Wanted};
use super::keeping::Then;
use super::{Agenda, left_ms};
use crate::exchange::{Answer, Ask, Bell, Note};
use crate::item::{Id, Item, Timer, TimerState, Words};
use crate::journal::Change;
use crate::spoken::length::{self, LENGTH_MS_MAX};
use crate::spoken::token::{self, Token};
use crate::words;

/// Most timers at once.
pub const TIMERS_MAX: usize = 100;
/// Longest name or sentence kept, in characters.
pub const TEXT_CHARS_MAX: usize = 200;

/// What is done to a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Cancel,
    Add(u64),
    Take(u64),
    Pause,
    Resume,
}

impl Agenda {
    pub(super) fn asked_timer(&mut self, ask: &Ask<'_>, now: Duration) -> Answer {
        let length = || match ask.slots.get("length") {
            Some(said) => length::read(said),
            None => slot_length(ask, ["hours", "minutes", "seconds"]),
        };
        let deed = match ask.intent {
            "HassStartTimer" => return self.start(ask, now),
            "HassTimerStatus" => return self.status(ask, now),
            "HassCancelAllTimers" => return self.cancel_all_timers(ask, now),
            "HassCancelTimer" => Deed::Cancel,
            "HassPauseTimer" => Deed::Pause,
            "HassUnpauseTimer" => Deed::Resume,
            "HassIncreaseTimer" => match length() {
                Some(ms) => Deed::Add(ms),
                None => return Answer::Refused(words::NO_LENGTH.into()),
            },
            "HassDecreaseTimer" => match length() {
                Some(ms) => Deed::Take(ms),
                None => return Answer::Refused(words::NO_LENGTH.into()),
            },
            _ => return Answer::Other,
        };
        let found = self.fitting(ask, deed, now);
        match found.as_slice() {
            [] if self.timers(now).is_empty() => Answer::Refused(words::NO_TIMER.into()),
            [] => Answer::Refused(words::NO_SUCH_TIMER.into()),
            [one] => self.do_to(*one, deed, now),
            several => self.ask_which(several, deed, now),
        }
    }

    fn start(&mut self, ask: &Ask<'_>, now: Duration) -> Answer {
        let name = text(ask, "name");
        let said = ask.slots.get("length").map(|said| named_length(said));
        let (length_ms, behind) = match said {
            Some(Some((length_ms, name))) => (Some(length_ms), name),
            Some(None) => (None, None),
            None => (slot_length(ask, ["hours", "minutes", "seconds"]), None),
        };
        // "A timer named soup for 5 minutes", read as a name to its end.
        let whole = name.as_ref().filter(|_| is_lengthless(ask));
        let (length_ms, name) =
            match whole.and_then(|name| named_length(&format!("named {}", name.0))) {
                Some((length_ms, name)) => (Some(length_ms), name),
                None => (length_ms, name),
            };
        // "A 1 hour 5 minutes timer": what stands before "timer" is more of its length.
        let (length_ms, name) = match name.as_ref().and_then(|name| length::read(&name.0)) {
            Some(more) if ask.slots.get("length").is_none() => {
                let sum = length_ms.unwrap_or(0).saturating_add(more);
                (Some(sum).filter(|sum| *sum <= LENGTH_MS_MAX), None)
            }
            _ => (length_ms, name),
        };
        let timer = Timer {
            name: name.or(behind),
            area: text(ask, "area"),
            length_ms: 0,
            state: TimerState::Paused { left_ms: 0 },
            command: text(ask, "conversation_command").or_else(|| text(ask, "command")),
        };
        match length_ms {
            Some(length_ms) => self.start_for(length_ms, timer, now),
            None if is_lengthless(ask) => {
                self.pending = Some(Pending::new(
                    Wanted::Length(Box::new(timer)),
                    Vec::new(),
                    now,
                ));
                Answer::Question(words::HOW_LONG.into())
            }
            None => Answer::Refused(words::NO_LENGTH.into()),
        }
    }

    /// Starts one that lacks its length only.
    pub(super) fn start_for(&mut self, length_ms: u64, timer: Timer, now: Duration) -> Answer {
        if self.timers(now).len() >= TIMERS_MAX || !self.has_room() {
            return Answer::Refused(words::TOO_MANY.into());
        }
        let timer = Timer {
            length_ms,
            state: TimerState::Running {
                due_ms: self.wall_ms(now).saturating_add_unsigned(length_ms),
            },
            ..timer
        };
        let say = words::timer_set(&timer);
        let id = self.new_id();
        self.note(Note::Set(Bell::Timer, length_ms));
        self.put(id, Item::Timer(timer), say, now);
        Answer::Silent
    }

    /// The timers that a sentence may mean. What it names and how long they were set for must fit; what cannot be done
    /// to one ("pause" to one that stands) does not fit it.
    fn fitting(&self, ask: &Ask<'_>, deed: Deed, now: Duration) -> Vec<Id> {
        let can = |timer: &Timer| match (deed, timer.state) {
            (Deed::Pause, TimerState::Running { .. })
            | (Deed::Resume, TimerState::Paused { .. }) => true,
            (Deed::Pause | Deed::Resume, _) => false,
            _ => true,
        };
        let all: Vec<Id> = self
            .named(ask, now)
            .into_iter()
            .filter(|id| matches!(self.items.get(id), Some(Item::Timer(timer)) if can(timer)))
            .collect();
        // Of several, one that rings is meant by "cancel", and by "add five minutes".
        let ringing: Vec<Id> = all
            .iter()
            .copied()
            .filter(|id| self.ringing.contains_key(id))
            .collect();
        if ringing.is_empty() { all } else { ringing }
    }

    /// The timers that a sentence names: by name, room, length, or place in the row.
    fn named(&self, ask: &Ask<'_>, now: Duration) -> Vec<Id> {
        let name = ask.slots.get("name").map(|name| plain(name));
        let area = ask.slots.get("area").map(|area| plain(area));
        let start = slot_length(ask, ["start_hours", "start_minutes", "start_seconds"]);
        let place = ask
            .slots
            .get("ordinal")
            .and_then(|place| place.parse::<usize>().ok());
        let is = |said: &Option<String>, kept: &Option<Words>| {
            said.as_ref()
                .is_none_or(|said| kept.as_ref().is_some_and(|kept| plain(&kept.0) == *said))
        };
        let all = self.timers(now);
        let fits = all
            .iter()
            .filter(|shown| is(&name, &shown.timer.name) && is(&area, &shown.timer.area))
            .filter(|shown| start.is_none_or(|start| shown.timer.length_ms == start))
            .map(|shown| shown.id);
        match place {
            // In the order in which they were set.
            Some(place) => {
                let mut ids: Vec<Id> = fits.collect();
                ids.sort();
                ids.into_iter()
                    .skip(place.saturating_sub(1))
                    .take(1)
                    .collect()
            }
            None => fits.collect(),
        }
    }

    pub(super) fn do_to(&mut self, id: Id, deed: Deed, now: Duration) -> Answer {
        let wall = self.wall_ms(now);
        let Some(Item::Timer(timer)) = self.items.get(&id) else {
            return Answer::Refused(words::NO_SUCH_TIMER.into());
        };
        let left = left_ms(timer, wall);
        let with = |left: u64| match timer.state {
            TimerState::Running { .. } => TimerState::Running {
                due_ms: wall.saturating_add_unsigned(left),
            },
            TimerState::Paused { .. } => TimerState::Paused { left_ms: left },
        };
        let mut changed = timer.clone();
        let say = match deed {
            Deed::Cancel => {
                let say = words::timer_cancelled(timer);
                self.note(Note::Changed(Bell::Timer));
                self.end(&[id], Some(say), now);
                return Answer::Silent;
            }
            Deed::Add(more) => {
                let left = left.saturating_add(more);
                if left > LENGTH_MS_MAX {
                    return Answer::Refused(words::TOO_LONG.into());
                }
                changed.state = with(left);
                words::timer_changed(timer, left)
            }
            Deed::Take(less) if less >= left => {
                return Answer::Refused(words::less_than_that(timer, left));
            }
            Deed::Take(less) => {
                changed.state = with(left - less);
                words::timer_changed(timer, left - less)
            }
            Deed::Pause => {
                changed.state = TimerState::Paused { left_ms: left };
                words::timer_paused(timer, left)
            }
            Deed::Resume => {
                changed.state = TimerState::Running {
                    due_ms: wall.saturating_add_unsigned(left),
                };
                words::timer_resumed(timer, left)
            }
        };
        self.note(Note::Changed(Bell::Timer));
        let put = [Change::Put(id, Item::Timer(changed))];
        if self.ringing.contains_key(&id) {
            self.fresh.insert(id);
            self.close(&[id], &put, Some(say), now);
        } else {
            self.fresh.insert(id);
            self.change(&put, Then::Say(say), now);
        }
        Answer::Silent
    }

    fn ask_which(&mut self, several: &[Id], deed: Deed, now: Duration) -> Answer {
        let wall = self.wall_ms(now);
        let timers: Vec<(&Timer, u64)> = several
            .iter()
            .filter_map(|id| match self.items.get(id) {
                Some(Item::Timer(timer)) => Some((timer, left_ms(timer, wall))),
                _ => None,
            })
            .collect();
        let question = words::which_timer(&timers);
        self.pending = Some(Pending::new(Wanted::Timer(deed), several.to_vec(), now));
        Answer::Question(question)
    }

    fn status(&mut self, ask: &Ask<'_>, now: Duration) -> Answer {
        let all = self.timers(now);
        if all.is_empty() {
            return Answer::Words(words::NO_TIMER.into());
        }
        let named = self.named(ask, now);
        let meant: Vec<(&Timer, u64)> = all
            .iter()
            .filter(|shown| named.contains(&shown.id))
            .map(|shown| (shown.timer, shown.left_ms))
            .collect();
        Answer::Words(match meant.as_slice() {
            [] => words::NO_SUCH_TIMER.into(),
            [(timer, left)] => words::timer_left(timer, *left),
            several => words::timers_left(several),
        })
    }

    fn cancel_all_timers(&mut self, ask: &Ask<'_>, now: Duration) -> Answer {
        let ids = self.named(ask, now);
        if ids.is_empty() {
            return Answer::Words(words::NO_TIMER.into());
        }
        self.note(Note::Changed(Bell::Timer));
        let say = words::timers_cancelled(ids.len());
        self.end(&ids, Some(say), now);
        Answer::Silent
    }

    /// A timer that rings goes on for so much longer.
    pub(super) fn run_again(&mut self, id: Id, more_ms: u64, now: Duration) -> Option<Change> {
        let due_ms = self.wall_ms(now).saturating_add_unsigned(more_ms);
        let Some(Item::Timer(timer)) = self.items.get(&id) else {
            return None;
        };
        let state = TimerState::Running { due_ms };
        let timer = Timer {
            state,
            ..timer.clone()
        };
        self.fresh.insert(id);
        Some(Change::Put(id, Item::Timer(timer)))
    }

    pub(super) fn asked_stopwatch(&mut self, ask: &Ask<'_>, now: Duration) -> Answer {
        let deed = match ask.intent {
            "StopwatchStart" | "StopwatchStop" | "StopwatchLap" | "StopwatchReset"
            | "StopwatchStatus" => &ask.intent["Stopwatch".len()..],
            _ => return Answer::Other,
        };
        let found = self.items.iter().find_map(|(id, item)| match item {
            Item::Stopwatch(watch) => Some((*id, *watch)),
            _ => None,
        });
        let wall = self.wall_ms(now);
        let (id, mut watch) =
            found.unwrap_or_else(|| (self.new_id(), crate::item::Stopwatch::default()));
        let running = watch
            .since_ms
            .map_or(0, |since| u64::try_from(wall - since).unwrap_or(0));
        let shows = watch.counted_ms.saturating_add(running);
        let say = match (deed, watch.since_ms) {
            ("Start", Some(_)) => return Answer::Words(words::watch_runs(shows)),
            ("Start", None) => {
                watch.since_ms = Some(wall);
                words::watch_started(shows)
            }
            ("Stop", Some(_)) => {
                watch.since_ms = None;
                watch.counted_ms = shows;
                words::watch_stopped(shows)
            }
            ("Lap", Some(_)) => {
                let lap = shows.saturating_sub(watch.lap_ms);
                watch.laps = watch.laps.saturating_add(1);
                watch.lap_ms = shows;
                words::watch_lap(watch.laps, lap)
            }
            ("Reset", _) => {
                if found.is_none() {
                    return Answer::Words(words::NO_WATCH.into());
                }
                self.change(
                    &[Change::Drop(id)],
                    Then::Say(words::WATCH_RESET.into()),
                    now,
                );
                return Answer::Silent;
            }
            ("Status", _) if found.is_some() => return Answer::Words(words::watch_shows(shows)),
            _ => return Answer::Words(words::NO_WATCH.into()),
        };
        self.fresh.insert(id);
        self.put(id, Item::Stopwatch(watch), say, now);
        Answer::Silent
    }
}

/// The length that three slots give, in milliseconds; `None`: none, or beyond what is taken.
pub(super) fn slot_length(ask: &Ask<'_>, names: [&str; 3]) -> Option<u64> {
    let mut total = 0_f64;
    let mut any = false;
    for (name, unit) in names.into_iter().zip([3_600_000.0, 60_000.0, 1_000.0]) {
        if let Some(value) = ask.slots.get(name) {
            any = true;
            total += value.parse::<f64>().ok()?.clamp(0.0, 1e9) * unit;
        }
    }
    let total = total as u64;
    (any && total > 0 && total <= LENGTH_MS_MAX).then_some(total)
}

/// Whether a sentence says nothing at all about how long: "set a timer".
fn is_lengthless(ask: &Ask<'_>) -> bool {
    let of_length = ["length", "hours", "minutes", "seconds"];
    of_length.iter().all(|slot| !ask.slots.contains_key(*slot))
}

/// "Five minutes", "two and a half hours for the roast", "ten minutes called tea".
fn named_length(said: &str) -> Option<(u64, Option<Words>)> {
    let tokens = token::tokens(said)?;
    // "Named soup for 5 minutes"
    if matches!(tokens.first()?.word(), "called" | "named") {
        let at = tokens.iter().rposition(|token| token.word() == "for")?;
        let length_ms = length::read(said.get(tokens.get(at + 1)?.place.start..)?)?;
        let name = said.get(tokens.get(1)?.place.start..tokens[at].place.start)?;
        let name: String = name.trim().chars().take(TEXT_CHARS_MAX).collect();
        return (!name.is_empty()).then_some((length_ms, Some(Words(name))));
    }
    let (length_ms, used) = length::head(&tokens)?;
    let Some(next) = tokens.get(used) else {
        return Some((length_ms, None));
    };
    if !matches!(next.word(), "for" | "called" | "named") {
        return None;
    }
    let article = tokens.get(used + 1).map_or("", Token::word);
    let skip = usize::from(matches!(article, "the" | "my" | "a" | "an"));
    let name = said.get(tokens.get(used + 1 + skip)?.place.start..)?;
    let name = name.trim_end_matches(['.', ',', '!', '?']);
    let name: String = name.chars().take(TEXT_CHARS_MAX).collect();
    Some((length_ms, Some(Words(name))))
}

/// Words of a slot.
pub(super) fn text(ask: &Ask<'_>, slot: &str) -> Option<Words> {
    let text = ask.slots.get(slot)?.trim();
    let text: String = text
        .chars()
        .filter(|letter| !letter.is_control())
        .take(TEXT_CHARS_MAX)
        .collect();
    (!text.is_empty()).then_some(Words(text))
}

/// Words as they are compared.
pub(super) fn plain(text: &str) -> String {
    let text = text.to_lowercase();
    let words: Vec<&str> = text
        .split(|letter: char| !letter.is_alphanumeric() && letter != '\'')
        .filter(|word| !word.is_empty() && !matches!(*word, "the" | "my" | "a" | "an" | "timer"))
        .collect();
    words.join(" ")
}
