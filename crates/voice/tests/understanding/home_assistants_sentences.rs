//! The 1,110 English test sentences of Home Assistant's intents: intent, slots, combination and spoken response.
#![allow(clippy::disallowed_methods, reason = "tests read files")]
use std::path::Path;

use crate::language_files::{compiled, english_with_ours, intents, suite};
use hearthline_voice::understand::sentences::{
    House, Moment, Program, Responses, SlotFrom, World, left_by_emergency,
};
use hearthline_voice::understand::{Country, read};
use serde_json::Value;

const NOW: Moment = Moment {
    year: 2013,
    month: 9,
    day: 17,
    hour: 1,
    minute: 2,
};

/// What is wrong with the reading of a row.
pub(crate) fn wrong(program: &Program, responses: &Responses, row: &Value) -> Option<String> {
    let sentence = row["sentence"].as_str().unwrap();
    let mut house = House::from_json(row).unwrap();
    if house.context_area().is_none() {
        house.set_context_area("__context_area__");
    }
    let Some(meant) = program.recognise(sentence, &house.lists(), &house.context()) else {
        return Some("nothing".into());
    };
    if row["intent"] != meant.intent {
        return Some(format!("intent {} by \"{}\"", meant.intent, meant.template));
    }
    if row["slot_combination"].as_str() != meant.combination.as_deref() {
        return Some(format!(
            "combination {:?} by \"{}\"",
            meant.combination, meant.template
        ));
    }
    let slots: Vec<_> = meant
        .slots
        .iter()
        .filter(|slot| slot.from != SlotFrom::Context)
        .collect();
    let names = row["slot_names"].as_array().unwrap();
    if slots.len() != names.len()
        || !slots
            .iter()
            .all(|slot| names.contains(&slot.name.clone().into()))
    {
        return Some(format!("slots {slots:?}, not {names:?}"));
    }
    for (name, expected) in row["slots"].as_object().unwrap() {
        let value = slots
            .iter()
            .find(|slot| slot.name == *name)?
            .value
            .to_json();
        let same =
            value == *expected || value.as_f64().is_some() && value.as_f64() == expected.as_f64();
        if !same {
            return Some(format!("slot {name} is {value}, not {expected}"));
        }
    }
    if !meant.rivals.is_empty() {
        return Some(format!("rivals {:?}", meant.rivals));
    }
    match responses.render(
        program,
        &meant,
        &World {
            house: &house,
            now: NOW,
        },
    ) {
        Ok(said) if row["response"] == said => None,
        Ok(said) => Some(format!("says \"{said}\", not {}", row["response"])),
        Err(error) => Some(error.to_string()),
    }
}

#[test]
fn every_english_test_sentence_is_understood() {
    let (Some(intents), Some(suite)) = (intents(), suite()) else {
        return;
    };
    let (program, complaints) = compiled(&intents, "en");
    assert_eq!(complaints, []);
    all_are_right(&program, &suite);
}

#[test]
fn our_own_sentences_take_none_of_them_away() {
    let (Some(intents), Some(suite)) = (intents(), suite()) else {
        return;
    };
    all_are_right(&english_with_ours(&intents), &suite);
}

fn all_are_right(program: &Program, suite: &Path) {
    let responses = Responses::new();
    let rows = std::fs::read_to_string(suite).unwrap();
    let mut failures = Vec::new();
    let mut count = 0;
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        count += 1;
        if let Some(why) = wrong(program, &responses, &row) {
            failures.push(format!(
                "{} \"{}\": {why}",
                row["id"],
                row["sentence"].as_str().unwrap()
            ));
        }
    }
    assert_eq!(count, 1_110);
    assert!(
        failures.is_empty(),
        "{} of {count}:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn no_test_sentence_is_taken_by_the_emergency_reading() {
    let Some(suite) = suite() else { return };
    for row in std::fs::read_to_string(suite).unwrap().lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let sentence = row["sentence"].as_str().unwrap();
        let reading = read(sentence, Country::UnitedStates);
        assert!(left_by_emergency(&reading), "{sentence}: {reading:?}");
    }
}

#[test]
fn kept_bytes_mean_the_same() {
    let (Some(intents), Some(suite)) = (intents(), suite()) else {
        return;
    };
    let (program, _) = compiled(&intents, "en");
    let bytes = program.to_bytes();
    let again = Program::from_bytes(&bytes).unwrap();
    assert_eq!(again.to_bytes(), bytes);
    for row in std::fs::read_to_string(suite).unwrap().lines().step_by(20) {
        let row: Value = serde_json::from_str(row).unwrap();
        let house = House::from_json(&row).unwrap();
        let sentence = row["sentence"].as_str().unwrap();
        let meant =
            |program: &Program| program.recognise(sentence, &house.lists(), &house.context());
        assert_eq!(meant(&program), meant(&again), "{sentence}");
    }
    // Cut or altered bytes are refused, or mean something: never a panic.
    for cut in [0, 7, 8, 9, bytes.len() / 2, bytes.len() - 1] {
        assert!(Program::from_bytes(&bytes[..cut]).is_err());
    }
    for at in (8..bytes.len()).step_by(bytes.len() / 200) {
        let mut broken = bytes.clone();
        broken[at] ^= 0x55;
        if let Ok(program) = Program::from_bytes(&broken) {
            let _ = program.recognise(
                "turn on the lights in the kitchen",
                &House::default().lists(),
                &[],
            );
        }
    }
}
