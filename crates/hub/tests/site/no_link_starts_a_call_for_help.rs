//! DESIGN invariant 1 in the app: no address, message, contact, name or script starts a call for help; a number that is
//! dialled on the pad and confirmed by a hand does, as a drill.

use hearthline_emergency::numbers::Country;
use hearthline_hub::sip::SipConfig;

use crate::browser::person;
use crate::household::{Household, PASSWORD};

#[tokio::test]
async fn only_the_pad_and_a_hand_do() {
    let home = Household::with_sip(SipConfig::new(Country::UnitedStates)).await;
    let address = format!("https://{}", home.address());
    person("no_link_starts_a_call_for_help.mjs", &[&address, PASSWORD]).await;
}

/// The app's table is the one of the emergency crate: the two are read side by side.
#[test]
fn the_app_knows_every_emergency_number() {
    let script = include_str!("../../web/call/emergency.js");
    let (_, rest) = script.split_once("new Set(\"").unwrap();
    let (table, _) = rest.split_once('"').unwrap();
    let app: std::collections::BTreeSet<&str> = table.split(' ').collect();
    let crates = Country::ALL.iter().flat_map(|country| {
        let strings = country.dial_strings();
        strings.iter().map(|string| string.digits)
    });
    assert_eq!(app, crates.collect());
}
