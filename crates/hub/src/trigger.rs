//! Triggers: somebody else's service calls an address of ours, and a routine that the owner wrote runs.
//!
//! ```text
//! POST /trigger/front_door/with/key/KEY ─► key, limits ─► routines of front_door ─► announce, message, ring, light,
//!                                                                              notify
//! ```
//! The shape is IFTTT's, so that what calls there calls here. A routine knows the five actions of [`Action`] and no
//! others: none of them has a number, an address of SIP or a service in it, so none can start a call for help
//! (DESIGN invariant 1).

mod key;
mod request;
mod routine;
mod run;

pub use key::TriggerKey;
pub use request::{Given, RequestError, VALUE_CHARS_MAX, read};
pub use routine::{
    Action, Announce, EventName, Notice, Ring, Routine, RoutineError, Routines, Switch, Tell, Words,
};
pub(crate) use run::{Found, Triggers, find};
