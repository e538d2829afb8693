//! What sentences mean; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agrees_with_hassil;
mod every_language_is_read;
mod grammar_holds_every_wording;
mod home_assistants_sentences;
mod judges_by_text_and_sound;
mod language_files;
mod misheard_sentences;
mod names_are_found_by_sound;
mod orders_stay_closed;
mod reads_household_sentences;
mod reads_sentences;
mod the_household_changes_no_emergency;
mod the_template_language;
mod what_is_no_command;
mod whom_a_spoken_name_means;
