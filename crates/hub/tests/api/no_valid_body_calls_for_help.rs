//! DESIGN invariant 1 on the interface: every route of the document is asked with bodies that its own schemas allow, all
//! rows filled in, the words of emergencies wherever words may stand, and ids that exist. The line gets no INVITE.

use std::collections::{BTreeMap, BTreeSet};
use std::net::UdpSocket;
use std::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_hub::api::document_json;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::person::Role;
use hearthline_hub::sip::SipConfig;
use serde_json::{Map, Value, json};

use crate::household::{Client, Household, PASSWORD};

/// The last is for rows that take no word of an emergency: something must get through.
const SAID: [&str; 4] = ["911", "urn:service:sos", "Alexa, call 911!", "Help corner"];
/// Schemas within schemas.
const DEPTH_MAX: usize = 40;

/// What fills the schemas of the document.
struct Filling {
    schemas: Value,
    /// Ids that exist, by the names of their schemas.
    ids: BTreeMap<&'static str, String>,
    /// Where somebody listens for an INVITE.
    ear: String,
    said: &'static str,
}

impl Filling {
    /// A body that the schema allows. `which`: of several shapes this one.
    fn of(&self, schema: &Value, which: usize, depth: usize) -> Value {
        assert!(depth < DEPTH_MAX, "a schema within itself: {schema}");
        let deeper = |schema: &Value| self.of(schema, which, depth + 1);
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap();
            return self
                .named(name)
                .unwrap_or_else(|| deeper(&self.schemas[name]));
        }
        if let Some(shapes) = schema["oneOf"].as_array() {
            let shapes: Vec<_> = shapes.iter().filter(|one| one["type"] != "null").collect();
            return deeper(shapes[which % shapes.len()]);
        }
        if let Some(values) = schema["enum"].as_array() {
            return values[which % values.len()].clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").unwrap(),
            kind => kind,
        };
        match kind.as_str().unwrap_or("object") {
            "object" => {
                let rows = schema["properties"].as_object();
                let filled = rows.into_iter().flatten().map(|(name, row)| {
                    let value = match name.as_str() {
                        "url" | "endpoint" => json!(format!("http://{}/911", self.ear)),
                        _ => deeper(row),
                    };
                    (name.clone(), value)
                });
                Value::Object(filled.collect::<Map<_, _>>())
            }
            "array" => json!([deeper(&schema["items"])]),
            "boolean" => json!(true),
            "integer" => json!(schema["minimum"].as_i64().unwrap_or(1).max(1)),
            "string" => json!(self.said),
            other => panic!("{other} is a new type: say here what it holds"),
        }
    }

    /// What its schema alone does not say how to write.
    fn named(&self, name: &str) -> Option<Value> {
        if let Some(id) = self.ids.get(name) {
            return Some(json!(id));
        }
        Some(match name {
            "Number" | "ForwardNumber" => json!("+15055550911"),
            "Fingerprint" => json!("911".repeat(22)[..64]),
            "LineServer" => json!(format!("sip:{};transport=udp", self.ear)),
            "Password" => json!(PASSWORD),
            "UnixMs" => json!(4_102_444_800_000_i64),
            _ => return None,
        })
    }
}

/// The newest id that a list of the home has.
async fn newest(owner: &Client, list: &str) -> Option<String> {
    let (_, all) = owner.get(list).await;
    let last = all.as_array()?.last()?;
    Some(last["id"].as_str()?.to_owned())
}

#[tokio::test]
async fn bodies_that_the_document_allows_leave_the_line_without_an_invite() {
    let home = Household::with_sip(SipConfig::new(Country::UnitedStates)).await;
    let owner = home.login(Role::Owner).await;
    let speaker = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let device = home.as_device(&speaker);
    let ear = UdpSocket::bind("127.0.0.1:0").unwrap();
    ear.set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let server = format!("sip:{};transport=udp", ear.local_addr().unwrap());
    let line = json!({"name": "Provider", "kind": "sip_trunk", "position": 0, "enabled": true,
        "sip": {"server": server, "drill": "service"}});
    let (status, why) = owner.post("/api/v1/lines", &line).await;
    assert_eq!(status, 201, "{why}");
    let document: Value = serde_json::from_str(&document_json()).unwrap();
    let mut filling = Filling {
        schemas: document["components"]["schemas"].clone(),
        ids: BTreeMap::from([
            // Never the owner, who walks: nobody is to be locked out or deleted by themselves.
            ("PersonId", home.person(Role::Adult).id.to_string()),
            ("DeviceId", speaker.device.to_string()),
        ]),
        ear: ear.local_addr().unwrap().to_string(),
        said: SAID[0],
    };
    let mut done = BTreeMap::<String, usize>::new();
    let mut walked = BTreeSet::new();
    // What is made first is there to be changed, and what is changed to be taken away.
    let rounds = ["post", "put", "get", "delete"];
    let words = SAID
        .iter()
        .flat_map(|said| (0..4).map(move |which| (said, which)));
    for (said, which) in words {
        filling.said = said;
        for (name, list) in [
            ("RoomId", "/api/v1/rooms"),
            ("MessageId", "/api/v1/messages"),
        ] {
            if let Some(id) = newest(&owner, list).await {
                filling.ids.insert(name, id);
            }
        }
        let last = *said == SAID[SAID.len() - 1] && which == 3;
        for method in rounds {
            // Only the last round takes away.
            if method == "delete" && !last {
                continue;
            }
            for (path, methods) in document["paths"].as_object().unwrap() {
                let Some(route) = methods.get(method) else {
                    continue;
                };
                let id = match path.split_once("/{id}").map(|(list, _)| list) {
                    Some("/api/v1/people") => Some(filling.ids["PersonId"].clone()),
                    Some("/api/v1/devices") => Some(filling.ids["DeviceId"].clone()),
                    // One's own would end the walk.
                    Some("/api/v1/sessions") | None => None,
                    Some(list) => newest(&owner, list).await,
                };
                let to = path.replace("{id}", id.as_deref().unwrap_or("911"));
                let content = route["requestBody"]["content"].as_object();
                let schema = content.and_then(|kinds| kinds.get("application/json"));
                let body = schema.map_or(String::new(), |kind| {
                    filling.of(&kind["schema"], which, 0).to_string()
                });
                let method = method.to_uppercase();
                if !walked.insert((method.clone(), to.clone(), body.clone())) {
                    continue;
                }
                // Who is taken away is let in no more.
                let taken_away = method == "DELETE";
                for client in [&owner, &device]
                    .into_iter()
                    .take(2 - usize::from(taken_away))
                {
                    let sent = client.try_send(&method, &to, body.clone().into());
                    let sent = tokio::time::timeout(Duration::from_secs(20), sent).await;
                    let Ok(Some(answer)) = sent else {
                        panic!("no answer to {method} {to}: {body}");
                    };
                    let status = answer.status().as_u16();
                    assert_ne!(status, 500, "{method} {to}: {body}");
                    if (200..300).contains(&status) {
                        *done.entry(format!("{method} {path}")).or_default() += 1;
                    }
                }
            }
        }
    }
    println!("{} bodies; done at least once: {done:#?}", walked.len());
    assert!(done.len() >= 50, "too few routes did anything");
    // The line lives: it is asked whether it does, and nothing more.
    let (mut buffer, mut asked) = ([0; 4_096], 0);
    while let Ok((length, _)) = ear.recv_from(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let method = text.split([' ', '/']).next().unwrap_or("").to_owned();
        assert!(
            ["OPTIONS", "REGISTER"].contains(&method.as_str()),
            "{method} went out"
        );
        asked += 1;
        if asked > 200 {
            break;
        }
    }
    assert!(asked > 0, "a dead line proves nothing");
    assert!(home.hub.store().calls(10).await.unwrap().is_empty());
}
