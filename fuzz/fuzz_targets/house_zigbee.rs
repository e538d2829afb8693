//! Lists of zigbee2mqtt, and what its devices say then: a line of JSON each, the devices first, then the groups.
#![no_main]

use hearthline_house::command::{Command, Light};
use hearthline_house::mqtt::{wire, zigbee::Network};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let (Some(devices), Some(groups)) = (lines.next(), lines.next()) else {
        return;
    };
    let mut network = Network::default();
    let _ = network.devices(devices.as_bytes());
    let _ = network.groups(groups.as_bytes());
    let jinja = wire::templates();
    let light = Light {
        percent: Some(50),
        rgb: Some([1, 2, 3]),
        kelvin: Some(2_700),
        step_percent: None,
    };
    let commands = [
        Command::On,
        Command::Off,
        Command::Toggle,
        Command::Light(light),
        Command::Open,
        Command::Position(3),
        Command::Speed(7),
        Command::Temperature(20.0),
        Command::Unlock,
    ];
    for mut one in network.found("z") {
        assert!(!one.thing.name.is_empty());
        for payload in lines.clone().take(4) {
            let topics: Vec<String> = one.wire.topics().map(str::to_owned).collect();
            for topic in topics {
                one.wire.take(&topic, payload, &mut one.thing.state, &jinja);
            }
        }
        for command in &commands {
            let _ = one.wire.refuses(command);
            for message in one
                .wire
                .messages(command, &one.thing.state)
                .unwrap_or_default()
            {
                assert!(message.topic.starts_with("z/") && !message.topic.contains(['+', '#']));
            }
        }
    }
});
