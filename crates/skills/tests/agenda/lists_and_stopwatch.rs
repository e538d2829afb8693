//! Lists and the stopwatch, across a restart.
use core::time::Duration;

use hearthline_skills::zone::Zone;

use super::home::Home;

#[test]
fn lists_are_written_read_ticked_and_cleared() {
    let mut home = Home::new();
    assert_eq!(
        home.ask("HassShoppingListAddItem", &[("item", "apples")]),
        "I added apples to your shopping list."
    );
    home.ask(
        "HassListAddItem",
        &[("item", "oat milk"), ("name", "Groceries")],
    );
    home.ask(
        "HassListAddItem",
        &[("item", "mow the lawn"), ("name", "To-do")],
    );
    assert_eq!(
        home.ask("HassShoppingListAddItem", &[("item", "Apples")]),
        "Apples is already on your shopping list."
    );
    assert_eq!(
        home.ask("ListRead", &[]),
        "On your shopping list: apples and oat milk."
    );
    assert_eq!(
        home.ask("ListRead", &[("name", "to do list")]),
        "On your to-do list: mow the lawn."
    );
    assert_eq!(
        home.ask("HassShoppingListCompleteItem", &[("item", "the apples")]),
        "I checked off apples.".replace("apples", "the apples")
    );
    let mut home = home.restart(Zone::utc(), Duration::from_secs(60));
    assert_eq!(
        home.ask("ListRead", &[]),
        "On your shopping list: oat milk."
    );
    assert_eq!(
        home.ask(
            "HassListRemoveItem",
            &[("item", "pears"), ("name", "shopping")]
        ),
        "pears is not on your shopping list."
    );
    assert_eq!(
        home.ask("ListClear", &[]),
        "Your shopping list is cleared of 2 things."
    );
    assert_eq!(home.ask("ListRead", &[]), "Your shopping list is empty.");
}

#[test]
fn the_stopwatch_counts_also_while_the_program_does_not_run() {
    let mut home = Home::new();
    assert_eq!(
        home.ask("StopwatchStop", &[]),
        "The stopwatch is not running."
    );
    assert_eq!(home.ask("StopwatchStart", &[]), "Stopwatch started.");
    home.pass(Duration::from_millis(12_340));
    assert_eq!(home.ask("StopwatchLap", &[]), "Lap 1: 12.3 seconds.");
    let mut home = home.restart(Zone::utc(), Duration::from_secs(60));
    assert_eq!(home.ask("StopwatchLap", &[]), "Lap 2: 1 minute.");
    assert_eq!(
        home.ask("StopwatchStop", &[]),
        "Stopwatch stopped at 1 minute and 12 seconds."
    );
    home.seconds(100);
    assert_eq!(
        home.ask("StopwatchStart", &[]),
        "Stopwatch goes on from 1 minute and 12 seconds."
    );
    assert_eq!(home.ask("StopwatchReset", &[]), "Stopwatch reset.");
    assert_eq!(
        home.ask("StopwatchStatus", &[]),
        "The stopwatch is not running."
    );
}
