//! Sound on its way between two ends; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod network;
mod secure_network;
mod signal;

mod digits_arrive_once;
mod g711_is_exact;
mod g722_keeps_wideband_speech;
mod hears_through_a_bad_network;
mod only_the_two_ends_hear;
mod refuses_what_is_not_the_peer;
mod resampling_keeps_the_telephone_band;
mod rtcp_packets;
mod rtp_packets;
mod sends_without_a_pause;
mod srtp_is_libsrtps;
mod srtp_lets_only_the_peer_through;
