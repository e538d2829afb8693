//! Lines, locations and the INVITE of a call for help; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

mod dead_lines_give_way;
mod foreign_elements_survive;
mod lines_as_homes_have_them;
mod lost_client_keeps_a_mapping;
mod lost_never_stops_a_call;
mod no_dial_plan_hides_an_emergency;
mod rfc6881_rows;
mod samples_of_the_rfcs;
mod the_call_never_gives_up;
mod the_whole_invite;
mod what_we_write_is_valid;
