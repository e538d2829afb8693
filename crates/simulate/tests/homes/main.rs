//! Whole homes on a simulated network and clock; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod emergency_calls_come_before_ordinary_ones;
mod lines_give_way;
mod lost_never_delays;
mod messages_reach_the_rooms;
mod neighbours_call_each_other;
mod neighbours_move;
mod neighbours_transfer_calls;
mod nothing_but_an_utterance_dials;
mod one_of_several_is_asked;
mod one_utterance_one_call;
mod only_the_two_rooms_hear;
mod passwords_stay_with_their_line;
mod record_never_delays;
mod reminders_reach_others;
mod settings_change_between_calls;
mod the_button_to_speak;
mod the_story;
