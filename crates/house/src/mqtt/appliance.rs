//! Fans and thermostats that speak in one object, as zigbee2mqtt has them: what is published, what is read.
use serde_json::{Map, Value, json};

use crate::command::Command;
use crate::thing::State;

/// Modes of a fan that are speeds, slowest first; what else it has (`auto`, `smart`) is none.
const SPEEDS: [&str; 12] = [
    "low", "medium", "high", "1", "2", "3", "4", "5", "6", "7", "8", "9",
];
/// What a thermostat is turned on to, the first that it has.
const ON: [&str; 4] = ["heat", "auto", "heat_cool", "cool"];

/// A property that is on or off.
#[derive(Debug, Clone, PartialEq)]
pub struct Switch {
    /// Its name.
    pub property: String,
    /// What on is.
    pub on: Value,
    /// What off is.
    pub off: Value,
}

/// How a fan is told its speed.
#[derive(Debug, Clone, PartialEq)]
pub enum Speed {
    /// By a name.
    Named {
        /// The property.
        property: String,
        /// All that it takes.
        modes: Vec<String>,
    },
    /// By a number.
    Number {
        /// The property.
        property: String,
        /// The slowest.
        least: f64,
        /// The fastest.
        most: f64,
    },
}

/// A fan.
#[derive(Debug, Clone, PartialEq)]
pub struct Fan {
    /// On and off; none: the speed says it.
    pub switch: Option<Switch>,
    /// Its speeds; none: it has one.
    pub speed: Option<Speed>,
}

/// A thermostat.
#[derive(Debug, Clone, PartialEq)]
pub struct Climate {
    /// The temperature that is wanted.
    pub wanted: Option<Wanted>,
    /// The temperature that is measured.
    pub measured: Option<String>,
    /// What it does: its property, and what that takes.
    pub mode: Option<(String, Vec<String>)>,
}

/// The temperature that is wanted of a thermostat.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Its property.
    pub property: String,
    /// Least and most that it takes.
    pub range: (f64, f64),
}

impl Fan {
    /// What is published for a command; none: it cannot do that.
    #[must_use]
    pub fn told(&self, command: &Command) -> Option<Value> {
        match command {
            Command::Off | Command::Speed(0) => self.turned(false),
            Command::On => self.turned(true),
            Command::Speed(percent) => match self.speed.as_ref()? {
                Speed::Named { property, modes } => {
                    let speeds = speeds(modes);
                    let place = usize::from(*percent) * speeds.len();
                    let speed = speeds.get(place.div_ceil(100).saturating_sub(1))?;
                    Some(json!({property: speed}))
                }
                Speed::Number {
                    property,
                    least,
                    most,
                } => {
                    let speed = (f64::from(*percent) / 100.0 * most).round().max(*least);
                    Some(json!({property: speed as i64}))
                }
            },
            _ => None,
        }
    }

    fn turned(&self, on: bool) -> Option<Value> {
        if let Some(switch) = &self.switch {
            let value = if on { &switch.on } else { &switch.off };
            return Some(json!({&switch.property: value}));
        }
        match self.speed.as_ref()? {
            Speed::Named { property, modes } => {
                let speeds = speeds(modes);
                let has = |mode: &str| modes.iter().any(|known| known == mode);
                let mode = match on {
                    false => has("off").then_some("off"),
                    true => (has("on").then_some("on")).or(speeds.last().copied()),
                };
                Some(json!({property: mode?}))
            }
            Speed::Number { property, most, .. } => {
                let speed = if on { *most } else { 0.0 };
                Some(json!({property: speed as i64}))
            }
        }
    }

    /// Takes what it says.
    pub fn take(&self, object: &Map<String, Value>, state: &mut State) {
        let mut set = |on: bool| state.value = if on { "on" } else { "off" }.to_owned();
        let mut percentage = None;
        match &self.speed {
            Some(Speed::Named { property, modes }) => {
                if let Some(mode) = object.get(property).and_then(Value::as_str) {
                    set(mode != "off");
                    let speeds = speeds(modes);
                    let place = speeds.iter().position(|speed| *speed == mode);
                    percentage = Some(match place {
                        Some(place) => json!(((place + 1) * 100).div_ceil(speeds.len())),
                        None if mode == "off" => json!(0),
                        None => Value::Null,
                    });
                }
            }
            Some(Speed::Number { property, most, .. }) => {
                if let Some(speed) = object.get(property).and_then(Value::as_f64) {
                    set(speed > 0.0);
                    let percent = (speed / most * 100.0).round().clamp(0.0, 100.0);
                    percentage = Some(json!(percent as u64));
                }
            }
            None => {}
        }
        if let Some(switch) = &self.switch {
            match object.get(&switch.property) {
                Some(value) if *value == switch.on => set(true),
                Some(value) if *value == switch.off => set(false),
                _ => {}
            }
        }
        if let Some(percentage) = percentage {
            state.set("percentage", percentage);
        }
    }
}

/// The speeds among what a fan takes, slowest first.
fn speeds(modes: &[String]) -> Vec<&str> {
    let has = |speed: &&str| modes.iter().any(|mode| mode == speed);
    SPEEDS.into_iter().filter(has).collect()
}

impl Climate {
    /// What is published for a command; none: it cannot do that.
    #[must_use]
    pub fn told(&self, command: &Command) -> Option<Value> {
        let mode = |mode: &str| {
            let (property, modes) = self.mode.as_ref()?;
            let has = modes.iter().any(|known| known == mode);
            has.then(|| json!({property: mode}))
        };
        match command {
            Command::Temperature(degrees) => {
                let wanted = self.wanted.as_ref()?;
                Some(json!({&wanted.property: degrees}))
            }
            Command::Off => mode("off"),
            Command::On => ON.into_iter().find_map(mode),
            _ => None,
        }
    }

    /// Why it does not take a command that it knows.
    #[must_use]
    pub fn refuses(&self, command: &Command) -> Option<String> {
        let (Command::Temperature(degrees), Some(wanted)) = (command, &self.wanted) else {
            return None;
        };
        let (least, most) = wanted.range;
        let fits = *degrees >= least && *degrees <= most;
        (!fits).then(|| format!("it takes {least} to {most} degrees"))
    }

    /// Takes what it says.
    pub fn take(&self, object: &Map<String, Value>, state: &mut State) {
        let number = |property: &str| object.get(property).and_then(Value::as_f64);
        let wanted = self.wanted.as_ref().map(|wanted| &wanted.property);
        for (name, property) in [
            ("temperature", wanted),
            ("current_temperature", self.measured.as_ref()),
        ] {
            if let Some(degrees) = property.and_then(|property| number(property)) {
                state.set(name, degrees.into());
            }
        }
        match &self.mode {
            Some((property, _)) => {
                if let Some(mode) = object.get(property).and_then(Value::as_str) {
                    state.value = State::new(mode).value;
                }
            }
            // It has nothing else to do.
            None => state.value = "heat".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(take: impl Fn(&Map<String, Value>, &mut State), said: &Value) -> State {
        let mut state = State::default();
        take(said.as_object().unwrap(), &mut state);
        state
    }

    #[test]
    fn fans_are_told_their_speed_in_their_own_words() {
        let modes = ["off", "low", "medium", "high", "on", "auto"].map(str::to_owned);
        let named = Fan {
            switch: None,
            speed: Some(Speed::Named {
                property: "fan_mode".into(),
                modes: modes.into(),
            }),
        };
        for (command, told) in [
            (Command::On, "on"),
            (Command::Off, "off"),
            (Command::Speed(0), "off"),
            (Command::Speed(1), "low"),
            (Command::Speed(33), "low"),
            (Command::Speed(50), "medium"),
            (Command::Speed(67), "high"),
            (Command::Speed(100), "high"),
        ] {
            let wanted = Some(json!({"fan_mode": told}));
            assert_eq!(named.told(&command), wanted, "{command:?}");
        }
        assert_eq!(named.told(&Command::Lock), None);
        let state = taken(
            |o, s| named.take(o, s),
            &json!({"fan_mode": "medium", "x": 1}),
        );
        assert_eq!(
            (state.value.as_str(), &state.attributes["percentage"]),
            ("on", &json!(67))
        );
        let state = taken(|o, s| named.take(o, s), &json!({"fan_mode": "auto"}));
        assert_eq!(state.attributes["percentage"], Value::Null);
        let number = Fan {
            switch: Some(Switch {
                property: "state".into(),
                on: "ON".into(),
                off: "OFF".into(),
            }),
            speed: Some(Speed::Number {
                property: "speed".into(),
                least: 1.0,
                most: 254.0,
            }),
        };
        assert_eq!(
            number.told(&Command::Speed(50)),
            Some(json!({"speed": 127}))
        );
        assert_eq!(number.told(&Command::Off), Some(json!({"state": "OFF"})));
        let state = taken(
            |o, s| number.take(o, s),
            &json!({"speed": 254, "state": "OFF"}),
        );
        assert_eq!(state.value, "off");
    }

    #[test]
    fn thermostats_take_degrees_within_their_range() {
        let climate = Climate {
            wanted: Some(Wanted {
                property: "occupied_heating_setpoint".into(),
                range: (5.0, 30.0),
            }),
            measured: Some("local_temperature".into()),
            mode: Some((
                "system_mode".into(),
                ["off", "auto", "heat"].map(str::to_owned).into(),
            )),
        };
        let warm = Command::Temperature(21.5);
        assert_eq!(
            climate.told(&warm),
            Some(json!({"occupied_heating_setpoint": 21.5}))
        );
        assert_eq!(climate.refuses(&warm), None);
        assert_eq!(
            climate.refuses(&Command::Temperature(70.0)).as_deref(),
            Some("it takes 5 to 30 degrees")
        );
        assert_eq!(
            climate.told(&Command::On),
            Some(json!({"system_mode": "heat"}))
        );
        let state = taken(
            |o, s| climate.take(o, s),
            &json!({"system_mode": "heat", "local_temperature": 19.4, "occupied_heating_setpoint": 21}),
        );
        assert_eq!(state.value, "heat");
        assert_eq!(state.attributes["current_temperature"], json!(19.4));
        assert_eq!(state.attributes["temperature"], json!(21.0));
    }
}
