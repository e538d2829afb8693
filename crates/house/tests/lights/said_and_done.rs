//! What a sentence tells which things, what is asked before, what is said when some do not answer.
use core::time::Duration;

use hearthline_house::command::{Command, Light};
use hearthline_house::exchange::What;
use hearthline_house::skill::ANSWER_MAX;
use hearthline_house::thing::State;
use hearthline_speaker::skill::{By, Deed, Event, Reply, Skill as _};
use serde_json::json;

use crate::household::{Home, area, english, thing};

/// A house of two floors, all of it at one system, and a lamp at another.
fn home(room: &str) -> Home {
    let mut home = Home::new(room, &["hub", "strip"]);
    let lamp = || State::new("off").with("supported_color_modes", json!(["color_temp", "xy"]));
    let plain = || State::new("on").with("supported_color_modes", json!(["onoff"]));
    let class = |state: &str, class: &str| State::new(state).with("device_class", class);
    let things = vec![
        thing("light.counter", "Counter", "Kitchen", lamp()),
        thing("light.ceiling", "Overhead Light", "Kitchen", lamp()),
        thing("light.bed", "Overhead Light", "Bedroom", lamp()),
        thing("light.reading", "Reading Lamp", "Bedroom", plain()),
        thing(
            "switch.coffee",
            "Coffee Machine",
            "Kitchen",
            State::new("off"),
        ),
        thing("lock.front", "Front Door", "Hall", State::new("locked")),
        thing(
            "cover.garage",
            "Garage Door",
            "Garage",
            class("closed", "garage"),
        ),
        thing(
            "cover.curtain",
            "Curtain",
            "Bedroom",
            class("open", "curtain"),
        ),
        thing("scene.movie", "Movie Night", "", State::new("unknown")),
        thing("fan.ceiling", "Ceiling Fan", "Bedroom", State::new("off")),
        thing(
            "climate.hall",
            "Thermostat",
            "Hall",
            State::new("heat").with("current_temperature", 21),
        ),
        thing(
            "binary_sensor.w",
            "Bathroom Window",
            "",
            class("on", "window"),
        ),
        thing(
            "sensor.t",
            "Outside Temperature",
            "",
            State::new("4").with("unit_of_measurement", "°C"),
        ),
        thing("light.porch", "Porch", "Hall", State::new("unavailable")),
    ];
    let areas = ["Kitchen", "Hall", "Garage"].map(|name| area(name, "Ground Floor"));
    let areas = areas
        .into_iter()
        .chain([area("Bedroom", "First Floor")])
        .collect();
    home.tell("hub", What::Things { areas, things });
    home.tell("hub", What::Up);
    let shelf = thing("strip", "Shelf", "Kitchen", lamp());
    let shelf = hearthline_house::thing::Thing {
        domain: "light".into(),
        ..shelf
    };
    home.tell(
        "strip",
        What::Things {
            areas: Vec::new(),
            things: vec![shelf],
        },
    );
    home.tell("strip", What::Up);
    home.now = Duration::from_secs(1);
    home.skill.handle(Event::Timeout, home.now);
    home.deeds();
    home
}

fn told(home: &mut Home, said: &str) -> Vec<(String, Command)> {
    let reply = home.say(said);
    assert!(matches!(reply, Reply::Later(_)), "{said}: {reply:?}");
    let orders = home.orders().into_iter().flat_map(|orders| orders.orders);
    let mut told: Vec<_> = orders.map(|order| (order.thing, order.command)).collect();
    told.sort_by(|a, b| a.0.cmp(&b.0));
    told
}

fn things(told: &[(String, Command)]) -> Vec<&str> {
    told.iter().map(|(thing, _)| thing.as_str()).collect()
}

#[test]
fn white_has_names_and_degrees_and_gets_warmer() {
    if english().is_none() {
        return;
    }
    let white = |kelvin: u16| {
        Command::Light(Light {
            kelvin: Some(kelvin),
            ..Light::default()
        })
    };
    for (said, thing, kelvin) in [
        ("set the counter to warm white", "light.counter", 2_700),
        ("make the counter daylight", "light.counter", 6_500),
        ("set the counter to 3000 kelvin", "light.counter", 3_000),
        ("turn the bedroom lights to cool white", "light.bed", 5_000),
        (
            "set the lights in the bedroom to 4000 K",
            "light.bed",
            4_000,
        ),
        ("warm white in the bedroom", "light.bed", 2_700),
        ("make the counter warmer", "light.counter", 2_800),
        ("make the bedroom lights a bit cooler", "light.bed", 4_200),
    ] {
        let mut home = home("Kitchen");
        let told = told(&mut home, said);
        assert_eq!(told, [(thing.to_owned(), white(kelvin))], "{said}");
    }
    // In here, where no room is named.
    for said in [
        "warm white",
        "make the lights candlelight",
        "make it cool white",
    ] {
        let mut home = home("Kitchen");
        assert_eq!(told(&mut home, said).len(), 3, "{said}");
    }
    let mut home = home("Kitchen");
    let reply = home.say("set the reading lamp to warm white");
    assert_eq!(
        reply,
        Reply::Refused("The Reading Lamp has only one white.".into())
    );
}

#[test]
fn a_thermometer_tells_how_warm_its_room_is_and_no_other() {
    if english().is_none() {
        return;
    }
    let mut home = home("Kitchen");
    let warm = |degrees: &str| State::new(degrees).with("device_class", "temperature");
    home.tell(
        "strip",
        What::Things {
            areas: Vec::new(),
            things: vec![
                thing("sensor.bed", "Bedroom Sensor", "Bedroom", warm("18.5")),
                thing("sensor.fridge", "Fridge", "Kitchen", warm("4")),
                thing("sensor.wall", "Wall", "Kitchen", warm("20")),
            ],
        },
    );
    for said in [
        "what is the temperature in the bedroom",
        "how warm is it in the bedroom",
    ] {
        assert_eq!(home.answer(said), "18.5 degrees", "{said}");
    }
    // The thermostat, where one stands there; and which, where there are two.
    assert_eq!(
        home.answer("what is the temperature in the hall"),
        "21 degrees"
    );
    assert_eq!(
        home.answer("what is the temperature in the kitchen"),
        "Which thermometer: Fridge or Wall?"
    );
    let garage = home.say("what is the temperature in the garage");
    assert!(matches!(garage, Reply::Other), "{garage:?}");
    // Where nobody says which room: this one's thermometer, else the thermostat of the house.
    assert_eq!(home.answer("what's the temperature"), "21 degrees");
    let mut home = self::home("Bedroom");
    assert_eq!(home.answer("what's the temperature"), "21 degrees");
    let bed = thing("sensor.bed", "Bedroom Sensor", "Bedroom", warm("18.5"));
    let news = What::Things {
        areas: Vec::new(),
        things: vec![bed],
    };
    home.tell("strip", news);
    assert_eq!(home.answer("what's the temperature"), "18.5 degrees");
}

#[test]
fn a_sentence_reaches_what_it_speaks_of_and_nothing_else() {
    if english().is_none() {
        return;
    }
    let light = |light: Light| Command::Light(light);
    for (said, expected, command) in [
        ("turn on the counter", &["light.counter"][..], Command::On),
        (
            "turn off the lights in the bedroom",
            &["light.bed", "light.reading"],
            Command::Off,
        ),
        (
            "turn off the lights",
            &["light.ceiling", "light.counter", "strip"],
            Command::Off,
        ),
        (
            "turn on the kitchen overhead light",
            &["light.ceiling"],
            Command::On,
        ),
        (
            "turn on the overhead light",
            &["light.ceiling"],
            Command::On,
        ),
        (
            "first floor lights off",
            &["light.bed", "light.reading"],
            Command::Off,
        ),
        (
            "turn on the coffee machine",
            &["switch.coffee"],
            Command::On,
        ),
        ("activate movie night", &["scene.movie"], Command::On),
        ("lock the front door", &["lock.front"], Command::Lock),
        ("close the garage door", &["cover.garage"], Command::Close),
        (
            "set the curtain to 40 percent",
            &["cover.curtain"],
            Command::Position(40),
        ),
        (
            "set ceiling fan speed to 50%",
            &["fan.ceiling"],
            Command::Speed(50),
        ),
        (
            "set temperature to 19 degrees",
            &["climate.hall"],
            Command::Temperature(19.0),
        ),
        (
            "set the counter brightness to 0%",
            &["light.counter"],
            Command::Off,
        ),
        (
            "set the counter brightness to maximum",
            &["light.counter"],
            light(Light {
                percent: Some(100),
                ..Light::default()
            }),
        ),
        (
            "set the bedroom color to red",
            &["light.bed"],
            light(Light {
                rgb: Some([255, 0, 0]),
                ..Light::default()
            }),
        ),
        (
            "set the counter temperature to warm white",
            &["light.counter"],
            light(Light {
                kelvin: Some(2_700),
                ..Light::default()
            }),
        ),
        (
            "dim the counter",
            &["light.counter"],
            light(Light {
                step_percent: Some(-20),
                ..Light::default()
            }),
        ),
        (
            "toggle the coffee machine",
            &["switch.coffee"],
            Command::Toggle,
        ),
    ] {
        let mut home = home("Kitchen");
        let told = told(&mut home, said);
        assert_eq!(things(&told), expected, "{said}");
        assert!(
            told.iter().all(|(_, other)| *other == command),
            "{said}: {told:?}"
        );
    }
    // All lights means all of them; the one that cannot be reached is spoken of in the end.
    let mut home = home("Kitchen");
    let off = told(&mut home, "turn off all the lights");
    assert_eq!(off.len(), 5, "{off:?}");
    for said in [
        "turn on all the lights",
        "switch every lamp on",
        "turn on all lights everywhere",
    ] {
        let on = told(&mut self::home("Kitchen"), said);
        assert_eq!(things(&on), things(&off), "{said}");
    }
}

#[test]
fn it_is_said_to_be_done_when_the_system_has_said_so() {
    if english().is_none() {
        return;
    }
    let mut home = home("Kitchen");
    let meant = home.understood("turn off the lights").unwrap();
    let Reply::Later(token) = home.take(&meant, By::Person) else {
        panic!("not asked of the systems");
    };
    let orders = home.orders();
    assert_eq!(orders.len(), 2, "one for each system");
    let all: Vec<_> = orders
        .iter()
        .flat_map(|of| of.orders.iter().map(|order| (of.system.clone(), order.id)))
        .collect();
    for (number, (system, order)) in all.iter().enumerate() {
        assert!(
            home.deeds()
                .iter()
                .all(|deed| !matches!(deed, Deed::Answer { .. })),
            "{number}"
        );
        home.tell(system, What::Done { order: *order });
    }
    let answer = home.deeds().into_iter().find_map(|deed| match deed {
        Deed::Answer { token: of, reply } if of == token => Some(reply),
        _ => None,
    });
    let Some(Reply::Response(facts)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(home.rendered(&meant, &facts), "Turned off the lights");
    // What comes for it afterwards is nobody's.
    home.tell("hub", What::Done { order: all[0].1 });
    assert!(
        home.deeds()
            .iter()
            .all(|deed| !matches!(deed, Deed::Answer { .. }))
    );
}

#[test]
fn what_did_not_do_it_is_named_with_the_reason_within_two_seconds() {
    if english().is_none() {
        return;
    }
    let mut home = home("Kitchen");
    let Reply::Later(_) = home.say("turn off all the lights") else {
        panic!("not asked of the systems");
    };
    let orders: Vec<_> = home.orders().into_iter().flat_map(|of| of.orders).collect();
    for order in &orders {
        match order.thing.as_str() {
            "light.bed" => home.tell(
                "hub",
                What::Failed {
                    order: order.id,
                    why: "no route to it".into(),
                },
            ),
            "light.reading" => {}
            _ => home.tell("hub", What::Done { order: order.id }),
        }
    }
    home.deeds();
    let due = home.skill.poll_timeout().unwrap();
    assert_eq!(due, home.now + ANSWER_MAX);
    assert!(ANSWER_MAX < Duration::from_secs(2));
    home.now = due;
    home.skill.handle(Event::Timeout, due);
    let words = home.deeds().into_iter().find_map(|deed| match deed {
        Deed::Answer {
            reply: Reply::Refused(words),
            ..
        } => Some(words),
        _ => None,
    });
    assert_eq!(
        words.unwrap(),
        "3 of 6 did. Porch: it cannot be reached at the moment. Overhead Light: no route to it. Reading Lamp: it did not answer."
    );
}

#[test]
fn a_system_that_is_gone_is_spoken_of_at_once() {
    if english().is_none() {
        return;
    }
    let mut home = home("Kitchen");
    home.tell(
        "hub",
        What::Down {
            why: "nobody answers there".into(),
        },
    );
    assert_eq!(
        home.say("turn on the counter"),
        Reply::Refused("Counter: The hub cannot be reached, nobody answers there.".into())
    );
    assert_eq!(
        home.say("is the counter on"),
        Reply::Refused(
            "I cannot know that now: The hub cannot be reached, nobody answers there.".into()
        )
    );
    assert!(home.orders().is_empty());
    // The other system is asked as before.
    assert!(matches!(home.say("turn on the shelf"), Reply::Later(_)));
}

#[test]
fn what_could_open_the_house_is_asked_before() {
    if english().is_none() {
        return;
    }
    for (said, question) in [
        ("unlock the front door", "Shall I unlock the Front Door?"),
        ("open the garage door", "Shall I open the Garage Door?"),
        ("toggle the front door", "Shall I unlock the Front Door?"),
    ] {
        let mut home = home("Kitchen");
        assert_eq!(home.say(said), Reply::Question(question.into()));
        assert!(home.orders().is_empty(), "{said}");
        assert_eq!(
            home.skill.answer("what time is it", home.now),
            Reply::Other,
            "{said}"
        );
        assert_eq!(
            home.skill.answer("yes", home.now),
            Reply::Other,
            "the question is over"
        );
        home.say(said);
        assert_eq!(
            home.skill.answer("no", home.now),
            Reply::Words("All right, I leave it as it is.".into())
        );
        home.say(said);
        assert!(home.orders().is_empty(), "{said}");
        assert!(
            matches!(home.skill.answer("Yes, please.", home.now), Reply::Later(_)),
            "{said}"
        );
        assert_eq!(home.orders().len(), 1, "{said}");
        // A timer or routine confirms nothing.
        let meant = home.understood(said).unwrap();
        assert!(
            matches!(home.take(&meant, By::Later), Reply::Refused(_)),
            "{said}"
        );
        assert!(home.orders().is_empty(), "{said}");
        // An answer that comes too late is none.
        home.say(said);
        home.now += Duration::from_secs(60);
        assert_eq!(home.skill.answer("yes", home.now), Reply::Other);
    }
    let mut home = home("Kitchen");
    assert!(matches!(home.say("close the garage door"), Reply::Later(_)));
    assert!(matches!(home.say("open the curtain"), Reply::Later(_)));
}

#[test]
fn of_two_with_one_name_it_is_asked_which() {
    if english().is_none() {
        return;
    }
    let mut home = home("Hall");
    let question = "Which Overhead Light: in Kitchen or in Bedroom?";
    assert_eq!(
        home.say("turn on the overhead light"),
        Reply::Question(question.into())
    );
    assert!(home.orders().is_empty());
    assert!(matches!(
        home.skill.answer("the bedroom one", home.now),
        Reply::Later(_)
    ));
    let orders = home.orders();
    assert_eq!(
        (orders[0].orders.len(), orders[0].orders[0].thing.as_str()),
        (1, "light.bed")
    );
}

#[test]
fn what_has_several_names_goes_by_each_of_them() {
    if english().is_none() {
        return;
    }
    let mut home = Home::new("Hall", &["hub", "strip"]);
    let called = |id: &str, name: &str, room: &str, aliases: &[&str]| {
        let mut thing = thing(id, name, room, State::new("off"));
        thing.aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        thing
    };
    let things = vec![
        called("light.a", "Counter", "Kitchen", &["worktop", "big lamp"]),
        called("light.b", "Bed Lamp", "Bedroom", &["big lamp"]),
        called("light.c", "Cellar Lamp", "Cellar", &[]),
    ];
    let mut kitchen = area("Kitchen", "Ground Floor");
    kitchen.aliases = vec!["galley".to_owned()];
    let mut bedroom = area("Bedroom", "First Floor");
    if let Some(floor) = &mut bedroom.floor {
        floor.aliases = vec!["upstairs".to_owned()];
    }
    let areas = vec![kitchen, bedroom, area("Cellar", "Basement")];
    home.tell("hub", What::Things { areas, things });
    // Another system knows the counter, and by a name of its own beside it.
    let areas = Vec::new();
    let things = vec![called("light.z", "counter", "", &["breakfast bar"])];
    home.tell("strip", What::Things { areas, things });
    for system in ["hub", "strip"] {
        home.tell(system, What::Up);
    }
    for (said, id) in [
        ("turn on the counter", "light.a"),
        ("turn on the worktop", "light.a"),
        ("turn on the breakfast bar", "light.a"),
        ("turn on the lights in the galley", "light.a"),
        ("turn on the lights upstairs", "light.b"),
        ("turn on the lights in the basement", "light.c"),
    ] {
        assert_eq!(things_told(&mut home, said), [id], "{said}");
    }
    // A response is about what was asked, whichever name it was asked by.
    let meant = home.understood("is the worktop on").unwrap();
    let Reply::Response(facts) = home.take(&meant, By::Person) else {
        panic!("no response");
    };
    assert_eq!(home.rendered(&meant, &facts), "No, off");
    assert_eq!(
        home.say("turn on the big lamp"),
        Reply::Question("Which big lamp: Counter or Bed Lamp?".into())
    );
    let reply = home.skill.answer("the bed lamp", home.now);
    assert!(matches!(reply, Reply::Later(_)), "{reply:?}");
    assert_eq!(home.orders()[0].orders[0].thing, "light.b");
}

fn things_told(home: &mut Home, said: &str) -> Vec<String> {
    told(home, said).into_iter().map(|(id, _)| id).collect()
}

#[test]
fn a_room_without_lights_is_not_taken_for_another() {
    if english().is_none() {
        return;
    }
    let mut home = home("Garage");
    assert_eq!(
        home.say("turn off the lights"),
        Reply::Refused(
            "I know of no lights in Garage, where I stand. Say which room, or all.".into()
        )
    );
    assert!(home.orders().is_empty());
    // The one thermostat and the one garage door are meant from everywhere.
    assert!(matches!(
        home.say("set temperature to 19 degrees"),
        Reply::Later(_)
    ));
}

#[test]
fn questions_are_answered_from_what_is_known_now() {
    if english().is_none() {
        return;
    }
    let mut home = home("Kitchen");
    for (said, words) in [
        ("is the front door locked", "Yes"),
        ("is the bathroom window open", "Yes"),
        ("are any lights on", "Yes, Reading Lamp"),
        (
            "what is the outside temperature",
            "Outside temperature is 4 °C",
        ),
        ("what is the temperature", "21 degrees"),
        (
            "what is the state of the garage door",
            "Garage door is closed",
        ),
    ] {
        let meant = home.understood(said).unwrap_or_else(|| panic!("{said}"));
        let Reply::Response(facts) = home.take(&meant, By::Person) else {
            panic!("{said}");
        };
        assert_eq!(home.rendered(&meant, &facts), words, "{said}");
    }
    home.tell(
        "hub",
        What::States {
            states: vec![("lock.front".into(), State::new("unlocked"))],
        },
    );
    let meant = home.understood("is the front door locked").unwrap();
    let Reply::Response(facts) = home.take(&meant, By::Person) else {
        panic!("no answer");
    };
    assert_eq!(home.rendered(&meant, &facts), "No, unlocked");
}

#[test]
fn pages_are_shown_what_burns_and_not_more_often_than_is_of_use() {
    let mut home = home("Kitchen");
    let mut shown = 0;
    for round in 0..1_000 {
        home.now = Duration::from_millis(1_000 + round);
        let state = State::new(if round % 2 == 0 { "on" } else { "off" }).with("brightness", 128);
        home.tell(
            "hub",
            What::States {
                states: vec![("light.counter".into(), state)],
            },
        );
        shown += home
            .deeds()
            .iter()
            .filter(|deed| matches!(deed, Deed::Show(_)))
            .count();
    }
    assert!((2..=5).contains(&shown), "{shown}");
    home.now = home.skill.poll_timeout().unwrap();
    home.skill.handle(Event::Timeout, home.now);
    let value = home.deeds().into_iter().find_map(|deed| match deed {
        Deed::Show(value) => Some(value),
        _ => None,
    });
    let value = value.unwrap();
    let counter = value["things"]
        .as_array()
        .unwrap()
        .iter()
        .find(|thing| thing["name"] == "Counter")
        .unwrap();
    assert_eq!(
        *counter,
        json!({"name": "Counter", "domain": "light", "area": "Kitchen", "state": "off", "percent": 50, "reachable": true})
    );
}
