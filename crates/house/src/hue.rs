//! Philips Hue, CLIP API v2: what the bridge has, what becomes of it, and orders. No socket here.
//!
//! ```text
//! GET light, device, room, scene ─► Things        event stream ─► States, or: ask again
//! PUT light/ID, scene/ID ─► {"errors": [], …} ─► Done
//! ```
use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::colour;
use crate::command::{Command, Light};
use crate::request::{Answer, Request};
use crate::thing::{AREAS_MAX, Area, State, THINGS_MAX, Thing, spoken_name};

/// The header by which the bridge knows us.
pub const KEY_HEADER: &str = "hue-application-key";
/// Where changes are told.
pub const EVENTS: &str = "/eventstream/clip/v2";
/// Kinds that are asked for, in this order.
pub const KINDS: [&str; 4] = ["light", "device", "room", "scene"];

/// Asks for all of a kind.
#[must_use]
pub fn asking(kind: &str) -> Request {
    Request::get(&format!("/clip/v2/resource/{kind}"))
}

/// The list within an answer.
///
/// # Errors
/// What the bridge says, in words.
pub fn data(answer: &Answer) -> Result<Vec<Value>, String> {
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let error = value
        .pointer("/errors/0/description")
        .and_then(Value::as_str);
    match (answer.status, error, value.get("data")) {
        (200, None, Some(Value::Array(items))) => {
            Ok(items.iter().take(THINGS_MAX).cloned().collect())
        }
        (401 | 403, ..) => {
            Err("the bridge does not know our key; press its button and make a new one".to_owned())
        }
        (_, Some(error), _) => Err(crate::home_assistant::short(error)),
        (200, None, _) => Err("its answer is no list".to_owned()),
        (207, ..) => Err("the bridge did only a part of it".to_owned()),
        (429, ..) => Err("the bridge has too much to do".to_owned()),
        (503, ..) => Err("the bridge is busy".to_owned()),
        (status, ..) => Err(format!("the bridge answers {status}")),
    }
}

/// Rooms and things out of the four lists, in the order of [`KINDS`].
#[must_use]
pub fn things(lists: &[Vec<Value>; 4]) -> (Vec<Area>, Vec<Thing>) {
    let [lights, devices, rooms, scenes] = lists;
    let name = |item: &Value| {
        item.pointer("/metadata/name")
            .and_then(Value::as_str)
            .and_then(spoken_name)
    };
    let mut areas = Vec::new();
    let mut room_of: HashMap<&str, String> = HashMap::new();
    let mut room_names: HashMap<&str, String> = HashMap::new();
    for room in rooms.iter().take(AREAS_MAX) {
        let Some(name) = name(room) else { continue };
        if let Some(id) = text(room, "/id") {
            room_names.insert(id, name.clone());
        }
        let children = room.get("children").and_then(Value::as_array);
        for child in children.into_iter().flatten() {
            if let Some(id) = text(child, "/rid") {
                room_of.insert(id, name.clone());
            }
        }
        areas.push(Area {
            name,
            aliases: Vec::new(),
            floor: None,
        });
    }
    let device_names: HashMap<&str, String> = devices
        .iter()
        .filter_map(|device| Some((text(device, "/id")?, name(device)?)))
        .collect();
    let mut things = Vec::new();
    for light in lights {
        let owner = text(light, "/owner/rid");
        let said = owner
            .and_then(|owner| device_names.get(owner).cloned())
            .or_else(|| name(light));
        let (Some(id), Some(said)) = (text(light, "/id"), said) else {
            continue;
        };
        let Some(mut thing) = Thing::new(&format!("light/{id}"), &said, "light") else {
            continue;
        };
        thing.area = owner
            .and_then(|owner| room_of.get(owner))
            .or_else(|| room_of.get(id))
            .cloned();
        let mut modes = vec!["onoff"];
        for (key, mode) in [
            ("dimming", "brightness"),
            ("color_temperature", "color_temp"),
            ("color", "xy"),
        ] {
            if light.get(key).is_some_and(Value::is_object) {
                modes.push(mode);
            }
        }
        thing.state = State::new("unknown");
        if modes.len() > 1 {
            modes.remove(0);
        }
        thing.state.set("supported_color_modes", json!(modes));
        update(&mut thing.state, light);
        things.push(thing);
    }
    for scene in scenes {
        if let (Some(id), Some(said)) = (text(scene, "/id"), name(scene))
            && let Some(mut thing) = Thing::new(&format!("scene/{id}"), &said, "scene")
        {
            thing.area = text(scene, "/group/rid").and_then(|room| room_names.get(room).cloned());
            thing.state = State::new("unknown");
            things.push(thing);
        }
    }
    things.truncate(THINGS_MAX);
    (areas, things)
}

/// Takes what a light, or an event about one, says. True: something has changed.
pub fn update(state: &mut State, light: &Value) -> bool {
    let before = state.clone();
    match light.pointer("/on/on").and_then(Value::as_bool) {
        Some(true) => state.value = "on".to_owned(),
        Some(false) => state.value = "off".to_owned(),
        None => {}
    }
    if let Some(percent) = light.pointer("/dimming/brightness").and_then(Value::as_f64) {
        let brightness = (percent.clamp(0.0, 100.0) * 2.55).round();
        state.set("brightness", (brightness as u64).into());
    }
    if let Some(mireds) = light
        .pointer("/color_temperature/mirek")
        .and_then(Value::as_f64)
    {
        state.set("color_temp_kelvin", colour::kelvin(mireds).into());
    }
    *state != before
}

/// What an event of the stream is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// This light is now so, as far as it says.
    Light(String, Value),
    /// Something came, went or was renamed: all is to be asked again.
    Anew,
}

/// Reads the data of one event of the stream.
#[must_use]
pub fn event(data: &str) -> Vec<Told> {
    let Ok(Value::Array(messages)) = serde_json::from_str::<Value>(data) else {
        return Vec::new();
    };
    let mut told = Vec::new();
    for message in &messages {
        let kind = text(message, "/type");
        let items = message.get("data").and_then(Value::as_array);
        for item in items.into_iter().flatten().take(THINGS_MAX) {
            let of = text(item, "/type").unwrap_or_default();
            match (kind, of, text(item, "/id")) {
                (Some("update"), "light", Some(id)) if item.get("metadata").is_none() => {
                    told.push(Told::Light(format!("light/{id}"), item.clone()));
                }
                (Some("add" | "delete" | "update"), "light" | "device" | "room" | "scene", _)
                    if !told.contains(&Told::Anew)
                        && (kind != Some("update")
                            || item.get("metadata").is_some()
                            || item.get("children").is_some()) =>
                {
                    told.push(Told::Anew);
                }
                _ => {}
            }
        }
    }
    told
}

/// The request for a command to a thing in `state`; none when it cannot do that.
#[must_use]
pub fn ordering(thing: &str, command: &Command, state: &State) -> Option<Request> {
    let (kind, id) = thing.split_once('/')?;
    let is_id = !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let body = match (kind, command) {
        _ if !is_id => return None,
        ("light", Command::On) => json!({"on": {"on": true}}),
        ("light", Command::Off) => json!({"on": {"on": false}}),
        ("light", Command::Toggle) => json!({"on": {"on": state.value != "on"}}),
        ("light", Command::Light(light)) => lit(light),
        ("scene", Command::On) => json!({"recall": {"action": "active"}}),
        _ => return None,
    };
    Some(Request {
        method: "PUT",
        path: format!("/clip/v2/resource/{kind}/{id}"),
        body: Some(body.to_string()),
    })
}

fn lit(light: &Light) -> Value {
    let mut body = Map::new();
    body.insert("on".into(), json!({"on": true}));
    if let Some(percent) = light.percent {
        body.insert("dimming".into(), json!({"brightness": percent}));
    }
    if let Some(step) = light.step_percent {
        let action = if step < 0 { "down" } else { "up" };
        let delta = json!({"action": action, "brightness_delta": step.unsigned_abs()});
        body.insert("dimming_delta".into(), delta);
    }
    if let Some(rgb) = light.rgb {
        let (x, y) = colour::xy(rgb);
        body.insert("color".into(), json!({"xy": {"x": x, "y": y}}));
    }
    if let Some(kelvin) = light.kelvin {
        let mireds = colour::mireds(kelvin).clamp(153, 500);
        body.insert("color_temperature".into(), json!({"mirek": mireds}));
    }
    Value::Object(body)
}

fn text<'a>(item: &'a Value, pointer: &str) -> Option<&'a str> {
    item.pointer(pointer).and_then(Value::as_str)
}

/// Cuts a stream of events (server-sent events, WHATWG HTML section 9.2) into the data of each.
#[derive(Debug, Default)]
pub struct EventData {
    line: Vec<u8>,
    data: String,
}

/// Largest event, in bytes.
pub const EVENT_BYTES_MAX: usize = 1_024 * 1_024;

/// An event without an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of more than {EVENT_BYTES_MAX} bytes")]
pub struct TooLong;

impl EventData {
    /// Takes bytes; gives the data of each event that is whole now.
    ///
    /// # Errors
    /// [`TooLong`]: the stream is worth nothing any more.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut whole = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                if self.line.len() + self.data.len() > EVENT_BYTES_MAX {
                    return Err(TooLong);
                }
                continue;
            }
            let line = core::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            let line = line.strip_suffix('\r').unwrap_or(&line);
            if line.is_empty() {
                if !self.data.is_empty() {
                    whole.push(core::mem::take(&mut self.data));
                }
            } else if let Some(data) = line.strip_prefix("data:") {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
        }
        Ok(whole)
    }
}
