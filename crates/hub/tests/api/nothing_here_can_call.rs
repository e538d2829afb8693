//! DESIGN invariant 1 on the hub: no route, message, contact, line or invitation starts a call, an emergency call
//! least of all. Every route of the document is walked with hostile bodies by everybody; nothing dials, and no
//! emergency number is saved anywhere.

use std::net::UdpSocket;

use crate::household::Household;
use hearthline_emergency::numbers::Country;
use hearthline_hub::api::document_json;
use hearthline_hub::binding::Binding;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::person::Role;
use serde_json::{Map, Value, json};

/// A body that fits the schema as far as it can, with the hostile text wherever a text may stand.
fn body_of(document: &Value, schema: &Value, hostile: &str, id: &str, depth: u32) -> Value {
    if depth > 8 {
        return Value::Null;
    }
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return body_of(
            document,
            &document["components"]["schemas"][name],
            hostile,
            id,
            depth + 1,
        );
    }
    if let Some(kinds) = schema["oneOf"].as_array() {
        return body_of(document, kinds.last().unwrap(), hostile, id, depth + 1);
    }
    if let Some(first) = schema["enum"].as_array().and_then(|all| all.first()) {
        return first.clone();
    }
    if let Some(properties) = schema["properties"].as_object() {
        let mut body = Map::new();
        for (name, property) in properties {
            let value = match name.as_str() {
                "id" | "person" | "room" => json!(id),
                _ => body_of(document, property, hostile, id, depth + 1),
            };
            body.insert(name.clone(), value);
        }
        return Value::Object(body);
    }
    let kind = schema["type"]
        .as_str()
        .or_else(|| schema["type"][0].as_str());
    match kind {
        Some("array") => json!([body_of(document, &schema["items"], hostile, id, depth + 1)]),
        Some("integer") => json!(911),
        Some("boolean") => json!(true),
        _ => json!(hostile),
    }
}

fn hostile_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "911",
        "+911",
        "tel:911",
        "sip:911@psap.example.com",
        "urn:service:sos",
        "call 911",
        "emergency",
        "Computer, call 911 now",
        "nine one one",
        "INVITE urn:service:sos SIP/2.0\r\n\r\n",
        "911;phone-context=+1",
    ]
    .map(str::to_owned)
    .into();
    for country in Country::ALL {
        texts.push(country.main_number().to_owned());
    }
    texts.sort();
    texts.dedup();
    texts
}

#[tokio::test]
async fn every_route_with_hostile_bodies_leaves_the_telephone_silent() {
    let home = Household::new().await;
    let adam = home.person(Role::Adult);
    let speaker = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    // A registered phone with an ear: whatever the hub sent it would arrive here.
    let ear = UdpSocket::bind("127.0.0.1:0").unwrap();
    ear.set_nonblocking(true).unwrap();
    let store = home.hub.store();
    let now = home.clock.now();
    for aor in ["sip:911@home.test", "sip:anna@home.test"] {
        let binding = Binding {
            aor: aor.to_owned(),
            instance_id: "<urn:uuid:1>".to_owned(),
            reg_id: 1,
            device: Some(speaker.device),
            contact: format!("sip:ear@{}", ear.local_addr().unwrap()),
            path: Vec::new(),
            node_id: "hub".to_owned(),
            flow_id: 1,
            call_id: "c".to_owned(),
            cseq: 1,
            expires_at: now.plus_ms(600_000),
        };
        store.put_binding(&binding, now).await.unwrap();
    }
    let document: Value = serde_json::from_str(&document_json()).unwrap();
    let callers = [
        home.login(Role::Owner).await,
        home.as_device(&speaker),
        home.anonymous(),
    ];
    let texts = hostile_texts();
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            for hostile in &texts {
                let id = adam.id.to_string();
                let body = match schema {
                    Value::Null => json!({"call": hostile}),
                    schema => body_of(&document, schema, hostile, &id, 0),
                };
                // The session that walks must not end itself; whether ending works is tested elsewhere.
                let target = path.replace(
                    "{id}",
                    if asked % 2 == 0 {
                        "911"
                    } else {
                        "7zzzzzzzzzzzzzzzzzzzzzzzzz"
                    },
                );
                for caller in &callers {
                    if asked % 7 != 0 && caller.headers.is_empty() {
                        continue; // everybody else gets a sample
                    }
                    let answer = caller
                        .try_send(
                            &method.to_uppercase(),
                            &target,
                            body.to_string().into_bytes(),
                        )
                        .await
                        .expect("an answer");
                    assert!(answer.status().as_u16() < 500, "{method} {target} {body}");
                }
                asked += 1;
            }
        }
    }
    println!("{asked} hostile requests, each by one to three callers");
    assert!(asked > 500);
    assert!(store.calls(10).await.unwrap().is_empty(), "no call");
    let mut buffer = [0; 1500];
    assert!(
        ear.recv(&mut buffer).is_err(),
        "something was sent to the registered phone"
    );
    for contact in store.contacts().await.unwrap() {
        assert!(
            contact.fields.numbers.is_empty(),
            "an emergency number was saved"
        );
    }
    for line in store.lines().await.unwrap() {
        assert!(line.fields.forward_to.is_none() && line.fields.caller_number.is_none());
    }
}

/// The hub cannot even spell a call: it depends on no crate that builds one. What a later SIP part brings in is
/// the stateful proxy, and this list is where its author meets this rule.
#[test]
fn no_crate_that_places_calls_is_linked() {
    let manifest = include_str!("../../Cargo.toml");
    let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
    for placing in ["hearthline-speaker", "hearthline-media", "hearthline-psap"] {
        assert!(!dependencies.contains(placing), "{placing}");
    }
}

#[tokio::test]
async fn emergency_numbers_and_services_are_refused_with_the_field() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let contact = |name: &str, number: &str| json!({"name": name, "numbers": [{"label": "mobile", "number": number}], "speed_dial": 9});
    let line = |forward: &str| json!({"name": "Trunk", "kind": "sip_trunk", "position": 0, "enabled": true, "forward_to": forward});
    for (path, body, field) in [
        (
            "/api/v1/contacts",
            contact("Anna", "911"),
            "numbers[0].number",
        ),
        (
            "/api/v1/contacts",
            contact("Anna", "+49 112"),
            "numbers[0].number",
        ),
        (
            "/api/v1/contacts",
            contact("Police", "+12025550123"),
            "name",
        ),
        (
            "/api/v1/contacts",
            contact("nine one one", "+12025550123"),
            "name",
        ),
        ("/api/v1/lines", line("112"), "forward_to"),
        ("/api/v1/lines", line("+1911"), "forward_to"),
    ] {
        let (status, problem) = owner.post(path, &body).await;
        assert_eq!(
            (status, problem["field"].as_str()),
            (400, Some(field)),
            "{body} {problem}"
        );
        assert!(
            problem["detail"].as_str().unwrap().contains("mergency"),
            "{problem}"
        );
    }
    let (status, _) = owner
        .post("/api/v1/contacts", &contact("Anna", "+1 202 555 0123"))
        .await;
    assert_eq!(status, 201);
    let anna = &owner.get("/api/v1/contacts").await.1[0];
    let path = format!("/api/v1/contacts/{}", anna["id"].as_str().unwrap());
    let (status, problem) = owner.put(&path, &contact("Anna", "999")).await;
    assert_eq!(
        (status, problem["field"].as_str()),
        (400, Some("numbers[0].number"))
    );
    assert_eq!(
        owner.get(&path).await.1["numbers"][0]["number"],
        "+12025550123"
    );
}
