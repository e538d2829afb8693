//! What the telephone says. Short, and never a number.

/// While it rings at the other side.
pub(super) fn calling(name: &str) -> String {
    format!("Calling {name}.")
}

/// It rings here.
pub(super) fn is_calling(name: &str) -> String {
    format!("{} is calling.", capital(name))
}

/// It rings here while another call stands.
pub(super) fn waits(name: &str) -> String {
    format!("{} is calling. Say answer, or decline.", capital(name))
}

/// Somebody was let in without being answered.
pub(super) fn drops_in(name: &str) -> String {
    format!("{} is dropping in. The microphone is open.", capital(name))
}

/// Why a call did not come about, by its status.
pub(super) fn failed(name: &str, status: Option<u16>) -> String {
    let name = capital(name);
    match status {
        Some(486 | 600) => format!("{name} is busy."),
        Some(603 | 403 | 433) => format!("{name} does not take the call."),
        Some(404 | 484 | 604) => format!("I do not know how to reach {}.", lower_the(&name)),
        Some(480 | 408 | 410) => format!("{name} cannot be reached now."),
        Some(428 | 438) => format!(
            "{name} does not believe that it is me who calls. Somebody may stand in between, or a clock is wrong."
        ),
        Some(488 | 606 | 415) => format!("{name} has no sound that I understand."),
        _ => "The call did not go through.".into(),
    }
}

/// The other side proves who it is with another key than in the last call.
pub(super) fn key_changed(name: &str) -> String {
    format!("The key of {name} is new. Unless it was set up again, somebody may listen in.")
}

/// Whoever answered did not prove to be of the home.
pub(super) fn unproven(name: &str) -> String {
    format!("Whoever answered for {name} did not prove to be of this home. I ended the call.")
}

/// The sound shows another key than was promised.
pub(super) fn in_between(name: &str) -> String {
    format!("Somebody stands between me and {name}. I ended the call.")
}

/// The sound would be in the clear, or no keys came about.
pub(super) fn unprotected(name: &str) -> String {
    format!("The call with {name} cannot be protected, so I ended it.")
}

/// No packet gets through.
pub(super) fn no_way(name: &str) -> String {
    format!("No sound gets through to {name}. I ended the call.")
}

/// Nobody answered.
pub(super) fn no_answer(name: &str) -> String {
    format!("No answer from {name}.")
}

/// Several are called so.
pub(super) fn which(said: &str, names: &[String]) -> String {
    let listed = match names {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        _ => names.concat(),
    };
    format!("Which {}: {listed}?", without_the(said))
}

/// Nobody is called so.
pub(super) fn nobody(said: &str) -> String {
    format!("I know nobody called {}.", without_the(said))
}

/// How long ago, for people.
pub(crate) fn ago(seconds: u64) -> String {
    match (seconds / 60, seconds / 3_600) {
        (0, _) => "just now".into(),
        (1, _) => "a minute ago".into(),
        (minutes, 0) => format!("{minutes} minutes ago"),
        (_, 1) => "an hour ago".into(),
        (_, hours @ 2..48) => format!("{hours} hours ago"),
        (_, hours) => format!("{} days ago", hours / 24),
    }
}

/// "the kitchen" as "kitchen".
pub(super) fn without_the(name: &str) -> &str {
    let name = name.trim();
    match name.get(..4) {
        Some(the) if the.eq_ignore_ascii_case("the ") => name[4..].trim(),
        _ => name,
    }
}

fn lower_the(name: &str) -> String {
    match name.strip_prefix("The ") {
        Some(rest) => format!("the {rest}"),
        None => name.to_owned(),
    }
}

pub(crate) fn capital(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// A call of the home that others could hear.
pub(super) const NOT_PROTECTED: &str = "This call is not protected.";
/// There is no call that this could mean.
pub(super) const NO_CALL: &str = "There is no call.";
/// Nobody rings.
pub(super) const NOBODY_CALLS: &str = "Nobody is calling.";
/// All places for calls are taken.
pub(super) const TOO_MANY: &str = "There are too many calls already.";
/// This device belongs to no hub.
pub(super) const NO_HOME: &str = "I belong to no household yet. Join one with a code from its hub.";
/// The hub is away.
pub(super) const NO_HUB: &str = "I cannot reach the hub now.";
/// An emergency call stands.
pub(super) const EMERGENCY_FIRST: &str = "The emergency call comes first.";
/// After hold.
pub(super) const HELD: &str = "On hold.";
/// The other sides of a call hear nothing of the room.
pub(super) const SILENCED: &str = "They do not hear you now. I still do.";
/// They hear it again.
pub(super) const HEARD_AGAIN: &str = "They hear you again.";
/// No call stands: an order in words must not make a speaker deaf to a call for help.
pub(super) const KEEPS_LISTENING: &str = "I keep my microphone on, so that you can call for help. Whoever wants it off \
    must unplug me.";
/// It was never off.
pub(super) const LISTENS: &str = "My microphone is on.";
/// The other side is asked to call somebody else.
pub(super) fn transferring(name: &str) -> String {
    format!("Putting them through to {name}.")
}

/// Somebody else takes the place of the other side.
pub(super) fn put_through(name: &str) -> String {
    format!("You are being put through to {name}.")
}

/// They talk without us now.
pub(super) const TRANSFERRED: &str = "They are connected.";
/// The transfer failed.
pub(super) const NOT_TRANSFERRED: &str = "They were not put through. You are still connected.";
/// They asked to put somebody through to themselves.
pub(super) const SAME_CALL: &str = "That is whom you are talking to.";
/// Nothing to merge.
pub(super) const NOTHING_TO_MERGE: &str = "There are not two calls to put together.";
/// Nobody was called, or called.
pub(super) const NOBODY_YET: &str = "There is nobody to call back.";
/// No missed calls.
pub(super) const NONE_MISSED: &str = "Nobody called.";
/// Quiet hours begin.
pub(super) const DND_ON: &str = "Okay. No calls ring here.";
/// And end.
pub(super) const DND_OFF: &str = "Okay. Calls ring here again.";
/// There is nothing to know them again by.
pub(super) const HIDDEN_CALLER: &str =
    "The last caller did not show who they are, so I cannot block them.";
/// No digit in what was asked for.
pub(super) const NO_DIGITS: &str = "I did not understand which keys.";

/// A missed call.
pub(super) fn called(name: &str, ago: &str) -> String {
    format!("{} called {ago}.", capital(name))
}
