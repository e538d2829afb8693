//! What a text of somebody else's client means: everyday sentences, and nothing beside them.
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::sentences::{Moment, Outcome, Recognition, left_by_emergency};
use hearthline_voice::understand::{Country, read};

use crate::wyoming::service::Meaning;

/// Intents whose response is the whole answer, without a device of the home.
const ANSWERED: [&str; 4] = [
    "HassGetCurrentTime",
    "HassGetCurrentDate",
    "HassNevermind",
    "HassRespond",
];

/// Reads a text. `now` is the wall clock where the person is.
#[must_use]
pub fn meaning(everyday: &Everyday, country: Country, said: &str, now: Moment) -> Meaning {
    if !left_by_emergency(&read(said, country)) {
        return Meaning::Emergency;
    }
    // The same guard stands once more within: what is misheard for an emergency has no everyday meaning either.
    let Some(meant) = everyday.read(said, country) else {
        return Meaning::Nothing;
    };
    if !meant.rivals.is_empty() {
        return Meaning::Nothing;
    }
    let answers = ANSWERED.contains(&meant.intent.as_str());
    let response = (answers || !tells_a_state(&meant))
        .then(|| everyday.response(&meant, &Outcome::default(), now).ok())
        .flatten()
        .filter(|response| !response.is_empty());
    let slots = meant
        .slots
        .iter()
        .map(|slot| (slot.name.clone(), slot.value.to_json()))
        .collect();
    Meaning::Intent {
        name: meant.intent,
        slots,
        response,
        answers,
    }
}

/// Whether its response is about something that only the home of whoever asks knows.
fn tells_a_state(meant: &Recognition) -> bool {
    meant.intent.contains("Get") || meant.intent.contains("Status")
}
