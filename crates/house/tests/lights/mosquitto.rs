//! The whole way by a real broker, Mosquitto, with devices that are its own command-line clients: Home Assistant's
//! discovery and zigbee2mqtt, password and TLS, a broker that goes and comes back.
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hearthline_speaker::skill::{Range, Reply, When};
use serde_json::{Value, json};

use crate::household::{Running, english, free_port};

/// The programs; none after saying that the test is skipped. Under `CI` the lack is a failure.
pub(crate) fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let broker = places.find(|folder| folder.join("mosquitto").is_file());
    let ran = Command::new("mosquitto_pub").arg("--help").output();
    match (broker, ran) {
        (Some(folder), Ok(_)) => Some(folder.join("mosquitto")),
        _ => {
            assert!(
                std::env::var_os("CI").is_none(),
                "no mosquitto: cargo xtask packages"
            );
            println!("skipped: no mosquitto and mosquitto-clients");
            None
        }
    }
}

/// A program that is ended with the test.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) struct Broker {
    program: PathBuf,
    config: PathBuf,
    pub(crate) port: u16,
    process: Option<Ended>,
}

impl Broker {
    /// With a password for `hearth`; devices come without.
    pub(crate) fn start(program: PathBuf, folder: &Path, tls: Option<(&Path, &Path)>) -> Self {
        let port = free_port();
        let passwords = folder.join("passwords");
        let made = Command::new("mosquitto_passwd")
            .args(["-b", "-c"])
            .arg(&passwords)
            .args(["hearth", "only for drills"])
            .status();
        assert!(made.unwrap().success());
        let mut config = format!(
            "per_listener_settings true\nlistener {port} 127.0.0.1\nallow_anonymous {}\npassword_file {}\n",
            tls.is_none(),
            passwords.display()
        );
        if let Some((certificate, key)) = tls {
            config.push_str(&format!(
                "certfile {}\nkeyfile {}\n",
                certificate.display(),
                key.display()
            ));
        }
        // It drops root for a user that must be able to read its files.
        config.push_str("user root\n");
        let place = folder.join("mosquitto.conf");
        std::fs::write(&place, config).unwrap();
        let mut broker = Self {
            program,
            config: place,
            port,
            process: None,
        };
        broker.begin();
        broker
    }

    fn begin(&mut self) {
        let child = Command::new(&self.program)
            .arg("-c")
            .arg(&self.config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.process = Some(Ended(child.unwrap()));
        let last = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < last, "the broker does not start");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    pub(crate) fn publish(&self, topic: &str, payload: &str) {
        let port = self.port.to_string();
        let done = Command::new("mosquitto_pub")
            .args(["-p", &port, "-r", "-t", topic, "-m", payload])
            .status();
        assert!(done.unwrap().success());
    }

    /// A device that notes what it is told and says that it is so: what is told at `topic`, `says` tells where and what.
    pub(crate) fn device(
        &self,
        topic: &str,
        says: impl Fn(&str) -> Option<(String, String)> + Send + 'static,
    ) -> (Ended, std::sync::mpsc::Receiver<String>) {
        let port = self.port.to_string();
        let mut child = Command::new("mosquitto_sub")
            .args(["-p", &port, "-t", topic])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let heard = child.stdout.take().unwrap();
        let (note, noted) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(heard).lines().map_while(Result::ok) {
                if let Some((topic, payload)) = says(&line) {
                    let _ = Command::new("mosquitto_pub")
                        .args(["-p", &port, "-r", "-t", &topic, "-m", &payload])
                        .status();
                }
                let _ = note.send(line);
            }
        });
        (Ended(child), noted)
    }
}

pub(crate) fn sections(folder: &Path, port: u16) -> String {
    let password = folder.join("password");
    std::fs::write(&password, "only for drills\n").unwrap();
    format!(
        "[mqtt]\naddress = \"127.0.0.1:{port}\"\nusername = \"hearth\"\npassword_file = \"{}\"\n",
        password.display()
    )
}

fn done(reply: &Reply) {
    assert!(matches!(reply, Reply::Response(_)), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn things_that_announce_themselves_do_what_is_said() {
    let (Some(program), Some(_)) = (programs(), english()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut broker = Broker::start(program, folder.path(), None);
    let device = json!({"ids": ["1"], "name": "Desk", "sa": "Office"});
    let announce = |component: &str, id: &str, config: Value| {
        broker.publish(
            &format!("homeassistant/{component}/{id}/config"),
            &config.to_string(),
        );
    };
    announce(
        "light",
        "desk",
        json!({
            "~": "tasmota/desk", "name": null, "cmd_t": "~/set", "stat_t": "~/state", "schema": "json",
            "brightness": true, "sup_clrm": ["color_temp", "rgb"], "dev": device, "avty_t": "~/lwt",
        }),
    );
    announce(
        "light",
        "plain",
        json!({
            "name": "Plain Lamp", "command_topic": "plain/set", "state_topic": "plain/state",
            "brightness_command_topic": "plain/bri", "brightness_state_topic": "plain/bri/state", "brightness_scale": 100,
        }),
    );
    announce(
        "switch",
        "node/heater",
        json!({"name": "Heater", "command_topic": "heater/set", "payload_on": "1", "payload_off": "0"}),
    );
    announce(
        "sensor",
        "t",
        json!({
            "name": "Garden Temperature", "state_topic": "garden", "value_template": "{{ value_json.t | round(1) }}",
            "unit_of_measurement": "°C", "device_class": "temperature",
        }),
    );
    announce(
        "cover",
        "blind",
        json!({
            "name": "Blind", "command_topic": "blind/set", "state_topic": "blind/state", "position_topic": "blind/pos",
            "set_position_topic": "blind/pos/set",
        }),
    );
    announce(
        "scene",
        "movie",
        json!({"name": "Movie Night", "command_topic": "scene/movie", "payload_on": "go"}),
    );
    announce(
        "light",
        "broken",
        json!({"name": "Broken", "schema": "template", "command_topic": "x"}),
    );
    announce("light", "worse", json!("{"));
    broker.publish("tasmota/desk/lwt", "online");
    broker.publish("tasmota/desk/state", r#"{"state":"OFF","brightness":10}"#);
    broker.publish("plain/state", "OFF");
    broker.publish("garden", r#"{"t":3.14159}"#);
    broker.publish("blind/state", "open");
    let (_desk, desk) = broker.device("tasmota/desk/set", |_| {
        Some((
            "tasmota/desk/state".into(),
            r#"{"state":"ON","brightness":128,"color":{"r":255,"g":0,"b":0}}"#.into(),
        ))
    });
    let (_plain, plain) = broker.device("plain/bri", |_| Some(("plain/state".into(), "ON".into())));
    let (_scene, scene) = broker.device("scene/movie", |_| None);
    let (_blind, blind) = broker.device("blind/pos/set", |line| {
        Some(("blind/pos".into(), line.to_owned()))
    });
    let (_heater, heater) = broker.device("heater/set", |_| None);
    let mut running = Running::new("Office", &sections(folder.path(), broker.port));
    running.shows("Desk", "off").await;
    running.shows("Blind", "open").await;
    let wait = Duration::from_secs(5);
    let (reply, took) = running.say("set the desk color to red").await;
    done(&reply);
    assert!(took < Duration::from_secs(1), "{took:?}");
    let told: Value = serde_json::from_str(&desk.recv_timeout(wait).unwrap()).unwrap();
    assert_eq!(
        told,
        json!({"state": "ON", "color": {"r": 255, "g": 0, "b": 0}})
    );
    running.shows("Desk", "on").await;
    done(&running.say("set the plain lamp brightness to 40%").await.0);
    assert_eq!(plain.recv_timeout(wait).unwrap(), "40");
    done(&running.say("activate movie night").await.0);
    assert_eq!(scene.recv_timeout(wait).unwrap(), "go");
    done(&running.say("set the blind to 30 percent").await.0);
    assert_eq!(blind.recv_timeout(wait).unwrap(), "30");
    done(&running.say("turn on the heater").await.0);
    assert_eq!(heater.recv_timeout(wait).unwrap(), "1");
    let (reply, _) = running.say("what is the garden temperature").await;
    let Reply::Response(facts) = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(facts.otherwise, "Garden Temperature is 3.1.");
    // A routine that waits for frost is begun by it once.
    let frost = When::Enters {
        thing: "garden temperature".into(),
        room: None,
        range: Range::new(None, Some(0.0)).unwrap(),
    };
    for celsius in ["-0.7", "-1.3", "2.5", "-2.1"] {
        broker.publish("garden", &format!(r#"{{"t":{celsius}}}"#));
        let told = format!("the garden has {celsius}");
        let came = |running: &mut Running| {
            let last = running.happened.last();
            last.is_some_and(|last| format!("{last:?}").contains(celsius))
        };
        running.until(&told, |running, _| came(running)).await;
    }
    let begun = running.happened.iter().filter(|what| frost.is(what));
    assert_eq!(begun.count(), 2, "{:?}", running.happened);
    assert!(
        running
            .steps
            .iter()
            .any(|step| step.contains("schema template")),
        "{:?}",
        running.steps
    );
    // A device whose will was published is spoken of.
    broker.publish("tasmota/desk/lwt", "offline");
    running.shows("Desk", "unavailable").await;
    let (reply, took) = running.say("turn on the desk").await;
    assert_eq!(
        reply,
        Reply::Refused("Desk: it cannot be reached at the moment.".into())
    );
    assert!(took < Duration::from_millis(100), "{took:?}");
    // A lamp that takes the order and never says so.
    drop(_plain);
    let (reply, took) = running.say("turn off the plain lamp").await;
    assert_eq!(
        reply,
        Reply::Refused("Plain Lamp: it did not answer.".into())
    );
    assert!(took <= Duration::from_secs(2), "{took:?}");
    // The broker goes, and comes back with what was announced.
    broker.process = None;
    running
        .until("the broker is gone", |running, _| {
            running.shown["systems"][0]["answers"] == false
        })
        .await;
    let (reply, _) = running.say("turn on the heater").await;
    assert!(
        matches!(&reply, Reply::Refused(words) if words.starts_with("Heater: The MQTT broker cannot be reached")),
        "{reply:?}"
    );
    broker.begin();
    running
        .until("the broker is back", |running, _| {
            running.shown["systems"][0]["answers"] == true
        })
        .await;
    // An empty announcement takes a thing away. Without persistence the broker has forgotten all.
    broker.publish(
        "homeassistant/switch/node/heater/config",
        r#"{"name":"Heater","command_topic":"heater/set"}"#,
    );
    running.shows("Heater", "").await;
    broker.publish("homeassistant/switch/node/heater/config", "");
    running
        .until("the heater is gone", |running, _| {
            !running.shown.to_string().contains("Heater")
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_of_zigbee2mqtt_do_what_is_said() {
    let (Some(program), Some(_)) = (programs(), english()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(program, folder.path(), None);
    let devices = json!([
        {"friendly_name": "Coordinator", "type": "Coordinator", "definition": null},
        {"friendly_name": "kitchen/ceiling", "definition": {"exposes": [
            {"type": "light", "features": [
                {"name": "state", "property": "state", "type": "binary", "value_on": "ON", "value_off": "OFF", "value_toggle": "TOGGLE"},
                {"name": "brightness", "property": "brightness", "type": "numeric", "value_min": 0, "value_max": 254},
                {"name": "color_temp", "property": "color_temp", "type": "numeric", "value_min": 150, "value_max": 500},
                {"name": "color_xy", "property": "color", "type": "composite", "features": []},
            ]},
            {"type": "numeric", "name": "linkquality", "property": "linkquality"},
        ]}},
        {"friendly_name": "hall/door", "definition": {"exposes": [{"type": "binary", "name": "contact", "property": "contact", "value_on": false, "value_off": true}]}},
        {"friendly_name": "bath/climate", "definition": {"exposes": [{"type": "numeric", "name": "temperature", "property": "temperature", "unit": "°C"}]}},
        {"friendly_name": "porch/lock", "definition": {"exposes": [{"type": "lock", "features": [{"name": "state", "property": "state"}]}]}},
    ]);
    broker.publish("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#);
    broker.publish("zigbee2mqtt/bridge/devices", &devices.to_string());
    broker.publish(
        "zigbee2mqtt/kitchen/ceiling",
        r#"{"state":"OFF","brightness":254,"color_temp":370}"#,
    );
    broker.publish("zigbee2mqtt/hall/door", r#"{"contact":false}"#);
    broker.publish("zigbee2mqtt/bath/climate", r#"{"temperature":21.5}"#);
    broker.publish("zigbee2mqtt/porch/lock", r#"{"state":"LOCK"}"#);
    let (_lamp, lamp) = broker.device("zigbee2mqtt/kitchen/ceiling/set", |line| {
        let mut state = json!({"state": "ON", "brightness": 254});
        let told: Value = serde_json::from_str(line).ok()?;
        for (key, value) in told.as_object()? {
            state[key] = value.clone();
        }
        Some(("zigbee2mqtt/kitchen/ceiling".into(), state.to_string()))
    });
    let (_lock, lock) = broker.device("zigbee2mqtt/porch/lock/set", |_| {
        Some((
            "zigbee2mqtt/porch/lock".into(),
            r#"{"state":"UNLOCK"}"#.into(),
        ))
    });
    let mut running = Running::new("Kitchen", &sections(folder.path(), broker.port));
    running.shows("ceiling", "off").await;
    running.shows("lock", "locked").await;
    let wait = Duration::from_secs(5);
    let tell = |told: &str| {
        let heard: Value = serde_json::from_str(&lamp.recv_timeout(wait).unwrap()).unwrap();
        let told: Value = serde_json::from_str(told).unwrap();
        assert_eq!(heard, told);
    };
    done(&running.say("turn on the lights").await.0);
    tell(r#"{"state":"ON"}"#);
    done(&running.say("set the kitchen brightness to 50%").await.0);
    tell(r#"{"state":"ON","brightness":127}"#);
    done(&running.say("set the kitchen color to red").await.0);
    tell(r#"{"state":"ON","color":{"x":0.7006,"y":0.2993}}"#);
    done(
        &running
            .say("set the color temperature in the kitchen to 2700 kelvin")
            .await
            .0,
    );
    tell(r#"{"state":"ON","color_temp":370}"#);
    done(&running.say("turn off the ceiling").await.0);
    tell(r#"{"state":"OFF"}"#);
    running.shows("ceiling", "off").await;
    let (reply, _) = running.say("what is the climate temperature").await;
    let Reply::Response(facts) = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(facts.otherwise, "climate temperature is 21.5.");
    let (reply, _) = running.say("unlock the lock").await;
    assert_eq!(reply, Reply::Question("Shall I unlock the lock?".into()));
    assert!(lock.try_recv().is_err(), "nothing is unlocked before a yes");
    broker.publish("zigbee2mqtt/bridge/state", r#"{"state":"offline"}"#);
    running
        .until("the bridge is offline", |running, _| {
            running.shown["systems"][1]["answers"] == false
        })
        .await;
    let (reply, _) = running.say("turn on the lights").await;
    assert_eq!(
        reply,
        Reply::Refused("ceiling: zigbee2mqtt cannot be reached, its bridge is offline.".into())
    );
}

/// A made-up network: a fan of each kind, a thermostat, a curtain, a lock for children, two lamps in a group with a scene.
fn appliances() -> (Value, Value) {
    let lamp = |more: Value| {
        let mut features = vec![
            json!({"name": "state", "property": "state", "type": "binary", "value_on": "ON", "value_off": "OFF"}),
        ];
        features.push(more);
        json!([{"type": "light", "features": features}])
    };
    let device = |address: &str, name: &str, exposes: Value| json!({"ieee_address": address, "friendly_name": name, "definition": {"exposes": exposes}});
    let devices = json!([
        device(
            "0x01",
            "bedroom/ceiling fan",
            json!([{"type": "fan", "features": [
                {"name": "state", "property": "fan_state", "value_on": "ON", "value_off": "OFF"},
                {"name": "mode", "property": "fan_mode", "type": "enum", "values": ["off", "low", "medium", "high", "on", "auto"]},
            ]}])
        ),
        device(
            "0x02",
            "office/purifier",
            json!([{"type": "fan", "features": [
                {"name": "state", "property": "state"}, {"name": "speed", "property": "speed", "value_min": 1, "value_max": 254},
            ]}])
        ),
        device(
            "0x03",
            "bedroom/thermostat",
            json!([
                {"type": "climate", "features": [
                    {"name": "occupied_heating_setpoint", "property": "occupied_heating_setpoint", "value_min": 5, "value_max": 30},
                    {"name": "local_temperature", "property": "local_temperature", "unit": "\u{b0}C"},
                    {"name": "system_mode", "property": "system_mode", "values": ["off", "auto", "heat"]},
                ]},
                {"type": "lock", "features": [{"name": "state", "property": "child_lock", "value_on": "LOCK", "value_off": "UNLOCK"}]},
            ])
        ),
        device(
            "0x04",
            "bedroom/curtain",
            json!([{"type": "cover", "features": [
                {"name": "state", "property": "state"}, {"name": "position", "property": "position"},
            ]}])
        ),
        device(
            "0x05",
            "hall/one",
            lamp(json!({"name": "brightness", "property": "brightness", "value_max": 254}))
        ),
        device(
            "0x06",
            "hall/two",
            lamp(json!({"name": "color_temp", "property": "color_temp"}))
        ),
        device(
            "0x07",
            "office/plugs",
            json!([
                {"type": "switch", "endpoint": "left", "features": [{"name": "state", "property": "state_left"}]},
                {"type": "switch", "endpoint": "right", "features": [{"name": "state", "property": "state_right"}]},
            ])
        ),
    ]);
    let groups = json!([
        {"id": 1, "friendly_name": "party lights", "members": [{"ieee_address": "0x05", "endpoint": 1}, {"ieee_address": "0x06", "endpoint": 1}],
            "scenes": [{"id": 3, "name": "Dinner"}]},
        {"id": 2, "friendly_name": "nobody", "members": [{"ieee_address": "0x99"}]},
    ]);
    (devices, groups)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_fans_and_thermostats_of_zigbee2mqtt_do_what_is_said() {
    let (Some(program), Some(_)) = (programs(), english()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(program, folder.path(), None);
    let (devices, groups) = appliances();
    broker.publish("zigbee2mqtt/bridge/groups", &groups.to_string());
    broker.publish("zigbee2mqtt/bridge/devices", &devices.to_string());
    for (name, state) in [
        (
            "bedroom/ceiling fan",
            r#"{"fan_state":"OFF","fan_mode":"off"}"#,
        ),
        ("office/purifier", r#"{"state":"OFF","speed":0}"#),
        (
            "bedroom/thermostat",
            r#"{"local_temperature":19.5,"occupied_heating_setpoint":18,"system_mode":"heat","child_lock":"UNLOCK"}"#,
        ),
        ("bedroom/curtain", r#"{"state":"CLOSE","position":0}"#),
        ("hall/one", r#"{"state":"OFF"}"#),
        ("hall/two", r#"{"state":"OFF"}"#),
        (
            "office/plugs",
            r#"{"state_left":"OFF","state_right":"OFF"}"#,
        ),
        ("party lights", r#"{"state":"OFF"}"#),
    ] {
        broker.publish(&format!("zigbee2mqtt/{name}"), state);
    }
    // Each is what it was told to be, as zigbee2mqtt says it.
    let listens = |name: &str| {
        let topic = format!("zigbee2mqtt/{name}");
        broker.device(&format!("{topic}/set"), move |line| {
            let mut told: Value = serde_json::from_str(line).ok()?;
            if told.get("position").is_some() {
                told["state"] = "OPEN".into();
            }
            Some((topic.clone(), told.to_string()))
        })
    };
    let (_fan, fan) = listens("bedroom/ceiling fan");
    let (_purifier, purifier) = listens("office/purifier");
    let (_climate, climate) = listens("bedroom/thermostat");
    let (_curtain, curtain) = listens("bedroom/curtain");
    let (_group, group) = listens("party lights");
    let (_plugs, plugs) = listens("office/plugs");
    let mut running = Running::new("bedroom", &sections(folder.path(), broker.port));
    running.shows("party lights", "off").await;
    running.shows("thermostat", "heat").await;
    running.shows("ceiling fan", "off").await;
    let shown = running.shown.to_string();
    assert!(!shown.contains("nobody"), "a group of nobody is nothing");
    let heard = |of: &std::sync::mpsc::Receiver<String>| -> Value {
        serde_json::from_str(&of.recv_timeout(Duration::from_secs(30)).unwrap()).unwrap()
    };
    for (said, of, told) in [
        ("turn on the ceiling fan", &fan, r#"{"fan_state":"ON"}"#),
        (
            "set ceiling fan speed to 50%",
            &fan,
            r#"{"fan_mode":"medium"}"#,
        ),
        ("set fan speed to 100%", &fan, r#"{"fan_mode":"high"}"#),
        ("set purifier speed to 50%", &purifier, r#"{"speed":127}"#),
        (
            "set the thermostat to 21 degrees",
            &climate,
            r#"{"occupied_heating_setpoint":21.0}"#,
        ),
        (
            "set temperature to 19 degrees",
            &climate,
            r#"{"occupied_heating_setpoint":19.0}"#,
        ),
        (
            "turn off the thermostat",
            &climate,
            r#"{"system_mode":"off"}"#,
        ),
        ("open the curtains", &curtain, r#"{"state":"OPEN"}"#),
        (
            "set the curtain to 30 percent",
            &curtain,
            r#"{"position":30}"#,
        ),
        ("turn on party lights", &group, r#"{"state":"ON"}"#),
        (
            "set party lights brightness to 50%",
            &group,
            r#"{"brightness":127,"state":"ON"}"#,
        ),
        ("activate dinner", &group, r#"{"scene_recall":3}"#),
        ("turn on plugs left", &plugs, r#"{"state_left":"ON"}"#),
    ] {
        let (reply, _) = running.say(said).await;
        assert!(matches!(reply, Reply::Response(_)), "{said}: {reply:?}");
        let told: Value = serde_json::from_str(told).unwrap();
        assert_eq!(heard(of), told, "{said}");
    }
    running.shows("thermostat", "off").await;
    let (reply, _) = running.say("set the thermostat to 70 degrees").await;
    assert_eq!(
        reply,
        Reply::Refused("thermostat: it takes 5 to 30 degrees.".into())
    );
    // States are answered: what is measured, and not what is wanted.
    let (reply, _) = running.say("what is the temperature in here").await;
    let Reply::Response(facts) = reply else {
        panic!("{reply:?}")
    };
    assert!(facts.house.is_some(), "{facts:?}");
    let climate = running.understood("what is the temperature in here");
    assert_eq!(running.rendered(&climate.unwrap(), &facts), "19.5 degrees");
    let (reply, _) = running.say("is the curtain open").await;
    assert!(matches!(reply, Reply::Response(_)), "{reply:?}");
    let (reply, _) = running.say("unlock thermostat child lock").await;
    assert_eq!(
        reply,
        Reply::Question("Shall I unlock the thermostat child lock?".into())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_with_the_brokers_own_certificate_and_a_password() {
    let Some(program) = programs() else { return };
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["broker.test".to_owned()]).unwrap();
    let (certificate, key) = (
        folder.path().join("broker.pem"),
        folder.path().join("broker.key"),
    );
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let broker = Broker::start(program, folder.path(), Some((&certificate, &key)));
    let with = |password: &str| {
        let sections = sections(folder.path(), broker.port);
        std::fs::write(folder.path().join("password"), password).unwrap();
        format!("{sections}certificate = \"{}\"\n", certificate.display())
    };
    let mut right = Running::new("Office", &with("only for drills"));
    right
        .until("it is let in", |running, _| {
            running.steps.iter().any(|step| step == "mqtt answers")
        })
        .await;
    let mut wrong = Running::new("Office", &with("guessed"));
    wrong
        .until("it is not let in", |running, _| {
            running
                .steps
                .iter()
                .any(|step| step.contains("does not accept user name and password"))
        })
        .await;
}
