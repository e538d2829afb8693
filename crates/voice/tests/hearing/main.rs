//! What is heard in sound, with the models and without; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

mod a_doubtful_wake_is_confirmed_or_forgotten;
mod an_answer_is_waited_for_and_no_longer;
mod endpoints_commands;
mod hears_an_order_of_our_own_voice;
mod listens_to_recordings;
mod segments_begin_before_the_word;
mod speaks;
mod transcribes_real_speech;
mod wake_equals_the_reference;
mod wake_refuses_bad_models;
mod wakes_on_recordings;
mod weighs_what_was_heard;
