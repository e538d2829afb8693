//! Texts to and from telephones outside: the hub, a mobile modem's line, and our stand-in for ModemManager on a real
//! D-Bus. No real modem was at hand.

use std::time::{Duration, Instant};

use crate::household::Household;
use crate::private_bus;
use hearthline_emergency::numbers::Country;
use hearthline_hub::clock::Clock;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::person::{Party, Role};
use hearthline_hub::sip::SipConfig;
use hearthline_sip::target::Transport;
use serde_json::{Value, json};

const TEXTS: &str = "/api/v1/texts";

struct Scene {
    home: Household,
    modem: private_bus::Home,
}

/// A home in Germany with a mobile line; `None`: no D-Bus here.
async fn scene() -> Option<Scene> {
    let mut sip = SipConfig::new(Country::Germany);
    sip.domain = "home.test".to_owned();
    let home = Household::with_sip(sip).await;
    let lines = home.hub.line_addresses();
    let ring = lines.iter().find(|(own, _)| *own == Transport::Udp);
    let ring = ring.unwrap().1;
    let modem = private_bus::Home::start_with(|config| {
        config.ring = Some(ring);
        config.country = Country::Germany;
    })
    .await?;
    add_line(&home, "Mobile", &modem.line.sip.to_string()).await;
    Some(Scene { home, modem })
}

async fn add_line(home: &Household, name: &str, server: &str) {
    let fields = json!({
        "name": name, "kind": "modem", "position": 0, "enabled": true,
        "sip": {"server": format!("sip:{server}")},
    });
    let fields = serde_json::from_value(fields).unwrap();
    let now = Clock::default().now();
    home.hub.store().add_line(&fields, now).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// The messages of somebody, once there are so many.
async fn messages(client: &crate::household::Client, count: usize) -> Value {
    let began = Instant::now();
    loop {
        let (_, mailbox) = client.get("/api/v1/messages").await;
        let all = mailbox["messages"].as_array().unwrap();
        if all.len() >= count {
            return mailbox["messages"].clone();
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{mailbox}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn stored(scene: &Scene, wanted: usize) {
    let began = Instant::now();
    while scene.modem.modem.seen().await.stored != wanted {
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_text_goes_out_once_and_never_to_an_emergency_number() {
    let Some(scene) = scene().await else {
        return;
    };
    let home = &scene.home;
    let adult = home.login(Role::Adult).await;
    let speaker = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let speaker = home.as_device(&speaker);
    let text = json!({"client_id": "t1", "to": "0176 5550123", "text": "On my way ☕"});
    for _ in 0..2 {
        let (status, sent) = speaker.post(TEXTS, &text).await;
        assert_eq!((status, &sent["state"]), (200, &json!("sent")), "{sent}");
    }
    let texts = scene.modem.modem.seen().await.texts;
    assert_eq!(
        texts,
        [("+491765550123".to_owned(), "On my way ☕".to_owned())],
        "once"
    );
    let other = json!({"client_id": "t1", "to": "0176 5550123", "text": "Another"});
    assert_eq!(speaker.post(TEXTS, &other).await.0, 409);
    // What a line did not send may be tried again by the same name.
    scene.modem.modem.fail_texts(true).await;
    let again = json!({"client_id": "t2", "to": "+12025550123", "text": "Hello"});
    let (status, problem) = adult.post(TEXTS, &again).await;
    assert_eq!(status, 503, "{problem}");
    scene.modem.modem.fail_texts(false).await;
    assert_eq!(adult.post(TEXTS, &again).await.0, 200);
    for (to, code) in [
        ("112", 403),
        ("1-1-0", 403),
        ("911", 403),
        ("0112", 400),
        ("kitchen", 400),
        ("*21*0301234567#", 400),
    ] {
        let wish = json!({"client_id": "t3", "to": to, "text": "help"});
        let (status, problem) = speaker.post(TEXTS, &wish).await;
        assert_eq!(status, code, "{to} {problem}");
    }
    let long = json!({"client_id": "t4", "to": "+12025550123", "text": "x".repeat(1_501)});
    assert_eq!(adult.post(TEXTS, &long).await.0, 400);
    assert_eq!(
        home.login(Role::Child).await.post(TEXTS, &again).await.0,
        403
    );
    assert_eq!(home.anonymous().post(TEXTS, &again).await.0, 401);
    assert_eq!(scene.modem.modem.seen().await.texts.len(), 2);
}

#[tokio::test]
async fn what_was_sent_is_known_after_a_restart() {
    let Some(scene) = scene().await else {
        return;
    };
    let Scene { home, modem } = scene;
    let adult = home.login(Role::Adult).await;
    let speaker = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let text = json!({"client_id": "t1", "to": "0176 5550123", "text": "On my way"});
    assert_eq!(adult.post(TEXTS, &text).await.0, 200);
    modem.modem.fail_texts(true).await;
    let failed = json!({"client_id": "t2", "to": "0176 5550123", "text": "Later"});
    assert_eq!(adult.post(TEXTS, &failed).await.0, 503);
    modem.modem.fail_texts(false).await;
    let mut sip = SipConfig::new(Country::Germany);
    sip.domain = "home.test".to_owned();
    let home = home.restart(Some(sip)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let adult = home.login(Role::Adult).await;
    let (status, sent) = adult.post(TEXTS, &text).await;
    assert_eq!((status, &sent["state"]), (200, &json!("sent")), "{sent}");
    assert_eq!(modem.modem.seen().await.texts.len(), 1, "once");
    let other = json!({"client_id": "t1", "to": "0176 5550123", "text": "Another"});
    assert_eq!(adult.post(TEXTS, &other).await.0, 409);
    // Its own name for it is each sender's own; and what was not sent may be sent now.
    let (status, _) = home.as_device(&speaker).post(TEXTS, &other).await;
    assert_eq!(status, 200);
    assert_eq!(adult.post(TEXTS, &failed).await.0, 200);
    let texts = modem.modem.seen().await.texts;
    let said: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(said, ["On my way", "Another", "Later"]);
}

#[tokio::test]
async fn a_line_that_does_not_work_gives_way_and_without_one_it_is_said() {
    let Some(scene) = scene().await else {
        return;
    };
    // Tried first, and nobody is there.
    add_line(&scene.home, "Dead", "127.0.0.1:9;transport=tcp").await;
    let adult = scene.home.login(Role::Adult).await;
    let text = json!({"client_id": "t1", "to": "+12025550123", "text": "Hello"});
    let (status, sent) = adult.post(TEXTS, &text).await;
    assert_eq!((status, &sent["state"]), (200, &json!("sent")), "{sent}");
    let none = Household::with_sip(SipConfig::new(Country::Germany)).await;
    let (status, problem) = none.login(Role::Adult).await.post(TEXTS, &text).await;
    assert_eq!(status, 409);
    assert!(
        problem["detail"].as_str().unwrap().contains("mobile line"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_text_that_comes_is_a_message_by_its_senders_name_and_leaves_the_modem_when_it_is_stored()
{
    let Some(scene) = scene().await else {
        return;
    };
    let home = &scene.home;
    let adult = home.login(Role::Adult).await;
    let store = home.hub.store();
    let now = Clock::default().now();
    for (name, number, screening) in [
        ("Anna", "+12025550142", "allow"),
        ("Pest", "+12025550199", "block"),
    ] {
        let fields = json!({
            "name": name, "screening": screening,
            "numbers": [{"label": "mobile", "number": number}],
        });
        let fields = serde_json::from_value(fields).unwrap();
        store.add_contact(&fields, now).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    scene.modem.modem.text("+12025550142", "Dinner at 7?").await;
    let all = messages(&adult, 1).await;
    assert_eq!(all[0]["text"], "Dinner at 7?");
    assert_eq!(
        all[0]["outside"],
        json!({"name": "Anna", "number": "+12025550142"})
    );
    scene.modem.modem.text("+12025550199", "Buy").await;
    scene
        .modem
        .modem
        .text("+12025550177", "Hi\u{7}, it is me")
        .await;
    scene.modem.modem.text("Bank", "Code 1234").await;
    let all = messages(&adult, 3).await;
    let all: Vec<(&Value, &Value)> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|own| (&own["text"], &own["outside"]))
        .collect();
    assert!(all.contains(&(
        &json!("Hi, it is me"),
        &json!({"name": null, "number": "+12025550177"})
    )));
    assert!(all.contains(&(
        &json!("Code 1234"),
        &json!({"name": "Bank", "number": null})
    )));
    assert_eq!(all.len(), 3, "nobody wants the other one's: {all:?}");
    stored(&scene, 0).await;
    // Who blocked the sender gets nothing, the others do.
    let adam = home.person(Role::Adult).id;
    let blocks = json!({"blocked_numbers": ["+12025550177"]});
    let blocks = serde_json::from_value(blocks).unwrap();
    let party = Party::Person(adam);
    store.set_call_settings(party, &blocks, now).await.unwrap();
    scene.modem.modem.text("+12025550177", "Again").await;
    stored(&scene, 0).await;
    let owner = home.login(Role::Owner).await;
    messages(&owner, 4).await;
    assert_eq!(messages(&adult, 3).await.as_array().unwrap().len(), 3);
}
