//! One utterance, one call: repeated orders, answers, cancels and callbacks.
use core::time::Duration;

use hearthline_psap::{Answer, Behaviour, CallState};
use hearthline_simulate::trace::TraceInput;
use hearthline_simulate::{Scene, Spoken, Watched, World};
use hearthline_speaker::device::{Light, Step};
use hearthline_speaker::policy::Mode;

const SECOND: Duration = Duration::from_secs(1);

fn immediate() -> Scene {
    Scene {
        mode: Mode::Immediate,
        ..Scene::default()
    }
}

fn home(test: &'static str, scene: &Scene) -> Watched {
    let mut world = Watched::new(test, scene);
    world.run_for(SECOND);
    world
}

fn order(world: &mut World, words: &str) {
    world.say(&Spoken::after_wake_word(words));
}

fn invites(world: &World) -> usize {
    world
        .sent
        .iter()
        .filter(|(_, line)| line.starts_with("INVITE "))
        .count()
}

fn said(world: &World, part: &str) -> bool {
    world.said.iter().any(|said| said.contains(part))
}

fn is_connected(world: &World) -> bool {
    world.lights.last() == Some(&Light::Connected)
}

fn ended(world: &World, outcome: &str) -> bool {
    world
        .steps
        .iter()
        .any(|(_, step)| matches!(step, Step::Ended { outcome: own } if *own == outcome))
}

#[test]
fn repeated_orders_while_announcing_neither_hurry_nor_double_the_call() {
    let mut world = home("repeat_announcing", &Scene::default());
    order(&mut world, "call 911");
    let ordered = world.now();
    for words in [
        "call 911",
        "call the police",
        "call 911 now",
        "call an ambulance",
    ] {
        world.run_for(SECOND);
        order(&mut world, words);
    }
    world.run_for(20 * SECOND);
    assert_eq!(invites(&world), 1);
    assert_eq!(world.taker(0).reports().len(), 1);
    assert!(world.first_invite_at().expect("it left") - ordered >= 5 * SECOND);
}

#[test]
fn repeated_orders_while_calling_and_in_the_call_make_no_second_call() {
    for answer in [Answer::Accept, Answer::RingForever, Answer::TryingForever] {
        let behaviours = vec![Behaviour {
            answer: answer.clone(),
            answer_after_ms: 2_500,
            ..Behaviour::default()
        }];
        let mut world = home(
            "repeat_calling",
            &Scene {
                lines: vec![behaviours],
                ..immediate()
            },
        );
        order(&mut world, "call 911");
        for _ in 0..6 {
            world.run_for(SECOND / 2);
            order(&mut world, "call 911");
            order(&mut world, "call 911 quietly");
        }
        assert_eq!(invites(&world), 1, "{answer:?}");
        assert_eq!(world.taker(0).reports().len(), 1, "{answer:?}");
    }
}

#[test]
fn an_order_in_a_standing_call_changes_nothing_and_an_order_after_it_calls_again() {
    let mut world = home("order_in_call", &immediate());
    order(&mut world, "call 911");
    world.run_for(3 * SECOND);
    order(&mut world, "call the police");
    world.run_for(3 * SECOND);
    assert!(is_connected(&world));
    assert_eq!(invites(&world), 1);
    world.taker_hangs_up(0);
    world.run_for(3 * SECOND);
    order(&mut world, "call the police");
    world.run_for(3 * SECOND);
    assert_eq!(invites(&world), 2);
    assert!(
        world
            .sent
            .iter()
            .any(|(_, line)| line == "INVITE urn:service:sos.police SIP/2.0"),
        "{:?}",
        world.sent
    );
    assert!(is_connected(&world));
}

#[test]
fn words_of_the_room_after_the_invite_do_nothing() {
    let mut world = home("room_words", &immediate());
    order(&mut world, "call 911");
    world.run_for(2 * SECOND);
    let (said, sent) = (world.said.len(), world.sent.len());
    for words in [
        "cancel",
        "no",
        "stop",
        "hang up the emergency call",
        "yes",
        "don't call 911",
        "never mind",
        "cancel the call",
    ] {
        world.say(&Spoken::in_the_room(words));
        world.say(&Spoken::reply(words));
        world.run_for(2 * SECOND);
    }
    assert_eq!(world.said.len(), said, "{:?}", world.said);
    assert_eq!(world.sent.len(), sent, "{:?}", world.sent);
    assert!(is_connected(&world));
}

#[test]
fn an_attackers_no_does_not_take_the_call_back_and_does_not_use_up_the_cancel() {
    for attack in [
        "no, don't call",
        "no",
        "don't call 911",
        "stop",
        "hang up",
        "leave her alone",
    ] {
        let mut world = home("attacker", &Scene::default());
        order(&mut world, "call 911");
        world.run_for(Duration::from_millis(2_500));
        world.say(&Spoken::reply(attack));
        world.run_for(20 * SECOND);
        assert_eq!(invites(&world), 1, "{attack}");
        assert!(is_connected(&world), "{attack}");
        // After the same words the person's own "cancel" still counts.
        let mut world = home("attacker_then_cancel", &Scene::default());
        order(&mut world, "call 911");
        world.run_for(Duration::from_millis(2_500));
        world.say(&Spoken::reply(attack));
        world.run_for(SECOND);
        world.say(&Spoken::reply("cancel"));
        world.run_for(20 * SECOND);
        assert_eq!(invites(&world), 0, "{attack}");
        assert!(said(&world, "Cancelled"), "{attack}");
    }
}

#[test]
fn no_said_to_the_device_takes_the_announced_call_back() {
    for words in ["cancel", "no", "don't call 911"] {
        let mut world = home("addressed_no", &Scene::default());
        order(&mut world, "call 911");
        world.run_for(2 * SECOND);
        order(&mut world, words);
        world.run_for(20 * SECOND);
        assert_eq!(invites(&world), 0, "{words}");
        assert!(ended(&world, "cancelled"), "{words}: {:?}", world.steps);
        assert!(
            world
                .sent
                .iter()
                .all(|(_, line)| !line.starts_with("CANCEL") && !line.starts_with("BYE"))
        );
    }
}

#[test]
fn the_button_cancels_before_the_invite_and_coaches_after() {
    let mut world = home("button_before", &Scene::default());
    order(&mut world, "call 911");
    world.run_for(Duration::from_millis(4_900));
    world.press_cancel();
    world.press_cancel();
    world.run_for(60 * SECOND);
    assert!(world.sent.is_empty(), "{:?}", world.sent);
    assert_eq!(
        world
            .said
            .iter()
            .filter(|said| said.starts_with("Cancelled"))
            .count(),
        1
    );

    let mut world = home("button_after", &Scene::default());
    order(&mut world, "call 911");
    world.run_for(Duration::from_millis(5_600));
    assert_eq!(invites(&world), 1);
    world.press_cancel();
    world.run_for(10 * SECOND);
    assert!(is_connected(&world));
    assert!(said(&world, "Stay on the line"));
    assert!(
        world
            .sent
            .iter()
            .all(|(_, line)| !line.starts_with("CANCEL") && !line.starts_with("BYE"))
    );
}

#[test]
fn the_button_at_any_moment_either_sends_nothing_or_leaves_the_call_alone() {
    for ms in (0..6_000).step_by(97).chain(4_990..5_010) {
        let mut world = home("button_any", &Scene::default());
        order(&mut world, "call 911");
        world.run_for(Duration::from_millis(ms));
        let left = invites(&world) > 0;
        world.press_cancel();
        world.run_for(8 * SECOND);
        assert_eq!(invites(&world), usize::from(left), "{ms} ms");
        assert_eq!(is_connected(&world), left, "{ms} ms");
        assert!(
            world
                .sent
                .iter()
                .all(|(_, line)| !line.starts_with("CANCEL")),
            "{ms} ms"
        );
    }
}

#[test]
fn asked_back_yes_calls_no_and_silence_do_not() {
    for (reply, calls) in [
        (Some("yes"), true),
        (Some("call 911"), true),
        (Some("no"), false),
        (Some("cancel"), false),
        (Some("what a lovely day"), false),
        (None, false),
    ] {
        let mut world = home("asked_back", &immediate());
        order(&mut world, "can you call 911?");
        assert!(said(&world, "Do you need 911?"));
        world.run_for(3 * SECOND);
        assert_eq!(invites(&world), 0);
        if let Some(reply) = reply {
            world.say(&Spoken::reply(reply));
        }
        world.run_for(30 * SECOND);
        assert_eq!(invites(&world), usize::from(calls), "{reply:?}");
        assert_eq!(
            said(&world, "I did not call"),
            !calls,
            "{reply:?}: {:?}",
            world.said
        );
        if !calls {
            assert!(
                world.device().recorder().incident().is_none(),
                "{reply:?}: the incident is closed"
            );
        }
    }
}

#[test]
fn a_television_that_cries_for_help_is_asked_once_more_and_calls_nobody() {
    for cries in [
        vec!["help me"],
        vec!["I need an ambulance", "help me", "we need help"],
        vec!["help me", "what a lovely day", "help me"],
    ] {
        let mut world = home("television", &immediate());
        order(&mut world, "can you call 911?");
        for cry in &cries {
            world.run_for(3 * SECOND);
            world.say(&Spoken::reply(cry));
        }
        world.run_for(60 * SECOND);
        assert_eq!(invites(&world), 0, "{cries:?}: {:?}", world.steps);
        let asked = world
            .said
            .iter()
            .filter(|said| said.starts_with("Do you need 911?"))
            .count();
        assert_eq!(
            asked, 2,
            "{cries:?}: asked, and once more: {:?}",
            world.said
        );
        assert!(said(&world, "I did not call"), "{cries:?}");
        assert!(world.device().recorder().incident().is_none(), "{cries:?}");
        assert!(
            String::from_utf8_lossy(&world.log).contains("which is no yes: asked once more"),
            "{cries:?}: the record says so"
        );
    }
}

#[test]
fn the_person_beside_the_television_still_calls_with_a_yes_or_the_order() {
    for (reply, wake) in [
        ("yes", false),
        ("call 911", false),
        ("I need an ambulance", true),
    ] {
        let mut world = home("television_then_person", &immediate());
        order(&mut world, "can you call 911?");
        world.run_for(3 * SECOND);
        world.say(&Spoken::reply("help me"));
        // Later than the first question's time (some 10.9 s), within the second one's (13.9 s).
        world.run_for(8 * SECOND);
        assert_eq!(invites(&world), 0);
        match wake {
            true => order(&mut world, reply),
            false => world.say(&Spoken::reply(reply)),
        }
        world.run_for(5 * SECOND);
        assert_eq!(invites(&world), 1, "{reply}: {:?}", world.steps);
    }
}

#[test]
fn words_that_are_no_answer_do_not_use_up_the_answer() {
    let mut world = home("no_answer_then_yes", &immediate());
    order(&mut world, "can you call 911?");
    world.run_for(3 * SECOND);
    world.say(&Spoken::reply("what a lovely day"));
    world.run_for(SECOND);
    world.say(&Spoken::reply("yes"));
    world.run_for(3 * SECOND);
    assert_eq!(invites(&world), 1);
}

#[test]
fn an_order_repeated_as_the_answer_calls_whom_it_names() {
    for (words, request) in [
        ("call 911", "INVITE urn:service:sos SIP/2.0"),
        // A wording beside those of the decoder's tree.
        ("go ahead and call 911", "INVITE urn:service:sos SIP/2.0"),
        ("call the police", "INVITE urn:service:sos.police SIP/2.0"),
    ] {
        let mut world = home("repeated_as_answer", &immediate());
        order(&mut world, "can you call 911?");
        world.run_for(3 * SECOND);
        world.say(&Spoken::reply(words));
        world.run_for(3 * SECOND);
        assert_eq!(invites(&world), 1, "{words}: {:?}", world.steps);
        assert!(
            world.sent.iter().any(|(_, line)| line == request),
            "{words}: {:?}",
            world.sent
        );
        assert!(
            String::from_utf8_lossy(&world.log).contains("the person repeated the order"),
            "{words}"
        );
    }
}

/// What is said to the device and answers nothing.
#[derive(Debug, Clone, Copy)]
enum Aside {
    Words(&'static str),
    Nothing,
    NotUnderstood,
}

const ASIDES: [Aside; 5] = [
    Aside::Words("what time is it"),
    Aside::Words("good morning"),
    Aside::Words("did you call 911?"),
    Aside::Nothing,
    Aside::NotUnderstood,
];

impl Aside {
    fn happen(self, world: &mut World) {
        match self {
            Self::Words(words) => world.say(&Spoken::after_wake_word(words)),
            Self::Nothing | Self::NotUnderstood => {
                world.feed(TraceInput::Wake);
                world.run_for(SECOND / 2);
                world.feed(match self {
                    Self::NotUnderstood => TraceInput::NotUnderstood,
                    _ => TraceInput::NoSpeech,
                });
            }
        }
    }
}

#[test]
fn a_sentence_to_the_device_that_is_no_answer_does_not_use_up_the_answer() {
    for aside in ASIDES {
        for (reply, calls) in [("yes", true), ("no", false)] {
            let mut world = home("aside_then_answer", &immediate());
            order(&mut world, "can you call 911?");
            world.run_for(3 * SECOND);
            aside.happen(&mut world);
            // The longest of our words is over, and the question's time (some 10.9 s) not yet.
            world.run_for(6 * SECOND);
            assert_eq!(world.lights.last(), Some(&Light::Asking), "{aside:?}");
            world.say(&Spoken::reply(reply));
            world.run_for(2 * SECOND);
            assert_eq!(invites(&world), usize::from(calls), "{aside:?}, {reply}");
            assert_eq!(said(&world, "I did not call"), !calls, "{aside:?}, {reply}");
        }
        // Nor does it make the question longer: without an answer it ends.
        let mut world = home("aside_then_nothing", &immediate());
        order(&mut world, "can you call 911?");
        world.run_for(3 * SECOND);
        aside.happen(&mut world);
        world.run_for(15 * SECOND);
        assert!(
            said(&world, "I did not call"),
            "{aside:?}: {:?}",
            world.said
        );
        world.say(&Spoken::reply("yes"));
        world.run_for(3 * SECOND);
        assert_eq!(invites(&world), 0, "{aside:?}");
    }
}

#[test]
fn our_own_words_are_over_before_an_answer_is_listened_for() {
    let mut world = home("speaking", &immediate());
    order(&mut world, "can you call 911?");
    world.run_for(3 * SECOND);
    order(&mut world, "what time is it");
    world.run_for(SECOND / 2);
    // This is the loudspeaker, not an answer.
    world.say(&Spoken::reply("yes"));
    world.run_for(3 * SECOND);
    assert_eq!(invites(&world), 0);
    world.say(&Spoken::reply("yes"));
    world.run_for(3 * SECOND);
    assert_eq!(invites(&world), 1);
}

#[test]
fn words_behind_the_wake_word_are_not_forgotten_for_the_end_of_our_own() {
    for first in ["can you call 911?", "call 911"] {
        let mut world = home("wake_over_speech", &Scene::default());
        order(&mut world, first);
        world.run_for(SECOND);
        world.feed(TraceInput::Wake);
        // Our words end while the person still speaks: the ear goes on hearing them.
        world.run_for(2 * SECOND);
        let before = world.sent.len();
        world.say(&Spoken::reply("cancel"));
        assert_eq!(world.sent.len(), before);
        assert!(
            !said(&world, "Cancelled") && !said(&world, "I did not call"),
            "{first}"
        );
        world.feed(TraceInput::NoSpeech);
        world.run_for(SECOND / 2);
        world.say(&Spoken::reply("cancel"));
        assert!(
            said(&world, "Cancelled") || said(&world, "I did not call"),
            "{first}"
        );
    }
}

#[test]
fn a_sentence_to_the_device_does_not_use_up_the_cancel() {
    for aside in ASIDES {
        let mut world = home("aside_then_cancel", &Scene::default());
        order(&mut world, "call 911");
        world.run_for(SECOND);
        aside.happen(&mut world);
        world.run_for(Duration::from_millis(3_300));
        world.say(&Spoken::reply("cancel"));
        world.run_for(20 * SECOND);
        assert_eq!(invites(&world), 0, "{aside:?}: {:?}", world.said);
        assert!(said(&world, "Cancelled"), "{aside:?}");
    }
}

#[test]
fn an_answer_that_comes_when_nothing_is_asked_leaves_no_trace() {
    let mut world = home("answer_of_nobody", &Scene::default());
    let (log, lights) = (world.log.clone(), world.lights.clone());
    for words in ["yes", "call 911", "my secret is a pony", ""] {
        world.feed(TraceInput::Spoken {
            words: words.into(),
            wake: false,
            as_reply: true,
        });
        world.feed(TraceInput::NoSpeech);
        world.feed(TraceInput::NotUnderstood);
        world.run_for(SECOND);
    }
    assert!(world.steps.is_empty(), "{:?}", world.steps);
    assert!(world.said.is_empty(), "{:?}", world.said);
    assert_eq!(world.lights, lights);
    assert!(world.incidents().is_empty());
    assert!(!String::from_utf8_lossy(&world.log[log.len()..]).contains("pony"));
    assert!(world.device().recorder().incident().is_none());
    // Said to the device, trouble is told.
    world.feed(TraceInput::Wake);
    world.feed(TraceInput::NotUnderstood);
    assert!(said(&world, "understand"), "{:?}", world.said);
}

#[test]
fn a_yes_after_the_time_of_the_question_calls_nobody() {
    let mut world = home("late_yes", &immediate());
    order(&mut world, "can you call 911?");
    world.run_for(25 * SECOND);
    world.say(&Spoken::reply("yes"));
    world.say(&Spoken::in_the_room("yes"));
    world.say(&Spoken::after_wake_word("yes"));
    world.run_for(20 * SECOND);
    assert_eq!(invites(&world), 0);
}

#[test]
fn the_end_must_be_confirmed_in_time() {
    for (reply, ends) in [
        (Some("yes"), true),
        (Some("no"), false),
        (Some("cancel"), false),
        (Some("hello"), false),
        (None, false),
    ] {
        let mut world = home("confirm_end", &immediate());
        order(&mut world, "call 911");
        world.run_for(3 * SECOND);
        order(&mut world, "hang up the emergency call");
        assert!(said(&world, "really want to end"));
        world.run_for(5 * SECOND);
        if let Some(reply) = reply {
            world.say(&Spoken::reply(reply));
        }
        world.run_for(30 * SECOND);
        assert_eq!(
            world.sent.iter().any(|(_, line)| line.starts_with("BYE")),
            ends,
            "{reply:?}"
        );
        assert_eq!(is_connected(&world), !ends, "{reply:?}");
    }
}

#[test]
fn a_confirmation_that_comes_too_late_leaves_the_call_alone() {
    let mut world = home("late_confirm", &immediate());
    order(&mut world, "call 911");
    world.run_for(3 * SECOND);
    order(&mut world, "hang up the emergency call");
    world.run_for(21 * SECOND);
    world.say(&Spoken::reply("yes"));
    order(&mut world, "yes");
    world.run_for(10 * SECOND);
    assert!(
        world.sent.iter().all(|(_, line)| !line.starts_with("BYE")),
        "{:?}",
        world.sent
    );
    assert!(is_connected(&world));
}

#[test]
fn a_caller_may_end_a_call_that_nobody_has_answered_yet() {
    let scene = Scene {
        lines: vec![vec![Behaviour::with_answer(Answer::RingForever)]],
        ..immediate()
    };
    let mut world = home("end_ringing", &scene);
    order(&mut world, "call 911");
    world.run_for(3 * SECOND);
    order(&mut world, "hang up the emergency call");
    world.run_for(5 * SECOND);
    world.say(&Spoken::reply("yes"));
    world.run_for(40 * SECOND);
    assert!(!world.sent_to("CANCEL", 0).is_empty());
    assert_eq!(invites(&world), 1);
    assert!(ended(&world, "not answered"));
}

fn after_a_call(test: &'static str) -> Watched {
    let mut world = home(test, &immediate());
    order(&mut world, "call 911");
    world.run_for(3 * SECOND);
    world.taker_hangs_up(0);
    world.run_for(3 * SECOND);
    assert!(ended(&world, "answered"));
    world
}

#[test]
fn a_callback_within_thirty_minutes_is_answered_and_heard() {
    for minutes in [0, 5, 29] {
        let mut world = after_a_call("callback");
        world.run_for(minutes * 60 * SECOND);
        world.caller_calls();
        world.run_for(5 * SECOND);
        assert_eq!(
            world.caller.answered.len(),
            1,
            "{minutes} min: {:?}",
            world.caller.refused
        );
        assert!(
            world.caller.media_packets > 200,
            "{minutes} min: {}",
            world.caller.media_packets
        );
        assert!(said(&world, "calling back"), "{:?}", world.said);
        assert!(is_connected(&world));
        world.caller_hangs_up();
        world.run_for(2 * SECOND);
        assert!(ended(&world, "called back"), "{:?}", world.steps.last());
        assert_eq!(world.lights.last(), Some(&Light::Off));
    }
}

#[test]
fn a_callback_has_an_incident_of_its_own() {
    let mut world = after_a_call("callback_incident");
    let before = world.incidents().len();
    world.caller_calls();
    world.run_for(2 * SECOND);
    world.caller_hangs_up();
    world.run_for(2 * SECOND);
    let incidents = world.incidents();
    assert_eq!(
        incidents.len(),
        before + 1,
        "the callback can be exported and shown"
    );
    let bundle = world
        .export(incidents.last().expect("one"))
        .expect("it is exported");
    let report = hearthline_ledger::verify(&bundle.bytes, &hearthline_ledger::TrustPolicy::none());
    assert_eq!(report.exit.code(), 1, "{report}");
}

#[test]
fn after_thirty_one_minutes_or_without_a_call_nobody_is_here() {
    let mut world = after_a_call("callback_late");
    world.run_for(31 * 60 * SECOND);
    world.caller_calls();
    world.run_for(5 * SECOND);
    assert_eq!(world.caller.refused, [480]);
    let mut world = home("callback_never", &immediate());
    world.caller_calls();
    world.run_for(5 * SECOND);
    assert_eq!(world.caller.refused, [480]);
    assert!(world.said.is_empty());
}

#[test]
fn during_a_call_a_caller_gets_busy_and_the_call_goes_on() {
    for answer in [Answer::Accept, Answer::RingForever] {
        let scene = Scene {
            lines: vec![vec![Behaviour::with_answer(answer)]],
            ..immediate()
        };
        let mut world = home("callback_busy", &scene);
        order(&mut world, "call 911");
        world.run_for(3 * SECOND);
        let lights = world.lights.len();
        world.caller_calls();
        world.run_for(3 * SECOND);
        assert_eq!(world.caller.refused, [486]);
        assert_eq!(world.lights.len(), lights);
        let state = world.taker(0).reports()[0].state;
        assert!(
            matches!(state, CallState::Confirmed | CallState::Ringing),
            "{state:?}"
        );
    }
}

#[test]
fn an_order_during_a_callback_places_a_new_call_and_the_callback_does_not_cut_it() {
    let mut world = after_a_call("order_in_callback");
    world.caller_calls();
    world.run_for(3 * SECOND);
    assert_eq!(world.caller.answered.len(), 1);
    order(&mut world, "call 911");
    world.run_for(3 * SECOND);
    assert_eq!(world.taker(0).reports().len(), 2);
    world.caller_hangs_up();
    world.run_for(5 * SECOND);
    assert!(is_connected(&world), "{:?}", world.lights);
    let heard = world.taker_heard(0).len();
    world.run_for(5 * SECOND);
    assert!(
        world.taker_heard(0).len() - heard > 16_000 * 4,
        "the room is still heard"
    );
    assert_eq!(world.taker(0).reports()[1].state, CallState::Confirmed);
}

#[test]
fn a_callback_after_a_cancelled_call_is_not_expected() {
    let mut world = home("callback_cancelled", &Scene::default());
    order(&mut world, "call 911");
    world.run_for(2 * SECOND);
    world.press_cancel();
    world.run_for(2 * SECOND);
    world.caller_calls();
    world.run_for(3 * SECOND);
    assert_eq!(world.caller.refused, [480]);
}
