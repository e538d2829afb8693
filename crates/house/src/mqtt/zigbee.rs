//! zigbee2mqtt: what its lists of devices and groups (`bridge/devices`, `bridge/groups`, retained) say of each.
use serde_json::{Value, json};

use super::appliance::{Climate, Fan, Speed, Switch, Wanted};
use super::discovery::Found;
use super::packet::TOPIC_BYTES_MAX;
use super::wire::{ColourForm, Form, Presence, White, Wire};
use crate::thing::{State, THINGS_MAX, Thing, spoken_name};

/// Most groups.
const GROUPS_MAX: usize = 1_000;
/// Most members of a group, and most scenes.
const MEMBERS_MAX: usize = 500;
/// Most things of one device.
const EXPOSED_MAX: usize = 64;
/// Most modes of one thing.
const MODES_MAX: usize = 32;
/// What a group of such devices does as one.
const GROUPED: [&str; 4] = ["light", "switch", "cover", "lock"];
/// Classes of covers by a word of their names: zigbee2mqtt knows none, and a garage door must not open unasked.
const COVERS: [(&str, &str); 9] = [
    ("garage", "garage"),
    ("gate", "gate"),
    ("door", "door"),
    ("curtain", "curtain"),
    ("blind", "blind"),
    ("shade", "shade"),
    ("shutter", "shutter"),
    ("awning", "awning"),
    ("window", "window"),
];

/// The lists as they were told last.
#[derive(Debug, Default)]
pub struct Network {
    devices: Vec<Device>,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Device {
    address: String,
    name: String,
    exposes: Vec<Value>,
}

#[derive(Debug)]
struct Group {
    name: String,
    members: Vec<String>,
    /// Number and name.
    scenes: Vec<(u64, String)>,
}

impl Network {
    /// Reads the list of devices.
    ///
    /// # Errors
    /// It is not a list; what was known stays.
    pub fn devices(&mut self, payload: &[u8]) -> Result<(), String> {
        let device = |item: Value| {
            let exposes = item.pointer("/definition/exposes")?.as_array()?;
            (item.get("disabled") != Some(&Value::Bool(true))).then_some(())?;
            Some(Device {
                address: text(&item, "ieee_address").unwrap_or_default().to_owned(),
                name: text(&item, "friendly_name")?.to_owned(),
                exposes: exposes.iter().take(EXPOSED_MAX).cloned().collect(),
            })
        };
        let devices = list(payload)?.into_iter().filter_map(device);
        self.devices = devices.take(THINGS_MAX).collect();
        Ok(())
    }

    /// Reads the list of groups.
    ///
    /// # Errors
    /// It is not a list; what was known stays.
    pub fn groups(&mut self, payload: &[u8]) -> Result<(), String> {
        let all = |item: &Value, key: &str| -> Vec<Value> {
            let all = item.get(key).and_then(Value::as_array);
            all.into_iter()
                .flatten()
                .take(MEMBERS_MAX)
                .cloned()
                .collect()
        };
        let group = |item: Value| {
            let members = all(&item, "members").into_iter();
            let scenes = all(&item, "scenes").into_iter();
            Some(Group {
                name: text(&item, "friendly_name")?.to_owned(),
                members: members
                    .filter_map(|member| Some(text(&member, "ieee_address")?.to_owned()))
                    .collect(),
                scenes: scenes
                    .filter_map(|scene| {
                        let id = scene.get("id").and_then(Value::as_u64)?;
                        Some((id, text(&scene, "name")?.to_owned()))
                    })
                    .collect(),
            })
        };
        let groups = list(payload)?.into_iter().filter_map(group);
        self.groups = groups.take(GROUPS_MAX).collect();
        Ok(())
    }

    /// The things of both, below this base topic.
    #[must_use]
    pub fn found(&self, base: &str) -> Vec<Found> {
        let devices = self.devices.iter().flat_map(|device| {
            let exposes = device.exposes.iter();
            exposes.filter_map(|exposed| Exposed(exposed).found(base, &device.name))
        });
        let groups = self
            .groups
            .iter()
            .flat_map(|group| self.found_in_group(base, group));
        devices.chain(groups).take(THINGS_MAX).collect()
    }

    /// A group is told what one of its members would be: all that any of them can.
    fn found_in_group(&self, base: &str, group: &Group) -> Vec<Found> {
        let members = || {
            let is_member = |device: &&Device| group.members.contains(&device.address);
            self.devices.iter().filter(is_member)
        };
        let mut found = Vec::new();
        for kind in GROUPED {
            let of_kind = members()
                .flat_map(|device| &device.exposes)
                .filter(|exposed| text(exposed, "type") == Some(kind));
            let mut features: Vec<Value> = Vec::new();
            for feature in of_kind.flat_map(|exposed| Exposed(exposed).features()) {
                let Some(name) = text(feature, "name") else {
                    continue;
                };
                // A lock for children is no lock of the group's.
                let is_own = text(feature, "property").is_some_and(|own| own != "child_lock");
                if is_own
                    && !features
                        .iter()
                        .any(|known| text(known, "name") == Some(name))
                {
                    let mut feature = feature.clone();
                    feature["property"] = match name {
                        "color_xy" | "color_hs" => "color".into(),
                        name => name.into(),
                    };
                    features.push(feature);
                }
            }
            if features.is_empty() {
                continue;
            }
            let exposed = json!({"type": kind, "features": features});
            if let Some(mut one) = Exposed(&exposed).found(base, &group.name) {
                // It stands in no room: its members do, and "the lights here" are those.
                one.thing.area = None;
                if let Some(name) = spoken_name(&group.name.replace('/', " ")) {
                    one.thing.name = name;
                }
                found.push(one);
            }
        }
        let topic = format!("{base}/{}", group.name);
        for (id, name) in &group.scenes {
            let place = format!("{}/scene/{id}", group.name);
            if let (Some(mut thing), true) = (Thing::new(&place, name, "scene"), is_topic(&topic)) {
                thing.state.value = "unknown".to_owned();
                let word = json!({"scene_recall": id}).to_string();
                let mut wire = Wire::new(Form::Trigger { word });
                wire.command = Some(format!("{topic}/set"));
                found.push(Found { thing, wire });
            }
        }
        found
    }
}

fn list(payload: &[u8]) -> Result<Vec<Value>, String> {
    match serde_json::from_slice(payload) {
        Ok(Value::Array(all)) => Ok(all),
        Ok(_) => Err("no list".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn text<'a>(item: &'a Value, key: &str) -> Option<&'a str> {
    item.get(key).and_then(Value::as_str)
}

/// A topic below which there is room for "/availability".
fn is_topic(topic: &str) -> bool {
    topic.len() + 16 <= TOPIC_BYTES_MAX && !topic.contains(['+', '#', '\0'])
}

/// Names of properties are theirs: nothing but letters may stand in a template.
fn read_out(property: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!property.is_empty() && property.bytes().all(plain))
        .then(|| format!("{{{{ value_json.{property} }}}}"))
}

/// One entry of what a device exposes.
struct Exposed<'a>(&'a Value);

/// What an entry comes to: domain, how it is called, what listens there, and how its state is read out.
struct Read {
    domain: &'static str,
    said: String,
    form: Form,
    template: Option<String>,
    told: Option<(&'static str, &'static str)>,
}

impl<'a> Exposed<'a> {
    fn features(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        let features = self.0.get("features").and_then(Value::as_array);
        features.into_iter().flatten()
    }

    fn feature(&self, name: &str) -> Option<&'a Value> {
        self.features()
            .find(|feature| text(feature, "name") == Some(name))
    }

    fn property(&self, name: &str) -> Option<String> {
        text(self.feature(name)?, "property").map(str::to_owned)
    }

    /// A property that is on or off, by these defaults.
    fn switch(&self, on: &str, off: &str) -> Option<Switch> {
        let state = self.feature("state")?;
        let value = |key: &str, default: &str| {
            let value = state.get(key).cloned();
            value.unwrap_or_else(|| default.into())
        };
        Some(Switch {
            property: text(state, "property")?.to_owned(),
            on: value("value_on", on),
            off: value("value_off", off),
        })
    }

    fn modes(&self, name: &str) -> Vec<String> {
        let values = self.feature(name).and_then(|of| of.get("values"));
        let values = values
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let words = values.iter().filter_map(Value::as_str);
        words.take(MODES_MAX).map(str::to_owned).collect()
    }

    fn found(&self, base: &str, name: &str) -> Option<Found> {
        let topic = format!("{base}/{name}");
        if !is_topic(&topic) {
            return None;
        }
        // "kitchen/lamp": the owner's group before the slash is the room.
        let (area, own) = name
            .rsplit_once('/')
            .map_or((None, name), |(area, own)| (Some(area), own));
        // Several of a kind have an endpoint each: "left".
        let end = text(self.0, "endpoint").map_or_else(String::new, |end| format!(" {end}"));
        let mut state = State::default();
        let read = self.read(own, &end, &mut state)?;
        let id = format!("{name}/{}/{}", read.domain, read.said);
        let mut thing = Thing::new(&id, &read.said, read.domain)?;
        thing.area = area.and_then(spoken_name);
        thing.state = state;
        let mut wire = Wire::new(read.form);
        wire.state = Some(topic.clone());
        wire.command = (wire.form != Form::Sensor).then(|| format!("{topic}/set"));
        wire.template = read.template;
        if let Some((on, off)) = read.told {
            (wire.told_on, wire.told_off) = (on.to_owned(), off.to_owned());
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

    fn read(&self, own: &str, end: &str, state: &mut State) -> Option<Read> {
        let plain = |domain, form| Read {
            domain,
            said: format!("{own}{end}"),
            form,
            template: None,
            told: None,
        };
        Some(match text(self.0, "type")? {
            "light" => plain("light", self.light(end.is_empty(), state)?),
            "switch" => {
                let Switch { property, on, off } = self.switch("ON", "OFF")?;
                let form = Form::Json {
                    full: None,
                    colour: None,
                    white: None,
                    property,
                    on,
                    off,
                };
                plain("switch", form)
            }
            "cover" => {
                let word = own.to_lowercase();
                if let Some((_, class)) = COVERS.iter().find(|(part, _)| word.contains(part)) {
                    state.set("device_class", (*class).into());
                }
                let form = Form::JsonCover {
                    state: self.property("state").unwrap_or_else(|| "state".into()),
                    position: self.property("position"),
                };
                plain("cover", form)
            }
            "lock" => self.lock(own, end)?,
            "fan" => plain("fan", Form::JsonFan(self.fan()?)),
            "climate" => plain("climate", Form::JsonClimate(self.climate()?)),
            "numeric" => {
                let class = text(self.0, "name").filter(|name| {
                    matches!(
                        *name,
                        "temperature" | "humidity" | "illuminance" | "co2" | "power"
                    )
                })?;
                state.set("device_class", class.into());
                if let Some(unit) = text(self.0, "unit") {
                    state.set("unit_of_measurement", unit.into());
                }
                Read {
                    domain: "sensor",
                    said: format!("{own} {class}"),
                    form: Form::Sensor,
                    template: Some(read_out(text(self.0, "property")?)?),
                    told: Some(("", "")),
                }
            }
            "binary" => {
                // Property, class, and whether its true means on.
                let (class, end) = match text(self.0, "name")? {
                    "contact" => ("opening", ""),
                    "occupancy" => ("occupancy", " occupancy"),
                    "presence" => ("occupancy", " presence"),
                    "water_leak" => ("moisture", " leak"),
                    "smoke" => ("smoke", " smoke"),
                    "vibration" => ("vibration", " vibration"),
                    _ => return None,
                };
                state.set("device_class", class.into());
                Read {
                    domain: "binary_sensor",
                    said: format!("{own}{end}"),
                    form: Form::Sensor,
                    template: Some(read_out(text(self.0, "property")?)?),
                    told: Some(match class {
                        "opening" => ("false", "true"),
                        _ => ("true", "false"),
                    }),
                }
            }
            _ => return None,
        })
    }

    fn light(&self, is_only: bool, state: &mut State) -> Option<Form> {
        let full = self.feature("brightness").map(|of| {
            of.get("value_max")
                .and_then(Value::as_f64)
                .unwrap_or(254.0)
                .max(1.0)
        });
        let colour = match self.feature("color_xy") {
            Some(_) => Some(ColourForm::Xy),
            None => self.feature("color_hs").map(|_| ColourForm::Hs),
        };
        let white = self.feature("color_temp").map(|_| White::Mireds);
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
        let Switch { property, on, off } = self.switch("ON", "OFF")?;
        Some(Form::Json {
            full: full.filter(|_| is_only),
            colour,
            white,
            property,
            on,
            off,
        })
    }

    fn lock(&self, own: &str, end: &str) -> Option<Read> {
        let Switch { property, on, off } = self.switch("LOCK", "UNLOCK")?;
        let told = |value: &Value| match value {
            Value::String(word) => word.clone(),
            other => other.to_string(),
        };
        let said = match property.as_str() {
            "child_lock" => format!("{own}{end} child lock"),
            _ => format!("{own}{end}"),
        };
        Some(Read {
            domain: "lock",
            said,
            form: Form::Lock {
                lock: json!({&property: on}).to_string(),
                unlock: json!({&property: off}).to_string(),
                states: vec![(told(&on), "locked"), (told(&off), "unlocked")],
            },
            template: Some(read_out(&property)?),
            told: None,
        })
    }

    fn fan(&self) -> Option<Fan> {
        let number = |of: &Value, key: &str| of.get(key).and_then(Value::as_f64);
        let speed = match (self.feature("mode"), self.feature("speed")) {
            (_, Some(of)) => {
                let most = number(of, "value_max").unwrap_or(254.0).max(1.0);
                let least = number(of, "value_min").unwrap_or(1.0);
                Some(Speed::Number {
                    property: self.property("speed")?,
                    least: least.clamp(1.0, most),
                    most,
                })
            }
            (Some(_), None) => Some(Speed::Named {
                property: self.property("mode")?,
                modes: self.modes("mode"),
            }),
            (None, None) => None,
        };
        let switch = self.switch("ON", "OFF");
        (switch.is_some() || speed.is_some()).then_some(Fan { switch, speed })
    }

    fn climate(&self) -> Option<Climate> {
        const WANTED: [&str; 3] = [
            "occupied_heating_setpoint",
            "current_heating_setpoint",
            "occupied_cooling_setpoint",
        ];
        let setpoint = WANTED.into_iter().find_map(|name| self.feature(name));
        let wanted = setpoint.and_then(|of| {
            let number = |key: &str| of.get(key).and_then(Value::as_f64);
            Some(Wanted {
                property: text(of, "property")?.to_owned(),
                range: (
                    number("value_min").unwrap_or(f64::MIN),
                    number("value_max").unwrap_or(f64::MAX),
                ),
            })
        });
        let measured = self.property("local_temperature");
        let mode = self.property("system_mode");
        let mode = mode.map(|property| (property, self.modes("system_mode")));
        (wanted.is_some() || measured.is_some()).then_some(Climate {
            wanted,
            measured,
            mode,
        })
    }
}
