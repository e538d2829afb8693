//! Home Assistant's services: what a command is there.
use serde_json::{Map, Value, json};

use crate::command::{Command, Player};

/// A call of a service.
#[derive(Debug, PartialEq)]
pub(super) struct Call {
    pub(super) domain: String,
    pub(super) service: &'static str,
    pub(super) data: Value,
}

/// The call for a command to a thing of `domain` that is in `state`; none when there is no service for it.
pub(super) fn of(
    domain: &str,
    command: &Command,
    state: &str,
    area_id: impl Fn(&str) -> Option<String>,
) -> Option<Call> {
    let mut on = domain;
    let (service, data) = match (command, domain) {
        (Command::On, "group") => {
            on = "homeassistant";
            ("turn_on", json!({}))
        }
        (Command::Off, "group") => {
            on = "homeassistant";
            ("turn_off", json!({}))
        }
        (Command::On, _) => ("turn_on", json!({})),
        (Command::Off, _) => ("turn_off", json!({})),
        (Command::Toggle, "lock") if state == "locked" => ("unlock", json!({})),
        (Command::Toggle, "lock") => ("lock", json!({})),
        (Command::Toggle, _) => ("toggle", json!({})),
        (Command::Light(light), "light") => {
            let mut data = Map::new();
            if let Some(percent) = light.percent {
                data.insert("brightness_pct".into(), percent.into());
            }
            if let Some(step) = light.step_percent {
                data.insert("brightness_step_pct".into(), step.into());
            }
            if let Some(rgb) = light.rgb {
                data.insert("rgb_color".into(), json!(rgb));
            }
            if let Some(kelvin) = light.kelvin {
                data.insert("color_temp_kelvin".into(), kelvin.into());
            }
            ("turn_on", Value::Object(data))
        }
        (Command::Open, "cover") => ("open_cover", json!({})),
        (Command::Close, "cover") => ("close_cover", json!({})),
        (Command::Open, "valve") => ("open_valve", json!({})),
        (Command::Close, "valve") => ("close_valve", json!({})),
        (Command::Position(percent), "cover") => {
            ("set_cover_position", json!({"position": percent}))
        }
        (Command::Position(percent), "valve") => {
            ("set_valve_position", json!({"position": percent}))
        }
        (Command::Lock, "lock") => ("lock", json!({})),
        (Command::Unlock, "lock") => ("unlock", json!({})),
        (Command::Speed(percent), "fan") => ("set_percentage", json!({"percentage": percent})),
        (Command::Temperature(degrees), "climate" | "water_heater") => {
            ("set_temperature", json!({"temperature": degrees}))
        }
        (Command::Start, "vacuum") => ("start", json!({})),
        (Command::Start, "lawn_mower") => ("start_mowing", json!({})),
        (Command::Dock, "vacuum") => ("return_to_base", json!({})),
        (Command::Dock, "lawn_mower") => ("dock", json!({})),
        (Command::Clean(area), "vacuum") => {
            ("clean_area", json!({"cleaning_area_id": [area_id(area)?]}))
        }
        (Command::Press, "button" | "input_button") => ("press", json!({})),
        (Command::Player(player), "media_player") => match player {
            Player::Pause => ("media_pause", json!({})),
            Player::Resume => ("media_play", json!({})),
            Player::Next => ("media_next_track", json!({})),
            Player::Previous => ("media_previous_track", json!({})),
            Player::Volume(percent) => {
                let level = f64::from(*percent) / 100.0;
                ("volume_set", json!({ "volume_level": level }))
            }
            Player::Louder => ("volume_up", json!({})),
            Player::Softer => ("volume_down", json!({})),
            Player::Mute(on) => ("volume_mute", json!({ "is_volume_muted": on })),
        },
        _ => return None,
    };
    Some(Call {
        domain: on.to_owned(),
        service,
        data,
    })
}
