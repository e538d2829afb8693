//! The network changes under a call: it goes on at the new address, protected as before, and can be ended from there. One
//! that rings rings on, and is heard from the new address once it is answered.
use core::time::Duration;

use hearthline_simulate::{Faults, Neighbours, Spoken};
use hearthline_speaker::device::{Light, Step};
use hearthline_speaker::telephone::screening::DropIn;

const SECOND: Duration = Duration::from_secs(1);
const HALL: usize = 0;
const KITCHEN: usize = 1;

fn has_step(home: &Neighbours, room: usize, words: &str) -> bool {
    let mut steps = home.rooms[room].steps.iter();
    steps.any(|(_, step)| matches!(step, Step::Telephone { what } if what.contains(words)))
}

/// The hall has called the kitchen, and they talk.
fn talking(seed: u8, faults: Faults) -> Neighbours {
    let mut home = Neighbours::with(seed, &["hall", "kitchen"], faults, DropIn::Never);
    home.rooms[HALL].level = 6_000.0;
    home.rooms[KITCHEN].level = 6_000.0;
    home.rooms[KITCHEN].hz = 700.0;
    home.intend(HALL, "CallStart", &[("who", "the kitchen")]);
    let ringing = |home: &Neighbours| home.rooms[KITCHEN].lights.last() == Some(&Light::Ringing);
    assert!(home.run_until(2 * SECOND, ringing));
    home.intend(KITCHEN, "CallAnswer", &[]);
    home.run_for(3 * SECOND);
    both_hear(&home);
    home
}

fn both_hear(home: &Neighbours) {
    let (hall, kitchen) = (
        home.rooms[HALL].hears(700.0),
        home.rooms[KITCHEN].hears(440.0),
    );
    let [of_hall, of_kitchen] = [HALL, KITCHEN].map(|room| &home.rooms[room]);
    assert!(
        hall > 3_000.0 && kitchen > 3_000.0,
        "{hall} {kitchen}\n{:#?}\n{:#?}\n{:?}\n{:?}",
        of_hall.steps,
        of_kitchen.steps,
        (&of_hall.sent, &of_hall.received),
        (&of_kitchen.sent, &of_kitchen.received)
    );
}

/// The hall has called the kitchen, where it rings.
fn ringing(seed: u8, faults: Faults) -> Neighbours {
    let mut home = Neighbours::with(seed, &["hall", "kitchen"], faults, DropIn::Never);
    home.rooms[HALL].level = 6_000.0;
    home.rooms[KITCHEN].level = 6_000.0;
    home.rooms[KITCHEN].hz = 700.0;
    home.intend(HALL, "CallStart", &[("who", "the kitchen")]);
    let rings = |home: &Neighbours| home.rooms[KITCHEN].lights.last() == Some(&Light::Ringing);
    assert!(home.run_until(2 * SECOND, rings));
    home
}

/// It has rung once, without a break, and nobody was told that it was missed.
fn rang_once(home: &Neighbours) {
    let kitchen = &home.rooms[KITCHEN];
    let told = kitchen.said.iter().filter(|said| said.contains("calling"));
    assert_eq!(told.count(), 1, "{:?}", kitchen.said);
    let invites = kitchen.received.iter();
    let invites = invites.filter(|(_, line)| line.starts_with("INVITE"));
    let rung = kitchen
        .lights
        .iter()
        .filter(|light| **light == Light::Ringing);
    assert_eq!(rung.count(), 1, "{:?}", kitchen.lights);
    // What came of them by two networks is one; the others lead the sound another way.
    assert!(invites.count() <= 4, "{:?}", kitchen.received);
    assert!(kitchen.got("CANCEL").is_none());
    assert!(kitchen.got("ACK").is_some());
}

fn is_idle(home: &Neighbours) -> bool {
    let mut rooms = home.rooms.iter();
    rooms.all(|room| !room.device().is_telephone_busy())
}

#[test]
fn a_call_goes_on_whoever_moves_and_whoever_ends_it() {
    for (seed, (moves, ends)) in (1..).zip([
        (HALL, HALL),
        (HALL, KITCHEN),
        (KITCHEN, HALL),
        (KITCHEN, KITCHEN),
    ]) {
        let mut home = talking(seed, Faults::default());
        home.moves(moves);
        home.run_for(3 * SECOND);
        both_hear(&home);
        assert!(has_step(&home, moves, "the network changed"));
        assert!(has_step(&home, 1 - moves, "sound goes another way now"));
        assert!(home.rooms[moves].device().is_registered());
        home.intend(ends, "CallHangUp", &[]);
        home.run_for(3 * SECOND);
        assert!(is_idle(&home), "{moves} moved, {ends} ended");
        // And whoever moved is found there.
        home.intend(
            1 - moves,
            "CallStart",
            &[("who", &format!("the {}", ["hall", "kitchen"][moves]))],
        );
        home.run_for(2 * SECOND);
        assert_eq!(home.rooms[moves].lights.last(), Some(&Light::Ringing));
    }
}

#[test]
fn one_moves_again_and_again_on_a_bad_network() {
    let faults = Faults {
        delay_min: Duration::from_millis(10),
        delay_max: Duration::from_millis(90),
        lost_per_mille: 100,
        doubled_per_mille: 10,
    };
    let mut home = talking(11, faults);
    for _ in 0..3 {
        home.moves(HALL);
        home.run_for(6 * SECOND);
        both_hear(&home);
    }
    home.moves(KITCHEN);
    home.run_for(6 * SECOND);
    both_hear(&home);
}

#[test]
fn both_move_at_once() {
    let mut home = talking(21, Faults::default());
    home.moves(HALL);
    home.moves(KITCHEN);
    home.run_for(12 * SECOND);
    both_hear(&home);
    home.intend(HALL, "CallHangUp", &[]);
    home.run_for(3 * SECOND);
    assert!(is_idle(&home));
}

#[test]
fn a_call_that_rings_rings_on_whoever_moves() {
    for (seed, moves) in (31..).zip([HALL, KITCHEN]) {
        let mut home = ringing(seed, Faults::default());
        home.moves(moves);
        home.run_for(5 * SECOND);
        assert_eq!(home.rooms[KITCHEN].lights.last(), Some(&Light::Ringing));
        assert!(home.rooms[moves].device().is_registered());
        home.intend(KITCHEN, "CallAnswer", &[]);
        home.run_for(4 * SECOND);
        both_hear(&home);
        rang_once(&home);
        for room in [HALL, KITCHEN] {
            assert!(has_step(&home, room, "protected from end to end"));
        }
        home.intend(HALL, "CallHangUp", &[]);
        home.run_for(3 * SECOND);
        assert!(is_idle(&home));
    }
}

#[test]
fn it_is_answered_while_the_caller_is_between_two_networks() {
    let mut home = ringing(41, Faults::default());
    home.moves(HALL);
    home.intend(KITCHEN, "CallAnswer", &[]);
    home.run_for(6 * SECOND);
    both_hear(&home);
    rang_once(&home);
}

#[test]
fn it_is_given_up_or_declined_after_a_move() {
    for (seed, (moves, ends)) in (51..).zip([
        (HALL, HALL),
        (HALL, KITCHEN),
        (KITCHEN, HALL),
        (KITCHEN, KITCHEN),
    ]) {
        let mut home = ringing(seed, Faults::default());
        home.moves(moves);
        home.run_for(SECOND);
        let deed = ["CallHangUp", "CallDecline"][ends];
        home.intend(ends, deed, &[]);
        home.run_for(3 * SECOND);
        assert!(
            is_idle(&home),
            "{moves} moved, {ends} ended: {:#?} {:#?}",
            home.rooms[HALL].received,
            home.rooms[KITCHEN].received
        );
        assert_ne!(home.rooms[KITCHEN].lights.last(), Some(&Light::Ringing));
    }
}

#[test]
fn both_move_while_it_rings_on_a_bad_network() {
    let faults = Faults {
        delay_min: Duration::from_millis(10),
        delay_max: Duration::from_millis(90),
        lost_per_mille: 100,
        doubled_per_mille: 10,
    };
    let mut home = ringing(61, faults);
    home.moves(KITCHEN);
    home.run_for(SECOND);
    home.moves(HALL);
    home.run_for(SECOND);
    home.moves(HALL);
    home.run_for(SECOND);
    home.intend(KITCHEN, "CallAnswer", &[]);
    home.run_for(8 * SECOND);
    both_hear(&home);
}

#[test]
fn a_call_for_help_is_heard_from_the_new_address() {
    let mut home = Neighbours::new(71, &["hall", "kitchen"]);
    home.say(HALL, &Spoken::after_wake_word("call 911"));
    home.run_for(3 * SECOND);
    assert!(!home.rooms[HALL].played.is_empty(), "the call stands");
    home.moves(HALL);
    home.run_for(3 * SECOND);
    assert!(!home.rooms[HALL].played.is_empty(), "and goes on");
    let invites = home.rooms[HALL].sent.iter();
    let invites = invites.filter(|(_, line)| line.starts_with("INVITE"));
    assert_eq!(invites.count(), 2, "the second leads the sound");
}

#[test]
fn a_call_for_help_on_its_way_is_made_anew_from_the_new_address() {
    let mut home = Neighbours::new(81, &["hall", "kitchen"]);
    home.say(HALL, &Spoken::after_wake_word("call 911"));
    let left = |home: &Neighbours| home.rooms[HALL].gave("INVITE").is_some();
    assert!(home.run_until(3 * SECOND, left));
    home.moves(HALL);
    home.run_for(6 * SECOND);
    assert!(!home.rooms[HALL].played.is_empty(), "it stands");
}
