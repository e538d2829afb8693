//! What is not clear is asked, and what was not done as asked is said: messages to one of two, a message that is too
//! long, a caller whom the hub does not block.
use core::time::Duration;

use hearthline_simulate::{Neighbours, Spoken};
use hearthline_speaker::messages::{Content, To};
use hearthline_speaker::telephone::{Name, Reach};

const SECOND: Duration = Duration::from_secs(1);
const HALL: usize = 0;
const KITCHEN: usize = 1;

fn home(seed: u8) -> Neighbours {
    let mut home = Neighbours::new(seed, &["hall", "kitchen", "office"]);
    let anna = |name: &str, reach: Reach| Name {
        name: name.into(),
        also: vec!["Anna".into()],
        reach,
    };
    let ben = Name {
        name: "Ben".into(),
        also: Vec::new(),
        reach: Reach::User("office".into()),
    };
    home.publish(&[
        anna("Anna Smith", Reach::User("kitchen".into())),
        anna("Anna Jones", Reach::User("office".into())),
        anna("Anna Brown", Reach::Number("+1 505 555 0123".into())),
        ben,
    ]);
    home
}

#[test]
fn a_message_to_one_of_two_asks_which_and_goes_there() {
    let mut home = home(31);
    home.intend(
        HALL,
        "MessageSend",
        &[("who", "Anna"), ("text", "dinner is ready")],
    );
    // Whoever has only a number cannot get a message and is not asked about.
    assert!(
        home.rooms[HALL].has_said("Which Anna: Anna Smith or Anna Jones?"),
        "{:?}",
        home.rooms[HALL].said
    );
    assert!(home.api.messages.is_empty());
    home.run_for(4 * SECOND);
    home.say(HALL, &Spoken::reply("the second"));
    home.run_for(2 * SECOND);
    assert!(home.rooms[HALL].has_said("Sent to Anna Jones."));
    assert_eq!(home.api.messages.len(), 1);
    assert_eq!(home.api.messages[0].letter.to, To::Called("office".into()));
    let Content::Text(text) = &home.api.messages[0].letter.content else {
        panic!("a text");
    };
    assert_eq!(text, "dinner is ready");
}

#[test]
fn no_answer_sends_nothing_and_a_later_choice_is_another() {
    let mut home = home(32);
    home.intend(HALL, "MessageSend", &[("who", "Anna"), ("text", "hello")]);
    home.run_for(30 * SECOND);
    assert!(home.api.messages.is_empty());
    // The old message does not go along with a new question.
    home.intend(HALL, "CallStart", &[("who", "Anna")]);
    home.run_for(4 * SECOND);
    home.say(HALL, &Spoken::reply("Anna Smith"));
    home.run_for(2 * SECOND);
    assert!(home.api.messages.is_empty());
}

#[test]
fn a_message_without_words_records_once_it_is_clear_for_whom() {
    let mut home = home(33);
    home.intend(HALL, "MessageSend", &[("who", "Anna")]);
    home.run_for(5 * SECOND);
    home.say(HALL, &Spoken::reply("Anna Smith"));
    home.run_for(2 * SECOND);
    let records = home.rooms[HALL]
        .steps
        .iter()
        .any(|(_, step)| format!("{step:?}").contains("is being recorded"));
    assert!(records);
    home.say(HALL, &Spoken::reply("the soup is on the stove"));
    home.run_for(6 * SECOND);
    assert_eq!(home.api.messages.len(), 1);
    assert_eq!(home.api.messages[0].letter.to, To::Called("kitchen".into()));
}

#[test]
fn a_message_of_two_minutes_is_cut_and_says_so() {
    let mut home = home(34);
    home.intend(HALL, "MessageSend", &[("who", "Ben")]);
    home.run_for(2 * SECOND);
    for _ in 0..130 {
        home.say(HALL, &Spoken::reply("and then there was one more thing"));
        home.run_for(SECOND);
        if !home.api.messages.is_empty() {
            break;
        }
    }
    home.run_for(10 * SECOND);
    assert!(
        home.rooms[HALL].has_said("That was two minutes"),
        "{:?}",
        home.rooms[HALL].said
    );
    assert!(home.rooms[HALL].has_said("Sent to Ben."));
    let Content::Voice { duration_ms, .. } = &home.api.messages[0].letter.content else {
        panic!("a voice");
    };
    assert!(*duration_ms <= 120_000, "{duration_ms}");
    let log = String::from_utf8_lossy(&home.rooms[HALL].log).into_owned();
    assert!(log.contains("cut at the longest that a message may be"));
}

#[test]
fn a_caller_whom_the_hub_does_not_block_is_blocked_here_only_and_that_is_said() {
    let mut home = Neighbours::new(35, &["hall", "kitchen"]);
    home.api.refuses_wishes = Some(404);
    home.intend(KITCHEN, "CallStart", &[("who", "hall")]);
    home.run_for(SECOND);
    home.intend(HALL, "CallDecline", &[]);
    home.run_for(SECOND);
    home.intend(HALL, "BlockCaller", &[]);
    home.run_for(SECOND);
    assert!(
        home.rooms[HALL].has_said("on this speaker any more. The hub did not take it"),
        "{:?}",
        home.rooms[HALL].said
    );
    home.api.refuses_wishes = None;
    home.intend(HALL, "BlockCaller", &[]);
    home.run_for(SECOND);
    assert!(home.rooms[HALL].has_said("This caller does not ring here any more."));
}
