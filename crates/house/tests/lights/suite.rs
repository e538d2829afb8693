//! Home Assistant's own test sentences: each about the house comes to orders or an answer, and to the words that its
//! suite expects, with its fixtures as the things of a system.
use std::collections::BTreeMap;
use std::path::Path;

use hearthline_house::exchange::What;
use hearthline_house::thing::{Area, State, Thing};
use hearthline_speaker::skill::{By, Deed, Reply, Skill as _};
use hearthline_voice::understand::sentences::{House, Recognition};
use serde_json::Value;

use crate::household::{Home, english, storey};

/// Intents whose doing is this crate's.
const OURS: [&str; 12] = [
    "HassTurnOn",
    "HassTurnOff",
    "HassLightSet",
    "HassSetPosition",
    "HassFanSetSpeed",
    "HassClimateSetTemperature",
    "HassClimateGetTemperature",
    "HassGetState",
    "HassVacuumStart",
    "HassVacuumReturnToBase",
    "HassLawnMowerStartMowing",
    "HassLawnMowerDock",
];

/// The row's fixtures. Many rows name a room and a kind of thing and have none: one is put there.
fn fixtures(row: &Value, meant: &Recognition) -> What {
    let list = |key: &str| row["fixtures"][key].as_array().cloned().unwrap_or_default();
    let text = |slot: &str| {
        meant
            .slot(slot)
            .and_then(|slot| slot.value.text())
            .map(str::to_owned)
    };
    let mut areas: Vec<Area> = list("areas")
        .iter()
        .map(|area| Area {
            name: area["name"].as_str().unwrap().to_owned(),
            aliases: Vec::new(),
            floor: area["floor"].as_str().map(storey),
        })
        .collect();
    let mut room = text("area").or(row["context_area"].as_str().map(str::to_owned));
    if let Some(floor) = text("floor") {
        let has = areas.iter().find(|area| area.floor == Some(storey(&floor)));
        room = has.map(|area| area.name.clone());
        if room.is_none() {
            areas.push(Area {
                name: "Some Room".to_owned(),
                aliases: Vec::new(),
                floor: Some(storey(&floor)),
            });
            room = Some("Some Room".to_owned());
        }
    }
    let things = list("entities")
        .into_iter()
        .enumerate()
        .filter_map(|(at, entity)| {
            let mut thing = Thing::new(
                &format!("e{at}"),
                entity["name"].as_str()?,
                entity["domain"].as_str()?,
            )?;
            thing.area = entity["area"].as_str().map(str::to_owned);
            let stored = entity
                .pointer("/state/out")
                .or(entity.get("state"))
                .cloned()
                .unwrap_or("off".into());
            thing.state = State::new(
                &stored
                    .as_str()
                    .map_or_else(|| stored.to_string(), str::to_owned),
            );
            for (key, value) in entity["attributes"].as_object().into_iter().flatten() {
                thing.state.set(key, value.clone());
            }
            Some(thing)
        });
    let mut things: Vec<Thing> = things.collect();
    let domain = text("domain").unwrap_or_else(|| {
        match meant.intent.as_str() {
            "HassLightSet" => "light",
            "HassClimateSetTemperature" => "climate",
            "HassFanSetSpeed" => "fan",
            "HassVacuumStart" => "vacuum",
            _ => "cover",
        }
        .to_owned()
    });
    if meant.slot("name").is_none() && !meant.intent.contains("Get") {
        let there = |thing: &Thing| thing.domain == domain && thing.area == room;
        if !things.iter().any(there) {
            let mut thing = Thing::new("put", "Put There", &domain).unwrap();
            thing.area = room;
            thing.state = State::new("off");
            if let Some(class) = text("device_class") {
                thing.state.set("device_class", class.into());
            }
            things.push(thing);
        }
    }
    What::Things { areas, things }
}

fn wrong(row: &Value) -> Option<String> {
    let program = english()?;
    let room = row["context_area"].as_str().unwrap_or("");
    let mut home = Home::new(room, &["hub"]);
    let mut house = House::from_json(row).unwrap();
    if house.context_area().is_none() {
        house.set_context_area("__context_area__");
    }
    let Some(mut meant) =
        program.recognise(row["sentence"].as_str()?, &house.lists(), &house.context())
    else {
        return Some("not understood".into());
    };
    // The suite's rows without a room have a made-up one, which is no room of the house.
    meant
        .slots
        .retain(|slot| slot.value.text() != Some("__context_area__"));
    home.tell("hub", fixtures(row, &meant));
    home.tell("hub", What::Up);
    home.deeds();
    let mut reply = home.take(&meant, By::Person);
    if let Reply::Question(_) = reply {
        reply = home.skill.answer("yes", home.now);
    }
    if let Reply::Later(_) = reply {
        for orders in home.orders() {
            for order in orders.orders {
                home.tell("hub", What::Done { order: order.id });
            }
        }
        let answer = home.deeds().into_iter().find_map(|deed| match deed {
            Deed::Answer { reply, .. } => Some(reply),
            _ => None,
        });
        reply = answer?;
    }
    let Reply::Response(facts) = reply else {
        return Some(format!("{reply:?}"));
    };
    let said = home.rendered(&meant, &facts);
    (row["response"] != said).then(|| format!("says \"{said}\", not {}", row["response"]))
}

#[test]
fn every_sentence_about_the_house_is_done_and_answered_as_home_assistant_does() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/conformance/ha-intents/en-conformance.jsonl");
    let Ok(text) = std::fs::read_to_string(file) else {
        println!("skipped: ../shared is not here");
        return;
    };
    if english().is_none() {
        return;
    }
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrongs = Vec::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let intent = row["intent"].as_str().unwrap_or_default().to_owned();
        if !OURS.contains(&intent.as_str()) {
            continue;
        }
        let count = counts.entry(intent).or_default();
        count.1 += 1;
        match wrong(&row) {
            None => count.0 += 1,
            Some(why) => wrongs.push(format!("{}: {why}", row["sentence"])),
        }
    }
    println!("{counts:?}");
    let (right, all) = counts
        .values()
        .fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    assert!(all > 500, "{all}");
    assert_eq!(right, all, "{}", wrongs.join("\n"));
}
