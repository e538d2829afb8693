//! What things announce of themselves over MQTT, and what they say then: a line of JSON each, the component before it.
#![no_main]

use hearthline_house::command::{Command, Light};
use hearthline_house::mqtt::{discovery, wire};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let (Some(component), Some(config)) = (lines.next(), lines.next()) else {
        return;
    };
    let jinja = wire::templates();
    let found = discovery::read(component, "a/b", config.as_bytes())
        .map(|(found, _)| found)
        .unwrap_or_default();
    for mut one in found {
        for payload in lines.clone().take(4) {
            let topics: Vec<String> = one.wire.topics().map(str::to_owned).collect();
            for topic in topics {
                one.wire.take(&topic, payload, &mut one.thing.state, &jinja);
            }
        }
        let light = Light {
            percent: Some(50),
            rgb: Some([1, 2, 3]),
            kelvin: Some(2_700),
            step_percent: None,
        };
        for command in [
            Command::On,
            Command::Toggle,
            Command::Light(light),
            Command::Position(3),
            Command::Speed(7),
            Command::Temperature(20.0),
        ] {
            for message in one
                .wire
                .messages(&command, &one.thing.state)
                .unwrap_or_default()
            {
                assert!(!message.topic.is_empty() && !message.topic.contains(['+', '#']));
            }
        }
    }
});
