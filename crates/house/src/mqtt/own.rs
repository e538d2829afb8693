//! The speaker's own sensors, announced by Home Assistant's MQTT discovery: muted, volume, ready to call for help, in a call.
//!
//! ```text
//! <discovery>/<component>/hearthline_<id>/<sensor>/config   what it is, retained
//! hearthline/<id>/state                                     {"muted","volume","ready","in_call"}, retained
//! hearthline/<id>/availability                              online; offline as the last will
//! ```
//! What is no longer wanted is taken back: its retained topics are emptied, so that Home Assistant forgets the device.
//! Nothing tells who is called, what was said, or that somebody calls for help: a broker has many readers, and one of them may
//! be the reason for that call. Nothing is taken: no topic here is one for commands.
use std::net::SocketAddr;

use hearthline_speaker::config::MqttSettings;
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

/// Where the sensors of a speaker are announced, and under which name: what must be known to take them back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// The broker.
    pub address: SocketAddr,
    discovery: String,
    id: String,
}

impl Announced {
    /// By these settings, for the speaker of this name.
    #[must_use]
    pub fn new(settings: &MqttSettings, device: &str) -> Self {
        // Names have letters that no id may have, and stay out of topics.
        let hash = digest(&SHA256, device.as_bytes());
        let id = hash.as_ref()[..5].iter();
        Self {
            address: settings.address,
            discovery: settings.discovery.clone(),
            id: id.map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// All that the broker keeps of it.
    pub(super) fn topics(&self) -> impl Iterator<Item = String> {
        let sensors = SENSORS.iter().map(|sensor| self.config_topic(sensor));
        sensors.chain([self.topic("state"), self.topic("availability")])
    }

    fn topic(&self, last: &str) -> String {
        format!("hearthline/{}/{last}", self.id)
    }

    fn config_topic(&self, sensor: &Sensor) -> String {
        let Sensor { key, component, .. } = sensor;
        let Self { discovery, id, .. } = self;
        format!("{discovery}/{component}/{MARK}{id}/{key}/config")
    }
}

/// The speaker as a device of Home Assistant's.
#[derive(Debug)]
pub struct Own {
    announced: Announced,
    device: String,
    room: Option<String>,
    state: OwnState,
    /// The broker has not been given this state yet.
    pub(super) is_untold: bool,
}

impl Own {
    /// The speaker of this name, in this room if that is known.
    #[must_use]
    pub fn new(announced: &Announced, device: &str, room: Option<&str>) -> Self {
        Self {
            announced: announced.clone(),
            device: device.to_owned(),
            room: room.map(str::to_owned),
            state: OwnState::default(),
            is_untold: false,
        }
    }

    /// Where it is announced.
    pub(super) fn announced(&self) -> &Announced {
        &self.announced
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
        format!("{}/status", self.announced.discovery)
    }

    /// Whether an announcement is ours: no thing of the house.
    pub(super) fn has_announced(&self, id: &str) -> bool {
        let node = id.split('/').next().unwrap_or_default();
        node.strip_prefix(MARK) == Some(&*self.announced.id)
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
            topic: self.announced.topic("state"),
            payload: payload.to_string(),
        }
    }

    fn availability(&self) -> String {
        self.announced.topic("availability")
    }

    fn sensor(&self, sensor: &Sensor) -> Message {
        let Sensor {
            key, name, icon, ..
        } = sensor;
        let device = format!("{MARK}{}", self.announced.id);
        let version = env!("CARGO_PKG_VERSION");
        let mut config = json!({
            "name": name,
            "unique_id": format!("{device}_{key}"),
            "state_topic": self.announced.topic("state"),
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
            topic: self.announced.config_topic(sensor),
            payload: config.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(device: &str, room: Option<&str>) -> Own {
        let settings = MqttSettings {
            address: SocketAddr::from(([127, 0, 0, 1], 1_883)),
            username: None,
            password_file: None,
            certificate: None,
            discovery: "homeassistant".into(),
            zigbee2mqtt: "zigbee2mqtt".into(),
            sensors: true,
        };
        Own::new(&Announced::new(&settings, device), device, room)
    }

    #[test]
    fn ids_hold_what_topics_may_hold_and_tell_speakers_apart() {
        let one = own("K\u{fc}che/+#", Some("K\u{fc}che"));
        let other = own("Kuche", None);
        assert_ne!(one.announced.id, other.announced.id);
        let announced: Vec<_> = one.announcement();
        let topics: Vec<_> = announced.iter().map(|message| &message.topic).collect();
        let taken_back: Vec<String> = one.announced().topics().collect();
        assert_eq!(topics, taken_back.iter().collect::<Vec<_>>());
        for message in announced {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte);
            assert!(message.topic.bytes().all(plain), "{}", message.topic);
        }
        assert!(one.has_announced(&format!("hearthline_{}/muted", one.announced.id)));
        assert!(!other.has_announced(&format!("hearthline_{}/muted", one.announced.id)));
    }

    #[test]
    fn what_is_the_same_is_not_told_again() {
        let mut own = own("Kitchen", None);
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
