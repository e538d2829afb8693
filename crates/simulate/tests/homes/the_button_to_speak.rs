//! The button that is held to speak, and typed words: everyday sentences without the wake word, never a call for help.
use core::time::Duration;

use hearthline_simulate::trace::TraceInput;
use hearthline_simulate::{Scene, Spoken, Watched, World};
use hearthline_speaker::device::{Light, Step};

const SECOND: Duration = Duration::from_secs(1);
/// Words about help in many ways, said or typed. (A question whether the device called is answered with the truth.)
const HELP: &[&str] = &[
    "call 911",
    "call the police now",
    "call an ambulance",
    "help me",
    "can you call 911",
    "don't call 911",
    "call 999",
    "call nine one one quietly",
];

fn dialled(world: &World) -> bool {
    let mut sent = world.sent.iter();
    sent.any(|(_, line)| line.starts_with("INVITE "))
}

fn reply(words: &str) -> TraceInput {
    TraceInput::Spoken {
        words: words.to_owned(),
        wake: false,
        as_reply: true,
    }
}

#[test]
fn an_everyday_sentence_needs_no_wake_word_behind_it() {
    let mut world = Watched::new("the_button", &Scene::default());
    world.run_for(SECOND);
    world.feed(TraceInput::Held);
    assert_eq!(world.lights.last(), Some(&Light::Listening));
    world.feed(reply("what time is it"));
    world.run_for(5 * SECOND);
    assert!(
        world.said.iter().any(|said| said.starts_with("It is ")),
        "{:?}",
        world.said
    );
    assert_eq!(world.lights.last(), Some(&Light::Off));
    // One sentence for each time: what the room says afterwards is nobody's.
    let said = world.said.len();
    world.feed(reply("what time is it"));
    world.run_for(5 * SECOND);
    assert_eq!(world.said.len(), said);
}

#[test]
fn words_about_help_say_what_is_missing_and_call_nobody() {
    for words in HELP {
        for typed in [false, true] {
            let mut world = Watched::new("the_button", &Scene::default());
            world.run_for(SECOND);
            if typed {
                world.feed(TraceInput::Typed(format!("Alexa, {words}!")));
            } else {
                world.feed(TraceInput::Held);
                world.feed(reply(words));
                world.feed(TraceInput::Released);
            }
            world.run_for(20 * SECOND);
            assert!(!dialled(&world), "{words}, typed: {typed}");
            let hint = world
                .said
                .iter()
                .any(|said| said.contains("Alexa, call 911"));
            assert!(hint, "{words}, typed: {typed}: {:?}", world.said);
            let asked = world.said.iter().any(|said| said.contains("Do you need"));
            assert!(
                !asked,
                "{words}: a yes behind it would be a call without the wake word"
            );
            // With the wake word it calls, the button held or not.
            world.feed(TraceInput::Held);
            world.say(&Spoken::after_wake_word("call 911"));
            world.run_for(10 * SECOND);
            assert!(dialled(&world), "{words}");
        }
    }
}

#[test]
fn the_button_takes_nothing_from_a_question_or_a_call() {
    let mut world = Watched::new("the_button", &Scene::default());
    world.run_for(SECOND);
    world.say(&Spoken::after_wake_word("can you call 911"));
    world.run_for(3 * SECOND);
    assert!(world.said.iter().any(|said| said.contains("Do you need")));
    world.feed(TraceInput::Held);
    world.say(&Spoken::reply("yes"));
    world.feed(TraceInput::Released);
    world.run_for(10 * SECOND);
    assert!(dialled(&world), "the answer counts as ever");
    assert_eq!(world.lights.last(), Some(&Light::Connected));
    world.feed(TraceInput::Held);
    world.feed(TraceInput::Typed("hang up".into()));
    world.feed(reply("what time is it"));
    world.feed(TraceInput::Released);
    world.run_for(5 * SECOND);
    assert_eq!(
        world.lights.last(),
        Some(&Light::Connected),
        "the call goes on"
    );
}

#[test]
fn too_long_a_text_and_an_empty_one_are_nothing() {
    let mut world = Watched::new("the_button", &Scene::default());
    world.run_for(SECOND);
    let steps = world.steps.len();
    for text in [
        String::new(),
        "   ".into(),
        "what time is it ".repeat(1_000),
    ] {
        world.feed(TraceInput::Typed(text));
    }
    world.run_for(SECOND);
    let decided = |step: &&(Duration, Step)| matches!(step.1, Step::Decided { .. });
    assert_eq!(world.steps[steps..].iter().filter(decided).count(), 0);
    assert!(world.said.is_empty());
}
