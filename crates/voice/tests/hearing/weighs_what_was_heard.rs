//! What the models said, judged: slips of the recogniser, and runs of tokens that several walkers share.
use hearthline_voice::transcribe::{Prefixes, Transcript};
use hearthline_voice::understand::automaton::{Meaning, Payload};
use hearthline_voice::understand::judge::{Head, Hearing, Judge, OperatingPoint, Verdict};
use hearthline_voice::understand::mass::{Mass, Wording};
use hearthline_voice::understand::{Country, Service};

/// The sound is an order to call 911 that comes out in the past, and this is the text.
fn slipped(text: &str) -> Hearing {
    let payload = Payload {
        meaning: Meaning::Order,
        service: Service::Sos,
        quiet: false,
    };
    Hearing {
        transcript: Transcript {
            text: text.to_owned(),
            tokens: Vec::new(),
            log_prob: -5.0,
            alternatives: Vec::new(),
        },
        mass: Mass {
            order: -3.5,
            best: Some(Wording {
                text: "called 911.".to_owned(),
                log_prob: -4.0,
                payload,
            }),
            by_service: vec![(Service::Sos, false, -3.5)],
            ..Mass::nothing()
        },
    }
}

#[test]
fn a_verb_in_the_past_is_an_order_only_when_nothing_stands_before_it() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let moonshine = crate::support::moonshine(&models);
    let judge = Judge::new(
        Country::UnitedStates,
        OperatingPoint::built_in(),
        moonshine.vocabulary(),
    )
    .unwrap();
    for (text, calls) in [
        ("Called nine one one.", true),
        ("called Hinewell one.", true),
        ("the Cold Nine-One-One.", false),
        ("who called 911", false),
        ("she is called Hang One One", false),
    ] {
        let verdict = judge.weigh(slipped(text)).verdict;
        assert_eq!(
            matches!(verdict, Verdict::Emergency { .. }),
            calls,
            "{text}: {verdict:?}"
        );
    }
}

#[test]
fn what_was_decoded_for_one_judge_serves_the_next() {
    let (Some(models), Some(recordings)) = (crate::support::models(), crate::support::recordings())
    else {
        return;
    };
    let mut moonshine = crate::support::moonshine(&models);
    let mut judge = Judge::new(
        Country::UnitedStates,
        OperatingPoint::built_in(),
        moonshine.vocabulary(),
    )
    .unwrap();
    let audio = crate::support::padded(&crate::support::flac(
        &recordings.join("asr/libri_1998-15444-0003.flac"),
    ));
    let encoded = judge
        .encode(&mut moonshine, &audio, Head::WakeWord)
        .unwrap();
    let mut prefixes = Prefixes::kept(&encoded);
    let first = judge
        .sense_on(&mut moonshine, &mut prefixes, Head::WakeWord)
        .unwrap();
    let second = judge
        .sense_on(&mut moonshine, &mut prefixes, Head::WakeWord)
        .unwrap();
    assert_eq!(first, second);
    assert!(!first.transcript.text.is_empty());
    // By itself the same text comes out; its figures differ by the batch that a run was decoded in.
    let alone = judge
        .sense(&mut moonshine, &encoded, Head::WakeWord)
        .unwrap();
    assert!(
        (alone.transcript.log_prob - first.transcript.log_prob).abs() < 1.0,
        "{alone:?} {first:?}"
    );
}
