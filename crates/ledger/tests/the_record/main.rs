//! The record, its proofs and its readers; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod story;

mod attacks_are_caught;
mod bundles_say_what_they_are;
mod entries_have_one_reading;
mod reads_a_policy;
mod reads_notes_strictly;
mod recovers_from_a_cut;
mod refuses_any_flipped_bit;
mod signs_heads_when_due;
mod the_page_says_the_same;
mod tree_agrees_with_rfc6962;
mod verifies_an_honest_bundle;
