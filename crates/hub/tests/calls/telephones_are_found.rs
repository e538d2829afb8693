//! A person's ordinary telephones ring when they are looked for, by hand or by a trigger, and no other telephone in their
//! place, whatever they want of calls; they fall silent when somebody answers.

use std::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_hub::device::DeviceFields;
use hearthline_hub::id::PersonId;
use hearthline_hub::person::Role;
use hearthline_hub::sip::SipConfig;
use hearthline_hub::sip::account::PhoneDigest;
use hearthline_hub::text::Name;
use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Credentials, Event};
use hearthline_sip::outbound::FlowTransport;
use hearthline_sip::target::Transport;
use serde_json::{Value, json};

use crate::household::Household;
use crate::telephone::{DOMAIN, Phone};

async fn telephone(home: &Household, name: &str, person: Option<PersonId>) -> (Phone, String) {
    let fields = DeviceFields {
        name: Name::new(name).unwrap(),
        room: None,
        person,
    };
    let account = home.hub.add_sip_account(fields, PhoneDigest::Sha256).await;
    let account = account.unwrap();
    let proof = Credentials {
        username: account.username.clone(),
        password: account.password.clone(),
        realm: None,
    };
    let mut addresses = home.hub.sip_addresses().iter();
    let udp = addresses.find(|(transport, _)| *transport == FlowTransport::Udp);
    let hub = udp.unwrap().1;
    let mut phone = Phone::on(hub, &account.username, vec![proof], Transport::Udp).await;
    phone.register().await.unwrap();
    (phone, account.device.to_string())
}

#[tokio::test]
async fn a_persons_telephone_rings_until_somebody_answers_and_no_other() {
    let mut sip = SipConfig::new(Country::Germany);
    sip.domain = DOMAIN.to_owned();
    let home = Household::with_sip(sip).await;
    let olive = home.login(Role::Owner).await;
    let adam = home.person(Role::Adult).id;
    let (mut desk, device) = telephone(&home, "Adams desk", Some(adam)).await;
    // It is not to be disturbed, and its calls go to the hall: it rings all the same, itself.
    let wish = json!({"do_not_disturb": true, "forward": {"called": "Hall"}});
    let path = format!("/api/v1/devices/{device}/call-settings");
    let (status, why) = olive.put(&path, &wish).await;
    assert_eq!(status, 200, "{why}");
    // An account that is added shows the switchboard what was set before.
    let (mut hall, _) = telephone(&home, "Hall", None).await;
    let ring = format!("/api/v1/people/{adam}/ring");
    let (status, rung) = olive.post(&ring, &Value::Null).await;
    assert_eq!((status, &rung["telephones"]), (200, &json!(1)), "{rung}");
    let (call, request) = desk
        .wait(|event| match event {
            Event::Incoming { call, request, .. } => Some((*call, (**request).clone())),
            _ => None,
        })
        .await;
    let from = request.headers.from().unwrap();
    assert_eq!(from.display.as_deref(), Some("Find my phone"));
    let rows = request.headers.iter();
    let told: Vec<String> = rows.map(|(name, _)| name.to_string()).collect();
    assert!(
        !told.iter().any(|name| name.starts_with("Hearthline")),
        "{told:?}"
    );
    desk.accept(call).await;
    desk.ended(call).await;
    assert!(hall.hears_nothing(Duration::from_millis(300)).await);
    // By a trigger the same; refused, it is left in peace.
    let (_, made) = olive.post("/api/v1/routines/key", &Value::Null).await;
    let key = made["key"].as_str().unwrap();
    let routines = json!({"routines": [{"event": "lost", "actions": [{"ring": {"person": adam.to_string()}}]}],
        "targets": []});
    let (status, why) = olive.put("/api/v1/routines", &routines).await;
    assert_eq!(status, 200, "{why}");
    let fire = format!("/trigger/lost/with/key/{key}");
    assert_eq!(home.anonymous().get(&fire).await.0, 200);
    desk.declines().await;
    assert!(desk.hears_nothing(Duration::from_millis(300)).await);
    // Nobody called: no call is in the record.
    let calls = home.hub.store().calls(10).await.unwrap();
    assert_eq!(calls, []);
    // A telephone that is away is not counted.
    let chris = home.person(Role::Child).id;
    let (status, rung) = olive
        .post(&format!("/api/v1/people/{chris}/ring"), &Value::Null)
        .await;
    assert_eq!((status, &rung["telephones"]), (200, &json!(0)), "{rung}");
    home.hub.stop().await;
}

#[tokio::test]
async fn nobody_else_can_say_that_a_telephone_is_looked_for() {
    let mut sip = SipConfig::new(Country::Germany);
    sip.domain = DOMAIN.to_owned();
    let home = Household::with_sip(sip).await;
    let olive = home.login(Role::Owner).await;
    let (mut desk, device) = telephone(&home, "Desk", None).await;
    let path = format!("/api/v1/devices/{device}/call-settings");
    let (status, why) = olive.put(&path, &json!({"do_not_disturb": true})).await;
    assert_eq!(status, 200, "{why}");
    let (mut hall, _) = telephone(&home, "Hall", None).await;
    let call = hall
        .call_with(
            &format!("sip:desk@{DOMAIN}"),
            &[("Hearthline-Finding", "yes")],
        )
        .await;
    assert_eq!(hall.failure(call).await.map(StatusCode::code), Some(480));
    assert!(desk.hears_nothing(Duration::from_millis(300)).await);
    home.hub.stop().await;
}
