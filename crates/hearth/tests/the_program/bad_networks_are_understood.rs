//! What is said in a protected call is understood on a network that loses every tenth packet and delays the others by up
//! to 80 ms more than the quickest.
use std::time::Duration;

use hearthline_simulate::{Faults, Neighbours};
use hearthline_speaker::telephone::screening::DropIn;

use crate::scene::{models_are_absent, samples};
use crate::speakers_call_each_other::{spoken, transcribed};

const SECOND: Duration = Duration::from_secs(1);
const HALL: usize = 0;
const KITCHEN: usize = 1;
const SAID: &str = "The soup is ready, and the table is set for four.";

#[test]
fn what_arrives_is_what_was_said() {
    if models_are_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let speech = samples(&spoken(folder.path(), "talk", SAID));
    let mut understood = 0;
    for seed in 0..4 {
        let faults = Faults {
            delay_min: Duration::from_millis(20),
            delay_max: Duration::from_millis(100),
            lost_per_mille: 100,
            doubled_per_mille: 10,
        };
        let mut home = Neighbours::with(seed, &["hall", "kitchen"], faults, DropIn::Never);
        home.intend(HALL, "CallStart", &[("who", "the kitchen")]);
        home.run_for(2 * SECOND);
        home.intend(KITCHEN, "CallAnswer", &[]);
        home.run_for(6 * SECOND);
        let before = home.rooms[KITCHEN].played.len();
        home.rooms[HALL].speech.extend(&speech);
        home.run_for(5 * SECOND);
        let text = transcribed(&home.rooms[KITCHEN].played[before..]).to_lowercase();
        println!("seed {seed}: {text}");
        let words = ["soup", "ready", "table", "set"];
        let heard = words.iter().filter(|word| text.contains(**word)).count();
        assert!(heard >= 2, "{text}");
        understood += heard;
    }
    println!("{understood} of 16 words");
    assert!(understood >= 13);
}
