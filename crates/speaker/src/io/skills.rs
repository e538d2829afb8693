//! The everyday skills of a device on this machine, in the order in which they are asked, and their ways to the outside.
use std::path::Path;

use serde_json::Value;
use tokio::sync::mpsc;

use super::model::{self, ModelPlace};
use super::music::Music;
use super::store::random;
use super::weather;
use super::zone::system_zone;
use crate::config::Household;
use crate::skill::Skill;
use crate::skill::absent::Absent;
use crate::skill::agenda::{AgendaSkill, Zone};
use crate::skill::finding::FindingSkill;
use crate::skill::knowing::KnowingSkill;
use crate::skill::model::ModelSkill;
use crate::skill::routine::{Routine, RoutineSkill};
use crate::skill::weather::WeatherSkill;

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
pub fn everyday_skills(household: &Household) -> (Vec<Fitted>, Vec<String>) {
    let (zone, notice) = zone();
    let mut notices: Vec<String> = notice.into_iter().collect();
    let mut skills = vec![routines(household, &zone)];
    let name = random().map_or(0, |bytes| {
        bytes[..8]
            .iter()
            .fold(0, |name, byte| name << 8 | u64::from(*byte))
    });
    // 0 is no name, and names nothing at the hub.
    let agenda = AgendaSkill::new(zone.clone()).with_journal(name.max(1));
    let agenda: Box<dyn Skill> = Box::new(agenda);
    let knowing: Box<dyn Skill> = Box::new(KnowingSkill::new(zone.clone()));
    let finding: Box<dyn Skill> = Box::new(FindingSkill::new());
    skills.push(agenda.into());
    skills.push(finding.into());
    skills.push(knowing.into());
    let (weather, told) = weather(household, zone);
    skills.push(weather);
    notices.extend(told);
    (skills, notices)
}

/// One of `routine`, `weather`, `model` anew, by another configuration, and what is to be told about it.
#[must_use]
pub fn skill_anew(household: &Household, name: &'static str) -> (Fitted, Vec<String>) {
    let (zone, _) = zone();
    match name {
        "routine" => (routines(household, &zone), Vec::new()),
        "weather" => weather(household, zone),
        _ => {
            let (model, told) = last_skill(household);
            (model.unwrap_or_else(|| absent(name)), told)
        }
    }
}

fn zone() -> (Zone, Option<String>) {
    let named = std::env::var("TZ").ok();
    system_zone(named.as_deref(), Path::new("/etc/localtime"))
}

fn absent(name: &'static str) -> Fitted {
    let skill: Box<dyn Skill> = Box::new(Absent::new(name));
    skill.into()
}

fn routines(household: &Household, zone: &Zone) -> Fitted {
    let country = household.country().ok();
    let routines: Vec<Routine> = household
        .routines
        .iter()
        .zip(core::iter::repeat(country))
        .filter_map(|(one, country)| Some(one.routine(country?)))
        .flatten()
        .collect();
    if routines.is_empty() {
        return absent("routine");
    }
    let skill: Box<dyn Skill> = Box::new(RoutineSkill::new(routines, zone.clone()));
    skill.into()
}

fn weather(household: &Household, zone: Zone) -> (Fitted, Vec<String>) {
    let (Ok(Some(settings)), Some(asked)) = (household.weather(), &household.weather) else {
        return (absent("weather"), Vec::new());
    };
    let (port, outside) = port();
    let url = asked.url.clone();
    match beside("weather", move || weather::serve(url, outside)) {
        Ok(()) => {
            let skill = Box::new(WeatherSkill::new(settings, zone));
            let port = Some(port);
            (Fitted { skill, port }, Vec::new())
        }
        Err(why) => (absent("weather"), vec![why]),
    }
}

/// The skill that is asked when all others have nothing to say: the household's language model, if it has one.
#[must_use]
pub fn last_skill(household: &Household) -> (Option<Fitted>, Vec<String>) {
    let (Some(model), Ok(country)) = (&household.model, household.country()) else {
        return (None, Vec::new());
    };
    let (port, outside) = port();
    let place = ModelPlace {
        url: model.url.clone(),
        key_file: model.key_file.clone(),
        within: model.within(),
    };
    if let Err(why) = beside("model", move || model::serve(place, outside)) {
        return (None, vec![why]);
    }
    let skill = ModelSkill::new(model.name.clone(), model.within(), country);
    let fitted = Fitted {
        skill: Box::new(skill),
        port: Some(port),
    };
    (Some(fitted), Vec::new())
}

/// Runs an adapter on a thread of its own, which ends with its skill: some are made before there is a runtime.
fn beside<F: Future<Output = ()>>(
    name: &'static str,
    adapter: impl FnOnce() -> F + Send + 'static,
) -> Result<(), String> {
    let wrong = move |error: std::io::Error| format!("{name}: cannot start: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(wrong)?;
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || runtime.block_on(adapter()))
        .map(drop)
        .map_err(wrong)
}
