//! Do not disturb, block and allow lists, and drop-in, at the switchboard; emergencies and callbacks go before them
//! (their own tests).

use std::time::Duration;

use crate::household::Household;
use crate::telephone::{DOMAIN, Home, Phone, talk};
use hearthline_hub::call::CallState;
use hearthline_hub::call_settings::CallSettings;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::person::{Party, Role};
use hearthline_sip::{HeaderName, StatusCode};
use serde_json::json;

impl Home {
    pub(crate) async fn wants(&self, party: Party, settings: CallSettings) {
        let now = hearthline_hub::clock::Clock::default().now();
        let store = self.hub.store();
        store
            .set_call_settings(party, &settings, now)
            .await
            .unwrap();
        // An account that is added shows the switchboard everything that was set before.
        self.account("Unused", None).await;
    }
}

fn undisturbed() -> CallSettings {
    CallSettings {
        do_not_disturb: true,
        ..CallSettings::default()
    }
}

#[tokio::test]
async fn who_is_not_to_be_disturbed_hears_nothing_and_sees_who_called() {
    let home = Home::new().await;
    let room = home.room("Living room").await;
    let (a, b) = (
        home.enrol("Kitchen", None).await,
        home.enrol("Sofa", Some(room)).await,
    );
    let shelf = home.enrol("Shelf", Some(room)).await;
    let (mut kitchen, mut sofa) = (home.device(&a).await, home.device(&b).await);
    let mut shelf_phone = home.device(&shelf).await;
    home.wants(Party::Device(b.device), undisturbed()).await;
    let to_sofa = format!("sip:{}@{DOMAIN}", sofa.user);
    assert_eq!(
        kitchen.refused(&to_sofa).await,
        StatusCode::TEMPORARILY_UNAVAILABLE
    );
    assert!(sofa.hears_nothing(Duration::from_millis(200)).await);
    let row = home.call_row(|call| call.state == CallState::Missed).await;
    assert_eq!(
        (row.device, row.other_device),
        (Some(a.device), Some(b.device))
    );
    // The others in the room ring all the same.
    talk(
        &mut kitchen,
        &mut shelf_phone,
        &format!("sip:living-room@{DOMAIN}"),
    )
    .await;
    assert!(sofa.hears_nothing(Duration::from_millis(100)).await);
    // It calls out, and for help, as ever.
    talk(
        &mut sofa,
        &mut shelf_phone,
        &format!("sip:{}@{DOMAIN}", shelf.device),
    )
    .await;
    assert_eq!(
        sofa.refused("sip:112@home.test").await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    home.wants(Party::Device(b.device), CallSettings::default())
        .await;
    talk(&mut kitchen, &mut sofa, &to_sofa).await;
}

#[tokio::test]
async fn lists_of_a_device_decline() {
    let home = Home::new().await;
    let (a, b, c) = (
        home.enrol("Kitchen", None).await,
        home.enrol("Study", None).await,
        home.enrol("Hall", None).await,
    );
    let (mut kitchen, mut study) = (home.device(&a).await, home.device(&b).await);
    let mut hall = home.device(&c).await;
    let to_study = format!("sip:{}@{DOMAIN}", study.user);
    let blocked = CallSettings {
        blocked: vec![Party::Device(a.device)],
        ..CallSettings::default()
    };
    home.wants(Party::Device(b.device), blocked).await;
    assert_eq!(kitchen.refused(&to_study).await, StatusCode::DECLINE);
    // Under another name for the same device it is the same.
    assert_eq!(
        kitchen.refused(&format!("sip:study@{DOMAIN}")).await,
        StatusCode::DECLINE
    );
    talk(&mut hall, &mut study, &to_study).await;
    let only = CallSettings {
        only: Some(vec![Party::Device(a.device)]),
        ..CallSettings::default()
    };
    home.wants(Party::Device(b.device), only).await;
    assert_eq!(hall.refused(&to_study).await, StatusCode::DECLINE);
    talk(&mut kitchen, &mut study, &to_study).await;
    assert!(
        home.hub
            .store()
            .calls(100)
            .await
            .unwrap()
            .iter()
            .all(|call| call.state != CallState::Missed)
    );
}

/// What of the rows that make a phone answer by itself arrives.
async fn arrives(
    caller: &Phone,
    callee: &mut Phone,
    rows: &[(&str, &str)],
) -> Vec<(String, String)> {
    let uri = format!("sip:{}@{DOMAIN}", callee.user);
    let _ = caller.call_with(&uri, rows).await;
    let request = callee.declines().await;
    let mut found = Vec::new();
    for name in [
        "Answer-Mode",
        "Priv-Answer-Mode",
        "Alert-Info",
        "Call-Info",
        "Hearthline-Drop-In",
    ] {
        let row = HeaderName::parse(name.as_bytes()).unwrap();
        if let Some(value) = request.headers.get_str(&row) {
            found.push((name.to_owned(), value.to_owned()));
        }
    }
    found
}

#[tokio::test]
async fn nobody_drops_in_who_was_not_allowed_to() {
    let home = Home::new().await;
    let (a, b) = (
        home.enrol("Kitchen", None).await,
        home.enrol("Study", None).await,
    );
    let (kitchen, mut study) = (home.device(&a).await, home.device(&b).await);
    let forged = [
        ("Answer-Mode", "Auto;require"),
        ("Priv-Answer-Mode", "Auto"),
        ("Alert-Info", "<http://127.0.0.1/>;info=alert-autoanswer"),
        ("Call-Info", "<sip:home.test>;answer-after=0"),
        ("Hearthline-Drop-In", "allowed"),
    ];
    assert_eq!(arrives(&kitchen, &mut study, &forged).await, []);
    let allowed = CallSettings {
        drop_in: vec![Party::Device(a.device)],
        ..CallSettings::default()
    };
    home.wants(Party::Device(b.device), allowed).await;
    let row = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        arrives(&kitchen, &mut study, &forged).await,
        [
            row("Answer-Mode", "Auto;require"),
            row("Hearthline-Drop-In", "allowed")
        ]
    );
    // Only a call that asks for it is one.
    let plain = [("Alert-Info", "<http://127.0.0.1/>;info=alert-autoanswer")];
    assert_eq!(arrives(&kitchen, &mut study, &plain).await, []);
    let manual = [("Answer-Mode", "Manual")];
    assert_eq!(arrives(&kitchen, &mut study, &manual).await, []);
}

#[tokio::test]
async fn settings_are_ones_own() {
    let home = Household::new().await;
    let (adam, chris) = (home.person(Role::Adult), home.person(Role::Child));
    let kitchen = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let hall = home.device(DeviceKind::Speaker, "Hall", None).await;
    let of = |id: &dyn std::fmt::Display| format!("/api/v1/people/{id}/call-settings");
    let at = |id: &dyn std::fmt::Display| format!("/api/v1/devices/{id}/call-settings");
    let owner = home.login(Role::Owner).await;
    let adult = home.login(Role::Adult).await;
    let child = home.login(Role::Child).await;
    let wish =
        json!({"do_not_disturb": true, "blocked": [{"kind": "device", "id": kitchen.device}]});
    assert_eq!(adult.put(&of(&adam.id), &wish).await.0, 200);
    let (status, got) = adult.get(&of(&adam.id)).await;
    assert_eq!(
        (status, &got["do_not_disturb"], &got["only"]),
        (200, &json!(true), &json!(null))
    );
    assert_eq!(got["blocked"], wish["blocked"]);
    assert_eq!(adult.get(&of(&chris.id)).await.0, 403);
    assert_eq!(child.put(&of(&chris.id), &wish).await.0, 403);
    assert_eq!(child.get(&of(&chris.id)).await.0, 200);
    assert_eq!(owner.put(&of(&chris.id), &wish).await.0, 200);
    let speaker = home.as_device(&kitchen);
    assert_eq!(
        speaker
            .put(&at(&kitchen.device), &json!({"do_not_disturb": true}))
            .await
            .0,
        200
    );
    assert_eq!(speaker.put(&at(&hall.device), &json!({})).await.0, 403);
    assert_eq!(adult.put(&at(&hall.device), &json!({})).await.0, 403);
    assert_eq!(
        owner.put(&of(&"7zzzzzzzzzzzzzzzzzzzzzzzzz"), &wish).await.0,
        404
    );
    let many: Vec<_> = (0..201)
        .map(|_| json!({"kind": "device", "id": kitchen.device}))
        .collect();
    let (status, problem) = owner.put(&of(&adam.id), &json!({"blocked": many})).await;
    assert_eq!((status, &problem["field"]), (400, &json!("blocked")));
    assert_eq!(owner.put(&of(&adam.id), &json!({"dnd": true})).await.0, 400);
}
