//! Timers: many at once, told apart by what people call them.
use hearthline_skills::exchange::{Bell, Note};
use hearthline_skills::zone::Zone;

use super::home::Home;

#[test]
fn several_timers_are_told_apart() {
    let mut home = Home::new();
    assert_eq!(home.ask("HassTimerStatus", &[]), "There is no timer.");
    assert_eq!(
        home.ask("HassStartTimer", &[("name", "pasta"), ("minutes", "5")]),
        "5 minutes on the pasta timer, starting now."
    );
    assert_eq!(
        home.ask("HassStartTimer", &[("minutes", "10")]),
        "Timer set for 10 minutes."
    );
    home.ask("HassStartTimer", &[("hours", "1"), ("minutes", "30")]);
    home.seconds(50);
    assert_eq!(
        home.ask("HassTimerStatus", &[("name", "Pasta")]),
        "4 minutes and 10 seconds left on your pasta timer."
    );
    assert_eq!(
        home.ask("HassTimerStatus", &[("start_minutes", "10")]),
        "9 minutes and 10 seconds left on your 10 minute timer."
    );
    assert_eq!(
        home.ask("HassTimerStatus", &[("ordinal", "3")]),
        "1 hour, 29 minutes and 10 seconds left on your 1 hour 30 minute timer."
    );
    assert_eq!(
        home.ask("HassTimerStatus", &[("name", "egg")]),
        "There is no such timer."
    );
    assert!(
        home.ask("HassTimerStatus", &[])
            .starts_with("3 timers. 4 minutes")
    );
    assert_eq!(
        home.ask("HassPauseTimer", &[("name", "pasta")]),
        "Your pasta timer is paused with 4 minutes and 10 seconds left."
    );
    home.seconds(3_000);
    home.answer("stop");
    assert_eq!(
        home.ask("HassTimerStatus", &[("name", "pasta")]),
        "4 minutes and 10 seconds left on your pasta timer, and it is paused."
    );
    assert_eq!(
        home.ask("HassUnpauseTimer", &[]),
        "Your pasta timer goes on with 4 minutes and 10 seconds left."
    );
    assert_eq!(
        home.ask("HassIncreaseTimer", &[("name", "pasta"), ("minutes", "2")]),
        "Your pasta timer now has 6 minutes and 10 seconds left."
    );
    assert_eq!(
        home.ask("HassDecreaseTimer", &[("name", "pasta"), ("hours", "1")]),
        "Your pasta timer has only 6 minutes and 10 seconds left. Say cancel to end it."
    );
}

#[test]
fn which_one_is_asked_never_guessed() {
    let mut home = Home::new();
    for (name, minutes) in [("pasta", "5"), ("egg", "3"), ("tea", "4")] {
        home.ask("HassStartTimer", &[("name", name), ("minutes", minutes)]);
    }
    let question = "Which one: the egg timer with 3 minutes left, the tea timer with 4 minutes left or the pasta timer with 5 minutes left?";
    assert_eq!(home.ask("HassCancelTimer", &[]), question);
    assert_eq!(home.answer("the weather is nice"), "-");
    assert_eq!(home.answer("the egg timer"), "Your egg timer is cancelled.");
    assert!(home.ask("HassCancelTimer", &[]).starts_with("Which one"));
    assert_eq!(
        home.answer("the second one"),
        "Your tea timer is cancelled."
    );
    assert_eq!(home.answer("the second one"), "-", "the question is closed");
    home.ask("HassStartTimer", &[("minutes", "20")]);
    home.ask("HassPauseTimer", &[]);
    assert_eq!(
        home.answer("twenty minutes"),
        "Your 20 minute timer is paused with 20 minutes left."
    );
    home.ask("HassCancelTimer", &[]);
    assert_eq!(home.answer("never mind"), "All right. I leave it as it is.");
    home.ask("HassCancelTimer", &[]);
    home.seconds(30);
    assert_eq!(home.answer("both"), "-", "nobody answered in time");
    assert_eq!(home.ask("HassCancelAllTimers", &[]), "2 timers cancelled.");
    home.seconds(4_000);
    assert_eq!(home.rings, None);
}

#[test]
fn a_timer_rings_until_it_is_stopped_and_tells_how_late_it_is() {
    let mut home = Home::new();
    home.ask("HassStartTimer", &[("name", "pasta"), ("seconds", "90")]);
    home.heard();
    home.seconds(89);
    assert_eq!(home.rings, None);
    home.seconds(1);
    assert_eq!(home.rings, Some(Bell::Timer));
    assert_eq!(home.heard(), "Your pasta timer is done.");
    home.seconds(60);
    assert_eq!(home.heard(), "Your pasta timer ended 1 minute ago.");
    assert_eq!(home.answer("five more minutes"), "5 minutes more.");
    assert_eq!(home.rings, None);
    home.heard();
    home.seconds(300);
    assert_eq!(home.heard(), "Your pasta timer is done.");
    assert_eq!(home.answer("thank you"), "");
    assert_eq!(home.rings, None);
    assert!(home.agenda.timers(home.now).is_empty());
    assert_eq!(home.answer("stop"), "-", "nothing rings any more");
    let rings = home
        .notes
        .iter()
        .filter(|note| **note == Note::Rings(Bell::Timer, 0));
    assert_eq!(rings.count(), 2);
}

#[test]
fn one_that_nobody_hears_gives_up_after_a_quarter_of_an_hour() {
    let mut home = Home::new();
    home.ask("HassStartTimer", &[("seconds", "10")]);
    home.seconds(10 + 15 * 60 - 1);
    assert!(home.rings.is_some());
    home.seconds(1);
    assert_eq!(home.rings, None);
    assert!(home.notes.contains(&Note::Unheard(Bell::Timer)));
}

#[test]
fn an_overdue_timer_rings_at_once_and_says_so() {
    let mut home = Home::new();
    home.ask("HassStartTimer", &[("name", "pasta"), ("minutes", "1")]);
    home.seconds(20);
    let mut later = home.restart(Zone::utc(), core::time::Duration::from_secs(280));
    assert_eq!(later.rings, Some(Bell::Timer));
    assert_eq!(later.heard(), "Your pasta timer ended 4 minutes ago.");
    later.answer("stop");
    let again = later.restart(Zone::utc(), core::time::Duration::from_secs(1));
    assert_eq!(again.rings, None);
}

#[test]
fn a_command_is_done_once_and_not_when_it_is_far_too_late() {
    let mut home = Home::new();
    let slots = [
        ("minutes", "10"),
        ("conversation_command", "turn off the lights"),
    ];
    assert_eq!(
        home.ask("HassStartTimer", &slots),
        "I will do that in 10 minutes."
    );
    home.seconds(599);
    assert!(home.done.is_empty());
    home.seconds(600);
    assert_eq!(home.done, ["turn off the lights"]);
    assert_eq!(home.rings, None);
    home.ask("HassStartTimer", &slots);
    let soon = home.restart(Zone::utc(), core::time::Duration::from_secs(900));
    assert_eq!(soon.done, ["turn off the lights"]);
    let mut late = home.restart(Zone::utc(), core::time::Duration::from_secs(4_200));
    assert!(late.done.is_empty());
    assert_eq!(
        late.heard(),
        "1 hour ago I was to turn off the lights, but I was off. Say it again if you still want it."
    );
    let after = late.restart(Zone::utc(), core::time::Duration::from_secs(1));
    assert!(after.done.is_empty() && after.said.is_empty());
}

#[test]
fn a_disk_that_takes_nothing_is_told_and_the_timer_rings_all_the_same() {
    let mut home = Home::new();
    home.keeps = false;
    assert_eq!(home.ask("HassStartTimer", &[("seconds", "30")]), "");
    home.seconds(3);
    assert_eq!(
        home.heard(),
        "Timer set for 30 seconds. I could not store that: a power cut would lose it."
    );
    home.seconds(27);
    assert_eq!(home.rings, Some(Bell::Timer));
    home.answer("stop");
    home.seconds(1);
    assert_eq!(home.rings, None);
}

#[test]
fn there_is_an_end_to_timers_and_lengths() {
    let mut home = Home::new();
    for _ in 0..100 {
        home.ask("HassStartTimer", &[("hours", "1")]);
    }
    assert_eq!(
        home.ask("HassStartTimer", &[("hours", "1")]),
        "I keep no more than I have now. Cancel something first."
    );
    assert_eq!(home.ask("HassStartTimer", &[]), "For how long?");
    for slots in [
        &[("hours", "9999999")][..],
        &[("minutes", "0")],
        &[("minutes", "many")],
        &[("minutes", "NaN")],
    ] {
        let answer = home.ask("HassStartTimer", slots);
        assert_eq!(answer, "Say for how long: up to a hundred days.");
    }
}

#[test]
fn a_length_in_words_and_a_name_behind_it() {
    let mut home = Home::new();
    for (length, answer) in [
        (
            "two and a half hours",
            "Timer set for 2 hours and 30 minutes.",
        ),
        ("half an hour", "Timer set for 30 minutes."),
        (
            "ten minutes for the roast.",
            "10 minutes on the roast timer, starting now.",
        ),
        (
            "90 seconds called tea",
            "1 minute and 30 seconds on the tea timer, starting now.",
        ),
        ("a while", "Say for how long: up to a hundred days."),
        ("ten minutes for", "Say for how long: up to a hundred days."),
        ("ten minutes ago", "Say for how long: up to a hundred days."),
    ] {
        assert_eq!(home.ask("HassStartTimer", &[("length", length)]), answer);
    }
}

#[test]
fn a_length_that_was_read_as_a_name_is_more_of_the_length() {
    let mut home = Home::new();
    assert_eq!(
        home.ask("HassStartTimer", &[("hours", "1"), ("name", "5 minutes")]),
        "Timer set for 1 hour and 5 minutes."
    );
}
