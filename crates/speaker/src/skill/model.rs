//! A language model of the owner's, asked last: questions that no sentence reads. Its adapter is [`crate::io::model`].
//!
//! **It can do nothing.** What this skill wants is a [`Wish`]: ask the model, or have words said. There is no wish for a
//! sentence to be read, a thing to be switched or anybody to be called, so whatever a model writes, it is only heard.
use core::time::Duration;
use std::collections::VecDeque;

use hearthline_skills::model::{Spoken, may_be_asked, read, request};
use hearthline_voice::understand::sentences::left_by_emergency;
use hearthline_voice::understand::{Country, Reading};
use serde_json::{Value, json};

use super::{Asked, Deed, Event, Reply, Skill};

/// After this time it is said that the answer takes a moment: before the device itself says that nothing answered.
const PATIENCE: Duration = Duration::from_millis(3_000);
/// Most questions that are open at once.
const OPEN_MAX: usize = 4;
const ONE_MOMENT: &str = "One moment.";
const NO_ANSWER: &str = "The language model gave no answer.";
/// What is never said aloud: our own name, which would be heard.
const OWN_NAME: &str = "alexa";

/// All that comes of a model.
enum Wish {
    Ask(Value),
    Answer(u64, Words),
    Say(Words),
    Step(&'static str),
}

/// What is said: a text of ours, or the model's.
enum Words {
    Ours(&'static str),
    Models(Spoken),
}

impl Words {
    fn into_text(self) -> String {
        match self {
            Self::Ours(text) => text.to_owned(),
            Self::Models(spoken) => spoken.into_words(),
        }
    }
}

struct Open {
    token: u64,
    /// The device still waits for the reply, until then.
    replied_at: Option<Duration>,
    until: Duration,
}

/// The model of a household.
pub struct ModelSkill {
    model: String,
    limit: Duration,
    country: Country,
    last_token: u64,
    open: Vec<Open>,
    wishes: VecDeque<Wish>,
}

impl ModelSkill {
    /// A model by its name, given so long for an answer.
    #[must_use]
    pub fn new(model: String, limit: Duration, country: Country) -> Self {
        Self {
            model,
            limit,
            country,
            last_token: 0,
            open: Vec::new(),
            wishes: VecDeque::new(),
        }
    }

    fn came(&mut self, value: &Value) {
        let token = value["token"].as_u64();
        let Some(at) = self.open.iter().position(|open| Some(open.token) == token) else {
            return;
        };
        let open = self.open.remove(at);
        let spoken = value["body"]
            .as_str()
            .and_then(|body| read(body.as_bytes()).ok());
        let words = match spoken {
            Some(spoken) if self.may_be_said(&spoken) => Words::Models(spoken),
            Some(_) => {
                self.wishes.push_back(Wish::Step(
                    "the language model's answer was not said: it spoke of an emergency, or called us",
                ));
                Words::Ours(NO_ANSWER)
            }
            None => Words::Ours(NO_ANSWER),
        };
        self.wishes.push_back(match open.replied_at {
            Some(_) => Wish::Answer(open.token, words),
            None => Wish::Say(words),
        });
    }

    /// Nothing that could be taken for an order, by us or by another speaker in the room.
    fn may_be_said(&self, spoken: &Spoken) -> bool {
        let words = spoken.words();
        let plain = words.to_lowercase();
        let sentences = plain.split_inclusive(['.', '!', '?', ',', ';', ':']);
        !plain.contains(OWN_NAME)
            && core::iter::once(plain.as_str())
                .chain(sentences)
                .all(|sentence| left_by_emergency(&read_words(sentence, self.country)))
    }
}

fn read_words(text: &str, country: Country) -> Reading {
    hearthline_voice::understand::read(text, country)
}

impl Skill for ModelSkill {
    fn name(&self) -> &'static str {
        "model"
    }

    fn take(&mut self, _: &Asked<'_>, _: Duration) -> Reply {
        Reply::Other
    }

    fn hear(&mut self, said: &str, _wall_ms: u64, now: Duration) -> Reply {
        let is_nobodys = matches!(read_words(said, self.country), Reading::Other);
        if !is_nobodys || !may_be_asked(said) || self.open.len() >= OPEN_MAX {
            return Reply::Other;
        }
        self.last_token += 1;
        let token = self.last_token;
        let body = request(&self.model, said);
        self.wishes
            .push_back(Wish::Ask(json!({ "token": token, "ask": body })));
        self.open.push(Open {
            token,
            replied_at: Some(now + PATIENCE),
            until: now + self.limit,
        });
        Reply::Later(token)
    }

    fn handle(&mut self, event: Event<'_>, now: Duration) {
        match event {
            Event::Came(value) => self.came(value),
            Event::Timeout => {
                for open in &mut self.open {
                    if open.replied_at.is_some_and(|at| at <= now) {
                        open.replied_at = None;
                        let words = Words::Ours(ONE_MOMENT);
                        self.wishes.push_back(Wish::Answer(open.token, words));
                    }
                }
                let over = self.open.iter().filter(|open| open.until <= now).count();
                self.open.retain(|open| open.until > now);
                for _ in 0..over {
                    self.wishes.push_back(Wish::Say(Words::Ours(NO_ANSWER)));
                }
            }
            _ => {}
        }
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        Some(match self.wishes.pop_front()? {
            Wish::Ask(value) => Deed::Out(value),
            Wish::Answer(token, words) => {
                let reply = Reply::Words(words.into_text());
                Deed::Answer { token, reply }
            }
            Wish::Say(words) => Deed::Say(words.into_text()),
            Wish::Step(what) => Deed::Step(what.to_owned()),
        })
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.open
            .iter()
            .map(|open| open.replied_at.unwrap_or(open.until).min(open.until))
            .min()
    }
}
