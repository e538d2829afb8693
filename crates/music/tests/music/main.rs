//! Music from the sentence to the sound, with real players where there are some.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod any_order;
mod any_server;
mod below_words;
mod by_another_system;
mod by_the_daemon;
mod from_a_server;
mod gives_way;
mod home;
mod in_rooms;
mod large_libraries;
mod on_the_radio;
mod on_this_speaker;
mod sentences;
mod set_up_anew;
mod sounds;
