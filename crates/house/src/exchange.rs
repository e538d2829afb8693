//! What the skill and its adapters say to each other, as JSON through the skill's port.
use serde::{Deserialize, Serialize};

use crate::command::Command;
use crate::thing::{Area, State, Thing};

/// From the skill to its adapters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Orders {
    /// Which system.
    pub system: String,
    /// What it is to do.
    pub orders: Vec<Order>,
}

/// One thing is to do something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Given back.
    pub id: u64,
    /// What the system calls the thing.
    pub thing: String,
    /// What it is to do.
    pub command: Command,
}

/// Comes to the skill in place of [`News`], under the key `setup`: the systems of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// Where the speaker stands.
    pub room: String,
    /// The preferred first.
    pub systems: Vec<SystemPlace>,
}

/// One system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemPlace {
    /// Its key in orders and news: `home_assistant`.
    pub key: String,
    /// What it is called when spoken of: `Home Assistant`.
    pub label: String,
    /// It is as before: what is known of it stays so.
    pub is_kept: bool,
}

/// From an adapter to the skill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct News {
    /// Which system.
    pub system: String,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened in a system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "news")]
pub enum What {
    /// It answers.
    Up,
    /// It does not, and why.
    Down {
        /// In words, without addresses.
        why: String,
    },
    /// All that it has, in place of what was known.
    Things {
        /// Rooms.
        areas: Vec<Area>,
        /// Lamps, sensors, scenes.
        things: Vec<Thing>,
    },
    /// Some things are now so.
    States {
        /// By the system's names.
        states: Vec<(String, State)>,
    },
    /// Some things were so already, as the system has kept it: no change that just happened.
    Kept {
        /// By the system's names.
        states: Vec<(String, State)>,
    },
    /// An order is done: the system has said so.
    Done {
        /// Which.
        order: u64,
    },
    /// An order is not done.
    Failed {
        /// Which.
        order: u64,
        /// In words.
        why: String,
    },
    /// Something that an owner should mend; nothing stops for it.
    Trouble {
        /// In words, without names of people and without secrets.
        what: String,
    },
}
