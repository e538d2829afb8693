//! Adapter: lights and devices of the house, through the systems that its people own.
//!
//! ```text
//! sentence ─► HouseSkill: plan ─► orders ─► adapter of a system ─► Home Assistant, MQTT, WLED, Hue
//!                 ▲  Registry ◄── news ◄──── (sans-IO core, thin io)
//!                 └─ Reply: done (the system said so), not done and why, asked back
//! ```
//! Each system has a core without sockets (messages in, messages out) and a thin task in [`io`] that
//! connects, reads and waits. Whatever a system sends is bounded, and no more than an error of that system.
//! Nothing here can call anybody: an order names a thing of the house and one of a few commands.

pub mod backoff;
pub mod colour;
pub mod command;
pub mod exchange;
pub mod home_assistant;
pub mod hue;
pub mod io;
pub mod mqtt;
pub mod plan;
pub mod registry;
pub mod request;
pub mod sensors;
pub mod sentences;
pub mod skill;
pub mod thing;
pub mod wish;
pub mod wled;
mod words;

pub use skill::HouseSkill;
