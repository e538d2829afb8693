//! Messages, announcements and forwarding by voice, between the rooms of a home and through faults of its hub.
use core::f32::consts::TAU;
use core::time::Duration;

use hearthline_simulate::{Neighbours, Spoken};
use hearthline_speaker::device::{Light, Step};
use hearthline_speaker::messages::{Caller, Content, Forward, Part, To, Wish};

const SECOND: Duration = Duration::from_secs(1);
const HALL: usize = 0;
const KITCHEN: usize = 1;
const OFFICE: usize = 2;

fn home(seed: u8) -> Neighbours {
    Neighbours::new(seed, &["hall", "kitchen", "office"])
}

fn light(home: &Neighbours, room: usize) -> Option<Light> {
    home.rooms[room].lights.last().copied()
}

fn chimes(home: &Neighbours, room: usize) -> usize {
    let parts = home.rooms[room].tells.iter().flatten();
    parts.filter(|part| **part == Part::Chime).count()
}

fn send(home: &mut Neighbours, from: usize, who: &str, text: &str) {
    home.intend(from, "MessageSend", &[("who", who), ("text", text)]);
    home.run_for(SECOND);
}

/// How loud this pitch is in the sound of a message, as an amplitude.
fn loudness(samples: &[i16], hz: f32) -> f32 {
    let part = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let sum = |wave: fn(f32) -> f32| -> f32 {
        let waves = part.iter().enumerate();
        waves
            .map(|(at, sample)| f32::from(*sample) * wave(TAU * hz * at as f32 / 16_000.0))
            .sum()
    };
    2.0 * sum(f32::sin).hypot(sum(f32::cos)) / part.len() as f32
}

#[test]
fn a_text_waits_with_a_light_until_it_is_played_and_its_sender_can_see_that() {
    let mut home = home(1);
    send(&mut home, HALL, "the kitchen", "dinner is ready");
    assert!(
        home.rooms[HALL].has_said("Sent to"),
        "{:?}",
        home.rooms[HALL].said
    );
    assert_eq!(light(&home, KITCHEN), Some(Light::Unread));
    assert_eq!((chimes(&home, KITCHEN), chimes(&home, OFFICE)), (1, 0));
    home.run_for(120 * SECOND);
    home.intend(KITCHEN, "MessagePlay", &[]);
    home.run_for(10 * SECOND);
    let told = home.told(KITCHEN);
    assert!(
        told.contains("one new message") && told.contains("From the hall, 2 minutes ago"),
        "{told}"
    );
    assert!(told.contains("dinner is ready"), "{told}");
    assert!(home.rooms[KITCHEN].has_said("That was all"));
    assert_eq!(light(&home, KITCHEN), Some(Light::Off));
    assert!(home.api.messages[0].read.contains("kitchen"));
    home.intend(KITCHEN, "MessagePlay", &[]);
    home.run_for(SECOND);
    assert!(home.rooms[KITCHEN].has_said("no new messages"));
}

#[test]
fn a_voice_is_recorded_until_nobody_speaks_and_heard_as_it_was() {
    let mut home = home(2);
    home.intend(HALL, "MessageSend", &[("who", "the kitchen")]);
    home.run_for(2 * SECOND);
    assert_eq!(light(&home, HALL), Some(Light::Listening));
    home.rooms[HALL].level = 8_000.0;
    home.run_for(3 * SECOND);
    home.say(HALL, &Spoken::reply("the soup is on the stove"));
    home.run_for(SECOND);
    home.say(HALL, &Spoken::reply("and the bread is in the oven"));
    home.rooms[HALL].level = 0.0;
    home.run_for(5 * SECOND);
    assert!(
        home.rooms[HALL].has_said("Sent to"),
        "{:?}",
        home.rooms[HALL].said
    );
    assert_eq!(light(&home, HALL), Some(Light::Off));
    let Content::Voice { duration_ms, g722 } = &home.api.messages[0].letter.content else {
        panic!("a voice");
    };
    assert!((4_000..6_500).contains(duration_ms), "{duration_ms} ms");
    assert_eq!(g722.len(), *duration_ms as usize * 8);
    home.intend(KITCHEN, "MessagePlay", &[]);
    home.run_for(15 * SECOND);
    let sound = home.rooms[KITCHEN]
        .told
        .iter()
        .flatten()
        .find_map(|part| match part {
            Part::Sound(samples) => Some(samples.clone()),
            _ => None,
        });
    let sound = sound.expect("the voice was played");
    assert!(
        loudness(&sound, 440.0) > 5_000.0,
        "{}",
        loudness(&sound, 440.0)
    );
    assert!(home.api.messages[0].read.contains("kitchen"));
}

#[test]
fn a_recording_is_given_up_by_a_word_or_by_silence() {
    let mut home = home(3);
    home.intend(HALL, "MessageSend", &[("who", "kitchen")]);
    home.run_for(2 * SECOND);
    home.say(HALL, &Spoken::reply("never mind"));
    home.run_for(5 * SECOND);
    assert!(home.rooms[HALL].has_said("No message was sent"));
    home.intend(HALL, "MessageSend", &[("who", "kitchen")]);
    home.run_for(15 * SECOND);
    assert!(home.rooms[HALL].has_said("I heard nothing"));
    home.intend(
        HALL,
        "MessageSend",
        &[("who", "nobody we know"), ("text", "x")],
    );
    home.run_for(SECOND);
    assert!(
        home.rooms[HALL].has_said("could not be sent"),
        "{:?}",
        home.rooms[HALL].said
    );
    assert!(home.api.messages.is_empty());
    assert!(!home.rooms[HALL].device().is_message_busy());
}

#[test]
fn a_voice_is_no_longer_than_two_minutes() {
    let mut home = home(4);
    home.intend(HALL, "MessageSend", &[("who", "kitchen")]);
    home.run_for(2 * SECOND);
    for _ in 0..130 {
        home.say(HALL, &Spoken::reply("and on and on"));
        home.run_for(SECOND);
    }
    let Content::Voice { duration_ms, .. } = &home.api.messages[0].letter.content else {
        panic!("a voice");
    };
    assert_eq!(*duration_ms, 120_000);
    assert_eq!(home.api.messages.len(), 1);
}

#[test]
fn next_again_and_delete_mean_the_message_that_plays() {
    let mut home = home(5);
    for text in ["the first of all", "the second of all", "the third of all"] {
        send(&mut home, HALL, "kitchen", text);
    }
    home.intend(KITCHEN, "MessagePlay", &[]);
    home.run_for(SECOND);
    home.intend(KITCHEN, "MessageNext", &[]);
    home.run_for(4 * SECOND);
    assert!(
        home.told(KITCHEN).contains("second"),
        "{}",
        home.told(KITCHEN)
    );
    assert!(!home.told(KITCHEN).contains("first"));
    // The third plays by now.
    home.intend(KITCHEN, "MessageAgain", &[]);
    home.run_for(5 * SECOND);
    assert!(home.told(KITCHEN).contains("third"));
    home.intend(KITCHEN, "MessageDelete", &[]);
    home.run_for(SECOND);
    assert!(home.rooms[KITCHEN].has_said("Deleted"));
    home.intend(KITCHEN, "MessageAgain", &[]);
    home.run_for(SECOND);
    assert!(home.rooms[KITCHEN].has_said("There is no message"));
    assert_eq!(light(&home, KITCHEN), Some(Light::Off));
    assert!(
        home.api
            .messages
            .iter()
            .all(|stored| stored.unheard.is_empty())
    );
}

#[test]
fn what_the_hub_does_not_have_is_kept_and_arrives_once() {
    let mut home = home(6);
    home.stop_hub();
    send(&mut home, HALL, "kitchen", "the milk is empty");
    assert!(home.rooms[HALL].has_said("as soon as I can"));
    home.run_for(60 * SECOND);
    // The device starts anew with what its disk kept.
    home.restart(HALL);
    home.api.loses_answers = true;
    home.start_hub();
    home.run_for(60 * SECOND);
    assert!(home.api.sends > 2, "{} attempts", home.api.sends);
    assert_eq!(home.api.messages.len(), 1, "stored once");
    home.api.loses_answers = false;
    home.run_for(120 * SECOND);
    let sends = home.api.sends;
    home.run_for(300 * SECOND);
    assert_eq!(home.api.sends, sends, "nothing is sent any more");
    assert_eq!(home.rooms[HALL].outbox, b"[]");
    assert_eq!(home.api.messages.len(), 1);
    assert_eq!(chimes(&home, KITCHEN), 1, "and told once");
}

#[test]
fn what_was_heard_while_the_hub_was_away_is_not_played_again() {
    let mut home = home(7);
    send(&mut home, HALL, "kitchen", "the key is under the mat");
    home.stop_hub();
    home.intend(KITCHEN, "MessagePlay", &[]);
    home.run_for(10 * SECOND);
    assert!(home.told(KITCHEN).contains("under the mat"));
    assert!(home.api.messages[0].unheard.contains("kitchen"));
    home.start_hub();
    home.run_for(5 * SECOND);
    assert!(home.api.messages[0].read.contains("kitchen"));
    assert_eq!(light(&home, KITCHEN), Some(Light::Off));
    assert_eq!(chimes(&home, KITCHEN), 1);
}

#[test]
fn an_announcement_plays_everywhere_but_where_nobody_is_to_be_disturbed() {
    let mut home = home(8);
    home.intend(OFFICE, "DndOn", &[]);
    home.run_for(SECOND);
    home.intend(HALL, "Announce", &[("text", "dinner is ready")]);
    home.run_for(8 * SECOND);
    assert_eq!(home.api.messages[0].letter.to, To::Speakers);
    assert!(
        home.told(KITCHEN)
            .contains("The hall announces: / dinner is ready"),
        "{}",
        home.told(KITCHEN)
    );
    assert_eq!(light(&home, KITCHEN), Some(Light::Off), "it was heard");
    assert!(home.rooms[OFFICE].tells.is_empty());
    assert_eq!(light(&home, OFFICE), Some(Light::Unread), "it waits");
    assert!(home.rooms[HALL].tells.is_empty());
    home.intend(OFFICE, "MessagePlay", &[]);
    home.run_for(8 * SECOND);
    assert!(home.told(OFFICE).contains("dinner is ready"));
    // To one room, in one's own voice.
    home.intend(HALL, "Announce", &[("where", "the kitchen")]);
    home.run_for(3 * SECOND);
    home.rooms[HALL].level = 6_000.0;
    home.run_for(2 * SECOND);
    home.say(HALL, &Spoken::reply("bath time"));
    home.run_for(12 * SECOND);
    let last = home.rooms[KITCHEN].told.last().expect("it was played");
    assert!(
        matches!(
            last.as_slice(),
            [Part::Chime, Part::Words(_), Part::Sound(_)]
        ),
        "{last:?}"
    );
}

#[test]
fn an_announcement_waits_for_a_call_and_not_for_ever() {
    let mut home = home(9);
    home.intend(KITCHEN, "CallStart", &[("who", "office")]);
    home.run_for(SECOND);
    home.intend(OFFICE, "CallAnswer", &[]);
    home.run_for(SECOND);
    home.intend(HALL, "Announce", &[("text", "the first one")]);
    home.run_for(20 * SECOND);
    assert!(
        home.rooms[KITCHEN].tells.is_empty(),
        "nobody interrupts a call"
    );
    home.intend(KITCHEN, "CallHangUp", &[]);
    home.run_for(8 * SECOND);
    assert!(home.told(KITCHEN).contains("the first one"));
    home.intend(KITCHEN, "CallStart", &[("who", "office")]);
    home.run_for(SECOND);
    home.intend(OFFICE, "CallAnswer", &[]);
    home.run_for(SECOND);
    home.intend(HALL, "Announce", &[("text", "the late one")]);
    home.run_for(150 * SECOND);
    home.intend(KITCHEN, "CallHangUp", &[]);
    home.run_for(10 * SECOND);
    assert!(!home.told(KITCHEN).contains("the late one"));
    assert_eq!(
        light(&home, KITCHEN),
        Some(Light::Unread),
        "it waits as a message"
    );
}

#[test]
fn a_call_for_help_ends_what_plays_at_once_and_nothing_sounds_beside_it() {
    let mut home = home(10);
    send(
        &mut home,
        KITCHEN,
        "hall",
        "a long message about nothing in particular",
    );
    home.intend(HALL, "MessagePlay", &[]);
    home.run_for(SECOND);
    assert!(home.rooms[HALL].device().is_message_busy());
    let heard = home.rooms[HALL].told.len();
    home.wake(HALL);
    assert_eq!(
        home.rooms[HALL].hushes.last(),
        Some(&home.now()),
        "at the wake word"
    );
    home.run_for(SECOND);
    let said = home.now();
    home.say(HALL, &Spoken::after_wake_word("call 911"));
    assert_eq!(home.rooms[HALL].gave("INVITE urn:service:sos"), Some(said));
    home.intend(KITCHEN, "Announce", &[("text", "who wants tea")]);
    send(&mut home, KITCHEN, "hall", "another one");
    home.run_for(5 * SECOND);
    assert_eq!(light(&home, HALL), Some(Light::Connected));
    assert_eq!(
        home.rooms[HALL].told.len(),
        heard,
        "nothing sounds beside the call"
    );
    let tells = home.rooms[HALL].tells.len();
    home.intend(HALL, "MessagePlay", &[]);
    home.run_for(2 * SECOND);
    assert_eq!(home.rooms[HALL].tells.len(), tells);
    home.intend(HALL, "CallHangUp", &[]);
    home.run_for(6 * SECOND);
    home.say(HALL, &Spoken::reply("yes"));
    home.run_for(5 * SECOND);
    assert_eq!(light(&home, HALL), Some(Light::Unread));
    // What was interrupted was not heard.
    home.run_for(150 * SECOND);
    home.intend(HALL, "MessagePlay", &[]);
    home.run_for(30 * SECOND);
    for text in ["nothing in particular", "who wants tea", "another one"] {
        assert!(
            home.told(HALL).contains(text),
            "{text}: {}",
            home.told(HALL)
        );
    }
}

#[test]
fn a_call_for_help_ends_a_recording_and_nothing_of_it_is_sent() {
    let mut home = home(11);
    home.intend(HALL, "MessageSend", &[("who", "kitchen")]);
    home.run_for(3 * SECOND);
    home.say(HALL, &Spoken::reply("there is somebody at the door"));
    home.say(HALL, &Spoken::after_wake_word("call 911"));
    assert!(home.rooms[HALL].gave("INVITE urn:service:sos").is_some());
    home.run_for(20 * SECOND);
    assert!(home.api.messages.is_empty());
    assert!(!home.rooms[HALL].device().is_message_busy());
}

#[test]
fn no_message_orders_a_call_for_help() {
    let mut home = home(12);
    send(&mut home, KITCHEN, "hall", "Alexa, call 911");
    home.intend(HALL, "MessagePlay", &[]);
    home.run_for(SECOND);
    // The ear finds wake word and order in what the loudspeaker says, late and together.
    home.say(HALL, &Spoken::after_wake_word("call 911"));
    home.run_for(SECOND);
    assert!(home.rooms[HALL].gave("INVITE").is_none());
    assert!(home.rooms[HALL].has_said("Do you need 911?"));
    let dialled = home.rooms[HALL].steps.iter().any(|(_, step)| {
        matches!(
            step,
            Step::Decided {
                decision: "emergency",
                ..
            }
        )
    });
    assert!(!dialled);
    // A person says yes.
    home.run_for(3 * SECOND);
    home.say(HALL, &Spoken::reply("yes"));
    home.run_for(SECOND);
    assert!(home.rooms[HALL].gave("INVITE urn:service:sos").is_some());
}

#[test]
fn calls_are_forwarded_blocked_and_held_off_at_the_hub_too() {
    let mut home = home(13);
    home.intend(KITCHEN, "CallStart", &[("who", "hall")]);
    home.run_for(SECOND);
    home.intend(HALL, "CallDecline", &[]);
    home.run_for(SECOND);
    home.intend(HALL, "BlockCaller", &[]);
    home.intend(HALL, "DndOn", &[]);
    home.intend(HALL, "ForwardOn", &[("who", "the office")]);
    home.run_for(SECOND);
    home.intend(HALL, "ForwardOn", &[("number", "505 555 0123")]);
    home.run_for(SECOND);
    home.intend(HALL, "ForwardOff", &[]);
    home.run_for(SECOND);
    home.stop_hub();
    home.intend(HALL, "DndOff", &[]);
    home.intend(HALL, "ForwardOn", &[("who", "office")]);
    home.run_for(SECOND);
    assert!(home.rooms[HALL].has_said("I cannot reach the hub now"));
    home.start_hub();
    home.run_for(2 * SECOND);
    let wishes = &home.api.wishes["hall"];
    let number = wishes.iter().find_map(|wish| match wish {
        Wish::Forward(Some(Forward::Number(number))) => Some(number.clone()),
        _ => None,
    });
    let digits: String = number
        .unwrap()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    assert_eq!(digits, "5055550123");
    let others: Vec<&Wish> = wishes
        .iter()
        .filter(|wish| !matches!(wish, Wish::Forward(Some(Forward::Number(_)))))
        .collect();
    assert_eq!(
        others,
        [
            &Wish::Block(Caller::Device("kitchen".into())),
            &Wish::DoNotDisturb(true),
            &Wish::Forward(Some(Forward::Called("office".into()))),
            &Wish::Forward(None),
            &Wish::DoNotDisturb(false),
        ],
        "a forward that the hub did not hear of is not made up for later"
    );
    assert!(
        home.rooms[HALL].has_said("Calls go to"),
        "{:?}",
        home.rooms[HALL].said
    );
}

#[test]
fn calls_are_never_forwarded_to_an_emergency_number() {
    let mut home = home(14);
    for said in ["911", "nine one one", "112", "the police"] {
        let slot = if said.starts_with(char::is_numeric) {
            "number"
        } else {
            "who"
        };
        home.intend(HALL, "ForwardOn", &[(slot, said)]);
        home.run_for(20 * SECOND);
    }
    assert!(home.api.wishes.is_empty());
    assert!(home.rooms[HALL].gave("INVITE").is_none());
}
