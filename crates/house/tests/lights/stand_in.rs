//! A stand-in for Home Assistant's WebSocket, which notes every message and answers as the test says.
use std::time::Duration;

use hearthline_transport::websocket::{FrameReader, Received, accept_key, message};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// One connection of the speaker's.
pub(crate) struct Visitor {
    stream: Box<dyn Stream>,
    frames: FrameReader,
    pub(crate) head: String,
    /// Every message but pings, as it came.
    pub(crate) said: Vec<Value>,
}

impl Visitor {
    /// Does the handshake.
    pub(crate) async fn greet(mut stream: Box<dyn Stream>) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let key = head
            .lines()
            .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
            .unwrap();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
            accept_key(key).unwrap()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        Self {
            stream,
            frames: FrameReader::new(1_000_000),
            head,
            said: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, value: &Value) {
        self.send_bytes(&message(value.to_string().as_bytes()))
            .await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next message; none when the speaker has closed.
    pub(crate) async fn hear(&mut self) -> Option<Value> {
        let mut buffer = [0; 4_096];
        loop {
            match self.frames.next().unwrap() {
                Some(Received::Text(text)) => {
                    let value: Value = serde_json::from_str(&text).unwrap();
                    if value["type"] == "ping" {
                        self.send(&json!({"id": value["id"], "type": "pong"})).await;
                        continue;
                    }
                    self.said.push(value.clone());
                    return Some(value);
                }
                Some(Received::Close) => return None,
                Some(_) => {}
                None => {
                    let read =
                        timeout(Duration::from_secs(20), self.stream.read(&mut buffer)).await;
                    match read.expect("the speaker says nothing") {
                        Ok(0) | Err(_) => return None,
                        Ok(length) => self.frames.push(&buffer[..length]),
                    }
                }
            }
        }
    }

    /// Lets it in and answers what it asks, until names and states are known. `house`: results by the kind of message.
    pub(crate) async fn settle(&mut self, house: &Value) {
        self.settle_by("a-token-of-the-test", house).await;
    }

    /// The same by another token.
    pub(crate) async fn settle_by(&mut self, token: &str, house: &Value) {
        self.send(&json!({"type": "auth_required", "ha_version": "2026.11.0"}))
            .await;
        let auth = self.hear().await.unwrap();
        assert_eq!(auth, json!({"type": "auth", "access_token": token}));
        self.send(&json!({"type": "auth_ok", "ha_version": "2026.11.0"}))
            .await;
        loop {
            let asked = self.hear().await.unwrap();
            let kind = asked["type"].as_str().unwrap().to_owned();
            let answer = match house.get(&kind) {
                Some(result) => {
                    json!({"id": asked["id"], "type": "result", "success": true, "result": result})
                }
                None if kind.starts_with("subscribe") => {
                    json!({"id": asked["id"], "type": "result", "success": true, "result": null})
                }
                None => {
                    json!({"id": asked["id"], "type": "result", "success": false, "error": {"code": "unknown_command", "message": "Unknown command."}})
                }
            };
            self.send(&answer).await;
            if kind == "subscribe_entities" {
                let wanted: Vec<&str> = asked["entity_ids"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(Value::as_str)
                    .collect();
                let mut all = house["states"].clone();
                all.as_object_mut()
                    .unwrap()
                    .retain(|id, _| wanted.contains(&id.as_str()));
                self.send(&json!({"id": asked["id"], "type": "event", "event": {"a": all}}))
                    .await;
                return;
            }
        }
    }

    /// The id under which entities are followed.
    pub(crate) fn followed(&self) -> Value {
        let asked = self
            .said
            .iter()
            .find(|asked| asked["type"] == "subscribe_entities");
        asked.unwrap()["id"].clone()
    }
}

/// A small house as Home Assistant tells it.
pub(crate) fn house() -> Value {
    let light = |name: &str, state: &str| json!({"s": state, "a": {"friendly_name": name, "supported_color_modes": ["color_temp", "xy"]}, "c": "01", "lc": 1.0});
    let states = json!({
        "light.counter": light("Counter", "off"),
        "light.bed": light("Bed", "on"),
        "lock.front": {"s": "locked", "a": {"friendly_name": "Front Door"}},
        "light.hidden": light("Hidden", "on"),
        "sensor.power": {"s": "7", "a": {"friendly_name": "Power", "device_class": "power"}},
        "light.own": light("Diagnosis", "on"),
    });
    let ids: Vec<Value> = states
        .as_object()
        .unwrap()
        .iter()
        .map(|(id, of)| json!({"entity_id": id, "state": of["s"], "attributes": of["a"]}))
        .collect();
    json!({
        "config/area_registry/list": [
            {"area_id": "kitchen", "name": "Kitchen", "floor_id": "ground", "aliases": ["galley"]},
            {"area_id": "bedroom", "name": "Bedroom", "floor_id": "first", "aliases": []},
        ],
        "config/floor_registry/list": [{"floor_id": "ground", "name": "Ground Floor"}, {"floor_id": "first", "name": "First Floor", "aliases": ["upstairs"]}],
        "config/device_registry/list": [{"id": "d1", "area_id": "bedroom"}],
        "homeassistant/expose_entity/list": {"exposed_entities": {
            "lock.front": {"conversation": true}, "light.hidden": {"conversation": false}, "light.bed": {"cloud.alexa": false},
        }},
        "homeassistant/expose_new_entities/get": {"expose_new": true},
        "get_states": ids,
        "config/entity_registry/get_entries": {
            "light.counter": {"area_id": "kitchen", "device_id": null, "aliases": ["worktop"]},
            "light.bed": {"area_id": null, "device_id": "d1", "aliases": []},
            "light.own": {"area_id": null, "device_id": null, "entity_category": "diagnostic"},
            "lock.front": null,
        },
        "states": states,
    })
}
