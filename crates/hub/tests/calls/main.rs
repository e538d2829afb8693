//! The hub as registrar, proxy and gateway; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../household/mod.rs"]
mod household;
mod lines;
mod telephone;
mod telephones_are_found;
mod unknown_telephones_leave_incidents;

mod a_full_file_system_holds_up_no_call;
mod bridged_calls_bear_trouble;
mod bridged_calls_survive_a_kill;
mod browsers_are_bridged_to_telephones;
mod calls_are_forwarded;
mod calls_go_on_without_the_database;
mod faults_in_calls;
mod forged_rows_are_not_believed;
mod gruus_lead_anywhere;
mod late_offers_pass;
mod lines_carry_calls;
mod lines_carry_calls_for_help;
mod lines_carry_three_way_calls;
mod lines_give_way_to_a_modem;
mod lines_interop;
mod lines_join_calls;
mod lines_move_calls;
mod lines_put_calls_through;
mod nobody_speaks_for_another;
mod nobody_takes_it;
mod people_are_called_while_their_app_is_closed;
#[path = "../../../modem/tests/lines/private_bus.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses its own part; one that cannot go on fails"
)]
mod private_bus;
mod ringing_calls_outlive_a_move;
mod sip_calls_are_screened;
mod sip_emergencies_reach_no_device;
mod sip_over_websocket;
mod sip_phones_call_each_other;
mod sip_real_phones;
