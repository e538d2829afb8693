//! Shopping and to-do lists.
use super::Agenda;
use super::keeping::Then;
use super::timing::{plain, text};
use crate::exchange::{Answer, Ask};
use crate::item::{Id, Item, Line, Words};
use crate::journal::Change;
use crate::words;
use core::time::Duration;

/// Most lines of one list.
pub const LINES_MAX: usize = 500;
/// The list that is meant when none is named.
pub const SHOPPING: &str = "shopping";
/// Most lines that are read out.
const READ_MAX: usize = 10;

impl Agenda {
    pub(super) fn asked_list(&mut self, ask: &Ask<'_>, now: Duration) -> Answer {
        let list = text(ask, "name").map_or_else(|| SHOPPING.to_owned(), |name| list_name(&name.0));
        let item = text(ask, "item");
        match (ask.intent, item) {
            ("HassShoppingListAddItem" | "HassListAddItem", Some(item)) => {
                self.add(&list, item, now)
            }
            ("HassShoppingListCompleteItem" | "HassListCompleteItem", Some(item)) => {
                self.tick(&list, &item, true, now)
            }
            ("HassListRemoveItem" | "ListRemove", Some(item)) => {
                self.tick(&list, &item, false, now)
            }
            ("ListRead" | "HassShoppingListLastItems", _) => {
                let open: Vec<String> = self
                    .lines(&list)
                    .filter(|(_, line)| !line.done)
                    .map(|(_, line)| line.text.0.clone())
                    .collect();
                Answer::Words(words::list(&list, &open, READ_MAX))
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

    fn add(&mut self, list: &str, item: Words, now: Duration) -> Answer {
        let known = self
            .lines(list)
            .find(|(_, line)| plain(&line.text.0) == plain(&item.0))
            .map(|(id, line)| (id, line.clone()));
        let say = words::added(&item.0, list);
        match known {
            Some((_, line)) if !line.done => return Answer::Words(words::stands(&item.0, list)),
            Some((id, line)) => {
                let line = Line {
                    done: false,
                    ..line
                };
                self.put(id, Item::Line(line), say, now);
            }
            None if self.lines(list).count() >= LINES_MAX || !self.has_room() => {
                return Answer::Refused(words::LIST_FULL.into());
            }
            None => {
                let id = self.new_id();
                let line = Line {
                    list: Words(list.to_owned()),
                    text: item,
                    done: false,
                };
                self.put(id, Item::Line(line), say, now);
            }
        }
        Answer::Silent
    }

    fn tick(&mut self, list: &str, item: &Words, done: bool, now: Duration) -> Answer {
        let found = self
            .lines(list)
            .find(|(_, line)| plain(&line.text.0) == plain(&item.0))
            .map(|(id, line)| (id, line.clone()));
        let Some((id, line)) = found else {
            return Answer::Refused(words::not_on_list(&item.0, list));
        };
        let (change, say) = if done {
            let line = Line { done: true, ..line };
            (Change::Put(id, Item::Line(line)), words::ticked(&item.0))
        } else {
            (Change::Drop(id), words::removed(&item.0, list))
        };
        self.change(&[change], Then::Say(say), now);
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
        "to do" | "todo" | "to dos" | "tasks" | "task" => "to-do".to_owned(),
        name => name.to_owned(),
    }
}
