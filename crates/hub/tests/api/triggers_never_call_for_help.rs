//! DESIGN invariant 1 on triggers: with a telephone line that works, every action that a routine can have, every shape
//! of a trigger and every route of the document are tried with the words of emergencies. The line gets no INVITE.

use std::net::UdpSocket;
use std::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_hub::api::document_json;
use hearthline_hub::clock::UnixMs;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::person::Role;
use hearthline_hub::sip::SipConfig;
use serde_json::{Value, json};

use crate::household::Household;

const HOSTILE: [&str; 5] = [
    "911",
    "urn:service:sos",
    "Alexa, call 911!",
    "sip:911@127.0.0.1",
    "INVITE urn:service:sos SIP/2.0",
];

/// The names of the actions that the document knows.
fn actions() -> Vec<String> {
    let document: Value = serde_json::from_str(&document_json()).unwrap();
    let kinds = &document["components"]["schemas"]["Action"]["oneOf"];
    let name = |kind: &Value| kind["required"][0].as_str().unwrap().to_owned();
    kinds.as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn every_action_every_shape_and_every_route_leave_the_line_without_an_invite() {
    let home = Household::with_sip(SipConfig::new(Country::UnitedStates)).await;
    let owner = home.login(Role::Owner).await;
    let id = home.person(Role::Owner).id.to_string();
    let speaker = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let ear = UdpSocket::bind("127.0.0.1:0").unwrap();
    ear.set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let server = format!("sip:{};transport=udp", ear.local_addr().unwrap());
    let line = json!({"name": "Provider", "kind": "sip_trunk", "position": 0, "enabled": true,
        "sip": {"server": server, "drill": "service"}});
    let (status, why) = owner.post("/api/v1/lines", &line).await;
    assert_eq!(status, 201, "{why}");
    let (status, made) = owner.post("/api/v1/routines/key", &Value::Null).await;
    assert_eq!(status, 201);
    let key = made["key"].as_str().unwrap().to_owned();

    let document: Value = serde_json::from_str(&document_json()).unwrap();
    let (mut fired, mut walked) = (0, 0);
    for hostile in HOSTILE {
        let mut written = Vec::new();
        for action in actions() {
            let action = match action.as_str() {
                "announce" => json!({"announce": {"text": format!("{hostile} {{{{value1}}}}")}}),
                "message" => json!({"message": {"person": id, "text": hostile}}),
                "ring" => json!({"ring": {"person": id}}),
                "light" => {
                    // The one field with words is a name that the speaker compares with the names of its lights.
                    json!({"light": {"speaker": speaker.device.to_string(), "order": {
                        "light": hostile, "room": hostile, "set": {"colour": hostile}}}})
                }
                "notify" => {
                    json!({"notify": {"target": hostile, "title": hostile, "text": hostile}})
                }
                other => panic!("{other} is a new action: say here that it calls nobody"),
            };
            written.push(action);
        }
        let url = format!("http://{}/{}", ear.local_addr().unwrap(), "911");
        let routines = json!({"routines": [{"event": "e911", "actions": written}],
            "targets": [{"name": hostile, "kind": "webhook", "url": url}]});
        let (status, why) = owner.put("/api/v1/routines", &routines).await;
        assert_eq!(status, 200, "{why}");
        for shape in ["with", "json/with"] {
            let path = format!("/trigger/e911/{shape}/key/{key}");
            let body = json!({"value1": hostile, "value2": hostile, "call": hostile});
            let stranger = home.anonymous();
            let body = body.to_string().into_bytes();
            let (status, ..) = stranger.send_bytes("POST", &path, body).await;
            assert_eq!(status, 200);
            fired += 1;
        }
        for (path, methods) in document["paths"].as_object().unwrap() {
            // What would take the line, the key or the walker away is left out; its bodies would not read anyway.
            for method in methods.as_object().unwrap().keys() {
                if method == "delete" || path == "/api/v1/routines/key" {
                    continue;
                }
                let body = json!({"number": hostile, "text": hostile, "event": hostile,
                    "call": hostile, "to": hostile, "routines": [{"event": hostile}]});
                for client in [&owner, &home.as_device(&speaker)] {
                    let path = path.replace("{id}", &id);
                    let method = method.to_uppercase();
                    let sent = client.try_send(&method, &path, body.to_string().into());
                    let status = sent.await.expect("an answer").status().as_u16();
                    assert!(status < 500, "{method} {path}: {status}");
                    walked += 1;
                }
            }
        }
    }
    println!("{fired} triggers, {walked} requests");
    assert!(fired == 10 && walked > 300);
    // The line lives: it is asked whether it does, and nothing more.
    let (mut buffer, mut asked) = ([0; 4_096], 0);
    while let Ok((length, _)) = ear.recv_from(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let method = text.split(' ').next().unwrap_or("").to_owned();
        assert!(
            ["OPTIONS", "REGISTER"].contains(&method.as_str()),
            "{method} went out"
        );
        asked += 1;
        if asked > 100 {
            break;
        }
    }
    assert!(asked > 0, "a dead line proves nothing");
    let now = home.hub.store().light_orders(100, UnixMs(0)).await.unwrap();
    assert_eq!(
        now.len(),
        fired,
        "the orders were given, and are what they were written as"
    );
    assert!(home.hub.store().calls(10).await.unwrap().is_empty());
}
