//! What names an emergency service, number or crisis line of any country is nobody to call, to message or to drop in on.
use std::sync::OnceLock;

use super::super::grammar::{EveryCountry, GrammarError, every_country};
use super::super::names::Sounds;
use super::super::network::{Builder, Network, Parts};
use super::super::spell::spell_out;
use super::super::template::Template;
use super::super::words::Word;

/// Fewest digits of a number to call: shorter ones are service codes, or an emergency number misheard.
const DIGITS_MIN: usize = 5;
/// Most digits: an international prefix and the 15 of E.164.
const DIGITS_MAX: usize = 18;
/// A number that begins with an emergency number of some country needs as many digits to be another one.
const LONG_DIGITS_MIN: usize = 7;
/// A name this near to a service by sound is taken for it.
const SOUNDS_LIKE_MAX: f32 = 0.2;

/// The lists of all countries, compiled.
#[derive(Debug)]
pub(super) struct Guard {
    /// Accepts any words among which a service, number or crisis line stands, and its garbled spellings alone.
    anywhere: Network,
    /// The services by themselves, to know their heads.
    services: Network,
    /// The services as the recogniser is told to expect them, for the comparison by sound.
    spoken: Vec<Sounds>,
    numbers: Vec<String>,
}

/// The guard, made at the first use.
pub(super) fn guard() -> &'static Guard {
    static GUARD: OnceLock<Guard> = OnceLock::new();
    GUARD.get_or_init(|| {
        every_country()
            .and_then(|all| Guard::new(&all))
            .expect("the built-in lists compile: a test reads them")
    })
}

impl Guard {
    fn new(all: &EveryCountry) -> Result<Self, GrammarError> {
        let names = "{number:s}|{service:s}|{foreign:s}|{crisis:s}";
        let anywhere = [
            format!("... ({names}) ..."),
            "[the|a|an|my|to|for] ({garbled_service:s}|{garbled_number:s}|{spoken_number:s}|{spoken_service:s})"
                .to_owned(),
        ];
        let services = format!("[the|a|an|my] ({names})");
        Ok(Self {
            anywhere: network(&all.lists, &anywhere)?,
            services: network(&all.lists, &[services])?,
            spoken: spell_out(
                &Template::parse("{spoken_number:s}|{spoken_service:s}|{crisis:s}")?,
                &all.lists,
                "s",
            )?
            .into_iter()
            .map(|(text, _)| Sounds::of(&text))
            .collect(),
            numbers: all.numbers.clone(),
        })
    }

    /// Whether these words name something that is called for help.
    pub(super) fn names(&self, list: &[Word], text: &str) -> bool {
        let said = Sounds::of(text);
        // "The sheriff's wife" names the sheriff.
        let owners: Vec<Word> = list
            .iter()
            .map(|word| Word {
                text: word
                    .text
                    .strip_suffix("'s")
                    .unwrap_or(&word.text)
                    .to_owned(),
                ..word.clone()
            })
            .collect();
        // As written: "five 911" is a longer number when it is read as one.
        let mut written = text.split(|c: char| !c.is_ascii_alphanumeric());
        written.any(|word| self.numbers.iter().any(|number| number == word))
            || !self.anywhere.matches(list).is_empty()
            || !self.anywhere.matches(&owners).is_empty()
            || self
                .spoken
                .iter()
                .any(|service| service.unlikeness(&said) <= SOUNDS_LIKE_MAX)
    }

    /// Whether a service begins with these words.
    pub(super) fn begins(&self, list: &[Word]) -> bool {
        !list.is_empty() && self.services.begins(list)
    }

    /// Whether these digits may be dialled as somebody's number: not too few, and no emergency number with a few more.
    pub(super) fn may_dial(&self, digits: &str, international: bool) -> bool {
        if !(DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) {
            return false;
        }
        let long = digits.len() >= LONG_DIGITS_MIN;
        if international {
            return long;
        }
        let mut numbers = self.numbers.iter();
        !numbers.any(|number| digits.starts_with(number.as_str()) && (!long || leads(number)))
    }
}

/// Numbers behind which no line of any length begins: in North America, Britain and Australia none does.
fn leads(number: &str) -> bool {
    matches!(number, "911" | "999" | "000" | "112")
}

fn network(parts: &Parts, templates: &[String]) -> Result<Network, GrammarError> {
    let mut builder = Builder::new(parts);
    for (text, index) in templates.iter().zip(0_u32..) {
        builder.add(&Template::parse(text)?, index)?;
    }
    Ok(builder.build()?)
}

#[cfg(test)]
mod tests {
    use super::super::super::words::words;
    use super::*;

    fn names(text: &str) -> bool {
        guard().names(&words(text), text)
    }

    #[test]
    fn services_numbers_and_crisis_lines_of_any_country_are_nobody() {
        for text in [
            "the police",
            "police",
            "sheriff taylor",
            "the sheriff's wife",
            "ambulance",
            "the ambulence",
            "coastguard",
            "poison control",
            "the samaritans",
            "suicide hotline",
            "lifeline",
            "fire brigade",
            "911",
            "999",
            "000",
            "the cops",
            "paramedics",
            "my emergency contact",
            "mountain rescue",
            "polees",
            "emergency services",
            "five 911 double",
            "112's wife",
        ] {
            assert!(names(text), "{text}");
        }
        for text in [
            "Emma",
            "Alice",
            "Anna Smith",
            "kitchen",
            "mum",
            "the office",
            "Paul",
            "Sherry",
            "Dr. Wright",
            "Polly",
            "Grandma",
            "living room",
            "mother in law",
            "Phil",
            "Karen",
        ] {
            assert!(!names(text), "{text}");
        }
    }

    #[test]
    fn short_numbers_and_those_that_begin_like_an_emergency_are_not_dialled() {
        let guard = guard();
        for digits in [
            "911",
            "91",
            "9111",
            "921",
            "91191",
            "9115550100",
            "112",
            "1122",
            "11255",
            "0000",
            "00000",
            "99955",
            "5555555555555555555",
        ] {
            assert!(!guard.may_dial(digits, false), "{digits}");
        }
        for digits in [
            "5550123",
            "15550100",
            "02079460123",
            "55501",
            "0049305550100",
        ] {
            assert!(guard.may_dial(digits, false), "{digits}");
        }
        assert!(guard.may_dial("911155550100", true));
        assert!(!guard.may_dial("911", true));
    }

    #[test]
    fn heads_of_services_are_known() {
        let guard = guard();
        for text in ["poison", "mountain", "the fire", "suicide", "first"] {
            assert!(guard.begins(&words(text)), "{text}");
        }
        for text in ["Anna", "the kitchen", ""] {
            assert!(!guard.begins(&words(text)), "{text}");
        }
    }
}
