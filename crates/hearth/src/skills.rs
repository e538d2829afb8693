//! What a speaker of this machine can do beside calls and messages, in the order in which it is asked.
use hearthline_house::io as house;
use hearthline_music::io as music;
use hearthline_speaker::config::Household;
use hearthline_speaker::io::skills::{Fitted, everyday_skills, last_skill};
use hearthline_speaker::player::{self, Orderer, Rooms, Wired};
use hearthline_speaker::skill::forgetful::Forgetful;

use crate::command::doctor;
use crate::readiness;

/// The skills of a household.
pub(crate) struct Skills {
    /// In the order in which they are asked.
    pub(crate) fitted: Vec<Fitted>,
    /// What is to be told about them.
    pub(crate) notices: Vec<String>,
    /// Another configuration goes here; they run on without it.
    pub(crate) outside: Outside,
}

/// The skills that speak to systems beside this program, for another configuration.
pub(crate) struct Outside {
    running: Household,
    house: house::Control,
    music: music::Control,
}

/// The skills. Adapters to other systems run on threads of their own.
pub(crate) fn of(household: &Household) -> Skills {
    let (mut fitted, mut notices) = everyday_skills(household);
    match readiness::skill(household) {
        Ok(skill) => fitted.push(skill),
        Err(why) => notices.push(why),
    }
    // Music may play by a media player of the house: one knows the sentences, the other the wire.
    let (orderer, wired) = ends(household);
    let rooms = Rooms::default();
    let fit = house::fitted(household, ready(household), wired, rooms.clone());
    fitted.extend(fit.skills);
    notices.extend(fit.notices);
    let (skill, music, told) = music::fit(music::Household {
        music: household.music.clone(),
        room: household.device.name.clone(),
        remote: orderer,
        rooms,
    });
    fitted.push(skill);
    notices.extend(told);
    // Asked when nobody else has anything to say.
    let (last, told) = last_skill(household);
    fitted.extend(last);
    notices.extend(told);
    let outside = Outside {
        running: household.clone(),
        house: fit.control,
        music,
    };
    Skills {
        fitted,
        notices,
        outside,
    }
}

/// The same for a recording: they find nothing of an earlier run, and leave nothing behind.
pub(crate) fn of_memory(household: &Household) -> (Vec<Fitted>, Vec<String>) {
    let mut household = household.clone();
    if let Some(mqtt) = &mut household.mqtt {
        // A recording is no state of the speaker.
        mqtt.sensors = false;
    }
    let Skills {
        fitted, notices, ..
    } = of(&household);
    let forgetful = fitted.into_iter().map(|Fitted { skill, port }| {
        let skill = Box::new(Forgetful::new(skill));
        Fitted { skill, port }
    });
    (forgetful.collect(), notices)
}

impl Outside {
    /// Goes on by another configuration; what has not changed stays connected and plays on. Skills that take the places
    /// of others, and what is to be told.
    pub(crate) fn reload(&mut self, household: &Household) -> (Vec<Fitted>, Vec<String>) {
        let mut household = household.clone();
        let player = |of: &Household| (of.home_assistant.clone(), of.music.home_assistant.clone());
        let (mut orderer, wired) = if self.house.comes_anew(&household) {
            ends(&household)
        } else {
            (None, None)
        };
        let house = self.house.reload(&household, ready(&household), wired);
        if house.keeps_home_assistant {
            (household.home_assistant, household.music.home_assistant) = player(&self.running);
            orderer = None;
        }
        let mut notices = house.notices;
        // Its files may hold other passwords.
        notices.extend(self.music.reload(household.music.clone(), orderer));
        self.running = household;
        (house.skills, notices)
    }
}

/// The way between music and the media player of the house that it plays by, where there is one.
fn ends(household: &Household) -> (Option<Orderer>, Option<Wired>) {
    match &household.music.home_assistant {
        Some(_) => {
            let (orderer, wired) = player::ends();
            (Some(orderer), Some(wired))
        }
        None => (None, None),
    }
}

fn ready(household: &Household) -> house::Readiness {
    let examined = household.clone();
    Box::new(move || doctor::open_points(&examined).is_empty())
}

#[cfg(test)]
mod tests;
