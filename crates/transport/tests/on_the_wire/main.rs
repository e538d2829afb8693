//! Sockets, TLS and names, on loopback; each file is one behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agents;

mod bad_peers_are_bounded;
mod calls_over_udp_tcp_tls;
mod devices_prove_who_they_are;
mod names_are_resolved;
mod nothing_leaves_loopback;
mod rtp_pairs_are_even_and_odd;
mod talks_with_sipp;
