//! The copy of a speaker's timers, alarms and reminders: handed in by it alone, shown to adults, given back to it.

use crate::household::Household;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::person::Role;
use serde_json::{Value, json};

fn copy(revision: i64, items: &[Value]) -> Value {
    json!({"journal": "a1", "revision": revision, "clock_ms": 1_000, "items": items})
}

fn timer(id: i64) -> Value {
    json!({
        "shown": {"id": id, "kind": "timer", "label": "pasta", "due_ms": 61_000},
        "item": {"timer": {"name": "pasta", "length_ms": 60_000, "state": {"running": {"due_ms": 61_000}}}},
    })
}

#[tokio::test]
async fn adults_see_it_and_its_speaker_gets_it_back() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let own = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let speaker = home.as_device(&own);
    let (status, nothing) = speaker.get("/api/v1/me/agenda").await;
    assert_eq!((status, &nothing["copy"]), (200, &Value::Null));
    let mut told = owner.events(None).await;
    let path = "/api/v1/me/agenda";
    let (status, body) = speaker.put(path, &copy(3, &[timer(1), timer(2)])).await;
    assert_eq!(status, 204, "{body}");
    let event = told.next_of("agendas").await.unwrap();
    assert_eq!(event.subject, own.device.to_string());
    let (status, all) = owner.get("/api/v1/agendas").await;
    assert_eq!(status, 200, "{all}");
    assert_eq!(all[0]["device"], own.device.to_string());
    assert_eq!(all[0]["items"][0]["label"], "pasta");
    assert_eq!(
        all[0]["items"][0].get("item"),
        None,
        "the speaker's own form is its own"
    );
    let (status, older) = speaker.put(path, &copy(2, &[])).await;
    assert_eq!(status, 409, "{older}");
    let (_, back) = speaker.get(path).await;
    assert_eq!(back["copy"]["items"], json!([timer_back(1), timer_back(2)]));
    assert_eq!(back["copy"]["revision"], 3);
    // Nobody else hands one in, and children and guests do not read what others are reminded of.
    assert_eq!(owner.put(path, &copy(4, &[])).await.0, 403);
    for role in [Role::Child, Role::Guest] {
        let other = home.login(role).await;
        assert_eq!(other.get("/api/v1/agendas").await.0, 403, "{role:?}");
    }
    assert_eq!(speaker.get("/api/v1/agendas").await.0, 403);
}

/// As it is read back: what was not said is there as well.
fn timer_back(id: i64) -> Value {
    let mut timer = timer(id);
    timer["shown"]["whom"] = Value::Null;
    timer["shown"]["left_ms"] = Value::Null;
    timer["shown"]["repeats"] = json!(false);
    timer
}

#[tokio::test]
async fn what_is_too_large_or_garbled_is_refused() {
    let home = Household::new().await;
    let own = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let speaker = home.as_device(&own);
    let mut long = timer(1);
    long["shown"]["label"] = json!("x".repeat(1_001));
    let mut large = timer(1);
    large["item"]["timer"]["name"] = json!("x".repeat(17_000));
    let mut odd = timer(1);
    odd["shown"]["kind"] = json!("bomb");
    let many: Vec<Value> = (0..5_001).map(timer).collect();
    for wrong in [
        copy(1, &[long]),
        copy(1, &[large]),
        copy(1, &[odd]),
        copy(1, &many),
        json!({"journal": "../a", "revision": 1, "clock_ms": 1, "items": []}),
    ] {
        let (status, body) = speaker.put("/api/v1/me/agenda", &wrong).await;
        assert!(matches!(status, 400 | 422), "{status} {body}");
    }
    let (_, back) = speaker.get("/api/v1/me/agenda").await;
    assert_eq!(back["copy"], Value::Null);
}

#[tokio::test]
async fn a_reminder_is_a_message_that_knows_when_it_was_due() {
    let home = Household::new().await;
    let hall = home.device(DeviceKind::Speaker, "Hall", None).await;
    let kitchen = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let (hall, kitchen) = (home.as_device(&hall), home.as_device(&kitchen));
    let reminder = json!({
        "client_id": "reminder-1", "to": {"called": "Kitchen"}, "announcement": true,
        "reminder_due_ms": 1_800_000_000_000_i64, "body": {"text": "take the bread out"},
    });
    assert_eq!(hall.post("/api/v1/messages", &reminder).await.0, 201);
    let (_, again) = hall.post("/api/v1/messages", &reminder).await;
    assert_eq!(again["repeated"], true, "{again}");
    let (_, mailbox) = kitchen.get("/api/v1/messages?unread=true").await;
    let messages = mailbox["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["reminder_due_ms"], 1_800_000_000_000_i64);
}
