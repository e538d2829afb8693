//! Alarms and reminders: set in words, snoozed, stopped; silent in a call, and made up for.
use hearthline_skills::exchange::{Bell, Engaged};

use super::home::Home;

#[test]
fn alarms_are_set_told_snoozed_and_come_again() {
    let mut home = Home::new();
    assert_eq!(
        home.ask("AlarmSet", &[("when", "half past seven tomorrow morning")]),
        "Alarm set for 7:30 AM tomorrow."
    );
    assert_eq!(
        home.ask("AlarmSet", &[("when", "every weekday at 6:30")]),
        "Alarm set for 6:30 AM every weekday."
    );
    assert_eq!(
        home.ask("AlarmList", &[]),
        "You have 2 alarms: 6:30 AM every weekday; 7:30 AM tomorrow."
    );
    home.heard();
    home.seconds(18 * 3_600 + 30 * 60 - 1);
    assert_eq!(home.rings, None);
    home.seconds(1);
    assert_eq!(home.rings, Some(Bell::Alarm));
    assert_eq!(home.heard(), "It is 6:30 AM.");
    assert_eq!(home.answer("snooze"), "Again in 10 minutes.");
    assert_eq!(home.rings, None);
    home.heard();
    home.seconds(600);
    assert_eq!(home.heard(), "It is 6:40 AM.");
    assert_eq!(
        home.answer("Snooze for five minutes."),
        "Again in 5 minutes."
    );
    home.heard();
    home.seconds(300);
    assert_eq!(home.heard(), "It is 6:45 AM.");
    assert_eq!(home.answer("Stop!"), "");
    home.seconds(45 * 60);
    assert_eq!(home.heard(), "It is 7:30 AM.");
    home.answer("I'm awake");
    assert_eq!(
        home.ask("AlarmList", &[]),
        "You have one alarm: 6:30 AM every weekday."
    );
    home.heard();
    home.seconds(23 * 3_600);
    assert_eq!(home.heard(), "It is 6:30 AM.");
    home.answer("okay");
    assert_eq!(
        home.ask("AlarmCancel", &[("when", "six thirty")]),
        "Your alarm for 6:30 AM every weekday is cancelled."
    );
    assert_eq!(home.ask("AlarmCancel", &[]), "There is no alarm set.");
}

#[test]
fn times_that_cannot_be_are_refused_with_the_reason() {
    let mut home = Home::new();
    for (when, answer) in [
        ("today at 9 am", "That time is over."),
        ("tomorrow", "Say the time of the day, too."),
        (
            "february 30th at nine",
            "There is no such day within two years.",
        ),
        ("a bright future", "-"),
    ] {
        assert_eq!(home.ask("AlarmSet", &[("when", when)]), answer);
    }
    assert_eq!(home.ask("AlarmSet", &[]), "For when?");
    assert_eq!(home.answer("what was that"), "-");
    assert_eq!(
        home.answer("half past seven tomorrow morning"),
        "Alarm set for 7:30 AM tomorrow."
    );
    home.ask("AlarmSet", &[]);
    assert_eq!(home.answer("never mind"), "All right. I leave it as it is.");
    assert_eq!(home.answer("at seven"), "-", "the question is closed");
}

#[test]
fn reminders_say_of_what_and_for_whom() {
    let mut home = Home::new();
    assert_eq!(
        home.ask("ReminderSet", &[("what", "turn the pie in twenty minutes")]),
        "I will remind you at 12:20 PM today."
    );
    assert_eq!(
        home.ask(
            "ReminderSet",
            &[("who", "Anna"), ("what", "call the bank tomorrow at nine")]
        ),
        "I will remind Anna at 9 AM tomorrow."
    );
    assert_eq!(
        home.ask("ReminderSet", &[("what", "sweep the yard")]),
        "For when?"
    );
    assert_eq!(
        home.answer("on friday evening"),
        "I will remind you at 6 PM on Friday."
    );
    assert_eq!(
        home.ask("ReminderCancel", &[("what", "sweep the yard")]),
        "Your reminder for 6 PM on Friday is cancelled."
    );
    home.heard();
    home.seconds(1_200);
    assert_eq!(home.rings, Some(Bell::Reminder));
    assert_eq!(home.heard(), "Reminder: turn the pie.");
    home.seconds(60);
    assert_eq!(home.rings, None, "a reminder does not ring for long");
    assert_eq!(
        home.ask("ReminderCancel", &[("what", "bank")]),
        "Your reminder for 9 AM tomorrow is cancelled."
    );
    assert_eq!(home.ask("ReminderList", &[]), "There are no reminders.");
}

#[test]
fn what_rings_gives_way_to_calls_and_is_made_up_for() {
    let mut home = Home::new();
    home.ask("HassStartTimer", &[("name", "pasta"), ("seconds", "30")]);
    home.heard();
    home.engage(Engaged::Emergency);
    home.seconds(1_800);
    assert_eq!((home.rings, home.heard()), (None, String::new()));
    home.engage(Engaged::Free);
    assert_eq!(home.rings, Some(Bell::Timer));
    assert_eq!(
        home.heard(),
        "Your pasta timer ended 29 minutes and 30 seconds ago."
    );
    // The wake word: it waits.
    home.engage(Engaged::Talking);
    assert_eq!(home.rings, None);
    home.engage(Engaged::Free);
    assert_eq!(home.rings, Some(Bell::Timer));
    home.answer("stop");
    assert_eq!(home.rings, None);
}

#[test]
fn in_a_call_it_sounds_shortly_now_and_then_and_says_nothing() {
    let mut home = Home::new();
    home.ask("HassStartTimer", &[("name", "pasta"), ("seconds", "10")]);
    home.heard();
    home.engage(Engaged::OnCall);
    let mut sounding = Vec::new();
    for second in 0..100 {
        if home.rings.is_some() {
            sounding.push(second);
        }
        home.seconds(1);
    }
    assert_eq!(home.heard(), "");
    assert_eq!(sounding, [30, 31, 60, 61, 90, 91]);
    home.engage(Engaged::Free);
    assert_eq!(
        home.heard(),
        "Your pasta timer ended 1 minute and 30 seconds ago."
    );
}

#[test]
fn talk_in_the_room_does_not_stop_what_rings() {
    let mut home = Home::new();
    home.ask("HassStartTimer", &[("seconds", "1")]);
    home.seconds(2);
    for said in [
        "I will stop at the shop later",
        "five minutes",
        "did you stop it",
        "the bus stop",
        "",
        "no",
    ] {
        assert_eq!(home.answer(said), "-", "{said}");
        assert!(home.rings.is_some());
    }
}

#[test]
fn what_becomes_due_while_somebody_says_stop_is_not_stopped_with_it() {
    let mut home = Home::new();
    home.ask("HassStartTimer", &[("name", "pasta"), ("seconds", "10")]);
    home.ask("HassStartTimer", &[("name", "egg"), ("seconds", "12")]);
    home.heard();
    home.seconds(11);
    assert_eq!(home.heard(), "Your pasta timer is done.");
    home.engage(Engaged::Talking);
    home.seconds(2);
    assert_eq!(home.answer("stop"), "");
    home.engage(Engaged::Free);
    assert_eq!(home.rings, Some(Bell::Timer));
    assert_eq!(home.heard(), "Your egg timer is done.");
    home.answer("stop");
    assert_eq!(home.rings, None);
}
