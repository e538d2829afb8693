//! Every sentence of `tests/household/` means the intent that its file names, with the slots that stand behind it; those
//! of `nothing.txt` mean nothing.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and may fail"
)]
use std::collections::BTreeMap;

use hearthline_voice::understand::household::{INTENTS, KnownNames, read};
use hearthline_voice::understand::{Country, Intent, Reading};
use proptest::prelude::*;

/// A sentence and the slots that it should have.
struct Line {
    said: String,
    slots: BTreeMap<String, String>,
    place: String,
}

fn lines(file: &str) -> Vec<Line> {
    let path = format!("{}/tests/household/{file}.txt", env!("CARGO_MANIFEST_DIR"));
    let content = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut out = Vec::new();
    for (number, line) in content.lines().enumerate() {
        if line.starts_with("# ") || line.trim().is_empty() {
            continue;
        }
        let (said, wanted) = line.split_once(" => ").unwrap_or((line, ""));
        let mut slots = BTreeMap::new();
        let mut last = String::new();
        for part in wanted.split_whitespace() {
            match part.split_once('=') {
                Some((slot, value)) => {
                    slot.clone_into(&mut last);
                    slots.insert(slot.to_owned(), value.to_owned());
                }
                None => {
                    let value: &mut String = slots.get_mut(&last).unwrap();
                    value.push(' ');
                    value.push_str(part);
                }
            }
        }
        out.push(Line {
            said: said.to_owned(),
            slots,
            place: format!("{file}.txt:{}", number + 1),
        });
    }
    out
}

fn meant(said: &str) -> Option<Intent> {
    read(said, Country::UnitedStates, None)
}

#[test]
fn every_intent_in_many_words() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for name in INTENTS {
        let all = lines(name);
        assert!(all.len() >= 12, "{name}: {} sentences", all.len());
        for line in &all {
            count += 1;
            for country in Country::ALL {
                // "Call 911" within a text is an order's number in one country and another's in the next: all the same.
                let intent = read(&line.said, country, None);
                let right = intent
                    .as_ref()
                    .is_some_and(|intent| intent.name == name && intent.slots == line.slots);
                if !right {
                    wrong.push(format!(
                        "{} {country} {:?} means {intent:?}",
                        line.place, line.said
                    ));
                    break;
                }
            }
        }
    }
    println!("{count} sentences");
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn near_misses_and_everyday_talk_mean_nothing() {
    let all = lines("nothing");
    assert!(all.len() >= 150, "{} sentences", all.len());
    let names = KnownNames::new([
        "Anna",
        "Anna Smith",
        "Kitchen",
        "Mum",
        "Mom",
        "Dad",
        "Grandma",
    ]);
    let mut wrong = Vec::new();
    for line in &all {
        for country in Country::ALL {
            for known in [None, Some(&names)] {
                for said in [line.said.clone(), format!("Alexa, {}.", line.said)] {
                    if let Some(intent) = read(&said, country, known) {
                        wrong.push(format!(
                            "{} {country} {said:?} means {intent:?}",
                            line.place
                        ));
                    }
                }
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_sentence_of_the_household_is_an_emergency() {
    for name in INTENTS {
        for line in lines(name) {
            for country in Country::ALL {
                let reading = hearthline_voice::understand::read(&line.said, country);
                assert!(
                    matches!(
                        reading,
                        Reading::Other | Reading::Refused { .. } | Reading::Reply(_)
                    ),
                    "{country} {:?}: {reading:?}",
                    line.said
                );
            }
        }
    }
}

#[test]
fn services_are_nobody_to_call_message_or_forward_to() {
    for said in [
        "call the sheriff's wife",
        "call sheriff taylor",
        "call the police museum",
        "call the emergency vet",
        "call my emergency contact",
        "message the police",
        "tell the police I'm late",
        "tell the sheriff that I'm late",
        "text 911 I'm here",
        "send a message to the fire department saying hello",
        "forward my calls to the police",
        "forward my calls to 911",
        "forward my calls to 112",
        "transfer the call to the ambulance",
        "transfer the call to 999",
        "drop in on the police",
        "drop in on 911",
        "call the samaritans",
        "call the suicide hotline",
        "call lifeline",
        "connect me with poison control",
        "give the sheriff a ring",
        "get the polees on the phone",
        "call the coastguard",
        "call 911 restaurant",
        "call the 911 museum",
    ] {
        for country in Country::ALL {
            assert_eq!(read(said, country, None), None, "{country} {said}");
        }
    }
    // Not even when somebody wrote them into the contacts.
    let names = KnownNames::new([
        "Police",
        "Sheriff Taylor",
        "911",
        "Ambulance",
        "The Samaritans",
    ]);
    for said in [
        "call police",
        "call sheriff taylor",
        "called the police",
        "message the police",
        "call 911",
        "drop in on police",
    ] {
        for country in Country::ALL {
            assert_eq!(read(said, country, Some(&names)), None, "{country} {said}");
        }
    }
}

#[test]
fn known_names_say_where_a_name_ends_and_mend_the_verb() {
    let names = KnownNames::new([
        "Anna",
        "Anna Maria",
        "Kitchen",
        "Bob",
        "Bed and Breakfast",
        "May",
        "The Den",
    ]);
    let read = |said: &str| {
        read(said, Country::UnitedStates, Some(&names)).map(|intent| {
            let slot = |name: &str| intent.slots.get(name).cloned().unwrap_or_default();
            (slot("who"), slot("text"))
        })
    };
    let pair = |who: &str, text: &str| Some((who.to_owned(), text.to_owned()));
    assert_eq!(
        read("tell anna maria i'm late"),
        pair("anna maria", "i'm late")
    );
    assert_eq!(read("tell anna running late"), pair("anna", "running late"));
    assert_eq!(read("text bob running late"), pair("bob", "running late"));
    assert_eq!(
        read("call the bed and breakfast"),
        pair("bed and breakfast", "")
    );
    assert_eq!(read("called the kitchen"), pair("kitchen", ""));
    assert_eq!(read("Cold Anna."), pair("Anna", ""));
    assert_eq!(read("drop in the kitchen"), pair("kitchen", ""));
    assert_eq!(read("drop in the ocean"), None);
    assert_eq!(read("called Robert"), None);
    assert_eq!(read("I called Anna"), None);
    assert_eq!(meant("called the kitchen"), None);
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>()) {
        for country in Country::ALL {
            let _ = read(&text, country, None);
        }
    }

    #[test]
    fn any_words_of_ours_are_read(words in prop::collection::vec(prop::sample::select(vec![
        "call", "tell", "Anna", "Anna's", "the", "mobile", "to", "that", "message", "send", "a", "press", "five", "#",
        "*", "plus", "555", "0123", "’", "é", "'", "volume", "by", "%", "announce", "in", "kitchen", "please", "back",
        "forward", "calls", ",", "don't", "911", "police", "double", "hundred", "İ", "İstanbul", "ß",
    ]), 0..40)) {
        let text = words.join(" ");
        let names = KnownNames::new(["Anna", "kitchen", "call", "tell that"]);
        for known in [None, Some(&names)] {
            if let Some(intent) = read(&text, Country::UnitedStates, known) {
                prop_assert!(INTENTS.contains(&intent.name.as_str()));
                prop_assert!(intent.slots.values().all(|value| !value.is_empty()));
                if let Some(number) = intent.slots.get("number") {
                    prop_assert!(number.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit()));
                    prop_assert!(number.len() >= 5);
                }
                if let Some(who) = intent.slots.get("who") {
                    let lower = who.to_lowercase();
                    prop_assert!(!lower.contains("police") && !lower.split(' ').any(|word| word == "911"), "{text}: {who}");
                }
            }
        }
    }
}

#[test]
fn the_time_is_linear_in_the_sentence() {
    let mut times = Vec::new();
    for count in [100, 200, 400] {
        let said = format!("tell anna {}", "that call ".repeat(count));
        assert!(said.len() <= 4_096);
        let mut best = u128::MAX;
        for _ in 0..20 {
            let start = std::time::Instant::now();
            let _ = meant(&said);
            best = best.min(start.elapsed().as_nanos());
        }
        times.push(best);
    }
    // Four times the words may take ten times as long, not sixteen.
    assert!(times[2] < times[0] * 10, "{times:?}");
}
