//! What the hub keeps, in SQLite and on the bus; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod address_books_lose_nothing;
mod bus_contract;
mod database_faults_are_named;
mod store_contract;
mod the_folders_owner_has_a_door;
