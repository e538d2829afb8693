//! Adapter: a mobile modem as a line of the home.
//!
//! ```text
//! hub or speaker ─ SIP, RTP on loopback ─ ModemLine ─ D-Bus ─ ModemManager ─ modem ─ mobile network
//!                                             └────── 8 kHz samples ───────────┘
//! ```
//! To the home it is what an adapter for landlines is: a SIP gateway on the same machine. So the hub uses it as an
//! ordinary line in a person's order, with its health, and a speaker as the line of its own emergency call. Short messages
//! go both ways as SIP MESSAGE (RFC 3428); emergency numbers are called, not written to.
//!
//! - [`line`]: the whole of it without sockets, in bytes and samples.
//! - [`service`]: ModemManager's names, states and properties, read with distrust.
//! - [`dbus`]: as much of D-Bus as that needs.
//! - [`io`]: sockets, the bus, the sound device; and reading a modem's state once.
//! - [`stand_in`]: a ModemManager without a modem, for tests and drills.
//!
//! **No real telephone can be rung with this version.** A call is placed or answered, and a message sent, only where
//! the bus also holds the name that our stand-in owns ([`service::STAND_IN`]); the system's own bus is refused.
//!
//! **What was never tried:** no modem was at hand. The names, types and states are checked against the interface
//! descriptions that come with ModemManager, and against our own stand-in on a real `dbus-daemon`. Untried are: every
//! real modem, the timing of its states, sound by a modem's serial port (a pseudo-terminal stands for it) or sound
//! card, DTMF that a network makes, messages in several parts over the air, and emergency calls without a card.

pub mod dbus;
pub mod io;
pub mod line;
pub mod number;
pub mod service;
pub mod stand_in;
pub mod text_message;
