//! What begins a routine beside phrases and the clock: a thing of the house that has become another, or something of the
//! speaker's own.
//!
//! Whatever happens begins sentences of a routine and nothing else; see [`crate::routine`] for who reads them.

/// Something of the speaker's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// A timer has ended, and rings.
    TimerEnds,
    /// An alarm rings.
    AlarmRings,
    /// A reminder is due.
    ReminderRings,
    /// The loudspeaker was muted.
    Muted,
    /// And can be heard again.
    Unmuted,
    /// Somebody has left a message.
    MessageArrives,
}

/// Their names in a configuration.
pub const OWN: [(&str, Own); 6] = [
    ("timer_ends", Own::TimerEnds),
    ("alarm_rings", Own::AlarmRings),
    ("reminder_rings", Own::ReminderRings),
    ("muted", Own::Muted),
    ("unmuted", Own::Unmuted),
    ("message_arrives", Own::MessageArrives),
];

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A thing of the house is in another state than it was. What is found at a start, or after a system was away, is no
    /// change.
    Became {
        /// What it is called.
        names: Vec<String>,
        /// Its room.
        room: Option<String>,
        /// Its state, as its system calls it and as it is said: `on`, `open`.
        states: Vec<String>,
    },
    /// Something of the speaker's own.
    Own(Own),
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// A thing becomes this.
    Becomes {
        /// One of its names.
        thing: String,
        /// Only the one in this room.
        room: Option<String>,
        /// Its new state.
        state: String,
    },
    /// Something of the speaker's own.
    Own(Own),
}

impl When {
    /// Whether this is it.
    #[must_use]
    pub fn is(&self, what: &Happened) -> bool {
        match (self, what) {
            (Self::Own(wanted), Happened::Own(own)) => wanted == own,
            (
                Self::Becomes { thing, room, state },
                Happened::Became {
                    names,
                    room: place,
                    states,
                },
            ) => {
                let named = |all: &[String], one: &str| all.iter().any(|name| is_same(name, one));
                let there = |room: &String| place.as_ref().is_some_and(|at| is_same(at, room));
                named(states, state) && named(names, thing) && room.as_ref().is_none_or(there)
            }
            _ => false,
        }
    }
}

/// Whatever their case, and however their words are parted.
fn is_same(one: &str, other: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let parted = text.split(|letter: char| letter.is_whitespace() || letter == '_');
        let words = parted.filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    words(one) == words(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_known_by_any_name_and_its_state_by_both() {
        let door = |room: Option<&str>| Happened::Became {
            names: vec!["Front Door".into(), "entrance".into()],
            room: room.map(str::to_owned),
            states: vec!["on".into(), "open".into()],
        };
        let when = |thing: &str, room: Option<&str>, state: &str| When::Becomes {
            thing: thing.into(),
            room: room.map(str::to_owned),
            state: state.into(),
        };
        for thing in ["front door", " Front  Door", "front_door", "Entrance"] {
            for state in ["open", "ON"] {
                assert!(when(thing, None, state).is(&door(None)), "{thing} {state}");
            }
        }
        assert!(when("front door", Some("hall"), "open").is(&door(Some("Hall"))));
        assert!(!when("front door", Some("hall"), "open").is(&door(None)));
        assert!(!when("front door", None, "closed").is(&door(None)));
        assert!(!when("door", None, "open").is(&door(None)));
        assert!(!When::Own(Own::Muted).is(&door(None)));
        assert!(!When::Own(Own::Muted).is(&Happened::Own(Own::Unmuted)));
        assert!(
            OWN.into_iter()
                .all(|(_, own)| When::Own(own).is(&Happened::Own(own)))
        );
    }
}
