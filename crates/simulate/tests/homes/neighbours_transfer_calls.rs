//! Calls that are put through from one device of a home to another, in virtual time and through the product's own proxy.
use core::time::Duration;

use hearthline_simulate::{Neighbours, Spoken};
use hearthline_speaker::device::Light;
use hearthline_speaker::telephone::{Name, Reach};

const SECOND: Duration = Duration::from_secs(1);
const HALL: usize = 0;
const KITCHEN: usize = 1;
const OFFICE: usize = 2;

fn home(seed: u8) -> Neighbours {
    let mut home = Neighbours::new(seed, &["hall", "kitchen", "office"]);
    for (room, hz) in [(HALL, 440.0), (KITCHEN, 700.0), (OFFICE, 1_000.0)] {
        home.rooms[room].level = 6_000.0;
        home.rooms[room].hz = hz;
    }
    home
}

fn shows(home: &Neighbours, room: usize, light: Light) -> bool {
    home.rooms[room].lights.last() == Some(&light)
}

/// One calls another, who answers.
fn connected(home: &mut Neighbours, from: usize, to: usize) {
    let name = home.rooms[to].name.clone();
    home.intend(from, "CallStart", &[("who", &format!("the {name}"))]);
    assert!(home.run_until(2 * SECOND, |home| shows(home, to, Light::Ringing)));
    home.intend(to, "CallAnswer", &[]);
    home.run_for(SECOND);
    assert!(shows(home, from, Light::OnCall) && shows(home, to, Light::OnCall));
}

/// Two talk with each other, and the third has no call any more.
fn only_two_talk(home: &mut Neighbours, two: [usize; 2], third: usize) {
    home.run_for(2 * SECOND);
    let pitch = |room: usize| [440.0, 700.0, 1_000.0][room];
    for (room, other) in [(two[0], two[1]), (two[1], two[0])] {
        let name = home.rooms[room].name.clone();
        assert!(shows(home, room, Light::OnCall), "{name}");
        let heard = home.rooms[room].hears(pitch(other));
        assert!(heard > 3_000.0, "{name} hears the other at {heard}");
    }
    assert!(!home.rooms[third].device().is_telephone_busy());
    assert!(shows(home, third, Light::Off));
}

#[test]
fn a_call_is_put_through_and_the_two_talk_without_us() {
    let mut home = home(31);
    connected(&mut home, HALL, KITCHEN);
    home.say(
        HALL,
        &Spoken::after_wake_word("transfer this call to the office"),
    );
    assert!(home.run_until(2 * SECOND, |home| shows(home, OFFICE, Light::Ringing)));
    let said = &home.rooms[HALL].said;
    assert!(
        said.iter()
            .any(|said| said.starts_with("Putting them through to")),
        "{said:?}"
    );
    assert!(home.rooms[KITCHEN].has_said("You are being put through to"));
    // Until the office has answered, nobody is left alone.
    assert!(shows(&home, HALL, Light::OnCall));
    home.intend(OFFICE, "CallAnswer", &[]);
    only_two_talk(&mut home, [KITCHEN, OFFICE], HALL);
    assert!(home.rooms[HALL].has_said("They are connected."));
    assert!(home.rooms[HALL].got("NOTIFY").is_some());
    // Either of them ends it.
    home.intend(OFFICE, "CallHangUp", &[]);
    home.run_for(SECOND);
    assert!(!home.rooms[KITCHEN].device().is_telephone_busy());
}

#[test]
fn who_was_called_puts_the_caller_through_as_well() {
    let mut home = home(32);
    connected(&mut home, KITCHEN, HALL);
    home.intend(HALL, "CallTransfer", &[("who", "the office")]);
    home.run_for(SECOND);
    home.intend(OFFICE, "CallAnswer", &[]);
    only_two_talk(&mut home, [KITCHEN, OFFICE], HALL);
}

#[test]
fn whoever_is_not_wanted_there_stays_connected() {
    let mut home = home(33);
    connected(&mut home, HALL, KITCHEN);
    home.intend(HALL, "CallTransfer", &[("who", "the office")]);
    assert!(home.run_until(2 * SECOND, |home| shows(home, OFFICE, Light::Ringing)));
    home.intend(OFFICE, "CallDecline", &[]);
    only_two_talk(&mut home, [HALL, KITCHEN], OFFICE);
    assert!(
        home.rooms[HALL].has_said("You are still connected."),
        "{:?}",
        home.rooms[HALL].said
    );
    // And nobody of that name.
    home.intend(HALL, "CallTransfer", &[("who", "zanzibar")]);
    home.run_for(3 * SECOND);
    only_two_talk(&mut home, [HALL, KITCHEN], OFFICE);
    // Whoever was to be put through may change their mind.
    home.intend(HALL, "CallTransfer", &[("who", "the office")]);
    assert!(home.run_until(2 * SECOND, |home| shows(home, OFFICE, Light::Ringing)));
    home.intend(KITCHEN, "CallHangUp", &[]);
    only_two_talk(&mut home, [HALL, KITCHEN], OFFICE);
}

#[test]
fn with_both_on_the_line_the_two_are_joined_without_ringing() {
    let mut home = home(34);
    connected(&mut home, HALL, KITCHEN);
    connected(&mut home, HALL, OFFICE);
    let rang = home.rooms[OFFICE].tones.len();
    home.intend(HALL, "CallTransfer", &[("who", "the office")]);
    home.run_for(SECOND);
    only_two_talk(&mut home, [KITCHEN, OFFICE], HALL);
    assert_eq!(home.rooms[OFFICE].tones.len(), rang, "no ring");
    // The other way round: whoever is named, the two are joined.
    let mut home = self::home(35);
    connected(&mut home, KITCHEN, HALL);
    connected(&mut home, HALL, OFFICE);
    home.intend(HALL, "CallTransfer", &[("who", "the kitchen")]);
    home.run_for(SECOND);
    only_two_talk(&mut home, [KITCHEN, OFFICE], HALL);
}

#[test]
fn there_must_be_a_call_and_somebody_else() {
    let mut home = home(36);
    home.intend(HALL, "CallTransfer", &[("who", "the office")]);
    assert!(home.rooms[HALL].has_said("There is no call."));
    connected(&mut home, HALL, KITCHEN);
    home.intend(HALL, "CallTransfer", &[("who", "the kitchen")]);
    assert!(home.rooms[HALL].has_said("That is whom you are talking to."));
    home.run_for(SECOND);
    assert!(home.rooms[KITCHEN].got("REFER").is_none());
}

#[test]
fn nobody_is_put_through_to_a_strangers_number_or_to_help() {
    let mut home = home(37);
    connected(&mut home, HALL, KITCHEN);
    for help in ["911", "nine one one", "the police", "112"] {
        home.intend(HALL, "CallTransfer", &[("who", help)]);
        home.run_for(SECOND);
        assert!(home.rooms[HALL].gave("REFER").is_none(), "{help}");
    }
    // The kitchen knows nobody of this number, and follows nowhere.
    let invites = |home: &Neighbours| {
        let sent = home.rooms[KITCHEN].sent.iter();
        sent.filter(|(_, line)| line.starts_with("INVITE sip:+1505555"))
            .count()
    };
    home.intend(HALL, "CallTransfer", &[("number", "+1 505 555 0123")]);
    home.run_for(2 * SECOND);
    assert!(home.rooms[HALL].has_said("You are still connected."));
    assert_eq!(invites(&home), 0);
    home.publish(&[Name {
        name: "Granny".into(),
        also: Vec::new(),
        reach: Reach::Number("+1 505 555 0123".into()),
    }]);
    home.intend(HALL, "CallTransfer", &[("who", "Granny")]);
    home.run_for(2 * SECOND);
    assert_eq!(invites(&home), 1, "{:?}", home.rooms[KITCHEN].sent);
}

#[test]
fn a_transfer_waits_for_nobody_in_an_emergency() {
    let mut home = home(38);
    connected(&mut home, HALL, KITCHEN);
    home.intend(HALL, "CallTransfer", &[("who", "the office")]);
    assert!(home.run_until(2 * SECOND, |home| shows(home, OFFICE, Light::Ringing)));
    // Who is being put through calls for help: everything else ends.
    home.say(KITCHEN, &Spoken::after_wake_word("call 911"));
    home.run_for(5 * SECOND);
    assert!(
        home.rooms[KITCHEN]
            .sent
            .iter()
            .any(|(_, line)| line.contains("urn:service:sos"))
    );
    assert!(!home.rooms[OFFICE].device().is_telephone_busy());
    home.run_for(SECOND);
    assert!(!home.rooms[HALL].device().is_telephone_busy());
}
