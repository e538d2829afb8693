//! Which entities a voice assistant may know of: the owner's choice, and Home Assistant's defaults where none was made.
use std::collections::HashMap;

use serde_json::Value;

/// Kinds that are exposed unless the owner says otherwise (`DEFAULT_EXPOSED_DOMAINS` of Home Assistant).
const DOMAINS: [&str; 11] = [
    "climate",
    "cover",
    "fan",
    "humidifier",
    "light",
    "media_player",
    "scene",
    "switch",
    "todo",
    "vacuum",
    "water_heater",
];
/// The same for classes of two-valued sensors.
const BINARY: [&str; 7] = [
    "door",
    "garage_door",
    "lock",
    "motion",
    "opening",
    "presence",
    "window",
];
/// And of those that measure.
const SENSORS: [&str; 8] = [
    "aqi",
    "carbon_dioxide",
    "carbon_monoxide",
    "humidity",
    "pm10",
    "pm25",
    "temperature",
    "volatile_organic_compounds",
];

/// What the owner has chosen, by entity.
pub(super) fn list(result: &Value) -> HashMap<String, bool> {
    let Some(Value::Object(entities)) = result.get("exposed_entities") else {
        return HashMap::new();
    };
    let chosen = entities.iter().filter_map(|(id, assistants)| {
        let is = assistants.get("conversation").and_then(Value::as_bool)?;
        Some((id.clone(), is))
    });
    chosen.collect()
}

/// Whether Home Assistant exposes an entity that nobody has decided about.
pub(super) fn by_default(id: &str, class: Option<&str>) -> bool {
    let domain = id.split('.').next().unwrap_or_default();
    match domain {
        "binary_sensor" => class.is_some_and(|class| BINARY.contains(&class)),
        "sensor" => class.is_some_and(|class| SENSORS.contains(&class)),
        domain => DOMAINS.contains(&domain),
    }
}
