//! The thin part: sockets, files and waiting around the cores of the systems. One task for each.
use std::pin::Pin;
use std::time::Duration;

use hearthline_speaker::config::Household;
use hearthline_speaker::io::skills::{Fitted, Outside, port};
use hearthline_speaker::player::Wired;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::exchange::{News, Order, Orders, What};
use crate::mqtt::own::Own;
use crate::mqtt::{DISCOVERED, ZIGBEE};
use crate::sensors::SensorsSkill;
use crate::skill::HouseSkill;

mod dial;
mod home_assistant;
mod http;
mod hue;
mod mqtt;
mod own;
mod secret;
mod wled;

use self::own::OwnWires;
pub use self::own::Readiness;

/// Orders that wait for one system.
const ORDERS_MAX: usize = 64;
/// Key of Home Assistant.
pub const HOME_ASSISTANT: &str = "home_assistant";
/// Key of Philips Hue.
pub const HUE: &str = "hue";
/// How long a connection may take to stand.
pub(crate) const CONNECT_MAX: Duration = Duration::from_millis(1_500);

/// A task's end of what its system is told and tells.
pub(crate) struct Wires {
    pub(crate) orders: mpsc::Receiver<Vec<Order>>,
    pub(crate) tell: mpsc::Sender<Value>,
}

impl Wires {
    /// Tells the skill; false when there is nobody any more.
    pub(crate) async fn news(&self, system: &str, what: What) -> bool {
        let news = News {
            system: system.to_owned(),
            what,
        };
        match serde_json::to_value(&news) {
            Ok(value) => self.tell.send(value).await.is_ok(),
            Err(error) => {
                tracing::warn!(%error, "news that is no JSON");
                true
            }
        }
    }

    /// Says of orders that they are not done.
    pub(crate) async fn refuse(&self, system: &str, orders: &[Order], why: &str) -> bool {
        for order in orders {
            let failed = What::Failed {
                order: order.id,
                why: why.to_owned(),
            };
            if !self.news(system, failed).await {
                return false;
            }
        }
        true
    }
}

/// A system's task.
type Running = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Which systems a task speaks to, and what it is told.
type Way = (Vec<String>, mpsc::Sender<Vec<Order>>);

/// The systems of a configuration while they are gathered.
struct Systems {
    tell: mpsc::Sender<Value>,
    named: Vec<(String, String)>,
    ways: Vec<Way>,
    tasks: Vec<Running>,
}

impl Systems {
    /// Adds a task that speaks to `named`, each by key and label.
    fn add<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        named: &[(&str, &str)],
        run: impl FnOnce(Wires) -> F,
    ) {
        let (orders, receiver) = mpsc::channel(ORDERS_MAX);
        let keys = named.iter().map(|(key, _)| (*key).to_owned()).collect();
        self.ways.push((keys, orders));
        let owned = |(key, label): &(&str, &str)| ((*key).to_owned(), (*label).to_owned());
        self.named.extend(named.iter().map(owned));
        self.tasks.push(Box::pin(run(Wires {
            orders: receiver,
            tell: self.tell.clone(),
        })));
    }
}

/// The skill with the systems of the configuration, connected on a thread of their own; none where it names no system.
/// Beside it what an owner should know.
///
/// `readiness` is asked where the speaker's own sensors are wanted (`[mqtt] sensors`), which have a skill of their own.
/// `player` is the way to music that plays by a media player of Home Assistant's (`[music] home_assistant`).
pub fn fitted(
    household: &Household,
    readiness: Readiness,
    player: Option<Wired>,
) -> (Vec<Fitted>, Vec<String>) {
    let (mut fitted, mut notices) = (Vec::new(), Vec::new());
    let (port, Outside { asked, tell }) = port();
    let mut systems = Systems {
        tell,
        named: Vec::new(),
        ways: Vec::new(),
        tasks: Vec::new(),
    };
    if let Some(settings) = &household.home_assistant {
        let player = household.music.home_assistant.as_deref().zip(player);
        match home_assistant::Task::new(settings, player) {
            Ok(task) => systems.add(&[(HOME_ASSISTANT, "Home Assistant")], |wires| {
                task.run(wires)
            }),
            Err(why) => notices.push(format!("[home_assistant] {why}")),
        }
    }
    if let Some(settings) = &household.mqtt {
        let named = [(DISCOVERED, "The MQTT broker"), (ZIGBEE, "zigbee2mqtt")];
        let device = &household.device.name;
        let own = settings.sensors.then(|| OwnWires::open(readiness));
        let own = match own.transpose() {
            Ok(own) => own.map(|(wires, port)| {
                let (skill, port) = (Box::new(SensorsSkill::new()), Some(port));
                fitted.push(Fitted { skill, port });
                let room = household.house.room.as_deref();
                (Own::new(device, room, &settings.discovery), wires)
            }),
            Err(why) => {
                notices.push(why);
                None
            }
        };
        match mqtt::Task::new(settings, device, own) {
            Ok(task) => systems.add(&named, |wires| task.run(wires)),
            Err(why) => notices.push(format!("[mqtt] {why}")),
        }
    }
    if let Some(settings) = &household.hue {
        match hue::Task::new(settings) {
            Ok(task) => systems.add(&[(HUE, "The Hue bridge")], |wires| task.run(wires)),
            Err(why) => notices.push(format!("[hue] {why}")),
        }
    }
    for (number, settings) in household.wled.iter().enumerate() {
        let key = format!("wled{number}");
        match wled::Task::new(settings, &key) {
            Ok(task) => systems.add(&[(&key, &settings.name)], |wires| task.run(wires)),
            Err(why) => notices.push(format!("[[wled]] {why}")),
        }
    }
    if systems.named.is_empty() {
        return (fitted, notices);
    }
    let room = household.house.room.as_ref();
    let room = room.unwrap_or(&household.device.name);
    let skill = Box::new(HouseSkill::new(&systems.named, room));
    let Systems { ways, tasks, .. } = systems;
    let runs = std::thread::Builder::new()
        .name("house".to_owned())
        .spawn(move || run(asked, &ways, tasks));
    if let Err(error) = runs {
        notices.push(format!("lights and devices: {error}"));
        return (fitted, notices);
    }
    let port = Some(port);
    fitted.push(Fitted { skill, port });
    (fitted, notices)
}

/// Runs the tasks until the skill is gone.
fn run(mut asked: mpsc::Receiver<Value>, ways: &[Way], tasks: Vec<Running>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        tracing::warn!("lights and devices: no runtime");
        return;
    };
    runtime.block_on(async {
        for task in tasks {
            tokio::spawn(task);
        }
        // What the skill gives out goes to the system that it names.
        while let Some(value) = asked.recv().await {
            let Ok(Orders { system, orders }) = serde_json::from_value(value) else {
                continue;
            };
            let way = ways.iter().find(|(keys, _)| keys.contains(&system));
            let sent = way.map(|(_, way)| way.try_send(orders));
            if !matches!(sent, Some(Ok(()))) {
                // The skill says after its wait that nothing answered.
                tracing::warn!(system, "orders that nobody takes");
            }
        }
    });
}
