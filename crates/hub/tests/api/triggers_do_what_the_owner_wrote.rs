//! Webhooks in IFTTT's shape start routines; notifications reach webhook, ntfy and Gotify as each wants them, byte for
//! byte; browsers are pushed to; keys, floods and strangers are kept out.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::person::Role;
use ring::agreement::{ECDH_P256, EphemeralPrivateKey};
use ring::rand::SystemRandom;
use serde_json::{Value, json};

use crate::household::service::{arrived, receiver};
use crate::household::{Client, Household};

/// Fires as a stranger with the key.
async fn fire(
    client: &Client,
    method: &str,
    path: &str,
    content_type: &str,
    body: &str,
) -> (u16, String) {
    let mut client = client.clone();
    client.header("content-type", content_type);
    let (status, _, body) = client.send_bytes(method, path, body.into()).await;
    (status, String::from_utf8(body).unwrap())
}

async fn key_of(owner: &Client) -> String {
    let (status, made) = owner.post("/api/v1/routines/key", &Value::Null).await;
    assert_eq!(status, 201, "{made}");
    made["key"].as_str().unwrap().to_owned()
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_webhook_announces_messages_and_notifies_byte_for_byte() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let adam = home.person(Role::Adult);
    let speaker = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let (hook, mut hooked) = receiver("204 No Content").await;
    let (ntfy, mut published) = receiver("200 OK").await;
    let (gotify, mut gotified) = receiver("200 OK").await;
    let text = "{{value1}} at {{value2}}";
    let notify = |target: &str, title: &str| json!({"notify": {"target": target, "title": title, "text": text}});
    let routines = json!({
        "targets": [
            {"name": "hook", "kind": "webhook", "url": format!("http://{hook}/in?x=1"), "token": "t0"},
            {"name": "ntfy", "kind": "ntfy", "url": format!("http://{ntfy}/doorbell"), "token": "tk_1"},
            {"name": "gotify", "kind": "gotify", "url": format!("http://{gotify}"), "token": "A2"},
        ],
        "routines": [
            {"event": "door", "actions": [
                {"announce": {"text": text}},
                {"message": {"person": adam.id.to_string(), "text": "Door: {{value1}}{{json}}"}},
                notify("hook", "Door"), notify("ntfy", "Tür"), notify("gotify", "Door"),
            ]},
            {"event": "other", "actions": [{"announce": {"text": "never"}}]},
        ],
    });
    let (status, shown) = owner.put("/api/v1/routines", &routines).await;
    assert_eq!(status, 200, "{shown}");
    assert!(!shown.to_string().contains("tk_1"), "tokens are not shown");
    // Written again without tokens: they stay.
    let (status, _) = owner.put("/api/v1/routines", &shown).await;
    assert_eq!(status, 200);
    let key = key_of(&owner).await;
    let path = format!("/trigger/door/with/key/{key}");
    let stranger = home.anonymous();
    let body = r#"{"value1":"Somebody","value2":"the \"door\""}"#;
    let answer = fire(&stranger, "POST", &path, JSON, body).await;
    let congratulations = "Congratulations! You've fired the door event";
    assert_eq!(answer, (200, congratulations.to_owned()));

    let body = "{\"event\":\"door\",\"text\":\"Somebody at the \\\"door\\\"\",\"title\":\"Door\"}";
    assert_eq!(
        arrived(&mut hooked).await,
        format!(
            "POST /in?x=1 HTTP/1.1\r\nhost: {hook}\r\ncontent-type: application/json\r\nauthorization: Bearer t0\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
    );
    assert_eq!(
        arrived(&mut published).await,
        format!(
            "POST /doorbell HTTP/1.1\r\nhost: {ntfy}\r\ncontent-type: text/plain; charset=utf-8\r\n\
             title: =?UTF-8?B?VMO8cg==?=\r\nauthorization: Bearer tk_1\r\ncontent-length: 22\r\n\r\n\
             Somebody at the \"door\""
        )
    );
    let body = "{\"message\":\"Somebody at the \\\"door\\\"\",\"priority\":5,\"title\":\"Door\"}";
    assert_eq!(
        arrived(&mut gotified).await,
        format!(
            "POST /message HTTP/1.1\r\nhost: {gotify}\r\ncontent-type: application/json\r\nx-gotify-key: A2\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
    );
    let told = home
        .login(Role::Adult)
        .await
        .get("/api/v1/messages")
        .await
        .1;
    assert_eq!(told["messages"][0]["text"], "Door: Somebody", "{told}");
    let heard = home.as_device(&speaker).get("/api/v1/messages").await.1;
    assert_eq!(heard["messages"].as_array().unwrap().len(), 1, "{heard}");
    assert_eq!(heard["messages"][0]["announcement"], true);
    assert_eq!(heard["messages"][0]["text"], "Somebody at the \"door\"");

    // The other shapes: form, query, any JSON.
    for (method, path, kind, body, said) in [
        (
            "POST",
            path.clone(),
            FORM,
            "value1=by+form",
            "Door: by form",
        ),
        (
            "GET",
            format!("{path}?value1=by%20query"),
            JSON,
            "",
            "Door: by query",
        ),
        (
            "POST",
            path.replace("/with", "/json/with"),
            JSON,
            "{\"a\": 1}",
            "Door: {\"a\": 1}",
        ),
    ] {
        assert_eq!(fire(&stranger, method, &path, kind, body).await.0, 200);
        let told = home
            .login(Role::Adult)
            .await
            .get("/api/v1/messages")
            .await
            .1;
        let last = told["messages"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["text"], said, "{last}");
    }
}

#[tokio::test]
async fn a_webhook_has_a_speaker_switch_its_lights_and_its_answer_is_shown() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let own = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let other = home.device(DeviceKind::Speaker, "Hall", None).await;
    let (speaker, id) = (home.as_device(&own), own.device.to_string());
    let light = |order: Value| json!({"light": {"speaker": id, "order": order}});
    let actions = [
        light(json!({"light": "Desk {{value1}}", "set": {"brightness": 40}})),
        light(json!({"room": "Hall", "set": "off"})),
    ];
    let routines = json!({"routines": [{"event": "dusk", "actions": actions}]});
    let (status, why) = owner.put("/api/v1/routines", &routines).await;
    assert_eq!(status, 200, "{why}");
    let path = format!("/trigger/dusk/with/key/{}", key_of(&owner).await);
    let mut told = speaker.events(None).await;
    let mut watched = owner.events(None).await;
    let stranger = home.anonymous();
    let body = r#"{"value1":"Alexa, call 911"}"#;
    assert_eq!(fire(&stranger, "POST", &path, JSON, body).await.0, 200);
    told.next_of("light_order_queued").await.unwrap();
    watched.next_of("light_orders").await.unwrap();
    let mine = "/api/v1/me/light-orders";
    let (status, waiting) = speaker.get(mine).await;
    assert_eq!(status, 200, "{waiting}");
    // As it was written: nothing that came from outside is in it.
    let orders = [&waiting[0]["order"], &waiting[1]["order"]];
    let wanted = [
        &json!({"light": "Desk {{value1}}", "room": null, "set": {"brightness": 40}}),
        &json!({"light": null, "room": "Hall", "set": "off"}),
    ];
    assert_eq!(orders, wanted);
    assert_eq!(home.as_device(&other).get(mine).await.1, json!([]));
    let path = |at: usize| format!("{mine}/{}", waiting[at]["id"].as_str().unwrap());
    let why = json!({"why": "<b>No such light.</b>"});
    assert_eq!(home.as_device(&other).put(&path(0), &why).await.0, 404);
    assert_eq!(owner.put(&path(0), &why).await.0, 403);
    assert_eq!(speaker.put(&path(0), &why).await.0, 204);
    let long = json!({"why": "x".repeat(1_001)});
    assert_eq!(speaker.put(&path(1), &long).await.0, 400);
    assert_eq!(speaker.put(&path(1), &json!({"why": null})).await.0, 204);
    assert_eq!(speaker.put(&path(1), &why).await.0, 404, "answered once");
    let (status, shown) = owner.get("/api/v1/light-orders").await;
    assert_eq!(status, 200, "{shown}");
    let became = |at: usize| (shown[at]["state"].as_str().unwrap(), &shown[at]["why"]);
    assert_eq!(became(0), ("done", &Value::Null));
    assert_eq!(became(1), ("refused", &why["why"]));
    for role in [Role::Child, Role::Guest] {
        assert_eq!(
            home.login(role).await.get("/api/v1/light-orders").await.0,
            403
        );
    }
}

#[tokio::test]
async fn strangers_floods_and_what_does_not_read_are_refused_in_ifttts_words() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let stranger = home.anonymous();
    let invalid = "{\"errors\":[{\"message\":\"You sent an invalid key.\"}]}";
    let none = fire(&stranger, "POST", "/trigger/door/with/key/x", JSON, "{}").await;
    assert_eq!(none, (401, invalid.to_owned()), "there is no key yet");
    let old = key_of(&owner).await;
    let key = key_of(&owner).await;
    let old = fire(
        &stranger,
        "GET",
        &format!("/trigger/door/with/key/{old}"),
        JSON,
        "",
    )
    .await;
    assert_eq!(
        old,
        (401, invalid.to_owned()),
        "the key before opens nothing"
    );
    let path = format!("/trigger/door/with/key/{key}");
    for (path, kind, body, status) in [
        (path.clone(), JSON, "{", 400),
        (path.clone(), "text/plain", "x", 400),
        (path.replace("door", "do%20or"), JSON, "{}", 400),
        (path.replace("/with", "/json/with"), FORM, "a=1", 400),
        (path.clone(), JSON, &"x".repeat(20_000), 413),
        (path.replace("door", "unknown"), JSON, "{}", 200),
    ] {
        let answer = fire(&stranger, "POST", &path, kind, body).await;
        assert_eq!(answer.0, status, "{path} {}", answer.1);
        if status != 200 {
            let errors: Value = serde_json::from_str(&answer.1).unwrap();
            assert!(errors["errors"][0]["message"].is_string(), "{}", answer.1);
        }
    }
    // Wrong keys run out; the right one still opens.
    let mut refused = Vec::new();
    for _ in 0..20 {
        refused.push(
            fire(&stranger, "POST", "/trigger/door/with/key/x", JSON, "{}")
                .await
                .0,
        );
    }
    assert_eq!(refused.last(), Some(&429), "{refused:?}");
    assert_eq!(fire(&stranger, "POST", &path, JSON, "{}").await.0, 200);
    // And so does the home's patience with the right one.
    let mut fired = Vec::new();
    for _ in 0..30 {
        fired.push(fire(&stranger, "POST", &path, JSON, "{}").await.0);
    }
    assert!(fired.contains(&429), "{fired:?}");
    // Children and guests write no routines; nobody reads the key again.
    for role in [Role::Adult, Role::Child, Role::Guest] {
        let client = home.login(role).await;
        let status = client
            .put("/api/v1/routines", &json!({"routines": []}))
            .await
            .0;
        assert_eq!(status, 403);
        assert_eq!(
            client.post("/api/v1/routines/key", &Value::Null).await.0,
            403
        );
    }
    assert!(
        !owner
            .get("/api/v1/routines")
            .await
            .1
            .to_string()
            .contains(&key)
    );
    for url in [
        "http://192.0.2.1:80/",
        "https://127.0.0.1:1/",
        "http://ntfy.example.com:80/",
    ] {
        let elsewhere =
            json!({"routines": [], "targets": [{"name": "x", "kind": "ntfy", "url": url}]});
        assert_eq!(
            owner.put("/api/v1/routines", &elsewhere).await.0,
            400,
            "{url}"
        );
    }
}

#[tokio::test]
async fn browsers_are_told_of_messages_and_searches_and_forgotten_when_they_are_gone() {
    let home = Household::new().await;
    let (service, mut pushed) = receiver("201 Created").await;
    let (gone, mut missed) = receiver("410 Gone").await;
    let adam = home.login(Role::Adult).await;
    let public_key = adam.get("/api/v1/push").await.1["public_key"].clone();
    assert_eq!(
        URL_SAFE_NO_PAD
            .decode(public_key.as_str().unwrap())
            .unwrap()
            .len(),
        65
    );
    let browser = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).unwrap();
    let p256dh = URL_SAFE_NO_PAD.encode(browser.compute_public_key().unwrap().as_ref());
    let keys = json!({"p256dh": p256dh, "auth": URL_SAFE_NO_PAD.encode([7; 16])});
    for endpoint in [
        format!("http://{service}/push/a"),
        format!("http://{gone}/push/b"),
    ] {
        let wish = json!({"endpoint": endpoint, "expirationTime": null, "keys": keys});
        let (status, why) = adam.post("/api/v1/push", &wish).await;
        assert_eq!(status, 204, "{why}");
    }
    for wrong in [
        json!({"endpoint": "https://push.example.com/x", "keys": keys}),
        json!({"endpoint": format!("http://{service}/"), "keys": {"p256dh": "AA", "auth": "AA"}}),
    ] {
        assert_eq!(adam.post("/api/v1/push", &wrong).await.0, 400, "{wrong}");
    }
    let olive = home.login(Role::Owner).await;
    let id = home.person(Role::Adult).id.to_string();
    let message = json!({"client_id": "one", "to": {"these": [{"kind": "person", "id": id}]}, "body": {"text": "dinner"}});
    let (status, why) = olive.post("/api/v1/messages", &message).await;
    assert_eq!(status, 201, "{why}");
    let bytes = tokio::time::timeout(Duration::from_secs(30), pushed.recv());
    let bytes = bytes.await.expect("it arrives").unwrap();
    let head_end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    for line in [
        "POST /push/a HTTP/1.1",
        "content-encoding: aes128gcm",
        "ttl: 86400",
        "urgency: normal",
    ] {
        assert!(head.lines().any(|own| own == line), "{line} in {head}");
    }
    let signed = format!(", k={}", public_key.as_str().unwrap());
    let authorization = head
        .lines()
        .find(|line| line.starts_with("authorization: vapid t="));
    assert!(authorization.unwrap().ends_with(&signed), "{head}");
    let body = &bytes[head_end + 4..];
    assert_eq!(&body[16..21], [0, 0, 16, 0, 65], "RFC 8188's head");
    assert!(!String::from_utf8_lossy(body).contains("dinner"));
    missed.recv().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;

    // Find my phone: one's own, or an owner any; the browser that is gone is not asked again.
    let (status, rung) = adam
        .post(&format!("/api/v1/people/{id}/ring"), &Value::Null)
        .await;
    assert_eq!((status, &rung["browsers"]), (200, &json!(1)), "{rung}");
    let bytes = tokio::time::timeout(Duration::from_secs(30), pushed.recv());
    let head = String::from_utf8_lossy(&bytes.await.expect("it arrives").unwrap()).into_owned();
    assert!(
        head.contains("urgency: high") && head.contains("ttl: 45"),
        "{head}"
    );
    assert!(missed.try_recv().is_err());
    let gail = home.login(Role::Guest).await;
    assert_eq!(
        gail.post(&format!("/api/v1/people/{id}/ring"), &Value::Null)
            .await
            .0,
        403
    );
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(
            olive
                .post(&format!("/api/v1/people/{id}/ring"), &Value::Null)
                .await
                .0,
        );
    }
    assert_eq!(statuses.last(), Some(&409), "not without end: {statuses:?}");

    let wish = json!({"endpoint": format!("http://{service}/push/a")});
    assert_eq!(
        adam.send("DELETE", "/api/v1/push", Some(&wish)).await.0,
        204
    );
}
