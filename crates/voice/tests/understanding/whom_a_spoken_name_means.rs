//! What people say around a name: the kind of number, the speaker of a room, mum for Mom, everyone; and the answers to
//! "Which Anna?".
use hearthline_voice::understand::household::{Directory, Kind, KnownNames, Whom, choice, read};
use hearthline_voice::understand::{Country, Intent};
use proptest::prelude::*;

/// What a name stands for; the directory does not care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Person(u32),
    Room(u32),
}

fn home() -> Directory<Target> {
    let mut directory = Directory::default();
    for (index, name) in (0..).zip([
        "Anna Smith",
        "Anna Jones",
        "Michael Example",
        "Robert Sample",
        "Mom",
        "Grandma",
        "Dr. Wright",
        "Hannah Miller",
        "Katherine Doe",
    ]) {
        directory.add_person(name, Target::Person(index)).unwrap();
    }
    for (index, name) in (0..).zip(["Kitchen", "Living room", "Office", "Guest room"]) {
        directory.add(name, Target::Room(index)).unwrap();
    }
    directory
}

/// Whom a name means, in short.
fn meant(spoken: &str) -> (Vec<Target>, Option<Kind>) {
    match home().find(spoken) {
        Whom::Everyone => (vec![Target::Room(99)], None),
        Whom::One { entry, kind } => (vec![entry.of], kind),
        Whom::Several { entries, kind } => (entries.iter().map(|entry| entry.of).collect(), kind),
        Whom::None => (vec![], None),
    }
}

#[test]
fn people_rooms_and_the_words_around_them() {
    use Target::{Person, Room};
    for (spoken, of, kind) in [
        ("Anna Smith", Person(0), None),
        ("Anna Smith's mobile", Person(0), Some(Kind::Mobile)),
        ("michael", Person(2), None),
        ("Micheal's cell phone", Person(2), Some(Kind::Mobile)),
        ("Mike", Person(2), None),
        ("bob", Person(3), None),
        ("Bob Sample", Person(3), None),
        ("Rob's work number", Person(3), Some(Kind::Work)),
        ("mum", Person(4), None),
        ("my mother", Person(4), None),
        ("mummy please", Person(4), None),
        ("granny", Person(5), None),
        ("nana's home", Person(5), Some(Kind::Home)),
        ("dr wright", Person(6), None),
        ("doctor right", Person(6), None),
        ("Kate", Person(8), None),
        ("Catherine", Person(8), None),
        ("the kitchen", Room(0), None),
        ("kitchin", Room(0), None),
        ("the kitchen speaker", Room(0), None),
        ("speaker in the kitchen", Room(0), None),
        ("living room", Room(1), None),
        ("the office", Room(2), None),
        ("guest room", Room(3), None),
    ] {
        assert_eq!(meant(spoken), (vec![of], kind), "{spoken}");
    }
    for everyone in [
        "everyone",
        "everybody",
        "all rooms",
        "the whole house",
        "everywhere",
    ] {
        assert_eq!(home().find(everyone), Whom::Everyone, "{everyone}");
    }
    for nobody in [
        "",
        "Robert Redford's agent",
        "basement",
        "xyzzy",
        "911",
        "\u{4e2d}",
    ] {
        assert_eq!(meant(nobody), (vec![], None), "{nobody}");
    }
}

#[test]
fn two_of_one_name_are_asked_about() {
    let (who, kind) = meant("Anna's mobile");
    assert!(
        who.contains(&Target::Person(0)) && who.contains(&Target::Person(1)),
        "{who:?}"
    );
    assert_eq!(kind, Some(Kind::Mobile));
    assert_eq!(Kind::from_name("mobile"), Some(Kind::Mobile));
    assert_eq!(Kind::from_name("fax"), None);
}

#[test]
fn an_answer_chooses_by_place_name_or_sound() {
    let annas = ["Anna Smith", "Anna Jones"];
    for (said, index) in [
        ("Smith", 0),
        ("Smith.", 0),
        ("Anna Smith", 0),
        ("Alexa, Anna Smith please", 0),
        ("smyth", 0),
        ("Jones", 1),
        ("the first one", 0),
        ("First.", 0),
        ("the second one please", 1),
        ("second", 1),
        ("number one", 0),
        ("number two", 1),
        ("two", 1),
        ("the last one", 1),
        ("I mean Jones", 1),
        ("Anna Jones, thank you", 1),
        ("the one called Jones", 1),
    ] {
        assert_eq!(choice(said, &annas), Some(index), "{said}");
    }
    for said in [
        "",
        "Anna",
        "no",
        "neither",
        "not Smith",
        "the third one",
        "three",
        "Robert",
        "call",
        "zero",
        "Smith or Jones",
        "what's the weather",
        "cancel",
        "never mind",
    ] {
        assert_eq!(choice(said, &annas), None, "{said}");
    }
    let kinds = ["mobile", "home", "work"];
    for (said, index) in [
        ("her mobile", 0),
        ("home please", 1),
        ("the third", 2),
        ("Work.", 2),
        ("at home", 1),
    ] {
        assert_eq!(choice(said, &kinds), Some(index), "{said}");
    }
    assert_eq!(choice::<&str>("first", &[]), None);
}

/// A sentence, from its words to whom it means.
#[test]
fn a_sentence_finds_its_person() {
    let directory = home();
    let names = KnownNames::new(["Anna Smith", "Anna Jones", "Michael", "Kitchen", "Mom"]);
    for (said, of) in [
        ("Call Micheal.", Target::Person(2)),
        ("Call the kitchin.", Target::Room(0)),
        ("call mum at home", Target::Person(4)),
        ("Drop in on the living-room.", Target::Room(1)),
        ("tell michael running late", Target::Person(2)),
        ("Call Hannah Miller's mobile.", Target::Person(7)),
    ] {
        let Some(Intent { slots, .. }) = read(said, Country::UnitedStates, Some(&names)) else {
            panic!("{said}");
        };
        let found = directory.find(&slots["who"]);
        assert!(
            matches!(&found, Whom::One { entry, .. } if entry.of == of),
            "{said}: {found:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_name_is_looked_for_and_any_answer_is_read(text in any::<String>(), option in any::<String>()) {
        let mut directory = home();
        let _ = directory.add_person(&text, Target::Room(7));
        let _ = directory.find(&text);
        let index = choice(&text, &[option.as_str(), "Anna", &text]);
        prop_assert!(index.is_none_or(|index| index < 3));
    }

    #[test]
    fn a_full_name_chooses_itself(a in "[A-Z][a-z]{3,8} [A-Z][a-z]{3,8}", b in "[A-Z][a-z]{3,8} [A-Z][a-z]{3,8}") {
        let options = [a.as_str(), b.as_str()];
        if let Some(index) = choice(&a, &options) {
            prop_assert_eq!(index, 0);
        }
    }
}
