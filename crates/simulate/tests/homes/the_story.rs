//! The scenes of the story, in one thread and virtual time.
use core::time::Duration;

use hearthline_psap::Behaviour;
use hearthline_simulate::{Scene, Spoken, World};
use hearthline_speaker::device::{Light, Step};
use hearthline_speaker::policy::Mode;

const SECOND: Duration = Duration::from_secs(1);

fn decision(world: &World) -> Option<&'static str> {
    world.steps.iter().rev().find_map(|(_, step)| match step {
        Step::Decided { decision, .. } => Some(*decision),
        _ => None,
    })
}

#[test]
fn did_you_call_the_sheriff_without_the_wake_word_does_nothing() {
    let mut world = World::new(&Scene::default());
    world.run_for(SECOND);
    world.say(&Spoken::in_the_room("did you call the sheriff"));
    world.say(&Spoken::in_the_room("call nine one one"));
    world.run_for(60 * SECOND);
    assert_eq!(world.first_invite_at(), None);
    assert!(world.said.is_empty());
    assert!(world.steps.is_empty(), "{:?}", world.steps);
}

#[test]
fn alexa_did_you_call_911_is_answered_and_does_not_dial() {
    let mut world = World::new(&Scene::default());
    world.run_for(SECOND);
    world.say(&Spoken::after_wake_word("did you call 911?"));
    world.run_for(60 * SECOND);
    assert_eq!(world.first_invite_at(), None);
    assert!(
        world
            .said
            .iter()
            .any(|said| said.contains("I have not called anyone")),
        "{:?}",
        world.said
    );
    assert!(matches!(decision(&world), Some("refuse" | "act")));
}

#[test]
fn alexa_call_911_reaches_a_call_taker_who_hears_the_room() {
    let mut world = World::new(&Scene::default());
    world.run_for(SECOND);
    world.say(&Spoken::after_wake_word("call 911"));
    let said_at = world.now();
    assert_eq!(world.said, ["Calling 911. Say cancel to stop."]);
    world.run_for(4 * SECOND);
    assert_eq!(
        world.first_invite_at(),
        None,
        "the window is open for five seconds"
    );
    world.run_for(10 * SECOND);
    let invite_at = world.first_invite_at().expect("an INVITE");
    assert!(
        invite_at - said_at >= 5 * SECOND && invite_at - said_at < 6 * SECOND,
        "{:?}",
        invite_at - said_at
    );
    assert!(
        world
            .sent
            .iter()
            .any(|(_, line)| line == "INVITE urn:service:sos SIP/2.0"),
        "{:?}",
        world.sent
    );
    assert_eq!(world.lights.last(), Some(&Light::Connected));

    let report = world.taker(0).reports().pop().expect("a call");
    let wrong: Vec<_> = report.facts.iter().filter(|fact| !fact.ok).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(report.drill);
    assert_eq!(report.service.as_deref(), Some("urn:service:sos"));
    assert!(report.first_audio_after_ms.expect("audio") < 300);

    // The room is heard without a gap, and the call-taker is heard in the room.
    let heard = world.taker_heard(0);
    assert!(heard.len() > 16_000 * 7, "{} samples", heard.len());
    let loud = heard[16_000..]
        .iter()
        .filter(|sample| sample.unsigned_abs() > 100)
        .count();
    assert!(
        loud * 10 > (heard.len() - 16_000) * 9,
        "{loud} of {}",
        heard.len()
    );
    assert!(
        world
            .played
            .iter()
            .any(|sample| sample.unsigned_abs() > 1_000)
    );

    world.taker_hangs_up(0);
    world.run_for(SECOND);
    assert!(world.steps.iter().any(|(_, step)| matches!(
        step,
        Step::Ended {
            outcome: "answered"
        }
    )));
}

#[test]
fn cancel_in_time_sends_nothing() {
    let mut world = World::new(&Scene::default());
    world.run_for(SECOND);
    world.say(&Spoken::after_wake_word("call 911"));
    world.run_for(3 * SECOND);
    world.say(&Spoken::reply("cancel"));
    world.run_for(60 * SECOND);
    assert!(
        world
            .sent
            .iter()
            .all(|(_, line)| !line.starts_with("INVITE")),
        "{:?}",
        world.sent
    );
    assert!(
        world.said.iter().any(|said| said.starts_with("Cancelled")),
        "{:?}",
        world.said
    );
}

#[test]
fn cancel_after_the_invite_coaches_and_the_call_goes_on() {
    let mut world = World::new(&Scene {
        mode: Mode::Immediate,
        ..Scene::default()
    });
    world.run_for(SECOND);
    world.say(&Spoken::after_wake_word("call 911"));
    world.run_for(2 * SECOND);
    world.say(&Spoken::after_wake_word("cancel"));
    world.run_for(3 * SECOND);
    assert!(
        world
            .said
            .iter()
            .any(|said| said.contains("Stay on the line")),
        "{:?}",
        world.said
    );
    assert!(
        world
            .sent
            .iter()
            .all(|(_, line)| !line.starts_with("BYE") && !line.starts_with("CANCEL")),
        "{:?}",
        world.sent
    );
}

#[test]
fn only_confirmed_words_end_the_call() {
    let mut world = World::new(&Scene {
        mode: Mode::Immediate,
        ..Scene::default()
    });
    world.run_for(SECOND);
    world.say(&Spoken::after_wake_word("call 911"));
    world.run_for(3 * SECOND);
    world.say(&Spoken::after_wake_word("hang up the emergency call"));
    world.run_for(5 * SECOND);
    assert!(world.sent.iter().all(|(_, line)| !line.starts_with("BYE")));
    world.say(&Spoken::reply("yes"));
    world.run_for(2 * SECOND);
    assert!(
        world.sent.iter().any(|(_, line)| line.starts_with("BYE")),
        "{:?}",
        world.sent
    );
}

#[test]
fn a_polite_question_asks_and_a_yes_calls() {
    let mut world = World::new(&Scene::default());
    world.run_for(SECOND);
    world.say(&Spoken::after_wake_word("can you call 911?"));
    assert_eq!(decision(&world), Some("ask"));
    assert_eq!(world.said, ["Do you need 911? Say yes or no."]);
    world.run_for(3 * SECOND);
    assert_eq!(world.first_invite_at(), None);
    world.say(&Spoken::reply("yes"));
    world.run_for(8 * SECOND);
    assert!(world.first_invite_at().is_some());
}

#[test]
fn a_question_without_an_answer_calls_nobody() {
    let mut world = World::new(&Scene::default());
    world.run_for(SECOND);
    world.say(&Spoken::after_wake_word("help me"));
    world.run_for(60 * SECOND);
    assert_eq!(world.first_invite_at(), None);
    assert!(
        world
            .said
            .iter()
            .any(|said| said.contains("I did not call")),
        "{:?}",
        world.said
    );
}

#[test]
fn the_quiet_phrase_gives_neither_light_nor_sound_and_keeps_the_microphone_open() {
    let mut world = World::new(&Scene::default());
    world.run_for(SECOND);
    world.say(&Spoken::after_wake_word("call 911 quietly"));
    let lights_before_the_order = 1; // the wake word's
    world.run_for(10 * SECOND);
    assert!(world.first_invite_at().is_some());
    assert!(world.said.is_empty(), "{:?}", world.said);
    assert_eq!(
        world
            .lights
            .iter()
            .filter(|light| **light != Light::Off)
            .count(),
        lights_before_the_order
    );
    assert!(world.taker_heard(0).len() > 16_000 * 5);
    assert!(
        world.played.is_empty(),
        "a quiet call must not sound in the room"
    );
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut world = World::new(&Scene {
            seed,
            ..Scene::default()
        });
        world.run_for(SECOND);
        world.say(&Spoken::after_wake_word("call the police"));
        world.run_for(10 * SECOND);
        world.digest()
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn a_recorded_run_replays_without_its_world() {
    let scene = Scene {
        lines: vec![vec![Behaviour::default()]],
        ..Scene::default()
    };
    let mut world = World::new(&scene);
    world.run_for(SECOND);
    world.say(&Spoken::after_wake_word("call 911"));
    world.run_for(12 * SECOND);
    let lines = world.trace.to_lines();
    let trace = hearthline_simulate::Trace::from_lines(&lines).expect("our own lines");
    assert_eq!(World::replay(&scene, &trace), world.digest());
}
