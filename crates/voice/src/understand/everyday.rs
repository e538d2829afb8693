//! The everyday sentences of one household: a compiled language, and the house that it speaks about.
//!
//! It reads what the emergency judge and the sentences of calls and messages have left, and nothing else: a text that the
//! emergency reading takes, questions or refuses has no everyday meaning, whatever a template of the owner says.
use std::sync::{Arc, OnceLock};

use super::Country;
use super::mishearing::hear;
use super::reading::{Reading, RefusedClass};
use super::sentences::paths::Paths;
use super::sentences::{
    Datum, House, Lists, Mended, Moment, Outcome, Program, Recognition, RenderError, Responses,
    SlotFrom, Vocabulary, World, free_words, left_by_emergency,
};

/// Compiled sentences with the names of a house. Shared by the ear, which reads, and the device, which answers.
#[derive(Debug)]
pub struct Everyday {
    program: Arc<Program>,
    house: House,
    lists: Lists,
    context: Vec<(String, Datum)>,
    responses: Arc<Responses>,
    /// Gathered when it is needed first.
    vocabulary: OnceLock<Vocabulary>,
}

/// Our own sentences about lights, devices and the day that Home Assistant's package lacks: a file's name and its YAML, for
/// those languages that have some.
#[must_use]
pub fn sentences_of(language: &str) -> Option<(&'static str, &'static str)> {
    (language == "en").then_some(("home.yaml", include_str!("../../data/en/home.yaml")))
}

/// How probable texts must be for one another's meaning to count: so many nats are as far as a mended word may be.
const NATS_PER_COST: f32 = 6.0;
/// A meaning this much dearer than the best is no rival.
const MARGIN: f32 = 0.12;
/// Most sentences that are asked about.
const ASKED_MAX: usize = 3;

/// Fewest words of a sentence with another head that are not free.
const TOLD_MIN: usize = 3;
/// What a text costs whose head is taken for another, in nats.
const HEAD_NATS: f32 = 0.7;
/// How recognisers write the heads of English commands that run into the wake word or into what follows: nobody tells the
/// speaker, by its name, what was turned on. None of them opens, unlocks or starts anything by itself.
const HEADS: [(&str, &str); 24] = [
    ("santa ", "set a "),
    ("setter ", "set a "),
    ("stanza ", "set a "),
    ("said a ", "set a "),
    ("said an ", "set an "),
    ("said in ", "set an "),
    ("sat a ", "set a "),
    ("sent a ", "set a "),
    ("set at ", "set a "),
    ("set in ", "set an "),
    ("cancelled ", "cancel "),
    ("canceled ", "cancel "),
    ("turned ", "turn "),
    ("played ", "play "),
    ("paused ", "pause "),
    ("resumed ", "resume "),
    ("added ", "add "),
    ("at ", "add "),
    ("and ", "add "),
    ("had ", "add "),
    ("reminded ", "remind "),
    ("remained ", "remind "),
    ("very mind ", "remind "),
    ("mind me ", "remind me "),
];

/// A sentence that the decoder was led to may be this much less probable than what it writes when nobody leads it, in nats.
const LED_NATS: f32 = 4.5;
/// The same for one with free words, in which a decoder finds room for anything.
const LED_FREE_NATS: f32 = 2.5;
/// How improbable it may be by itself, in nats for each word; the same for one with free words.
const LED_WORD_NATS: f32 = 2.0;
const LED_FREE_WORD_NATS: f32 = 1.3;
/// Another meaning this much less probable than the best is no rival.
const LED_MARGIN_NATS: f32 = 0.8;
/// Words that make no order of what is said, or another one: who has said one of them has not said a sentence without it.
const AGAINST: &str = "don't dont not never no nobody none nothing did didn't does doesn't why when how if unless would \
    wouldn't should shouldn't won't can't cannot couldn't was were he she they we said says told";
/// How questions begin: no free words are led to in one ("who is …" goes on with anything).
const ASKING: &str = "who what where which when how is are";
/// Who has said one of two and not the other has not said the other and not the one.
const OPPOSITES: [(&str, &str); 10] = [
    ("on", "off"),
    ("up", "down"),
    ("open", "close"),
    ("opened", "close"),
    ("closed", "open"),
    ("lock", "unlock"),
    ("locked", "unlock"),
    ("start", "stop"),
    ("mute", "unmute"),
    ("pause", "resume"),
];

/// What several texts for one sound come to.
#[derive(Debug, Clone, PartialEq)]
pub enum Best {
    /// One meaning.
    Meant(Box<Recognition>),
    /// Different meanings are as near: the sentences, for asking which. Nothing is guessed.
    Which(Vec<String>),
}

impl Everyday {
    /// The sentences of a language for a house.
    #[must_use]
    pub fn new(program: Arc<Program>, house: House) -> Self {
        Self::over(program, Arc::new(Responses::new()), house)
    }

    /// The same sentences for a house that has changed: its names, its states, the room.
    #[must_use]
    pub fn with_house(&self, house: House) -> Self {
        Self::over(
            Arc::clone(&self.program),
            Arc::clone(&self.responses),
            house,
        )
    }

    fn over(program: Arc<Program>, responses: Arc<Responses>, house: House) -> Self {
        Self {
            lists: house.lists(),
            context: house.context(),
            program,
            house,
            responses,
            vocabulary: OnceLock::new(),
        }
    }

    /// The language ("en", "pt-BR").
    #[must_use]
    pub fn language(&self) -> &str {
        self.program.language()
    }

    /// The house that the sentences speak about.
    #[must_use]
    pub fn house(&self) -> &House {
        &self.house
    }

    /// What a text means; nothing when it speaks of an emergency in any way, or when no sentence reads it.
    #[must_use]
    pub fn read(&self, said: &str, country: Country) -> Option<Recognition> {
        if !left_by_emergency(&hear(said, country).reading) {
            return None;
        }
        self.program.recognise(said, &self.lists, &self.context)
    }

    /// The letters that sentences of this house may go on with, and `plain` ones beside them.
    pub(super) fn paths(&self, plain: impl IntoIterator<Item = String>) -> Paths {
        Paths::new(Arc::clone(&self.program), self.lists.clone(), plain)
    }

    /// The second pass, for what nothing reads as it stands: words are taken for others that sound or are spelt alike, in
    /// each of several texts for the same sound, given with how much less probable than the first they are, in nats. A
    /// text that speaks of an emergency, before or after mending, ends it: then nothing is meant.
    #[must_use]
    pub fn among(&self, texts: &[(&str, f32)], country: Country) -> Option<Best> {
        let left = |said: &str| left_by_emergency(&hear(said, country).reading);
        let vocabulary = self
            .vocabulary
            .get_or_init(|| Vocabulary::new(&self.program, &self.lists));
        let mut found: Vec<Mended> = Vec::new();
        let other_heads: Vec<(String, f32)> = texts
            .iter()
            .filter_map(|(text, nats)| Some((other_head(text)?, nats + HEAD_NATS)))
            .collect();
        let as_heard = texts.iter().map(|(text, nats)| (*text, *nats, true));
        let other_heads = other_heads
            .iter()
            .map(|(text, nats)| (text.as_str(), *nats, false));
        for (text, nats, heard) in as_heard.chain(other_heads) {
            if !left(text) {
                return None;
            }
            let far = nats.max(0.0) / NATS_PER_COST;
            let exact = self.program.recognise(text, &self.lists, &self.context);
            // "Played out" is no wish to hear "out": with another head more than that must be of the sentence itself.
            let exact = exact.filter(|meant| heard || is_told(meant, text));
            let readings = match exact {
                Some(meant) => vec![Mended {
                    said: plain(text),
                    cost: 0.0,
                    meant,
                }],
                None => self
                    .program
                    .mend(text, vocabulary, &self.lists, &self.context),
            };
            for mut reading in readings {
                // A mended order to call for help is none of ours either.
                if !left(&reading.said) {
                    return None;
                }
                reading.cost += far;
                found.push(reading);
            }
        }
        found.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        let best = found.first()?;
        let alike = |one: &Mended| does_the_same(&one.meant, &best.meant);
        let mut which = vec![best.said.clone()];
        for other in &found {
            let near = other.cost <= best.cost + MARGIN;
            if near && !alike(other) && !which.contains(&other.said) && which.len() < ASKED_MAX {
                which.push(other.said.clone());
            }
        }
        Some(if which.len() > 1 {
            Best::Which(which)
        } else {
            Best::Meant(Box::new(best.meant.clone()))
        })
    }

    /// What the sentences come to that the decoder was led along, given as for [`Self::among`]: they are read as they
    /// stand, and how probable they are decides. `heard` is what it writes when nobody leads it, with the natural
    /// logarithm of its probability.
    #[must_use]
    pub fn led(&self, heard: (&str, f32), texts: &[(&str, f32)], country: Country) -> Option<Best> {
        let mut found: Vec<(f32, String, Recognition)> = Vec::new();
        for (text, nats) in texts {
            if is_urgent(text, country) {
                return None;
            }
            let meant = self.read(text, country);
            let Some(meant) = meant.filter(|_| !turns(heard.0, text)) else {
                continue;
            };
            let free = free_words(&meant) > 0;
            let (far, faint) = if free {
                (LED_FREE_NATS, LED_FREE_WORD_NATS)
            } else {
                (LED_NATS, LED_WORD_NATS)
            };
            let words = text.split_whitespace().count() as f32;
            let is_borne_out = *nats <= far && nats - heard.1 <= faint * words;
            let asks = ASKING
                .split_whitespace()
                .any(|word| text.to_lowercase().starts_with(word));
            if is_borne_out && (!free || is_told(&meant, text) && !asks) {
                found.push((*nats, plain(text), meant));
            }
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (least, said, best) = found.first()?;
        let mut which = vec![said.clone()];
        for (nats, said, meant) in &found {
            let near = *nats <= least + LED_MARGIN_NATS && !does_the_same(meant, best);
            if near && !which.contains(said) && which.len() < ASKED_MAX {
                which.push(said.clone());
            }
        }
        Some(if which.len() > 1 {
            Best::Which(which)
        } else {
            Best::Meant(Box::new(best.clone()))
        })
    }

    /// The spoken response to a sentence, with what came of doing it; empty where the language has none.
    ///
    /// # Errors
    /// When the template is broken or asks for what there is not.
    pub fn response(
        &self,
        meant: &Recognition,
        outcome: &Outcome,
        now: Moment,
    ) -> Result<String, RenderError> {
        self.response_in(None, meant, outcome, now)
    }

    /// The same, with the states of `house` in place of those that the sentences were given.
    ///
    /// # Errors
    /// As [`Self::response`].
    pub fn response_in(
        &self,
        house: Option<&House>,
        meant: &Recognition,
        outcome: &Outcome,
        now: Moment,
    ) -> Result<String, RenderError> {
        let house = house.unwrap_or(&self.house);
        let world = World { house, now };
        self.responses
            .render_outcome(&self.program, meant, outcome, &world)
    }
}

/// Whether a text speaks of an emergency: more than a call or a message to somebody else.
pub(super) fn is_urgent(text: &str, country: Country) -> bool {
    let reading = hear(text, country).reading;
    let to_others = matches!(
        reading,
        Reading::Refused {
            class: RefusedClass::Contact | RefusedClass::OtherNumber | RefusedClass::Message,
            ..
        }
    );
    !to_others && !left_by_emergency(&reading)
}

/// Whether a text that was heard speaks against a sentence: it denies or asks, or says the opposite.
fn turns(heard: &str, sentence: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let text = text.to_lowercase().replace('\u{2019}', "'");
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'');
        words.map(str::to_owned).collect()
    };
    let (heard, sentence) = (words(heard), words(sentence));
    let has = |words: &[String], word: &str| words.iter().any(|has| has == word);
    let mut against = AGAINST.split_whitespace();
    against.any(|word| has(&heard, word) && !has(&sentence, word))
        || OPPOSITES.iter().any(|&(one, other)| {
            let opposite = |one, other| {
                has(&heard, one)
                    && !has(&heard, other)
                    && has(&sentence, other)
                    && !has(&sentence, one)
            };
            opposite(one, other) || opposite(other, one)
        })
}

/// Whether enough of a text are words of the sentence and not free ones.
fn is_told(meant: &Recognition, text: &str) -> bool {
    let words = text.split_whitespace().count();
    words >= free_words(meant) + TOLD_MIN
}

/// The text with the head that it is often written for.
fn other_head(text: &str) -> Option<String> {
    let text = plain(text);
    let (written, meant) = HEADS
        .iter()
        .find(|(written, _)| text.starts_with(written))?;
    Some(format!("{meant}{}", &text[written.len()..]))
}

/// Whether two readings do the same: free words ("a pasta timer", what is to be reminded of) may differ, for the nearer of
/// two spellings of a label is no other deed.
fn does_the_same(one: &Recognition, other: &Recognition) -> bool {
    one.intent == other.intent
        && one.slots.len() == other.slots.len()
        && one.slots.iter().zip(&other.slots).all(|(one, other)| {
            let free = one.from == SlotFrom::Words && other.from == SlotFrom::Words;
            one.name == other.name && (free || one.value == other.value)
        })
}

/// A text as it is said back.
fn plain(text: &str) -> String {
    text.trim()
        .trim_end_matches(['.', '!', '?', ','])
        .to_lowercase()
}
