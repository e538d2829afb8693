//! "Find my phone": the hub of the home lets a person's phones ring. Nobody is called, and nothing is said to anybody.
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use super::{Asked, Deed, Event, FromHub, Reply, Skill};
use crate::messages::{Outcome, Request};

/// Searches that wait for the hub.
const SEARCHES_MAX: usize = 4;
/// Longest name of a person, in characters.
const NAME_CHARS_MAX: usize = 64;
const NO_HUB: &str = "The hub of the home cannot be reached, so I can let no phone ring.";
const TOO_MANY: &str = "I am looking for other phones already.";

/// The skill.
#[derive(Default)]
pub struct FindingSkill {
    /// Whose phone is looked for; `None`: whoever's speaker this is.
    searches: BTreeMap<u64, Option<String>>,
    last_token: u64,
    is_there: bool,
    deeds: VecDeque<Deed>,
}

impl FindingSkill {
    /// Nothing is looked for.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Skill for FindingSkill {
    fn name(&self) -> &'static str {
        "finding"
    }

    fn take(&mut self, asked: &Asked<'_>, _: Duration) -> Reply {
        if asked.meant.intent != "FindPhone" {
            return Reply::Other;
        }
        if !self.is_there {
            return Reply::Refused(NO_HUB.to_owned());
        }
        if self.searches.len() >= SEARCHES_MAX {
            return Reply::Refused(TOO_MANY.to_owned());
        }
        let whose = asked.meant.slot("whose").map(|slot| slot.value.spoken());
        let whose = whose.map(|name| name.chars().take(NAME_CHARS_MAX).collect::<String>());
        self.last_token += 1;
        let token = self.last_token;
        self.searches.insert(token, whose.clone());
        let what = Request::FindPhone { whose };
        self.deeds.push_back(Deed::Hub { token, what });
        Reply::Later(token)
    }

    fn hub(&mut self, said: FromHub<'_>, _: Duration) {
        match said {
            FromHub::There(there) => self.is_there = there,
            FromHub::Answer { token, outcome } => {
                if let Some(whose) = self.searches.remove(&token) {
                    let reply = reply(whose.as_deref(), outcome);
                    self.deeds.push_back(Deed::Answer { token, reply });
                }
            }
        }
    }

    fn handle(&mut self, _: Event<'_>, _: Duration) {}

    fn poll_deed(&mut self) -> Option<Deed> {
        self.deeds.pop_front()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        None
    }
}

/// What became of it, in one sentence.
fn reply(whose: Option<&str>, outcome: &Outcome) -> Reply {
    let refused = |words: String| Reply::Refused(words);
    match (outcome, whose) {
        (Outcome::Document(found), _) => {
            let found = &found.0;
            let person = found["person"].as_str().unwrap_or("the person");
            let count = |key: &str| found[key].as_u64().unwrap_or(0);
            match count("browsers") + count("telephones") {
                0 => refused(format!(
                    "No phone of {person}'s can be reached: none is registered, and no browser wants to be told."
                )),
                1 => Reply::Words(format!("I let {person}'s phone ring.")),
                _ => Reply::Words(format!("I let {person}'s phones ring.")),
            }
        }
        (Outcome::Refused(404), Some(name)) => {
            refused(format!("Nobody of the home is called {name}."))
        }
        // Several people live here, and this speaker is nobody's.
        (Outcome::Refused(404 | 422), None) => refused(
            "I do not know whose phone is meant. Say, find Anna's phone, with the name.".to_owned(),
        ),
        (Outcome::Refused(409), _) => {
            refused("I let it ring a moment ago; try again in a few seconds.".to_owned())
        }
        (Outcome::Away, _) => refused(NO_HUB.to_owned()),
        _ => refused("The hub of the home did not let it ring.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::messages::Document;

    fn said(whose: Option<&str>, outcome: &Outcome) -> String {
        match reply(whose, outcome) {
            Reply::Words(words) | Reply::Refused(words) => words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_became_of_it_is_said_in_one_sentence() {
        let found = |browsers: u32, telephones: u32| {
            let found = json!({"person": "Anna", "browsers": browsers, "telephones": telephones});
            said(None, &Outcome::Document(Document(found)))
        };
        assert_eq!(found(0, 1), "I let Anna's phone ring.");
        assert_eq!(found(2, 1), "I let Anna's phones ring.");
        assert!(found(0, 0).starts_with("No phone of Anna's"));
        assert!(said(Some("Zoe"), &Outcome::Refused(404)).contains("called Zoe"));
        assert!(said(None, &Outcome::Refused(404)).contains("whose phone"));
        assert!(said(None, &Outcome::Away).contains("cannot be reached"));
    }
}
