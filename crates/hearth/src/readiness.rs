//! What `hearth doctor` finds, for whoever asks the speaker "are you ready to call for help?". Nothing is called.
use hearthline_speaker::config::Household;
use hearthline_speaker::io::skills::{Fitted, Outside, port};
use hearthline_speaker::skill::readiness::ReadinessSkill;
use serde_json::json;

use crate::command::doctor;

/// The skill, and the examination behind it.
///
/// # Errors
/// In words, when the system gives no thread.
pub(crate) fn skill(household: &Household) -> Result<Fitted, String> {
    let (port, outside) = port();
    let household = household.clone();
    std::thread::Builder::new()
        .name("readiness".into())
        .spawn(move || examine(&household, outside))
        .map_err(|error| format!("readiness: {error}"))?;
    Ok(Fitted {
        skill: Box::new(ReadinessSkill::new()),
        port: Some(port),
    })
}

/// Examines whenever it is asked, until the skill is gone.
fn examine(household: &Household, mut outside: Outside) {
    while outside.asked.blocking_recv().is_some() {
        let open = doctor::open_points(household);
        let lines = household.lines.len() + usize::from(household.household.is_some());
        let found = json!({ "open": open, "lines": lines });
        if outside.tell.blocking_send(found).is_err() {
            return;
        }
    }
}
