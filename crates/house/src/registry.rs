//! One list of the things of the house, whichever systems they come from.
//!
//! A lamp that Home Assistant and zigbee2mqtt both know is one thing with two ways to it: the first way in the order of
//! the configuration whose system answers is taken.
use std::collections::HashMap;

use hearthline_speaker::skill::Happened;
use serde_json::{Map, Value, json};

use crate::exchange::{News, SystemPlace, What};
use crate::thing::{AREAS_MAX, Area, Floor, State, THINGS_MAX, Thing, folded};

/// Whether a system answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// It does.
    Up,
    /// It does not.
    Down {
        /// In words.
        why: String,
    },
}

/// One system.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    /// Its key in orders and news: `home_assistant`.
    pub key: String,
    /// What it is called when spoken of: `Home Assistant`.
    pub label: String,
    /// Whether it answers.
    pub link: Link,
    areas: Vec<Area>,
    things: Vec<Thing>,
    by_id: HashMap<String, usize>,
    /// Of each thing, where it stands in the list of all.
    places: Vec<usize>,
    /// By id, the last state that was known since the system answers.
    seen: HashMap<String, String>,
}

impl System {
    fn new(key: &str, label: &str) -> Self {
        Self {
            key: key.to_owned(),
            label: label.to_owned(),
            link: Link::Down {
                why: "it has not answered yet".to_owned(),
            },
            areas: Vec::new(),
            things: Vec::new(),
            by_id: HashMap::new(),
            places: Vec::new(),
            seen: HashMap::new(),
        }
    }
}

/// A way to a thing: a system, and which of its things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    system: usize,
    thing: usize,
}

/// A thing of the house.
#[derive(Debug, Clone, PartialEq)]
struct Joined {
    area: Option<String>,
    ways: Vec<Way>,
}

/// What has changed by a piece of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Nothing that anybody sees.
    Nothing,
    /// States, or whether a system answers.
    States,
    /// Names, areas, floors.
    Names,
}

/// The list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Registry {
    systems: Vec<System>,
    joined: Vec<Joined>,
    areas: Vec<Area>,
    /// Things that have become another, by their places, until somebody asks.
    became: Vec<(usize, String)>,
}

impl Registry {
    /// For these systems, by key and label, the preferred first.
    #[must_use]
    pub fn new(systems: &[(String, String)]) -> Self {
        let system = |(key, label): &(String, String)| System::new(key, label);
        Self {
            systems: systems.iter().map(system).collect(),
            ..Self::default()
        }
    }

    /// From now on there are these systems; of those that are kept it is known what was.
    pub fn set_systems(&mut self, systems: &[SystemPlace]) {
        let mut before = core::mem::take(&mut self.systems);
        for SystemPlace {
            key,
            label,
            is_kept,
        } in systems
        {
            let known = before.iter().position(|system| system.key == *key);
            self.systems.push(match known {
                Some(at) if *is_kept => before.swap_remove(at),
                _ => System::new(key, label),
            });
        }
        self.join();
    }

    /// Takes what an adapter says.
    pub fn handle(&mut self, news: &News) -> Changed {
        let known = |system: &System| system.key == news.system;
        let Some(at) = self.systems.iter().position(known) else {
            return Changed::Nothing;
        };
        let system = &mut self.systems[at];
        match &news.what {
            What::Up if system.link == Link::Up => Changed::Nothing,
            What::Up => {
                system.link = Link::Up;
                Changed::States
            }
            What::Down { why } => {
                system.link = Link::Down { why: why.clone() };
                // What it tells when it is back is no change that just happened.
                system.seen.clear();
                Changed::States
            }
            What::Things { areas, things } => {
                system.areas = areas.iter().take(AREAS_MAX).cloned().collect();
                system.things = things.iter().take(THINGS_MAX).cloned().collect();
                let ids = system.things.iter().enumerate();
                system.by_id = ids.map(|(at, thing)| (thing.id.clone(), at)).collect();
                let by_id = &system.by_id;
                system.seen.retain(|id, _| by_id.contains_key(id));
                self.join();
                for thing in 0..self.systems[at].things.len() {
                    self.see(at, thing, true);
                }
                Changed::Names
            }
            What::States { states } | What::Kept { states } => {
                let mut changed = Changed::Nothing;
                let is_new = matches!(news.what, What::States { .. });
                for (id, state) in states {
                    let system = &mut self.systems[at];
                    let Some(&place) = system.by_id.get(id) else {
                        continue;
                    };
                    let thing = &mut system.things[place];
                    if thing.state != *state {
                        thing.state = state.clone();
                        changed = Changed::States;
                    }
                    self.see(at, place, is_new);
                }
                changed
            }
            What::Done { .. } | What::Failed { .. } | What::Trouble { .. } => Changed::Nothing,
        }
    }

    /// Looks at a thing as a system tells it: whether it has become another since it was last known.
    fn see(&mut self, system: usize, thing: usize, is_new: bool) {
        let of = &mut self.systems[system];
        let (id, value) = (&of.things[thing].id, &of.things[thing].state.value);
        if ["", "unknown", "unavailable"].contains(&value.as_str()) {
            return;
        }
        let before = of.seen.insert(id.clone(), value.clone());
        let before = before.filter(|before| is_new && before != value);
        let at = of.places.get(thing).copied();
        if let Some((at, before)) = at.zip(before)
            // What two systems tell counts once.
            && self.way(at) == (Way { system, thing })
        {
            self.became.push((at, before));
        }
    }

    /// What has become another since this was asked last.
    pub fn became(&mut self) -> Vec<Happened> {
        let all = core::mem::take(&mut self.became);
        all.into_iter()
            .filter(|(at, _)| *at < self.joined.len())
            .map(|(at, before)| {
                let thing = self.thing(at);
                let names = core::iter::once(thing.name.as_str()).chain(self.other_names(at));
                Happened::Became {
                    names: names.map(str::to_owned).collect(),
                    room: self.area_of(at).map(str::to_owned),
                    states: vec![thing.state.value.clone(), thing.state.said(&thing.domain)],
                    before,
                }
            })
            .collect()
    }

    /// Makes one list of all systems' things.
    fn join(&mut self) {
        self.areas.clear();
        let mut known: HashMap<String, usize> = HashMap::new();
        for area in self.systems.iter().flat_map(|system| &system.areas) {
            match known.get(&folded(&area.name)) {
                Some(at) => {
                    let known = &mut self.areas[*at];
                    known.floor = known.floor.take().or_else(|| area.floor.clone());
                    known.aliases.extend(area.aliases.iter().cloned());
                }
                None => {
                    known.insert(folded(&area.name), self.areas.len());
                    self.areas.push(area.clone());
                }
            }
        }
        let mut joined: Vec<Joined> = Vec::new();
        let mut same: HashMap<(String, String), Vec<usize>> = HashMap::new();
        let mut places: Vec<Vec<usize>> = Vec::new();
        for (system, all) in self.systems.iter().enumerate() {
            places.push(Vec::with_capacity(all.things.len()));
            for (thing, this) in all.things.iter().enumerate() {
                let way = Way { system, thing };
                let alike = same
                    .entry((folded(&this.name), this.domain.clone()))
                    .or_default();
                let area = this.area.as_deref().map(folded);
                let found = alike.iter().copied().find(|at| {
                    let other = &joined[*at];
                    let room = other.area.as_deref().map(folded);
                    let elsewhere = other.ways.iter().all(|way| way.system != system);
                    elsewhere && (room == area || room.is_none() || area.is_none())
                });
                places[system].push(found.unwrap_or(joined.len()));
                match found {
                    Some(at) => {
                        let other = &mut joined[at];
                        other.ways.push(way);
                        other.area = other.area.take().or_else(|| this.area.clone());
                    }
                    None => {
                        alike.push(joined.len());
                        joined.push(Joined {
                            area: this.area.clone(),
                            ways: vec![way],
                        });
                    }
                }
            }
        }
        self.joined = joined;
        self.became.clear();
        for (system, places) in self.systems.iter_mut().zip(places) {
            system.places = places;
        }
    }

    /// How many things there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.joined.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.joined.is_empty()
    }

    /// The systems.
    #[must_use]
    pub fn systems(&self) -> &[System] {
        &self.systems
    }

    /// The rooms.
    #[must_use]
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// The way that is taken now: the first whose system answers, else the first.
    fn way(&self, at: usize) -> Way {
        let ways = &self.joined[at].ways;
        let up = |way: &&Way| self.systems[way.system].link == Link::Up;
        let best = ways.iter().find(|way| {
            let thing = &self.systems[way.system].things[way.thing];
            up(way) && !thing.state.is_unavailable()
        });
        *best.or_else(|| ways.iter().find(up)).unwrap_or(&ways[0])
    }

    /// A thing by its place.
    #[must_use]
    pub fn thing(&self, at: usize) -> &Thing {
        let way = self.way(at);
        &self.systems[way.system].things[way.thing]
    }

    /// The system by which it is reached now.
    #[must_use]
    pub fn system_of(&self, at: usize) -> &System {
        &self.systems[self.way(at).system]
    }

    /// Its room.
    #[must_use]
    pub fn area_of(&self, at: usize) -> Option<&str> {
        self.joined[at].area.as_deref()
    }

    /// The floor of its room.
    #[must_use]
    pub fn floor_of(&self, at: usize) -> Option<&str> {
        let room = folded(self.area_of(at)?);
        let area = self.areas.iter().find(|area| folded(&area.name) == room)?;
        area.floor.as_ref().map(|floor| floor.name.as_str())
    }

    /// Whether it goes by this name.
    #[must_use]
    pub fn is_called(&self, at: usize, name: &str) -> bool {
        let name = folded(name);
        self.joined[at].ways.iter().any(|way| {
            let thing = &self.systems[way.system].things[way.thing];
            core::iter::once(&thing.name)
                .chain(&thing.aliases)
                .any(|known| folded(known) == name)
        })
    }

    /// The things that `fits` says, each by its place.
    pub fn places<'a>(
        &'a self,
        fits: impl Fn(usize) -> bool + 'a,
    ) -> impl Iterator<Item = usize> + 'a {
        (0..self.joined.len()).filter(move |at| fits(*at))
    }

    /// What it is called by all systems that know it, the name of the way that is taken now left out.
    fn other_names(&self, at: usize) -> Vec<&str> {
        let mut known = vec![folded(&self.thing(at).name)];
        let mut others = Vec::new();
        for way in &self.joined[at].ways {
            let thing = &self.systems[way.system].things[way.thing];
            for name in core::iter::once(&thing.name).chain(&thing.aliases) {
                let plain = folded(name);
                if !known.contains(&plain) {
                    known.push(plain);
                    others.push(name.as_str());
                }
            }
        }
        others
    }

    /// One entity as [`hearthline_voice::understand::sentences::House::from_json`] reads it.
    #[must_use]
    pub fn entity(&self, at: usize) -> Value {
        let thing = self.thing(at);
        let said = thing.state.said(&thing.domain);
        json!({
            "name": thing.name,
            "aliases": self.other_names(at),
            "domain": thing.domain,
            "area": self.area_of(at),
            "state": {"in": said, "out": thing.state.value},
            "attributes": thing.state.attributes,
        })
    }

    /// The whole house for the sentences: names, rooms, floors, states.
    #[must_use]
    pub fn house(&self) -> Value {
        let mut floors: Vec<&Floor> = Vec::new();
        for floor in self.areas.iter().filter_map(|area| area.floor.as_ref()) {
            if !floors.iter().any(|known| known.name == floor.name) {
                floors.push(floor);
            }
        }
        let areas = self.areas.iter().map(|area| {
            let floor = area.floor.as_ref().map(|floor| &floor.name);
            json!({"name": area.name, "aliases": area.aliases, "floor": floor})
        });
        json!({
            "entities": (0..self.len()).map(|at| self.entity(at)).collect::<Vec<_>>(),
            "areas": areas.collect::<Vec<_>>(),
            "floors": floors,
        })
    }

    /// What pages show: lamps and what else burns or stands open, and whether the systems answer.
    #[must_use]
    pub fn shown(&self) -> Value {
        const SHOWN: [&str; 6] = ["light", "switch", "fan", "cover", "lock", "climate"];
        let things = (0..self.len()).filter_map(|at| {
            let thing = self.thing(at);
            let domain = thing.domain.as_str();
            SHOWN.contains(&domain).then(|| {
                let mut shown = Map::new();
                let mut put = |key: &str, value: Value| shown.insert(key.to_owned(), value);
                put("name", thing.name.clone().into());
                put("domain", domain.into());
                put("area", self.area_of(at).into());
                put("state", thing.state.value.clone().into());
                let attributes = &thing.state.attributes;
                if let Some(brightness) = attributes.get("brightness").and_then(Value::as_f64) {
                    put("percent", ((brightness / 2.55).round() as u64).into());
                }
                for key in ["rgb_color", "color_temp_kelvin", "current_position"] {
                    if let Some(value) = attributes.get(key).filter(|value| !value.is_null()) {
                        put(key, value.clone());
                    }
                }
                let up = self.system_of(at).link == Link::Up;
                put("reachable", (up && !thing.state.is_unavailable()).into());
                Value::Object(shown)
            })
        });
        let systems = self.systems.iter().map(|system| {
            let why = match &system.link {
                Link::Up => Value::Null,
                Link::Down { why } => why.clone().into(),
            };
            json!({"name": system.label, "answers": system.link == Link::Up, "why": why})
        });
        json!({
            "things": things.take(SHOWN_MAX).collect::<Vec<_>>(),
            "systems": systems.collect::<Vec<_>>(),
        })
    }

    /// A state as it becomes known otherwise than by news: what an order has done.
    pub fn set_state(&mut self, at: usize, state: State) {
        let way = self.way(at);
        self.systems[way.system].things[way.thing].state = state;
    }
}

/// Most things that a page shows.
const SHOWN_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(id: &str, name: &str, area: Option<&str>) -> Thing {
        let mut thing = Thing::new(id, name, "light").unwrap();
        thing.area = area.map(str::to_owned);
        thing.state = State::new("off");
        thing
    }

    fn news(system: &str, what: What) -> News {
        News {
            system: system.to_owned(),
            what,
        }
    }

    #[test]
    fn what_two_systems_know_is_one_thing_with_two_ways() {
        let system = |name: &str| (name.to_owned(), name.to_uppercase());
        let mut registry = Registry::new(&[system("a"), system("b")]);
        let a = What::Things {
            areas: vec![Area {
                name: "Kitchen".into(),
                aliases: Vec::new(),
                floor: Some(Floor {
                    name: "Ground".into(),
                    aliases: Vec::new(),
                }),
            }],
            things: vec![
                thing("l1", "Lamp", Some("Kitchen")),
                thing("l2", "Lamp", Some("Hall")),
            ],
        };
        let b = What::Things {
            areas: Vec::new(),
            things: vec![
                thing("0x1", "lamp", Some("kitchen")),
                thing("0x2", "Desk", None),
            ],
        };
        assert_eq!(registry.handle(&news("a", a)), Changed::Names);
        assert_eq!(registry.handle(&news("b", b)), Changed::Names);
        assert_eq!(registry.handle(&news("x", What::Up)), Changed::Nothing);
        assert_eq!(registry.len(), 3);
        assert_eq!(registry.floor_of(0), Some("Ground"));
        // Neither answers yet: the first is spoken of. Then the one that does is taken.
        assert_eq!(registry.thing(0).id, "l1");
        registry.handle(&news("b", What::Up));
        assert_eq!(registry.thing(0).id, "0x1");
        registry.handle(&news("a", What::Up));
        assert_eq!(registry.thing(0).id, "l1");
        let states = vec![("l1".to_owned(), State::new("unavailable"))];
        assert_eq!(
            registry.handle(&news("a", What::States { states })),
            Changed::States
        );
        assert_eq!(registry.thing(0).id, "0x1", "the way that works");
        assert!(registry.is_called(0, " LAMP"));
    }

    #[test]
    fn only_what_changes_while_a_system_answers_has_happened() {
        let system = |name: &str| (name.to_owned(), name.to_uppercase());
        let mut registry = Registry::new(&[system("a"), system("b")]);
        let door = |value: &str| {
            let mut door = thing("d1", "Front Door", Some("Hall"));
            door.domain = "binary_sensor".into();
            door.state = State::new(value).with("device_class", "door");
            door
        };
        let things = |value: &str| What::Things {
            areas: Vec::new(),
            things: vec![door(value)],
        };
        let states = |value: &str| vec![("d1".to_owned(), door(value).state)];
        let mut tell = |system: &str, what: What| {
            registry.handle(&news(system, what));
            let all = registry
                .became()
                .into_iter()
                .map(|happened| match happened {
                    Happened::Became {
                        names,
                        room,
                        states,
                        before,
                    } => {
                        assert!(!states.contains(&before), "{before}");
                        assert_eq!(names, ["Front Door"]);
                        assert_eq!(room.as_deref(), Some("Hall"));
                        states.join(" ")
                    }
                    Happened::Own(own) => panic!("{own:?}"),
                });
            all.collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        assert_eq!(tell("a", What::Up), none);
        assert_eq!(tell("a", things("on")), none, "as it was found");
        let states_of = |value: &str| What::States {
            states: states(value),
        };
        assert_eq!(tell("a", states_of("on")), none);
        assert_eq!(tell("a", states_of("off")), ["off closed"]);
        // It was away for a moment and is as before; then it is not.
        assert_eq!(tell("a", states_of("unavailable")), none);
        assert_eq!(tell("a", states_of("off")), none);
        assert_eq!(tell("a", states_of("unavailable")), none);
        assert_eq!(tell("a", states_of("on")), ["on open"]);
        assert_eq!(tell("a", things("off")), ["off closed"], "names came anew");
        // The system was away: what it tells now may be old.
        let why = "gone".to_owned();
        assert_eq!(tell("a", What::Down { why }), none);
        assert_eq!(tell("a", What::Up), none);
        assert_eq!(tell("a", things("on")), none);
        let kept = What::Kept {
            states: states("off"),
        };
        assert_eq!(tell("a", kept), none, "as its broker had kept it");
        // Two systems tell of one door: it has opened once.
        assert_eq!(tell("b", What::Up), none);
        assert_eq!(tell("b", things("off")), none);
        assert_eq!(tell("b", states_of("on")), none);
        assert_eq!(tell("a", states_of("on")), ["on open"]);
    }
}
