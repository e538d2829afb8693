//! What the models said, judged: slips of the recogniser, and runs of tokens that several walkers share.
use hearthline_voice::transcribe::{Prefixes, Transcript};
use hearthline_voice::understand::automaton::{Meaning, Payload};
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::judge::{Head, Hearing, Judge, OperatingPoint, Verdict};
use hearthline_voice::understand::mass::{Mass, Wording};
use hearthline_voice::understand::sentences::{
    Grammar, House, NumberWords, Program, left_by_emergency,
};
use hearthline_voice::understand::{Country, Service, read};
use std::sync::Arc;

/// The sound is an order to call 911, most probably in these words, and this is the text.
fn heard(text: &str, order: &str) -> Hearing {
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
                text: order.to_owned(),
                log_prob: -4.0,
                payload,
            }),
            by_service: vec![(Service::Sos, false, -3.5)],
            ..Mass::nothing()
        },
    }
}

fn judge() -> Option<Judge> {
    let moonshine = crate::support::moonshine(&crate::support::models()?);
    let (country, point) = (Country::UnitedStates, OperatingPoint::built_in());
    Some(Judge::new(country, point, moonshine.vocabulary()).unwrap())
}

#[test]
fn a_verb_in_the_past_is_an_order_only_when_nothing_stands_before_it() {
    let Some(judge) = judge() else { return };
    for (text, calls) in [
        ("Called nine one one.", true),
        ("called Hinewell one.", true),
        ("the Cold Nine-One-One.", false),
        ("who called 911", false),
        ("she is called Hang One One", false),
    ] {
        let verdict = judge.weigh(heard(text, "called 911.")).verdict;
        assert_eq!(
            matches!(verdict, Verdict::Emergency { .. }),
            calls,
            "{text}: {verdict:?}"
        );
    }
}

/// "Don't call the police" has come out as "thanks to his release", and its sound as "please call the police".
#[test]
fn a_please_that_the_words_have_nothing_of_is_asked_about() {
    let Some(judge) = judge() else { return };
    for (text, calls) in [
        ("thanks to his release.", false),
        ("plays cause of nine one one.", false),
        ("please Cole, I'm one one.", true),
        ("oh pleased all nine one one.", true),
        ("please call 911.", true),
        ("call 911.", true),
    ] {
        let verdict = judge.weigh(heard(text, "please call 911.")).verdict;
        let (called, asked) = match verdict {
            Verdict::Emergency { .. } => (true, false),
            Verdict::Ask { .. } => (false, true),
            _ => (false, false),
        };
        assert_eq!((called, asked), (calls, !calls), "{text}: {verdict:?}");
    }
}

/// Sentences that take anything at all, as an owner may write them.
fn greedy_sentences() -> Arc<Everyday> {
    let mut grammar = Grammar::new("en");
    grammar.add_yaml(
        "own.yaml",
        "intents:\n  Anything:\n    data:\n      - sentences: ['{w}', 'call {w}', 'call 911', 'turn on the {w}']\nlists:\n  w: {wildcard: true}\n",
    );
    let (program, complaints) = Program::compile(&grammar, &NumberWords::default());
    assert_eq!(complaints, []);
    Arc::new(Everyday::new(Arc::new(program), House::default()))
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads files")]
fn everyday_sentences_are_asked_behind_the_emergency_and_change_nothing_of_it() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let moonshine = crate::support::moonshine(&models);
    let judge = || {
        let point = OperatingPoint::built_in();
        Judge::new(Country::UnitedStates, point, moonshine.vocabulary()).unwrap()
    };
    let (plain, mut everyday) = (judge(), judge());
    let sentences = greedy_sentences();
    everyday.know_sentences(Arc::clone(&sentences));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sentences");
    let mut count = [0, 0];
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for said in text.lines().filter(|line| !line.starts_with(['#', '['])) {
            for order in [f32::NEG_INFINITY, -12.0, -6.0, -3.5, -0.1] {
                let mut hearing = heard(said, "called 911.");
                if order == f32::NEG_INFINITY {
                    hearing.mass = Mass::nothing();
                } else {
                    hearing.mass.order = order;
                    hearing.mass.by_service[0].2 = order;
                }
                let before = plain.weigh(hearing.clone());
                let after = everyday.weigh(hearing);
                assert_eq!(before.evidence.reading, after.evidence.reading, "{said}");
                assert_eq!(before.evidence.mass, after.evidence.mass, "{said}");
                if before.verdict == after.verdict {
                    count[0] += 1;
                    continue;
                }
                let time = |verdict: &Verdict| matches!(verdict, Verdict::Act(intent) if intent.name == "GetTime");
                assert!(
                    before.verdict == Verdict::Other || time(&before.verdict),
                    "{said}: {:?} became {:?}",
                    before.verdict,
                    after.verdict
                );
                assert!(left_by_emergency(&after.evidence.reading), "{said}");
                count[1] += 1;
            }
            // The second pass neither.
            if !left_by_emergency(&read(said, Country::UnitedStates)) {
                assert_eq!(
                    sentences.among(&[(said, 0.0)], Country::UnitedStates),
                    None,
                    "{said}"
                );
                let behind = [("turn on the light", 0.0), (said, 3.0)];
                assert_eq!(
                    sentences.among(&behind, Country::UnitedStates),
                    None,
                    "{said}"
                );
            }
        }
    }
    println!(
        "{} verdicts stay, {} were nothing and mean something",
        count[0], count[1]
    );
    assert!(count[0] > 5_000 && count[1] > 100, "{count:?}");
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
