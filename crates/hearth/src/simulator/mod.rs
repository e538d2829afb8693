//! The simulator: a page in the browser, and behind each tab the very same device as `hearth speaker` runs.
//!
//! ```text
//! tab ─ POST /simulator/tabs ──────────────► Tabs ─► Tab ─► run() with the ear, policy, record and voice of a device
//!     ─ microphone, loudspeaker (WebRTC) ──────────► bridge ─► Microphone::Given, Sink::Given
//!     ─ buttons, typed words (POST) ───────────────► bridge
//!     ◄─ what it hears, decides, says (events) ────── Journal ◄─ News
//! ```
//! It answers on loopback alone, to the page it served alone (within a home: opened with its key), and is a drill like everything else: what is said into a tab
//! is said to a device at its microphone; what is typed is an everyday sentence at most (DESIGN invariant 1).
mod assets;
mod bridge;
mod events;
mod journal;
mod plain;
mod server;
mod stage;
mod tab;
mod tabs;

pub(crate) use server::Simulator;
pub(crate) use stage::{Opening, Stage};
pub(crate) use tabs::secret;
