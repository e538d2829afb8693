//! The call-taker of drills; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod drill;

mod a_person_answers;
mod a_person_takes_calls_in_a_browser;
mod answers_callers_who_protect_their_sound;
mod answers_on_loopback;
mod fails_as_told;
mod lost_answers_by_boundary;
mod takes_an_emergency_call;
mod takes_any_bytes;
