//! Messages to whoever is called so, announcements to speakers, and what a speaker does with its mailbox.

use crate::household::{Client, Household};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::person::Role;
use serde_json::{Value, json};

/// A speaker that stands in a room.
async fn speaker(home: &Household, owner: &Client, name: &str, room: &Value) -> Client {
    let own = home.device(DeviceKind::Speaker, name, None).await;
    let path = format!("/api/v1/devices/{}", own.device);
    let (status, body) = owner.put(&path, &json!({"name": name, "room": room})).await;
    assert_eq!(status, 200, "{body}");
    home.as_device(&own)
}

async fn room(owner: &Client, name: &str) -> Value {
    let (status, room) = owner.post("/api/v1/rooms", &json!({"name": name})).await;
    assert_eq!(status, 201, "{room}");
    room["id"].clone()
}

async fn unread(client: &Client) -> Vec<Value> {
    let (status, mailbox) = client.get("/api/v1/messages?unread=true").await;
    assert_eq!(status, 200, "{mailbox}");
    mailbox["messages"].as_array().unwrap().clone()
}

#[tokio::test]
async fn who_is_called_so_gets_it() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let kitchen = room(&owner, "Living room").await;
    let (sofa, shelf) = (
        speaker(&home, &owner, "Sofa", &kitchen).await,
        speaker(&home, &owner, "Shelf", &kitchen).await,
    );
    let hall = room(&owner, "Hall").await;
    let hall = speaker(&home, &owner, "Hall speaker", &hall).await;
    let adam = home.login(Role::Adult).await;
    let send = async |from: &Client, id: &str, to: &str| {
        let wish = json!({"client_id": id, "to": {"called": to}, "body": {"text": id}});
        from.post("/api/v1/messages", &wish).await
    };
    assert_eq!(send(&hall, "room", "living-room").await.0, 201);
    assert_eq!(
        (unread(&sofa).await.len(), unread(&shelf).await.len()),
        (1, 1)
    );
    // Who stands there means the others.
    assert_eq!(send(&sofa, "others", "Living room").await.0, 201);
    assert_eq!(
        (unread(&sofa).await.len(), unread(&shelf).await.len()),
        (1, 2)
    );
    let (status, alone) = send(&hall, "alone", "hall").await;
    assert_eq!(status, 409, "{alone}");
    assert_eq!(send(&hall, "person", "ADAM").await.0, 201);
    assert_eq!(unread(&adam).await[0]["text"], "person");
    assert_eq!(send(&hall, "device", "sofa").await.0, 201);
    assert_eq!(unread(&sofa).await.len(), 2);
    assert_eq!(send(&hall, "nobody", "attic").await.0, 404);
    // The same again is the same, also by another spelling.
    let (_, again) = send(&hall, "room", "Living Room").await;
    assert_eq!(again["repeated"], true);
    assert_eq!(unread(&shelf).await.len(), 2);
}

#[tokio::test]
async fn an_announcement_goes_to_every_other_speaker_and_a_mailbox_is_ones_own() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let no_room = Value::Null;
    let (hall, kitchen) = (
        speaker(&home, &owner, "Hall", &no_room).await,
        speaker(&home, &owner, "Kitchen", &no_room).await,
    );
    let phone = home.device(DeviceKind::Phone, "Phone", None).await;
    let phone = home.as_device(&phone);
    let mut told = kitchen.events(None).await;
    let bytes = vec![7_u8; 8_000];
    let voice = json!({"codec": "g722", "duration_ms": 1_000, "base64": STANDARD.encode(&bytes)});
    let wish = json!({
        "client_id": "a-1", "to": "speakers", "announcement": true, "body": {"voice": voice},
    });
    let (status, sent) = hall.post("/api/v1/messages", &wish).await;
    assert_eq!(status, 201, "{sent}");
    assert_eq!(
        told.next_of("message_queued").await.unwrap().subject,
        sent["id"].as_str().unwrap()
    );
    let waiting = unread(&kitchen).await;
    assert_eq!(
        (&waiting[0]["announcement"], &waiting[0]["voice"]),
        (&json!(true), &json!("g722"))
    );
    assert!(unread(&hall).await.is_empty() && unread(&phone).await.is_empty());
    let path = format!("/api/v1/messages/{}", sent["id"].as_str().unwrap());
    // Fetched is not heard.
    let ids = json!([sent["id"]]);
    let fetched = json!({"messages": ids, "state": "delivered", "mailbox": "device"});
    kitchen.post("/api/v1/messages/acknowledge", &fetched).await;
    assert_eq!(
        kitchen.get("/api/v1/messages?waiting=true").await.1["messages"],
        json!([])
    );
    assert_eq!(unread(&kitchen).await.len(), 1);
    assert_eq!(
        hall.get(&path).await.1["deliveries"][0]["state"],
        "delivered"
    );
    assert_eq!(phone.delete(&path).await.0, 404, "not theirs");
    assert_eq!(
        kitchen.delete(&format!("{path}?mailbox=person")).await.0,
        400
    );
    assert_eq!(kitchen.delete(&path).await.0, 204);
    assert!(unread(&kitchen).await.is_empty());
    assert_eq!(kitchen.get(&format!("{path}/voice")).await.0, 404);
    // Too long, too large, too empty.
    for (duration_ms, base64) in [
        (120_001, STANDARD.encode(&bytes)),
        (0, STANDARD.encode(&bytes)),
        (1_000, STANDARD.encode(vec![0; 1_000_001])),
        (1_000, String::new()),
    ] {
        let voice = json!({"codec": "g722", "duration_ms": duration_ms, "base64": base64});
        let wish = json!({"client_id": "a-2", "to": "speakers", "body": {"voice": voice}});
        assert_eq!(
            hall.post("/api/v1/messages", &wish).await.0,
            400,
            "{duration_ms}"
        );
    }
}
