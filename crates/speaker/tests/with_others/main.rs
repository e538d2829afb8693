//! The speaker beside programs of other people; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agenda_sentences;
mod peer;
mod room_with_a_skill;

mod bare_words_reach_what_plays;
mod carried_by_tls_then_tcp;
mod interop_kamailio;
mod interop_phones;
mod interop_sipp;
mod routines_and_models;
mod sentences_are_handed_on;
mod services_of_the_owner;
mod skills_take_sentences;
mod store_survives_damage;
