//! What a house has: devices, areas, floors, timers, what plays; as a file or a test gives it.
use serde_json::Value;

use super::datum::Datum;
use super::recognise::{HouseValue, Lists, Recognition};

/// Most devices, areas and floors of one house, each.
const THINGS_MAX: usize = 200_000;
/// Most other names of one of them.
const ALIASES_MAX: usize = 32;

/// One device as Home Assistant knows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entity {
    pub(super) name: String,
    /// What else it is called.
    aliases: Vec<String>,
    pub(super) domain: String,
    pub(super) id: String,
    /// As it is stored ("on", "not_home") and as it is said.
    pub(super) state: Value,
    pub(super) said_state: Value,
    pub(super) area: Option<String>,
    pub(super) attributes: Value,
    pub(super) exposed: bool,
}

/// A running or paused timer, as responses ask for it.
pub type Timer = serde_json::Map<String, Value>;

/// A room.
#[derive(Debug, Clone, PartialEq)]
struct Area {
    name: String,
    aliases: Vec<String>,
    floor: Option<String>,
}

/// A storey.
#[derive(Debug, Clone, PartialEq)]
struct Floor {
    name: String,
    aliases: Vec<String>,
}

/// A house.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct House {
    pub(super) entities: Vec<Entity>,
    areas: Vec<Area>,
    floors: Vec<Floor>,
    /// The room in which the speaker stands.
    context_area: Option<String>,
    pub(super) timers: Vec<Timer>,
    pub(super) media: Vec<Value>,
    pub(super) completed_items: Value,
}

impl House {
    /// Reads a house: `{"entities": [{"name", "aliases", "domain", "state", "area", "attributes"}], "areas": [{"name",
    /// "aliases", "floor"}], "floors": [{"name", "aliases"}], "context_area", "timers", "media"}`. All of it may be absent.
    /// A row of the conformance suite, whose things are under `fixtures`, is read as well.
    ///
    /// # Errors
    /// Says which entry is not what it should be.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        let things = value.get("fixtures").unwrap_or(value);
        let list = |from: &Value, key: &str| -> Result<Vec<Value>, String> {
            match from.get(key) {
                None | Some(Value::Null) => Ok(Vec::new()),
                Some(Value::Array(items)) if items.len() <= THINGS_MAX => Ok(items.clone()),
                Some(Value::Array(items)) => Err(format!(
                    "{key}: {} entries, more than {THINGS_MAX}",
                    items.len()
                )),
                Some(_) => Err(format!("{key}: a list is expected")),
            }
        };
        let name = |key: &str, at: usize, item: &Value| {
            text(item, "name").ok_or_else(|| format!("{key}[{at}]: \"name\" with text is expected"))
        };
        let mut house = Self {
            completed_items: Value::Array(Vec::new()),
            ..Self::default()
        };
        for (at, item) in list(things, "floors")?.iter().enumerate() {
            house.floors.push(Floor {
                name: name("floors", at, item)?,
                aliases: aliases(item),
            });
        }
        for (at, item) in list(things, "areas")?.iter().enumerate() {
            let area = name("areas", at, item)?;
            if item.get("context_area") == Some(&Value::Bool(true)) {
                house.context_area = Some(area.clone());
            }
            house.areas.push(Area {
                name: area,
                aliases: aliases(item),
                floor: text(item, "floor"),
            });
        }
        for (at, item) in list(things, "entities")?.iter().enumerate() {
            house.entities.push(entity(at, item)?);
        }
        if let Some(area) = text(value, "context_area") {
            house.context_area = Some(area);
        }
        for (at, timer) in list(value, "timers")?.into_iter().enumerate() {
            match timer {
                Value::Object(timer) => house.timers.push(timer),
                _ => return Err(format!("timers[{at}]: a mapping is expected")),
            }
        }
        house.media = list(value, "media")?;
        if let Some(items @ Value::Array(_)) = value.get("completed_items") {
            house.completed_items = items.clone();
        }
        Ok(house)
    }

    /// The lists that templates ask for: `name`, `area`, `floor`, each with its aliases. An alias of a room means the room;
    /// one of a device stays as it was said, because several devices may share it.
    #[must_use]
    pub fn lists(&self) -> Lists {
        let mut lists = Lists::default();
        let meant = |said: &String, out: &String| HouseValue {
            said: said.clone(),
            out: Datum::Text(out.clone()),
            context: Vec::new(),
            metadata: None,
        };
        let called = |name, aliases| core::iter::once(name).chain(aliases);
        lists.set(
            "area",
            self.areas.iter().flat_map(|area| {
                called(&area.name, &area.aliases).map(|said| meant(said, &area.name))
            }),
        );
        lists.set(
            "floor",
            self.floors.iter().flat_map(|floor| {
                called(&floor.name, &floor.aliases).map(|said| meant(said, &floor.name))
            }),
        );
        let exposed = self.entities.iter().filter(|entity| entity.exposed);
        lists.set(
            "name",
            exposed.flat_map(|entity| {
                called(&entity.name, &entity.aliases).map(|said| HouseValue {
                    context: vec![("domain".into(), Datum::Text(entity.domain.clone()))],
                    ..meant(said, said)
                })
            }),
        );
        lists
    }

    /// Takes in what another system knows of the same house. Areas and floors that both know stand once; where the speaker
    /// stands is kept.
    pub fn join(&mut self, other: &Self) {
        self.entities.extend_from_slice(&other.entities);
        for area in &other.areas {
            let known = |known: &&mut Area| same(&known.name) == same(&area.name);
            match self.areas.iter_mut().find(known) {
                Some(known) => {
                    known.floor = known.floor.take().or_else(|| area.floor.clone());
                    add_new(&mut known.aliases, &area.aliases);
                }
                None => self.areas.push(area.clone()),
            }
        }
        for floor in &other.floors {
            let known = |known: &&mut Floor| same(&known.name) == same(&floor.name);
            match self.floors.iter_mut().find(known) {
                Some(known) => add_new(&mut known.aliases, &floor.aliases),
                None => self.floors.push(floor.clone()),
            }
        }
        self.timers.extend_from_slice(&other.timers);
        self.media.extend_from_slice(&other.media);
        self.context_area = self
            .context_area
            .take()
            .or_else(|| other.context_area.clone());
    }

    /// The room in which the speaker stands.
    #[must_use]
    pub fn context_area(&self) -> Option<&str> {
        self.context_area.as_deref()
    }

    /// Puts the speaker into a room.
    pub fn set_context_area(&mut self, area: &str) {
        self.context_area = Some(area.to_owned());
    }

    /// Circumstances for [`super::Program::recognise`].
    #[must_use]
    pub fn context(&self) -> Vec<(String, Datum)> {
        self.context_area
            .iter()
            .map(|area| ("area".to_owned(), Datum::Text(area.clone())))
            .collect()
    }

    /// Whether something of the house has this name.
    pub(in crate::understand) fn has(&self, name: &str) -> bool {
        let name = same(name);
        self.entities.iter().any(|entity| {
            same(&entity.name) == name || entity.aliases.iter().any(|alias| same(alias) == name)
        })
    }

    /// The devices that a sentence is about: those that are in the state asked for, and those that are not.
    pub(super) fn asked(&self, meant: &Recognition) -> (Vec<&Entity>, Vec<&Entity>) {
        let slot = |name: &str| meant.slot(name).map(|slot| &slot.value);
        let folded = |name: &str| slot(name).map(|value| same(&value.spoken()));
        let state = slot("state").map(Datum::spoken);
        let in_state = |entity: &&Entity| {
            state
                .as_ref()
                .is_none_or(|state| entity.state.as_str() == Some(state))
        };
        if let Some(name) = folded("name") {
            return self
                .entities
                .iter()
                .filter(|entity| {
                    same(&entity.name) == name
                        || entity.aliases.iter().any(|alias| same(alias) == name)
                })
                .partition(in_state);
        }
        let only = match meant.intent.as_str() {
            "HassClimateGetTemperature" | "HassClimateSetTemperature" => Some("climate"),
            "HassGetWeather" => Some("weather"),
            _ => None,
        };
        let (area, floor, domain) = (folded("area"), folded("floor"), folded("domain"));
        let class = slot("device_class");
        let fits = |entity: &&Entity| {
            let room = entity.area.as_deref().map(same);
            let storey = || {
                let area = self
                    .areas
                    .iter()
                    .find(|area| Some(same(&area.name)) == room)?;
                area.floor.as_deref().map(same)
            };
            entity.exposed
                && only.is_none_or(|only| entity.domain == only)
                && floor.as_ref().is_none_or(|floor| storey().as_ref() == Some(floor))
                // An area that this house does not have fits devices that stand in none.
                && area.as_ref().is_none_or(|area| {
                    let known = self.areas.iter().any(|known| same(&known.name) == *area);
                    if known { room.as_ref() == Some(area) } else { room.is_none() }
                })
                && domain.as_ref().is_none_or(|domain| entity.domain == *domain)
                && class.is_none_or(|class| {
                    let has = entity.attributes.get("device_class").map(Datum::from_json);
                    match (class, has) {
                        (Datum::List(any), Some(has)) => any.contains(&has),
                        (one, Some(has)) => *one == has,
                        _ => false,
                    }
                })
        };
        self.entities.iter().filter(fits).partition(in_state)
    }
}

/// Names are compared without regard to case and edges.
fn same(name: &str) -> String {
    name.trim().to_lowercase()
}

fn text(item: &Value, key: &str) -> Option<String> {
    item.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// Other names; what is no text is none.
fn aliases(item: &Value) -> Vec<String> {
    let all = item.get("aliases").and_then(Value::as_array);
    let words = all.into_iter().flatten().filter_map(Value::as_str);
    words
        .filter(|alias| !alias.trim().is_empty())
        .take(ALIASES_MAX)
        .map(str::to_owned)
        .collect()
}

fn add_new(known: &mut Vec<String>, more: &[String]) {
    for alias in more {
        if known.len() < ALIASES_MAX && !known.contains(alias) {
            known.push(alias.clone());
        }
    }
}

fn entity(at: usize, item: &Value) -> Result<Entity, String> {
    let need = |key: &str| {
        text(item, key).ok_or_else(|| format!("entities[{at}]: \"{key}\" with text is expected"))
    };
    let (name, domain) = (need("name")?, need("domain")?);
    let state = item
        .get("state")
        .or_else(|| item.get("state_with_unit"))
        .cloned()
        .unwrap_or_else(|| "off".into());
    let (state, said_state) = match (state.get("in"), state.get("out")) {
        (Some(said), Some(stored)) => (stored.clone(), said.clone()),
        _ => (state.clone(), state),
    };
    Ok(Entity {
        id: format!("{domain}.{}", same(&name).replace(' ', "_")),
        name,
        aliases: aliases(item),
        domain,
        state,
        said_state,
        area: text(item, "area"),
        attributes: item
            .get("attributes")
            .cloned()
            .unwrap_or_else(|| Value::Object(serde_json::Map::new())),
        exposed: item.get("is_exposed") != Some(&Value::Bool(false)),
    })
}
