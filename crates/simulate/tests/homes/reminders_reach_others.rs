//! Reminders to a room, carried by the home; and timers that a speaker gets back from the hub when its disk is lost.
use core::time::Duration;

use hearthline_simulate::Neighbours;
use hearthline_speaker::device::Step;
use hearthline_speaker::telephone::{Name, Reach, Tone};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HALL: usize = 0;
const KITCHEN: usize = 1;
const OFFICE: usize = 2;

fn home(seed: u8) -> Neighbours {
    let names = ["hall", "kitchen", "office"];
    let mut home = Neighbours::new(seed, &names);
    let called = |name: &&str| Name {
        name: (*name).to_owned(),
        also: Vec::new(),
        reach: Reach::User((*name).to_owned()),
    };
    home.publish(&names.iter().map(called).collect::<Vec<_>>());
    for room in 0..names.len() {
        home.gets_agenda(room);
    }
    home.run_for(SECOND);
    home
}

fn rings(home: &Neighbours, room: usize) -> usize {
    let rings = [Tone::Timer, Tone::Alarm, Tone::Reminder];
    let tones = home.rooms[room].tones.iter().flatten();
    tones.filter(|tone| rings.contains(tone)).count()
}

fn steps(home: &Neighbours, room: usize, words: &str) -> usize {
    let steps = home.rooms[room].steps.iter();
    steps
        .filter(|(_, step)| matches!(step, Step::Skill { what } if what.contains(words)))
        .count()
}

#[test]
fn a_room_is_reminded_and_the_room_that_asked_does_not_ring() {
    let mut home = home(61);
    home.types(
        HALL,
        "remind the kitchen in ten minutes to take the bread out",
    );
    home.run_for(5 * SECOND);
    assert!(
        home.rooms[HALL].has_said("I will remind kitchen at"),
        "{:?}",
        home.rooms[HALL].said
    );
    home.run_for(9 * MINUTE);
    assert!(home.api.messages.is_empty() && home.told(KITCHEN).is_empty());
    home.run_for(2 * MINUTE);
    let heard = home.told(KITCHEN);
    assert_eq!(heard, "A reminder from the hall: / take the bread out");
    assert_eq!((home.told(OFFICE), rings(&home, HALL)), (String::new(), 0));
    assert_eq!(home.api.sends, 1);
    assert!(home.api.messages[0].read.contains("kitchen"));
    assert_eq!(steps(&home, HALL, "went to somebody else"), 1);
    home.run_for(60 * MINUTE);
    assert_eq!(home.api.sends, 1, "once");
}

#[test]
fn a_hub_that_is_away_gets_it_late_and_the_room_says_so() {
    let mut home = home(62);
    home.types(HALL, "remind the kitchen in five minutes to feed the cat");
    home.run_for(MINUTE);
    home.stop_hub();
    home.run_for(5 * MINUTE);
    assert!(
        home.rooms[HALL]
            .has_said("Reminder for kitchen: feed the cat. I cannot reach the home now"),
        "{:?}",
        home.rooms[HALL].said
    );
    // It is killed while it waits.
    home.restart(HALL);
    home.run_for(20 * MINUTE);
    assert!(home.api.messages.is_empty());
    home.start_hub();
    home.run_for(2 * MINUTE);
    assert_eq!(
        home.told(KITCHEN),
        "A reminder from the hall, which was due 21 minutes ago: / feed the cat"
    );
    assert_eq!(home.api.messages.len(), 1);
}

#[test]
fn an_answer_that_is_lost_makes_no_second_one() {
    let mut home = home(63);
    home.types(HALL, "remind the kitchen in one minute to feed the cat");
    home.api.loses_answers = true;
    home.run_for(4 * MINUTE);
    home.restart(HALL);
    home.run_for(4 * MINUTE);
    home.api.loses_answers = false;
    home.run_for(10 * MINUTE);
    assert!(home.api.sends > 1, "{}", home.api.sends);
    assert_eq!(home.api.messages.len(), 1);
    let heard = home.told(KITCHEN);
    assert_eq!(heard.matches("feed the cat").count(), 1, "{heard}");
    assert_eq!(steps(&home, HALL, "went to somebody else"), 1);
}

#[test]
fn whoever_is_unknown_or_gone_is_reminded_here() {
    let mut home = home(64);
    home.types(HALL, "remind doctor livingstone in one minute to pack");
    home.run_for(5 * SECOND);
    assert!(
        home.rooms[HALL].has_said("Nobody of this home is called so"),
        "{:?}",
        home.rooms[HALL].said
    );
    home.run_for(2 * MINUTE);
    assert!(home.rooms[HALL].has_said("Reminder for doctor livingstone: pack."));
    assert_eq!((rings(&home, HALL) > 0, home.api.sends), (true, 0));
    // The hub knows nobody of that name any more.
    home.types(KITCHEN, "remind the office in one minute to lock the door");
    home.run_for(5 * SECOND);
    home.rooms[OFFICE].name = "attic".into();
    home.run_for(2 * MINUTE);
    assert!(
        home.rooms[KITCHEN].has_said("Reminder for office: lock the door."),
        "{:?}",
        home.rooms[KITCHEN].said
    );
}

#[test]
fn a_lost_disk_gets_its_timers_back_and_nothing_rings_twice() {
    let mut home = home(65);
    home.types(HALL, "set a pasta timer for ten minutes");
    home.run_for(5 * SECOND);
    home.types(HALL, "set a tea timer for two minutes");
    home.run_for(5 * SECOND);
    home.loses_its_disk(HALL);
    home.run_for(30 * SECOND);
    assert!(
        home.rooms[HALL].has_said("have it back from the home: 2 timers"),
        "{:?}",
        home.rooms[HALL].said
    );
    home.run_for(2 * MINUTE);
    let heard = |home: &Neighbours, words| {
        let said = home.rooms[HALL].said.iter();
        said.filter(|said| said.contains(words)).count()
    };
    assert!(heard(&home, "Your tea timer is done") >= 1);
    home.types(HALL, "cancel the second timer");
    home.run_for(5 * SECOND);
    // Without the hub the copy is not what stops; what was over is over after the next loss, too.
    home.stop_hub();
    home.types(HALL, "set an egg timer for one minute");
    home.run_for(10 * MINUTE);
    assert!(heard(&home, "Your pasta timer is done") >= 1);
    let before = home.rooms[HALL].said.len();
    home.rooms[HALL].kept.insert("agenda", Vec::new());
    home.restart(HALL);
    home.start_hub();
    home.run_for(5 * MINUTE);
    let after = &home.rooms[HALL].said;
    println!("{before} before; after the loss: {after:?}");
    assert!(
        after
            .iter()
            .any(|said| said.contains("may have rung already")),
        "{after:?}"
    );
    assert!(
        !after.iter().any(|said| said.contains("is done")),
        "{after:?}"
    );
    assert_eq!(rings(&home, HALL), 0);
}

#[test]
fn everyone_is_reminded_in_every_room_once() {
    let mut home = home(66);
    home.types(
        HALL,
        "remind everyone in ten minutes to leave for the train",
    );
    home.run_for(5 * SECOND);
    assert!(
        home.rooms[HALL].has_said("I will remind everyone at"),
        "{:?}",
        home.rooms[HALL].said
    );
    home.run_for(11 * MINUTE);
    let told = "A reminder from the hall: / leave for the train";
    assert_eq!(
        (home.told(KITCHEN), home.told(OFFICE)),
        (told.into(), told.into())
    );
    assert!(home.rooms[HALL].has_said("Reminder for everyone: leave for the train."));
    assert_eq!((home.api.sends, rings(&home, HALL) > 0), (1, true));
    // A new run, with nothing left to do.
    home.restart(HALL);
    home.run_for(60 * MINUTE);
    assert_eq!((home.api.messages.len(), rings(&home, HALL)), (1, 0));
}

#[test]
fn a_hub_that_is_away_keeps_nobody_here_from_being_reminded() {
    let mut home = home(67);
    home.types(HALL, "remind everybody in five minutes to feed the cat");
    home.run_for(MINUTE);
    home.stop_hub();
    home.run_for(7 * MINUTE);
    assert!(
        home.rooms[HALL].has_said("Reminder for everyone: feed the cat."),
        "{:?}",
        home.rooms[HALL].said
    );
    assert!(rings(&home, HALL) > 0 && home.api.messages.is_empty());
    // It has rung here: killed, it only waits for the others.
    home.restart(HALL);
    home.api.loses_answers = true;
    home.start_hub();
    home.run_for(4 * MINUTE);
    home.api.loses_answers = false;
    home.run_for(20 * MINUTE);
    assert_eq!((home.api.messages.len(), rings(&home, HALL)), (1, 0));
    for room in [KITCHEN, OFFICE] {
        let heard = home.told(room);
        assert_eq!(heard.matches("feed the cat").count(), 1, "{heard}");
    }
    home.types(HALL, "what are my reminders");
    home.run_for(5 * SECOND);
    assert!(
        home.rooms[HALL].has_said("There are no reminders."),
        "{:?}",
        home.rooms[HALL].said
    );
}

#[test]
fn everyone_is_this_room_where_there_is_no_other() {
    let mut home = Neighbours::new(68, &["hall"]);
    home.gets_agenda(HALL);
    home.run_for(SECOND);
    home.types(
        HALL,
        "remind the whole family in five minutes to water the plants",
    );
    home.run_for(20 * MINUTE);
    let reminded = "Reminder for everyone: water the plants.";
    assert!(
        home.rooms[HALL].has_said(reminded),
        "{:?}",
        home.rooms[HALL].said
    );
    assert!(rings(&home, HALL) > 0 && home.api.messages.is_empty());
}
