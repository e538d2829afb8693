//! WLED's JSON API: one strip of lights a controller. No socket here.
//!
//! `GET /json/state` tells, `POST /json/state` changes and, with `"v":true`, tells what is so then: an order is done
//! when that answer says so.
use serde_json::{Map, Value, json};

use crate::colour;
use crate::command::Command;
use crate::request::{Answer, Request};
use crate::thing::{State, Thing};

/// Where its state is.
const STATE: &str = "/json/state";
/// The only thing of a controller.
pub const THING: &str = "strip";

/// What is asked to know its state.
#[must_use]
pub fn asking() -> Request {
    Request::get(STATE)
}

/// The strip, before anything is known of it.
#[must_use]
pub fn strip(name: &str, room: Option<&str>) -> Option<Thing> {
    let mut thing = Thing::new(THING, name, "light")?;
    thing.area = room.map(str::to_owned);
    thing
        .state
        .set("supported_color_modes", json!(["rgb", "color_temp"]));
    Some(thing)
}

/// The request for a command; none when it cannot do that.
#[must_use]
pub fn ordering(command: &Command) -> Option<Request> {
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
    match command {
        Command::On => drop(put("on", true.into())),
        Command::Off => drop(put("on", false.into())),
        Command::Toggle => drop(put("on", "t".into())),
        Command::Light(light) => {
            put("on", true.into());
            if let Some(percent) = light.percent {
                put("bri", bri(percent).into());
            }
            if let Some(step) = light.step_percent {
                let by = bri(step.unsigned_abs());
                put(
                    "bri",
                    format!("~{}{by}", if step < 0 { "-" } else { "" }).into(),
                );
            }
            if let Some(rgb) = light.rgb {
                put("seg", json!([{"col": [rgb]}]));
            } else if let Some(kelvin) = light.kelvin {
                // Strips with white take the temperature, all others its colour.
                let kelvin = kelvin.clamp(1_900, 10_091);
                put(
                    "seg",
                    json!([{"cct": kelvin, "col": [colour::of_kelvin(kelvin)]}]),
                );
            }
        }
        _ => return None,
    }
    put("v", true.into());
    Some(Request {
        method: "POST",
        path: STATE.to_owned(),
        body: Some(Value::Object(body).to_string()),
    })
}

/// The state that an answer tells.
///
/// # Errors
/// In words, when it is none.
pub fn state(answer: &Answer) -> Result<State, String> {
    if answer.status != 200 {
        return Err(format!("it answers {}", answer.status));
    }
    let value: Value =
        serde_json::from_slice(&answer.body).map_err(|_| "its answer is not JSON".to_owned())?;
    let on = value.get("on").and_then(Value::as_bool);
    let Some(on) = on else {
        return Err("its answer is no state of WLED".to_owned());
    };
    let mut state = State::new(if on { "on" } else { "off" });
    state.set("supported_color_modes", json!(["rgb", "color_temp"]));
    if let Some(brightness) = value.get("bri").and_then(Value::as_u64) {
        state.set("brightness", brightness.min(255).into());
    }
    let colour = value.pointer("/seg/0/col/0").and_then(Value::as_array);
    let rgb: Vec<u64> = colour
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .take(3)
        .collect();
    if rgb.len() == 3 {
        state.set("rgb_color", json!(rgb));
    }
    Ok(state)
}

fn bri(percent: u8) -> u8 {
    (f64::from(percent.min(100)) * 2.55).round().max(1.0) as u8
}
