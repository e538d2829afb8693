//! The judge's verdicts on every emergency sentence of the tests and of the calibration, with whatever sound, are the
//! same with the sentences of the household and without them; what changes is a call to somebody else, and only then.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and may fail; the calibration's sentences are more than it uses"
)]
#[path = "../../examples/calibrate/wordings.rs"]
mod wordings;

use hearthline_voice::understand::household::{KnownNames, act, read as read_household};
use hearthline_voice::understand::judge::{Contrary, OperatingPoint, Verdict, decide};
use hearthline_voice::understand::mass::Mass;
use hearthline_voice::understand::{Country, Reading, RefusedClass, Service, read};
use proptest::prelude::*;

/// Every sentence about emergencies, with the country that it is said in.
fn sentences() -> Vec<(Country, String)> {
    let mut out = Vec::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sentences");
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines().filter(|line| !line.starts_with(['#', '['])) {
            let said = match line.split_once(": ") {
                Some((code, said)) if code.len() == 2 => said,
                _ => line,
            };
            out.extend(Country::ALL.map(|country| (country, said.to_owned())));
        }
    }
    for sentence in wordings::all() {
        out.extend(Country::ALL.map(|country| (country, sentence.text.clone())));
    }
    out
}

/// Sounds from "no order at all" to a sure one.
fn sounds() -> Vec<(Mass, Contrary)> {
    let mass = |order: f32, ask: f32| Mass {
        order,
        ask,
        by_service: vec![(Service::Sos, false, order)],
        ..Mass::nothing()
    };
    let against = |hard: f32, other: f32| Contrary { hard, other };
    let none = f32::NEG_INFINITY;
    vec![
        (Mass::nothing(), Contrary::NONE),
        (Mass::nothing(), against(-0.1, none)),
        (mass(-20.0, none), Contrary::NONE),
        (mass(-9.0, none), Contrary::NONE),
        (mass(-6.0, none), against(none, -0.5)),
        (mass(-4.0, -3.0), Contrary::NONE),
        (mass(-1.0, none), against(-1.0, none)),
        (mass(-0.05, none), Contrary::NONE),
    ]
}

/// What the emergency judge leaves to everyday life.
fn is_left(verdict: &Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Other
            | Verdict::Refused {
                class: RefusedClass::Contact | RefusedClass::OtherNumber | RefusedClass::Message,
                ..
            }
    )
}

fn names() -> KnownNames {
    KnownNames::new([
        "Anna",
        "Emma",
        "Kitchen",
        "Living room",
        "Mom",
        "Dad",
        "Police",
        "Sheriff",
        "Nine",
        "911",
        "Paul",
        "Please",
        "Mine",
        "Ambulance",
        "Fire",
        "The Law",
        "Harry",
        "Hope",
        "Grace",
        "Noah Emergency",
    ])
}

#[test]
fn verdicts_are_the_same_with_the_household_and_without() {
    let point = OperatingPoint::built_in();
    let all = sentences();
    assert!(all.len() > 10_000, "{}", all.len());
    let names = names();
    let (mut same, mut acts) = (0, std::collections::BTreeMap::<String, String>::new());
    for (country, text) in &all {
        let reading = read(text, *country);
        for (mass, contrary) in sounds() {
            let (before, _) = decide(text, &reading, &mass, contrary, &point);
            for known in [None, Some(&names)] {
                let after = act(before.clone(), text, *country, known);
                if after == before {
                    same += 1;
                    continue;
                }
                assert!(
                    is_left(&before),
                    "{country} {text:?}: {before:?} became {after:?}"
                );
                assert!(
                    !matches!(reading, Reading::Command { .. } | Reading::Ask { .. }),
                    "{country} {text:?} reads as {reading:?} and became {after:?}"
                );
                let Verdict::Act(intent) = &after else {
                    panic!("{country} {text:?}: {before:?} became {after:?}");
                };
                let who = intent.slots.get("who").or(intent.slots.get("number"));
                acts.insert(
                    text.clone(),
                    format!("{} {}", intent.name, who.cloned().unwrap_or_default()),
                );
            }
        }
    }
    println!("{same} verdicts stay, {} texts become acts", acts.len());
    for (text, what) in &acts {
        println!("  {text:?}: {what}");
    }
}

#[test]
fn what_speaks_of_an_emergency_is_no_sentence_of_the_household() {
    let names = names();
    let mut count = 0;
    for (country, text) in sentences() {
        let reading = read(&text, country);
        let allowed = match &reading {
            Reading::Other | Reading::Reply(_) => true,
            Reading::Refused { class, .. } => matches!(
                class,
                RefusedClass::Contact | RefusedClass::OtherNumber | RefusedClass::Message
            ),
            _ => false,
        };
        if allowed {
            continue;
        }
        count += 1;
        for known in [None, Some(&names)] {
            assert_eq!(
                read_household(&text, country, known),
                None,
                "{country} {text:?}: {reading:?}"
            );
        }
    }
    assert!(count > 5_000, "{count}");
}

#[test]
fn the_reverse_too_everyday_calls_stay_everyday() {
    for (said, verdict) in [
        ("call Emma", Some("CallStart")),
        ("text mom call 911", Some("MessageSend")),
        ("call the police", None),
        ("call 999", None),
        ("don't call the police", None),
        ("did you call 911", None),
        ("call the sheriff's wife", None),
        ("call 921", None),
        ("she said call Emma and the police", None),
    ] {
        let reading = read(said, Country::UnitedStates);
        let point = OperatingPoint::built_in();
        let (before, _) = decide(said, &reading, &Mass::nothing(), Contrary::NONE, &point);
        let after = act(before.clone(), said, Country::UnitedStates, None);
        match (verdict, &after) {
            (Some(name), Verdict::Act(intent)) => assert_eq!(intent.name, name, "{said}"),
            (None, _) => assert_eq!(after, before, "{said}"),
            _ => panic!("{said}: {after:?}"),
        }
    }
}

#[test]
fn an_oh_behind_the_number_makes_nobody_to_call() {
    for said in [
        "call nine one one o b",
        "call nine one one oh god",
        "call nine one one oh please hurry",
    ] {
        let reading = read(said, Country::UnitedStates);
        let other = RefusedClass::OtherNumber;
        assert!(
            !matches!(reading, Reading::Refused { class, .. } if class == other),
            "{said}: {reading:?}"
        );
        for country in Country::ALL {
            let household = read_household(said, country, Some(&names()));
            assert_eq!(household, None, "{said} in {country}");
        }
    }
    for said in [
        "call nine one one oh five five five",
        "call nine one one oh one two",
    ] {
        assert!(
            !matches!(
                read(said, Country::UnitedStates),
                Reading::Command { .. } | Reading::Ask { .. }
            ),
            "{said}"
        );
    }
}

proptest! {
    #[test]
    fn an_order_with_anything_around_it_is_never_an_everyday_call(
        before in "[a-z' ]{0,12}",
        verb in prop::sample::select(vec!["call", "dial", "phone", "ring", "drop in on", "message", "transfer the call to", "forward my calls to"]),
        target in prop::sample::select(vec!["the police", "911", "nine one one", "an ambulance", "the fire department", "999", "triple zero", "the sheriff", "poison control", "112"]),
        after in "[a-z' ]{0,12}",
    ) {
        let names = names();
        let text = format!("{before} {verb} {target} {after}");
        for country in Country::ALL {
            for known in [None, Some(&names)] {
                if let Some(intent) = read_household(&text, country, known) {
                    // Only as a text of a message, never as somebody to reach.
                    let reached = intent.slots.get("who").map(|who| who.to_lowercase()).unwrap_or_default();
                    prop_assert!(!reached.contains(target.trim_start_matches("the ").trim_start_matches("an ")), "{text}: {intent:?}");
                    prop_assert!(!intent.slots.contains_key("number"), "{text}: {intent:?}");
                }
            }
        }
    }
}
