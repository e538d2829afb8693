//! From a sentence that was understood to what each thing is told: pure, one place for all systems.
//!
//! ```text
//! Recognition (intent, slots) + Registry + room ─► Plan: Do | Ask which | Know | Refused | Other
//! ```
//! Nothing here can call anybody: a plan holds commands to things of the house and nothing else (DESIGN invariant 1).
use hearthline_voice::understand::sentences::{Datum, Recognition, SlotFrom};
use serde_json::Value;

use crate::colour;
use crate::command::{Command, Light, Player};
use crate::registry::Registry;
use crate::thing::{Thing, folded};
use crate::wish::{self, Wish};
use crate::words;

/// Most things that one sentence moves.
pub const STEPS_MAX: usize = 500;

/// How much brighter or dimmer a lamp gets, in per cent.
const STEP_PERCENT: i8 = 20;

/// How much warmer or cooler its white gets, in kelvin.
const WHITE_STEP: i32 = 700;
/// The white of a lamp that shows a colour, or tells none.
const WHITE_MIDDLE: f64 = 3_500.0;

/// How much louder or softer a player gets, in per cent.
const LOUDER_PERCENT: f64 = 10.0;
/// What plays by loudspeakers of its own.
const PLAYERS: &[&str] = &["media_player"];

/// One thing and what it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its place in the registry.
    pub thing: usize,
    /// What it is told.
    pub command: Command,
}

/// What a sentence comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// These things are told this.
    Do(Vec<Step>),
    /// It may be one of several of the same name: which?
    Which {
        /// Their places.
        things: Vec<usize>,
        /// What is asked.
        question: String,
    },
    /// A question about these things: answered from what is known of them.
    Know(Vec<usize>),
    /// It cannot be, and why.
    Refused(String),
    /// None of the house's.
    Other,
}

/// What a sentence is about, as its slots say.
#[derive(Debug, Default)]
struct Wanted<'a> {
    name: Option<String>,
    area: Option<String>,
    floor: Option<String>,
    domains: Vec<String>,
    classes: Vec<String>,
    /// The room in which the speaker stands, unless the sentence is about all of the house.
    room: Option<&'a str>,
}

/// What each thing shall do, before it is known which.
type Telling<'a> = Box<dyn Fn(&Thing) -> Result<Command, String> + 'a>;

/// The plan for a sentence, said in `room`.
#[must_use]
pub fn plan(meant: &Recognition, registry: &Registry, room: Option<&str>) -> Plan {
    match meant.intent.as_str() {
        "HassGetState" => return known(meant, registry, &[], room),
        "HassClimateGetTemperature" => {
            let thermostat = known(meant, registry, &["climate"], room);
            return match (measured(meant, registry, room), thermostat) {
                (thermometer, Plan::Other) => thermometer,
                // The one thermometer of this room before the thermostat of another.
                (Plan::Know(here), Plan::Know(there)) if !is_in(registry, &there, room) => {
                    Plan::Know(here)
                }
                (_, thermostat) => thermostat,
            };
        }
        _ => {}
    }
    let (domains, telling) = match telling(meant, room) {
        Ok(telling) => telling,
        Err(plan) => return plan,
    };
    let mut wanted = wanted(meant, domains, room);
    if meant.intent == "HassVacuumCleanArea" {
        // The room is what is cleaned, not where the cleaner stands.
        (wanted.area, wanted.room) = (None, None);
    }
    if domains == PLAYERS && !is_elsewhere(meant, room) {
        // The music and the loudspeaker of this room are its own.
        return Plan::Other;
    }
    match find(registry, &wanted, &meant.intent) {
        Ok(found) if wish::is_one(meant) && wanted.name.is_none() => {
            match the_one_that_plays(registry, &wanted, &found) {
                Ok(one) => told(registry, &[one], &telling),
                Err(plan) => plan,
            }
        }
        Ok(found) if domains == PLAYERS && wanted.name.is_none() => {
            let found = that_sound(registry, found, &meant.intent);
            told(registry, &found, &telling)
        }
        Ok(found) => told(registry, &found, &telling),
        // A room may have music that this house knows nothing of.
        Err(_) if domains == PLAYERS && wanted.name.is_none() => Plan::Other,
        Err(plan) => plan,
    }
}

/// Whether a sentence names a thing or a place other than where it is said.
fn is_elsewhere(meant: &Recognition, room: Option<&str>) -> bool {
    let said = |slot: &str| {
        let slot = meant.slot(slot)?;
        (slot.from != SlotFrom::Context).then(|| folded(&slot.value.spoken()))
    };
    let here = room.map(folded);
    said("name").is_some()
        || said("floor").is_some()
        || said("area").is_some_and(|area| Some(area) != here)
}

/// Of the players of a room those that are meant: the ones that play, to go on those that paused; else all.
fn that_sound(registry: &Registry, found: Vec<usize>, intent: &str) -> Vec<usize> {
    let state = match intent {
        "HassMediaUnpause" => "paused",
        _ => "playing",
    };
    let is_so = |at: &usize| registry.thing(*at).state.value == state;
    let some: Vec<usize> = found.iter().copied().filter(is_so).collect();
    if some.is_empty() { found } else { some }
}

/// Of the players of a room the one that is given something to play: those that can look for it, of these the one that
/// plays already.
fn the_one_that_plays(
    registry: &Registry,
    wanted: &Wanted<'_>,
    found: &[usize],
) -> Result<usize, Plan> {
    let among = |found: &[usize], fits: &dyn Fn(&Thing) -> bool| {
        let fits = |at: &usize| fits(registry.thing(*at));
        let some: Vec<usize> = found.iter().copied().filter(fits).collect();
        if some.is_empty() {
            found.to_vec()
        } else {
            some
        }
    };
    let found = among(found, &|thing| !thing.state.is_unavailable());
    let found = among(&found, &Thing::can_search);
    let found = among(&found, &|thing| thing.state.value == "playing");
    match found.as_slice() {
        [one] => Ok(*one),
        _ => Err(which(registry, &what(wanted), found)),
    }
}

/// A player that looks for music by itself.
fn looking(thing: &Thing, wish: &Wish) -> Result<Command, String> {
    if thing.can_search() {
        Ok(Command::Play(wish.clone()))
    } else {
        Err(format!("The {} cannot search for music.", thing.name))
    }
}

/// A player that is to be louder or softer by so many per cent, or by its own step where it does not tell how loud it is.
fn by_percent(thing: &Thing, step: f64) -> Player {
    let level = thing.state.attributes.get("volume_level");
    match level.and_then(Value::as_f64) {
        Some(level) => Player::Volume((level * 100.0 + step).clamp(0.0, 100.0).round() as u8),
        None if step < 0.0 => Player::Softer,
        None => Player::Louder,
    }
}

/// The plan for one thing out of [`Plan::Which`].
#[must_use]
pub fn plan_for(
    meant: &Recognition,
    registry: &Registry,
    room: Option<&str>,
    thing: usize,
) -> Plan {
    match telling(meant, room) {
        Ok((_, telling)) => told(registry, &[thing], &telling),
        Err(plan) => plan,
    }
}

/// What an intent tells things, and of which kinds they are; all kinds where none are named.
fn telling<'a>(
    meant: &'a Recognition,
    room: Option<&str>,
) -> Result<(&'static [&'static str], Telling<'a>), Plan> {
    let number = |slot: &str| meant.slot(slot).and_then(|slot| slot.value.number());
    let percent = |slot: &str| number(slot).map(|number| number.clamp(0.0, 100.0).round() as u8);
    let need = |percent: Option<u8>, what: &str| {
        percent.ok_or_else(|| Plan::Refused(format!("I did not hear {what}.")))
    };
    Ok(match meant.intent.as_str() {
        "HassTurnOn" => (&[], Box::new(|thing| switched(thing, true))),
        "HassTurnOff" => (&[], Box::new(|thing| switched(thing, false))),
        "HassToggle" => (&[], Box::new(toggled)),
        "HassLightSet" => {
            let change = light_change(meant).map_err(Plan::Refused)?;
            (&["light"], Box::new(move |thing| lit(thing, change)))
        }
        brighter @ ("HearthBrighter" | "HearthDimmer") => {
            let step = if brighter == "HearthDimmer" {
                -STEP_PERCENT
            } else {
                STEP_PERCENT
            };
            let change = Light {
                step_percent: Some(step),
                ..Light::default()
            };
            let telling = move |thing: &Thing| lit(thing, Some(change));
            (&["light"], Box::new(telling))
        }
        warmer @ ("HearthWarmer" | "HearthCooler") => {
            let step = if warmer == "HearthWarmer" {
                -WHITE_STEP
            } else {
                WHITE_STEP
            };
            let telling = move |thing: &Thing| lit(thing, Some(white_step(thing, step)));
            (&["light"], Box::new(telling))
        }
        "HearthWhite" => {
            let change = light_change(meant).map_err(Plan::Refused)?;
            (&["light"], Box::new(move |thing| lit(thing, change)))
        }
        "HassSetPosition" => {
            let percent = need(percent("position"), "the position")?;
            let telling = move |_: &Thing| Ok(Command::Position(percent));
            (&["cover", "valve"], Box::new(telling))
        }
        "HassFanSetSpeed" => {
            let percent = need(percent("percentage"), "the speed")?;
            (&["fan"], Box::new(move |_| Ok(Command::Speed(percent))))
        }
        "HassClimateSetTemperature" => {
            let Some(degrees) = number("temperature") else {
                return Err(Plan::Refused("I did not hear the temperature.".to_owned()));
            };
            let telling = move |_: &Thing| Ok(Command::Temperature(degrees));
            (&["climate", "water_heater"], Box::new(telling))
        }
        "HassVacuumStart" => (&["vacuum"], Box::new(|_| Ok(Command::Start))),
        "HassVacuumReturnToBase" => (&["vacuum"], Box::new(|_| Ok(Command::Dock))),
        "HassVacuumCleanArea" => {
            let said = meant.slot("area").and_then(|slot| slot.value.text());
            let Some(area) = said.or(room).map(str::to_owned) else {
                return Err(Plan::Refused("I did not hear which room.".to_owned()));
            };
            let telling = move |_: &Thing| Ok(Command::Clean(area.clone()));
            (&["vacuum"], Box::new(telling))
        }
        "HassLawnMowerStartMowing" => (&["lawn_mower"], Box::new(|_| Ok(Command::Start))),
        "HassLawnMowerDock" => (&["lawn_mower"], Box::new(|_| Ok(Command::Dock))),
        "HassMediaPause" => (PLAYERS, Box::new(|_| Ok(Command::Player(Player::Pause)))),
        "HassMediaUnpause" => (PLAYERS, Box::new(|_| Ok(Command::Player(Player::Resume)))),
        "HassMediaNext" => (PLAYERS, Box::new(|_| Ok(Command::Player(Player::Next)))),
        "HassMediaPrevious" => (PLAYERS, Box::new(|_| Ok(Command::Player(Player::Previous)))),
        "HassMediaPlayerMute" => (
            PLAYERS,
            Box::new(|_| Ok(Command::Player(Player::Mute(true)))),
        ),
        "HassMediaPlayerUnmute" => (
            PLAYERS,
            Box::new(|_| Ok(Command::Player(Player::Mute(false)))),
        ),
        "HassMediaSearchAndPlay" | "MusicPlay" => match wish::of(meant) {
            Some(wish) => (PLAYERS, Box::new(move |thing| looking(thing, &wish))),
            None => (PLAYERS, Box::new(|_| Ok(Command::Player(Player::Resume)))),
        },
        "HassSetVolume" => {
            let percent = need(percent("volume_level"), "how loud")?;
            (
                PLAYERS,
                Box::new(move |_| Ok(Command::Player(Player::Volume(percent)))),
            )
        }
        "HassSetVolumeRelative" => {
            let step = meant.slot("volume_step").map(|slot| slot.value.spoken());
            let step = match step.as_deref() {
                Some("up") => LOUDER_PERCENT,
                Some("down") => -LOUDER_PERCENT,
                Some(step) => step.parse().unwrap_or(0.0),
                None => 0.0,
            };
            (
                PLAYERS,
                Box::new(move |thing| Ok(Command::Player(by_percent(thing, step)))),
            )
        }
        _ => return Err(Plan::Other),
    })
}

/// What the slots say.
fn wanted<'a>(meant: &'a Recognition, domains: &[&str], room: Option<&'a str>) -> Wanted<'a> {
    let texts = |slot: &str| -> Vec<String> {
        match meant.slot(slot).map(|slot| &slot.value) {
            Some(Datum::Text(text)) => vec![text.clone()],
            Some(Datum::List(items)) => items
                .iter()
                .filter_map(Datum::text)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        }
    };
    let text = |slot: &str| texts(slot).into_iter().next();
    let mut of = texts("domain");
    if of.is_empty() {
        of = domains.iter().map(|&domain| domain.to_owned()).collect();
    }
    let everywhere = meant
        .combination
        .as_deref()
        .is_some_and(|name| name.split('_').any(|part| part == "all"));
    // The room that the sentence did not name is where the speaker stands, no more.
    let from = |slot: &str| meant.slot(slot).map(|slot| slot.from);
    let (area, room) = match (text("area"), from("area")) {
        (Some(_), Some(SlotFrom::Context)) => (
            None,
            room.or(meant.slot("area").and_then(|slot| slot.value.text())),
        ),
        (area, _) => (area, room),
    };
    Wanted {
        name: text("name"),
        area,
        floor: text("floor"),
        domains: of,
        classes: texts("device_class"),
        room: room.filter(|_| !everywhere),
    }
}

/// The things that a sentence is about.
fn find(registry: &Registry, wanted: &Wanted<'_>, intent: &str) -> Result<Vec<usize>, Plan> {
    let in_area = |at: usize, area: &str| {
        let room = registry.area_of(at).map(folded);
        room.as_deref() == Some(&*folded(area))
    };
    let on_floor = |at: usize, floor: &str| {
        let storey = registry.floor_of(at).map(folded);
        storey.as_deref() == Some(&*folded(floor))
    };
    let is_kind = |at: usize| {
        let thing = registry.thing(at);
        let class = thing.state.class();
        let of = |wanted: &String| class == Some(wanted.as_str());
        (wanted.domains.is_empty() || wanted.domains.contains(&thing.domain))
            && (wanted.classes.is_empty() || wanted.classes.iter().any(of))
    };
    let is_there = |at: usize| {
        wanted.area.as_ref().is_none_or(|area| in_area(at, area))
            && wanted
                .floor
                .as_ref()
                .is_none_or(|floor| on_floor(at, floor))
    };
    if let Some(name) = &wanted.name {
        let named: Vec<usize> = registry.places(|at| registry.is_called(at, name)).collect();
        if named.is_empty() {
            return Err(Plan::Other);
        }
        let able: Vec<usize> = named.into_iter().filter(|at| is_kind(*at)).collect();
        if able.is_empty() {
            return Err(Plan::Refused(format!("The {name} cannot do that.")));
        }
        // Room and floor tell apart what has one name; what stands in no room that we know may be meant as well.
        let mut found: Vec<usize> = able.iter().copied().filter(|at| is_there(*at)).collect();
        if found.is_empty() {
            found = able
                .into_iter()
                .filter(|at| registry.area_of(*at).is_none())
                .collect();
        }
        if found.is_empty() {
            let place = wanted.area.as_ref().or(wanted.floor.as_ref());
            let place = place.map_or("there", String::as_str);
            return Err(Plan::Refused(format!("I know of no {name} in {place}.")));
        }
        if found.len() > 1
            && let Some(room) = wanted.room
            && let Some(here) = found.iter().copied().find(|at| in_area(*at, room))
        {
            found = vec![here];
        }
        return match found.as_slice() {
            [_] => Ok(found),
            _ => Err(which(registry, name, found)),
        };
    }
    let mut found: Vec<usize> = registry.places(|at| is_kind(at) && is_there(at)).collect();
    let what = || what(wanted);
    if found.is_empty() {
        if registry.is_empty() || !is_ours(intent) {
            return Err(Plan::Other);
        }
        let place = wanted.area.as_ref().or(wanted.floor.as_ref());
        return Err(Plan::Refused(match place {
            Some(place) => format!("I know of no {} in {place}.", what()),
            None => format!("I know of no {}.", what()),
        }));
    }
    if wanted.area.is_none()
        && wanted.floor.is_none()
        && let Some(room) = wanted.room
    {
        let here: Vec<usize> = found
            .iter()
            .copied()
            .filter(|at| in_area(*at, room))
            .collect();
        // "Lights off" in the kitchen never means the bedroom's; the one garage door is meant from everywhere.
        let of_a_room = wanted
            .domains
            .iter()
            .any(|domain| matches!(domain.as_str(), "light" | "fan" | "switch"));
        if !here.is_empty() {
            found = here;
        } else if of_a_room && !registry.areas().is_empty() {
            let why = format!(
                "I know of no {} in {room}, where I stand. Say which room, or all.",
                what()
            );
            return Err(Plan::Refused(why));
        } else if found.len() > 1 && wanted.classes.is_empty() && !of_a_room {
            return Err(which(registry, &what(), found));
        }
    }
    if found.len() > STEPS_MAX {
        let why = format!(
            "That would be {} things at once, more than {STEPS_MAX}.",
            found.len()
        );
        return Err(Plan::Refused(why));
    }
    Ok(found)
}

/// Whether "there is none" is ours to say: another skill may have it otherwise.
fn is_ours(intent: &str) -> bool {
    !matches!(intent, "HassGetState" | "HassClimateGetTemperature")
}

/// Asks which one is meant.
fn which(registry: &Registry, name: &str, things: Vec<usize>) -> Plan {
    let first = folded(&registry.thing(things[0]).name);
    // One alias of several names: these tell them apart, else their rooms do.
    let one_name = (things.iter()).all(|at| folded(&registry.thing(*at).name) == first);
    let places: Vec<String> = things
        .iter()
        .map(|at| match registry.area_of(*at) {
            Some(area) if one_name => format!("in {area}"),
            _ => registry.thing(*at).name.clone(),
        })
        .collect();
    Plan::Which {
        question: format!(
            "Which {name}: {}?",
            words::list(&places).replace(" and ", " or ")
        ),
        things,
    }
}

/// "lights", "windows".
fn what(wanted: &Wanted<'_>) -> String {
    let one = wanted
        .classes
        .first()
        .or_else(|| wanted.domains.first())
        .map_or("device", String::as_str);
    format!("{}s", one.replace('_', " "))
}

/// What each is told. Of several, those that cannot are left out as long as any can.
fn told(registry: &Registry, found: &[usize], telling: &Telling<'_>) -> Plan {
    let mut steps = Vec::new();
    let mut refused = None;
    for &thing in found {
        match telling(registry.thing(thing)) {
            Ok(command) => steps.push(Step { thing, command }),
            Err(why) => refused = Some(why),
        }
    }
    match (steps.is_empty(), refused) {
        (true, Some(why)) => Plan::Refused(why),
        _ => Plan::Do(steps),
    }
}

fn switched(thing: &Thing, on: bool) -> Result<Command, String> {
    let cannot = || Err(format!("The {} cannot be switched.", thing.name));
    Ok(match (thing.domain.as_str(), on) {
        ("cover" | "valve", true) => Command::Open,
        ("cover" | "valve", false) => Command::Close,
        ("lock", true) => Command::Lock,
        ("lock", false) => Command::Unlock,
        ("vacuum" | "lawn_mower", true) => Command::Start,
        ("vacuum" | "lawn_mower", false) => Command::Dock,
        ("button" | "input_button", true) => Command::Press,
        ("scene", true) => Command::On,
        // Disarming wants a code that nobody should say aloud.
        ("alarm_control_panel", _) => {
            return Err(format!(
                "The {} is switched at its own panel only.",
                thing.name
            ));
        }
        (
            "light" | "switch" | "fan" | "climate" | "water_heater" | "humidifier" | "siren"
            | "remote" | "media_player" | "input_boolean" | "automation" | "script" | "group"
            | "camera",
            _,
        ) => {
            if on {
                Command::On
            } else {
                Command::Off
            }
        }
        _ => return cannot(),
    })
}

fn toggled(thing: &Thing) -> Result<Command, String> {
    match thing.domain.as_str() {
        "light" | "switch" | "fan" | "input_boolean" | "cover" | "lock" => Ok(Command::Toggle),
        _ => switched(thing, true),
    }
}

/// What `HassLightSet` asks of a lamp; none: it goes off.
fn light_change(meant: &Recognition) -> Result<Option<Light>, String> {
    let mut change = Light::default();
    if let Some(brightness) = meant.slot("brightness") {
        match brightness
            .value
            .number()
            .map(|percent| percent.clamp(0.0, 100.0).round() as u8)
        {
            Some(0) => return Ok(None),
            Some(percent) => change.percent = Some(percent),
            None => return Err("I did not hear how bright.".to_owned()),
        }
    }
    if let Some(colour) = meant.slot("color") {
        let name = colour.value.spoken();
        if name == "black" {
            return Ok(None);
        }
        match colour::named(&name) {
            Some(rgb) => change.rgb = Some(rgb),
            None => return Err(format!("I do not know the colour {name}.")),
        }
    }
    if let Some(kelvin) = meant
        .slot("temperature")
        .and_then(|slot| slot.value.number())
    {
        change.kelvin = Some(kelvin.clamp(1_000.0, 12_000.0).round() as u16);
    }
    if change == Light::default() {
        return Err("I did not hear what the light shall be.".to_owned());
    }
    Ok(Some(change))
}

fn lit(thing: &Thing, change: Option<Light>) -> Result<Command, String> {
    let Some(change) = change else {
        return Ok(Command::Off);
    };
    if change.rgb.is_some() && !thing.can_show(&["hs", "xy", "rgb", "rgbw", "rgbww"]) {
        return Err(format!("The {} cannot show colours.", thing.name));
    }
    let whites = ["color_temp", "hs", "xy", "rgb", "rgbw", "rgbww", "white"];
    if change.kelvin.is_some() && !thing.can_show(&whites) {
        return Err(format!("The {} has only one white.", thing.name));
    }
    if thing.can_show(&["onoff"])
        && !thing.can_show(&["brightness", "white"])
        && !thing.can_show(&whites)
    {
        return Err(format!("The {} can only be on or off.", thing.name));
    }
    Ok(Command::Light(change))
}

/// Whether any of these stands in the room of the speaker.
fn is_in(registry: &Registry, things: &[usize], room: Option<&str>) -> bool {
    let room = room.map(folded);
    let area = |at: &usize| registry.area_of(*at).map(folded);
    things.iter().any(|at| area(at) == room)
}

/// How warm it is by a thermometer, where no thermostat says: one in the room that is meant, and in no other.
fn measured(meant: &Recognition, registry: &Registry, room: Option<&str>) -> Plan {
    let mut wanted = wanted(meant, &["sensor"], room);
    wanted.domains = vec!["sensor".to_owned()];
    wanted.classes = vec!["temperature".to_owned()];
    wanted.area = wanted.area.or(wanted.room.take().map(str::to_owned));
    if wanted.area.is_none() && wanted.name.is_none() {
        return Plan::Other;
    }
    match find(registry, &wanted, &meant.intent) {
        Ok(found) if found.len() > 1 => which(registry, "thermometer", found),
        Ok(found) => Plan::Know(found),
        Err(Plan::Refused(_)) => Plan::Other,
        Err(plan) => plan,
    }
}

/// What warmer or cooler light is, from what the lamp shows now; one that shows no white begins in the middle.
fn white_step(thing: &Thing, step: i32) -> Light {
    let told = |key: &str| thing.state.attributes.get(key).and_then(Value::as_f64);
    let now = told("color_temp_kelvin").unwrap_or(WHITE_MIDDLE);
    let least = told("min_color_temp_kelvin").unwrap_or(2_000.0);
    let most = told("max_color_temp_kelvin").unwrap_or(6_500.0);
    let kelvin = (now + f64::from(step)).clamp(least.min(most), most.max(least));
    Light {
        kelvin: Some(kelvin.round() as u16),
        ..Light::default()
    }
}

/// A question about states.
fn known(meant: &Recognition, registry: &Registry, domains: &[&str], room: Option<&str>) -> Plan {
    let one_of_many = meant.intent == "HassClimateGetTemperature";
    // A response tells domain and class by itself; which things it may be about is all that is looked for here.
    let mut wanted = wanted(meant, domains, room.filter(|_| one_of_many));
    if wanted.name.is_some() {
        wanted.domains.clear();
        wanted.classes.clear();
    }
    match find(registry, &wanted, &meant.intent) {
        Ok(found) => Plan::Know(found),
        Err(Plan::Which { things, .. }) if !one_of_many => Plan::Know(things),
        Err(Plan::Refused(_)) => Plan::Other,
        Err(plan) => plan,
    }
}
