//! What a speaker of this machine can do beside calls and messages, in the order in which it is asked.
use hearthline_speaker::config::Household;
use hearthline_speaker::io::skills::{Fitted, everyday_skills};

/// The skills, and what is to be told about them. Adapters to other systems run as tasks of the runtime that calls this.
pub(crate) fn of(household: &Household) -> (Vec<Fitted>, Vec<String>) {
    let (mut skills, mut notices) = everyday_skills();
    let (music, told) = hearthline_music::io::fit(hearthline_music::io::Household {
        music: household.music.clone(),
        room: household.device.name.clone(),
    });
    skills.push(music);
    notices.extend(told);
    (skills, notices)
}
