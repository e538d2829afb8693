//! The everyday skills of a device on this machine, in the order in which they are asked.
use std::path::Path;

use super::zone::system_zone;
use crate::skill::Skill;
use crate::skill::agenda::AgendaSkill;

/// The skills, and what is to be told about them.
#[must_use]
pub fn everyday_skills() -> (Vec<Box<dyn Skill>>, Vec<String>) {
    let named = std::env::var("TZ").ok();
    let (zone, notice) = system_zone(named.as_deref(), Path::new("/etc/localtime"));
    let skills: Vec<Box<dyn Skill>> = vec![Box::new(AgendaSkill::new(zone))];
    (skills, notice.into_iter().collect())
}
