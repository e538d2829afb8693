//! Endpoints against each other and against played peers, on a simulated network.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[allow(unreachable_pub)] // a module of one test binary
mod network;

mod accepted_state_absorbs_2xx;
mod calls_are_transferred;
mod cancel_crosses_answer;
mod changes_meet_in_glare;
mod digest_sha256_then_md5;
mod early_update;
mod flood_is_bounded;
mod forked_answers;
mod late_offers_are_answered_in_the_ack;
mod loose_route_is_followed;
mod malformed_is_answered;
mod prack_both_sides;
mod redirects_are_bounded;
mod registration_is_kept_alive;
mod retransmits_until_answered;
mod session_timer_refreshes;
mod strict_router_is_honoured;
mod tls_then_tcp_then_udp;
mod whatever_comes_it_ends;
