//! Lights and devices from the sentence to the wire, with real systems where there are some.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod a_real_home_assistant;
mod bridge_and_strip;
mod hardened;
mod home_assistant_on_the_wire;
mod household;
mod mosquitto;
mod own_sensors;
mod players_elsewhere;
mod said_and_done;
mod set_up_anew;
mod stand_in;
mod suite;
