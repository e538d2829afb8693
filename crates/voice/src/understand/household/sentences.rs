//! The sentences of `data/household/`, compiled.
use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use thiserror::Error;

use super::super::names::Sounds;
use super::super::network::{Builder, Network, NetworkError, Parts};
use super::super::reading::Intent;
use super::super::template::{Template, TemplateError};

/// How the free parts of a sentence are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As they were taken down.
    Plain,
    /// Only if the name is one that the household knows.
    Known,
    /// Only if the number has as many digits as a local one.
    Long,
    /// Name and text in one piece: where the name ends is to be found. The text may be missing.
    Split,
    /// The same, and there must be a text.
    Told,
}

/// The compiled sentences.
#[derive(Debug)]
pub(super) struct Sentences {
    /// Accepts with the index of a group.
    pub(super) network: Network,
    /// The intent of each group, in order of priority.
    pub(super) meanings: Vec<(String, Way)>,
    /// Sentences to compare by sound.
    pub(super) spoken: Vec<Spoken>,
}

/// A sentence without free parts, as it sounds.
#[derive(Debug)]
pub(super) struct Spoken {
    /// Its words, one space apart.
    pub(super) text: String,
    pub(super) sounds: Sounds,
    pub(super) intent: Intent,
}

#[derive(Debug, Error)]
enum SentencesError {
    #[error("household sentence file: {0}")]
    Toml(#[from] toml::de::Error),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(
        "a household sentence means {0:?}: use an intent's name, alone or with :known, :long, :split or :told"
    )]
    Meaning(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rules: BTreeMap<String, String>,
    lists: BTreeMap<String, Vec<Value>>,
    sounds: BTreeMap<String, Vec<String>>,
    sentences: Vec<Group>,
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

const ENGLISH: &str = include_str!("../../../data/household/english.toml");

/// The sentences, compiled at the first use.
pub(super) fn sentences() -> &'static Sentences {
    static SENTENCES: OnceLock<Sentences> = OnceLock::new();
    SENTENCES.get_or_init(|| {
        Sentences::parse(ENGLISH).expect("the built-in sentences compile: a test reads them")
    })
}

impl Sentences {
    fn parse(text: &str) -> Result<Self, SentencesError> {
        let file: File = toml::from_str(text)?;
        let mut parts = Parts::default();
        for (name, text) in &file.rules {
            parts.rules.insert(name.clone(), Template::parse(text)?);
        }
        for (name, values) in &file.lists {
            let mut list = Vec::new();
            for value in values {
                list.push((Template::parse(&value.r#in)?, value.out.clone()));
            }
            parts.lists.insert(name.clone(), list);
        }
        let mut builder = Builder::new(&parts);
        let mut meanings = Vec::new();
        for (group, index) in file.sentences.iter().zip(0_u32..) {
            meanings.push(meaning(&group.means)?);
            for text in &group.templates {
                builder.add(&Template::parse(text)?, index)?;
            }
        }
        let network = builder.build()?;
        let mut spoken = Vec::new();
        for (what, texts) in file.sounds {
            let intent = intent(&what)?;
            spoken.extend(texts.into_iter().map(|text| Spoken {
                sounds: Sounds::of(&text),
                text,
                intent: intent.clone(),
            }));
        }
        Ok(Self {
            network,
            meanings,
            spoken,
        })
    }
}

/// "CallPress digits=*": a name and its slots.
fn intent(text: &str) -> Result<Intent, SentencesError> {
    let mut parts = text.split(' ');
    let (name, _) = meaning(parts.next().unwrap_or(""))?;
    let mut slots = BTreeMap::new();
    for part in parts {
        let (slot, value) = part
            .split_once('=')
            .ok_or_else(|| SentencesError::Meaning(text.to_owned()))?;
        slots.insert(slot.to_owned(), value.to_owned());
    }
    Ok(Intent { name, slots })
}

fn meaning(text: &str) -> Result<(String, Way), SentencesError> {
    let wrong = || SentencesError::Meaning(text.to_owned());
    let (name, way) = match text.split_once(':') {
        None => (text, Way::Plain),
        Some((name, "known")) => (name, Way::Known),
        Some((name, "long")) => (name, Way::Long),
        Some((name, "split")) => (name, Way::Split),
        Some((name, "told")) => (name, Way::Told),
        Some(_) => return Err(wrong()),
    };
    if !super::INTENTS.contains(&name) {
        return Err(wrong());
    }
    Ok((name.to_owned(), way))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_compile_and_stay_small() {
        let parsed = Sentences::parse(ENGLISH).unwrap();
        let (states, moves) = parsed.network.size();
        println!("{states} states, {moves} moves");
        assert!(moves < 200_000, "{moves} moves are slow to build");
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_reason() {
        for (good, bad) in [
            ("means = \"CallStart\"", "means = \"CallStrat\""),
            (
                "means = \"MessageSend:split\"",
                "means = \"MessageSend:spilt\"",
            ),
            ("<lead> answer", "<laed> answer"),
        ] {
            let wrong = ENGLISH.replacen(good, bad, 1);
            assert_ne!(wrong, ENGLISH);
            assert!(Sentences::parse(&wrong).is_err(), "{bad}");
        }
    }
}
