//! The hub over HTTPS; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../household/mod.rs"]
mod household;

mod browsers_are_protected;
mod bundles_are_kept_as_they_came;
mod carddav_with_radicale;
mod enrols_with_a_code;
mod lines_are_set_up;
mod no_valid_body_calls_for_help;
mod nothing_here_can_call;
mod openapi_is_committed;
mod people_choose_what_they_are_told;
mod people_message_each_other;
mod phones_and_address_books_over_http;
#[path = "../../../modem/tests/lines/private_bus.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses its own part; one that cannot go on fails"
)]
mod private_bus;
mod revoked_devices_lose_their_connections;
mod rooms_and_speakers_get_messages;
mod senders_and_mailboxes_have_limits;
mod speakers_keep_their_agenda;
mod texts_go_by_mobile_lines;
mod the_api_keeps_its_limits;
mod triggers_do_what_the_owner_wrote;
mod triggers_never_call_for_help;
