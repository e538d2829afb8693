//! Calls that go elsewhere: to a room, to a number outside, never round in circles and never to an emergency number.

use std::time::Duration;

use crate::household::Household;
use crate::lines::{Provider, add, fields, home as home_with_lines};
use crate::telephone::{DOMAIN, Home, Phone, talk};
use hearthline_hub::call_settings::CallSettings;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::id::DeviceId;
use hearthline_hub::person::{Party, Role};
use hearthline_sip::StatusCode;
use hearthline_sip::target::Transport;
use serde_json::{Value, json};

const GLOBAL: &str = "+493055501234";

/// What a device wants of calls from now on, and the switchboard knows.
async fn wants(home: &Home, device: DeviceId, settings: Value) {
    let settings: CallSettings = serde_json::from_value(settings).unwrap();
    let now = hearthline_hub::clock::Clock::default().now();
    let store = home.hub.store();
    let party = Party::Device(device);
    store
        .set_call_settings(party, &settings, now)
        .await
        .unwrap();
    // An account that is added shows the switchboard everything that was set before.
    home.account("Unused", None).await;
}

fn to_room(name: &str) -> Value {
    json!({"forward": {"called": name}})
}

fn uri_of(phone: &Phone) -> String {
    format!("sip:{}@{DOMAIN}", phone.user)
}

#[tokio::test]
async fn a_devices_calls_ring_where_it_says_and_nowhere_twice() {
    let home = Home::new().await;
    let study = home.room("Study").await;
    let attic = home.room("Attic").await;
    let (k, s, a) = (
        home.enrol("Kitchen", None).await,
        home.enrol("Desk", Some(study)).await,
        home.enrol("Beam", Some(attic)).await,
    );
    let (mut kitchen, mut desk) = (home.device(&k).await, home.device(&s).await);
    let mut beam = home.device(&a).await;
    let mut hall = home.device(&home.enrol("Hall", None).await).await;
    wants(&home, k.device, to_room("study")).await;
    talk(&mut hall, &mut desk, &uri_of(&kitchen)).await;
    assert!(kitchen.hears_nothing(Duration::ZERO).await);
    // On and on: from the study to the attic.
    wants(&home, s.device, to_room("attic")).await;
    talk(&mut hall, &mut beam, &uri_of(&kitchen)).await;
    // Round in a circle it ends, and nobody rings.
    wants(&home, a.device, to_room("kitchen")).await;
    let refused = hall.refused(&uri_of(&kitchen)).await;
    assert_eq!(refused, StatusCode::TEMPORARILY_UNAVAILABLE);
    for phone in [&mut kitchen, &mut desk, &mut beam] {
        assert!(phone.hears_nothing(Duration::from_millis(100)).await);
    }
    // One's own call does not come back, and where nobody is to be disturbed nothing rings.
    let refused = beam.refused(&uri_of(&kitchen)).await;
    assert_eq!(refused, StatusCode::TEMPORARILY_UNAVAILABLE);
    wants(&home, a.device, json!({"do_not_disturb": true})).await;
    let refused = hall.refused(&uri_of(&kitchen)).await;
    assert_eq!(refused, StatusCode::TEMPORARILY_UNAVAILABLE);
    assert!(beam.hears_nothing(Duration::ZERO).await);
    // Whom the device does not take, it does not send elsewhere.
    let blocked = json!({
        "forward": {"called": "attic"}, "blocked": [{"kind": "device", "id": hall.user}],
    });
    wants(&home, k.device, blocked).await;
    wants(&home, a.device, json!({})).await;
    assert_eq!(hall.refused(&uri_of(&kitchen)).await, StatusCode::DECLINE);
    talk(&mut desk, &mut beam, &uri_of(&kitchen)).await;
    // It calls for help as ever.
    let help = kitchen.refused("sip:112@home.test").await;
    assert_eq!(help, StatusCode::SERVICE_UNAVAILABLE);
    wants(&home, k.device, json!({})).await;
    let to_kitchen = uri_of(&kitchen);
    talk(&mut hall, &mut kitchen, &to_kitchen).await;
}

#[tokio::test]
async fn five_in_a_row_are_too_many() {
    let home = Home::new().await;
    let mut phones = Vec::new();
    for name in ["One", "Two", "Three", "Four", "Five"] {
        let own = home.enrol(name, None).await;
        phones.push((own.device, home.device(&own).await));
    }
    for (index, next) in ["two", "three", "four", "five"].iter().enumerate() {
        wants(&home, phones[index].0, to_room(next)).await;
    }
    let mut hall = home.device(&home.enrol("Hall", None).await).await;
    // Three times it goes on: from the second to the fifth, not from the first.
    let first = uri_of(&phones[0].1);
    let second = uri_of(&phones[1].1);
    let refused = hall.refused(&first).await;
    assert_eq!(refused, StatusCode::TEMPORARILY_UNAVAILABLE);
    talk(&mut hall, &mut phones[4].1, &second).await;
}

#[tokio::test]
async fn a_number_outside_takes_the_homes_calls_and_those_that_come_in() {
    let home = home_with_lines(|_, _| {}).await;
    let mut trunk = Provider::asking(Transport::Udp, "anna").await;
    let more = json!({"caller_number": "+493012340000", "sip": {"username": "anna"}});
    add(&home, &fields("Trunk", 0, &trunk.server(), &more)).await;
    let own = home.enrol("Kitchen", None).await;
    let mut kitchen = home.device(&own).await;
    let mut hall = home.device(&home.enrol("Hall", None).await).await;
    // As it is dialled here.
    let forward = json!({"forward": {"number": "030-555-0123-4"}});
    wants(&home, own.device, forward).await;
    let call = hall.call(&uri_of(&kitchen)).await;
    let (far, invite) = trunk.called().await;
    assert!(
        invite
            .uri
            .to_string()
            .starts_with(&format!("sip:{GLOBAL}@"))
    );
    trunk.rings(far).await;
    hall.progress(call).await;
    assert!(kitchen.hears_nothing(Duration::ZERO).await);
    hall.bye(call).await;
    assert_eq!(hall.failure(call).await, None, "given up by the caller");
    // Several devices of one name that go to one number, there or not: it is called once.
    let study = home.room("Study").await;
    let mut there = Vec::new();
    for (name, is_there) in [("Desk", true), ("Shelf", true), ("Switched off", false)] {
        let own = home.enrol(name, Some(study)).await;
        if is_there {
            there.push(home.device(&own).await);
        }
        let forward = json!({"forward": {"number": GLOBAL}});
        wants(&home, own.device, forward).await;
    }
    let call = hall.call(&format!("sip:study@{DOMAIN}")).await;
    let (far, _) = trunk.called().await;
    trunk.rings(far).await;
    hall.progress(call).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!trunk.was_called());
    for phone in &mut there {
        assert!(phone.hears_nothing(Duration::ZERO).await);
    }
    hall.bye(call).await;
    assert_eq!(hall.failure(call).await, None, "given up by the caller");
    // A number of an emergency service by another way is nobody's: the store would not take it, and the switchboard
    // looks at it once more.
    for hidden in ["0112", "00112"] {
        let settings =
            serde_json::from_value::<CallSettings>(json!({"forward": {"number": hidden}}));
        assert!(settings.is_err(), "{hidden}");
    }
    home.hub.stop().await;
}

#[tokio::test]
async fn no_emergency_number_or_service_is_forwarded_to() {
    let home = Household::new().await;
    let kitchen = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let speaker = home.as_device(&kitchen);
    let path = format!("/api/v1/devices/{}/call-settings", kitchen.device);
    for to in [
        json!({"number": "911"}),
        json!({"number": "+112"}),
        json!({"number": "9-1-1"}),
        json!({"number": "0112"}),
        json!({"number": "9911"}),
        json!({"called": "police"}),
        json!({"called": "911"}),
        json!({"called": "the fire brigade"}),
        json!({"uri": "urn:service:sos"}),
    ] {
        let (status, body) = speaker.put(&path, &json!({"forward": to})).await;
        assert_eq!(status, 400, "{to}: {body}");
    }
    let (_, settings) = speaker.get(&path).await;
    assert_eq!(settings["forward"], Value::Null);
    let forward =
        json!({"forward": {"number": "+49 30 5550 1234"}, "blocked_numbers": ["+12025550199"]});
    let (status, settings) = speaker.put(&path, &forward).await;
    assert_eq!(
        (status, &settings["forward"]["number"]),
        (200, &json!(GLOBAL))
    );
    let guest = home.login(Role::Guest).await;
    assert_eq!(guest.put(&path, &forward).await.0, 403);
}
