//! The verdict from figures alone: which words the sound may overrule, and which never.
use hearthline_voice::understand::judge::{Contrary, Doubt, OperatingPoint, Rule, Verdict, decide};
use hearthline_voice::understand::mass::Mass;
use hearthline_voice::understand::{AskReason, Intent, Reading, RefusedClass, Reply, Service};
use proptest::prelude::*;

/// A sound that is an order to the police with this mass.
fn police(mass: f32) -> Mass {
    Mass {
        order: mass,
        by_service: vec![(Service::Police, false, mass)],
        ..Mass::nothing()
    }
}

fn command() -> Reading {
    Reading::Command {
        service: Service::Police,
        quiet: false,
        words: "call the police".into(),
    }
}

fn judge(reading: &Reading, mass: &Mass, contrary: Contrary) -> Verdict {
    decide(
        "some words",
        reading,
        mass,
        contrary,
        &OperatingPoint::built_in(),
    )
    .0
}

fn is_emergency(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Emergency { .. })
}

const CALL: Verdict = Verdict::Emergency {
    service: Service::Police,
    quiet: false,
};

#[test]
fn text_and_sound_that_agree_are_an_order() {
    let (verdict, rule) = decide(
        "call the police",
        &command(),
        &police(-0.5),
        Contrary::NONE,
        &OperatingPoint::built_in(),
    );
    assert_eq!((verdict, rule), (CALL, Rule::Agreed));
}

#[test]
fn an_order_in_words_that_the_sound_does_not_bear_out_asks() {
    for mass in [Mass::nothing(), police(-14.0)] {
        assert!(matches!(
            judge(&command(), &mass, Contrary::NONE),
            Verdict::Ask {
                service: Service::Police,
                why: Doubt::Unsure,
                ..
            }
        ));
    }
    // Words say police, sound says fire: nobody guesses.
    let fire = Mass {
        order: -0.1,
        by_service: vec![(Service::Fire, false, -0.1)],
        ..Mass::nothing()
    };
    assert!(matches!(
        judge(&command(), &fire, Contrary::NONE),
        Verdict::Ask { .. }
    ));
}

#[test]
fn a_contrary_reading_as_probable_as_the_order_vetoes_it() {
    let contrary = Contrary {
        hard: -1.0,
        ..Contrary::NONE
    };
    let (verdict, rule) = decide(
        "call the police",
        &command(),
        &police(-1.0),
        contrary,
        &OperatingPoint::built_in(),
    );
    assert!(
        matches!(
            verdict,
            Verdict::Ask {
                why: Doubt::Contradicted,
                ..
            }
        ),
        "{verdict:?}"
    );
    assert_eq!(rule, Rule::Veto);
}

#[test]
fn the_classes_that_speak_against_a_call_never_call_whatever_the_sound_says() {
    let soft = [
        RefusedClass::Contact,
        RefusedClass::Unclear,
        RefusedClass::OtherNumber,
        RefusedClass::ForeignNumber,
    ];
    for class in RefusedClass::ALL {
        let reading = Reading::Refused {
            class,
            service: Some(Service::Police),
        };
        let verdict = judge(&reading, &police(0.0), Contrary::NONE);
        assert_eq!(
            is_emergency(&verdict),
            soft.contains(&class),
            "{class}: {verdict:?}"
        );
        let silent = judge(&reading, &Mass::nothing(), Contrary::NONE);
        assert_eq!(
            silent,
            Verdict::Refused {
                class,
                service: Some(Service::Police)
            }
        );
    }
}

#[test]
fn a_polite_question_and_a_plain_need_ask_even_with_the_surest_sound() {
    for why in [
        AskReason::PoliteQuestion,
        AskReason::PlainNeed,
        AskReason::SpokenAsDate,
    ] {
        let reading = Reading::Ask {
            service: Service::Ambulance,
            why,
            quiet: false,
        };
        let verdict = judge(&reading, &police(0.0), Contrary::NONE);
        assert_eq!(
            verdict,
            Verdict::Ask {
                service: Service::Ambulance,
                quiet: false,
                why: Doubt::Words(why)
            }
        );
    }
}

#[test]
fn mended_words_call_only_with_the_sound_behind_them() {
    let reading = Reading::Ask {
        service: Service::Police,
        why: AskReason::Misheard,
        quiet: false,
    };
    assert_eq!(judge(&reading, &police(-1.0), Contrary::NONE), CALL);
    assert!(matches!(
        judge(&reading, &Mass::nothing(), Contrary::NONE),
        Verdict::Ask { .. }
    ));
}

#[test]
fn everyday_words_and_answers_never_call() {
    let intent = Intent {
        name: "GetTime".into(),
        slots: Default::default(),
    };
    let certain = Contrary {
        hard: -0.1,
        ..Contrary::NONE
    };
    for mass in [Mass::nothing(), police(-8.0)] {
        assert_eq!(
            judge(&Reading::Intent(intent.clone()), &mass, certain),
            Verdict::Act(intent.clone())
        );
        assert_eq!(
            judge(&Reading::Reply(Reply::Cancel), &mass, Contrary::NONE),
            Verdict::Reply(Reply::Cancel)
        );
        assert_eq!(
            judge(&Reading::HangUpEmergency, &mass, Contrary::NONE),
            Verdict::HangUpEmergency
        );
    }
    assert!(!is_emergency(&judge(
        &Reading::Intent(intent),
        &police(0.0),
        Contrary::NONE
    )));
}

#[test]
fn words_without_meaning_are_ignored_and_punctuation_is_nothing() {
    let point = OperatingPoint::built_in();
    let other = |text| {
        decide(
            text,
            &Reading::Other,
            &Mass::nothing(),
            Contrary::NONE,
            &point,
        )
        .0
    };
    assert_eq!(other("purple monkey"), Verdict::Other);
    assert_eq!(other(" ..."), Verdict::Nothing);
}

#[test]
fn an_operating_point_out_of_order_is_refused() {
    let good = include_str!("../../data/operating_point.toml");
    assert!(OperatingPoint::from_toml(good).is_ok());
    let bad = [
        good.replace("ask_nats = -", "ask_nats = 1"),
        good.replace("beam_width = 5", "beam_width = 0"),
        good.replace("veto_margin_nats", "veto_margin"),
        good.replace("other_margin_nats = 3", "other_margin_nats = nan #"),
        String::new(),
    ];
    for text in bad {
        let error = OperatingPoint::from_toml(&text).unwrap_err();
        assert!(error.to_string().contains("calibration"), "{error}");
    }
}

proptest! {
    /// Less mass, or more against it, never turns a question or silence into a call.
    #[test]
    fn doubt_never_helps_a_call(mass in -20.0f32..0.0, hard in -20.0f32..0.0, other in -20.0f32..0.0, less in 0.0f32..10.0) {
        for reading in [command(), Reading::Other, Reading::Refused { class: RefusedClass::Contact, service: None }] {
            let sure = judge(&reading, &police(mass), Contrary { hard, other });
            let unsure = judge(&reading, &police(mass - less), Contrary { hard, other });
            let against = judge(&reading, &police(mass), Contrary { hard: (hard + less).min(0.0), other });
            for weaker in [unsure, against] {
                prop_assert!(is_emergency(&sure) || !is_emergency(&weaker), "{sure:?} {weaker:?}");
            }
        }
    }
}
