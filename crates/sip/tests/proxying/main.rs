//! A proxy between endpoints of our own and played peers, on a simulated network.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[allow(unreachable_pub)] // a module of one test binary
mod home;
#[allow(unreachable_pub)] // a module of one test binary
mod network;

mod best_response_is_sent;
mod callers_do_not_choose_the_way;
mod calls_end_with_their_answer;
mod cancel_reaches_every_branch;
mod devices_come_when_told;
mod devices_register_and_are_called;
mod dialogs_stay_on_their_path;
mod flows_that_moved;
mod fork_first_answer_wins;
mod limits_hold;
mod loops_are_found;
mod loss_is_survived;
mod strangers_are_not_served;
mod texts_are_exact;
mod transactions_end_together;
mod whatever_devices_do_one_answer_comes;
