//! Pure: timers, alarms, reminders, stopwatch and lists, and the journal that keeps them; what can be known: time, sums,
//! units, weather; routines; and the words of a language model.
//!
//! ```text
//! sentence ─► Ask ─► agenda ─► Answer, Say, Ring            words ─► spoken: when, length
//!                       │  ▲                                rule + zone ─► next instant
//!                 Append▼  │kept, wall, time
//!                     journal
//! ```
//! [`agenda::Agenda`] is sans-IO: hand in what happens, drain `poll_output` until it says `Timeout`.
pub mod agenda;
pub mod exchange;
pub mod happened;
pub mod item;
pub mod journal;
pub mod knowing;
pub mod mirror;
pub mod model;
pub mod routine;
pub mod rule;
pub mod sentences;
pub mod spoken;
pub mod weather;
mod words;
pub mod zone;
