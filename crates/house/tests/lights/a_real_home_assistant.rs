//! The whole way to a real Home Assistant, where one is installed: `HEARTH_HASS` names its program (`hass` of a virtual
//! environment with the PyPI package `homeassistant`). It runs on loopback with a made-up house.
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hearthline_speaker::skill::Reply;
use serde_json::{Value, json};

use crate::household::{Running, english, free_port};

/// Ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn post(port: u16, path: &str, kind: &str, body: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .ok()?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

fn configuration(port: u16) -> String {
    let mut text = format!(
        "homeassistant:\n  name: Drill\n  latitude: 0\n  longitude: 0\n  unit_system: metric\n  time_zone: UTC\n\
         onboarding:\nhttp:\n  server_host: 127.0.0.1\n  server_port: {port}\napi:\nwebsocket_api:\nconfig:\n\
         input_boolean:\n  lamp:\n    name: Lamp Helper\n  bolt:\n    name: Bolt Helper\ninput_number:\n  dim:\n    min: 0\n    max: 255\n"
    );
    text.push_str(
        "light:\n  - platform: template\n    lights:\n      kitchen_lamp:\n        unique_id: kl\n        friendly_name: Kitchen Lamp\n\
        \x20       value_template: \"{{ is_state('input_boolean.lamp', 'on') }}\"\n        level_template: \"{{ states('input_number.dim') | int }}\"\n\
        \x20       turn_on:\n          service: input_boolean.turn_on\n          entity_id: input_boolean.lamp\n\
        \x20       turn_off:\n          service: input_boolean.turn_off\n          entity_id: input_boolean.lamp\n\
        \x20       set_level:\n          - service: input_number.set_value\n            target:\n              entity_id: input_number.dim\n            data:\n              value: \"{{ brightness }}\"\n\
        \x20         - service: input_boolean.turn_on\n            entity_id: input_boolean.lamp\n\
        switch:\n  - platform: template\n    switches:\n      broken:\n        unique_id: br\n        friendly_name: Broken Plug\n        value_template: \"{{ false }}\"\n\
        \x20       turn_on:\n          service: homeassistant.no_such_service\n        turn_off:\n          service: homeassistant.no_such_service\n",
    );
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lights_of_a_real_home_assistant_do_what_is_said() {
    let (Some(hass), Some(_)) = (std::env::var_os("HEARTH_HASS"), english()) else {
        println!("skipped: HEARTH_HASS names no Home Assistant");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    std::fs::write(
        folder.path().join("configuration.yaml"),
        configuration(port),
    )
    .unwrap();
    let child = Command::new(hass)
        .arg("-c")
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _hass = Ended(child.unwrap());
    let client = format!("http://127.0.0.1:{port}/");
    let user = json!({"client_id": client, "name": "Drill", "username": "drill", "password": "only for drills", "language": "en"});
    let last = Instant::now() + Duration::from_secs(120);
    let code = loop {
        let made = post(
            port,
            "/api/onboarding/users",
            "application/json",
            &user.to_string(),
        );
        if let Some(code) = made.as_ref().and_then(|made| made["auth_code"].as_str()) {
            break code.to_owned();
        }
        assert!(
            Instant::now() < last,
            "Home Assistant does not start: {made:?}"
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let form = format!(
        "grant_type=authorization_code&code={code}&client_id={}",
        client.replace(':', "%3A").replace('/', "%2F")
    );
    let given = post(
        port,
        "/auth/token",
        "application/x-www-form-urlencoded",
        &form,
    )
    .unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, given["access_token"].as_str().unwrap()).unwrap();
    let sections = format!(
        "[home_assistant]\naddress = \"127.0.0.1:{port}\"\ntoken_file = \"{}\"\n",
        token.display()
    );
    let mut running = Running::new("Kitchen", &sections);
    running.shows("Kitchen Lamp", "off").await;
    let (reply, took) = running.say("turn on the kitchen lamp").await;
    assert!(matches!(reply, Reply::Response(_)), "{reply:?}");
    println!(
        "a real Home Assistant has turned a lamp on {} ms after the sentence",
        took.as_millis()
    );
    running.shows("Kitchen Lamp", "on").await;
    let (reply, _) = running.say("set the kitchen lamp brightness to 50%").await;
    assert!(matches!(reply, Reply::Response(_)), "{reply:?}");
    running
        .until("it is half as bright", |running, _| {
            running.shown["things"].as_array().is_some_and(|things| {
                things
                    .iter()
                    .any(|thing| thing["name"] == "Kitchen Lamp" && thing["percent"] == 50)
            })
        })
        .await;
    let (reply, _) = running.say("turn off the kitchen lamp").await;
    assert!(matches!(reply, Reply::Response(_)), "{reply:?}");
    running.shows("Kitchen Lamp", "off").await;
    let (reply, _) = running.say("turn on the broken plug").await;
    assert!(
        matches!(&reply, Reply::Refused(words) if words.starts_with("Broken Plug: ")),
        "{reply:?}"
    );
}
