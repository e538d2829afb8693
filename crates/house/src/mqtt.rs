//! MQTT: Home Assistant's discovery and zigbee2mqtt, behind one connection to a broker. No socket here.
//!
//! ```text
//! discovery, bridge/devices ─► things and their wires ─► follow their topics ─► States
//! order ─► wire: messages ─► PUBLISH ─► PUBACK, and its topic says so ─► Done
//! ```
//! What both announce is told as two systems, so that the registry joins it: `mqtt` and `zigbee2mqtt`.
use core::time::Duration;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use minijinja::Environment;

pub mod appliance;
pub mod discovery;
pub mod own;
pub mod packet;
pub mod session;
pub mod wire;
pub mod zigbee;

use self::discovery::Found;
use self::own::{Announced, Own, OwnState};
use self::session::{Login, Session};
use self::wire::Message;
use crate::command::Command;
use crate::exchange::{News, Order, What};
use crate::thing::{Area, State, THINGS_MAX, folded};

/// Key of what is announced by discovery.
pub const DISCOVERED: &str = "mqtt";
/// Key of zigbee2mqtt.
pub const ZIGBEE: &str = "zigbee2mqtt";
/// How long new announcements are gathered before they are told.
const SETTLE: Duration = Duration::from_millis(300);
/// Longest message that is read as a state, in bytes.
const STATE_BYTES_MAX: usize = 256 * 1_024;
/// Most topics that are followed.
const TOPICS_MAX: usize = 20_000;
/// Most announcements that are complained about.
const COMPLAINTS_MAX: usize = 20;
/// Token of what is told of ourselves; those of orders begin at 1.
const OWN: u64 = 0;
/// Token of what is taken back.
const TAKEN_BACK: u64 = u64::MAX;
/// Most orders under way.
const WAITING_MAX: usize = 1_000;

/// What the core wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send these bytes; they may hold the password.
    Send(Vec<u8>),
    /// Tell the skill.
    News(News),
    /// Close the connection, and why.
    Close(String),
    /// The broker keeps nothing of these any more.
    Forgotten(Vec<Announced>),
}

/// Where things are announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefixes {
    /// Home Assistant's discovery: `homeassistant`.
    pub discovery: String,
    /// zigbee2mqtt's base topic.
    pub zigbee: String,
}

/// An order under way.
#[derive(Debug)]
struct Waiting {
    order: u64,
    thing: usize,
    command: Command,
    /// Messages that the broker has not acknowledged.
    unacknowledged: u32,
    told: bool,
}

/// A thing, and which system told of it.
#[derive(Debug)]
struct Known {
    found: Found,
    system: &'static str,
}

/// The client.
#[derive(Debug)]
pub struct Client {
    session: Session,
    prefixes: Prefixes,
    jinja: Environment<'static>,
    things: Vec<Known>,
    by_id: HashMap<String, usize>,
    by_topic: HashMap<String, Vec<usize>>,
    followed: HashSet<String>,
    announced: BTreeMap<String, Vec<Found>>,
    zigbee: zigbee::Network,
    /// The bridge of zigbee2mqtt; none: there is none that we know of.
    bridge: Option<bool>,
    settle_at: Option<Duration>,
    waiting: Vec<Waiting>,
    tokens: u64,
    token_of: HashMap<u64, u64>,
    complaints: usize,
    own: Option<Own>,
    /// What of our own is to be taken back.
    old: Vec<Announced>,
    /// Which topics of it are not emptied yet, and how many are that the broker has not acknowledged.
    old_topics: VecDeque<String>,
    old_unacknowledged: usize,
    outputs: VecDeque<Output>,
}

impl Client {
    /// Not connected yet.
    #[must_use]
    pub fn new(login: Login, prefixes: Prefixes) -> Self {
        Self {
            own: None,
            old: Vec::new(),
            old_topics: VecDeque::new(),
            old_unacknowledged: 0,
            session: Session::new(login),
            prefixes,
            jinja: wire::templates(),
            things: Vec::new(),
            by_id: HashMap::new(),
            by_topic: HashMap::new(),
            followed: HashSet::new(),
            announced: BTreeMap::new(),
            zigbee: zigbee::Network::default(),
            bridge: None,
            settle_at: None,
            waiting: Vec::new(),
            tokens: 0,
            token_of: HashMap::new(),
            complaints: 0,
            outputs: VecDeque::new(),
        }
    }

    /// The same, announcing the speaker's own sensors; the login has their last will.
    #[must_use]
    pub fn announcing(mut login: Login, prefixes: Prefixes, own: Own) -> Self {
        login.will = Some(own.will());
        let own = Some(own);
        Self {
            own,
            ..Self::new(login, prefixes)
        }
    }

    /// The speaker's own state, or a part of it.
    pub fn own_is(&mut self, state: OwnState, now: Duration) {
        if self.own.as_mut().is_some_and(|own| own.take(state)) {
            self.tell_own(now);
            self.drain(now);
        }
    }

    /// Takes back what was announced by settings that are no longer so: now, or when the broker lets us in.
    pub fn forget(&mut self, old: Vec<Announced>, now: Duration) {
        let present = self.own.as_ref().map(Own::announced);
        let old = old.into_iter().filter(|one| Some(one) != present);
        self.old.extend(old);
        self.take_back_anew(now);
        self.drain(now);
    }

    /// Nothing is announced from now on, and what was is taken back.
    pub fn leave(&mut self, now: Duration) {
        if let Some(own) = self.own.take() {
            self.forget(vec![own.announced().clone()], now);
        }
    }

    /// Leaves the broker as whoever says so: its last will is not read.
    #[must_use]
    pub fn goodbye() -> Vec<u8> {
        packet::goodbye()
    }

    fn take_back_anew(&mut self, now: Duration) {
        self.old_topics = self.old.iter().flat_map(Announced::topics).collect();
        self.take_back(now);
    }

    /// Empties as many topics as the broker takes now.
    fn take_back(&mut self, now: Duration) {
        while let Some(topic) = self.old_topics.front() {
            if !self.session.publish(topic, &[], true, TAKEN_BACK, now) {
                return;
            }
            self.old_topics.pop_front();
            self.old_unacknowledged += 1;
        }
        if self.old_unacknowledged == 0 && !self.old.is_empty() {
            let old = core::mem::take(&mut self.old);
            self.outputs.push_back(Output::Forgotten(old));
        }
    }

    /// Tells the own state if the broker does not have it yet; what it does not take now it is given with its next word.
    fn tell_own(&mut self, now: Duration) {
        let Some(own) = self.own.as_mut().filter(|own| own.is_untold) else {
            return;
        };
        let Message { topic, payload } = own.told();
        let taken = (self.session).publish(&topic, payload.as_bytes(), true, OWN, now);
        own.is_untold = !taken;
    }

    /// Announces the own sensors, and how they are.
    fn announce_own(&mut self, now: Duration) {
        let Some(own) = &mut self.own else { return };
        own.is_untold = false;
        for Message { topic, payload } in own.announcement() {
            let taken = (self.session).publish(&topic, payload.as_bytes(), true, OWN, now);
            own.is_untold |= !taken;
        }
    }

    /// A connection stands.
    pub fn opened(&mut self, now: Duration) {
        self.followed.clear();
        self.announced.clear();
        self.zigbee = zigbee::Network::default();
        self.bridge = None;
        self.complaints = 0;
        self.old_topics.clear();
        self.old_unacknowledged = 0;
        self.session.opened(now);
        self.drain(now);
    }

    /// The connection is gone, or none could be made.
    pub fn closed(&mut self, why: &str) {
        self.session.closed();
        for waiting in core::mem::take(&mut self.waiting) {
            let (order, why) = (
                waiting.order,
                "the connection to the broker broke".to_owned(),
            );
            self.tell(DISCOVERED, What::Failed { order, why });
        }
        self.token_of.clear();
        for system in [DISCOVERED, ZIGBEE] {
            let why = crate::home_assistant::short(why);
            self.tell(system, What::Down { why });
        }
    }

    /// Whether the broker let us in.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.session.is_open()
    }

    /// Bytes have come.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Duration) {
        self.session.handle_bytes(bytes, now);
        self.drain(now);
    }

    /// Something is to be done.
    pub fn order(&mut self, order: &Order, now: Duration) {
        if let Err(why) = self.try_order(order, now) {
            let order = order.id;
            self.tell(DISCOVERED, What::Failed { order, why });
        }
        self.drain(now);
    }

    fn try_order(&mut self, order: &Order, now: Duration) -> Result<(), String> {
        if self.waiting.len() >= WAITING_MAX {
            return Err("too much is asked of it at once".to_owned());
        }
        let thing = *self.by_id.get(&order.thing).ok_or("it is gone")?;
        let known = &self.things[thing].found;
        if let Some(why) = known.wire.refuses(&order.command) {
            return Err(why);
        }
        let messages = known.wire.messages(&order.command, &known.thing.state);
        let messages = messages.ok_or("it cannot do that")?;
        let retain = known.wire.retain;
        let mut waiting = Waiting {
            order: order.id,
            thing,
            command: order.command.clone(),
            unacknowledged: 0,
            told: false,
        };
        for message in &messages {
            self.tokens += 1;
            let token = self.tokens;
            let payload = message.payload.as_bytes();
            if !self
                .session
                .publish(&message.topic, payload, retain, token, now)
            {
                return Err("the broker takes nothing now".to_owned());
            }
            self.token_of.insert(token, order.id);
            waiting.unacknowledged += 1;
        }
        self.waiting.push(waiting);
        Ok(())
    }

    /// The time of [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.session.handle_timeout(now);
        self.drain(now);
        if self.settle_at.is_some_and(|at| at <= now) {
            self.settle_at = None;
            self.tell_things(now);
            self.drain(now);
        }
    }

    /// When [`Self::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        [self.session.poll_timeout(), self.settle_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn tell(&mut self, system: &str, what: What) {
        let system = system.to_owned();
        self.outputs.push_back(Output::News(News { system, what }));
    }

    fn drain(&mut self, now: Duration) {
        while let Some(output) = self.session.poll_output() {
            match output {
                session::Output::Send(bytes) => self.outputs.push_back(Output::Send(bytes)),
                session::Output::Close(why) => self.outputs.push_back(Output::Close(why)),
                session::Output::Published(OWN) => self.tell_own(now),
                session::Output::Published(TAKEN_BACK) => {
                    self.old_unacknowledged = self.old_unacknowledged.saturating_sub(1);
                    self.take_back(now);
                }
                session::Output::Published(token) => self.published(token),
                session::Output::Message {
                    topic,
                    payload,
                    retained,
                } => {
                    self.message(&topic, &payload, retained, now);
                }
                session::Output::Entered => {
                    let Prefixes { discovery, zigbee } = &self.prefixes;
                    let filters = [
                        format!("{discovery}/+/+/config"),
                        format!("{discovery}/+/+/+/config"),
                        format!("{zigbee}/bridge/devices"),
                        format!("{zigbee}/bridge/groups"),
                        format!("{zigbee}/bridge/state"),
                    ];
                    let birth = self.own.as_ref().map(Own::birth_topic);
                    let filters: Vec<&str> =
                        filters.iter().chain(&birth).map(String::as_str).collect();
                    self.session.follow(&filters, now);
                    self.announce_own(now);
                    self.take_back_anew(now);
                    self.settle_at = Some(now + SETTLE);
                }
            }
        }
    }

    fn message(&mut self, topic: &str, payload: &[u8], retained: bool, now: Duration) {
        if let Some((component, id)) = discovery::place(&self.prefixes.discovery, topic) {
            if self.own.as_ref().is_some_and(|own| own.has_announced(id)) {
                return;
            }
            let key = format!("{component}/{id}");
            if payload.is_empty() {
                self.announced.remove(&key);
            } else if self.announced.len() < THINGS_MAX || self.announced.contains_key(&key) {
                match discovery::read(component, id, payload) {
                    Ok((found, left_out)) => {
                        self.announced.insert(key.clone(), found);
                        left_out.iter().for_each(|why| self.complain(&key, why));
                    }
                    Err(why) => self.complain(&key, &why),
                }
            }
            self.settle_at.get_or_insert(now + SETTLE);
            return;
        }
        if (self.own.as_ref()).is_some_and(|own| topic == own.birth_topic()) {
            if payload == b"online" {
                self.announce_own(now);
            }
            return;
        }
        if let Some(rest) = topic.strip_prefix(&self.prefixes.zigbee) {
            match rest {
                "/bridge/devices" | "/bridge/groups" => {
                    let read = match rest {
                        "/bridge/devices" => self.zigbee.devices(payload),
                        _ => self.zigbee.groups(payload),
                    };
                    if let Err(why) = read {
                        self.complain(&rest[1..], &why);
                    }
                    self.bridge.get_or_insert(true);
                    self.settle_at.get_or_insert(now + SETTLE);
                    return;
                }
                "/bridge/state" => {
                    let text =
                        String::from_utf8_lossy(&payload[..payload.len().min(200)]).into_owned();
                    self.bridge = Some(text.contains("online"));
                    return self.tell_bridge();
                }
                _ => {}
            }
        }
        let Some(things) = self.by_topic.get(topic).cloned() else {
            return;
        };
        if payload.len() > STATE_BYTES_MAX {
            return;
        }
        let payload = String::from_utf8_lossy(payload);
        let mut states: BTreeMap<&'static str, Vec<(String, State)>> = BTreeMap::new();
        for at in things {
            let Known { found, system } = &mut self.things[at];
            let before = shown_state(found);
            let said = found
                .wire
                .take(topic, &payload, &mut found.thing.state, &self.jinja);
            let after = shown_state(found);
            if after != before {
                states
                    .entry(system)
                    .or_default()
                    .push((found.thing.id.clone(), after));
            }
            if said {
                self.waiting
                    .iter_mut()
                    .filter(|waiting| waiting.thing == at)
                    .for_each(|waiting| waiting.told = true);
            }
        }
        for (system, states) in states {
            // What the broker had kept was so before we asked.
            self.tell(
                system,
                match retained {
                    true => What::Kept { states },
                    false => What::States { states },
                },
            );
        }
        self.finish();
    }

    fn published(&mut self, token: u64) {
        let Some(order) = self.token_of.remove(&token) else {
            return;
        };
        for waiting in self
            .waiting
            .iter_mut()
            .filter(|waiting| waiting.order == order)
        {
            waiting.unacknowledged = waiting.unacknowledged.saturating_sub(1);
        }
        self.finish();
    }

    /// Tells which orders are done: the broker has them, and the thing says so, or never says anything.
    fn finish(&mut self) {
        let things = &self.things;
        let mut done = Vec::new();
        self.waiting.retain(|waiting| {
            let found = &things[waiting.thing].found;
            let state = &found.thing.state;
            let so = is_so(&waiting.command, &found.thing.domain, state);
            let says = found.wire.state.is_some() && !state.value.is_empty();
            let is_done = waiting.unacknowledged == 0
                && (!says || so || (waiting.told && moves(&waiting.command)));
            if is_done {
                done.push(waiting.order);
            }
            !is_done
        });
        for order in done {
            self.tell(DISCOVERED, What::Done { order });
        }
        // What the skill has given up long ago is not kept for ever.
        let over = self.waiting.len().saturating_sub(WAITING_MAX / 2);
        self.waiting.drain(..over);
    }

    fn tell_bridge(&mut self) {
        let what = match self.bridge {
            Some(false) => What::Down {
                why: "its bridge is offline".to_owned(),
            },
            _ => What::Up,
        };
        self.tell(ZIGBEE, what);
    }

    /// All announcements, in place of what was known.
    fn tell_things(&mut self, now: Duration) {
        let mut old: HashMap<String, (State, Vec<Option<bool>>)> = HashMap::new();
        for known in core::mem::take(&mut self.things) {
            let Found { thing, wire } = known.found;
            let there = wire
                .presence
                .iter()
                .map(|presence| presence.is_there)
                .collect();
            old.insert(thing.id, (thing.state, there));
        }
        // The orders under way keep their things by id.
        let ids: HashMap<usize, String> = self.by_id.drain().map(|(id, at)| (at, id)).collect();
        let mut all = Vec::new();
        let zigbee = self.zigbee.found(&self.prefixes.zigbee);
        for (system, found) in self
            .announced
            .values()
            .flatten()
            .map(|found| (DISCOVERED, found))
            .chain(zigbee.iter().map(|found| (ZIGBEE, found)))
            .take(THINGS_MAX)
        {
            let mut found = found.clone();
            if let Some((state, there)) = old.get(&found.thing.id) {
                found.thing.state.value.clone_from(&state.value);
                for (name, value) in &state.attributes {
                    found
                        .thing
                        .state
                        .attributes
                        .entry(name.clone())
                        .or_insert_with(|| value.clone());
                }
                for (presence, was) in found.wire.presence.iter_mut().zip(there) {
                    presence.is_there = *was;
                }
            }
            all.push(Known { found, system });
        }
        self.things = all;
        self.by_topic.clear();
        let mut new: Vec<String> = Vec::new();
        for (at, known) in self.things.iter().enumerate() {
            self.by_id.insert(known.found.thing.id.clone(), at);
            for topic in known.found.wire.topics() {
                self.by_topic.entry(topic.to_owned()).or_default().push(at);
                if self.followed.len() < TOPICS_MAX && self.followed.insert(topic.to_owned()) {
                    new.push(topic.to_owned());
                }
            }
        }
        for waiting in &mut self.waiting {
            let place = ids.get(&waiting.thing).and_then(|id| self.by_id.get(id));
            waiting.thing = place.copied().unwrap_or(usize::MAX);
        }
        let count = self.things.len();
        self.waiting.retain(|waiting| waiting.thing < count);
        let new: Vec<&str> = new.iter().map(String::as_str).collect();
        self.session.follow(&new, now);
        self.tell(DISCOVERED, What::Up);
        self.tell_bridge();
        for system in [DISCOVERED, ZIGBEE] {
            let of = || self.things.iter().filter(|known| known.system == system);
            let mut areas: Vec<Area> = Vec::new();
            for name in of().filter_map(|known| known.found.thing.area.as_ref()) {
                if !areas.iter().any(|area| folded(&area.name) == folded(name)) {
                    areas.push(Area {
                        name: name.clone(),
                        aliases: Vec::new(),
                        floor: None,
                    });
                }
            }
            let things = of()
                .map(|known| {
                    let mut thing = known.found.thing.clone();
                    thing.state = shown_state(&known.found);
                    thing
                })
                .collect();
            self.tell(system, What::Things { areas, things });
        }
    }

    fn complain(&mut self, what: &str, why: &str) {
        self.complaints += 1;
        if self.complaints <= COMPLAINTS_MAX {
            let what = crate::home_assistant::short(&format!("{what} is left out: {why}"));
            self.tell(DISCOVERED, What::Trouble { what });
        }
    }
}

/// The state as others see it: what is not there is unavailable.
fn shown_state(found: &Found) -> State {
    let mut state = found.thing.state.clone();
    if !found.wire.is_there() {
        state.value = "unavailable".to_owned();
    }
    state
}

/// Whether a thing is as it was told to be.
fn is_so(command: &Command, domain: &str, state: &State) -> bool {
    let brightness = || {
        state
            .attributes
            .get("brightness")
            .and_then(serde_json::Value::as_f64)
    };
    let value = state.value.as_str();
    match command {
        // What it is on to do is its own affair.
        Command::On if domain == "climate" => !matches!(value, "off" | ""),
        Command::On => value == "on",
        Command::Off => value == "off",
        Command::Light(light) => {
            let bright = light.percent.is_none_or(|percent| {
                brightness().is_some_and(|now| (now / 2.55 - f64::from(percent)).abs() < 2.0)
            });
            // Colours come back as the lamp can show them: that it burns is what can be said.
            value == "on"
                && bright
                && light.step_percent.is_none()
                && light.rgb.is_none()
                && light.kelvin.is_none()
        }
        Command::Temperature(degrees) => {
            let wanted = state.attributes.get("temperature");
            let wanted = wanted.and_then(serde_json::Value::as_f64);
            wanted.is_some_and(|wanted| (wanted - degrees).abs() < 0.6)
        }
        Command::Lock => value == "locked",
        Command::Unlock => value == "unlocked",
        _ => false,
    }
}

/// Commands after which anything that the thing says is an answer: it moves, or is as near as it can.
fn moves(command: &Command) -> bool {
    !matches!(
        command,
        Command::On | Command::Off | Command::Temperature(_) | Command::Lock | Command::Unlock
    )
}
