//! The everyday skills of a device on this machine, in the order in which they are asked, and their ways to the outside.
use std::path::Path;

use serde_json::Value;
use tokio::sync::mpsc;

use super::music::Music;
use super::zone::system_zone;
use crate::skill::Skill;
use crate::skill::agenda::AgendaSkill;

/// Values that wait between a skill and its adapter, each way; a full queue loses what the skill sends, and holds back
/// the adapter.
pub const PORT_VALUES_MAX: usize = 256;

/// A skill, and its way to the outside if it has one.
pub struct Fitted {
    /// The skill.
    pub skill: Box<dyn Skill>,
    /// [`crate::skill::Deed::Out`] and [`crate::skill::Event::Came`].
    pub port: Option<Port>,
}

/// The device's end of the two channels between a skill and its adapter.
pub struct Port {
    /// What the skill gives out.
    pub out: mpsc::Sender<Value>,
    /// What the adapter brings.
    pub came: mpsc::Receiver<Value>,
    /// Sound of its own, below everything else. One skill may have some.
    pub music: Option<Box<dyn Music>>,
}

/// The adapter's end.
pub struct Outside {
    /// What the skill asks for.
    pub asked: mpsc::Receiver<Value>,
    /// What the skill is told.
    pub tell: mpsc::Sender<Value>,
}

/// The two ends.
#[must_use]
pub fn port() -> (Port, Outside) {
    let (out, asked) = mpsc::channel(PORT_VALUES_MAX);
    let (tell, came) = mpsc::channel(PORT_VALUES_MAX);
    let music = None;
    (Port { out, came, music }, Outside { asked, tell })
}

impl From<Box<dyn Skill>> for Fitted {
    fn from(skill: Box<dyn Skill>) -> Self {
        Self { skill, port: None }
    }
}

/// The skills that every device has, and what is to be told about them.
#[must_use]
pub fn everyday_skills() -> (Vec<Fitted>, Vec<String>) {
    let named = std::env::var("TZ").ok();
    let (zone, notice) = system_zone(named.as_deref(), Path::new("/etc/localtime"));
    let agenda: Box<dyn Skill> = Box::new(AgendaSkill::new(zone));
    (vec![agenda.into()], notice.into_iter().collect())
}
