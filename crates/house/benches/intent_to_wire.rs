//! From an understood sentence to the bytes for Home Assistant, with 600 things: `cargo bench -p hearthline-house`.
use core::time::Duration;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hearthline_house::exchange::{News, Orders, What};
use hearthline_house::home_assistant::{Client, Output};
use hearthline_house::skill::HouseSkill;
use hearthline_house::thing::{Area, State, Thing};
use hearthline_speaker::skill::{Asked, By, Deed, Event, Skill as _};
use hearthline_transport::websocket::client;
use hearthline_voice::understand::sentences::{Datum, Recognition, Slot, SlotFrom, Whose};
use serde_json::{Value, json};

const THINGS: usize = 600;
const ROOMS: usize = 12;

fn home() -> HouseSkill {
    let mut skill = HouseSkill::new(&[("ha".into(), "Home Assistant".into())], "Room 1");
    let areas = (0..ROOMS).map(|at| Area {
        name: format!("Room {at}"),
        aliases: Vec::new(),
        floor: None,
    });
    let things = (0..THINGS).map(|at| {
        let mut thing =
            Thing::new(&format!("light.l{at}"), &format!("Lamp {at}"), "light").expect("a name");
        thing.area = Some(format!("Room {}", at % ROOMS));
        thing.state = State::new("off");
        thing
    });
    let what = What::Things {
        areas: areas.collect(),
        things: things.collect(),
    };
    for what in [what, What::Up] {
        let news = serde_json::to_value(News {
            system: "ha".into(),
            what,
        })
        .expect("news are JSON");
        skill.handle(Event::Came(&news), Duration::ZERO);
    }
    while skill.poll_deed().is_some() {}
    skill
}

fn client_with_things() -> Client {
    let mut client = Client::new("t".to_owned().into());
    client.opened(Duration::ZERO);
    client.handle_text(r#"{"type":"auth_required"}"#, Duration::ZERO);
    client.handle_text(r#"{"type":"auth_ok"}"#, Duration::ZERO);
    let states: Vec<Value> = (0..THINGS)
        .map(|at| json!({"entity_id": format!("light.l{at}"), "attributes": {}}))
        .collect();
    while let Some(output) = client.poll_output() {
        let Output::Send(text) = output else { continue };
        let message: Value = serde_json::from_str(&text).expect("what we send is JSON");
        let id = &message["id"];
        let result = if message["type"] == "get_states" {
            json!(states)
        } else {
            json!([])
        };
        client.handle_text(
            &json!({"id": id, "type": "result", "success": true, "result": result}).to_string(),
            Duration::ZERO,
        );
        if message["type"] == "subscribe_entities" {
            let all: serde_json::Map<String, Value> = (0..THINGS)
                .map(|at| (format!("light.l{at}"), json!({"s": "off", "a": {}})))
                .collect();
            client.handle_text(
                &json!({"id": id, "type": "event", "event": {"a": all}}).to_string(),
                Duration::ZERO,
            );
        }
    }
    assert!(client.is_known());
    client
}

fn sentence(slots: &[(&str, &str)]) -> Recognition {
    let slots = slots.iter().map(|(name, value)| Slot {
        name: (*name).to_owned(),
        value: Datum::Text((*value).to_owned()),
        said: (*value).to_owned(),
        from: SlotFrom::List,
        metadata: None,
    });
    Recognition {
        intent: "HassTurnOn".into(),
        combination: None,
        slots: slots.collect(),
        captures: Vec::new(),
        response: "default".into(),
        template: String::new(),
        whose: Whose::Ours,
        rivals: Vec::new(),
        metadata: Datum::Null,
    }
}

fn intent_to_wire(criterion: &mut Criterion) {
    for (what, slots) in [
        ("one lamp of 600", vec![("name", "Lamp 7")]),
        (
            "a room of 50 lamps",
            vec![("area", "Room 3"), ("domain", "light")],
        ),
    ] {
        let (mut skill, mut client) = (home(), client_with_things());
        let meant = sentence(&slots);
        let mut now = Duration::ZERO;
        criterion.bench_function(
            &format!("intent to the frames for Home Assistant, {what}"),
            |bencher| {
                bencher.iter(|| {
                    now += Duration::from_secs(3);
                    skill.handle(Event::Timeout, now);
                    let asked = Asked {
                        meant: &meant,
                        said: "",
                        by: By::Person,
                        wall_ms: 0,
                    };
                    black_box(skill.take(&asked, now));
                    let mut bytes = 0;
                    while let Some(deed) = skill.poll_deed() {
                        let Deed::Out(value) = deed else { continue };
                        let orders: Orders = serde_json::from_value(value).expect("orders");
                        for order in &orders.orders {
                            client.order(order);
                        }
                    }
                    while let Some(output) = client.poll_output() {
                        match output {
                            Output::Send(text) => {
                                bytes += client::text(&text, [1, 2, 3, 4]).len();
                                // So that nothing waits for the next round: its answer is a part of what is measured.
                                let id = text
                                    .split("\"id\":")
                                    .nth(1)
                                    .and_then(|rest| rest.split(',').next());
                                let done = format!(
                                    "{{\"id\":{},\"type\":\"result\",\"success\":true}}",
                                    id.unwrap_or("0")
                                );
                                client.handle_text(&done, now);
                            }
                            Output::News(what) => {
                                let system = "ha".to_owned();
                                let news = serde_json::to_value(News { system, what })
                                    .expect("news are JSON");
                                skill.handle(Event::Came(&news), now);
                            }
                            Output::Close(why) => panic!("{why}"),
                            Output::Player(_) => {}
                        }
                    }
                    assert!(bytes > 0);
                });
            },
        );
    }
}

criterion_group!(benches, intent_to_wire);
criterion_main!(benches);
