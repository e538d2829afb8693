//! Routines: what the owner wants to happen at an event. Checked as they are read, so that a stored one can run.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::request::Given;
use crate::id::{DeviceId, PersonId};
use crate::light_order::LightOrder;
use crate::message::{MessageText, TEXT_BYTES_MAX};
use crate::notify::Target;
use crate::text::Name;

/// Most routines of a home.
const ROUTINES_MAX: usize = 100;
/// Most actions of one routine.
const ACTIONS_MAX: usize = 10;
/// Most targets of notifications.
const TARGETS_MAX: usize = 20;
/// Longest words of an action, before values are put in.
const WORDS_BYTES_MAX: usize = 1_000;

/// An event's name, as it stands in the address: 1 to 64 letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 64)]
pub struct EventName(String);

impl EventName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EventName {
    type Error = RoutineError;
    fn try_from(text: String) -> Result<Self, RoutineError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(RoutineError::Event)
        }
    }
}

impl From<EventName> for String {
    fn from(name: EventName) -> Self {
        name.0
    }
}

/// Words of an action, in which `{{value1}}`, `{{value2}}`, `{{value3}}`, `{{json}}` and `{{event}}` stand for what came.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 1000)]
pub struct Words(String);

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(…)")
    }
}

impl TryFrom<String> for Words {
    type Error = RoutineError;
    fn try_from(text: String) -> Result<Self, RoutineError> {
        if (1..=WORDS_BYTES_MAX).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(RoutineError::Words)
        }
    }
}

impl From<Words> for String {
    fn from(words: Words) -> Self {
        words.0
    }
}

impl Words {
    /// With the values put in, once: what a value says is not read again. Cut where a message would be too long.
    #[must_use]
    pub fn with(&self, event: &EventName, given: &Given) -> String {
        let mut text = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once("{{") {
            text.push_str(before);
            let Some((name, further)) = after.split_once("}}") else {
                text.push_str("{{");
                rest = after;
                continue;
            };
            match name.trim() {
                "event" => text.push_str(event.as_str()),
                "value1" => text.push_str(&given.values[0]),
                "value2" => text.push_str(&given.values[1]),
                "value3" => text.push_str(&given.values[2]),
                "json" => text.push_str(&given.json),
                _ => {
                    text.push_str("{{");
                    rest = after;
                    continue;
                }
            }
            rest = further;
        }
        text.push_str(rest);
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let mut end = text.len().min(TEXT_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text[..end].chars().map(plain).collect()
    }

    /// The same as a message; none where nothing is left of it.
    pub(super) fn message(&self, event: &EventName, given: &Given) -> Option<MessageText> {
        let text = self.with(event, given);
        MessageText::try_from(text.trim().to_owned()).ok()
    }
}

/// One thing to do. There is no action that calls a number, and none can be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// All speakers say it.
    Announce(Announce),
    /// A message to a person of the home.
    Message(Tell),
    /// A person's phones and browsers ring, so that they are found.
    Ring(Ring),
    /// Lights of a speaker's house are switched.
    Light(Switch),
    /// A notification to a target of the home.
    Notify(Notice),
}

/// What speakers say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Announce {
    /// The words.
    pub text: Words,
}

/// A message to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tell {
    /// Whom.
    pub person: PersonId,
    /// The words.
    pub text: Words,
}

/// Whose phones ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    /// Whose.
    pub person: PersonId,
}

/// Which speaker switches what. Nothing that a trigger brings becomes part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// The speaker whose house has the lights.
    pub speaker: DeviceId,
    /// Which lights, and what they shall be.
    pub order: LightOrder,
}

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The target's name.
    pub target: Name,
    /// Its title.
    #[serde(default)]
    pub title: Option<Words>,
    /// The words.
    pub text: Words,
}

/// What happens at an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Routine {
    /// At which.
    pub event: EventName,
    /// What, in order; at most 10.
    pub actions: Vec<Action>,
}

/// The routines of a home and the targets that they notify.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Routines {
    /// At most 100.
    pub routines: Vec<Routine>,
    /// At most 20.
    #[serde(default)]
    pub targets: Vec<Target>,
}

/// Why routines cannot stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoutineError {
    /// The name of an event.
    #[error("an event's name is 1 to 64 letters, digits, '_' and '-'")]
    Event,
    /// Words of an action.
    #[error("the words of an action have 1 to {WORDS_BYTES_MAX} bytes")]
    Words,
    /// Too many.
    #[error(
        "a home has at most {ROUTINES_MAX} routines of {ACTIONS_MAX} actions, and {TARGETS_MAX} targets"
    )]
    Many,
    /// A notification to nowhere.
    #[error("an action notifies a target that is not in the list")]
    NoTarget,
    /// Two targets of one name.
    #[error("two targets have the same name")]
    Twice,
}

impl Routines {
    /// Refuses what could not run.
    ///
    /// # Errors
    /// [`RoutineError`].
    pub fn check(&self) -> Result<(), RoutineError> {
        let long = |routine: &Routine| routine.actions.len() > ACTIONS_MAX;
        if self.routines.len() > ROUTINES_MAX
            || self.targets.len() > TARGETS_MAX
            || self.routines.iter().any(long)
        {
            return Err(RoutineError::Many);
        }
        for (index, target) in self.targets.iter().enumerate() {
            let again = |other: &Target| other.name == target.name;
            if self.targets[index + 1..].iter().any(again) {
                return Err(RoutineError::Twice);
            }
        }
        let known = |action: &Action| match action {
            Action::Notify(notice) => self.target(&notice.target).is_some(),
            _ => true,
        };
        let mut actions = self.routines.iter().flat_map(|routine| &routine.actions);
        if actions.all(known) {
            Ok(())
        } else {
            Err(RoutineError::NoTarget)
        }
    }

    pub(super) fn target(&self, name: &Name) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        Words::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn values_are_put_in_once_and_never_read_again() {
        let event = EventName::try_from("door".to_owned()).unwrap();
        let given = Given {
            values: ["{{value2}}".into(), "b".into(), "line\r\nX-Evil: 1".into()],
            json: "{}".into(),
        };
        for (text, wanted) in [
            ("{{event}}: {{ value1 }}", "door: {{value2}}"),
            ("{{value2}}{{value2}}", "bb"),
            ("{{other}} {{", "{{other}} {{"),
            ("{{{value2}}}", "{{{value2}}}"),
            ("{{json}}", "{}"),
            ("{{value3}}", "line  X-Evil: 1"),
        ] {
            assert_eq!(words(text).with(&event, &given), wanted, "{text}");
        }
        let long = Given {
            values: ["ä".repeat(3_000), String::new(), String::new()],
            json: String::new(),
        };
        assert!(words("{{value1}}").with(&event, &long).len() <= TEXT_BYTES_MAX);
        assert!(words(" {{value2}} ").message(&event, &long).is_none());
    }

    #[test]
    fn what_could_not_run_is_refused() {
        let read = |text: &str| {
            serde_json::from_str::<Routines>(text)
                .map_err(|error| error.to_string())
                .and_then(|routines| routines.check().map_err(|error| error.to_string()))
        };
        let notify =
            r#"{"routines":[{"event":"a","actions":[{"notify":{"target":"x","text":"t"}}]}]}"#;
        assert!(read(notify).unwrap_err().contains("not in the list"));
        for (text, word) in [
            (r#"{"routines":[{"event":"a b","actions":[]}]}"#, "event"),
            (
                r#"{"routines":[{"event":"a","actions":[{"call":{"number":"911"}}]}]}"#,
                "unknown variant",
            ),
            (
                r#"{"routines":[{"event":"a","actions":[{"announce":{"text":""}}]}]}"#,
                "words",
            ),
            (
                r#"{"routines":[{"event":"a","actions":[{"announce":{"text":"x","number":"911"}}]}]}"#,
                "unknown field",
            ),
        ] {
            assert!(read(text).unwrap_err().contains(word), "{text}");
        }
    }
}
