//! The mailbox: a user agent that answers calls from outside which nobody in the home takes.
//!
//! ```text
//! gateway ─ INVITE, Diversion: whose ─► Mailbox ─ 200 ─► greeting, tone ─► recording ─► Deposit
//!                                  (core: no socket, no clock)      until hang-up, silence or the limit
//! ```
//! [`Mailbox`] is driven by tests in virtual time; [`start`] puts it on loopback sockets. What becomes of a [`Deposit`]
//! is its owner's to say: the hub stores it as a message. [`transcript()`] turns its sound into text where the models are.
//!
//! It takes no call for help and no call-taker's callback: those ring until a person answers.

mod config;
mod deposit;
mod mailbox;
mod run;
mod transcript;
mod visit;

pub use config::{GREETING_MAX, MailboxConfig, RECORDING_MAX, SILENCE_MAX, SPOKEN_MIN, VISITS_MAX};
pub use deposit::{Deposit, Left};
pub use mailbox::{Mailbox, Output};
pub use run::{Running, StartError, start};
pub use transcript::{SEGMENT_S_MAX, transcript};
