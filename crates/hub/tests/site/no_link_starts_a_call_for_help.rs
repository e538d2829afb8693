//! DESIGN invariant 1 in the app: no address, message, contact, name or script starts a call for help; a number that is
//! dialled on the pad and confirmed by a hand does, as a drill.

use std::net::UdpSocket;

use hearthline_emergency::numbers::Country;
use hearthline_hub::person::Role;
use hearthline_hub::sip::SipConfig;

use serde_json::json;

use crate::browser::person;
use crate::household::{Household, PASSWORD};

#[tokio::test]
async fn only_the_pad_and_a_hand_do() {
    let home = Household::with_sip(SipConfig::new(Country::UnitedStates)).await;
    // Somebody listens there and never answers.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = format!("sip:{}", silent.local_addr().unwrap());
    let line = json!({"name": "Drill", "kind": "sip_trunk", "position": 0, "enabled": true,
        "sip": {"server": server, "drill": "service"}});
    let owner = home.login(Role::Owner).await;
    assert_eq!(owner.post("/api/v1/lines", &line).await.0, 201);
    let address = format!("https://{}", home.address());
    person("no_link_starts_a_call_for_help.mjs", &[&address, PASSWORD]).await;
    // What came over the line is a drill, and the only call.
    let came = calls_that_came(&silent);
    assert_eq!(came.len(), 1, "{came:?}");
    assert!(came[0].contains("\r\nEmergency-Drill: yes\r\n"), "{came:?}");
}

/// Each call once, however often its INVITE was repeated.
fn calls_that_came(line: &UdpSocket) -> Vec<String> {
    line.set_nonblocking(true).unwrap();
    let mut calls: Vec<String> = Vec::new();
    let mut bytes = [0; 65_536];
    let id = |text: &str| {
        let row = text.lines().find(|row| row.starts_with("Call-ID"));
        row.map(str::to_owned)
    };
    while let Ok((count, _)) = line.recv_from(&mut bytes) {
        let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
        let known = calls.iter().any(|call| id(call) == id(&text));
        if text.starts_with("INVITE") && !known {
            calls.push(text);
        }
    }
    calls
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
