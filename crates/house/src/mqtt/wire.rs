//! How one thing is spoken to on MQTT: its topics, what is published for a command, what its messages say of its state.
use minijinja::Environment;
use serde_json::{Map, Value, json};

use super::appliance::{Climate, Fan};
use crate::colour;
use crate::command::{Command, Light};
use crate::thing::State;

/// How a light's colour is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourForm {
    /// `{"color": {"x", "y"}}`
    Xy,
    /// `{"color": {"r", "g", "b"}}`
    Rgb,
    /// `{"color": {"h", "s"}}`
    Hs,
}

/// A topic whose value is one number or word.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Channel {
    /// Where it is set.
    pub command: Option<String>,
    /// Where it is told.
    pub state: Option<String>,
    /// What is read out of what is told.
    pub template: Option<String>,
    /// The value of full brightness, or of open.
    pub full: f64,
    /// The value of nothing, or of closed.
    pub empty: f64,
}

/// What kind of device listens there.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// One object for all of a light: Home Assistant's json schema, and every device of zigbee2mqtt.
    Json {
        /// The value of full brightness; none: it has no brightness.
        full: Option<f64>,
        /// How colours are written; none: it has no colours.
        colour: Option<ColourForm>,
        /// It has whites; in mireds, or else in kelvin.
        white: Option<White>,
        /// The property that says on and off: `state`, `state_left`.
        property: String,
        /// What on is there.
        on: Value,
        /// What off is there.
        off: Value,
    },
    /// A topic for each property of a light: Home Assistant's default schema.
    Light {
        /// Brightness.
        brightness: Option<Channel>,
        /// Colour, as `255,0,0`.
        rgb: Option<Channel>,
        /// White.
        white: Option<(Channel, White)>,
    },
    /// On and off.
    Switch,
    /// Open and closed.
    Cover {
        /// Position, 0 closed unless it says otherwise.
        position: Option<Channel>,
        /// What the state topic says.
        states: Vec<(String, &'static str)>,
        /// What is published to open it.
        open: String,
        /// And to close it.
        close: String,
    },
    /// `{"state": "OPEN"}`, `{"position": 50}`, as zigbee2mqtt has it.
    JsonCover {
        /// The property that is told OPEN and CLOSE.
        state: String,
        /// The property that takes positions.
        position: Option<String>,
    },
    /// Locked and not.
    Lock {
        /// What is published to lock it.
        lock: String,
        /// And to unlock it.
        unlock: String,
        /// What the state topic says.
        states: Vec<(String, &'static str)>,
    },
    /// A fan, its speed in per cent.
    Fan {
        /// Speed.
        speed: Option<Channel>,
    },
    /// A fan that speaks in one object.
    JsonFan(Fan),
    /// A thermostat that speaks in one object.
    JsonClimate(Climate),
    /// A scene or button: one word.
    Trigger {
        /// The word.
        word: String,
    },
    /// It is read only.
    Sensor,
}

/// How white is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum White {
    /// A million divided by kelvin.
    Mireds,
    /// Kelvin.
    Kelvin,
}

/// Where it is told whether a device is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Presence {
    /// The topic.
    pub topic: String,
    /// What is read out of it.
    pub template: Option<String>,
    /// It is there.
    pub on: String,
    /// It is not.
    pub off: String,
    /// What was told last; none: nothing yet.
    pub is_there: Option<bool>,
}

/// The whole of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Wire {
    /// Where commands go.
    pub command: Option<String>,
    /// Where the state is told.
    pub state: Option<String>,
    /// What is read out of it.
    pub template: Option<String>,
    /// What on is called in commands.
    pub on: String,
    /// And off.
    pub off: String,
    /// What it says when it is on; empty for what is no such thing.
    pub told_on: String,
    /// And off.
    pub told_off: String,
    /// Its kind.
    pub form: Form,
    /// Where it is told whether it is there.
    pub presence: Vec<Presence>,
    /// Commands are kept by the broker.
    pub retain: bool,
}

/// A message that a command becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: String,
}

impl Wire {
    /// A wire of a form, with Home Assistant's defaults.
    #[must_use]
    pub fn new(form: Form) -> Self {
        Self {
            command: None,
            state: None,
            template: None,
            on: "ON".into(),
            off: "OFF".into(),
            told_on: "ON".into(),
            told_off: "OFF".into(),
            form,
            presence: Vec::new(),
            retain: false,
        }
    }

    /// All topics that are to be followed.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        let channels: Vec<&Channel> = match &self.form {
            Form::Light {
                brightness,
                rgb,
                white,
            } => {
                let white = white.as_ref().map(|(channel, _)| channel);
                [brightness.as_ref(), rgb.as_ref(), white]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Form::Cover {
                position: Some(channel),
                ..
            }
            | Form::Fan {
                speed: Some(channel),
            } => vec![channel],
            _ => Vec::new(),
        };
        self.state
            .iter()
            .chain(
                channels
                    .into_iter()
                    .filter_map(|channel| channel.state.as_ref()),
            )
            .chain(self.presence.iter().map(|presence| &presence.topic))
            .map(String::as_str)
    }

    /// The messages for a command to a thing in `state`; none when it cannot do that.
    #[must_use]
    pub fn messages(&self, command: &Command, state: &State) -> Option<Vec<Message>> {
        let to = |topic: &Option<String>, payload: String| {
            Some(vec![Message {
                topic: topic.clone()?,
                payload,
            }])
        };
        let main = |payload: &str| to(&self.command, payload.to_owned());
        let is_on = state.value == "on" || state.value == "open" || state.value == "locked";
        let command = match command {
            Command::Toggle if is_on => match self.form {
                Form::Lock { .. } => &Command::Unlock,
                Form::Cover { .. } | Form::JsonCover { .. } => &Command::Close,
                _ => &Command::Off,
            },
            Command::Toggle => match self.form {
                Form::Lock { .. } => &Command::Lock,
                Form::Cover { .. } | Form::JsonCover { .. } => &Command::Open,
                _ => &Command::On,
            },
            other => other,
        };
        match (&self.form, command) {
            (Form::Json { property, on, .. }, Command::On) => {
                main(&json!({property: on}).to_string())
            }
            (Form::Json { property, off, .. }, Command::Off) => {
                main(&json!({property: off}).to_string())
            }
            (Form::Json { .. }, Command::Light(light)) => {
                main(&self.json_light(light, state)?.to_string())
            }
            (
                Form::Light {
                    brightness,
                    rgb,
                    white,
                },
                Command::Light(light),
            ) => {
                let mut all = Vec::new();
                if let Some(percent) = percent(light, state) {
                    let channel = brightness.as_ref()?;
                    all.extend(to(&channel.command, whole(channel.at(percent)))?);
                }
                if let Some([r, g, b]) = light.rgb {
                    all.extend(to(&rgb.as_ref()?.command, format!("{r},{g},{b}"))?);
                }
                if let Some(kelvin) = light.kelvin {
                    let (channel, form) = white.as_ref()?;
                    all.extend(to(&channel.command, white_as(*form, kelvin).to_string())?);
                }
                // What changes may or may not turn it on: Home Assistant's default is that on comes last.
                all.extend(main(&self.on)?);
                Some(all)
            }
            (Form::Light { .. } | Form::Switch | Form::Fan { .. }, Command::On) => main(&self.on),
            (Form::Light { .. } | Form::Switch | Form::Fan { .. }, Command::Off) => main(&self.off),
            (
                Form::Fan {
                    speed: Some(channel),
                },
                Command::Speed(percent),
            ) => to(&channel.command, whole(channel.at(*percent))),
            (Form::Cover { open, .. }, Command::Open) => main(open),
            (Form::Cover { close, .. }, Command::Close) => main(close),
            (
                Form::Cover {
                    position: Some(channel),
                    ..
                },
                Command::Position(percent),
            ) => to(&channel.command, whole(channel.at(*percent))),
            (Form::JsonCover { state, .. }, Command::Open) => {
                main(&json!({state: "OPEN"}).to_string())
            }
            (Form::JsonCover { state, .. }, Command::Close) => {
                main(&json!({state: "CLOSE"}).to_string())
            }
            (
                Form::JsonCover {
                    position: Some(position),
                    ..
                },
                Command::Position(percent),
            ) => main(&json!({position: percent}).to_string()),
            (Form::JsonFan(fan), command) => main(&fan.told(command)?.to_string()),
            (Form::JsonClimate(climate), command) => main(&climate.told(command)?.to_string()),
            (Form::Lock { lock, .. }, Command::Lock) => main(lock),
            (Form::Lock { unlock, .. }, Command::Unlock) => main(unlock),
            (Form::Trigger { word }, Command::On | Command::Press) => main(word),
            _ => None,
        }
    }

    /// Why it does not take a command that it knows; none: nothing speaks against it.
    #[must_use]
    pub fn refuses(&self, command: &Command) -> Option<String> {
        match &self.form {
            Form::JsonClimate(climate) => climate.refuses(command),
            _ => None,
        }
    }

    fn json_light(&self, light: &Light, state: &State) -> Option<Value> {
        let Form::Json {
            full,
            colour,
            white,
            property,
            on,
            ..
        } = &self.form
        else {
            return None;
        };
        let mut object = Map::new();
        object.insert(property.clone(), on.clone());
        if let Some(percent) = percent(light, state) {
            let full = (*full)?;
            let brightness = (f64::from(percent) / 100.0 * full).round().max(1.0);
            object.insert("brightness".into(), (brightness as u64).into());
        }
        if let Some(rgb) = light.rgb {
            let value = match (*colour)? {
                ColourForm::Xy => {
                    let (x, y) = colour::xy(rgb);
                    json!({"x": x, "y": y})
                }
                ColourForm::Rgb => json!({"r": rgb[0], "g": rgb[1], "b": rgb[2]}),
                ColourForm::Hs => {
                    let (h, s) = hue_and_saturation(rgb);
                    json!({"h": h, "s": s})
                }
            };
            object.insert("color".into(), value);
        }
        if let Some(kelvin) = light.kelvin {
            object.insert("color_temp".into(), white_as((*white)?, kelvin).into());
        }
        Some(Value::Object(object))
    }

    /// Takes a message on one of its topics. True: it says something of the state.
    pub fn take(
        &mut self,
        topic: &str,
        payload: &str,
        state: &mut State,
        jinja: &Environment<'_>,
    ) -> bool {
        let mut said = false;
        for presence in &mut self.presence {
            if presence.topic == topic {
                let word = read(presence.template.as_deref(), payload, jinja);
                let word = word_of(&word);
                if word == presence.on {
                    presence.is_there = Some(true);
                } else if word == presence.off {
                    presence.is_there = Some(false);
                }
            }
        }
        if self.state.as_deref() == Some(topic) {
            said = true;
            match &self.form {
                Form::Json { .. }
                | Form::JsonCover { .. }
                | Form::JsonFan(_)
                | Form::JsonClimate(_) => self.take_object(payload, state),
                _ => {
                    let word = read(self.template.as_deref(), payload, jinja);
                    self.take_word(&word, state);
                }
            }
        }
        let mut number = |channel: &Option<Channel>, name: &str, scale: f64, state: &mut State| {
            let Some(channel) = channel
                .as_ref()
                .filter(|channel| channel.state.as_deref() == Some(topic))
            else {
                return;
            };
            let word = read(channel.template.as_deref(), payload, jinja);
            if let Ok(value) = word.trim().parse::<f64>() {
                let share = (value - channel.empty) / (channel.full - channel.empty);
                if share.is_finite() {
                    state.set(name, ((share * scale).round() as i64).into());
                    said = true;
                }
            }
        };
        match &self.form {
            Form::Light { brightness, .. } => number(brightness, "brightness", 255.0, state),
            Form::Cover { position, .. } => number(position, "current_position", 100.0, state),
            Form::Fan { speed } => number(speed, "percentage", 100.0, state),
            _ => {}
        }
        if let (Form::Cover { .. }, true, Some(position)) = (
            &self.form,
            self.state.is_none(),
            state
                .attributes
                .get("current_position")
                .and_then(Value::as_i64),
        ) {
            state.value = if position > 0 { "open" } else { "closed" }.to_owned();
        }
        said
    }

    fn take_word(&self, word: &str, state: &mut State) {
        let word = word.trim();
        let told = |states: &[(String, &'static str)]| {
            let found = states.iter().find(|(told, _)| told == word);
            found.map(|(_, value)| (*value).to_owned())
        };
        let value = match &self.form {
            Form::Cover { states, .. } | Form::Lock { states, .. } => told(states),
            Form::Sensor if word.is_empty() => None,
            Form::Sensor if self.told_on.is_empty() => Some(word.to_owned()),
            _ if word == self.told_on => Some("on".to_owned()),
            _ if word == self.told_off => Some("off".to_owned()),
            _ => None,
        };
        if let Some(value) = value {
            state.value = State::new(&value).value;
        }
    }

    fn take_object(&self, payload: &str, state: &mut State) {
        let Ok(Value::Object(object)) = serde_json::from_str::<Value>(payload) else {
            return;
        };
        match &self.form {
            Form::Json {
                full,
                white,
                property,
                on,
                off,
                ..
            } => {
                match object.get(property) {
                    Some(value) if value == on => state.value = "on".to_owned(),
                    Some(value) if value == off => state.value = "off".to_owned(),
                    _ => {}
                }
                if let (Some(full), Some(value)) =
                    (full, object.get("brightness").and_then(Value::as_f64))
                {
                    let brightness = (value / full * 255.0).round().clamp(0.0, 255.0);
                    state.set("brightness", (brightness as u64).into());
                }
                if let (Some(white), Some(value)) =
                    (white, object.get("color_temp").and_then(Value::as_f64))
                {
                    let kelvin = match white {
                        White::Mireds => colour::kelvin(value),
                        White::Kelvin => Some(value.clamp(0.0, 20_000.0) as u16),
                    };
                    state.set("color_temp_kelvin", kelvin.into());
                }
                let part = |name: &str| object.get("color")?.get(name)?.as_f64();
                if let (Some(r), Some(g), Some(b)) = (part("r"), part("g"), part("b")) {
                    let rgb = [r, g, b].map(|part| part.clamp(0.0, 255.0) as u8);
                    state.set("rgb_color", json!(rgb));
                }
            }
            Form::JsonFan(fan) => fan.take(&object, state),
            Form::JsonClimate(climate) => climate.take(&object, state),
            Form::JsonCover {
                state: told,
                position,
            } => {
                let position = position
                    .as_ref()
                    .and_then(|name| object.get(name)?.as_f64());
                if let Some(position) = position {
                    state.set(
                        "current_position",
                        (position.clamp(0.0, 100.0) as u64).into(),
                    );
                }
                let word = object
                    .get(told)
                    .and_then(Value::as_str)
                    .map(str::to_uppercase);
                match (word.as_deref(), position) {
                    (Some("OPEN"), _) => state.value = "open".to_owned(),
                    (Some("CLOSE" | "CLOSED"), _) => state.value = "closed".to_owned(),
                    (_, Some(position)) => {
                        state.value = if position > 0.0 { "open" } else { "closed" }.to_owned();
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Whether it is there, as far as anybody has said.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.presence
            .iter()
            .all(|presence| presence.is_there != Some(false))
    }
}

impl Channel {
    fn at(&self, percent: u8) -> f64 {
        (self.empty + f64::from(percent) / 100.0 * (self.full - self.empty)).round()
    }
}

/// The brightness that is asked for, in per cent.
fn percent(light: &Light, state: &State) -> Option<u8> {
    if let Some(step) = light.step_percent {
        let now = state.attributes.get("brightness").and_then(Value::as_f64);
        let now = if state.value == "on" {
            now.unwrap_or(255.0) / 2.55
        } else {
            0.0
        };
        return Some((now + f64::from(step)).round().clamp(1.0, 100.0) as u8);
    }
    light.percent
}

fn white_as(form: White, kelvin: u16) -> u16 {
    match form {
        White::Mireds => colour::mireds(kelvin),
        White::Kelvin => kelvin,
    }
}

fn whole(number: f64) -> String {
    format!("{}", number as i64)
}

/// Hue in degrees, saturation in per cent.
fn hue_and_saturation(rgb: [u8; 3]) -> (u16, u8) {
    let [r, g, b] = rgb.map(|part| f64::from(part) / 255.0);
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let span = most - least;
    if span <= 0.0 {
        return (0, 0);
    }
    let hue = if most == r {
        ((g - b) / span).rem_euclid(6.0)
    } else if most == g {
        (b - r) / span + 2.0
    } else {
        (r - g) / span + 4.0
    };
    (
        (hue * 60.0).round() as u16 % 360,
        (span / most * 100.0).round() as u8,
    )
}

/// What a template reads out of a payload; without one, the payload. A template that fails reads nothing.
fn read(template: Option<&str>, payload: &str, jinja: &Environment<'_>) -> String {
    let Some(template) = template else {
        return payload.to_owned();
    };
    let object: Value = serde_json::from_str(payload).unwrap_or(Value::Null);
    let context = minijinja::context! { value => payload, value_json => object };
    jinja
        .render_str(template, context)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// A presence may be told as `{"state": "online"}`.
fn word_of(payload: &str) -> String {
    match serde_json::from_str(payload) {
        Ok(Value::Object(object)) => object
            .get("state")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        _ => payload.trim().to_owned(),
    }
}

/// Templates out of the network: with little fuel, nothing to include, unknown names empty.
#[must_use]
pub fn templates() -> Environment<'static> {
    let mut jinja = Environment::new();
    jinja.set_undefined_behavior(minijinja::UndefinedBehavior::Chainable);
    jinja.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    jinja.set_fuel(Some(20_000));
    jinja.add_filter("float", |value: minijinja::Value| {
        value.to_string().trim().parse::<f64>().unwrap_or(0.0)
    });
    jinja.add_filter("int", |value: minijinja::Value| {
        value.to_string().trim().parse::<f64>().unwrap_or(0.0) as i64
    });
    jinja
}
