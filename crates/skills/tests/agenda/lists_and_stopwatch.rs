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
fn one_sentence_names_several_things_and_what_stands_as_one_stays_one() {
    let mut home = Home::new();
    let add = "HassShoppingListAddItem";
    for (intent, slots, answer) in [
        (
            add,
            vec![("item", "Apples, pears, and plums")],
            "I added Apples, pears and plums to your shopping list.",
        ),
        (
            add,
            vec![("item", "mac and cheese and pears and bread")],
            "I added mac and cheese and bread to your shopping list. pears is already on your shopping list.",
        ),
        (
            add,
            vec![("item", "apples and bread")],
            "apples and bread are already on your shopping list.",
        ),
        (
            "ListRead",
            vec![],
            "On your shopping list: Apples, pears, plums, mac and cheese and bread.",
        ),
        (
            "HassListAddItem",
            vec![("item", "call Anna and Ben"), ("name", "to do")],
            "I added call Anna and Ben to your to-do list.",
        ),
        (
            "ListRead",
            vec![("name", "to do")],
            "On your to-do list: call Anna and Ben.",
        ),
        (
            "HassListRemoveItem",
            vec![("item", "bread and butter and plums")],
            "I removed bread and plums from your shopping list. butter is not on your shopping list.",
        ),
        (
            "HassListRemoveItem",
            vec![("item", "mac and cheese")],
            "I removed mac and cheese from your shopping list.",
        ),
        (
            "HassListRemoveItem",
            vec![("item", "rice and beans")],
            "rice and beans are not on your shopping list.",
        ),
        (
            "HassShoppingListCompleteItem",
            vec![("item", "apples and pears")],
            "I checked off apples and pears.",
        ),
        ("ListRead", vec![], "Your shopping list is empty."),
        (
            "ListCreate",
            vec![("name", "camping")],
            "Your camping list is ready. Say what I am to add to it.",
        ),
        (
            add,
            vec![("item", " , and "), ("name", "camping")],
            "I added , and to your camping list.",
        ),
    ] {
        assert_eq!(home.ask(intent, &slots), answer, "{slots:?}");
    }
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
