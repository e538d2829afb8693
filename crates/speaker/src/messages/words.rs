//! What is said about messages. Short, and never a number.
use crate::telephone::words::{ago, capital};

/// Before a recording.
pub(super) const WHAT_SHALL_I_SAY: &str = "What shall I say?";
/// Before a recording for all.
pub(super) const WHAT_SHALL_I_ANNOUNCE: &str = "What shall I announce?";
/// Several are called so, and nobody was chosen.
pub(super) fn nobody_alone(said: &str) -> String {
    format!("I know more than one {said}. Say the whole name.")
}

/// The recording is as long as a message may be.
pub(super) const CUT: &str =
    "That was two minutes, the longest that a message may be. I send what I have.";
/// What the record says of it.
pub(super) const CUT_EFFECT: &str = "cut at the longest that a message may be, and sent";
/// Blocked here and at the hub.
pub(super) const BLOCKED: &str = "Okay. This caller does not ring here any more.";
/// Blocked here; the hub will be told.
pub(super) const BLOCKED_HERE_FIRST: &str = "Okay. This caller does not ring on this speaker any more. The hub will know as soon as I reach it.";
/// Blocked here; the hub refuses.
pub(super) const BLOCKED_ONLY_HERE: &str = "This caller does not ring on this speaker any more. The hub did not take it, so other devices still ring.";

/// Nothing was recorded.
pub(super) const HEARD_NOTHING: &str = "I heard nothing. No message was sent.";
/// The person changed their mind.
pub(super) const NOT_SENT: &str = "Okay. No message was sent.";
/// The hub is away.
pub(super) const KEPT: &str = "I cannot reach the hub now. I will send it as soon as I can.";
/// Too many wait.
pub(super) const OUTBOX_FULL: &str =
    "Too many of your messages still wait for the hub. This one was not kept.";
/// Nobody can be written to by number.
pub(super) const ONLY_THE_HOME: &str =
    "I can send messages only to people, rooms and speakers of this home.";
/// The mailbox is empty.
pub(super) const NONE: &str = "You have no new messages.";
/// After the last.
pub(super) const THAT_WAS_ALL: &str = "That was all.";
/// There is nothing that "it" could mean.
pub(super) const NO_MESSAGE: &str = "There is no message.";
/// The voice cannot be fetched.
pub(super) const NOT_FETCHED: &str = "I cannot get this message now.";
/// Deleted.
pub(super) const DELETED: &str = "Deleted.";
/// Forwarding ends.
pub(super) const FORWARD_OFF: &str = "Okay. Calls ring here again.";
/// The hub refuses it.
pub(super) const NOT_FORWARDED: &str = "Calls cannot be forwarded there.";
/// The hub is away.
pub(super) const NO_HUB: &str = "I cannot reach the hub now.";
/// This device belongs to no hub.
pub(super) const NO_HOME: &str = "I belong to no household yet. Join one with a code from its hub.";
/// An emergency call stands.
pub(super) const EMERGENCY_FIRST: &str = "The emergency call comes first.";

/// The hub has it.
pub(super) fn sent(to: &str) -> String {
    format!("Sent to {to}.")
}

/// The hub has an announcement.
pub(super) const ANNOUNCED: &str = "Announced.";

/// The hub refused it.
pub(super) fn not_delivered(to: &str) -> String {
    format!("Your message to {to} could not be sent.")
}

/// How many wait.
pub(super) fn count(unheard: usize) -> String {
    match unheard {
        1 => "You have one new message.".into(),
        more => format!("You have {more} new messages."),
    }
}

/// Who sent it, and when.
pub(super) fn from(name: &str, seconds_ago: u64) -> String {
    format!("From {name}, {}.", ago(seconds_ago))
}

/// Who announces.
pub(super) fn announcement(name: &str) -> String {
    format!("{} announces:", capital(name))
}

/// A reminder of somebody else; late by less than a minute is on time.
pub(super) fn reminder(name: &str, seconds_late: u64) -> String {
    if seconds_late < 60 {
        format!("A reminder from {name}:")
    } else {
        format!(
            "A reminder from {name}, which was due {}:",
            ago(seconds_late)
        )
    }
}

/// Calls go elsewhere.
pub(super) fn forwarded(to: &str) -> String {
    format!("Okay. Calls go to {to}.")
}
