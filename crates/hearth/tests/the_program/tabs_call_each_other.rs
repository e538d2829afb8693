//! Two tabs of `hearth demo --page`, each with a person: "Alexa, call the kitchen" is said in one, the other rings, is
//! answered, and what arrives there transcribes to what was said. `tabs_call_each_other.mjs` are the two.
use crate::a_person_speaks_in_a_browser::{LEAD_SAMPLES, ends_well, simulator, spoken};
use crate::browser;
use crate::scene::models_are_absent;
use crate::understood::understood;

const SAID: &str = "The soup is ready. Please come down and bring your brother with you.";

#[test]
fn and_each_hears_the_other() {
    if models_are_absent() {
        return;
    }
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/the_program/tabs_call_each_other.mjs"
    );
    let Some(mut people) = browser::script(script, &[]) else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    // The call is answered while it is silent between the sentences.
    let caller = [
        (LEAD_SAMPLES, "Alexa, call the kitchen."),
        (160_000, SAID),
        (32_000, SAID),
    ];
    let caller = spoken(place.path(), "caller", &caller);
    let silence = spoken(place.path(), "silence", &[]);
    let heard = place.path().join("heard.wav");
    let (_demo, page, _) = simulator(&place.path().join("device"));
    let people = people.arg(&page).args([&caller, &silence, &heard]).spawn();
    ends_well(&mut people.unwrap());
    let mut reader = hound::WavReader::open(&heard).unwrap();
    let samples: Vec<i16> = reader.samples::<i16>().map(Result::unwrap).collect();
    understood("the kitchen's tab", SAID, &samples);
}
