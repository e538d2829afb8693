//! Shopping and to-do lists.
use super::Agenda;
use super::keeping::Then;
use super::timing::{plain, text};
use crate::exchange::{Answer, Ask};
use crate::item::{Id, Item, Line, Words};
use crate::journal::Change;
use crate::spoken::length::joined;
use crate::words;
use core::time::Duration;

/// Most lines of one list.
pub const LINES_MAX: usize = 500;
/// The list that is meant when none is named.
pub const SHOPPING: &str = "shopping";
/// The list of what is to be done.
const TO_DO: &str = "to-do";
/// Most things that one sentence names.
const THINGS_MAX: usize = 30;
/// What is one thing in spite of its "and".
const PAIRS: [(&str, &str); 6] = [
    ("mac", "cheese"),
    ("macaroni", "cheese"),
    ("fish", "chips"),
    ("half", "half"),
    ("salt", "vinegar"),
    ("butter", "jelly"),
];
/// Most lines that are read out.
const READ_MAX: usize = 10;

impl Agenda {
    pub(super) fn asked_list(&mut self, ask: &Ask<'_>, now: Duration) -> Answer {
        let list = text(ask, "name").map_or_else(|| SHOPPING.to_owned(), |name| list_name(&name.0));
        let item = text(ask, "item");
        match (ask.intent, item) {
            ("HassShoppingListAddItem" | "HassListAddItem", Some(item)) => {
                let things = self.things(&list, &item);
                self.add(&list, &things, now)
            }
            ("HassShoppingListCompleteItem" | "HassListCompleteItem", Some(item)) => {
                let things = self.things(&list, &item);
                self.tick(&list, &things, true, now)
            }
            ("HassListRemoveItem" | "ListRemove", Some(item)) => {
                let things = self.things(&list, &item);
                self.tick(&list, &things, false, now)
            }
            ("ListRead" | "HassShoppingListLastItems", _) => {
                let open: Vec<String> = self
                    .lines(&list)
                    .filter(|(_, line)| !line.done)
                    .map(|(_, line)| line.text.0.clone())
                    .collect();
                Answer::Words(words::list(&list, &open, READ_MAX))
            }
            // A list is there as soon as it is named.
            ("ListCreate", _) => {
                let open = self.lines(&list).filter(|(_, line)| !line.done).count();
                Answer::Words(words::list_ready(&list, open))
            }
            ("ListClear", _) => {
                let drops: Vec<Change> =
                    self.lines(&list).map(|(id, _)| Change::Drop(id)).collect();
                if drops.is_empty() {
                    return Answer::Words(words::list_empty(&list));
                }
                let say = words::list_cleared(&list, drops.len());
                self.change(&drops, Then::Say(say), now);
                Answer::Silent
            }
            _ => Answer::Other,
        }
    }

    /// What a sentence names: "eggs and bread" are two things, unless that stands on the list as one. Of what is to be
    /// done each sentence is one thing: "call Anna and Ben".
    fn things(&self, list: &str, said: &Words) -> Vec<Words> {
        if list == TO_DO || self.standing(list, said).is_some() {
            return vec![said.clone()];
        }
        split(&said.0)
    }

    fn standing(&self, list: &str, item: &Words) -> Option<(Id, &Line)> {
        let item = plain(&item.0);
        let mut lines = self.items.iter().filter_map(|(id, kept)| match kept {
            Item::Line(line) if line.list.0 == list => Some((*id, line)),
            _ => None,
        });
        lines.find(|(_, line)| plain(&line.text.0) == item)
    }

    fn add(&mut self, list: &str, things: &[Words], now: Duration) -> Answer {
        let more = things
            .iter()
            .filter(|item| self.standing(list, item).is_none())
            .count();
        if more > 0 && (self.lines(list).count() + more > LINES_MAX || !self.has_room_for(more)) {
            return Answer::Refused(words::LIST_FULL.into());
        }
        let (mut added, mut stand, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for item in things {
            match self.standing(list, item) {
                Some((_, line)) if !line.done => stand.push(item.0.clone()),
                Some((id, line)) => {
                    let line = Line {
                        done: false,
                        ..line.clone()
                    };
                    added.push(item.0.clone());
                    changes.push(Change::Put(id, Item::Line(line)));
                }
                None => {
                    let line = Line {
                        list: Words(list.to_owned()),
                        text: item.clone(),
                        done: false,
                    };
                    added.push(item.0.clone());
                    changes.push(Change::Put(self.new_id(), Item::Line(line)));
                }
            }
        }
        if changes.is_empty() {
            return Answer::Words(words::stands(&stand, list));
        }
        let mut say = words::added(&joined(&added), list);
        if !stand.is_empty() {
            say = format!("{say} {}", words::stands(&stand, list));
        }
        self.change(&changes, Then::Say(say), now);
        Answer::Silent
    }

    fn tick(&mut self, list: &str, things: &[Words], done: bool, now: Duration) -> Answer {
        let (mut found, mut missing, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for item in things {
            let Some((id, line)) = self.standing(list, item) else {
                missing.push(item.0.clone());
                continue;
            };
            found.push(item.0.clone());
            changes.push(if done {
                let line = Line {
                    done: true,
                    ..line.clone()
                };
                Change::Put(id, Item::Line(line))
            } else {
                Change::Drop(id)
            });
        }
        if changes.is_empty() {
            return Answer::Refused(words::not_on_list(&missing, list));
        }
        let mut say = if done {
            words::ticked(&joined(&found))
        } else {
            words::removed(&joined(&found), list)
        };
        if !missing.is_empty() {
            say = format!("{say} {}", words::not_on_list(&missing, list));
        }
        self.change(&changes, Then::Say(say), now);
        Answer::Silent
    }

    fn lines<'a>(&'a self, list: &'a str) -> impl Iterator<Item = (Id, &'a Line)> {
        self.items.iter().filter_map(move |(id, item)| match item {
            Item::Line(line) if line.list.0 == list => Some((*id, line)),
            _ => None,
        })
    }
}

/// "My groceries list" is the list "groceries".
fn list_name(name: &str) -> String {
    let name = plain(name);
    let name = name.strip_suffix(" list").unwrap_or(&name);
    match name {
        "" | "list" | "groceries" | "grocery" => SHOPPING.to_owned(),
        "to do" | "todo" | "to dos" | "todos" | "tasks" | "task" => TO_DO.to_owned(),
        name => name.to_owned(),
    }
}

/// "Apples, pears and plums" are three things, "mac and cheese" is one.
fn split(said: &str) -> Vec<Words> {
    let mut things: Vec<String> = Vec::new();
    for part in said.split(',') {
        let mut thing: Vec<&str> = Vec::new();
        let words: Vec<&str> = part.split_whitespace().collect();
        for (at, word) in words.iter().enumerate() {
            let is_pair = || {
                let before = thing.last().map_or(String::new(), |word| plain(word));
                let behind = words.get(at + 1).map_or(String::new(), |word| plain(word));
                PAIRS.contains(&(before.as_str(), behind.as_str()))
            };
            if word.eq_ignore_ascii_case("and") && !is_pair() {
                things.push(thing.join(" "));
                thing.clear();
            } else {
                thing.push(word);
            }
        }
        things.push(thing.join(" "));
    }
    // Behind the last that is told apart the rest is one thing.
    let mut things: Vec<String> = things
        .into_iter()
        .filter(|thing| !thing.is_empty())
        .collect();
    if things.len() > THINGS_MAX {
        let rest = things.split_off(THINGS_MAX - 1);
        things.push(joined(&rest));
    }
    if things.is_empty() {
        things.push(said.trim().to_owned());
    }
    let mut seen: Vec<String> = Vec::new();
    things.retain(|thing| {
        let plain = plain(thing);
        let is_new = !seen.contains(&plain);
        seen.push(plain);
        is_new
    });
    things.into_iter().map(Words).collect()
}
