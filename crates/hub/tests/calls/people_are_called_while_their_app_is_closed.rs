//! A person whose app is closed is told of a call by their browser's push service; the app opens, registers, and the call
//! rings there: alone, or beside what rings already.

use std::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_hub::call::{Call, CallState, Direction};
use hearthline_hub::device::{DeviceFields, DeviceKind};
use hearthline_hub::id::DeviceId;
use hearthline_hub::join::Membership;
use hearthline_hub::person::Role;
use hearthline_hub::sip::SipConfig;
use hearthline_hub::sip::account::PhoneDigest;
use hearthline_hub::text::Name;
use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::Credentials;
use hearthline_sip::outbound::FlowTransport;
use hearthline_sip::target::Transport;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::household::Household;
use crate::household::service::{browser_keys, raw, receiver};
use crate::telephone::{DOMAIN, Phone};

/// Adam's browser is closed, his hall telephone is not.
struct Closed {
    home: Household,
    browser: Membership,
    hall: Phone,
    pushed: mpsc::Receiver<Vec<u8>>,
}

impl Closed {
    async fn told_of(tells: Value) -> Self {
        let mut sip = SipConfig::new(Country::Germany);
        sip.domain = DOMAIN.to_owned();
        let home = Household::with_sip(sip).await;
        let adam = home.person(Role::Adult).clone();
        let browser = home
            .device(DeviceKind::Browser, "Laptop", Some(&adam))
            .await;
        let (service, pushed) = receiver("201 Created").await;
        let wish = json!({
            "endpoint": format!("http://{service}/laptop"), "keys": browser_keys(), "tells": tells,
        });
        let (status, why) = home
            .login(Role::Adult)
            .await
            .post("/api/v1/push", &wish)
            .await;
        assert_eq!(status, 204, "{why}");
        let hall = telephone(&home, "Hall").await;
        Self {
            home,
            browser,
            hall,
            pushed,
        }
    }

    /// The app opens and registers.
    async fn opens(&self) -> Phone {
        let address = self.home.address();
        let mut browser = Phone::web_on(address, &self.browser).await.unwrap();
        browser.register().await.unwrap();
        browser
    }

    async fn is_pushed(&mut self, urgency: &str) {
        let (head, body) = raw(&mut self.pushed).await;
        assert!(head.starts_with("POST /laptop "), "{head}");
        assert!(head.contains(&format!("urgency: {urgency}")), "{head}");
        assert!(!body.is_empty());
    }

    async fn row(&self, enough: impl Fn(&Call) -> bool) -> Call {
        for _ in 0..200 {
            let rows = self.home.hub.store().calls(1).await.unwrap();
            if let Some(row) = rows.into_iter().find(|row| enough(row)) {
                return row;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("there is no such row");
    }

    /// What Adam's browser wants of calls, and the switchboard knows.
    async fn wants(&self, device: DeviceId, settings: Value) {
        let olive = self.home.login(Role::Owner).await;
        let path = format!("/api/v1/devices/{device}/call-settings");
        let (status, why) = olive.put(&path, &settings).await;
        assert_eq!(status, 200, "{why}");
        telephone(&self.home, "Unused").await;
    }
}

async fn telephone(home: &Household, name: &str) -> Phone {
    let fields = DeviceFields {
        name: Name::new(name).unwrap(),
        room: None,
        person: None,
    };
    let account = home.hub.add_sip_account(fields, PhoneDigest::Sha256).await;
    let account = account.unwrap();
    let proof = Credentials {
        username: account.username.clone(),
        password: account.password,
        realm: None,
    };
    let mut addresses = home.hub.sip_addresses().iter();
    let udp = addresses.find(|(transport, _)| *transport == FlowTransport::Udp);
    let hub = udp.unwrap().1;
    let mut phone = Phone::on(hub, &account.username, vec![proof], Transport::Udp).await;
    phone.register().await.unwrap();
    phone
}

fn adam() -> String {
    format!("sip:adam@{DOMAIN}")
}

#[tokio::test]
async fn the_app_opens_and_rings() {
    let mut closed = Closed::told_of(json!(["calls", "missed_calls"])).await;
    let out = closed.hall.call(&adam()).await;
    closed.hall.progress(out).await;
    closed.is_pushed("high").await;
    let mut browser = closed.opens().await;
    let incoming = browser.rings().await;
    browser.accept(incoming).await;
    closed.hall.answered(out).await;
    browser.confirmed(incoming).await;
    closed.hall.bye(out).await;
    browser.ended(incoming).await;
    let row = closed.row(|row| row.state == CallState::Ended).await;
    assert_eq!(row.direction, Direction::Inside);
    assert_eq!(row.other_device, Some(closed.browser.device));
    // The next call rings at once; nobody has to be told.
    let out = closed.hall.call(&adam()).await;
    let incoming = browser.rings().await;
    browser.accept(incoming).await;
    closed.hall.answered(out).await;
    closed.home.hub.stop().await;
}

#[tokio::test]
async fn who_gave_up_is_a_missed_call() {
    let mut closed = Closed::told_of(json!(["calls", "missed_calls"])).await;
    let out = closed.hall.call(&adam()).await;
    closed.hall.progress(out).await;
    closed.is_pushed("high").await;
    let cancelled = closed
        .hall
        .act(move |endpoint, now| endpoint.cancel(out, None, now));
    cancelled.await.unwrap();
    closed.is_pushed("normal").await;
    let row = closed.row(|row| row.state == CallState::Missed).await;
    assert_eq!(row.other_device, Some(closed.browser.device));
    let mut browser = closed.opens().await;
    assert!(browser.hears_nothing(Duration::from_millis(300)).await);
    closed.home.hub.stop().await;
}

#[tokio::test]
async fn a_speaker_rings_meanwhile_and_the_first_answer_wins() {
    let mut closed = Closed::told_of(json!(["calls"])).await;
    let adam_himself = closed.home.person(Role::Adult).clone();
    let desk = closed
        .home
        .device(DeviceKind::Speaker, "Desk", Some(&adam_himself))
        .await;
    let mut addresses = closed.home.hub.sip_addresses().iter();
    let tls = addresses.find(|(transport, _)| *transport == FlowTransport::Tls);
    let mut desk = Phone::certified_on(tls.unwrap().1, &desk).await.unwrap();
    desk.register().await.unwrap();
    // An account that is added shows the switchboard who joined before.
    telephone(&closed.home, "Unused").await;
    let out = closed.hall.call(&adam()).await;
    let at_desk = desk.rings().await;
    closed.is_pushed("high").await;
    let mut browser = closed.opens().await;
    let incoming = browser.rings().await;
    browser.accept(incoming).await;
    closed.hall.answered(out).await;
    desk.ended(at_desk).await;
    let row = closed.row(|row| row.state == CallState::Confirmed).await;
    assert_eq!(row.other_device, Some(closed.browser.device));
    closed.home.hub.stop().await;
}

#[tokio::test]
async fn nobody_waits_for_one_who_is_not_told() {
    let mut closed = Closed::told_of(json!(["messages", "missed_calls"])).await;
    let refused = closed.hall.refused(&adam()).await;
    assert_eq!(refused, StatusCode::TEMPORARILY_UNAVAILABLE);
    let row = closed.row(|row| row.state == CallState::Missed).await;
    assert_eq!(row.other_device, Some(closed.browser.device));
    closed.is_pushed("normal").await;
    closed.home.hub.stop().await;
}

#[tokio::test]
async fn one_who_wants_no_calls_is_not_told_and_what_they_want_holds_while_closed() {
    let mut closed = Closed::told_of(json!(["calls"])).await;
    let browser = closed.browser.device;
    // Nobody is there to be dropped in on.
    let rows = [("Answer-Mode", "Auto")];
    let out = closed.hall.call_with(&adam(), &rows).await;
    let refused = closed.hall.failure(out).await.map(StatusCode::code);
    assert_eq!(refused, Some(480));
    closed.wants(browser, json!({"do_not_disturb": true})).await;
    let refused = closed.hall.refused(&adam()).await;
    assert_eq!(refused, StatusCode::TEMPORARILY_UNAVAILABLE);
    let me = json!({"kind": "device", "id": device_of(&closed, "Hall").await});
    closed.wants(browser, json!({"blocked": [me]})).await;
    assert_eq!(closed.hall.refused(&adam()).await, StatusCode::DECLINE);
    // Calls that go elsewhere do so, whether the app is open or not.
    let mut study = telephone(&closed.home, "Study").await;
    let forward = json!({"forward": {"called": "Study"}});
    closed.wants(browser, forward).await;
    let out = closed.hall.call(&adam()).await;
    let incoming = study.rings().await;
    study.accept(incoming).await;
    closed.hall.answered(out).await;
    assert!(closed.pushed.try_recv().is_err());
    closed.home.hub.stop().await;
}

async fn device_of(closed: &Closed, name: &str) -> String {
    let devices = closed.home.hub.store().devices().await.unwrap();
    let mut named = devices.iter();
    let found = named.find(|device| device.fields.name.as_str() == name);
    found.unwrap().id.to_string()
}
