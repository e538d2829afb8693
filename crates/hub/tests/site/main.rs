//! The site: as it is served, and as a person in a browser meets it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../household/mod.rs"]
mod household;

mod a_browser_is_a_device;
mod a_person_uses_it_in_a_browser;
mod browser;
mod browsers_call_each_other;
mod is_served_with_strict_headers;
mod no_link_starts_a_call_for_help;
mod people_speak_to_each_other_later;
mod routines_lines_and_incidents;
mod the_page_of_one_file_is_made_of_its_modules;
mod what_comes_is_read_strictly;
