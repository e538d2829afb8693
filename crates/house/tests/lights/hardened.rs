//! Whatever a system sends, a core neither panics nor grows without end.
use core::time::Duration;

use hearthline_house::home_assistant::{Client, Output};
use hearthline_house::mqtt::{discovery, zigbee};
use hearthline_house::thing::State;
use hearthline_house::{hue, mqtt, wled};
use proptest::prelude::*;
use serde_json::{Value, json};

/// JSON of any shape with the words that the cores look for.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "id",
        "type",
        "result",
        "success",
        "event",
        "a",
        "c",
        "r",
        "+",
        "-",
        "s",
        "light.x",
        "entity_id",
        "state",
        "auth_ok",
        "auth_required",
        "pong",
        "attributes",
        "device",
        "dev",
        "~",
        "cmd_t",
        "stat_t",
        "name",
        "exposes",
        "definition",
        "features",
        "friendly_name",
        "light",
        "brightness",
        "data",
        "errors",
        "on",
        "dimming",
        "seg",
        "col",
        "components",
        "platform",
        "p",
        "value_template",
        "{{ value_json.a }}",
        "{% for a in range(99999) %}{% endfor %}",
        "a/b",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((word.clone(), inner), 0..6).prop_map(|pairs| pairs
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_messages_of_home_assistant(messages in proptest::collection::vec(any_json(), 0..20)) {
        let mut client = Client::new(zeroize::Zeroizing::new("t".to_owned()));
        client.opened(Duration::ZERO);
        client.handle_text(r#"{"type":"auth_required"}"#, Duration::ZERO);
        client.handle_text(r#"{"type":"auth_ok"}"#, Duration::ZERO);
        for (at, message) in messages.iter().enumerate() {
            let now = Duration::from_secs(at as u64);
            let mut answer = message.clone();
            if let Value::Object(object) = &mut answer {
                object.insert("id".into(), (at + 1).into());
                object.insert("type".into(), if at % 3 == 0 { "event" } else { "result" }.into());
                object.insert("success".into(), true.into());
            }
            client.handle_text(&answer.to_string(), now);
            client.handle_text(&message.to_string(), now);
            client.handle_timeout(now);
            while client.poll_output().is_some() {}
        }
    }

    #[test]
    fn any_announcement(component in "light|switch|sensor|cover|lock|fan|scene|button|device|x", value in any_json(), payload in any_json()) {
        if let Ok((found, _)) = discovery::read(&component, "a", value.to_string().as_bytes()) {
            let jinja = mqtt::wire::templates();
            for mut found in found {
                let topics: Vec<String> = found.wire.topics().map(str::to_owned).collect();
                for topic in topics {
                    found.wire.take(&topic, &payload.to_string(), &mut found.thing.state, &jinja);
                }
            }
        }
        let mut network = zigbee::Network::default();
        let _ = network.devices(value.to_string().as_bytes());
        let _ = network.groups(payload.to_string().as_bytes());
        let _ = network.found("zigbee2mqtt");
    }

    #[test]
    fn any_words_of_a_bridge(value in any_json(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let answer = |body: Vec<u8>| hearthline_house::request::Answer { status: 200, body };
        let body = json!({"errors": [], "data": [value]}).to_string().into_bytes();
        let list = hue::data(&answer(body)).unwrap();
        let _ = hue::things(&[list.clone(), list.clone(), list.clone(), list.clone()]);
        let _ = hue::event(&json!([{"type": "update", "data": list}]).to_string());
        let _ = wled::state(&answer(value.to_string().into_bytes()));
        let mut data = hue::EventData::default();
        let _ = data.push(&bytes);
    }
}

#[test]
fn a_template_out_of_the_network_ends() {
    let config = json!({
        "name": "x", "state_topic": "t",
        "value_template": "{% for a in range(99999) %}{% for b in range(99999) %}{{ a }}{% endfor %}{% endfor %}",
    });
    let (mut found, _) = discovery::read("sensor", "a", config.to_string().as_bytes()).unwrap();
    let jinja = mqtt::wire::templates();
    let mut state = State::default();
    let begun = std::time::Instant::now();
    found[0].wire.take("t", "1", &mut state, &jinja);
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(state.value, "");
}

#[test]
fn a_flood_of_entities_is_bounded_and_a_silent_server_is_given_up() {
    let mut client = Client::new(zeroize::Zeroizing::new("t".to_owned()));
    client.opened(Duration::ZERO);
    client.handle_text(r#"{"type":"auth_required"}"#, Duration::ZERO);
    client.handle_text(r#"{"type":"auth_ok"}"#, Duration::ZERO);
    let mut ids = Vec::new();
    while let Some(output) = client.poll_output() {
        if let Output::Send(text) = output {
            let message: Value = serde_json::from_str(&text).unwrap();
            ids.push((
                message["type"].as_str().unwrap_or_default().to_owned(),
                message["id"].clone(),
            ));
        }
    }
    let states: Vec<Value> = (0..20_000)
        .map(|at| json!({"entity_id": format!("light.l{at}"), "attributes": {}}))
        .collect();
    for (kind, id) in &ids {
        let result = if kind == "get_states" {
            json!(states)
        } else {
            json!([])
        };
        client.handle_text(
            &json!({"id": id, "type": "result", "success": true, "result": result}).to_string(),
            Duration::ZERO,
        );
    }
    let mut asked = 0;
    while let Some(output) = client.poll_output() {
        if let Output::Send(text) = output {
            let message: Value = serde_json::from_str(&text).unwrap();
            asked = asked.max(message["entity_ids"].as_array().map_or(0, Vec::len));
        }
    }
    assert_eq!(asked, hearthline_house::thing::THINGS_MAX);
    // A ping, and no answer.
    let ping = client.poll_timeout().unwrap();
    client.handle_timeout(ping);
    assert!(matches!(client.poll_output(), Some(Output::Send(text)) if text.contains("ping")));
    let over = client.poll_timeout().unwrap();
    client.handle_timeout(over);
    assert!(
        matches!(client.poll_output(), Some(Output::Close(why)) if why == "it does not answer")
    );
    assert!(over <= Duration::from_secs(30));
}
