//! DESIGN invariant 8: no name, number, login, code, token or text in a log line, at any level.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod household;

use std::io::Write;
use std::sync::{Arc, Mutex};

use hearthline_hub::device::{DeviceFields, DeviceKind};
use hearthline_hub::invitation::Code;
use hearthline_hub::join::join;
use hearthline_hub::person::Role;
use hearthline_hub::text::Name;
use household::{Household, PASSWORD};
use serde_json::json;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_day_in_the_household_leaves_only_ids_in_the_log() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_env_filter("trace")
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let home = Household::new().await;
    let fields = DeviceFields {
        name: Name::new("Wintergarten").unwrap(),
        room: None,
        person: None,
    };
    let invited = home.hub.invite(DeviceKind::Speaker, fields).await.unwrap();
    let wrong = Code::random().unwrap();
    let _ = join(home.address(), &wrong, None).await;
    let own = join(home.address(), &invited.code, None).await.unwrap();
    let owner = home.login(Role::Owner).await;
    let contact =
        json!({"name": "Zebulon", "numbers": [{"label": "Landhaus", "number": "+1 202 555 0187"}]});
    assert_eq!(owner.post("/api/v1/contacts", &contact).await.0, 201);
    owner
        .post(
            "/api/v1/contacts",
            &json!({"name": "Zebulon", "numbers": [{"label": "x", "number": "911911"}]}),
        )
        .await;
    owner
        .post(
            "/api/v1/messages",
            &json!({"client_id": "a", "to": "everyone", "body": {"text": "Geheimnis"}}),
        )
        .await;
    home.anonymous()
        .post(
            "/api/v1/sessions",
            &json!({"login": "olive", "password": "Fehlversuch", "kind": "app"}),
        )
        .await;
    owner.delete(&household::device_path(own.device)).await;
    home.hub.stop().await;
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("a device joined") && log.contains(&own.device.to_string()),
        "{log}"
    );
    let token = owner.headers[0].1.trim_start_matches("Bearer ").to_owned();
    let code = invited.code.to_string();
    for personal in [
        "Wintergarten",
        "Zebulon",
        "Landhaus",
        "5550187",
        "555 0187",
        "Geheimnis",
        "Fehlversuch",
        "olive",
        PASSWORD,
        &token,
        &code,
        &code.replace('-', ""),
        &wrong.to_string(),
        "911911",
    ] {
        let at = log.lines().find(|line| line.contains(personal));
        assert!(at.is_none(), "'{personal}' in: {at:?}");
    }
}
