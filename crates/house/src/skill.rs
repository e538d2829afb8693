//! The lights and devices of the house as a skill of the device.
//!
//! ```text
//! sentence ─► plan ─► orders ─► adapters (Deed::Out)          Reply::Later
//!               ▲                    │
//!           Registry ◄── news ◄──────┘ (Event::Came)
//!                                    └─► Done, Failed, or 1.8 s have passed ─► Deed::Answer
//! ```
//! It is said that something was done when its system has said so, not before. What could open the house is asked first.
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use hearthline_speaker::player::Rooms;
use hearthline_speaker::skill::{Asked, By, Deed, Engaged, Event, Facts, Reply, Skill};
use hearthline_voice::understand::sentences::{House, Recognition};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::command::Command;
use crate::exchange::{News, Order, Orders, Setup, What};
use crate::plan::{Plan, Step, plan, plan_for};
use crate::registry::{Changed, Link, Registry};
use crate::thing::folded;
use crate::wish;
use crate::words;

/// How long a system may take to say that something is done. What is not done then is said to be so, which leaves time
/// for the first sound within two seconds.
pub const ANSWER_MAX: Duration = Duration::from_millis(1_800);
/// How long a player may look for music, once that has been said.
const LOOK_MAX: Duration = Duration::from_secs(20);
/// How long a question of ours waits for its answer.
const QUESTION_MAX: Duration = Duration::from_secs(20);
/// Pages and names are brought up to date this often at most.
const SHOW_EVERY: Duration = Duration::from_millis(250);

/// Sentences that are being done.
#[derive(Debug)]
struct Exchange {
    token: u64,
    until: Duration,
    /// By order: what it is called when it fails.
    waits: BTreeMap<u64, String>,
    failed: Vec<(String, String)>,
    done: usize,
    /// A player looks for this, by its name.
    looks: Option<(String, String)>,
    /// That it still looks has been said: nobody waits for a reply.
    is_told: bool,
}

/// What was asked back.
#[derive(Debug)]
enum Question {
    /// Shall this really be done?
    Sure(Vec<Step>),
    /// Which of these?
    Which {
        meant: Box<Recognition>,
        things: Vec<usize>,
    },
}

/// The skill.
#[derive(Debug)]
pub struct HouseSkill {
    registry: Registry,
    room: String,
    rooms_of_music: Rooms,
    exchanges: Vec<Exchange>,
    question: Option<(Question, Duration)>,
    ready: VecDeque<Deed>,
    next: u64,
    names_changed: bool,
    shown_changed: bool,
    shown_at: Option<Duration>,
}

impl HouseSkill {
    /// For these systems, by key and label, the preferred first; the speaker stands in `room`.
    #[must_use]
    pub fn new(systems: &[(String, String)], room: &str) -> Self {
        Self {
            registry: Registry::new(systems),
            room: room.to_owned(),
            rooms_of_music: Rooms::default(),
            exchanges: Vec::new(),
            question: None,
            ready: VecDeque::new(),
            next: 0,
            names_changed: false,
            shown_changed: true,
            shown_at: None,
        }
    }

    /// The same beside music that sends its sound to rooms of its own.
    #[must_use]
    pub fn with_rooms_of_music(mut self, rooms: Rooms) -> Self {
        self.rooms_of_music = rooms;
        self
    }

    /// What it knows.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Does what a plan says.
    fn follow(&mut self, plan: Plan, asked: Option<(&Recognition, By)>, now: Duration) -> Reply {
        match plan {
            Plan::Other => Reply::Other,
            Plan::Refused(why) => Reply::Refused(why),
            Plan::Which { things, question } => match asked {
                Some((meant, By::Person)) => {
                    let meant = Box::new(meant.clone());
                    self.ask(Question::Which { meant, things }, question, now)
                }
                _ => Reply::Refused(question),
            },
            Plan::Know(things) => self.tell(asked.map(|(meant, _)| meant), &things),
            Plan::Do(steps) => {
                let guarded = steps.iter().find(|step| {
                    let thing = self.registry.thing(step.thing);
                    step.command.is_guarded(&thing.domain, thing.state.class())
                });
                match (guarded, asked) {
                    (None, _) | (Some(_), None) => self.begin(&steps, now),
                    (Some(_), Some((_, By::Later))) => {
                        Reply::Refused(words::NOT_BY_ITSELF.to_owned())
                    }
                    (Some(first), Some((_, By::Person))) => {
                        let thing = self.registry.thing(first.thing);
                        let verb = if thing.domain == "lock" {
                            "unlock"
                        } else {
                            "open"
                        };
                        let names: Vec<String> = steps
                            .iter()
                            .map(|step| self.registry.thing(step.thing).name.clone())
                            .collect();
                        let question = format!("Shall I {verb} the {}?", words::list(&names));
                        self.ask(Question::Sure(steps), question, now)
                    }
                }
            }
        }
    }

    fn ask(&mut self, question: Question, words: String, now: Duration) -> Reply {
        self.question = Some((question, now + QUESTION_MAX));
        Reply::Question(words)
    }

    /// Answers from what is known; what is not known now is not told as if it were.
    fn tell(&self, meant: Option<&Recognition>, things: &[usize]) -> Reply {
        let silent = things
            .iter()
            .map(|at| self.registry.system_of(*at))
            .find_map(|system| match &system.link {
                Link::Up => None,
                Link::Down { why } => Some(words::no_answer(&system.label, why)),
            });
        if let Some(why) = silent {
            return Reply::Refused(format!("I cannot know that now: {why}."));
        }
        let mut house = self.registry.house();
        if meant.is_some_and(|meant| meant.intent == "HassClimateGetTemperature")
            && let Some(&first) = things.first()
        {
            // The response takes any thermostat of the room, and none from elsewhere: it is given the one that is meant.
            let mut entity = self.registry.entity(first);
            entity["area"] = Value::Null;
            // The response knows thermostats alone: a thermometer is shown to it as one.
            let thing = self.registry.thing(first);
            if thing.domain == "sensor" {
                entity["domain"] = "climate".into();
                entity["attributes"]["current_temperature"] = thing.state.value.clone().into();
            }
            house = json!({"entities": [entity]});
        }
        let otherwise = things.first().map(|at| {
            let thing = self.registry.thing(*at);
            format!("{} is {}.", thing.name, thing.state.said(&thing.domain))
        });
        Reply::Response(Box::new(Facts {
            house: House::from_json(&house).ok().map(Box::new),
            otherwise: otherwise.unwrap_or_default(),
            ..Facts::default()
        }))
    }

    /// Gives the orders out.
    fn begin(&mut self, steps: &[Step], now: Duration) -> Reply {
        self.next += 1;
        let mut exchange = Exchange {
            token: self.next,
            until: now + ANSWER_MAX,
            waits: BTreeMap::new(),
            failed: Vec::new(),
            done: 0,
            looks: None,
            is_told: false,
        };
        let mut orders: BTreeMap<&str, Vec<Order>> = BTreeMap::new();
        for step in steps {
            let thing = self.registry.thing(step.thing);
            let system = self.registry.system_of(step.thing);
            let name = thing.name.clone();
            match &system.link {
                Link::Down { why } => {
                    let why = words::no_answer(&system.label, why);
                    exchange.failed.push((name, why));
                }
                Link::Up if thing.state.is_unavailable() => {
                    exchange.failed.push((name, words::UNAVAILABLE.to_owned()));
                }
                Link::Up => {
                    self.next += 1;
                    if let Command::Play(wish) = &step.command {
                        exchange.looks = Some((wish.words.clone(), name.clone()));
                    }
                    exchange.waits.insert(self.next, name);
                    orders.entry(&system.key).or_default().push(Order {
                        id: self.next,
                        thing: thing.id.clone(),
                        command: step.command.clone(),
                    });
                }
            }
        }
        let orders: Vec<Orders> = orders
            .into_iter()
            .map(|(system, orders)| Orders {
                system: system.to_owned(),
                orders,
            })
            .collect();
        if exchange.waits.is_empty() {
            return self.outcome(exchange);
        }
        for order in orders {
            match serde_json::to_value(&order) {
                Ok(value) => self.ready.push_back(Deed::Out(value)),
                Err(error) => self.ready.push_back(Deed::Step(format!("house: {error}"))),
            }
        }
        let token = exchange.token;
        self.exchanges.push(exchange);
        Reply::Later(token)
    }

    /// What is said when nothing more is waited for.
    fn outcome(&self, exchange: Exchange) -> Reply {
        let Exchange {
            mut failed,
            done,
            waits,
            looks,
            ..
        } = exchange;
        failed.extend(
            waits
                .into_values()
                .map(|name| (name, words::TOO_LATE.to_owned())),
        );
        match (done, failed.as_slice()) {
            (_, []) if let Some((wish, player)) = looks => {
                Reply::Words(words::playing(&wish, &player))
            }
            (_, []) => Reply::Response(Box::new(Facts {
                house: House::from_json(&self.registry.house()).ok().map(Box::new),
                otherwise: "Done.".to_owned(),
                ..Facts::default()
            })),
            (0, failed) => Reply::Refused(words::failed(failed)),
            (done, failed) => Reply::Refused(words::all_but(done, failed)),
        }
    }

    /// An order came to an end.
    fn ended(&mut self, order: u64, why: Option<String>) {
        let Some(at) = self
            .exchanges
            .iter()
            .position(|exchange| exchange.waits.contains_key(&order))
        else {
            return;
        };
        let exchange = &mut self.exchanges[at];
        let name = exchange.waits.remove(&order).unwrap_or_default();
        match why {
            None => exchange.done += 1,
            Some(why) => exchange.failed.push((name, why)),
        }
        if exchange.waits.is_empty() {
            self.answer_now(at);
        }
    }

    fn answer_now(&mut self, at: usize) {
        let exchange = self.exchanges.remove(at);
        let (token, is_told) = (exchange.token, exchange.is_told);
        match self.outcome(exchange) {
            Reply::Refused(why) if is_told => self.ready.push_back(Deed::Say(why)),
            // It is heard to play.
            _ if is_told => {}
            reply => self.ready.push_back(Deed::Answer { token, reply }),
        }
    }

    /// Nothing was said in time. What looks for music may go on, and that is said.
    fn is_late(&mut self, at: usize, now: Duration) {
        let exchange = &mut self.exchanges[at];
        match &exchange.looks {
            Some((wish, player)) if !exchange.is_told => {
                let reply = Reply::Words(words::still_looking(wish, player));
                let token = exchange.token;
                (exchange.is_told, exchange.until) = (true, now + LOOK_MAX);
                self.ready.push_back(Deed::Answer { token, reply });
            }
            _ => self.answer_now(at),
        }
    }

    /// Whether something is to be played in a room to which music sends its own sound.
    fn is_for_music(&self, meant: &Recognition) -> bool {
        let area = meant.slot("area").map(|slot| slot.value.spoken());
        wish::is_one(meant)
            && meant.slot("name").is_none()
            && area.is_some_and(|area| self.rooms_of_music.has(&area))
    }

    fn came(&mut self, value: &Value, now: Duration) {
        if let Some(setup) = value.get("setup") {
            if let Ok(setup) = Setup::deserialize(setup) {
                self.goes_by(setup);
                self.show(now);
            }
            return;
        }
        let news: News = match serde_json::from_value(value.clone()) {
            Ok(news) => news,
            Err(error) => {
                self.ready.push_back(Deed::Step(format!("house: {error}")));
                return;
            }
        };
        let changed = self.registry.handle(&news);
        for became in self.registry.became() {
            self.ready.push_back(Deed::Happened(became));
        }
        match changed {
            Changed::Nothing => {}
            Changed::States => self.shown_changed = true,
            Changed::Names => (self.names_changed, self.shown_changed) = (true, true),
        }
        match news.what {
            What::Done { order } => self.ended(order, None),
            What::Failed { order, why } => self.ended(order, Some(why)),
            What::Down { why } => {
                self.ready
                    .push_back(Deed::Step(format!("{}: {why}", news.system)));
            }
            What::Trouble { what } => {
                self.ready
                    .push_back(Deed::Step(format!("{}: {what}", news.system)));
            }
            What::Up => self
                .ready
                .push_back(Deed::Step(format!("{} answers", news.system))),
            What::Things { .. } | What::States { .. } | What::Kept { .. } => {}
        }
        self.show(now);
    }

    /// The configuration is another one.
    fn goes_by(&mut self, setup: Setup) {
        self.room = setup.room;
        self.registry.set_systems(&setup.systems);
        // What was asked names things by their places.
        self.question = None;
        (self.names_changed, self.shown_changed) = (true, true);
    }

    /// Names for the sentences and states for the pages, not more often than is of use.
    fn show(&mut self, now: Duration) {
        if self.shown_at.is_some_and(|at| now < at + SHOW_EVERY) {
            return;
        }
        if self.names_changed {
            self.names_changed = false;
            self.shown_at = Some(now);
            match House::from_json(&self.registry.house()) {
                Ok(house) => self.ready.push_back(Deed::House(Box::new(house))),
                Err(why) => self.ready.push_back(Deed::Step(format!("house: {why}"))),
            }
        }
        if self.shown_changed {
            self.shown_changed = false;
            self.shown_at = Some(now);
            self.ready.push_back(Deed::Show(self.registry.shown()));
        }
    }

    /// Which of the things an answer names: by its room, or by a place in the list.
    fn chosen(&self, said: &str, things: &[usize]) -> Option<usize> {
        let said = folded(said);
        let said = said.trim_end_matches(['.', '!', '?']);
        let named: Vec<usize> = things
            .iter()
            .copied()
            .filter(|at| {
                let area = self.registry.area_of(*at).map(folded);
                let name = folded(&self.registry.thing(*at).name);
                area.is_some_and(|area| said.contains(&area)) || said.ends_with(&name)
            })
            .collect();
        match named.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }
}

impl Skill for HouseSkill {
    fn name(&self) -> &'static str {
        "house"
    }

    fn take(&mut self, asked: &Asked<'_>, now: Duration) -> Reply {
        self.question = None;
        if self.registry.systems().is_empty() || self.is_for_music(asked.meant) {
            return Reply::Other;
        }
        let plan = plan(asked.meant, &self.registry, Some(&self.room));
        self.follow(plan, Some((asked.meant, asked.by)), now)
    }

    fn answer(&mut self, said: &str, now: Duration) -> Reply {
        let Some((question, until)) = self.question.take() else {
            return Reply::Other;
        };
        if until < now {
            return Reply::Other;
        }
        match question {
            Question::Sure(steps) => match words::yes_or_no(said) {
                Some(true) => self.begin(&steps, now),
                Some(false) => Reply::Words(words::LEFT_AS_IT_IS.to_owned()),
                None => Reply::Other,
            },
            Question::Which { meant, things } => match self.chosen(said, &things) {
                Some(thing) => {
                    let plan = plan_for(&meant, &self.registry, Some(&self.room), thing);
                    self.follow(plan, Some((&meant, By::Person)), now)
                }
                None if words::yes_or_no(said) == Some(false) => {
                    Reply::Words(words::LEFT_AS_IT_IS.to_owned())
                }
                None => Reply::Other,
            },
        }
    }

    fn handle(&mut self, event: Event<'_>, now: Duration) {
        match event {
            Event::Came(value) => self.came(value, now),
            Event::Engaged(Engaged::Emergency) => self.question = None,
            Event::Timeout => {
                while let Some(late) = self
                    .exchanges
                    .iter()
                    .position(|exchange| exchange.until <= now)
                {
                    self.is_late(late, now);
                }
                self.show(now);
            }
            _ => {}
        }
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        self.ready.pop_front()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        let answers = self.exchanges.iter().map(|exchange| exchange.until).min();
        let changed = self.names_changed || self.shown_changed;
        let shows = self.shown_at.filter(|_| changed).map(|at| at + SHOW_EVERY);
        [answers, shows].into_iter().flatten().min()
    }
}
