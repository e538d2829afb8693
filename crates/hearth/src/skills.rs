//! What a speaker of this machine can do beside calls and messages, in the order in which it is asked.
use hearthline_speaker::config::Household;
use hearthline_speaker::io::skills::{Fitted, everyday_skills};

/// The skills, and what is to be told about them. Adapters to other systems run as tasks of the runtime that calls this.
pub(crate) fn of(_household: &Household) -> (Vec<Fitted>, Vec<String>) {
    everyday_skills()
}
