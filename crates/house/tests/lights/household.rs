//! What the tests have in common: the compiled sentences, a skill that is spoken to, one that runs with its adapters.
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

use hearthline_house::exchange::{News, Orders, What};
use hearthline_house::io::Control;
use hearthline_house::skill::HouseSkill;
use hearthline_house::thing::{Area, Floor, State, Thing};
use hearthline_speaker::config::Household;
use hearthline_speaker::io::skills::Port;
use hearthline_speaker::player::{Rooms, Wired};
use hearthline_speaker::skill::{Asked, By, Deed, Event, Facts, Happened, Reply, Skill};
use hearthline_voice::understand::sentences::{
    Grammar, House, Moment, NumberWords, Outcome, Program, Recognition, Responses, World,
};

/// The compiled English sentences, with ours; none after saying that the test is skipped. Under `CI` the lack is a failure.
pub(crate) fn english() -> Option<&'static Program> {
    static PROGRAM: OnceLock<Option<Program>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let data = std::env::var_os("XDG_DATA_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share")));
        let models = std::env::var_os("HEARTH_MODELS").map(PathBuf::from);
        let models = models.or_else(|| data.map(|data| data.join("hearthline/models")))?;
        let package =
            std::fs::read(models.join("home-assistant-intents-2026.10.27/en.json")).ok()?;
        let mut grammar = Grammar::new("en");
        grammar.add_json("en.json", &package);
        for file in hearthline_house::sentences::of("en") {
            grammar.add_ours(file.name, file.yaml);
        }
        if let Some((name, yaml)) = hearthline_voice::understand::everyday::sentences_of("en") {
            grammar.add_ours(name, yaml);
        }
        let mut words = NumberWords::default();
        if let Ok(xml) = std::fs::read_to_string(models.join("unicode-rbnf-2.4.1/en.xml")) {
            words.add("en", &xml).unwrap();
        }
        let (program, complaints) = Program::compile(&grammar, &words);
        assert_eq!(complaints, []);
        Some(program)
    });
    if program.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "no sentences: run `hearth models install`"
        );
        println!("skipped: run `hearth models install`");
    }
    program.as_ref()
}

/// A thing in a room.
pub(crate) fn thing(id: &str, name: &str, area: &str, state: State) -> Thing {
    let domain = id.split('.').next().unwrap();
    let mut thing = Thing::new(id, name, domain).unwrap();
    thing.area = (!area.is_empty()).then(|| area.to_owned());
    thing.state = state;
    thing
}

pub(crate) fn area(name: &str, floor: &str) -> Area {
    Area {
        name: name.to_owned(),
        aliases: Vec::new(),
        floor: Some(storey(floor)),
    }
}

pub(crate) fn storey(name: &str) -> Floor {
    Floor {
        name: name.to_owned(),
        aliases: Vec::new(),
    }
}

pub(crate) fn news(system: &str, what: What) -> serde_json::Value {
    serde_json::to_value(News {
        system: system.to_owned(),
        what,
    })
    .unwrap()
}

/// A skill that is spoken to, without adapters.
pub(crate) struct Home {
    pub(crate) skill: HouseSkill,
    pub(crate) now: Duration,
    room: String,
}

impl Home {
    pub(crate) fn new(room: &str, systems: &[&str]) -> Self {
        let systems: Vec<(String, String)> = systems
            .iter()
            .map(|key| ((*key).to_owned(), format!("The {key}")))
            .collect();
        Self {
            skill: HouseSkill::new(&systems, room),
            now: Duration::ZERO,
            room: room.to_owned(),
        }
    }

    pub(crate) fn tell(&mut self, system: &str, what: What) {
        let news = news(system, what);
        self.skill.handle(Event::Came(&news), self.now);
    }

    pub(crate) fn house(&self) -> House {
        let mut house = House::from_json(&self.skill.registry().house()).unwrap();
        house.set_context_area(&self.room);
        house
    }

    pub(crate) fn understood(&self, said: &str) -> Option<Recognition> {
        let house = self.house();
        english()?.recognise(said, &house.lists(), &house.context())
    }

    pub(crate) fn take(&mut self, meant: &Recognition, by: By) -> Reply {
        let asked = Asked {
            meant,
            said: "",
            by,
            wall_ms: 0,
        };
        self.skill.take(&asked, self.now)
    }

    pub(crate) fn say(&mut self, said: &str) -> Reply {
        let Some(meant) = self.understood(said) else {
            panic!("'{said}' is not understood");
        };
        self.take(&meant, By::Person)
    }

    /// What is answered.
    pub(crate) fn answer(&mut self, said: &str) -> String {
        let meant = self.understood(said).unwrap();
        match self.take(&meant, By::Person) {
            Reply::Response(facts) => self.rendered(&meant, &facts).trim().to_owned(),
            Reply::Words(words) | Reply::Question(words) | Reply::Refused(words) => words,
            other => panic!("{said}: {other:?}"),
        }
    }

    /// What was given out since: by thing and command.
    pub(crate) fn orders(&mut self) -> Vec<Orders> {
        let mut all = Vec::new();
        for deed in self.deeds() {
            if let Deed::Out(value) = deed {
                all.push(serde_json::from_value(value).unwrap());
            }
        }
        all
    }

    pub(crate) fn deeds(&mut self) -> Vec<Deed> {
        std::iter::from_fn(|| self.skill.poll_deed()).collect()
    }

    /// The words of a response.
    pub(crate) fn rendered(&self, meant: &Recognition, facts: &Facts) -> String {
        rendered(&self.house(), meant, facts)
    }
}

fn rendered(own: &House, meant: &Recognition, facts: &Facts) -> String {
    let outcome = Outcome {
        key: facts.key.clone(),
        timers: None,
        slots: facts.slots.clone(),
    };
    let world = World {
        house: facts.house.as_deref().unwrap_or(own),
        now: Moment::from_unix_ms(0),
    };
    let said = Responses::new().render_outcome(english().unwrap(), meant, &outcome, &world);
    said.unwrap()
}

/// A household in a room with these sections.
pub(crate) fn household(room: &str, sections: &str) -> Household {
    let head = "country = \"US\"\n[person]\nname = \"Drill\"\n";
    let text = format!("[device]\nname = \"{room}\"\n{head}{sections}");
    Household::parse(&text).unwrap()
}

/// A skill with its adapters, as `hearth` runs it.
pub(crate) struct Running {
    pub(crate) control: Control,
    pub(crate) skill: Box<dyn Skill>,
    port: Port,
    started: Instant,
    pub(crate) house: House,
    pub(crate) shown: serde_json::Value,
    pub(crate) steps: Vec<String>,
    pub(crate) happened: Vec<Happened>,
    room: String,
}

impl Running {
    /// From the sections of a configuration.
    pub(crate) fn new(room: &str, sections: &str) -> Self {
        Self::with_player(room, sections, None)
    }

    /// Beside music that plays by a player of the house.
    pub(crate) fn with_player(room: &str, sections: &str, player: Option<Wired>) -> Self {
        let household = household(room, sections);
        let ready = Box::new(|| true);
        let mut fit = hearthline_house::io::fitted(&household, ready, player, Rooms::default());
        assert_eq!(fit.notices, Vec::<String>::new());
        let fitted = fit.skills.pop().unwrap();
        Self {
            control: fit.control,
            skill: fitted.skill,
            port: fitted.port.unwrap(),
            started: Instant::now(),
            house: House::default(),
            shown: serde_json::Value::Null,
            steps: Vec::new(),
            happened: Vec::new(),
            room: room.to_owned(),
        }
    }

    /// Goes on by other sections.
    pub(crate) fn reload(&mut self, sections: &str) {
        let household = household(&self.room, sections);
        let reloaded = self.control.reload(&household, Box::new(|| true), None);
        assert_eq!(reloaded.notices, Vec::<String>::new());
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// What happens until `done` says so; what was answered on the way is its argument.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        mut done: impl FnMut(&mut Self, Option<&Reply>) -> bool,
    ) -> Option<Reply> {
        let last = Instant::now() + Duration::from_secs(60);
        loop {
            let now = self.now();
            if self.skill.poll_timeout().is_some_and(|at| at <= now) {
                self.skill.handle(Event::Timeout, now);
            }
            let mut answer = None;
            while let Some(deed) = self.skill.poll_deed() {
                match deed {
                    Deed::Out(value) => self.port.out.send(value).await.unwrap(),
                    Deed::House(house) => self.house = *house,
                    Deed::Show(value) => self.shown = value,
                    Deed::Step(step) => self.steps.push(step),
                    Deed::Answer { reply, .. } => answer = Some(reply),
                    Deed::Happened(what) => self.happened.push(what),
                    other => panic!("{other:?}"),
                }
            }
            if done(self, answer.as_ref()) {
                return answer;
            }
            assert!(
                Instant::now() < last,
                "{what}: not within a minute; {:?}; {}",
                self.steps,
                self.shown
            );
            let wait = Duration::from_millis(20);
            if let Ok(Some(value)) = tokio::time::timeout(wait, self.port.came.recv()).await {
                let now = self.now();
                self.skill.handle(Event::Came(&value), now);
            }
        }
    }

    /// Waits until a thing is shown in a state.
    pub(crate) async fn shows(&mut self, name: &str, state: &str) {
        let what = format!("{name} is {state}");
        self.until(&what, |running, _| {
            let things = running.shown["things"].as_array();
            things
                .into_iter()
                .flatten()
                .any(|thing| thing["name"] == name && thing["state"] == state)
        })
        .await;
    }

    /// The words of a response.
    pub(crate) fn rendered(&self, meant: &Recognition, facts: &Facts) -> String {
        rendered(&self.house, meant, facts)
    }

    /// What a sentence means with the names that the skill gave out.
    pub(crate) fn understood(&self, said: &str) -> Option<Recognition> {
        let mut house = self.house.clone();
        house.set_context_area(&self.room);
        english()?.recognise(said, &house.lists(), &house.context())
    }

    /// Says a sentence and waits for what is answered in the end, with how long that took.
    pub(crate) async fn say(&mut self, said: &str) -> (Reply, Duration) {
        let meant = self.understood(said);
        let meant = meant.unwrap_or_else(|| panic!("'{said}' is not understood"));
        let asked = Asked {
            meant: &meant,
            said,
            by: By::Person,
            wall_ms: 0,
        };
        let (begun, now) = (Instant::now(), self.now());
        let reply = self.skill.take(&asked, now);
        if !matches!(reply, Reply::Later(_)) {
            return (reply, begun.elapsed());
        }
        let answer = self.until(said, |_, answer| answer.is_some()).await;
        (answer.unwrap(), begun.elapsed())
    }
}

/// A free port of this machine.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
