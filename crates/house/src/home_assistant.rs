//! Home Assistant's WebSocket API, without a socket: messages in, messages out.
//!
//! ```text
//! auth_required ─► auth ─► auth_ok ─► what is there? (areas, floors, devices, exposed, states)
//!     ─► which of it is exposed? ─► its entries and subscribe_entities ─► Things, Up ─► States …
//! order ─► call_service ─► result ─► Done | Failed          registry changed ─► what is there?
//! ```
//! Only what the owner exposes to voice assistants is taken, by Home Assistant's own list and its own defaults.
//! Whatever comes is a JSON object or is left out; ids that nobody asked for are counted as strange, and many end the connection.
use core::time::Duration;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use hearthline_speaker::player as music;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::command::Command;
use crate::exchange::{Order, What};
use crate::thing::{ALIASES_MAX, AREAS_MAX, Area, Floor, State, THINGS_MAX, Thing, spoken_name};

mod exposed;
mod player;
mod service;

/// Largest message, in bytes: the states of some ten thousand entities.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1_024 * 1_024;
/// How long Home Assistant may take to know us.
const AUTH_MAX: Duration = Duration::from_secs(10);
/// How long without a message before it is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How long it may take to say so.
const PONG_MAX: Duration = Duration::from_secs(8);
/// Changes of the registries are waited for so long before it is asked again what is there.
const SETTLE: Duration = Duration::from_secs(1);
/// Most messages of one connection that make no sense.
const STRANGE_MAX: u32 = 100;
/// Most orders that wait for their results.
const PENDING_MAX: usize = 2_000;
/// Longest title of a media player that is kept, in bytes.
const TEXT_BYTES_MAX: usize = 4 * 1_024;
/// Longest reason that is handed on, in characters.
const WHY_CHARS_MAX: usize = 160;

/// What the core wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this as one message of text. It may hold the token: never log it.
    Send(String),
    /// Tell the skill.
    News(What),
    /// Tell music of its player.
    Player(music::News),
    /// Close the connection, and why.
    Close(String),
}

/// What a message of ours asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Areas,
    Floors,
    Devices,
    Exposed,
    ExposesNew,
    States,
    Entries,
    Entities,
    Changes,
    Ping,
    Order(u64),
    Player(u64),
    Search(u64),
    /// What an order of the house is to play is looked for.
    Find(u64),
}

/// Where the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Closed,
    /// Connected; it has to know us by then.
    Unknown {
        until: Duration,
    },
    /// What is there is being asked.
    Asking,
    /// Names and states are known.
    Known,
}

/// What it answered so far, until it is all there.
#[derive(Debug, Default)]
struct Gathered {
    waiting: HashSet<u8>,
    areas: Vec<(String, Area, Option<String>)>,
    floors: HashMap<String, Floor>,
    devices: HashMap<String, String>,
    exposed: Option<HashMap<String, bool>>,
    exposes_new: bool,
    states: Vec<(String, Option<String>)>,
    chosen: Vec<(String, bool)>,
    entries: HashMap<String, Entry>,
}

/// What the registry says of an entity.
#[derive(Debug, Default)]
struct Entry {
    area: Option<String>,
    device: Option<String>,
    aliases: Vec<String>,
    is_hidden: bool,
}

/// The client.
#[derive(Debug)]
pub struct Client {
    token: Zeroizing<String>,
    standing: Standing,
    next: u64,
    pending: BTreeMap<u64, Pending>,
    gathered: Gathered,
    /// The entities that are followed now: the subscription's id, and each as it was last heard of.
    followed: Option<u64>,
    /// The subscription has told nothing yet.
    is_fresh: bool,
    entities: BTreeMap<String, Entity>,
    /// The media player that music plays by.
    player: Option<String>,
    /// By order: which player looks, and for what.
    finding: HashMap<u64, (String, String)>,
    area_ids: HashMap<String, String>,
    heard_at: Duration,
    ping_sent: Option<Duration>,
    settle_at: Option<Duration>,
    strange: u32,
    outputs: VecDeque<Output>,
}

/// An entity as it was last heard of.
#[derive(Debug, Default, Clone)]
struct Entity {
    value: String,
    attributes: serde_json::Map<String, Value>,
}

impl Client {
    /// With the long-lived access token.
    #[must_use]
    pub fn new(token: Zeroizing<String>) -> Self {
        Self {
            player: None,
            finding: HashMap::new(),
            token,
            standing: Standing::Closed,
            next: 0,
            pending: BTreeMap::new(),
            gathered: Gathered::default(),
            followed: None,
            is_fresh: false,
            entities: BTreeMap::new(),
            area_ids: HashMap::new(),
            heard_at: Duration::ZERO,
            ping_sent: None,
            settle_at: None,
            strange: 0,
            outputs: VecDeque::new(),
        }
    }

    /// A connection stands.
    pub fn opened(&mut self, now: Duration) {
        self.standing = Standing::Unknown {
            until: now + AUTH_MAX,
        };
        self.heard_at = now;
        self.next = 0;
        self.strange = 0;
        (self.ping_sent, self.settle_at, self.followed) = (None, None, None);
        self.pending.clear();
        self.finding.clear();
        self.entities.clear();
    }

    /// The connection is gone, or none could be made.
    pub fn closed(&mut self, why: &str) {
        self.standing = Standing::Closed;
        for (_, pending) in core::mem::take(&mut self.pending) {
            if let Pending::Order(order) | Pending::Find(order) = pending {
                let why = "the connection broke".to_owned();
                self.tell(What::Failed { order, why });
                continue;
            }
            self.player_result(pending, Err("the connection broke"));
        }
        let why = short(why);
        if self.player.is_some() {
            let why = why.clone();
            self.tell_player(music::News::Away { why });
        }
        self.tell(What::Down { why });
    }

    /// Whether names and states are known and orders can be given.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.standing == Standing::Known
    }

    /// Something is to be done.
    pub fn order(&mut self, order: &Order) {
        let fail = |why: &str| What::Failed {
            order: order.id,
            why: why.to_owned(),
        };
        if self.standing != Standing::Known || self.pending.len() >= PENDING_MAX {
            let why = fail("Home Assistant is not ready");
            return self.tell(why);
        }
        let domain = order.thing.split('.').next().unwrap_or_default();
        if let (Command::Play(wish), "media_player") = (&order.command, domain) {
            return self.find(order.id, &order.thing, wish);
        }
        let state = self.entities.get(&order.thing);
        let state = state.map_or("", |entity| entity.value.as_str());
        let area = |name: &str| self.area_ids.get(&crate::thing::folded(name)).cloned();
        let Some(call) = service::of(domain, &order.command, state, area) else {
            let why = fail("it cannot do that");
            return self.tell(why);
        };
        self.ask(
            Pending::Order(order.id),
            json!({
                "type": "call_service",
                "domain": call.domain,
                "service": call.service,
                "service_data": call.data,
                "target": {"entity_id": order.thing},
            }),
        );
    }

    /// A message has come.
    pub fn handle_text(&mut self, text: &str, now: Duration) {
        self.heard_at = now;
        self.ping_sent = None;
        if text.len() > MESSAGE_BYTES_MAX {
            return self.close("a message is too large");
        }
        match serde_json::from_str(text) {
            Ok(Value::Array(messages)) => messages
                .iter()
                .for_each(|message| self.message(message, now)),
            Ok(message @ Value::Object(_)) => self.message(&message, now),
            _ => self.is_strange(),
        }
    }

    /// The time of [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        match self.standing {
            Standing::Closed => {}
            Standing::Unknown { until } if until <= now => self.close("it does not greet"),
            Standing::Unknown { .. } => {}
            Standing::Asking | Standing::Known => {
                if self.settle_at.is_some_and(|at| at <= now) {
                    self.settle_at = None;
                    self.what_is_there();
                }
                match self.ping_sent {
                    Some(sent) if sent + PONG_MAX <= now => self.close("it does not answer"),
                    None if self.heard_at + PING_EVERY <= now => {
                        self.ping_sent = Some(now);
                        self.ask(Pending::Ping, json!({"type": "ping"}));
                    }
                    _ => {}
                }
            }
        }
    }

    /// When [`Self::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let alive = match self.standing {
            Standing::Closed => return None,
            Standing::Unknown { until } => return Some(until),
            Standing::Asking | Standing::Known => match self.ping_sent {
                Some(sent) => sent + PONG_MAX,
                None => self.heard_at + PING_EVERY,
            },
        };
        Some(self.settle_at.map_or(alive, |at| at.min(alive)))
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn tell(&mut self, what: What) {
        self.outputs.push_back(Output::News(what));
    }

    fn close(&mut self, why: &str) {
        self.outputs.push_back(Output::Close(why.to_owned()));
    }

    fn is_strange(&mut self) {
        self.strange += 1;
        if self.strange == STRANGE_MAX {
            self.close("it does not speak as Home Assistant does");
        }
    }

    fn ask(&mut self, what: Pending, mut message: Value) -> u64 {
        self.next += 1;
        message["id"] = self.next.into();
        self.pending.insert(self.next, what);
        self.outputs.push_back(Output::Send(message.to_string()));
        self.next
    }

    fn message(&mut self, message: &Value, now: Duration) {
        let kind = message.get("type").and_then(Value::as_str);
        match (kind, self.standing) {
            (Some("auth_required"), Standing::Unknown { .. }) => {
                let auth = json!({"type": "auth", "access_token": self.token.as_str()});
                self.outputs.push_back(Output::Send(auth.to_string()));
            }
            (Some("auth_ok"), Standing::Unknown { .. }) => {
                self.standing = Standing::Asking;
                for event in [
                    "area_registry_updated",
                    "device_registry_updated",
                    "entity_registry_updated",
                    "floor_registry_updated",
                ] {
                    let subscribe = json!({"type": "subscribe_events", "event_type": event});
                    self.ask(Pending::Changes, subscribe);
                }
                self.what_is_there();
            }
            (Some("auth_invalid"), Standing::Unknown { .. }) => {
                self.close("it does not accept the token; make a new one in your profile there");
            }
            (_, Standing::Closed | Standing::Unknown { .. }) => self.is_strange(),
            (Some("result"), _) => self.result(message),
            (Some("pong"), _) => {
                if let Some(id) = message.get("id").and_then(Value::as_u64) {
                    self.pending.remove(&id);
                }
            }
            (Some("event"), _) => self.event(message, now),
            _ => self.is_strange(),
        }
    }

    /// Asks for all that names and places things.
    fn what_is_there(&mut self) {
        self.gathered = Gathered {
            waiting: (0..6).collect(),
            exposes_new: true,
            ..Gathered::default()
        };
        for (what, kind) in [
            (Pending::Areas, "config/area_registry/list"),
            (Pending::Floors, "config/floor_registry/list"),
            (Pending::Devices, "config/device_registry/list"),
            (Pending::Exposed, "homeassistant/expose_entity/list"),
            (Pending::States, "get_states"),
        ] {
            self.ask(what, json!({"type": kind}));
        }
        let new =
            json!({"type": "homeassistant/expose_new_entities/get", "assistant": "conversation"});
        self.ask(Pending::ExposesNew, new);
    }

    fn result(&mut self, message: &Value) {
        let id = message.get("id").and_then(Value::as_u64);
        let Some(pending) = id.and_then(|id| self.pending.remove(&id)) else {
            return self.is_strange();
        };
        let is_done = message.get("success") == Some(&Value::Bool(true));
        let result = message.get("result").filter(|_| is_done);
        if let Pending::Order(order) = pending {
            let what = if is_done {
                What::Done { order }
            } else {
                let why = message.pointer("/error/message").and_then(Value::as_str);
                let why = short(why.unwrap_or("Home Assistant refuses it"));
                What::Failed { order, why }
            };
            return self.tell(what);
        }
        if let Pending::Player(_) | Pending::Search(_) | Pending::Find(_) = pending {
            let why = message.pointer("/error/message").and_then(Value::as_str);
            let why = why.unwrap_or("Home Assistant refuses it");
            let result = match is_done {
                true => Ok(message.get("result").unwrap_or(&Value::Null)),
                false => Err(why),
            };
            return self.player_result(pending, result);
        }
        let list = || {
            result
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice)
        };
        let gathered = &mut self.gathered;
        let step = match pending {
            Pending::Areas => {
                for item in list().iter().take(AREAS_MAX) {
                    let floor = text(item, "floor_id").map(str::to_owned);
                    if let (Some(id), Some(name)) = (text(item, "area_id"), text(item, "name"))
                        && let Some(name) = spoken_name(name)
                    {
                        let aliases = aliases(item);
                        let area = Area {
                            name,
                            aliases,
                            floor: None,
                        };
                        gathered.areas.push((id.to_owned(), area, floor));
                    }
                }
                0
            }
            // Before 2024.4 there are no floors: an error, and none is known.
            Pending::Floors => {
                let floors = list().iter().take(AREAS_MAX).filter_map(|item| {
                    let floor = Floor {
                        name: spoken_name(text(item, "name")?)?,
                        aliases: aliases(item),
                    };
                    Some((text(item, "floor_id")?.to_owned(), floor))
                });
                gathered.floors = floors.collect();
                1
            }
            Pending::Devices => {
                let devices = list().iter().take(4 * THINGS_MAX).filter_map(|item| {
                    Some((
                        text(item, "id")?.to_owned(),
                        text(item, "area_id")?.to_owned(),
                    ))
                });
                gathered.devices = devices.collect();
                2
            }
            Pending::Exposed => {
                gathered.exposed = result.map(exposed::list);
                3
            }
            Pending::ExposesNew => {
                let new = result.and_then(|result| result.get("expose_new"));
                gathered.exposes_new = new.and_then(Value::as_bool).unwrap_or(true);
                4
            }
            Pending::States => {
                let states = list().iter().filter_map(|item| {
                    let class = item.pointer("/attributes/device_class");
                    let class = class.and_then(Value::as_str).map(str::to_owned);
                    Some((text(item, "entity_id")?.to_owned(), class))
                });
                gathered.states = states.collect();
                5
            }
            Pending::Entries => {
                if let Some(Value::Object(entries)) = result {
                    gathered.entries = entries
                        .iter()
                        .map(|(id, item)| (id.clone(), entry(item)))
                        .collect();
                }
                return self.follow();
            }
            Pending::Entities if !is_done => {
                return self.close("it does not tell states");
            }
            Pending::Entities
            | Pending::Changes
            | Pending::Ping
            | Pending::Order(_)
            | Pending::Player(_)
            | Pending::Search(_)
            | Pending::Find(_) => return,
        };
        gathered.waiting.remove(&step);
        if gathered.waiting.is_empty() {
            self.choose();
        }
    }

    /// All is told: which of it is exposed, and what is it called?
    fn choose(&mut self) {
        let gathered = &mut self.gathered;
        let states = core::mem::take(&mut gathered.states);
        if gathered.exposed.is_none() {
            let what = "the token's user is no administrator, so which things are exposed cannot be asked: \
                        Home Assistant's defaults are taken";
            self.outputs.push_back(Output::News(What::Trouble {
                what: what.to_owned(),
            }));
        }
        let known = gathered.exposed.take().unwrap_or_default();
        gathered.chosen = states
            .into_iter()
            .filter_map(|(id, class)| match known.get(&id) {
                // The owner has named it in our own configuration.
                _ if self.player.as_ref() == Some(&id) => Some((id, true)),
                Some(true) => Some((id, true)),
                Some(false) => None,
                None => (gathered.exposes_new && exposed::by_default(&id, class.as_deref()))
                    .then_some((id, false)),
            })
            .take(THINGS_MAX)
            .collect();
        let ids: Vec<&str> = gathered.chosen.iter().map(|(id, _)| id.as_str()).collect();
        if ids.is_empty() {
            let what = "it exposes nothing to voice assistants".to_owned();
            self.outputs.push_back(Output::News(What::Trouble { what }));
        }
        let ask = json!({"type": "config/entity_registry/get_entries", "entity_ids": ids});
        self.ask(Pending::Entries, ask);
    }

    /// Follows what was chosen from now on.
    fn follow(&mut self) {
        let entries = &self.gathered.entries;
        // What nobody chose by hand is left out when it is hidden or there for the owner's diagnosis.
        self.gathered.chosen.retain(|(id, by_hand)| {
            *by_hand || entries.get(id).is_none_or(|entry| !entry.is_hidden)
        });
        if let Some(id) = self.followed.take() {
            self.ask(
                Pending::Changes,
                json!({"type": "unsubscribe_events", "subscription": id}),
            );
        }
        self.entities.clear();
        let ids: Vec<&str> = self
            .gathered
            .chosen
            .iter()
            .map(|(id, _)| id.as_str())
            .collect();
        // An empty list would mean all.
        if ids.is_empty() {
            return self.all_known();
        }
        let ask = json!({"type": "subscribe_entities", "entity_ids": ids});
        self.followed = Some(self.ask(Pending::Entities, ask));
        self.is_fresh = true;
    }

    fn event(&mut self, message: &Value, now: Duration) {
        let id = message.get("id").and_then(Value::as_u64);
        let Some(event) = message.get("event") else {
            return self.is_strange();
        };
        if id.is_none() || id != self.followed {
            // A registry has changed, or it is the end of a subscription that was given up.
            if event.get("event_type").is_some() {
                self.settle_at = Some(now + SETTLE);
            }
            return;
        }
        let mut states = Vec::new();
        if let Some(Value::Object(added)) = event.get("a") {
            for (id, item) in added.iter().take(THINGS_MAX) {
                let entity = self.entities.entry(id.clone()).or_default();
                *entity = Entity::default();
                entity.take(item);
                states.push((id.clone(), entity.state()));
            }
            // The first answer to a subscription: names may have changed with it.
            if core::mem::take(&mut self.is_fresh) {
                return self.all_known();
            }
        }
        if let Some(Value::Object(changed)) = event.get("c") {
            for (id, item) in changed {
                let Some(entity) = self.entities.get_mut(id) else {
                    continue;
                };
                if let Some(more) = item.get("+") {
                    entity.take(more);
                }
                let gone = item.pointer("/-/a").and_then(Value::as_array);
                for name in gone.into_iter().flatten().filter_map(Value::as_str) {
                    entity.attributes.remove(name);
                }
                states.push((id.clone(), entity.state()));
            }
        }
        if let Some(Value::Array(removed)) = event.get("r") {
            for id in removed.iter().filter_map(Value::as_str) {
                if self.entities.remove(id).is_some() {
                    states.push((id.to_owned(), State::new("unavailable")));
                }
            }
        }
        let is_player = |(id, _): &(String, State)| self.player.as_ref() == Some(id);
        if states.iter().any(is_player) {
            self.show_player();
        }
        if !states.is_empty() {
            self.tell(What::States { states });
        }
    }

    /// Names and states are there: tells all of them.
    fn all_known(&mut self) {
        let gathered = &self.gathered;
        let mut names: HashMap<&str, &str> = HashMap::new();
        let mut areas = Vec::new();
        for (id, area, floor) in &gathered.areas {
            names.insert(id, &area.name);
            let floor = floor.as_ref().and_then(|floor| gathered.floors.get(floor));
            areas.push(Area {
                floor: floor.cloned(),
                ..area.clone()
            });
        }
        let mut things = Vec::new();
        for (id, entity) in &self.entities {
            let name = entity
                .attributes
                .get("friendly_name")
                .and_then(Value::as_str);
            let object = id.split_once('.').map_or("", |(_, object)| object);
            let domain = id.split('.').next().unwrap_or_default();
            let Some(mut thing) = Thing::new(id, name.unwrap_or(object), domain) else {
                continue;
            };
            if let Some(entry) = gathered.entries.get(id) {
                let device = || gathered.devices.get(entry.device.as_ref()?);
                let area = entry.area.as_ref().or_else(device);
                thing.area = area
                    .and_then(|area| names.get(area.as_str()))
                    .map(|name| (*name).to_owned());
                thing.aliases.clone_from(&entry.aliases);
            }
            thing.state = entity.state();
            things.push(thing);
        }
        let ids = gathered
            .areas
            .iter()
            .map(|(id, area, _)| (crate::thing::folded(&area.name), id.clone()));
        self.area_ids = ids.collect();
        self.standing = Standing::Known;
        self.tell(What::Up);
        self.tell(What::Things { areas, things });
        self.show_player();
    }
}

impl Entity {
    /// Takes a compressed state: `s` the state, `a` attributes.
    fn take(&mut self, item: &Value) {
        if let Some(value) = text(item, "s") {
            self.value = value.chars().take(255).collect();
        }
        if let Some(Value::Object(attributes)) = item.get("a") {
            let mut state = State::default();
            for (name, value) in attributes {
                let is_long = value
                    .as_str()
                    .is_some_and(|text| text.len() > TEXT_BYTES_MAX);
                let is_flat = !value.is_array() && !value.is_object() && !is_long;
                if name == "friendly_name"
                    || (is_flat && player::ATTRIBUTES.contains(&name.as_str()))
                {
                    self.attributes.insert(name.clone(), value.clone());
                }
                state.set(name, value.clone());
            }
            self.attributes.append(&mut state.attributes);
        }
    }

    fn state(&self) -> State {
        let mut state = State::new(&self.value);
        for (name, value) in &self.attributes {
            state.set(name, value.clone());
        }
        state
    }
}

fn entry(item: &Value) -> Entry {
    let present = |key: &str| item.get(key).is_some_and(|value| !value.is_null());
    Entry {
        area: text(item, "area_id").map(str::to_owned),
        device: text(item, "device_id").map(str::to_owned),
        aliases: aliases(item),
        is_hidden: present("hidden_by") || present("entity_category"),
    }
}

fn aliases(item: &Value) -> Vec<String> {
    let all = item.get("aliases").and_then(Value::as_array);
    all.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(spoken_name)
        .take(ALIASES_MAX)
        .collect()
}

fn text<'a>(item: &'a Value, key: &str) -> Option<&'a str> {
    item.get(key).and_then(Value::as_str)
}

/// A reason out of another program, fit to be said.
pub(crate) fn short(why: &str) -> String {
    let plain: String = why
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(WHY_CHARS_MAX)
        .collect();
    plain.trim().to_owned()
}
