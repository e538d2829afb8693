//! What the recogniser makes of an order behind the wake word, and how it reads.
//!
//! Three slips account for most orders that are heard as something else: the verb in the past ("called the police"),
//! the article ("call and ambulance"), the first digit ("call mine one one", "phone, I'm one one"). Mended they read
//! as an order, but never as a sure one: [`super::reading::AskReason::Misheard`], so that only the sound can make it one.
use super::automaton::Payload;
use super::reading::{AskReason, Reading};
use super::service::Service;
use super::words::words;
use super::{Country, read};

/// A text behind the wake word, read.
pub(super) struct Heard {
    /// How it reads; mended texts as [`AskReason::Misheard`].
    pub(super) reading: Reading,
    /// The order that it is, as it stands or mended by one of the three slips.
    pub(super) order: Option<(Service, bool)>,
}

/// Verbs as they come out when their end runs into the next word. Nobody tells the speaker a story without saying who
/// called, so a sentence does not begin with them.
const PAST: [(&str, &str); 8] = [
    ("called", "call"),
    ("sent", "send"),
    ("got", "get"),
    ("phoned", "phone"),
    ("dialed", "dial"),
    ("dialled", "dial"),
    ("rang", "ring"),
    ("contacted", "contact"),
];

/// "God, the police are here" is written with "got" as well, so that a sentence with it is not mended; the sound alone may
/// still be an order that begins so.
const NO_SLIP: &str = "got";

/// What becomes of "an" before a vowel.
const ARTICLES: [&str; 3] = ["and", "in", "on"];

/// Words that stand before "one one" without being a garbled digit.
const NO_NINE: [&str; 28] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "zero", "oh", "o",
    "double", "triple", "call", "called", "phone", "ring", "dial", "get", "contact", "and", "the",
    "please", "not", "no", "to", "won",
];

/// Read a text as one behind the wake word.
pub(super) fn hear(text: &str, country: Country) -> Heard {
    let reading = read(text, country);
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    // "And call" may be what is left of "don't call".
    if words.first().is_some_and(|word| word == "and") {
        return Heard {
            reading: misheard(reading),
            order: None,
        };
    }
    match reading {
        Reading::Command { service, quiet, .. } => {
            return Heard {
                reading,
                order: Some((service, quiet)),
            };
        }
        Reading::Refused { .. } | Reading::Other => {}
        Reading::Ask { why, .. } if why.may_be_order() => {}
        _ => {
            return Heard {
                reading,
                order: None,
            };
        }
    }
    let mended = mend(&words, country);
    if mended == words {
        return Heard {
            reading,
            order: None,
        };
    }
    let new = read(&mended.join(" "), country);
    match new {
        Reading::Command { service, quiet, .. } => Heard {
            reading: misheard(new),
            order: Some((service, quiet)),
        },
        // A slip mended may show a contact or a question; a reading that asked already stays.
        _ if matches!(reading, Reading::Ask { .. }) => Heard {
            reading,
            order: None,
        },
        _ => Heard {
            reading: new,
            order: None,
        },
    }
}

/// Words at the head of a text among which a "please" stands before the verb.
const HEAD_WORDS: usize = 2;

/// Whether the verb of an order stands in the past.
pub(super) fn is_past(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| PAST.iter().any(|(past, _)| word.eq_ignore_ascii_case(past)))
}

/// Whether a text has room for a word before the order that it may be: it has more words and begins with no verb of
/// calling, in whatever form ("call", "called", "calling").
pub(super) fn stands_before(text: &str, order: &str) -> bool {
    let (text, order) = (words(text), words(order));
    let first = text.first().map_or("", |word| word.text.as_str());
    let mut forms = PAST.iter().flat_map(|(past, now)| [past, now]);
    text.len() > order.len() && !forms.any(|form| first.starts_with(form))
}

/// Whether an order begins with a "please" that a text has nothing of: in the sound it stands for a "don't", a "they
/// say" or a "play" as well.
pub(super) fn pleads_unheard(text: &str, order: &str) -> bool {
    let pleads = |word: &str| word.starts_with("pleas");
    let (text, order) = (words(text), words(order));
    let mut head = text.iter().take(HEAD_WORDS);
    order.first().is_some_and(|word| pleads(&word.text)) && !head.any(|word| pleads(&word.text))
}

/// How the recogniser writes orders when their first word or their article slips: more wordings for the tree.
pub(super) fn slips(cores: &[(String, Payload)]) -> Vec<(String, Payload)> {
    let mut slips = Vec::new();
    for (text, payload) in cores {
        let (verb, whom) = text.split_once(' ').unwrap_or((text, ""));
        let whoms = ARTICLES
            .iter()
            .filter_map(|article| Some(format!("{article} {}", whom.strip_prefix("an ")?)))
            .chain([whom.to_owned()]);
        for whom in whoms {
            let verbs = PAST.iter().filter(|(_, now)| *now == verb);
            for verb in verbs.map(|(past, _)| *past).chain([verb]) {
                let slip = (format!("{verb} {whom}"), *payload);
                if !cores.contains(&slip) && !slips.contains(&slip) {
                    slips.push(slip);
                }
            }
        }
    }
    slips
}

fn misheard(reading: Reading) -> Reading {
    match reading {
        Reading::Command { service, quiet, .. } => Reading::Ask {
            service,
            why: AskReason::Misheard,
            quiet,
        },
        other => other,
    }
}

fn mend(words: &[String], country: Country) -> Vec<String> {
    let mut words = words.to_vec();
    if let Some(first) = words.first_mut()
        && first != NO_SLIP
        && let Some((_, verb)) = PAST.iter().find(|(past, _)| past == first)
    {
        *first = (*verb).to_owned();
    }
    for at in 1..words.len() {
        if words[at] == "ambulance" && ARTICLES.contains(&words[at - 1].as_str()) {
            words[at - 1] = "an".to_owned();
        }
    }
    if matches!(country, Country::UnitedStates | Country::Canada) {
        let one = |word: &String| ["one", "1", "won"].contains(&word.as_str());
        let garbled = |word: &String| {
            !NO_NINE.contains(&word.as_str())
                && word.len() <= 6
                && !word.contains(|c: char| c.is_ascii_digit())
        };
        let place = (1..words.len().saturating_sub(1)).find(|&at| {
            garbled(&words[at]) && one(&words[at + 1]) && words.get(at + 2).is_some_and(one)
                || garbled(&words[at]) && words[at + 1] == "11"
        });
        if let Some(at) = place {
            words[at] = "nine".to_owned();
            words[at + 1] = "one".to_owned();
            if words.get(at + 2).is_some_and(one) {
                words[at + 2] = "one".to_owned();
            } else {
                words.insert(at + 2, "one".to_owned());
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_an_order_read_as_misheard() {
        for (text, service) in [
            ("Called the police now.", Service::Police),
            ("please call and ambulance", Service::Ambulance),
            ("Sent an ambulance.", Service::Ambulance),
            ("phone, I'm one one.", Service::Sos),
            ("called home one one right now", Service::Sos),
            ("call mine 11", Service::Sos),
        ] {
            let heard = hear(text, Country::UnitedStates);
            assert_eq!(heard.order, Some((service, false)), "{text}");
            assert!(
                matches!(
                    heard.reading,
                    Reading::Ask {
                        why: AskReason::Misheard,
                        ..
                    }
                ),
                "{text}: {:?}",
                heard.reading
            );
        }
    }

    #[test]
    fn slips_stand_beside_the_orders_of_the_tree() {
        let payload = |service| Payload {
            meaning: super::super::automaton::Meaning::Order,
            service,
            quiet: false,
        };
        let cores = [
            ("call 911".to_owned(), payload(Service::Sos)),
            ("send an ambulance".to_owned(), payload(Service::Ambulance)),
        ];
        let slips = slips(&cores);
        let texts: Vec<&str> = slips.iter().map(|slip| slip.0.as_str()).collect();
        assert!(texts.contains(&"called 911") && texts.contains(&"sent in ambulance"));
        assert!(texts.contains(&"send and ambulance") && !texts.contains(&"call 911"));
        assert!(is_past("Called 9-1-1.") && is_past("please sent an ambulance"));
        assert!(!is_past("call the police") && !is_past("gotten"));
        assert!(stands_before("the cold 911", "called nine one one"));
        assert!(stands_before("who called 911", "called 911"));
        assert!(!stands_before("Called her nine one one", "called 911"));
        assert!(!stands_before(
            "on the fire brigade",
            "called the fire brigade"
        ));
    }

    #[test]
    fn what_is_no_slip_stays_what_it_is() {
        for text in [
            "I called the police",
            "she called an ambulance yesterday",
            "call five one one",
            "don't call mine one one",
            "did you call the police",
            "and call the police",
            "call the police museum",
            "play call mine one one",
            "got the police out here",
        ] {
            let heard = hear(text, Country::UnitedStates);
            assert_eq!(heard.order, None, "{text}");
            assert!(!matches!(heard.reading, Reading::Command { .. }), "{text}");
        }
        assert_eq!(
            hear("call home one one", Country::UnitedKingdom).order,
            None
        );
    }
}
