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
        /// The state that it had before, as its system calls it.
        before: String,
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
    /// A number that a thing measures comes into this range from outside of it.
    Enters {
        /// One of its names.
        thing: String,
        /// Only the one in this room.
        room: Option<String>,
        /// Where it shall be.
        range: Range,
    },
    /// Something of the speaker's own.
    Own(Own),
}

/// Numbers above one, below another, or between both; the ends are outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    above: Option<f64>,
    below: Option<f64>,
}

// No end is NaN.
impl Eq for Range {}

impl Range {
    /// `None`: it has no end, one of them is no number, or nothing lies between them.
    #[must_use]
    pub fn new(above: Option<f64>, below: Option<f64>) -> Option<Self> {
        let mut ends = above.iter().chain(&below);
        let room = above.zip(below).is_none_or(|(above, below)| above < below);
        let some = above.is_some() || below.is_some();
        (some && room && ends.all(|end| end.is_finite())).then_some(Self { above, below })
    }

    /// Whether this text is a number in it; `None`: it is no number.
    fn holds(self, text: &str) -> Option<bool> {
        let number: f64 = text.trim().parse().ok()?;
        let above = self.above.is_none_or(|end| number > end);
        let below = self.below.is_none_or(|end| number < end);
        number.is_finite().then_some(above && below)
    }
}

impl When {
    /// Whether this is it.
    #[must_use]
    pub fn is(&self, what: &Happened) -> bool {
        match (self, what) {
            (Self::Own(wanted), Happened::Own(own)) => wanted == own,
            (Self::Becomes { thing, room, state }, Happened::Became { states, .. }) => {
                states.iter().any(|own| is_same(own, state)) && what.is_of(thing, room.as_ref())
            }
            (Self::Enters { thing, room, range }, Happened::Became { states, before, .. }) => {
                let is_in = states.iter().find_map(|state| range.holds(state));
                // What was no number was not outside.
                let was_in = range.holds(before);
                (was_in, is_in) == (Some(false), Some(true)) && what.is_of(thing, room.as_ref())
            }
            _ => false,
        }
    }
}

impl Happened {
    /// Whether it is a thing of this name, in this room where one is named.
    fn is_of(&self, thing: &str, room: Option<&String>) -> bool {
        let Self::Became {
            names, room: place, ..
        } = self
        else {
            return false;
        };
        let there = |room: &String| place.as_ref().is_some_and(|at| is_same(at, room));
        names.iter().any(|name| is_same(name, thing)) && room.is_none_or(there)
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
            before: "off".into(),
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

    #[test]
    fn a_number_begins_something_when_it_comes_into_the_range_and_not_while_it_stays() {
        let warm = |before: &str, now: &str| Happened::Became {
            names: vec!["Office temperature".into()],
            room: Some("Office".into()),
            states: vec![now.into(), format!("{now} °C")],
            before: before.into(),
        };
        let enters = |above, below| When::Enters {
            thing: "office temperature".into(),
            room: None,
            range: Range::new(above, below).unwrap(),
        };
        let hot = enters(Some(25.0), None);
        assert!(hot.is(&warm("24.9", "25.1")));
        assert!(!hot.is(&warm("25.1", "25.3")), "it was so already");
        assert!(!hot.is(&warm("24.0", "25.0")), "the end is outside");
        assert!(!hot.is(&warm("25.3", "24.9")));
        assert!(!hot.is(&warm("unknown", "25.3")), "no number before");
        assert!(!hot.is(&warm("24.0", "NaN")) && !hot.is(&warm("24.0", "inf")));
        let cold = enters(None, Some(-5.0));
        assert!(cold.is(&warm("-4", "-5.5")) && !cold.is(&warm("-6", "-5.5")));
        let between = enters(Some(10.0), Some(20.0));
        assert!(between.is(&warm("9", "15")) && between.is(&warm("30", "15")));
        assert!(!between.is(&warm("9", "30")), "past it");
        let other = When::Enters {
            thing: "office temperature".into(),
            room: Some("Hall".into()),
            range: Range::new(Some(25.0), None).unwrap(),
        };
        assert!(!other.is(&warm("24", "26")));
        for (above, below) in [
            (None, None),
            (Some(20.0), Some(20.0)),
            (Some(f64::NAN), None),
            (None, Some(f64::INFINITY)),
        ] {
            assert_eq!(Range::new(above, below), None);
        }
    }
}
