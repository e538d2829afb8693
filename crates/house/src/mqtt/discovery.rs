//! Home Assistant's MQTT discovery: a retained message says what a thing is and on which topics it is spoken to.
//!
//! `<prefix>/<component>/[<node>/]<object>/config` for one thing, `<prefix>/device/<object>/config` for all of a device.
//! Names of keys may be abbreviated and `~` stands for a topic's beginning, as Home Assistant documents it.
use serde_json::{Map, Value};

use super::packet::TOPIC_BYTES_MAX;
use super::wire::{Channel, ColourForm, Form, Presence, White, Wire};
use crate::thing::{State, Thing, spoken_name};

/// Largest configuration, in bytes.
pub const CONFIG_BYTES_MAX: usize = 64 * 1_024;
/// Longest template, in bytes.
const TEMPLATE_BYTES_MAX: usize = 4 * 1_024;
/// Most things in the message of one device.
const COMPONENTS_MAX: usize = 100;

/// Abbreviated keys that are read here, and what they stand for.
const ABBREVIATIONS: &[(&str, &str)] = &[
    ("avty", "availability"),
    ("avty_t", "availability_topic"),
    ("avty_tpl", "availability_template"),
    ("bri_cmd_t", "brightness_command_topic"),
    ("bri_scl", "brightness_scale"),
    ("bri_stat_t", "brightness_state_topic"),
    ("bri_val_tpl", "brightness_value_template"),
    ("clr_temp_cmd_t", "color_temp_command_topic"),
    ("clr_temp_k", "color_temp_kelvin"),
    ("clr_temp_stat_t", "color_temp_state_topic"),
    ("clr_temp_val_tpl", "color_temp_value_template"),
    ("cmd_t", "command_topic"),
    ("cmps", "components"),
    ("dev", "device"),
    ("dev_cla", "device_class"),
    ("ent_cat", "entity_category"),
    ("p", "platform"),
    ("pct_cmd_t", "percentage_command_topic"),
    ("pct_stat_t", "percentage_state_topic"),
    ("pct_val_tpl", "percentage_value_template"),
    ("pl_avail", "payload_available"),
    ("pl_cls", "payload_close"),
    ("pl_lock", "payload_lock"),
    ("pl_not_avail", "payload_not_available"),
    ("pl_off", "payload_off"),
    ("pl_on", "payload_on"),
    ("pl_open", "payload_open"),
    ("pl_prs", "payload_press"),
    ("pl_unlk", "payload_unlock"),
    ("pos_clsd", "position_closed"),
    ("pos_open", "position_open"),
    ("pos_t", "position_topic"),
    ("pos_tpl", "position_template"),
    ("ret", "retain"),
    ("rgb_cmd_t", "rgb_command_topic"),
    ("rgb_stat_t", "rgb_state_topic"),
    ("sa", "suggested_area"),
    ("set_pos_t", "set_position_topic"),
    ("stat_clsd", "state_closed"),
    ("stat_locked", "state_locked"),
    ("stat_off", "state_off"),
    ("stat_on", "state_on"),
    ("stat_open", "state_open"),
    ("stat_t", "state_topic"),
    ("stat_unlocked", "state_unlocked"),
    ("stat_val_tpl", "state_value_template"),
    ("sup_clrm", "supported_color_modes"),
    ("t", "topic"),
    ("unit_of_meas", "unit_of_measurement"),
    ("val_tpl", "value_template"),
];

/// A thing that announced itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The thing.
    pub thing: Thing,
    /// How it is spoken to.
    pub wire: Wire,
}

/// What a topic of discovery is about: its component, and the rest as an id. None: it is no such topic.
#[must_use]
pub fn place<'a>(prefix: &str, topic: &'a str) -> Option<(&'a str, &'a str)> {
    let rest = topic
        .strip_prefix(prefix)?
        .strip_prefix('/')?
        .strip_suffix("/config")?;
    let (component, id) = rest.split_once('/')?;
    (!component.is_empty() && !id.is_empty()).then_some((component, id))
}

/// Reads the message of `component` under `id`: what it announces, each with its own id, and what was left out and why.
///
/// # Errors
/// It is no object, or too large.
pub fn read(
    component: &str,
    id: &str,
    payload: &[u8],
) -> Result<(Vec<Found>, Vec<String>), String> {
    if payload.len() > CONFIG_BYTES_MAX {
        return Err(format!("more than {CONFIG_BYTES_MAX} bytes"));
    }
    let value: Value = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    let Value::Object(object) = value else {
        return Err("no object".to_owned());
    };
    let mut config = expanded(object);
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    let mut take = |component: &str, id: String, config: &Map<String, Value>| match thing(
        component,
        &id,
        &Config(config),
    ) {
        Ok(Some(one)) => found.push(one),
        Ok(None) => {}
        Err(why) => left_out.push(why),
    };
    if component != "device" {
        take(component, format!("{component}/{id}"), &config);
        return Ok((found, left_out));
    }
    let Some(Value::Object(components)) = config.remove("components") else {
        return Err("a device without components".to_owned());
    };
    for (name, item) in components.into_iter().take(COMPONENTS_MAX) {
        let Value::Object(item) = item else { continue };
        let mut own = expanded(item);
        for (key, value) in &config {
            own.entry(key.clone()).or_insert_with(|| value.clone());
        }
        let own = based(own);
        let Some(platform) = own
            .get("platform")
            .and_then(Value::as_str)
            .map(str::to_owned)
        else {
            continue;
        };
        take(&platform, format!("device/{id}/{name}"), &own);
    }
    Ok((found, left_out))
}

/// Keys in full, topics with their beginning.
fn expanded(object: Map<String, Value>) -> Map<String, Value> {
    let full = |key: String| match ABBREVIATIONS
        .binary_search_by(|(short, _)| (*short).cmp(key.as_str()))
    {
        Ok(at) => ABBREVIATIONS[at].1.to_owned(),
        Err(_) => key,
    };
    let inner = |value: Value| match value {
        Value::Object(inner) => inner
            .into_iter()
            .map(|(key, value)| (full(key), value))
            .collect(),
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Value::Object(inner) => inner
                    .into_iter()
                    .map(|(key, value)| (full(key), value))
                    .collect(),
                item => item,
            })
            .collect(),
        value => value,
    };
    let mut whole = Map::new();
    for (key, value) in object {
        let key = full(key);
        // Components have keys of their own, read when their turn comes.
        let value = if key == "components" {
            value
        } else {
            inner(value)
        };
        whole.insert(key, value);
    }
    based(whole)
}

fn based(mut object: Map<String, Value>) -> Map<String, Value> {
    let Some(base) = object.get("~").and_then(Value::as_str).map(str::to_owned) else {
        return object;
    };
    fn put(key: &str, value: &mut Value, base: &str) {
        match value {
            Value::String(text) if key.ends_with("topic") => {
                if let Some(rest) = text.strip_prefix('~') {
                    *text = format!("{base}{rest}");
                } else if let Some(rest) = text.strip_suffix('~') {
                    *text = format!("{rest}{base}");
                }
            }
            Value::Object(inner) => inner
                .iter_mut()
                .for_each(|(key, value)| put(key, value, base)),
            Value::Array(items) => items.iter_mut().for_each(|item| put("", item, base)),
            _ => {}
        }
    }
    for (key, value) in &mut object {
        if key != "components" {
            put(key, value, &base);
        }
    }
    object
}

/// A configuration with its keys in full.
struct Config<'a>(&'a Map<String, Value>);

impl Config<'_> {
    fn text(&self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    fn or(&self, key: &str, default: &str) -> String {
        self.text(key).unwrap_or_else(|| default.to_owned())
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key).and_then(Value::as_f64)
    }

    fn flag(&self, key: &str) -> bool {
        self.0.get(key) == Some(&Value::Bool(true))
    }

    fn topic(&self, key: &str) -> Result<Option<String>, String> {
        checked(key, self.text(key))
    }

    fn template(&self, key: &str) -> Result<Option<String>, String> {
        match self.text(key) {
            Some(text) if text.len() > TEMPLATE_BYTES_MAX => {
                Err(format!("{key}: more than {TEMPLATE_BYTES_MAX} bytes"))
            }
            text => Ok(text.filter(|text| !text.is_empty())),
        }
    }

    /// A property with topics of its own.
    fn channel(&self, name: &str, full: f64, empty: f64) -> Result<Option<Channel>, String> {
        let command = self.topic(&format!("{name}_command_topic"))?;
        let state = self.topic(&format!("{name}_state_topic"))?;
        Ok((command.is_some() || state.is_some()).then_some(Channel {
            command,
            state,
            template: self.template(&format!("{name}_value_template"))?,
            full,
            empty,
        }))
    }

    fn presence(&self) -> Result<Vec<Presence>, String> {
        let mut all = Vec::new();
        let one = |of: &Config<'_>, topic: Option<String>, template: Option<String>| {
            topic.map(|topic| Presence {
                topic,
                template,
                on: of.or("payload_available", "online"),
                off: of.or("payload_not_available", "offline"),
                is_there: None,
            })
        };
        all.extend(one(
            self,
            self.topic("availability_topic")?,
            self.template("availability_template")?,
        ));
        if let Some(Value::Array(items)) = self.0.get("availability") {
            for item in items.iter().take(8) {
                let Value::Object(item) = item else { continue };
                let item = Config(item);
                all.extend(one(
                    &item,
                    item.topic("topic")?,
                    item.template("value_template")?,
                ));
            }
        }
        Ok(all)
    }

    fn device(&self, key: &str) -> Option<String> {
        self.0
            .get("device")?
            .get(key)?
            .as_str()
            .and_then(spoken_name)
    }
}

/// A topic that can be published to and followed.
fn checked(key: &str, topic: Option<String>) -> Result<Option<String>, String> {
    match topic {
        Some(topic)
            if topic.is_empty()
                || topic.len() > TOPIC_BYTES_MAX
                || topic.contains(['+', '#', '\0']) =>
        {
            Err(format!("{key}: not a topic"))
        }
        topic => Ok(topic),
    }
}

/// The name, as Home Assistant puts it together from device and thing.
fn name(config: &Config<'_>, id: &str) -> String {
    let own = config.text("name").and_then(|name| spoken_name(&name));
    let class = config
        .text("device_class")
        .map(|class| class.replace('_', " "));
    match (config.device("name"), own) {
        (Some(device), Some(own)) if own.to_lowercase().starts_with(&device.to_lowercase()) => own,
        (Some(device), Some(own)) => format!("{device} {own}"),
        (None, Some(own)) => own,
        (Some(device), None) => match class {
            Some(class) if !device.to_lowercase().contains(&class) => format!("{device} {class}"),
            _ => device,
        },
        (None, None) => id.rsplit('/').next().unwrap_or(id).to_owned(),
    }
}

fn thing(component: &str, id: &str, config: &Config<'_>) -> Result<Option<Found>, String> {
    // What is there for the owner's diagnosis is no thing that people speak of.
    if config.0.contains_key("entity_category") {
        return Ok(None);
    }
    let Some(mut thing) = Thing::new(id, &name(config, id), component) else {
        return Err("no name".to_owned());
    };
    thing.area = config.device("suggested_area");
    let mut state = State::default();
    for key in ["device_class", "unit_of_measurement"] {
        if let Some(Value::String(text)) = config.0.get(key) {
            state.set(key, text.clone().into());
        }
    }
    let form = form(component, config, &mut state)?;
    let Some(form) = form else {
        return Ok(None);
    };
    let mut wire = Wire::new(form);
    wire.command = config.topic("command_topic")?;
    wire.state = config.topic("state_topic")?;
    wire.template = match config.template("value_template")? {
        None => config.template("state_value_template")?,
        template => template,
    };
    (wire.on, wire.off) = (
        config.or("payload_on", "ON"),
        config.or("payload_off", "OFF"),
    );
    (wire.told_on, wire.told_off) = match component {
        "sensor" => (String::new(), String::new()),
        _ => (
            config.or("state_on", &wire.on),
            config.or("state_off", &wire.off),
        ),
    };
    wire.presence = config.presence()?;
    wire.retain = config.flag("retain");
    let position = matches!(
        &wire.form,
        Form::Cover {
            position: Some(_),
            ..
        }
    );
    if !matches!(wire.form, Form::Sensor) && wire.command.is_none() && !position {
        return Err("no command_topic".to_owned());
    }
    if matches!(wire.form, Form::Trigger { .. }) {
        state.value = "unknown".to_owned();
    }
    thing.state = state;
    Ok(Some(Found { thing, wire }))
}

fn form(component: &str, config: &Config<'_>, state: &mut State) -> Result<Option<Form>, String> {
    let word = |key: &str, default: &str| config.or(key, default);
    Ok(Some(match component {
        "light" => match config.or("schema", "basic").as_str() {
            "json" => json_light(config, state),
            "basic" | "default" => {
                let full = config.number("brightness_scale").unwrap_or(255.0).max(1.0);
                let white = if config.flag("color_temp_kelvin") {
                    White::Kelvin
                } else {
                    White::Mireds
                };
                let (brightness, rgb) = (
                    config.channel("brightness", full, 0.0)?,
                    config.channel("rgb", 1.0, 0.0)?,
                );
                let warm = config.channel("color_temp", 1.0, 0.0)?;
                let mut modes = Vec::new();
                modes.extend(rgb.is_some().then_some("rgb"));
                modes.extend(warm.is_some().then_some("color_temp"));
                if modes.is_empty() {
                    modes.push(if brightness.is_some() {
                        "brightness"
                    } else {
                        "onoff"
                    });
                }
                state.set("supported_color_modes", modes.into());
                Form::Light {
                    brightness,
                    rgb,
                    white: warm.map(|channel| (channel, white)),
                }
            }
            other => {
                return Err(format!(
                    "schema {other} is not understood; json and basic are"
                ));
            }
        },
        "switch" | "siren" | "humidifier" => Form::Switch,
        "sensor" | "binary_sensor" => Form::Sensor,
        "cover" => {
            let (open, closed) = (
                config.number("position_open").unwrap_or(100.0),
                config.number("position_closed").unwrap_or(0.0),
            );
            let command = config.topic("set_position_topic")?;
            let told = config.topic("position_topic")?;
            let position = (command.is_some() || told.is_some()).then_some(Channel {
                command,
                state: told,
                template: config.template("position_template")?,
                full: open,
                empty: closed,
            });
            Form::Cover {
                position,
                states: vec![
                    (word("state_open", "open"), "open"),
                    (word("state_closed", "closed"), "closed"),
                    (word("state_opening", "opening"), "opening"),
                    (word("state_closing", "closing"), "closing"),
                ],
                open: word("payload_open", "OPEN"),
                close: word("payload_close", "CLOSE"),
            }
        }
        "lock" => Form::Lock {
            lock: word("payload_lock", "LOCK"),
            unlock: word("payload_unlock", "UNLOCK"),
            states: vec![
                (word("state_locked", "LOCKED"), "locked"),
                (word("state_unlocked", "UNLOCKED"), "unlocked"),
            ],
        },
        "fan" => Form::Fan {
            speed: config.channel(
                "percentage",
                config.number("speed_range_max").unwrap_or(100.0),
                0.0,
            )?,
        },
        "scene" => Form::Trigger {
            word: word("payload_on", "ON"),
        },
        "button" => Form::Trigger {
            word: word("payload_press", "PRESS"),
        },
        _ => return Ok(None),
    }))
}

fn json_light(config: &Config<'_>, state: &mut State) -> Form {
    let listed = config
        .0
        .get("supported_color_modes")
        .and_then(Value::as_array);
    let mut modes: Vec<String> = listed
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .take(8)
        .map(str::to_owned)
        .collect();
    if modes.is_empty() {
        modes.push(
            if config.flag("brightness") {
                "brightness"
            } else {
                "onoff"
            }
            .to_owned(),
        );
    }
    let has = |mode: &str| modes.iter().any(|known| known == mode);
    let colour = if has("rgb") || has("rgbw") || has("rgbww") {
        Some(ColourForm::Rgb)
    } else if has("xy") {
        Some(ColourForm::Xy)
    } else if has("hs") {
        Some(ColourForm::Hs)
    } else {
        None
    };
    let white = has("color_temp").then_some(if config.flag("color_temp_kelvin") {
        White::Kelvin
    } else {
        White::Mireds
    });
    let is_dimmable = config.flag("brightness") || modes.iter().any(|mode| mode != "onoff");
    let full = config.number("brightness_scale").unwrap_or(255.0).max(1.0);
    state.set("supported_color_modes", modes.clone().into());
    Form::Json {
        full: is_dimmable.then_some(full),
        colour,
        white,
        property: "state".to_owned(),
        on: "ON".into(),
        off: "OFF".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_stand_in_order() {
        assert!(ABBREVIATIONS.is_sorted_by_key(|(short, _)| *short));
    }

    #[test]
    fn topics_of_discovery_are_told_apart() {
        let place = |topic| place("homeassistant", topic);
        assert_eq!(
            place("homeassistant/light/lamp/config"),
            Some(("light", "lamp"))
        );
        assert_eq!(
            place("homeassistant/light/node/lamp/config"),
            Some(("light", "node/lamp"))
        );
        for other in [
            "homeassistant/light/config",
            "homeassistant/status",
            "x/light/a/config",
        ] {
            assert_eq!(place(other), None, "{other}");
        }
    }
}
