//! Messages, contacts and events over the API, as apps and speakers use it.

use std::time::{Duration, Instant};

use crate::household::Household;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::person::Role;
use serde_json::{Value, json};

fn ids(mailbox: &Value) -> Vec<String> {
    let messages = mailbox["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| message["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_text_arrives_is_told_and_its_receipt_comes_back() {
    let home = Household::new().await;
    let (olive, adam, chris) = (
        home.login(Role::Owner).await,
        home.login(Role::Adult).await,
        home.login(Role::Child).await,
    );
    let mut adams = adam.events(None).await;
    let mut olives = olive.events(None).await;
    let mut chriss = chris.events(None).await;
    let to = json!({"these": [{"kind": "person", "id": home.person(Role::Adult).id}]});
    let wish = json!({"client_id": "c-1", "to": to, "body": {"text": "Dinner is ready"}});
    let began = Instant::now();
    let (status, sent) = olive.post("/api/v1/messages", &wish).await;
    assert_eq!(status, 201, "{sent}");
    let told = adams.next_of("message_queued").await.unwrap();
    println!("send to told: {:?}", began.elapsed());
    assert_eq!(told.subject, sent["id"].as_str().unwrap());
    // The same again, as after a lost answer: the same message.
    let (_, again) = olive.post("/api/v1/messages", &wish).await;
    assert_eq!(
        (&again["id"], &again["repeated"]),
        (&sent["id"], &json!(true))
    );
    let (_, mailbox) = adam.get("/api/v1/messages?waiting=true").await;
    assert_eq!(
        (
            mailbox["waiting"].as_u64(),
            mailbox["messages"][0]["text"].as_str()
        ),
        (Some(1), Some("Dinner is ready"))
    );
    assert!(ids(&chris.get("/api/v1/messages").await.1).is_empty());
    let path = format!("/api/v1/messages/{}", sent["id"].as_str().unwrap());
    assert_eq!(chris.get(&path).await.0, 404, "not theirs");
    let read = json!({"messages": ids(&mailbox), "state": "read"});
    assert_eq!(
        chris.post("/api/v1/messages/acknowledge", &read).await.1["moved"],
        0
    );
    assert_eq!(
        adam.post("/api/v1/messages/acknowledge", &read).await.1["moved"],
        1
    );
    assert_eq!(
        olives.next_of("message_state").await.unwrap().subject,
        sent["id"].as_str().unwrap()
    );
    assert_eq!(olive.get(&path).await.1["deliveries"][0]["state"], "read");
    assert_eq!(
        adam.get("/api/v1/messages?waiting=true").await.1["waiting"],
        0
    );
    // The child was told nothing of it: the next event in its stream is a later one that concerns everyone.
    olive
        .post("/api/v1/rooms", &json!({"name": "Kitchen"}))
        .await;
    assert_eq!(chriss.next().await.unwrap().kind, "rooms");
}

#[tokio::test]
async fn a_voice_message_to_everyone_is_played_by_those_it_is_for() {
    let home = Household::new().await;
    let speaker = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let kitchen = home.as_device(&speaker);
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let voice = json!({"codec": "g722", "duration_ms": 25_000, "base64": STANDARD.encode(&bytes)});
    let wish = json!({"client_id": "v-1", "to": "everyone", "body": {"voice": voice}});
    let (status, sent) = kitchen.post("/api/v1/messages", &wish).await;
    assert_eq!(status, 201, "{sent}");
    let guest = home.login(Role::Guest).await;
    let (_, mailbox) = guest.get("/api/v1/messages").await;
    assert_eq!(
        (
            mailbox["messages"][0]["voice"].as_str(),
            mailbox["messages"][0]["from"]["kind"].as_str()
        ),
        (Some("g722"), Some("device"))
    );
    let path = format!("/api/v1/messages/{}/voice", ids(&mailbox)[0]);
    let (status, headers, got) = guest.send_bytes("GET", &path, Vec::new()).await;
    assert_eq!(
        (status, headers["content-type"].to_str().unwrap()),
        (200, "audio/G722")
    );
    assert_eq!(got, bytes);
    let other = home.device(DeviceKind::Speaker, "Hall", None).await;
    assert_eq!(home.as_device(&other).get(&path).await.0, 404);
    let (_, receipts) = kitchen
        .get(&format!(
            "/api/v1/messages/{}",
            sent["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(receipts["deliveries"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_persons_phone_has_two_mailboxes() {
    let home = Household::new().await;
    let adam = home.person(Role::Adult);
    let phone = home
        .device(DeviceKind::Phone, "Adam's phone", Some(adam))
        .await;
    let client = home.as_device(&phone);
    let owner = home.login(Role::Owner).await;
    for (name, party) in [
        ("to-person", json!({"kind": "person", "id": adam.id})),
        ("to-device", json!({"kind": "device", "id": phone.device})),
    ] {
        let wish = json!({"client_id": name, "to": {"these": [party]}, "body": {"text": name}});
        assert_eq!(owner.post("/api/v1/messages", &wish).await.0, 201);
    }
    assert_eq!(
        client.get("/api/v1/messages").await.1["messages"][0]["text"],
        "to-device"
    );
    let (_, persons) = client.get("/api/v1/messages?mailbox=person").await;
    assert_eq!(persons["messages"][0]["text"], "to-person");
    let speaker = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    assert_eq!(
        home.as_device(&speaker)
            .get("/api/v1/messages?mailbox=person")
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn a_stream_resumes_where_it_broke_off_and_says_when_it_cannot() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let mut stream = owner.events(None).await;
    for name in ["one", "two", "three"] {
        owner.post("/api/v1/rooms", &json!({"name": name})).await;
    }
    let first = stream.next().await.unwrap();
    assert_eq!(first.kind, "rooms");
    drop(stream);
    owner
        .post("/api/v1/rooms", &json!({"name": "while away"}))
        .await;
    let mut resumed = owner.events(Some(first.id)).await;
    for n in 1..=3 {
        assert_eq!(
            resumed.next().await.unwrap().id,
            first.id + n,
            "nothing missing, nothing twice"
        );
    }
    // From a database that was restored, or dropped by age: start anew.
    let mut ahead = owner.events(Some(first.id + 1_000)).await;
    assert_eq!(ahead.next().await.unwrap().kind, "reset");
    let now = home.clock.now();
    home.hub
        .store()
        .sweep(now, now.plus_ms(1_000))
        .await
        .unwrap();
    let mut behind = owner.events(Some(1)).await;
    let reset = behind.next().await.unwrap();
    assert_eq!((reset.kind.as_str(), reset.id), ("reset", first.id + 3));
    owner.post("/api/v1/rooms", &json!({"name": "after"})).await;
    assert_eq!(behind.next().await.unwrap().id, first.id + 4);
    let mut odd = owner.clone();
    odd.header("last-event-id", "nonsense");
    assert_eq!(odd.get("/api/v1/events").await.0, 400);
}

#[tokio::test]
async fn children_see_whom_they_may_call_also_on_their_own_phone() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    for (name, allowed) in [("Grandma", true), ("Boss", false)] {
        let contact = json!({
            "name": name, "children_may_call": allowed,
            "numbers": [{"label": "home", "number": "+12025550123"}],
        });
        assert_eq!(owner.post("/api/v1/contacts", &contact).await.0, 201);
    }
    let names = |list: Value| -> Vec<String> {
        let list = list.as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|contact| contact["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let (_, all) = owner.get("/api/v1/contacts").await;
    let boss = all
        .as_array()
        .unwrap()
        .iter()
        .find(|contact| contact["name"] == "Boss")
        .unwrap();
    let boss = format!("/api/v1/contacts/{}", boss["id"].as_str().unwrap());
    let child = home.login(Role::Child).await;
    let phone = home
        .device(
            DeviceKind::Phone,
            "Chris's phone",
            Some(home.person(Role::Child)),
        )
        .await;
    for client in [child, home.as_device(&phone)] {
        assert_eq!(names(client.get("/api/v1/contacts").await.1), ["Grandma"]);
        assert_eq!(client.get(&boss).await.0, 404);
    }
    let speaker = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    assert_eq!(
        names(home.as_device(&speaker).get("/api/v1/contacts").await.1),
        ["Boss", "Grandma"]
    );
    // Logins are the adults' business.
    let (_, people) = home.login(Role::Child).await.get("/api/v1/people").await;
    let logins = people
        .as_array()
        .unwrap()
        .iter()
        .filter(|person| !person["login"].is_null());
    assert_eq!(logins.count(), 1);
}

#[tokio::test]
async fn a_speaker_reports_incidents_and_adults_read_them() {
    let home = Household::new().await;
    let speaker = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let kitchen = home.as_device(&speaker);
    let report = json!({
        "number": 1, "opened_at_ms": 1_800_000_000_000_i64, "drill": true, "outcome": "answered",
        "entries": 40, "bundle_sha256": "ab".repeat(32),
    });
    let (status, first) = kitchen.post("/api/v1/incidents", &report).await;
    assert_eq!(status, 201, "{first}");
    assert_eq!(
        kitchen.post("/api/v1/incidents", &report).await.1["id"],
        first["id"]
    );
    let mut other = report.clone();
    other["outcome"] = json!("not_called");
    assert_eq!(
        kitchen.post("/api/v1/incidents", &other).await.0,
        409,
        "evidence is only added to"
    );
    let adult = home.login(Role::Adult).await;
    let (_, list) = adult.get("/api/v1/incidents").await;
    assert_eq!(
        (
            list[0]["device"].as_str().unwrap(),
            list[0]["drill"].as_bool()
        ),
        (speaker.device.to_string().as_str(), Some(true))
    );
    assert_eq!(
        adult.post("/api/v1/incidents", &report).await.0,
        403,
        "people report none"
    );
}

/// Aim of the issue: send to delivered p95 within 50 ms.
#[tokio::test]
async fn messages_are_told_quickly() {
    let home = Household::new().await;
    let (olive, adam) = (home.login(Role::Owner).await, home.login(Role::Adult).await);
    let mut stream = adam.events(None).await;
    let mut connection = olive.connect().await.unwrap();
    let mut times = Vec::new();
    for n in 0..100 {
        let wish = json!({"client_id": format!("q-{n}"), "to": "everyone", "body": {"text": "x"}});
        let began = Instant::now();
        let request = olive.request("POST", "/api/v1/messages", wish.to_string().into_bytes());
        let answer = connection.send_request(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), 201);
        stream.next_of("message_queued").await.unwrap();
        times.push(began.elapsed());
        http_body_util::BodyExt::collect(answer.into_body())
            .await
            .unwrap();
        connection.ready().await.unwrap();
    }
    times.sort();
    println!("send to told: p50 {:?}, p95 {:?}", times[50], times[95]);
    // A loaded test machine is slower than the aim; the figure is printed, the bound catches a stuck hint.
    assert!(times[95] < Duration::from_secs(2), "{:?}", times[95]);
}
