//! The program `hearth` as a person runs it: its words, its exit codes, its real processes; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../../../hub/tests/site/browser.rs"]
mod browser;
mod capture;
mod mouth_to_ear;
mod namespace;
mod program;
mod real_phone;
mod scene;
mod understood;
mod wire;

mod a_device_joins_a_home;
mod a_home_has_a_simulator;
mod a_person_speaks_in_a_browser;
mod a_service_manager_is_told;
mod bad_configuration;
mod bad_networks_are_understood;
mod bad_recordings;
mod browsers_call_speakers;
mod browsers_call_telephones;
mod callers_leave_messages;
mod calls_bear_a_bad_network;
mod calls_outlive_a_move;
mod doctor_says_what_is_missing;
mod e2e_the_story;
mod faults_of_the_disk;
mod help_goes_by_the_home;
mod help_has_examples_and_exit_codes;
mod home_assistant_is_a_guest;
mod hub_at_the_machine;
mod models_are_whole_or_absent;
mod nothing_is_reported;
mod real_phones_call_speakers;
mod routines_switch_lights;
mod shows_what_a_sentence_means;
mod speakers_call_each_other;
mod speakers_leave_messages;
mod tabs_call_each_other;
mod the_configuration_is_checked;
mod the_configuration_is_read_again;
mod timers_outlive_kills;
mod verify_tells_strangers_the_truth;
