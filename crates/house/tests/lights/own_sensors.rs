//! The speaker's own sensors at a real broker, Mosquitto: announced as Home Assistant wants them, and taken back when they
//! are switched off or the speaker has another name.
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use hearthline_house::io::fitted;
use hearthline_speaker::io::skills::{Fitted, Port};
use hearthline_speaker::player::Rooms;
use hearthline_speaker::skill::{Deed, Engaged, Event, Skill};
use serde_json::{Value, json};

use crate::household::household;
use crate::mosquitto::{Broker, Ended, programs, sections};

/// Longest that anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);
/// All that a speaker tells of itself, and all that is announced.
const EVERYTHING: [&str; 2] = ["homeassistant/#", "hearthline/#"];

/// A client of the broker.
struct Reader {
    lines: Receiver<String>,
    /// What it has read last, by topic.
    read: BTreeMap<String, String>,
    _program: Ended,
}

impl Reader {
    fn of(port: u16) -> Self {
        let mut command = Command::new("mosquitto_sub");
        command.args(["-p", &port.to_string(), "-F", "%t %p"]);
        for filter in EVERYTHING {
            command.args(["-t", filter]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let (send, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            lines: heard,
            read: BTreeMap::new(),
            _program: Ended(child),
        }
    }

    /// Reads until it is so.
    fn until(&mut self, is_so: impl Fn(&BTreeMap<String, String>) -> bool) {
        let last = Instant::now() + PATIENCE;
        while !is_so(&self.read) {
            let left = last.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|why| panic!("{why}: {:#?}", self.read));
            let (topic, payload) = line.split_once(' ').unwrap_or((&line, ""));
            self.read.insert(topic.to_owned(), payload.to_owned());
        }
    }

    /// Topics that hold something.
    fn held(&self) -> Vec<&String> {
        let held = self.read.iter().filter(|(_, payload)| !payload.is_empty());
        held.map(|(topic, _)| topic).collect()
    }
}

/// What a new client of the broker reads there, by topic, until `is_all` says that it is enough.
fn read_topics(
    port: u16,
    is_all: impl Fn(&BTreeMap<String, String>) -> bool,
) -> BTreeMap<String, String> {
    let mut reader = Reader::of(port);
    reader.until(is_all);
    reader.read
}

/// The skill of the sensors, driven as a device would.
struct Sensors {
    skill: Box<dyn Skill>,
    port: Option<Port>,
    kept: Vec<u8>,
    /// The house runs as long as its skill is there.
    others: Vec<Fitted>,
}

impl Sensors {
    /// Out of the skills of a house, which had kept this in an earlier run.
    fn of(fitted: Vec<Fitted>, kept: &[u8]) -> Self {
        let (sensors, others): (Vec<_>, Vec<_>) =
            (fitted.into_iter()).partition(|fitted| fitted.skill.name() == "sensors");
        let Fitted { skill, port } = sensors.into_iter().next().unwrap();
        let mut sensors = Self {
            skill,
            port,
            kept: kept.to_owned(),
            others,
        };
        let now = Duration::ZERO;
        sensors.skill.handle(Event::Restored(kept), now);
        sensors.skill.volume(60, false, now);
        sensors.turn();
        sensors
    }

    fn turn(&mut self) {
        loop {
            while let Some(deed) = self.skill.poll_deed() {
                match (deed, &self.port) {
                    (Deed::Out(value), Some(port)) => port.out.blocking_send(value).unwrap(),
                    (Deed::Keep { bytes, .. }, _) => self.kept = bytes,
                    (deed, _) => panic!("{deed:?}"),
                }
            }
            let came = self
                .port
                .as_mut()
                .and_then(|port| port.came.try_recv().ok());
            match came {
                Some(value) => self.skill.handle(Event::Came(&value), Duration::ZERO),
                None => return,
            }
        }
    }

    /// Until it remembers so many announcements.
    fn remembers(&mut self, count: usize) {
        let last = Instant::now() + PATIENCE;
        loop {
            self.turn();
            let kept: Vec<Value> = serde_json::from_slice(&self.kept).unwrap();
            if kept.len() == count {
                return;
            }
            assert!(Instant::now() < last, "{kept:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Topics of a speaker: what they begin with is found by its name.
fn of_speaker(read: &BTreeMap<String, String>, name: &str) -> Vec<String> {
    let named = format!("\"name\":\"{name}\"");
    let config = read
        .iter()
        .find(|(topic, payload)| topic.contains("/muted/") && payload.contains(&named));
    let id = config.map(|(topic, _)| topic.split('/').nth(2).unwrap().replace("hearthline_", ""));
    let ours = |topic: &&String| id.as_ref().is_some_and(|id| topic.contains(id.as_str()));
    read.keys().filter(ours).cloned().collect()
}

#[test]
fn a_speaker_that_was_renamed_takes_back_what_it_had_announced() {
    let Some(program) = programs() else { return };
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(program, folder.path(), None);
    let sections = sections(folder.path(), broker.port) + "sensors = true\n";
    let start = |name: &str| {
        fitted(
            &household(name, &sections),
            Box::new(|| true),
            None,
            Rooms::default(),
        )
    };
    let mut reader = Reader::of(broker.port);
    let hall = Sensors::of(start("Hall").skills, &[]);
    let kitchen = Sensors::of(start("Kitchen").skills, &[]);
    reader.until(|read| {
        of_speaker(read, "Kitchen").len() == 6 && of_speaker(read, "Hall").len() == 6
    });
    let old = of_speaker(&reader.read, "Kitchen");
    let kept = kitchen.kept.clone();
    drop(kitchen);
    // Its last will is read: what is emptied after that stays so.
    reader.until(|read| {
        let offline = |topic: &String| read[topic] == "offline";
        old.iter().any(offline)
    });
    let mut galley = Sensors::of(start("Galley").skills, &kept);
    reader.until(|read| {
        of_speaker(read, "Galley").len() == 6 && old.iter().all(|topic| read[topic].is_empty())
    });
    galley.remembers(1);
    // Nothing else was touched, and a new client reads nothing of the old name.
    let read = read_topics(broker.port, |read| {
        of_speaker(read, "Galley").len() == 6 && of_speaker(read, "Hall").len() == 6
    });
    assert_eq!(read.len(), 12, "{read:#?}");
    drop((hall, galley));
}

#[test]
fn sensors_that_are_switched_off_are_forgotten_whether_it_runs_or_is_started_anew() {
    let Some(program) = programs() else { return };
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(program, folder.path(), None);
    let off = sections(folder.path(), broker.port);
    let on = format!("{off}sensors = true\n");
    let ready = || -> hearthline_house::io::Readiness { Box::new(|| true) };
    let mut reader = Reader::of(broker.port);
    let mut house = fitted(&household("Kitchen", &on), ready(), None, Rooms::default());
    let mut sensors = Sensors::of(core::mem::take(&mut house.skills), &[]);
    // What the device does with a configuration that comes while it runs.
    let mut reload = |sections: &str, sensors: &mut Sensors| {
        let reloaded = house
            .control
            .reload(&household("Kitchen", sections), ready(), None);
        assert_eq!(reloaded.notices, [""; 0]);
        let others = core::mem::take(&mut sensors.others);
        *sensors = Sensors::of(reloaded.skills, &sensors.kept);
        sensors.others = others;
    };
    let forgotten =
        |read: &BTreeMap<String, String>| read.len() == 6 && read.values().all(String::is_empty);
    let announced = |read: &BTreeMap<String, String>| {
        read.len() == 6
            && read.iter().all(|(topic, payload)| {
                !payload.is_empty() && (!topic.ends_with("availability") || payload == "online")
            })
    };
    for without in [off.as_str(), ""] {
        reader.until(announced);
        reload(without, &mut sensors);
        reader.until(forgotten);
        if !without.is_empty() {
            sensors.remembers(0);
        }
        reload(&on, &mut sensors);
    }
    reader.until(announced);
    sensors.remembers(1);
    let kept = sensors.kept.clone();
    drop((sensors, house));
    reader.until(|read| read.values().any(|payload| payload == "offline"));
    // Started anew without them.
    let mut sensors = Sensors::of(
        fitted(&household("Kitchen", &off), ready(), None, Rooms::default()).skills,
        &kept,
    );
    reader.until(forgotten);
    sensors.remembers(0);
    assert_eq!(reader.held(), [""; 0]);
}

#[test]
fn the_speakers_own_sensors_are_announced_as_home_assistant_wants_them() {
    let Some(program) = programs() else { return };
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(program, folder.path(), None);
    let with = |more: &str| {
        let sections = sections(folder.path(), broker.port);
        let text = format!(
            "[device]\nname = \"K\u{fc}che\"\ncountry = \"US\"\n[person]\nname = \"Drill Person\"\n[house]\nroom = \"Kitchen\"\n{sections}{more}"
        );
        let household = hearthline_speaker::config::Household::parse(&text).unwrap();
        fitted(&household, Box::new(|| true), None, Rooms::default()).skills
    };
    let mut fitted = with("sensors = true\n");
    assert_eq!(fitted.len(), 2);
    let mut sensors = fitted.remove(0);
    assert_eq!(sensors.skill.name(), "sensors");
    let port = sensors.port.take().unwrap();
    let mut say = |event: Option<Engaged>, (percent, muted): (u8, bool)| {
        let now = Duration::ZERO;
        sensors.skill.volume(percent, muted, now);
        if let Some(engaged) = event {
            sensors.skill.handle(Event::Engaged(engaged), now);
        }
        while let Some(deed) = sensors.skill.poll_deed() {
            match deed {
                Deed::Out(value) => port.out.blocking_send(value).unwrap(),
                Deed::Keep { .. } => {}
                deed => panic!("{deed:?}"),
            }
        }
    };
    say(None, (60, false));
    let state_of = |read: &BTreeMap<String, String>| -> Value {
        let state = read.iter().find(|(topic, _)| topic.ends_with("/state"));
        state.map_or(Value::Null, |(_, payload)| {
            serde_json::from_str(payload).unwrap()
        })
    };
    let read = read_topics(broker.port, |read| {
        let state = state_of(read);
        read.len() == 6 && state["ready"] == "ON" && state["volume"] == 60
    });
    assert_eq!(
        state_of(&read),
        json!({"muted": "OFF", "volume": 60, "ready": "ON", "in_call": "OFF"})
    );
    let online = read
        .iter()
        .find(|(topic, _)| topic.ends_with("/availability"));
    let (availability, online) = online.unwrap();
    assert_eq!(online, "online");
    let state_topic = read.keys().find(|topic| topic.ends_with("/state")).unwrap();
    let configs: Vec<(&String, Value)> = read
        .iter()
        .filter(|(topic, _)| topic.ends_with("/config"))
        .map(|(topic, payload)| (topic, serde_json::from_str(payload).unwrap()))
        .collect();
    assert_eq!(configs.len(), 4);
    for (topic, config) in &configs {
        // <discovery prefix>/<component>/[<node id>/]<object id>/config, ids of [a-zA-Z0-9_-].
        let parts: Vec<&str> = topic.split('/').collect();
        assert_eq!(
            (parts[0], parts.len(), parts[4]),
            ("homeassistant", 5, "config")
        );
        let plain = |part: &str| {
            part.chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter))
        };
        assert!(plain(parts[2]) && plain(parts[3]), "{topic}");
        assert_eq!(config["state_topic"], state_topic.as_str());
        assert_eq!(config["availability_topic"], availability.as_str());
        assert_eq!(config["device"]["identifiers"], json!([parts[2]]));
        assert_eq!(config["device"]["name"], "K\u{fc}che");
        assert_eq!(config["device"]["suggested_area"], "Kitchen");
        assert_eq!(config["origin"]["name"], "Hearthline");
        let unique = format!("{}_{}", parts[2], parts[3]);
        assert_eq!(config["unique_id"], unique.as_str());
        let template = format!("{{{{ value_json.{} }}}}", parts[3]);
        assert_eq!(config["value_template"], template.as_str());
        assert!(config.get("command_topic").is_none(), "{config}");
    }
    if let Some(python) = std::env::var_os("HEARTH_HASS_PYTHON") {
        accepted_by_home_assistant(&python, &configs);
    }
    for (engaged, volume, key, value) in [
        (None, (60, true), "muted", json!("ON")),
        (None, (35, false), "volume", json!(35)),
        (Some(Engaged::OnCall), (35, false), "in_call", json!("ON")),
        (Some(Engaged::Free), (35, false), "in_call", json!("OFF")),
    ] {
        let begun = Instant::now();
        say(engaged, volume);
        read_topics(broker.port, |read| state_of(read)[key] == value);
        println!("{key} followed within {:?}", begun.elapsed());
    }
    // Home Assistant was started anew: all of it is told again, to whoever has forgotten it.
    let volume = configs.iter().find(|(topic, _)| topic.contains("/volume/"));
    let (volume, _) = volume.unwrap();
    broker.publish(volume, "");
    broker.publish("homeassistant/status", "online");
    read_topics(broker.port, |read| {
        read.get(*volume).is_some_and(|config| !config.is_empty())
    });
    let all = read_topics(broker.port, |read| read.len() == 7);
    for secret in ["Drill Person", "only for drills", "911"] {
        assert!(!format!("{all:?}").contains(secret));
    }
    // The speaker vanishes without a word: its last will says so.
    drop((port, sensors, fitted));
    read_topics(broker.port, |read| {
        read.get(availability.as_str())
            .is_some_and(|said| said == "offline")
    });
}

/// Home Assistant's own schemas of these announcements; `HEARTH_HASS_PYTHON` is a Python that has `homeassistant`.
fn accepted_by_home_assistant(python: &std::ffi::OsStr, configs: &[(&String, Value)]) {
    let schemas = "import json, sys\n\
        from homeassistant.components.mqtt import binary_sensor, sensor\n\
        schemas = {'binary_sensor': binary_sensor.DISCOVERY_SCHEMA, 'sensor': sensor.DISCOVERY_SCHEMA}\n\
        for topic, config in json.loads(sys.argv[1]):\n    schemas[topic.split('/')[1]](config)\n\
        print('accepted')\n";
    let said = Command::new(python)
        .args(["-c", schemas])
        .arg(json!(configs).to_string())
        .output()
        .unwrap();
    let why = String::from_utf8_lossy(&said.stderr);
    assert_eq!(String::from_utf8_lossy(&said.stdout), "accepted\n", "{why}");
}
