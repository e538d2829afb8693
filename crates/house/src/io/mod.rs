//! The thin part: sockets, files and waiting around the cores of the systems. One task for each.
use std::path::Path;
use std::time::Duration;

use hearthline_speaker::config::Household;
use hearthline_speaker::io::skills::{Fitted, Outside, port};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::exchange::{News, Order, Orders, What};
use crate::mqtt::{DISCOVERED, ZIGBEE};
use crate::skill::HouseSkill;

mod dial;
mod home_assistant;
mod http;
mod hue;
mod mqtt;
mod secret;
mod wled;

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

/// The skill with the systems of the configuration, connected as tasks of the runtime that calls this; none where it
/// names no system. Files are relative to `folder`. Beside it what an owner should know.
pub fn fitted(household: &Household, folder: &Path) -> (Option<Fitted>, Vec<String>) {
    let mut systems: Vec<(String, String)> = Vec::new();
    let mut notices = Vec::new();
    let (port, Outside { mut asked, tell }) = port();
    let mut ways: Vec<(Vec<String>, mpsc::Sender<Vec<Order>>)> = Vec::new();
    let mut way = |keys: &[&str]| {
        let (orders, receiver) = mpsc::channel(ORDERS_MAX);
        ways.push((keys.iter().map(|&key| key.to_owned()).collect(), orders));
        Wires {
            orders: receiver,
            tell: tell.clone(),
        }
    };
    let at = |path: &Path| folder.join(path);
    if let Some(settings) = &household.home_assistant {
        match home_assistant::Task::new(settings, &at) {
            Ok(task) => {
                systems.push((HOME_ASSISTANT.into(), "Home Assistant".into()));
                tokio::spawn(task.run(way(&[HOME_ASSISTANT])));
            }
            Err(why) => notices.push(format!("[home_assistant] {why}")),
        }
    }
    if let Some(settings) = &household.mqtt {
        match mqtt::Task::new(settings, &household.device.name, &at) {
            Ok(task) => {
                systems.push((DISCOVERED.into(), "MQTT".into()));
                systems.push((ZIGBEE.into(), "zigbee2mqtt".into()));
                tokio::spawn(task.run(way(&[DISCOVERED, ZIGBEE])));
            }
            Err(why) => notices.push(format!("[mqtt] {why}")),
        }
    }
    if let Some(settings) = &household.hue {
        match hue::Task::new(settings, &at) {
            Ok(task) => {
                systems.push((HUE.into(), "the Hue bridge".into()));
                tokio::spawn(task.run(way(&[HUE])));
            }
            Err(why) => notices.push(format!("[hue] {why}")),
        }
    }
    for (number, settings) in household.wled.iter().enumerate() {
        let key = format!("wled{number}");
        match wled::Task::new(settings, &key) {
            Ok(task) => {
                systems.push((key.clone(), settings.name.clone()));
                tokio::spawn(task.run(way(&[&key])));
            }
            Err(why) => notices.push(format!("[[wled]] {why}")),
        }
    }
    if systems.is_empty() {
        return (None, notices);
    }
    // What the skill gives out goes to the system that it names.
    tokio::spawn(async move {
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
    let room = household
        .house
        .room
        .as_deref()
        .unwrap_or(&household.device.name);
    let skill = Box::new(HouseSkill::new(&systems, room));
    let fitted = Fitted {
        skill,
        port: Some(port),
    };
    (Some(fitted), notices)
}
