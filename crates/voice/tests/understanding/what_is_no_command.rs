//! Talk is no command: more than 500 things people say, and more than 200 near misses of calls for help, mean nothing.
use crate::language_files::{english_with_ours, intents};
use hearthline_voice::understand::sentences::{House, left_by_emergency};
use hearthline_voice::understand::{Country, Reading, read};

pub(crate) const NO_COMMANDS: &str = include_str!("sentences/no_commands.txt");
pub(crate) const NEAR_MISSES: &str = include_str!("sentences/near_misses.txt");

pub(crate) fn house() -> House {
    let thing = |name: &str, domain: &str| serde_json::json!({"name": name, "domain": domain});
    House::from_json(&serde_json::json!({
        "entities": [
            thing("Lamp", "light"), thing("Kitchen Lamp", "light"), thing("Back Door", "lock"),
            thing("Garage Door", "cover"), thing("Curtains", "cover"), thing("TV", "media_player"),
            thing("Radio", "media_player"), thing("Ceiling Fan", "fan"), thing("Thermostat", "climate"),
            thing("Roomba", "vacuum"), thing("Movie Night", "scene"), thing("Anna", "person"),
            thing("Front Door", "binary_sensor"), thing("Outdoor Temperature", "sensor"), thing("Shopping", "todo"),
            thing("Home", "weather"), thing("Mower", "lawn_mower"), thing("Coffee Machine", "switch"),
        ],
        "areas": [{"name": "Kitchen"}, {"name": "Living Room"}, {"name": "Bedroom"}, {"name": "Garage"}, {"name": "Garden"}],
        "floors": [{"name": "Upstairs"}, {"name": "Basement"}, {"name": "First"}],
        "context_area": "Kitchen",
    }))
    .unwrap()
}

pub(crate) fn lines(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect()
}

#[test]
fn talk_means_nothing() {
    let Some(intents) = intents() else { return };
    let program = english_with_ours(&intents);
    let house = house();
    let (lists, context) = (house.lists(), house.context());
    // The house is one in which commands are understood.
    assert!(
        program
            .recognise("turn on the kitchen lamp", &lists, &context)
            .is_some()
    );
    let (talk, near) = (lines(NO_COMMANDS), lines(NEAR_MISSES));
    assert!(
        talk.len() >= 500 && near.len() >= 200,
        "{} and {}",
        talk.len(),
        near.len()
    );
    let understood: Vec<String> = talk
        .iter()
        .chain(&near)
        .filter(|said| left_by_emergency(&read(said, Country::UnitedStates)))
        .filter_map(|said| {
            let meant = program.recognise(said, &lists, &context)?;
            Some(format!(
                "{said}: {} by \"{}\"",
                meant.intent, meant.template
            ))
        })
        .collect();
    assert!(understood.is_empty(), "{}", understood.join("\n"));
}

#[test]
fn near_misses_call_nobody() {
    for said in lines(NEAR_MISSES) {
        let reading = read(said, Country::UnitedStates);
        assert!(
            !matches!(reading, Reading::Command { .. }),
            "{said}: {reading:?}"
        );
    }
}

#[test]
fn what_the_emergency_reading_takes_is_left_alone() {
    for said in [
        "call 911",
        "can you call the police",
        "don't call 911",
        "play call the police",
        "I need an ambulance",
    ] {
        assert!(
            !left_by_emergency(&read(said, Country::UnitedStates)),
            "{said}"
        );
    }
    for said in ["turn on the lights", "what time is it", "never mind"] {
        assert!(
            left_by_emergency(&read(said, Country::UnitedStates)),
            "{said}"
        );
    }
}
