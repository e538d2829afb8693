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
    Slot, SlotFrom, Vocabulary, World, free_words, left_by_emergency,
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
/// The first word runs into the wake word and is heard worst. Where each word behind it is this probable at least, in nats,
/// it was said, though the whole be so much less probable than what is written; talk never came near.
const BEHIND_WORD_NATS: f32 = 0.4;
const HEADLESS_NATS: f32 = 9.0;
/// Fewest words of such a sentence; one that is less improbable may have two.
const HEADLESS_WORDS_MIN: usize = 3;
const HEADLESS_TWO_NATS: f32 = 2.0;
/// First words that are never taken on trust.
const UNTRUSTED: &str = "unlock open disarm delete remove clear erase forget";
/// A rival of one that is known without its first word.
const HEADLESS_MARGIN_NATS: f32 = 1.5;
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

/// The slot of what is named.
const NAME: &str = "name";
/// A text without what is in doubt may be this much less probable than one with it, in nats.
const DOUBTED_NATS: f32 = 2.5;
/// Words behind which more of a name comes.
const LEADING: &str = "a an the of to at for in and with my";
/// Words of lengths of time that are no numbers.
const TIME_WORDS: &str = "second seconds minute minutes hour hours day days week weeks and a an half quarter quarters of \
    point oh more less than";

/// Words of numbers.
const NUMBER_WORDS: &str = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen \
    sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred couple few";

/// What several texts for one sound come to.
#[derive(Debug, Clone, PartialEq)]
pub enum Best {
    /// One meaning.
    Meant(Box<Recognition>),
    /// Different meanings are as near: the sentences, for asking which. Nothing is guessed.
    Which(Vec<String>),
}

/// A text that the decoder was led to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Led<'a> {
    /// The text.
    pub text: &'a str,
    /// How much less probable it is than the text that is written without leading, in nats.
    pub nats: f32,
    /// Natural logarithm of the probability of what follows its first word.
    pub behind: f32,
}

impl Led<'_> {
    /// Words of the text.
    pub(super) fn words(&self) -> usize {
        self.text.split_whitespace().count()
    }

    /// Whether what follows the first word is borne out so well that the first word may be taken on trust, where one of
    /// these texts was written.
    pub(super) fn is_sure_behind(&self, written: &[(&str, f32)]) -> bool {
        let words = self.words();
        let text = self.text.to_lowercase();
        let first = text.split_whitespace().next().unwrap_or_default();
        let asks = |text: &str| {
            let text = text.to_lowercase();
            let first = text.split_whitespace().next().unwrap_or_default();
            first == "do"
                || ASKING
                    .split_whitespace()
                    .any(|word| first.starts_with(word))
        };
        // "Who turned on …" is told of, as is what has words before it.
        let fits = |text: &str| {
            !turns(text, self.text)
                && (asks(self.text) || !asks(text))
                && text.split_whitespace().count() <= words + 1
        };
        let long = words >= HEADLESS_WORDS_MIN || words == 2 && self.nats <= HEADLESS_TWO_NATS;
        let trusted = self.nats <= LED_NATS || !UNTRUSTED.split_whitespace().any(|no| first == no);
        long && trusted
            && self.nats <= HEADLESS_NATS
            && self.behind >= -BEHIND_WORD_NATS * (words - 1) as f32
            && written.iter().all(|(text, _)| fits(text))
    }
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
            let exact = exact.filter(|meant| self.makes_sense(meant, country));
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
                if self.makes_sense(&reading.meant, country) {
                    found.push(reading);
                }
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

    /// What the sentences come to that the decoder was led along: they are read as they stand, and how probable they are
    /// decides. `written` is what it writes when nobody leads it, with the natural logarithm of its probability first,
    /// then other texts, given as for [`Self::among`].
    #[must_use]
    pub fn led(
        &self,
        written: &[(&str, f32)],
        texts: &[Led<'_>],
        country: Country,
    ) -> Option<Best> {
        let (heard, first) = *written.first()?;
        let mut found: Vec<(f32, String, Recognition, bool)> = Vec::new();
        for led in texts {
            let text = led.text;
            if is_urgent(text, country) {
                return None;
            }
            let meant = self.read(text, country);
            let meant = meant.filter(|meant| self.makes_sense(meant, country));
            let Some(meant) = meant.filter(|_| !turns(heard, text)) else {
                continue;
            };
            let free = free_words(&meant) > 0;
            let (far, faint) = if free {
                (LED_FREE_NATS, LED_FREE_WORD_NATS)
            } else {
                (LED_NATS, LED_WORD_NATS)
            };
            let words = led.words() as f32;
            let is_borne_out = led.nats <= far && led.nats - first <= faint * words;
            let asks = ASKING
                .split_whitespace()
                .any(|word| text.to_lowercase().starts_with(word));
            if is_borne_out && (!free || is_told(&meant, text) && !asks) {
                found.push((led.nats, plain(text), meant, false));
            } else if !free && led.is_sure_behind(written) {
                found.push((led.nats, plain(text), meant, true));
            }
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (least, said, best, headless) = found.first()?;
        let margin = if *headless {
            HEADLESS_MARGIN_NATS
        } else {
            LED_MARGIN_NATS
        };
        let mut which = vec![said.clone()];
        for (nats, said, meant, _) in &found {
            let near = *nats <= least + margin && !does_the_same(meant, best);
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

    /// Whether a slot of free words holds what can hardly be meant: a list that the house has not, a length of time with a
    /// word that is none of time.
    fn is_doubtful(&self, meant: &Recognition, slot: &Slot) -> bool {
        let said = slot.value.spoken();
        slot.from == SlotFrom::Words
            && match slot.name.as_str() {
                NAME => meant.intent.contains("List") && !self.house.has(&said),
                "length" => self.language() == "en" && !is_length(&said),
                _ => false,
            }
    }

    /// Whether another text for the same sound may say better what is meant.
    pub(super) fn has_doubt(&self, meant: &Recognition) -> bool {
        meant.slots.iter().any(|slot| self.is_doubtful(meant, slot))
    }

    /// The same deed without what is in doubt, where another text for the same sound says so ("the chopping list"): texts
    /// are given as for [`Self::among`].
    pub(super) fn without_doubt(
        &self,
        meant: &Recognition,
        texts: &[(&str, f32)],
        country: Country,
    ) -> Option<Recognition> {
        let near = texts.iter().filter(|(_, nats)| *nats <= DOUBTED_NATS);
        near.filter_map(|(text, _)| self.read(text, country))
            .find(|other| {
                let better = |slot: &Slot| {
                    let mine = meant.slot(&slot.name);
                    mine.is_some_and(|mine| {
                        mine.value == slot.value
                            || self.is_doubtful(meant, mine) && !self.is_doubtful(other, slot)
                    })
                };
                other.intent == meant.intent
                    && other.slots.len() == meant.slots.len()
                    && other.slots.iter().all(better)
                    && other.slots != meant.slots
            })
    }

    /// Whether this can be meant: a name ends with no "of the", and a sentence that is kept for later is one that is read
    /// and no question: "what time is it in 3 hours" is nothing to be done then.
    #[must_use]
    pub fn makes_sense(&self, meant: &Recognition, country: Country) -> bool {
        meant.slots.iter().all(|slot| {
            let said = slot.value.spoken().to_lowercase();
            match slot.name.as_str() {
                NAME if slot.from == SlotFrom::Words => {
                    let last = said.split_whitespace().next_back().unwrap_or_default();
                    self.language() != "en" || !LEADING.split_whitespace().any(|word| word == last)
                }
                "conversation_command" => {
                    !is_question(&said) && self.read(&said, country).is_some()
                }
                _ => true,
            }
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

/// Whether an English sentence asks: it is answered at once or not at all.
fn is_question(said: &str) -> bool {
    let first = said.split_whitespace().next().unwrap_or_default();
    let first = first.split(['\'', '’']).next().unwrap_or_default();
    let mut asking = ASKING
        .split(' ')
        .chain(["was", "will", "does", "whats", "whens", "hows"]);
    asking.any(|word| word == first)
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

/// Whether all words of a text may stand in a length of time.
fn is_length(said: &str) -> bool {
    let said = said.to_lowercase();
    said.split(|c: char| !c.is_alphanumeric() && c != '.' && c != '/')
        .filter(|word| !word.is_empty())
        .all(|word| {
            word.starts_with(|c: char| c.is_numeric())
                || TIME_WORDS.split_whitespace().any(|known| known == word)
                || NUMBER_WORDS.split_whitespace().any(|known| known == word)
        })
}

/// A text as it is said back.
fn plain(text: &str) -> String {
    text.trim()
        .trim_end_matches(['.', '!', '?', ','])
        .to_lowercase()
}
