//! The speaker's own sensors, announced by Home Assistant's MQTT discovery: muted, volume, ready to call for help, in a call.
//!
//! ```text
//! <discovery>/<component>/hearthline_<id>/<sensor>/config   what it is, retained
//! hearthline/<id>/state                                     {"muted","volume","ready","in_call"}, retained
//! hearthline/<id>/availability                              online; offline as the last will
//! ```
//! Nothing tells who is called, what was said, or that somebody calls for help: a broker has many readers, and one of them may
//! be the reason for that call. Nothing is taken: no topic here is one for commands.
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::packet::Will;
use super::wire::Message;

/// Begins every id of ours.
const MARK: &str = "hearthline_";

/// What the sensors show; none: nobody knows yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnState {
    /// Whether somebody has muted the loudspeaker.
    pub muted: Option<bool>,
    /// How loud it is set to be, in per cent.
    pub volume: Option<u8>,
    /// Whether `hearth doctor` finds nothing open.
    pub ready: Option<bool>,
    /// Whether an ordinary call rings or stands.
    pub in_call: Option<bool>,
}

impl OwnState {
    /// Takes over what another one knows.
    pub fn update(&mut self, newer: Self) {
        self.muted = newer.muted.or(self.muted);
        self.volume = newer.volume.or(self.volume);
        self.ready = newer.ready.or(self.ready);
        self.in_call = newer.in_call.or(self.in_call);
    }
}

/// One sensor.
struct Sensor {
    key: &'static str,
    component: &'static str,
    name: &'static str,
    icon: &'static str,
}

const SENSORS: [Sensor; 4] = [
    Sensor {
        key: "muted",
        component: "binary_sensor",
        name: "Muted",
        icon: "mdi:volume-off",
    },
    Sensor {
        key: "volume",
        component: "sensor",
        name: "Volume",
        icon: "mdi:volume-high",
    },
    Sensor {
        key: "ready",
        component: "binary_sensor",
        name: "Ready to call for help",
        icon: "mdi:lifebuoy",
    },
    Sensor {
        key: "in_call",
        component: "binary_sensor",
        name: "In a call",
        icon: "mdi:phone-in-talk",
    },
];

/// The speaker as a device of Home Assistant's.
#[derive(Debug)]
pub struct Own {
    id: String,
    device: String,
    room: Option<String>,
    discovery: String,
    state: OwnState,
    /// The broker has not been given this state yet.
    pub(super) is_untold: bool,
}

impl Own {
    /// The speaker of this name, in this room if that is known, announced below `discovery`.
    #[must_use]
    pub fn new(device: &str, room: Option<&str>, discovery: &str) -> Self {
        // Names have letters that no id may have, and stay out of topics.
        let hash = digest(&SHA256, device.as_bytes());
        let id = hash.as_ref()[..5].iter();
        Self {
            id: id.map(|byte| format!("{byte:02x}")).collect(),
            device: device.to_owned(),
            room: room.map(str::to_owned),
            discovery: discovery.to_owned(),
            state: OwnState::default(),
            is_untold: false,
        }
    }

    /// What the broker says when we vanish.
    #[must_use]
    pub fn will(&self) -> Will {
        Will {
            topic: self.availability(),
            payload: b"offline".to_vec(),
        }
    }

    /// Where Home Assistant says that it has started.
    pub(super) fn birth_topic(&self) -> String {
        format!("{}/status", self.discovery)
    }

    /// Whether an announcement is ours: no thing of the house.
    pub(super) fn has_announced(&self, id: &str) -> bool {
        let node = id.split('/').next().unwrap_or_default();
        node.strip_prefix(MARK) == Some(&*self.id)
    }

    /// Takes what has changed; true when that is anything.
    pub(super) fn take(&mut self, newer: OwnState) -> bool {
        let before = self.state;
        self.state.update(newer);
        self.is_untold |= self.state != before;
        self.is_untold
    }

    /// All that Home Assistant is told, each retained: what there is, how it is, that it is there.
    #[must_use]
    pub fn announcement(&self) -> Vec<Message> {
        let mut all: Vec<Message> = SENSORS.iter().map(|sensor| self.sensor(sensor)).collect();
        all.push(self.told());
        all.push(Message {
            topic: self.availability(),
            payload: "online".to_owned(),
        });
        all
    }

    /// How it is.
    pub(super) fn told(&self) -> Message {
        let switch = |on: Option<bool>| on.map(|on| if on { "ON" } else { "OFF" });
        let OwnState {
            muted,
            volume,
            ready,
            in_call,
        } = self.state;
        let payload = json!({
            "muted": switch(muted),
            "volume": volume,
            "ready": switch(ready),
            "in_call": switch(in_call),
        });
        Message {
            topic: self.topic("state"),
            payload: payload.to_string(),
        }
    }

    fn availability(&self) -> String {
        self.topic("availability")
    }

    fn topic(&self, last: &str) -> String {
        format!("hearthline/{}/{last}", self.id)
    }

    fn sensor(&self, sensor: &Sensor) -> Message {
        let Sensor {
            key,
            component,
            name,
            icon,
        } = sensor;
        let device = format!("{MARK}{}", self.id);
        let version = env!("CARGO_PKG_VERSION");
        let mut config = json!({
            "name": name,
            "unique_id": format!("{device}_{key}"),
            "state_topic": self.topic("state"),
            // What nobody knows yet renders as None, which Home Assistant shows as unknown.
            "value_template": format!("{{{{ value_json.{key} }}}}"),
            "availability_topic": self.availability(),
            "icon": icon,
            "qos": 1,
            "device": {
                "identifiers": [device],
                "name": self.device,
                "manufacturer": "Hearthline",
                "model": "Speaker",
                "sw_version": version,
            },
            "origin": {"name": "Hearthline", "sw_version": version},
        });
        let mut put = |key: &str, value: Value| config[key] = value;
        match *key {
            "volume" => {
                put("unit_of_measurement", "%".into());
                put("state_class", "measurement".into());
            }
            "ready" => put("entity_category", "diagnostic".into()),
            _ => {}
        }
        if let Some(room) = &self.room {
            config["device"]["suggested_area"] = room.clone().into();
        }
        Message {
            topic: format!("{}/{component}/{device}/{key}/config", self.discovery),
            payload: config.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_hold_what_topics_may_hold_and_tell_speakers_apart() {
        let one = Own::new("K\u{fc}che/+#", Some("K\u{fc}che"), "homeassistant");
        let other = Own::new("Kuche", None, "homeassistant");
        assert_ne!(one.id, other.id);
        for message in one.announcement() {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte);
            assert!(message.topic.bytes().all(plain), "{}", message.topic);
        }
        assert!(one.has_announced(&format!("hearthline_{}/muted", one.id)));
        assert!(!other.has_announced(&format!("hearthline_{}/muted", one.id)));
    }

    #[test]
    fn what_is_the_same_is_not_told_again() {
        let mut own = Own::new("Kitchen", None, "homeassistant");
        let loud = OwnState {
            volume: Some(60),
            ..OwnState::default()
        };
        assert!(own.take(loud));
        own.is_untold = false;
        assert!(!own.take(loud));
        assert!(own.take(OwnState {
            ready: Some(true),
            ..OwnState::default()
        }));
        assert_eq!(
            own.told().payload,
            r#"{"in_call":null,"muted":null,"ready":"ON","volume":60}"#
        );
    }
}
