//! A thing of the house as this crate holds it, whichever system it came from: Home Assistant's words are used, because
//! the sentences and their responses speak them.
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Most things of one system.
pub const THINGS_MAX: usize = 5_000;
/// Most areas of one system.
pub const AREAS_MAX: usize = 1_000;
/// Longest name, in characters; what is beyond is cut.
pub const NAME_CHARS_MAX: usize = 120;
/// Most other names of one thing.
pub const ALIASES_MAX: usize = 8;
/// Longest state, in characters: Home Assistant's own limit.
const STATE_CHARS_MAX: usize = 255;

/// A light, a switch, a sensor, a scene.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thing {
    /// What its system calls it: `light.kitchen_lamp`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What else they call it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its kind, by Home Assistant's names: `light`, `switch`, `cover`, `lock`, `binary_sensor`, …
    pub domain: String,
    /// The room it is in.
    #[serde(default)]
    pub area: Option<String>,
    /// As it was last heard of.
    #[serde(default)]
    pub state: State,
}

/// The state of a thing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct State {
    /// `on`, `off`, `open`, `21.5`, `unavailable`; empty when nothing is known.
    pub value: String,
    /// What belongs to it, by Home Assistant's names.
    #[serde(default)]
    pub attributes: Map<String, Value>,
}

/// A room, and the floor it is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// What people call it.
    pub name: String,
    /// What else they call it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its floor.
    #[serde(default)]
    pub floor: Option<Floor>,
}

/// A floor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// What people call it.
    pub name: String,
    /// What else they call it.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// What is kept of a thing's attributes: what a plan, a response or a page asks for.
const ATTRIBUTES: [&str; 16] = [
    "brightness",
    "color_mode",
    "color_temp_kelvin",
    "current_position",
    "current_temperature",
    "device_class",
    "humidity",
    "max_color_temp_kelvin",
    "min_color_temp_kelvin",
    "percentage",
    "rgb_color",
    "supported_color_modes",
    "supported_features",
    "temperature",
    "unit_of_measurement",
    "volume_level",
];
/// Features of media players, by Home Assistant's numbers.
const PLAYS_MEDIA: u64 = 1 << 9;
const SEARCHES_MEDIA: u64 = 1 << 22;
/// Longest attribute, written as JSON, in bytes.
const ATTRIBUTE_BYTES_MAX: usize = 512;

impl State {
    /// A state without attributes.
    #[must_use]
    pub fn new(value: &str) -> Self {
        Self {
            value: cut(value, STATE_CHARS_MAX),
            attributes: Map::new(),
        }
    }

    /// The system knows the thing and cannot reach it.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.value == "unavailable"
    }

    /// Keeps an attribute if it is one of those that anybody here asks for.
    pub fn set(&mut self, name: &str, value: Value) {
        let is_small = |value: &Value| match value {
            Value::Array(_) | Value::Object(_) => value.to_string().len() <= ATTRIBUTE_BYTES_MAX,
            Value::String(text) => text.len() <= ATTRIBUTE_BYTES_MAX,
            _ => true,
        };
        if ATTRIBUTES.contains(&name) && is_small(&value) {
            self.attributes.insert(name.to_owned(), value);
        }
    }

    /// The same, with it.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value.into());
        self
    }

    /// Its class: `window`, `garage`, `temperature`.
    #[must_use]
    pub fn class(&self) -> Option<&str> {
        self.attributes.get("device_class").and_then(Value::as_str)
    }

    /// As it is said: an open window's sensor is "open", not "on".
    #[must_use]
    pub fn said(&self, domain: &str) -> String {
        if domain == "binary_sensor" {
            let (on, off) = match self.class().unwrap_or_default() {
                "door" | "window" | "garage_door" | "opening" => ("open", "closed"),
                "lock" => ("unlocked", "locked"),
                "moisture" => ("wet", "dry"),
                "battery" => ("low", "normal"),
                "plug" => ("plugged in", "unplugged"),
                "presence" => ("home", "away"),
                "connectivity" => ("connected", "disconnected"),
                "motion" | "occupancy" | "smoke" | "gas" | "carbon_monoxide" | "vibration"
                | "sound" | "light" => ("detected", "clear"),
                _ => ("on", "off"),
            };
            match self.value.as_str() {
                "on" => return on.to_owned(),
                "off" => return off.to_owned(),
                _ => {}
            }
        }
        self.value.replace('_', " ")
    }
}

impl Thing {
    /// A thing with a name that can be said: without control characters, not endless, not empty.
    #[must_use]
    pub fn new(id: &str, name: &str, domain: &str) -> Option<Self> {
        let name = spoken_name(name)?;
        let fits = |text: &str| !text.is_empty() && text.len() <= 4 * NAME_CHARS_MAX;
        (fits(id) && fits(domain)).then(|| Self {
            id: id.to_owned(),
            name,
            aliases: Vec::new(),
            domain: domain.to_owned(),
            area: None,
            state: State::default(),
        })
    }

    /// What may be told of it at all: whether it can show colours, or white of any temperature. Unknown: it may.
    #[must_use]
    pub fn can_show(&self, modes: &[&str]) -> bool {
        match self.state.attributes.get("supported_color_modes") {
            Some(Value::Array(known)) => known
                .iter()
                .filter_map(Value::as_str)
                .any(|mode| modes.contains(&mode)),
            _ => true,
        }
    }

    /// Whether a media player can look for music by words and play what it finds. One that does not tell may.
    #[must_use]
    pub fn can_search(&self) -> bool {
        let told = self.state.attributes.get("supported_features");
        let all = PLAYS_MEDIA | SEARCHES_MEDIA;
        told.and_then(Value::as_u64)
            .is_none_or(|features| features & all == all)
    }
}

/// A name as it is kept; none when nothing of it can be said.
#[must_use]
pub fn spoken_name(name: &str) -> Option<String> {
    let plain: String = name
        .chars()
        .map(|letter| {
            if letter.is_control() || letter == '_' {
                ' '
            } else {
                letter
            }
        })
        .collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = cut(&words, NAME_CHARS_MAX);
    (!name.is_empty()).then_some(name)
}

/// Names are the same whatever their case and edges.
#[must_use]
pub fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_be_said_and_states_are_small() {
        assert_eq!(
            spoken_name(" kitchen_lamp\n\u{0} two ").as_deref(),
            Some("kitchen lamp two")
        );
        assert_eq!(spoken_name("\r\n _"), None);
        assert_eq!(
            spoken_name(&"x".repeat(1_000)).map(|name| name.len()),
            Some(NAME_CHARS_MAX)
        );
        assert!(Thing::new("", "a", "light").is_none());
        let state = State::new("on")
            .with("brightness", 7)
            .with("effect_list", "party")
            .with("rgb_color", vec![0; 1_000]);
        assert_eq!(state.attributes.len(), 1);
    }

    #[test]
    fn a_sensor_says_what_it_watches() {
        let door = State::new("on").with("device_class", "door");
        assert_eq!(door.said("binary_sensor"), "open");
        assert_eq!(door.said("light"), "on");
        assert_eq!(State::new("not_home").said("person"), "not home");
        assert_eq!(
            State::new("unavailable").said("binary_sensor"),
            "unavailable"
        );
    }
}
