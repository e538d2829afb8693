//! Whole homes on a simulated network and clock; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod emergency_calls_come_before_ordinary_ones;
mod lines_give_way;
mod lost_never_delays;
mod neighbours_call_each_other;
mod nothing_but_an_utterance_dials;
mod one_utterance_one_call;
mod passwords_stay_with_their_line;
mod record_never_delays;
mod the_story;
