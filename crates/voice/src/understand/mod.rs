//! From a transcript to its meaning: an order to call for help, a question, a refusal, a reply, an everyday intent.
//!
//! ```text
//! transcript ─► words (numbers folded) ─► network of sentence templates ─► first group that matches ─► Reading
//!                                                │ nothing matched
//!                                                └─► mended words ─► at most a question
//! ```
//! What none of them is, and a call to somebody else, is read again by the sentences of the household ([`household`]):
//! calls, messages, volume; and what is left then by the compiled sentences of the language ([`everyday`]). They change
//! no verdict about an emergency.
//! Orders are closed wordings: a word that the sentences in `data/emergency/` do not hold can never be part of one.
mod again;
pub mod automaton;
pub mod country;
pub mod everyday;
mod grammar;
pub mod household;
pub mod judge;
pub mod mass;
mod mend;
mod mishearing;
pub mod names;
mod network;
mod numbers;
pub mod phrases;
pub mod reading;
pub mod sentences;
pub mod service;
mod spell;
mod steered;
mod template;
pub mod verdict;
mod words;

pub use country::{Country, UnknownCountry};
pub use phrases::{Core, PhraseSet, emergency_phrases};
pub use reading::{AskReason, Intent, Reading, RefusedClass, Reply};
pub use service::{Service, UnknownService};
pub use words::TRANSCRIPT_BYTES_MAX;

use grammar::{Grammar, Meaning, grammar};
use network::Slots;
use words::{Word, words};

/// Most words that are mended in one sentence.
const MENDED_MAX: usize = 2;
/// Longest sentence that is mended, in words.
const MENDED_WORDS_MAX: usize = 12;

/// Reads one transcript for a speaker set up in `country`.
///
/// The wake word may still stand in front. Longer than [`TRANSCRIPT_BYTES_MAX`] is nothing that one person says
/// in one breath: it reads as [`Reading::Other`]. The time is linear in the transcript.
#[must_use]
pub fn read(transcript: &str, country: Country) -> Reading {
    if transcript.len() > TRANSCRIPT_BYTES_MAX {
        return Reading::Other;
    }
    let grammar = grammar(country);
    let list = words(transcript);
    let reading = best(grammar, &list);
    let unsure = matches!(
        reading,
        Reading::Other
            | Reading::Refused {
                class: RefusedClass::Contact | RefusedClass::Unclear,
                ..
            }
            | Reading::Ask {
                why: AskReason::Unclear,
                ..
            }
    );
    if unsure {
        mended(grammar, list).unwrap_or(reading)
    } else {
        reading
    }
}

/// The first group that matches all words.
fn best(grammar: &Grammar, list: &[Word]) -> Reading {
    if list.is_empty() {
        return Reading::Other;
    }
    let found = grammar.network.matches(list);
    let Some((group, slots)) = found.first() else {
        return Reading::Other;
    };
    reading(grammar, *group, slots, list)
}

fn reading(grammar: &Grammar, group: u32, slots: &Slots, list: &[Word]) -> Reading {
    let named = grammar
        .network
        .slot(slots, "service")
        .and_then(|urn| urn.parse::<Service>().ok());
    let service = named.unwrap_or(Service::Sos);
    let quiet = grammar.network.slot(slots, "quiet").is_some();
    match &grammar.meanings[group as usize] {
        Meaning::Command => Reading::Command {
            service,
            quiet,
            words: joined(list),
        },
        Meaning::Ask(why) => Reading::Ask {
            service,
            why: *why,
            quiet,
        },
        Meaning::Refused(class) => Reading::Refused {
            class: *class,
            service: named,
        },
        Meaning::Reply(reply) => Reading::Reply(*reply),
        Meaning::HangUpEmergency => Reading::HangUpEmergency,
        Meaning::Intent(name) => {
            let mut slots_out = std::collections::BTreeMap::new();
            for slot in ["service", "crisis"] {
                if let Some(value) = grammar.network.slot(slots, slot) {
                    slots_out.insert("service".to_owned(), value.to_owned());
                }
            }
            Reading::Intent(Intent {
                name: name.clone(),
                slots: slots_out,
            })
        }
    }
}

/// A question, if the sentence is an order or a polite question once a misspelt word is mended.
fn mended(grammar: &Grammar, mut list: Vec<Word>) -> Option<Reading> {
    if list.len() > MENDED_WORDS_MAX {
        return None;
    }
    let mut count = 0;
    for word in &mut list {
        if grammar.network.knows(&word.text) {
            continue;
        }
        if let Some(known) = mend::mend(&word.text) {
            known.clone_into(&mut word.text);
            count += 1;
        }
    }
    if count == 0 || count > MENDED_MAX {
        return None;
    }
    match best(grammar, &list) {
        Reading::Command { service, quiet, .. } | Reading::Ask { service, quiet, .. } => {
            Some(Reading::Ask {
                service,
                why: AskReason::Misheard,
                quiet,
            })
        }
        _ => None,
    }
}

fn joined(list: &[Word]) -> String {
    let texts: Vec<&str> = list.iter().map(|word| word.text.as_str()).collect();
    texts.join(" ")
}
