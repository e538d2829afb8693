//! Adapter: Home Assistant's voice world both ways.
//!
//! ```text
//! their clients ──► wyoming::service ──► wake, asr, tts, intent, handle     (our engines, for others)
//! their server  ◄─► wyoming::satellite ◄─► hand-on ◄─► the speaker's skills (our microphone, for theirs)
//! ```
//! Protocols are sans-IO: bytes and the time go in, events and bytes come out; [`io`] holds the sockets. Nothing here knows
//! a telephone: what a network client says is no living person at the microphone, and starts no call (DESIGN invariant 1).
pub mod esphome;
pub mod exchange;
pub mod hand_on;
pub mod io;
pub mod mdns;
pub mod sound;
pub mod understanding;
pub mod wyoming;
