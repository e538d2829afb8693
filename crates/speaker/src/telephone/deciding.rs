//! From a spoken intent to what the telephone does: one table.
//!
//! Whether a sentence calls for help is decided before, in [`crate::policy`]; what gets here never does.
use hearthline_emergency::numbers::OrdinaryDigits;
use hearthline_voice::understand::{Country, Intent};

use super::whom::{NotDialled, Spoken, recognise};
use super::words;

/// Most keys pressed by one sentence.
pub const KEYS_MAX: usize = 32;

/// Where the calls of a device stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// An emergency call stands.
    pub emergency: bool,
    /// It rings here.
    pub offered: bool,
    /// One of ours is not answered yet.
    pub going_out: bool,
    /// Answered calls that are not on hold.
    pub spoken: usize,
    /// Answered calls on hold.
    pub held: usize,
}

impl Facts {
    fn confirmed(&self) -> usize {
        self.spoken + self.held
    }
}

/// Whose call "redial" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// The one that we called.
    Dialled,
    /// The one that we missed.
    Missed,
}

/// What is done about an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Find the name and call; `drop_in`: ask to be let in.
    CallName {
        /// As spoken.
        name: String,
        /// Ask to be let in without being answered.
        drop_in: bool,
    },
    /// Call an ordinary number.
    CallNumber(OrdinaryDigits),
    /// Take the call that rings.
    Answer,
    /// Turn it away.
    Decline,
    /// End the call.
    HangUp,
    /// Put it on hold.
    Hold,
    /// The other sides hear nothing of the room, or hear it again.
    Silence(bool),
    /// Take it back.
    Resume,
    /// Put the other side through to somebody else.
    Transfer(Spoken),
    /// Put two calls together.
    Merge,
    /// Press keys.
    Press(Vec<char>),
    /// Call again.
    Redial(Last),
    /// Say who called.
    WhoCalled,
    /// Calls ring here, or do not.
    DoNotDisturb(bool),
    /// Keep the last caller away.
    BlockCaller,
    /// Only say this.
    Say(&'static str),
    /// The policy's to decide: an emergency number or service was meant.
    NotOurs(NotDialled),
}

/// Decides. None: not an intent of the telephone.
#[must_use]
pub fn decide(intent: &Intent, facts: Facts, country: Country) -> Option<Deed> {
    let slot = |name: &str| intent.slots.get(name).map(|value| value.trim());
    let deed = match intent.name.as_str() {
        "CallStart" | "DropIn" => {
            let Some(spoken) = slot("number").or(slot("who")) else {
                return Some(Deed::Say(words::NOBODY_YET));
            };
            match recognise(spoken, country) {
                // Before anything else, whatever stands.
                Err(not_ours) => Deed::NotOurs(not_ours),
                Ok(_) if facts.emergency => Deed::Say(words::EMERGENCY_FIRST),
                Ok(Spoken::Number(digits)) => Deed::CallNumber(digits),
                Ok(Spoken::Name(name)) => Deed::CallName {
                    name,
                    drop_in: intent.name == "DropIn",
                },
            }
        }
        "CallTransfer" => {
            let Some(spoken) = slot("number").or(slot("who")) else {
                return Some(Deed::Say(words::NOBODY_YET));
            };
            match recognise(spoken, country) {
                Err(not_ours) => Deed::NotOurs(not_ours),
                Ok(_) if facts.emergency => Deed::Say(words::EMERGENCY_FIRST),
                Ok(_) if facts.confirmed() == 0 => Deed::Say(words::NO_CALL),
                Ok(to) => Deed::Transfer(to),
            }
        }
        "DndOn" => Deed::DoNotDisturb(true),
        "DndOff" => Deed::DoNotDisturb(false),
        "CallWho" => Deed::WhoCalled,
        "CallAnswer" | "CallDecline" | "CallHangUp" | "CallHold" | "CallResume" | "CallMerge"
        | "CallRedial" | "CallPress" | "BlockCaller"
            if facts.emergency =>
        {
            Deed::Say(words::EMERGENCY_FIRST)
        }
        "CallAnswer" if facts.offered => Deed::Answer,
        "CallAnswer" | "CallDecline" if !facts.offered => Deed::Say(words::NOBODY_CALLS),
        "CallDecline" => Deed::Decline,
        "CallHangUp" if facts.offered || facts.going_out || facts.confirmed() > 0 => Deed::HangUp,
        "CallHold" if facts.spoken > 0 => Deed::Hold,
        "MicrophoneOff" | "MicrophoneOn" if facts.emergency => Deed::Say(words::EMERGENCY_FIRST),
        "MicrophoneOff" if facts.spoken > 0 => Deed::Silence(true),
        "MicrophoneOn" if facts.spoken > 0 => Deed::Silence(false),
        "MicrophoneOff" => Deed::Say(words::KEEPS_LISTENING),
        "MicrophoneOn" => Deed::Say(words::LISTENS),
        "CallResume" if facts.held > 0 => Deed::Resume,
        "CallMerge" if facts.confirmed() > 1 => Deed::Merge,
        "CallMerge" => Deed::Say(words::NOTHING_TO_MERGE),
        "CallPress" if facts.spoken > 0 => match keys(slot("digits").unwrap_or_default()) {
            Some(keys) => Deed::Press(keys),
            None => Deed::Say(words::NO_DIGITS),
        },
        "CallHangUp" | "CallHold" | "CallResume" | "CallPress" => Deed::Say(words::NO_CALL),
        "CallRedial" => match slot("last") {
            Some("missed") => Deed::Redial(Last::Missed),
            _ => Deed::Redial(Last::Dialled),
        },
        "BlockCaller" => Deed::BlockCaller,
        _ => return None,
    };
    Some(deed)
}

/// The keys of a telephone in what was said; none when there are none, or too many.
fn keys(said: &str) -> Option<Vec<char>> {
    let keys: Vec<char> = said
        .chars()
        .filter(|key| !key.is_whitespace() && !matches!(key, '-' | ','))
        .collect();
    let known = |key: &char| key.is_ascii_digit() || matches!(key, '*' | '#');
    (!keys.is_empty() && keys.len() <= KEYS_MAX && keys.iter().all(known)).then_some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(name: &str, slots: &[(&str, &str)]) -> Intent {
        Intent {
            name: name.into(),
            slots: slots
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    fn of(name: &str, slots: &[(&str, &str)], facts: Facts) -> Option<Deed> {
        decide(&intent(name, slots), facts, Country::UnitedStates)
    }

    #[test]
    fn an_emergency_number_is_never_the_telephones_whatever_stands() {
        for facts in [
            Facts::default(),
            Facts {
                emergency: true,
                ..Facts::default()
            },
        ] {
            for (slot, value) in [
                ("number", "911"),
                ("who", "9 1 1"),
                ("who", "the police"),
                ("who", "nine one one"),
                ("number", "112"),
            ] {
                for name in ["CallStart", "DropIn", "CallTransfer"] {
                    assert!(
                        matches!(of(name, &[(slot, value)], facts), Some(Deed::NotOurs(_))),
                        "{name} {value}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_done_depends_on_where_calls_stand() {
        let idle = Facts::default();
        let ringing = Facts {
            offered: true,
            ..idle
        };
        let talking = Facts { spoken: 1, ..idle };
        let held = Facts { held: 1, ..talking };
        assert_eq!(of("CallAnswer", &[], ringing), Some(Deed::Answer));
        assert_eq!(
            of("CallAnswer", &[], idle),
            Some(Deed::Say(words::NOBODY_CALLS))
        );
        assert_eq!(of("CallDecline", &[], ringing), Some(Deed::Decline));
        assert_eq!(of("CallHangUp", &[], talking), Some(Deed::HangUp));
        assert_eq!(of("CallHangUp", &[], idle), Some(Deed::Say(words::NO_CALL)));
        assert_eq!(of("CallMerge", &[], held), Some(Deed::Merge));
        assert_eq!(
            of("CallPress", &[("digits", "1 2 #")], talking),
            Some(Deed::Press(vec!['1', '2', '#']))
        );
        let to = [("who", "the office")];
        assert_eq!(
            of("CallTransfer", &to, talking),
            Some(Deed::Transfer(Spoken::Name("the office".into())))
        );
        assert_eq!(
            of("CallTransfer", &to, idle),
            Some(Deed::Say(words::NO_CALL))
        );
        let help = Facts {
            emergency: true,
            offered: true,
            ..idle
        };
        assert_eq!(
            of("CallAnswer", &[], help),
            Some(Deed::Say(words::EMERGENCY_FIRST))
        );
        assert_eq!(of("GetTime", &[], idle), None);
    }
}
