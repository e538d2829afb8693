//! What a speaker of this machine can do beside calls and messages, in the order in which it is asked.
use hearthline_speaker::config::Household;
use hearthline_speaker::io::skills::{Fitted, everyday_skills, last_skill};
use hearthline_speaker::skill::forgetful::Forgetful;

use crate::command::doctor;
use crate::readiness;

/// The skills, and what is to be told about them. Adapters to other systems run as tasks of the runtime that calls this.
pub(crate) fn of(household: &Household) -> (Vec<Fitted>, Vec<String>) {
    let (mut skills, mut notices) = everyday_skills(household);
    match readiness::skill(household) {
        Ok(skill) => skills.push(skill),
        Err(why) => notices.push(why),
    }
    // Music may play by a media player of the house: one knows the sentences, the other the wire.
    let (orderer, wired) = match &household.music.home_assistant {
        Some(_) => {
            let (orderer, wired) = hearthline_speaker::player::ends();
            (Some(orderer), Some(wired))
        }
        None => (None, None),
    };
    let examined = household.clone();
    let ready = move || doctor::open_points(&examined).is_empty();
    let (house, told) = hearthline_house::io::fitted(household, Box::new(ready), wired);
    skills.extend(house);
    notices.extend(told);
    let (music, told) = hearthline_music::io::fit(hearthline_music::io::Household {
        music: household.music.clone(),
        room: household.device.name.clone(),
        remote: orderer,
    });
    skills.push(music);
    notices.extend(told);
    // Asked when nobody else has anything to say.
    let (last, told) = last_skill(household);
    skills.extend(last);
    notices.extend(told);
    (skills, notices)
}

/// The same for a recording: they find nothing of an earlier run, and leave nothing behind.
pub(crate) fn of_memory(household: &Household) -> (Vec<Fitted>, Vec<String>) {
    let mut household = household.clone();
    if let Some(mqtt) = &mut household.mqtt {
        // A recording is no state of the speaker.
        mqtt.sensors = false;
    }
    let (skills, notices) = of(&household);
    let forgetful = skills.into_iter().map(|Fitted { skill, port }| {
        let skill = Box::new(Forgetful::new(skill));
        Fitted { skill, port }
    });
    (forgetful.collect(), notices)
}
