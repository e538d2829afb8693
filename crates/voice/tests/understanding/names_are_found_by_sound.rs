//! Spoken names find the people and rooms that sound like them, and nobody else.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "in a test a panic is the answer"
)]

use hearthline_voice::understand::names::{Found, NameBook, NameRefused};
use proptest::prelude::*;

fn book(names: &[&str]) -> NameBook<usize> {
    let mut book = NameBook::default();
    for (index, name) in names.iter().enumerate() {
        book.add(name, index).expect("a name");
    }
    book
}

fn found(book: &NameBook<usize>, spoken: &str) -> Vec<String> {
    match book.find(spoken) {
        Found::One(entry) => vec![entry.name.clone()],
        Found::Several(entries) => entries.iter().map(|e| e.name.clone()).collect(),
        Found::None => vec![],
    }
}

const HOME: &[&str] = &[
    "Anna",
    "Catherine",
    "John",
    "Joan",
    "Stephen",
    "Matthew",
    "Sean",
    "Kitchen",
    "Living room",
    "Bedroom",
    "Mom",
    "Dad",
    "Grandma",
    "Michael",
    "Michelle",
    "Philip",
    "Zoë",
    "José",
    "Jürgen",
    "Kate",
    "Sarah",
    "Geoff",
    "Lee",
    "Dr. Wright",
    "Office",
    "Garage",
    "Phoebe",
    "Xavier",
];

#[test]
fn other_spellings_of_the_same_sound_find_the_name() {
    let book = book(HOME);
    for (spoken, name) in [
        ("Ana", "Anna"),
        ("anna's", "Anna"),
        ("Katherine", "Catherine"),
        ("Kathryn", "Catherine"),
        ("jon", "John"),
        ("Steven", "Stephen"),
        ("Mathew", "Matthew"),
        ("kitchin", "Kitchen"),
        ("living-room", "Living room"),
        ("mum", "Mom"),
        ("Micheal", "Michael"),
        ("Phillip", "Philip"),
        ("Zoe", "Zoë"),
        ("Jose", "José"),
        ("Sara", "Sarah"),
        ("Jeff", "Geoff"),
        ("Leigh", "Lee"),
        ("Febe", "Phoebe"),
        ("Cate", "Kate"),
        ("office", "Office"),
        ("grandma", "Grandma"),
        ("Hanna", "Anna"),
    ] {
        assert_eq!(found(&book, spoken), [name], "{spoken}");
    }
}

#[test]
fn other_names_are_not_taken_for_it() {
    let book = book(HOME);
    for spoken in [
        "Robert",
        "Emma",
        "Oliver",
        "the police",
        "nine one one",
        "Bob",
        "Christine",
        "basement",
        "x",
    ] {
        assert_eq!(found(&book, spoken), Vec::<String>::new(), "{spoken}");
    }
}

#[test]
fn two_that_sound_alike_are_asked_about() {
    let mut book = book(&["Anna Miller", "Anna Smith"]);
    book.add("Anna", 0).expect("a name");
    book.add("Anna", 1).expect("a name");
    assert!(matches!(book.find("Anna"), Found::Several(entries) if entries.len() == 2));
    assert_eq!(found(&book, "Anna Smith"), ["Anna Smith"]);
    assert_eq!(found(&book, "Ana Miller"), ["Anna Miller"]);
    // Written exactly so: no question about the one who only sounds alike.
    let alike = self::book(&["Sean", "Shawn"]);
    assert_eq!(found(&alike, "Shawn"), ["Shawn"]);
    // Several names of one person are one person.
    let mut one = self::book(&["Michael Example"]);
    one.add("Michael", 0).expect("a name");
    one.add("Mike", 0).expect("a name");
    assert!(matches!(one.find("Michael"), Found::One(_)));
}

#[test]
fn what_cannot_be_spoken_is_refused() {
    let mut book = NameBook::default();
    assert_eq!(book.add("", 0), Err(NameRefused::NotSpoken));
    assert_eq!(book.add("\u{4e2d}\u{6587}", 0), Err(NameRefused::NotSpoken));
    assert_eq!(book.add(&"x".repeat(201), 0), Err(NameRefused::TooLong));
    assert!(matches!(book.find("anybody"), Found::None));
}

proptest! {
    #[test]
    fn every_name_finds_itself(name in "[A-Z][a-z]{1,12}( [A-Z][a-z]{1,12})?") {
        let mut book = book(HOME);
        book.add(&name, 999).expect("a name");
        prop_assert!(found(&book, &name).contains(&name));
    }

    #[test]
    fn any_text_is_looked_for(text in any::<String>()) {
        let mut book = book(HOME);
        let _ = book.add(&text, 1);
        let _ = book.find(&text);
    }
}
