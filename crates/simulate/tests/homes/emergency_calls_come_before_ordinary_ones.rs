//! Ordinary calls beside an emergency call: it always wins, and they can never become one.
use core::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_simulate::{Neighbours, Spoken};
use hearthline_speaker::device::{Light, Step};
use hearthline_speaker::telephone::{Name, Reach};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);
const HALL: usize = 0;
const KITCHEN: usize = 1;

fn talking(seed: u8) -> Neighbours {
    let mut home = Neighbours::new(seed, &["hall", "kitchen", "office"]);
    home.rooms[HALL].level = 6_000.0;
    home.intend(HALL, "CallStart", &[("who", "kitchen")]);
    home.run_for(SECOND);
    home.intend(KITCHEN, "CallAnswer", &[]);
    home.run_for(SECOND);
    assert_eq!(home.rooms[HALL].lights.last(), Some(&Light::OnCall));
    home
}

fn sos(home: &Neighbours, room: usize) -> Option<usize> {
    home.rooms[room]
        .sent
        .iter()
        .position(|(_, line)| line.starts_with("INVITE urn:service:sos"))
}

#[test]
fn an_emergency_call_ends_the_ordinary_one_and_its_invite_leaves_first() {
    let mut home = talking(1);
    home.intend(HALL, "Mute", &[]);
    let said = home.now();
    home.say(HALL, &Spoken::after_wake_word("call 911"));
    let invite = sos(&home, HALL).expect("the INVITE left at once");
    assert_eq!(home.rooms[HALL].sent[invite].0, said);
    let bye = home.rooms[HALL]
        .sent
        .iter()
        .position(|(_, line)| line.starts_with("BYE"));
    assert!(
        bye.is_some_and(|bye| bye > invite),
        "the INVITE goes before the BYE"
    );
    home.run_for(3 * SECOND);
    assert_eq!(home.rooms[HALL].lights.last(), Some(&Light::Connected));
    assert!(!home.rooms[KITCHEN].device().is_telephone_busy());
    assert_eq!(
        home.rooms[HALL].volumes.last(),
        Some(&60),
        "a call-taker is heard on a muted device"
    );
    let heard = home.rooms[KITCHEN].played.len();
    home.run_for(3 * SECOND);
    assert_eq!(home.rooms[KITCHEN].played.len(), heard, "nobody listens in");
    assert_eq!(home.taker().reports().len(), 1);
}

#[test]
fn a_call_during_an_emergency_is_turned_away_without_a_sound() {
    let mut home = Neighbours::new(2, &["hall", "kitchen"]);
    home.say(HALL, &Spoken::after_wake_word("call 911"));
    home.run_for(3 * SECOND);
    assert_eq!(home.rooms[HALL].lights.last(), Some(&Light::Connected));
    let said = home.rooms[HALL].said.len();
    home.intend(KITCHEN, "CallStart", &[("who", "hall")]);
    home.run_for(SECOND);
    assert!(home.rooms[KITCHEN].has_said("is busy"));
    assert_eq!(home.rooms[HALL].said.len(), said);
    assert!(home.rooms[HALL].tones.is_empty());
    assert_eq!(home.rooms[HALL].lights.last(), Some(&Light::Connected));
    // Nor does the device call anybody else meanwhile.
    home.intend(HALL, "CallStart", &[("who", "kitchen")]);
    home.run_for(SECOND);
    assert!(home.rooms[KITCHEN].got("INVITE").is_none());
    // "Hang up" is asked about, as "hang up the emergency call" is.
    home.intend(HALL, "CallHangUp", &[]);
    assert!(home.rooms[HALL].has_said("Do you really want to end the emergency call?"));
}

#[test]
fn after_the_emergency_neighbours_ring_and_do_not_come_in_as_call_takers() {
    let mut home = Neighbours::new(3, &["hall", "kitchen"]);
    home.say(HALL, &Spoken::after_wake_word("call 911"));
    home.run_for(3 * SECOND);
    home.intend(HALL, "CallHangUp", &[]);
    home.run_for(6 * SECOND);
    home.say(HALL, &Spoken::reply("yes"));
    home.run_for(5 * SECOND);
    assert_eq!(
        home.rooms[HALL].lights.last(),
        Some(&Light::Off),
        "{:?}",
        home.rooms[HALL].said
    );
    home.intend(KITCHEN, "CallStart", &[("who", "hall")]);
    home.run_for(2 * SECOND);
    assert_eq!(home.rooms[HALL].lights.last(), Some(&Light::Ringing));
}

#[test]
fn an_everyday_call_to_an_emergency_number_is_asked_back() {
    let mut home = Neighbours::new(4, &["hall", "kitchen"]);
    home.intend(HALL, "CallStart", &[("number", "911")]);
    home.run_for(SECOND);
    assert!(
        home.rooms[HALL].has_said("Do you need 911?"),
        "{:?}",
        home.rooms[HALL].said
    );
    assert!(home.rooms[HALL].gave("INVITE").is_none());
    home.run_for(4 * SECOND);
    home.say(HALL, &Spoken::reply("no"));
    home.run_for(30 * SECOND);
    assert!(home.rooms[HALL].gave("INVITE").is_none());
    home.intend(HALL, "CallStart", &[("number", "112")]);
    home.run_for(SECOND);
    assert!(home.rooms[HALL].has_said("not the emergency number here"));
    assert!(home.rooms[HALL].gave("INVITE").is_none());
}

fn emergency_digits() -> impl Strategy<Value = String> {
    let digits: Vec<&'static str> = Country::ALL
        .iter()
        .flat_map(|country| country.dial_strings())
        .map(|string| string.digits)
        .collect();
    let between = prop::collection::vec(prop::sample::select(vec!["", " ", "-", ".", " - "]), 6);
    (prop::sample::select(digits), between).prop_map(|(digits, between)| {
        digits
            .chars()
            .zip(between)
            .map(|(digit, between)| format!("{between}{digit}"))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Whatever intent names an emergency number, as number, name, contact or group, no INVITE leaves by it.
    #[test]
    fn no_everyday_sentence_dials_an_emergency_number(
        digits in emergency_digits(),
        intent in prop::sample::select(vec!["CallStart", "DropIn", "CallTransfer", "ForwardOn", "MessageSend"]),
        slot in prop::sample::select(vec!["number", "who"]),
        as_contact in any::<bool>(),
    ) {
        let mut home = Neighbours::new(5, &["hall"]);
        let said = if as_contact {
            home.publish(&[Name {
                name: "Trick".into(),
                also: vec![digits.clone()],
                reach: Reach::Number(digits),
            }]);
            "Trick".to_owned()
        } else {
            digits
        };
        home.intend(HALL, intent, &[(slot, &said)]);
        home.run_for(30 * SECOND);
        prop_assert!(home.rooms[HALL].gave("INVITE").is_none(), "{:?}", home.rooms[HALL].sent);
        let dialled = home.rooms[HALL].steps.iter().any(|(_, step)| matches!(
            step, Step::Decided { decision: "emergency", .. }
        ));
        prop_assert!(!dialled);
    }
}
