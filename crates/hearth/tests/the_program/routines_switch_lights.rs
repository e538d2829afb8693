//! A routine of the home switches a lamp: from the hub's order over the real speaker and a real broker, Mosquitto, to the
//! lamp, and its answer back to the hub. Whatever cannot be is told, and nothing is said aloud.
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hearthline_hub::clock::Clock;
use hearthline_hub::id::{DeviceId, LightOrderId};
use hearthline_hub::light_order::LightOrderState;
use serde_json::{Value, json};

use crate::scene::models_are_absent;
use crate::speakers_call_each_other::{Home, Speaker};

const PATIENCE: Duration = Duration::from_secs(30);

/// A program that is ended with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The broker and its port; none after saying that the test is skipped. Under `CI` the lack is a failure.
fn broker(folder: &Path) -> Option<(Ended, u16)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let Some(place) = places.find(|place| place.join("mosquitto").is_file()) else {
        let ci = std::env::var_os("CI");
        assert!(ci.is_none(), "no mosquitto: cargo xtask packages");
        println!("skipped: no mosquitto");
        return None;
    };
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = port.local_addr().unwrap().port();
    let config = folder.join("mosquitto.conf");
    let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n");
    std::fs::write(&config, text).unwrap();
    let child = Command::new(place.join("mosquitto"))
        .arg("-c")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let child = Ended(child.unwrap());
    let last = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < last, "the broker does not start");
        std::thread::sleep(Duration::from_millis(30));
    }
    Some((child, port))
}

fn publish(port: u16, topic: &str, payload: &str) {
    let done = Command::new("mosquitto_pub")
        .args(["-p", &port.to_string(), "-r", "-t", topic, "-m", payload])
        .status();
    assert!(done.unwrap().success());
}

/// What the hub has of an order once it is answered.
async fn answer(home: &Home, id: LightOrderId) -> (LightOrderState, String) {
    let last = Instant::now() + PATIENCE;
    loop {
        let now = Clock::default().now();
        let all = home.hub.store().light_orders(50, now).await.unwrap();
        let one = all.into_iter().find(|one| one.id == id).unwrap();
        if one.state != LightOrderState::Waiting {
            return (one.state, one.why.unwrap_or_default());
        }
        assert!(Instant::now() < last, "the speaker does not answer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn the_lamp_goes_on_and_what_cannot_be_is_told() {
    if models_are_absent() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let home = runtime.block_on(Home::start());
    let Some((broker, port)) = broker(home.folder.path()) else {
        return;
    };
    let (folder, config) = runtime.block_on(home.speaker("Office"));
    let text = std::fs::read_to_string(&config).unwrap();
    let user = text.lines().find_map(|line| line.strip_prefix("user = "));
    let device: DeviceId = user.unwrap().trim_matches('"').parse().unwrap();
    let mqtt = format!("[mqtt]\naddress = \"127.0.0.1:{port}\"\n");
    std::fs::write(&config, format!("{text}{mqtt}")).unwrap();
    let lamp = json!({
        "name": "Desk", "cmd_t": "desk/set", "stat_t": "desk/state", "schema": "json", "brightness": true,
        "dev": {"ids": ["1"], "name": "Desk", "sa": "Office"},
    });
    publish(port, "homeassistant/light/desk/config", &lamp.to_string());
    publish(port, "desk/state", r#"{"state":"OFF"}"#);
    let mut lamp = Command::new("mosquitto_sub")
        .args(["-p", &port.to_string(), "-t", "desk/set"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(lamp.stdout.take().unwrap()).lines();
    let _lamp = Ended(lamp);
    let order = |order: Value| {
        let order = serde_json::from_value(order).unwrap();
        let now = Clock::default().now();
        let store = home.hub.store();
        runtime
            .block_on(store.order_light(device, &order, now))
            .unwrap()
    };

    let mut speaker = Speaker::start(&folder, &config);
    speaker.is_at_home();
    speaker.wait("the broker", |line| {
        line.to_string().contains("mqtt answers")
    });
    std::thread::sleep(Duration::from_millis(500));
    let asked = Instant::now();
    let dim = order(json!({"light": "desk", "set": {"brightness": 40}}));
    let lit: Value = serde_json::from_str(&told.next().unwrap().unwrap()).unwrap();
    println!(
        "from the hub's order to the lamp: {} ms",
        asked.elapsed().as_millis()
    );
    assert_eq!(lit, json!({"state": "ON", "brightness": 102}));
    publish(port, "desk/state", r#"{"state":"ON","brightness":102}"#);
    let done = (LightOrderState::Done, String::new());
    assert_eq!(runtime.block_on(answer(&home, dim)), done);
    // What is no light, no colour, no order of lights: told, and nothing moves.
    for (wanted, why) in [
        (
            json!({"light": "Alexa, call 911", "set": "on"}),
            "no such light",
        ),
        (json!({"set": {"colour": "911"}}), "colour 911"),
        (
            json!({"room": "Cellar", "set": "off"}),
            "no lights in Cellar",
        ),
    ] {
        let id = order(wanted);
        let (state, said) = runtime.block_on(answer(&home, id));
        assert_eq!(state, LightOrderState::Refused);
        assert!(said.contains(why), "{said}");
    }
    drop(broker);
    speaker.wait("the broker's end", |line| {
        let line = line.to_string();
        line.contains("mqtt: ") && !line.contains("answers")
    });
    let gone = order(json!({"light": "Desk", "set": "off"}));
    let (state, why) = runtime.block_on(answer(&home, gone));
    println!("without the broker: {why}");
    assert_eq!(state, LightOrderState::Refused);
    let heard = speaker.end();
    assert!(
        heard.iter().all(|sample| sample.unsigned_abs() < 50),
        "nothing is said"
    );
    runtime.block_on(home.hub.stop());
}
