//! Whether the sentences of a household's routines can be read: by the very sentences that will read them.
use std::sync::Arc;

use hearthline_speaker::config::{ConfigError, Fault, Household};
use hearthline_voice::understand::Country;
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::sentences::House;
use serde_json::{Value, json};

use crate::compiled;
use crate::models::ModelFolder;

/// Longest name of a thing in a sentence, in words.
const NAME_WORDS_MAX: usize = 5;
/// What things in a house are.
const DOMAINS: [&str; 12] = [
    "light",
    "switch",
    "scene",
    "script",
    "media_player",
    "fan",
    "cover",
    "climate",
    "lock",
    "vacuum",
    "valve",
    "todo",
];

/// The actions of a valid file that no everyday sentence reads. Without the sentences' package nothing is said: the
/// speaker reads them when their time comes.
pub(crate) fn unread(text: &str) -> Vec<Fault> {
    let Ok(household) = Household::parse(text) else {
        return Vec::new();
    };
    let (false, Ok(country)) = (household.routines.is_empty(), household.country()) else {
        return Vec::new();
    };
    let folder = ModelFolder::locate();
    let Ok(program) = folder
        .map_err(|_| ())
        .and_then(|folder| compiled::program(&folder, "en", None).map_err(|_| ()))
    else {
        eprintln!("hearth: the sentences of routines were not read: hearth models install");
        return Vec::new();
    };
    let mut house = House::default();
    house.set_context_area(&household.device.name);
    let everyday = Everyday::new(Arc::new(program), house);
    let mut faults = Vec::new();
    for routine in &household.routines {
        let actions = routine.actions.iter();
        if let Some(at) = { actions }.position(|action| !is_read(&everyday, action, country)) {
            let why = format!("sentence {}: no everyday sentence reads it", at + 1);
            let error = ConfigError::Value {
                section: "routine",
                key: format!("{} do", routine.name),
                why,
            };
            faults.push(Fault::at(text, error));
        }
    }
    faults
}

/// Read as it stands, or by a house in which some words of it are the name of a thing or a room: which there are is known
/// only when the house's systems have told.
fn is_read(everyday: &Everyday, action: &str, country: Country) -> bool {
    if everyday.read(action, country).is_some() {
        return true;
    }
    let words: Vec<&str> = action
        .split_whitespace()
        .map(|word| word.trim_matches(|sign: char| !sign.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    // A sentence begins with a word of its own, not with a name: else any words would be somebody's.
    let articles = words
        .iter()
        .take_while(|word| ["the", "my", "our", "a"].contains(&word.to_lowercase().as_str()))
        .count();
    let (mut entities, mut areas) = (Vec::new(), Vec::new());
    for from in articles + 1..words.len() {
        for to in from + 1..=words.len().min(from + NAME_WORDS_MAX) {
            let name = words[from..to].join(" ");
            let of = |domain: &&str| json!({ "name": name, "domain": domain });
            entities.extend(DOMAINS.iter().map(of));
            areas.push(json!({ "name": name }));
        }
    }
    let with = |entities: Vec<Value>, areas: Vec<Value>| {
        House::from_json(&json!({ "entities": entities, "areas": areas }))
            .is_ok_and(|house| everyday.with_house(house).read(action, country).is_some())
    };
    with(entities, areas)
}
