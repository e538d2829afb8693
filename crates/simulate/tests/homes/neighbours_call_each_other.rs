//! Ordinary calls between the devices of a home, in virtual time and through the product's own proxy and registrar.
use core::time::Duration;

use hearthline_simulate::{Faults, Neighbours, Spoken};
use hearthline_speaker::device::Light;
use hearthline_speaker::telephone::screening::DropIn;
use hearthline_speaker::telephone::{Name, Reach, Tone};

const SECOND: Duration = Duration::from_secs(1);
const HALL: usize = 0;
const KITCHEN: usize = 1;
const OFFICE: usize = 2;

fn rings(home: &Neighbours, room: usize) -> bool {
    home.rooms[room].lights.last() == Some(&Light::Ringing)
}

fn talks(home: &Neighbours, room: usize) -> bool {
    home.rooms[room].lights.last() == Some(&Light::OnCall)
}

/// Hall calls the kitchen, and the kitchen answers.
fn connected(home: &mut Neighbours, from: usize, to: usize) {
    let name = home.rooms[to].name.clone();
    home.intend(from, "CallStart", &[("who", &format!("the {name}"))]);
    assert!(
        home.run_until(2 * SECOND, |home| rings(home, to)),
        "{name} rings"
    );
    home.run_for(SECOND);
    home.intend(to, "CallAnswer", &[]);
    home.run_for(SECOND);
    assert!(talks(home, from) && talks(home, to));
}

#[test]
fn call_the_kitchen_answer_talk_and_hang_up() {
    let mut home = Neighbours::new(1, &["hall", "kitchen"]);
    let asked = home.now();
    home.intend(HALL, "CallStart", &[("who", "the kitchen")]);
    assert!(home.rooms[HALL].has_said("Calling the kitchen."));
    assert!(home.run_until(2 * SECOND, |home| {
        home.rooms[KITCHEN].got("INVITE").is_some()
    }));
    let invited = home.rooms[KITCHEN].got("INVITE").unwrap();
    println!(
        "spoken to INVITE at the kitchen: {:?} of network",
        invited - asked
    );
    assert!(invited - asked <= Duration::from_millis(20));
    home.run_for(SECOND / 2);
    assert!(rings(&home, KITCHEN));
    assert_eq!(home.rooms[KITCHEN].tones.last(), Some(&Some(Tone::Ring)));
    assert_eq!(home.rooms[HALL].tones.last(), Some(&Some(Tone::Ringback)));
    assert!(home.rooms[KITCHEN].has_said("is calling"));

    // Nobody is heard before the answer.
    home.rooms[HALL].level = 8_000.0;
    home.run_for(SECOND);
    assert!(home.rooms[KITCHEN].played.is_empty());

    home.rooms[KITCHEN].level = 8_000.0;
    home.rooms[KITCHEN].hz = 700.0;
    home.intend(KITCHEN, "CallAnswer", &[]);
    home.run_for(2 * SECOND);
    assert!(talks(&home, HALL) && talks(&home, KITCHEN));
    assert_eq!(home.rooms[KITCHEN].tones.last(), Some(&None));
    assert!(home.rooms[HALL].hears(700.0) > 4_000.0);
    assert!(home.rooms[KITCHEN].hears(440.0) > 4_000.0);
    assert!(home.rooms[HALL].hears(440.0) < 500.0, "no own voice");

    home.intend(HALL, "CallHangUp", &[]);
    home.run_for(SECOND);
    for room in [HALL, KITCHEN] {
        assert_eq!(home.rooms[room].lights.last(), Some(&Light::Off));
        assert!(!home.rooms[room].device().is_telephone_busy());
    }
    assert!(home.rooms[KITCHEN].got("BYE").is_some());
    let record = String::from_utf8_lossy(&home.rooms[HALL].log).into_owned();
    assert!(
        record.contains("\"telephone\"") && record.contains("G722"),
        "{record}"
    );
    assert!(
        !record.contains("\"call\":"),
        "an ordinary call is no emergency call"
    );
}

#[test]
fn the_same_by_the_sentences_that_people_say() {
    let mut home = Neighbours::new(11, &["hall", "kitchen"]);
    let says = |home: &mut Neighbours, room: usize, words: &str| {
        home.say(room, &Spoken::after_wake_word(words));
        home.run_for(SECOND);
    };
    says(&mut home, HALL, "call the kitchen");
    assert!(rings(&home, KITCHEN));
    says(&mut home, KITCHEN, "answer");
    assert!(talks(&home, HALL) && talks(&home, KITCHEN));
    says(&mut home, HALL, "hold");
    says(&mut home, HALL, "resume");
    says(&mut home, HALL, "volume up");
    assert_eq!(home.rooms[HALL].volumes.last(), Some(&70));
    says(&mut home, KITCHEN, "hang up");
    assert!(!home.rooms[HALL].device().is_telephone_busy());
    // Without a call it is nobody's.
    let said = home.rooms[HALL].said.len();
    says(&mut home, HALL, "hang up");
    assert_eq!(home.rooms[HALL].said.len(), said);
    says(&mut home, HALL, "call the kitchen");
    says(&mut home, KITCHEN, "I'm busy");
    assert!(home.rooms[HALL].has_said("does not take the call"));
    says(&mut home, KITCHEN, "do not disturb");
    says(&mut home, HALL, "redial");
    assert!(!rings(&home, KITCHEN), "{:?}", home.rooms[KITCHEN].said);
}

#[test]
fn the_first_answer_wins_and_the_others_stop_ringing() {
    let mut home = Neighbours::new(2, &["hall", "kitchen", "office"]);
    home.hub
        .names
        .insert("downstairs".into(), vec!["kitchen".into(), "office".into()]);
    home.intend(HALL, "CallStart", &[("who", "downstairs")]);
    assert!(home.run_until(2 * SECOND, |home| rings(home, KITCHEN)
        && rings(home, OFFICE)));
    // Both at the same moment: the hub has one of them win, whatever the order.
    home.intend(OFFICE, "CallAnswer", &[]);
    home.intend(KITCHEN, "CallAnswer", &[]);
    home.run_for(2 * SECOND);
    let talking = [KITCHEN, OFFICE].map(|room| talks(&home, room));
    assert_eq!(
        talking.iter().filter(|talks| **talks).count(),
        1,
        "{talking:?}"
    );
    assert!(talks(&home, HALL));
    home.intend(HALL, "CallHangUp", &[]);
    home.run_for(SECOND);
    assert!(
        home.rooms
            .iter()
            .all(|room| !room.device().is_telephone_busy())
    );

    // One after the other: the second is told to stop.
    home.intend(HALL, "CallStart", &[("who", "downstairs")]);
    home.run_for(SECOND);
    home.intend(KITCHEN, "CallAnswer", &[]);
    home.run_for(SECOND);
    assert!(talks(&home, KITCHEN) && !rings(&home, OFFICE));
    assert!(home.rooms[OFFICE].got("CANCEL").is_some());
}

#[test]
fn decline_no_answer_nobody_and_cancel() {
    let mut home = Neighbours::new(3, &["hall", "kitchen"]);
    home.intend(HALL, "CallStart", &[("who", "kitchen")]);
    home.run_for(SECOND);
    home.intend(KITCHEN, "CallDecline", &[]);
    home.run_for(SECOND);
    assert!(home.rooms[HALL].has_said("does not take the call"));

    home.intend(HALL, "CallStart", &[("who", "the kitchen")]);
    home.run_for(50 * SECOND);
    assert!(home.rooms[HALL].has_said("No answer from the kitchen."));
    assert!(!home.rooms[KITCHEN].device().is_telephone_busy());
    home.intend(KITCHEN, "CallWho", &[]);
    assert!(
        home.rooms[KITCHEN].has_said("called just now."),
        "{:?}",
        home.rooms[KITCHEN].said
    );

    home.intend(HALL, "CallStart", &[("who", "zanzibar")]);
    home.run_for(SECOND);
    assert!(
        home.rooms[HALL].has_said("I do not know how to reach Zanzibar."),
        "{:?}",
        home.rooms[HALL].said
    );

    home.intend(HALL, "CallStart", &[("who", "the kitchen")]);
    home.run_for(SECOND);
    home.intend(HALL, "CallHangUp", &[]);
    home.run_for(SECOND);
    assert!(home.rooms[KITCHEN].got("CANCEL").is_some());
    assert!(!home.rooms[KITCHEN].device().is_telephone_busy());

    // The one who was missed is called back.
    home.intend(KITCHEN, "CallRedial", &[("last", "missed")]);
    assert!(home.run_until(2 * SECOND, |home| rings(home, HALL)));
    home.intend(KITCHEN, "CallHangUp", &[]);
    home.run_for(SECOND);
    home.intend(HALL, "CallRedial", &[]);
    assert!(home.run_until(2 * SECOND, |home| rings(home, KITCHEN)));
}

#[test]
fn a_second_call_waits_and_is_taken_while_the_first_is_held() {
    let mut home = Neighbours::new(4, &["hall", "kitchen", "office"]);
    for (room, hz) in [(HALL, 440.0), (KITCHEN, 700.0), (OFFICE, 1_000.0)] {
        home.rooms[room].level = 6_000.0;
        home.rooms[room].hz = hz;
    }
    connected(&mut home, HALL, KITCHEN);
    home.intend(OFFICE, "CallStart", &[("who", "hall")]);
    home.run_for(SECOND);
    assert!(home.rooms[HALL].has_said("Say answer, or decline."));
    assert_eq!(home.rooms[HALL].tones.last(), Some(&Some(Tone::Waiting)));
    home.intend(HALL, "CallAnswer", &[]);
    home.run_for(2 * SECOND);
    assert!(home.rooms[HALL].hears(1_000.0) > 3_000.0);
    assert!(
        home.rooms[HALL].hears(700.0) < 500.0,
        "the kitchen is on hold"
    );
    assert!(
        home.rooms[KITCHEN].hears(440.0) < 500.0,
        "and hears nothing of the hall"
    );

    // Back to the first.
    home.intend(HALL, "CallResume", &[]);
    home.run_for(2 * SECOND);
    assert!(home.rooms[HALL].hears(700.0) > 3_000.0);
    assert!(home.rooms[HALL].hears(1_000.0) < 500.0);

    // And all three together: everybody hears both others.
    home.intend(HALL, "CallMerge", &[]);
    home.run_for(2 * SECOND);
    for (room, heard) in [
        (HALL, [700.0, 1_000.0]),
        (KITCHEN, [440.0, 1_000.0]),
        (OFFICE, [440.0, 700.0]),
    ] {
        for hz in heard {
            let level = home.rooms[room].hears(hz);
            assert!(
                level > 2_500.0,
                "{} hears {hz} at {level}",
                home.rooms[room].name
            );
        }
    }
    home.intend(HALL, "CallHangUp", &[]);
    home.run_for(SECOND);
    assert!(
        home.rooms
            .iter()
            .all(|room| !room.device().is_telephone_busy())
    );
}

#[test]
fn hold_is_silence_both_ways_until_it_is_taken_back() {
    let mut home = Neighbours::new(5, &["hall", "kitchen"]);
    for room in [HALL, KITCHEN] {
        home.rooms[room].level = 6_000.0;
    }
    connected(&mut home, HALL, KITCHEN);
    home.intend(KITCHEN, "CallHold", &[]);
    home.run_for(2 * SECOND);
    let quiet = [HALL, KITCHEN].map(|room| home.rooms[room].played.len());
    assert!(home.rooms[HALL].hears(440.0) < 500.0);
    home.run_for(SECOND);
    assert_eq!(home.rooms[KITCHEN].played.len(), quiet[1]);
    home.intend(KITCHEN, "CallResume", &[]);
    home.run_for(2 * SECOND);
    assert!(home.rooms[HALL].hears(440.0) > 3_000.0);
    assert!(home.rooms[KITCHEN].hears(440.0) > 3_000.0);
}

#[test]
fn do_not_disturb_turns_calls_away_without_a_sound() {
    let mut home = Neighbours::new(6, &["hall", "kitchen"]);
    home.intend(KITCHEN, "DndOn", &[]);
    let said = home.rooms[KITCHEN].said.len();
    home.intend(HALL, "CallStart", &[("who", "kitchen")]);
    home.run_for(SECOND);
    assert!(home.rooms[HALL].has_said("cannot be reached now"));
    assert_eq!(home.rooms[KITCHEN].said.len(), said);
    assert!(home.rooms[KITCHEN].tones.is_empty());
    home.intend(KITCHEN, "DndOff", &[]);
    home.intend(HALL, "CallStart", &[("who", "kitchen")]);
    assert!(home.run_until(2 * SECOND, |home| rings(home, KITCHEN)));
}

#[test]
fn which_anna_is_asked_and_answered() {
    let mut home = Neighbours::new(7, &["hall", "kitchen", "office"]);
    let anna = |name: &str, user: &str| Name {
        name: name.into(),
        also: vec!["Anna".into()],
        reach: Reach::User(user.into()),
    };
    home.publish(&[anna("Anna Smith", "kitchen"), anna("Anna Jones", "office")]);
    home.intend(HALL, "CallStart", &[("who", "Anna")]);
    assert!(
        home.rooms[HALL].has_said("Which Anna: Anna Smith or Anna Jones?"),
        "{:?}",
        home.rooms[HALL].said
    );
    home.run_for(4 * SECOND);
    home.say(HALL, &Spoken::reply("Anna Jones"));
    assert!(
        home.run_until(2 * SECOND, |home| rings(home, OFFICE)),
        "{:?}",
        home.rooms[HALL].said
    );
    assert!(!rings(&home, KITCHEN));
    // Who calls is said by the name that the hub vouches for.
    home.intend(HALL, "CallHangUp", &[]);
    home.run_for(SECOND);
    home.intend(OFFICE, "CallStart", &[("who", "Anna Smith")]);
    home.run_for(SECOND);
    assert!(home.rooms[KITCHEN].has_said("Anna Jones is calling."));
    home.intend(KITCHEN, "CallStart", &[("who", "zanzibar")]);
    assert!(home.rooms[KITCHEN].has_said("I know nobody called zanzibar."));
}

#[test]
fn the_hub_restarts_and_calls_go_on_and_come_again() {
    let mut home = Neighbours::new(8, &["hall", "kitchen"]);
    for room in [HALL, KITCHEN] {
        home.rooms[room].level = 6_000.0;
    }
    connected(&mut home, HALL, KITCHEN);
    home.stop_hub();
    home.run_for(5 * SECOND);
    assert!(
        home.rooms[KITCHEN].hears(440.0) > 3_000.0,
        "sound needs no hub"
    );
    assert!(!home.rooms[HALL].device().is_registered());
    home.start_hub();
    assert!(home.run_until(60 * SECOND, |home| {
        home.rooms.iter().all(|room| room.device().is_registered())
    }));
    home.intend(HALL, "CallHangUp", &[]);
    home.run_for(40 * SECOND);
    assert!(!home.rooms[HALL].device().is_telephone_busy());
    home.intend(HALL, "CallStart", &[("who", "kitchen")]);
    assert!(home.run_until(2 * SECOND, |home| {
        home.rooms[KITCHEN]
            .received
            .iter()
            .filter(|(_, line)| line.starts_with("INVITE"))
            .count()
            > 1
    }));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed: u8| {
        let mut home = Neighbours::new(seed, &["hall", "kitchen", "office"]);
        connected(&mut home, HALL, KITCHEN);
        home.intend(OFFICE, "CallStart", &[("who", "hall")]);
        home.run_for(2 * SECOND);
        home.intend(HALL, "CallAnswer", &[]);
        home.run_for(2 * SECOND);
        home.intend(HALL, "CallMerge", &[]);
        home.run_for(2 * SECOND);
        home.digest()
    };
    assert_eq!(run(9), run(9));
    assert_ne!(run(9), run(10));
}

#[test]
fn whoever_drops_in_is_heard_and_seen_in_a_muted_room() {
    let faults = Faults::default();
    let mut home = Neighbours::with(61, &["hall", "kitchen"], faults, DropIn::Household);
    home.hub.lets_drop_in = true;
    home.intend(KITCHEN, "Mute", &[]);
    assert_eq!(home.rooms[KITCHEN].volumes.last(), Some(&0));
    home.intend(HALL, "DropIn", &[("who", "the kitchen")]);
    home.run_for(2 * SECOND);
    // Nobody answered: it stands, is shown and sounds, and cannot be made silent.
    let kitchen = &home.rooms[KITCHEN];
    assert_eq!(kitchen.lights.last(), Some(&Light::DropIn));
    assert_eq!(kitchen.tones.last(), Some(&Some(Tone::DropIn)));
    assert!(kitchen.has_said("dropping in"), "{:?}", kitchen.said);
    assert_eq!(kitchen.volumes.last(), Some(&40));
    home.intend(KITCHEN, "VolumeSet", &[("percent", "0")]);
    assert_eq!(home.rooms[KITCHEN].volumes.last(), Some(&40));
    home.intend(HALL, "CallHangUp", &[]);
    home.run_for(SECOND);
    let kitchen = &home.rooms[KITCHEN];
    assert_eq!(kitchen.lights.last(), Some(&Light::Off));
    assert_eq!(kitchen.volumes.last(), Some(&0));
}
