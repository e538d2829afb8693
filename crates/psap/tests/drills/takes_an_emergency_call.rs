//! The call-taker against the device's own INVITE: every fact, two-way audio, the end.

use crate::drill::{Drill, rms};
use hearthline_emergency::invite::EmergencyInvite;
use hearthline_psap::call_taker::Event;
use hearthline_psap::{Behaviour, CallState, Ring};

#[test]
fn every_fact_of_a_sound_call_is_ok_and_both_hear_each_other() {
    let mut drill = Drill::new(vec![Behaviour::default()]);
    drill.place(|_| {});
    drill.run_ms(3_000);
    assert_eq!(drill.report().state, CallState::Confirmed);
    assert_eq!(drill.caller.progress, [180]);
    drill.hang_up();
    drill.run_ms(200);
    let report = drill.report();
    for fact in &report.facts {
        println!("{fact}");
    }
    assert_eq!(report.state, CallState::Ended);
    assert_eq!(report.ended_by.as_deref(), Some("caller"));
    let wrong: Vec<_> = report.facts.iter().filter(|fact| !fact.ok).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(report.is_sound() && report.drill);
    assert_eq!(report.service.as_deref(), Some("urn:service:sos"));
    let names: Vec<&str> = report.facts.iter().map(|fact| fact.name).collect();
    for name in [
        "request-uri",
        "to",
        "from",
        "contact",
        "geolocation",
        "geolocation-routing",
        "pidf-lo",
        "location-civic",
        "location-geodetic",
        "data-provider",
        "data-service",
        "data-device",
        "data-subscriber",
        "data-comment",
        "data-reference",
        "unique-device-id",
        "drill",
        "offers-pcmu",
        "offers-pcma",
        "audio-continuous",
        "audio-heard",
    ] {
        assert!(names.contains(&name), "{name} is missing in {names:?}");
    }
    // INVITE to first RTP: 100 ms of ringing, then at once.
    assert!(report.first_audio_after_ms.unwrap() <= 200, "{report:?}");
    assert!(rms(&drill.heard[8_000..40_000]) > 3_000.0);
    assert!(rms(&drill.caller.heard[8_000..40_000]) > 1_000.0);
}

#[test]
fn the_facts_are_one_line_each_and_json() {
    let mut drill = Drill::new(vec![Behaviour::default()]);
    drill.place(|_| {});
    drill.run_ms(500);
    let report = drill.report();
    let lines: Vec<String> = report.facts.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"));
    assert!(
        report
            .facts
            .iter()
            .all(|fact| !fact.without_value().contains(&fact.value))
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["state"], "confirmed");
    assert_eq!(json["facts"][0]["name"], "request-uri");
    assert_eq!(json["facts"][0]["ok"], true);
}

#[test]
fn what_is_missing_or_wrong_is_said_fact_by_fact() {
    type Change = fn(&mut EmergencyInvite);
    let table: &[(Change, &[&str])] = &[
        (
            |i| i.request_uri = "sip:911@127.0.0.1".to_owned(),
            &["request-uri", "to"],
        ),
        (|i| set(i, "To", "<sip:911@127.0.0.1>"), &["to"]),
        (
            |i| set(i, "From", "<sip:anonymous@anonymous.invalid>"),
            &["from"],
        ),
        (|i| set(i, "Contact", "<sip:kitchen@0.0.0.0>"), &["contact"]),
        (|i| drop_header(i, "P-Preferred-Identity"), &["identity"]),
        (|i| drop_header(i, "Geolocation"), &["geolocation"]),
        (
            |i| set(i, "Geolocation", "<cid:nothing@example.test>"),
            &["geolocation"],
        ),
        (
            |i| set(i, "Geolocation-Routing", "no"),
            &["geolocation-routing"],
        ),
        (
            |i| spoil(i, "application/pidf+xml", b"<presence"),
            &["pidf-lo"],
        ),
        (
            |i| spoil(i, "application/EmergencyCallData.DeviceInfo+xml", b"<x/>"),
            &["data-device", "unique-device-id"],
        ),
        (
            |i| replace(i, "DeviceInfo", "call-1@", "call-2@"),
            &["data-reference"],
        ),
        (|i| drop_header(i, "Emergency-Drill"), &["drill"]),
        (|i| set(i, "Subject", "help"), &["drill"]),
        (|i| set(i, "Priority", "normal"), &["priority"]),
        (
            |i| drop_header(i, "Call-Info"),
            &[
                "data-provider",
                "data-service",
                "data-device",
                "data-subscriber",
                "data-comment",
                "data-reference",
                "unique-device-id",
                "drill",
            ],
        ),
    ];
    for (change, expected) in table {
        let mut drill = Drill::new(vec![Behaviour::default()]);
        drill.place(change);
        drill.run_ms(400);
        let report = drill.report();
        let wrong: Vec<&str> = report
            .facts
            .iter()
            .filter(|fact| !fact.ok)
            .map(|fact| fact.name)
            .collect();
        assert_eq!(wrong, *expected);
        // Whatever is wrong, the call is answered all the same.
        assert_eq!(report.state, CallState::Confirmed, "{expected:?}");
    }
}

fn set(invite: &mut EmergencyInvite, name: &str, value: &str) {
    for (own, old) in &mut invite.headers {
        if *own == name {
            *old = value.to_owned();
        }
    }
}

fn drop_header(invite: &mut EmergencyInvite, name: &str) {
    invite.headers.retain(|(own, _)| *own != name);
}

fn spoil(invite: &mut EmergencyInvite, kind: &str, bytes: &[u8]) {
    for part in &mut invite.parts {
        if part.content_type == kind {
            part.bytes = bytes.to_vec();
        }
    }
}

fn replace(invite: &mut EmergencyInvite, kind: &str, from: &str, to: &str) {
    for part in &mut invite.parts {
        if part.content_type.contains(kind) {
            part.bytes = String::from_utf8(part.bytes.clone())
                .unwrap()
                .replace(from, to)
                .into_bytes();
        }
    }
}

#[test]
fn a_reliable_180_is_acknowledged_before_the_answer() {
    let mut drill = Drill::new(vec![Behaviour {
        ring: Ring::Reliable,
        ..Behaviour::default()
    }]);
    drill.place(|_| {});
    drill.run_ms(1_000);
    assert_eq!(drill.report().state, CallState::Confirmed);
    let reliable = drill.caller.sip_seen.iter().any(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        text.starts_with("SIP/2.0 180") && text.contains("RSeq:")
    });
    assert!(reliable);
}

#[test]
fn digits_are_noted_and_the_hang_up_of_the_call_taker_ends_it() {
    let mut drill = Drill::new(vec![Behaviour {
        hang_up_after_ms: Some(2_000),
        ..Behaviour::default()
    }]);
    drill.place(|_| {});
    drill.run_ms(500);
    let now = drill.now;
    for digit in ['1', '#'] {
        drill
            .caller
            .session
            .as_mut()
            .unwrap()
            .send_digit(digit, now)
            .unwrap();
    }
    drill.run_ms(2_500);
    let report = drill.report();
    assert_eq!(report.digits, "1#");
    assert_eq!(report.ended_by.as_deref(), Some("call-taker"));
    assert_eq!(drill.caller.ended.as_deref(), Some("Remote"));
    assert!(
        drill
            .events
            .iter()
            .any(|event| matches!(event, Event::Ended { call: 1, .. }))
    );
}

#[test]
fn two_calls_at_once_have_their_own_ports_and_a_third_is_busy() {
    let mut drill = Drill::new(vec![Behaviour::default()]);
    drill.place(|_| {});
    drill.run_ms(400);
    drill.place(|_| {});
    drill.run_ms(400);
    drill.place(|_| {});
    drill.run_ms(400);
    let states: Vec<CallState> = drill
        .psap
        .reports()
        .iter()
        .map(|report| report.state)
        .collect();
    assert_eq!(
        states,
        [CallState::Confirmed, CallState::Confirmed, CallState::Ended]
    );
    assert!(drill.caller.failed.unwrap().contains("486"));
}

#[test]
fn media_to_elsewhere_than_this_machine_are_refused() {
    let mut drill = Drill::new(vec![Behaviour::default()]);
    drill.caller.offer.connection = Some(hearthline_sip::Host::parse("192.0.2.1").unwrap());
    drill.place(|_| {});
    drill.run_ms(500);
    let report = drill.report();
    assert!(!report.fact("session-agreed").unwrap().ok);
    assert!(drill.caller.failed.unwrap().contains("488"));
}
