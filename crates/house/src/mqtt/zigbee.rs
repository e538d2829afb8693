//! zigbee2mqtt: what its list of devices (`bridge/devices`, retained) says of each.
use serde_json::Value;

use super::discovery::Found;
use super::packet::TOPIC_BYTES_MAX;
use super::wire::{ColourForm, Form, Presence, White, Wire};
use crate::thing::{State, THINGS_MAX, Thing};

/// Reads the list.
///
/// # Errors
/// It is not a list.
pub fn read(base: &str, payload: &[u8]) -> Result<Vec<Found>, String> {
    let devices: Value = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    let Value::Array(devices) = devices else {
        return Err("no list".to_owned());
    };
    let mut found = Vec::new();
    for device in &devices {
        if found.len() >= THINGS_MAX {
            break;
        }
        if let Some(name) = device.get("friendly_name").and_then(Value::as_str)
            && device.get("disabled") != Some(&Value::Bool(true))
            && let Some(exposes) = device
                .pointer("/definition/exposes")
                .and_then(Value::as_array)
        {
            found.extend(
                exposes
                    .iter()
                    .take(64)
                    .filter_map(|item| one(base, name, item)),
            );
        }
    }
    found.truncate(THINGS_MAX);
    Ok(found)
}

fn one(base: &str, name: &str, exposed: &Value) -> Option<Found> {
    let text = |key: &str| exposed.get(key).and_then(Value::as_str);
    let topic = format!("{base}/{name}");
    if topic.len() + 4 > TOPIC_BYTES_MAX || topic.contains(['+', '#', '\0']) {
        return None;
    }
    // "kitchen/lamp": the owner's group before the slash is the room.
    let (area, own) = name
        .rsplit_once('/')
        .map_or((None, name), |(area, own)| (Some(area), own));
    let features = exposed.get("features").and_then(Value::as_array);
    let feature = |wanted: &str| {
        let mut all = features.into_iter().flatten();
        all.find(|feature| feature.get("name").and_then(Value::as_str) == Some(wanted))
    };
    let property = |of: Option<&Value>| of?.get("property")?.as_str().map(str::to_owned);
    // Several of a kind have an endpoint each: "left".
    let endpoint = text("endpoint").map_or_else(String::new, |end| format!(" {end}"));
    let mut state = State::default();
    let (domain, said, form) = match text("type")? {
        kind @ ("light" | "switch") => {
            let on_off = feature("state");
            let value = |key: &str, default: &str| {
                on_off
                    .and_then(|of| of.get(key))
                    .cloned()
                    .unwrap_or_else(|| default.into())
            };
            let full = feature("brightness").map(|of| {
                of.get("value_max")
                    .and_then(Value::as_f64)
                    .unwrap_or(254.0)
                    .max(1.0)
            });
            let colour = if feature("color_xy").is_some() {
                Some(ColourForm::Xy)
            } else {
                feature("color_hs").map(|_| ColourForm::Hs)
            };
            let white = feature("color_temp").map(|_| White::Mireds);
            if kind == "light" {
                let mut modes = Vec::new();
                modes.extend(colour.map(|_| "xy"));
                modes.extend(white.map(|_| "color_temp"));
                if modes.is_empty() {
                    modes.push(if full.is_some() {
                        "brightness"
                    } else {
                        "onoff"
                    });
                }
                state.set("supported_color_modes", modes.into());
            }
            let form = Form::Json {
                full: full.filter(|_| endpoint.is_empty()),
                colour,
                white,
                property: property(on_off)?,
                on: value("value_on", "ON"),
                off: value("value_off", "OFF"),
            };
            (kind, format!("{own}{endpoint}"), form)
        }
        "cover" => {
            let position = feature("position").is_some();
            ("cover", own.to_owned(), Form::JsonCover { position })
        }
        "lock" => {
            let form = Form::Lock {
                lock: r#"{"state":"LOCK"}"#.to_owned(),
                unlock: r#"{"state":"UNLOCK"}"#.to_owned(),
                states: vec![
                    ("LOCK".to_owned(), "locked"),
                    ("UNLOCK".to_owned(), "unlocked"),
                ],
            };
            ("lock", own.to_owned(), form)
        }
        "numeric" => {
            let class = text("name").filter(|name| {
                matches!(
                    *name,
                    "temperature" | "humidity" | "illuminance" | "co2" | "power"
                )
            })?;
            state.set("device_class", class.into());
            if let Some(unit) = text("unit") {
                state.set("unit_of_measurement", unit.into());
            }
            ("sensor", format!("{own} {class}"), Form::Sensor)
        }
        "binary" => {
            // Property, class, and whether its true means on.
            let (class, end) = match text("name")? {
                "contact" => ("opening", ""),
                "occupancy" => ("occupancy", " occupancy"),
                "presence" => ("occupancy", " presence"),
                "water_leak" => ("moisture", " leak"),
                "smoke" => ("smoke", " smoke"),
                "vibration" => ("vibration", " vibration"),
                _ => return None,
            };
            state.set("device_class", class.into());
            ("binary_sensor", format!("{own}{end}"), Form::Sensor)
        }
        _ => return None,
    };
    let is_sensor = form == Form::Sensor;
    let mut thing = Thing::new(&format!("{name}/{domain}/{said}"), &said, domain)?;
    thing.area = area.and_then(crate::thing::spoken_name);
    thing.state = state;
    let mut wire = Wire::new(form);
    wire.state = Some(topic.clone());
    wire.command = (!is_sensor).then(|| format!("{topic}/set"));
    if is_sensor {
        let property = text("property")?;
        // Names of properties are theirs: nothing but letters may stand in a template.
        if !property
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return None;
        }
        wire.template = Some(format!("{{{{ value_json.{property} }}}}"));
        if domain == "binary_sensor" {
            let contact = text("name") == Some("contact");
            let (on, off) = if contact {
                ("false", "true")
            } else {
                ("true", "false")
            };
            (wire.told_on, wire.told_off) = (on.to_owned(), off.to_owned());
        } else {
            (wire.told_on, wire.told_off) = (String::new(), String::new());
        }
    }
    if domain == "lock" {
        wire.template = Some("{{ value_json.state }}".to_owned());
    }
    wire.presence = vec![Presence {
        topic: format!("{topic}/availability"),
        template: None,
        on: "online".to_owned(),
        off: "offline".to_owned(),
        is_there: None,
    }];
    Some(Found { thing, wire })
}
