//! The sentences of `data/emergency/`: the shared English templates with one country's numbers and services.
use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use thiserror::Error;

use super::country::Country;
use super::network::{Builder, Network, NetworkError, Parts};
use super::reading::{AskReason, RefusedClass, Reply};
use super::service::{Service, UnknownService};
use super::template::{Template, TemplateError};

/// What a group of sentences means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    Command,
    Ask(AskReason),
    Refused(RefusedClass),
    Reply(Reply),
    HangUpEmergency,
    Intent(String),
}

/// One country's sentences, compiled.
#[derive(Debug)]
pub(crate) struct Grammar {
    /// The automaton; it accepts with the index of a group.
    pub(crate) network: Network,
    /// What each group means, in order of priority.
    pub(crate) meanings: Vec<Meaning>,
    /// Rules and lists, for spelling phrases out.
    pub(crate) parts: Parts,
    /// The templates for the acoustic scorer.
    pub(crate) phrases: Phrases,
}

/// The sentence files are wrong.
#[derive(Debug, Error)]
pub(crate) enum GrammarError {
    /// Not TOML, or not the keys expected.
    #[error("sentence file: {0}")]
    Toml(#[from] toml::de::Error),
    /// A template is not well formed.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The templates do not fit together.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A service is unknown.
    #[error(transparent)]
    Service(#[from] UnknownService),
    /// A group means nothing that this program knows.
    #[error(
        "a group of sentences means {0:?}: use command, hang_up_emergency, ask:…, refused:…, reply:… or intent:…"
    )]
    Meaning(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentenceFile {
    rules: BTreeMap<String, String>,
    lists: BTreeMap<String, Vec<Value>>,
    sentences: Vec<Group>,
    phrases: PhraseTemplates,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Value {
    r#in: String,
    out: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    means: String,
    templates: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhraseTemplates {
    prefixes: String,
    suffixes: String,
    cores: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountryFile {
    country: String,
    numbers: Vec<Number>,
    lists: CountryLists,
    services: BTreeMap<String, String>,
    spoken: BTreeMap<String, String>,
    garbled: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Number {
    digits: String,
    spoken: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountryLists {
    foreign: String,
    date: String,
    foreign_date: String,
    crisis: String,
    garbled_number: String,
}

/// The templates of `[phrases]`, parsed.
#[derive(Debug)]
pub(crate) struct Phrases {
    pub(crate) prefixes: Template,
    pub(crate) suffixes: Template,
    pub(crate) cores: Vec<Template>,
}

const ENGLISH: &str = include_str!("../../data/emergency/english.toml");

const fn country_file(country: Country) -> &'static str {
    match country {
        Country::UnitedStates => include_str!("../../data/emergency/us.toml"),
        Country::Canada => include_str!("../../data/emergency/ca.toml"),
        Country::UnitedKingdom => include_str!("../../data/emergency/gb.toml"),
        Country::EuropeanUnion => include_str!("../../data/emergency/eu.toml"),
        Country::Australia => include_str!("../../data/emergency/au.toml"),
    }
}

/// The grammar of `country`, compiled at the first use.
pub(crate) fn grammar(country: Country) -> &'static Grammar {
    static GRAMMARS: [OnceLock<Grammar>; Country::ALL.len()] =
        [const { OnceLock::new() }; Country::ALL.len()];
    GRAMMARS[country.index()].get_or_init(|| {
        Grammar::parse(ENGLISH, country_file(country))
            .expect("the built-in sentences compile: a test reads them all")
    })
}

/// What names an emergency service, a crisis line or an emergency number in any country, for what must never be taken
/// for somebody's name.
pub(crate) struct EveryCountry {
    /// The lists of all country files together.
    pub(crate) lists: Parts,
    /// Every emergency number, own or foreign.
    pub(crate) numbers: Vec<String>,
}

/// The lists of all countries.
pub(crate) fn every_country() -> Result<EveryCountry, GrammarError> {
    let mut all = EveryCountry {
        lists: Parts::default(),
        numbers: Vec::new(),
    };
    for country in Country::ALL {
        let file: CountryFile = toml::from_str(country_file(country))?;
        let mut parts = Parts::default();
        file.add_to(&mut parts)?;
        for (name, values) in parts.lists {
            let known = all.lists.lists.entry(name).or_default();
            for value in values {
                if !known.contains(&value) {
                    known.push(value);
                }
            }
        }
        let own = file.numbers.iter().map(|number| number.digits.as_str());
        let digits = own.chain(file.lists.foreign.split('|'));
        for digits in digits.filter(|text| text.bytes().all(|b| b.is_ascii_digit())) {
            if !digits.is_empty() && !all.numbers.iter().any(|known| known == digits) {
                all.numbers.push(digits.to_owned());
            }
        }
    }
    Ok(all)
}

impl Grammar {
    fn parse(english: &str, country: &str) -> Result<Self, GrammarError> {
        let english: SentenceFile = toml::from_str(english)?;
        let country: CountryFile = toml::from_str(country)?;
        let mut parts = Parts::default();
        for (name, text) in &english.rules {
            parts.rules.insert(name.clone(), Template::parse(text)?);
        }
        for (name, values) in &english.lists {
            let mut list = Vec::new();
            for value in values {
                list.push((Template::parse(&value.r#in)?, value.out.clone()));
            }
            parts.lists.insert(name.clone(), list);
        }
        country.add_to(&mut parts)?;
        let mut builder = Builder::new(&parts);
        let mut meanings = Vec::new();
        for (index, group) in english.sentences.iter().enumerate() {
            meanings.push(meaning(&group.means)?);
            for text in &group.templates {
                let accept = u32::try_from(index).expect("groups are few");
                builder.add(&Template::parse(text)?, accept)?;
            }
        }
        let network = builder.build()?;
        let mut cores = Vec::new();
        for text in &english.phrases.cores {
            cores.push(Template::parse(text)?);
        }
        let phrases = Phrases {
            prefixes: Template::parse(&english.phrases.prefixes)?,
            suffixes: Template::parse(&english.phrases.suffixes)?,
            cores,
        };
        Ok(Self {
            network,
            meanings,
            parts,
            phrases,
        })
    }
}

impl CountryFile {
    fn add_to(&self, parts: &mut Parts) -> Result<(), GrammarError> {
        debug_assert!(self.country.parse::<Country>().is_ok());
        let sos = Service::Sos.urn();
        let list = |text: &str, out: &str| -> Result<Vec<(Template, String)>, GrammarError> {
            if text.is_empty() {
                return Ok(Vec::new());
            }
            Ok(vec![(Template::parse(text)?, out.to_owned())])
        };
        let by_service =
            |table: &BTreeMap<String, String>| -> Result<Vec<(Template, String)>, GrammarError> {
                let mut out = Vec::new();
                for (urn, text) in table {
                    let service: Service = urn.parse()?;
                    out.push((Template::parse(text)?, service.urn().to_owned()));
                }
                Ok(out)
            };
        let mut numbers = Vec::new();
        let mut spoken_numbers = Vec::new();
        let mut oh_behind = Vec::new();
        for number in &self.numbers {
            numbers.push((Template::parse(&number.digits)?, sos.to_owned()));
            spoken_numbers.push((Template::parse(&number.spoken)?, sos.to_owned()));
            // Behind a number of zeros an oh is one more.
            if !number.digits.ends_with('0') {
                let digits = &number.digits;
                let ohs = format!("{digits}0|{digits}00|{digits}000");
                oh_behind.push((Template::parse(&ohs)?, sos.to_owned()));
            }
        }
        let lists = &self.lists;
        for (name, values) in [
            ("number", numbers),
            ("spoken_number", spoken_numbers),
            ("oh_behind", oh_behind),
            ("service", by_service(&self.services)?),
            ("spoken_service", by_service(&self.spoken)?),
            ("garbled_service", by_service(&self.garbled)?),
            ("foreign", list(&lists.foreign, "")?),
            ("date", list(&lists.date, sos)?),
            ("foreign_date", list(&lists.foreign_date, "")?),
            (
                "crisis",
                list(&lists.crisis, "urn:service:counseling.suicide")?,
            ),
            ("garbled_number", list(&lists.garbled_number, sos)?),
        ] {
            parts.lists.insert(name.to_owned(), values);
        }
        // "The police and an ambulance": whoever answers any emergency.
        parts.mixed.insert("service".to_owned(), sos.to_owned());
        Ok(())
    }
}

fn meaning(text: &str) -> Result<Meaning, GrammarError> {
    let unknown = || GrammarError::Meaning(text.to_owned());
    let (kind, name) = text.split_once(':').unwrap_or((text, ""));
    Ok(match (kind, name) {
        ("command", "") => Meaning::Command,
        ("hang_up_emergency", "") => Meaning::HangUpEmergency,
        ("intent", name) if !name.is_empty() => Meaning::Intent(name.to_owned()),
        ("reply", "yes") => Meaning::Reply(Reply::Yes),
        ("reply", "no") => Meaning::Reply(Reply::No),
        ("reply", "cancel") => Meaning::Reply(Reply::Cancel),
        ("ask", name) => {
            let reason = AskReason::ALL
                .into_iter()
                .find(|reason| reason.name() == name);
            Meaning::Ask(reason.ok_or_else(unknown)?)
        }
        ("refused", name) => {
            let class = RefusedClass::ALL
                .into_iter()
                .find(|class| class.name() == name);
            Meaning::Refused(class.ok_or_else(unknown)?)
        }
        _ => return Err(unknown()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_of_every_country_compile() {
        for country in Country::ALL {
            let parsed = Grammar::parse(ENGLISH, country_file(country)).unwrap();
            let (states, moves) = parsed.network.size();
            println!("{country}: {states} states, {moves} moves");
            assert!(
                moves < 400_000,
                "{country}: {moves} moves are slow to build"
            );
            let file: CountryFile = toml::from_str(country_file(country)).unwrap();
            assert_eq!(file.country, country.code());
        }
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_reason() {
        let wrong = ENGLISH.replacen("means = \"command\"", "means = \"comand\"", 1);
        let error = Grammar::parse(&wrong, country_file(Country::UnitedStates)).unwrap_err();
        assert!(error.to_string().contains("comand"), "{error}");
        let wrong = ENGLISH.replacen("<lead> <order>", "<lead> <ordr>", 1);
        let error = Grammar::parse(&wrong, country_file(Country::UnitedStates)).unwrap_err();
        assert!(error.to_string().contains("<ordr>"), "{error}");
    }
}
