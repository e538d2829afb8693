//! Each browser and each service of the home is told of what was chosen for it, and of nothing else.

use hearthline_hub::call::{Call, CallState, Direction};
use hearthline_hub::device::DeviceKind;
use hearthline_hub::id::CallId;
use hearthline_hub::line::{LineFields, LineHealth, LineTrouble};
use hearthline_hub::person::Role;
use serde_json::{Value, json};

use crate::household::service::{arrived, browser_keys, raw, receiver};
use crate::household::{Client, Household};

/// The words that arrived at a service.
async fn words(requests: &mut tokio::sync::mpsc::Receiver<Vec<u8>>) -> (String, Value) {
    let text = arrived(requests).await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let body = serde_json::from_str(body).unwrap_or_else(|_| json!(body));
    (head.to_owned(), body)
}

fn call(home: &Household, state: CallState) -> Call {
    let (id, began) = (CallId::random().unwrap(), home.clock.now());
    Call {
        state,
        ..Call::beginning(id, Direction::Incoming, began)
    }
}

#[tokio::test]
async fn services_of_the_home() {
    let home = Household::new().await;
    let olive = home.login(Role::Owner).await;
    let (all, mut told) = receiver("200 OK").await;
    let (silent, mut never) = receiver("200 OK").await;
    let (calls, mut rung) = receiver("200 OK").await;
    let every = [
        "calls",
        "messages",
        "missed_calls",
        "line_health",
        "incidents",
    ];
    let targets = json!([
        {"name": "all", "kind": "webhook", "url": format!("http://{all}/"), "tells": every},
        {"name": "silent", "kind": "ntfy", "url": format!("http://{silent}/topic")},
        {"name": "calls", "kind": "ntfy", "url": format!("http://{calls}/topic"), "tells": ["calls"]},
    ]);
    let wish = json!({"routines": [], "targets": targets});
    let (status, kept) = olive.put("/api/v1/routines", &wish).await;
    assert_eq!(status, 200, "{kept}");
    assert_eq!(kept["targets"][2]["tells"], json!(["calls"]));
    assert_eq!(
        kept["targets"][1]["tells"],
        Value::Null,
        "as before there was a choice"
    );
    let unknown =
        json!([{"name": "x", "kind": "ntfy", "url": "http://127.0.0.1:9/", "tells": ["weather"]}]);
    let unknown = json!({"routines": [], "targets": unknown});
    assert_eq!(olive.put("/api/v1/routines", &unknown).await.0, 400);

    let store = home.hub.store();
    let now = home.clock.now();
    let mut ringing = call(&home, CallState::Early);
    store.note_call(&ringing, now).await.unwrap();
    let (_, body) = words(&mut told).await;
    assert_eq!(
        body,
        json!({"event": "call", "title": "Hearthline", "text": "A call rings."})
    );
    let (head, body) = words(&mut rung).await;
    assert!(head.contains("title: Hearthline"), "{head}");
    assert_eq!(body, "A call rings.");
    ringing.state = CallState::Missed;
    ringing.ended_at_ms = Some(now);
    store.note_call(&ringing, now).await.unwrap();
    assert_eq!(words(&mut told).await.1["event"], "missed_call");

    let fields: LineFields = serde_json::from_value(
        json!({"name": "Landline", "kind": "sip_trunk", "position": 0, "enabled": true}),
    )
    .unwrap();
    let line = store.add_line(&fields, now).await.unwrap().id;
    for (health, trouble) in [
        (LineHealth::Up, None),
        (LineHealth::Down, Some(LineTrouble::Silent)),
        (LineHealth::Down, Some(LineTrouble::AccountRefused)),
        (LineHealth::Up, None),
    ] {
        store
            .note_line_health(line, health, trouble, now)
            .await
            .unwrap();
        // Each is looked at when it is told: the next change waits until then.
        if health == LineHealth::Down && trouble == Some(LineTrouble::Silent) {
            assert_eq!(words(&mut told).await.1["event"], "line_down");
        }
    }
    assert_eq!(
        words(&mut told).await.1["event"],
        "line_up",
        "once for each change"
    );

    let member = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let report = json!({
        "number": 1, "outcome": "answered", "drill": true, "opened_at_ms": now, "entries": 7,
        "bundle_sha256": "ab".repeat(32),
    });
    let device = home.as_device(&member);
    let (status, why) = device.post("/api/v1/incidents", &report).await;
    assert_eq!(status, 201, "{why}");
    assert_eq!(words(&mut told).await.1["event"], "incident");

    let adam = home.person(Role::Adult).id.to_string();
    let message = json!({"client_id": "one", "to": {"these": [{"kind": "person", "id": adam}]}, "body": {"text": "dinner"}});
    assert_eq!(olive.post("/api/v1/messages", &message).await.0, 201);
    let (_, body) = words(&mut told).await;
    assert_eq!(body["event"], "message");
    assert!(!body.to_string().contains("dinner"));
    assert!(rung.try_recv().is_err(), "it is told of calls alone");
    assert!(never.try_recv().is_err(), "it chose nothing");
}

async fn chosen(client: &Client) -> Vec<(String, Value)> {
    let (status, push) = client.get("/api/v1/push").await;
    assert_eq!(status, 200, "{push}");
    let browsers = push["browsers"].as_array().unwrap().iter();
    let place = |row: &Value| {
        row["endpoint"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    };
    browsers
        .map(|row| (place(row), row["tells"].clone()))
        .collect()
}

#[tokio::test]
async fn each_browser_of_its_own() {
    let home = Household::new().await;
    let adam = home.login(Role::Adult).await;
    let (service, mut pushed) = receiver("201 Created").await;
    let tell = |path: &str, tells: Option<Value>| {
        let mut wish =
            json!({"endpoint": format!("http://{service}/{path}"), "keys": browser_keys()});
        if let Some(tells) = tells {
            wish["tells"] = tells;
        }
        wish
    };
    for wish in [
        tell("usual", None),
        tell("missed", Some(json!(["missed_calls"]))),
        tell("nothing", Some(json!([]))),
    ] {
        assert_eq!(adam.post("/api/v1/push", &wish).await.0, 204);
    }
    let usual = json!(["calls", "messages"]);
    let before = [
        ("usual", usual),
        ("missed", json!(["missed_calls"])),
        ("nothing", json!([])),
    ];
    let before = before.map(|(place, tells)| (place.to_owned(), tells));
    assert_eq!(chosen(&adam).await, before);
    // Fresh keys without a choice leave it; another one replaces it. Nobody sees another's browsers.
    assert_eq!(
        adam.post("/api/v1/push", &tell("missed", None)).await.0,
        204
    );
    assert_eq!(chosen(&adam).await[2], before[1]);
    assert_eq!(chosen(&home.login(Role::Owner).await).await, []);
    let unknown = tell("usual", Some(json!(["weather"])));
    assert_eq!(adam.post("/api/v1/push", &unknown).await.0, 400);

    let store = home.hub.store();
    let mut ringing = call(&home, CallState::Early);
    store.note_call(&ringing, home.clock.now()).await.unwrap();
    let (head, _) = raw(&mut pushed).await;
    assert!(head.starts_with("POST /usual "), "{head}");
    ringing.state = CallState::Missed;
    store.note_call(&ringing, home.clock.now()).await.unwrap();
    let (head, _) = raw(&mut pushed).await;
    assert!(
        head.starts_with("POST /missed ") && head.contains("urgency: normal"),
        "{head}"
    );
    // A child of the home is told neither of lines nor of calls for help, whatever it chose.
    assert!(pushed.try_recv().is_err());
}
