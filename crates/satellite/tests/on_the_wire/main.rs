//! Bytes, clients and servers: our side of the protocols against others and against damage.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod any_order_of_events;
mod bad_bytes_are_refused;
mod every_event_comes_back;
mod found_by_zeroconf;
mod handed_on;
mod oracle;
mod samples;
mod services;
mod the_reference_library_agrees;
